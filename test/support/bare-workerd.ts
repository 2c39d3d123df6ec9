// The vault as it was built, in a workerd of its own without Miniflare around it: what the runtime may reach is the test's to say. What it
// keeps goes with it.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ROOT } from '../tools/build.ts'
import { builtWorker } from './modules.ts'
import { freePort } from './runtime.ts'

export type Bare = { origin: string; stop: () => void }

const FIELDS = { ESModule: 'esModule', Text: 'text', Data: 'data', CompiledWasm: 'wasm' } as const
const quoted = (text: string): string => JSON.stringify(text)

/**
 * Starts the vault. `reaches`: kinds of addresses that it may connect to, as workerd judges them after it has looked up a name
 * (`public` alone is its own default, and the platform's rule).
 */
export const startBareVault = async (vars: Readonly<Record<string, string>>, reaches: readonly string[]): Promise<Bare> => {
  const folder = mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-bare-'))
  const { config, modules } = builtWorker('vault', false)
  const { compatibilityDate, compatibilityFlags, durableObjects, bindings } = config.workerOptions as {
    compatibilityDate: string
    compatibilityFlags: string[]
    durableObjects: Record<string, { className: string }>
    bindings: Record<string, string>
  }
  for (const { path, contents } of modules) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), contents)
  }
  const state = join(folder, 'state')
  mkdirSync(state)
  const port = await freePort()
  const list = (items: readonly string[]): string => `[${items.join(', ')}]`
  const objects = Object.entries(durableObjects)
  const texts = Object.entries({ ...bindings, ...vars }).map(([name, text]) => `(name = ${quoted(name)}, text = ${quoted(text)})`)
  const spaces = objects.map(([name, { className }]) => `(name = ${quoted(name)}, durableObjectNamespace = ${quoted(className)})`)
  const classes = objects.map(
    ([, { className }]) => `(className = ${quoted(className)}, uniqueKey = ${quoted(className)}, enableSql = true)`,
  )
  const embedded = modules.map(({ type, path }) => `(name = ${quoted(path)}, ${FIELDS[type]} = embed ${quoted(path)})`)
  writeFileSync(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = ${list(embedded)},
      compatibilityDate = ${quoted(compatibilityDate)}, compatibilityFlags = ${list(compatibilityFlags.map(quoted))},
      bindings = ${list([...texts, ...spaces])}, durableObjectNamespaces = ${list(classes)}, durableObjectStorage = (localDisk = "state"))),
    (name = "state", disk = (path = ${quoted(state)}, writable = true)),
    (name = "internet", network = (allow = ${list(reaches.map(quoted))}))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
`,
  )
  const child = spawn(join(ROOT, 'node_modules/.bin/workerd'), ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const stop = (): void => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await new Promise<void>((done, failed) => {
      // It writes there once it listens.
      child.stdio[3]?.once('data', () => done())
      child.once('exit', (code) => failed(new Error(`workerd ended with ${code}: ${said.slice(-2000)}`)))
    })
  } catch (error) {
    stop()
    throw error
  }
  return { origin: `http://127.0.0.1:${port}`, stop }
}

// The package of the kits as somebody gets it, and the code of its guides: installs the tarball in an empty folder, takes the fenced blocks
// that carry a file name out of the guides, runs them.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { build } from 'vite'
import { ROOT } from '../tools/build.ts'
import { pack } from '../tools/pack.ts'
import { plainWorker, type Source } from './modules.ts'
import { until } from './until.ts'

export const GUIDES = ['protect-your-api.md', 'open-a-shared-thing.md'] as const

/** Fenced blocks of a guide: language, file name if it has one, text. */
export const blocksOf = (guide: (typeof GUIDES)[number]): { language: string; file?: string; text: string }[] =>
  [...readFileSync(join(ROOT, 'shared', guide), 'utf8').matchAll(/^```(\w+)(?: file=([\w.-]+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', file, text = '']) => ({ language, text, ...(file !== undefined && { file }) }),
  )

/** `PATH` without what this repository brings along. */
const systemPath = (): string =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.includes('node_modules'))
    .join(delimiter)

/** The machine's own environment, without what a test run adds to it. */
const plainEnv = (more: Record<string, string> = {}): Record<string, string> => {
  const { HOME = tmpdir(), http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, NODE_EXTRA_CA_CERTS, npm_config_registry } = process.env
  const kept = { HOME, http_proxy, https_proxy, HTTP_PROXY, HTTPS_PROXY, NODE_EXTRA_CA_CERTS, npm_config_registry }
  const defined = Object.entries(kept).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ...Object.fromEntries(defined), PATH: systemPath(), NO_COLOR: '1', NODE_ENV: 'production', ...more }
}

/** The Node of this machine, if it has one besides the repository's. */
export const systemNode = (): { path: string; major: number } => {
  const path = systemPath()
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .find(existsSync)
  const chosen = path ?? process.execPath
  const version = spawnSync(chosen, ['--version'], { encoding: 'utf8', env: plainEnv() }).stdout
  return { path: chosen, major: Number(/^v(\d+)/.exec(version)?.[1]) }
}

const emptyFolder = (): string => {
  const folder = mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-kits-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  return folder
}

const writeGuides = (folder: string): void => {
  for (const guide of GUIDES) {
    for (const { file, text } of blocksOf(guide)) if (file !== undefined) writeFileSync(join(folder, file), text)
  }
}

const run = (command: string, args: string[], folder: string, env: Record<string, string> = {}): void => {
  const done = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: plainEnv(env) })
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} failed\n${done.stdout}${done.stderr}${done.error?.message ?? ''}`)
}

/** The tarball unpacked beside the repository's own packages: no registry is asked. */
export const unpackKits = async (): Promise<string> => {
  const folder = emptyFolder()
  const target = join(folder, 'node_modules/latchkey')
  mkdirSync(target, { recursive: true })
  run('tar', ['-xzf', await pack(join(folder, 'packed')), '--strip-components=1', '-C', target], folder)
  for (const name of ['hono', 'jose', 'valibot']) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  writeGuides(folder)
  return folder
}

/** Shell blocks of a guide, with the addresses of this test in place of those in the text. */
export const shellOf = (guide: (typeof GUIDES)[number], replaced: Record<string, string> = {}): string[] =>
  blocksOf(guide)
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => Object.entries(replaced).reduce((line, [from, to]) => line.replaceAll(from, to), text.trim()))

/** A runtime's own program inside its npm package for this machine; scripts of packages are not run, so nothing is downloaded by itself. */
const binaryIn = (folder: string, pattern: string): string => {
  const [path] = globSync(join(folder, 'node_modules', pattern))
  if (path === undefined) throw new Error(`no ${pattern} for ${process.platform}-${process.arch} came from npm`)
  chmodSync(path, 0o755)
  return path
}

export type Installed = { folder: string; tarball: string; node: string; deno: string; bun: string }

/**
 * The tarball in an empty folder, installed as the guide says, from the registry; Deno and Bun from npm beside it, and Node 20 where the
 * machine's own is another.
 */
export const installKits = async (): Promise<Installed> => {
  const folder = emptyFolder()
  const tarball = await pack(join(folder, 'packed'))
  copyFileSync(tarball, join(folder, basename(tarball)))
  const [install = ''] = shellOf('protect-your-api.md')
  const quiet = { npm_config_ignore_scripts: 'true', npm_config_audit: 'false', npm_config_fund: 'false' }
  run('sh', ['-ec', install], folder, quiet)
  const system = systemNode()
  const more = system.major === 20 ? [] : [`node-${process.platform}-${process.arch}@20`]
  mkdirSync(join(folder, 'runtimes'))
  writeFileSync(join(folder, 'runtimes/package.json'), '{ "private": true }')
  run('npm', ['install', 'deno@2.9.6', 'bun@1.4.5', ...more], join(folder, 'runtimes'), quiet)
  writeGuides(folder)
  const runtimes = join(folder, 'runtimes')
  return {
    folder,
    tarball,
    node: system.major === 20 ? system.path : binaryIn(runtimes, 'node-*/bin/node'),
    deno: binaryIn(runtimes, '@deno/*/deno'),
    bun: binaryIn(runtimes, '@oven/*/bin/bun'),
  }
}

export type Program = {
  /** Resolves when the pattern stands in what was written; rejects with all of it when the program ends before. */
  says: (pattern: RegExp) => Promise<RegExpExecArray>
  type: (line: string) => void
  /** Everything written, once it has ended by itself. */
  ended: Promise<string>
  stop: () => Promise<void>
}

const programOf = (child: ChildProcessWithoutNullStreams, command: string): Program => {
  let said = ''
  let isOver = false
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      tell()
    })
  }
  const ended = new Promise<string>((done, failed) => {
    child.on('error', failed)
    child.on('close', () => {
      isOver = true
      tell()
      done(said)
    })
  })
  const says = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((done, failed) => {
      const look = (): void => {
        const found = pattern.exec(said)
        if (found === null && !isOver) return
        listeners.delete(look)
        if (found !== null) done(found)
        else failed(new Error(`${command} ended\n${said}`))
      }
      listeners.add(look)
      look()
    })
  const stop = async (): Promise<void> => {
    if (!isOver) child.kill('SIGKILL')
    await ended
  }
  return { says, type: (line) => void child.stdin.write(`${line}\n`), ended, stop }
}

/** Starts a program of the guides in its folder. */
export const start = (command: string, args: string[], folder: string, env: Record<string, string> = {}): Program =>
  programOf(
    spawn(command, args, {
      cwd: folder,
      env: { ...plainEnv(env), ...(env.PATH === undefined && { PATH: `${dirname(command)}:${systemPath()}` }) },
    }),
    `${command} ${args.join(' ')}`,
  )

/** Waits until somebody answers at an address; rejects when the program ends before. */
export const answering = (program: Program, address: string): Promise<void> => {
  const over = program.ended.then((said) => Promise.reject(new Error(`the server ended\n${said}`)))
  const isThere = async (): Promise<boolean> => {
    const found = await fetch(address, { redirect: 'manual' }).catch(() => undefined)
    await found?.body?.cancel()
    return found !== undefined
  }
  return Promise.race([until(isThere), over])
}

/** A program of the guides as one module for a Worker, bundled as a Worker is; with a KV namespace and variables. */
export const workerOf = async (folder: string, entry: string, vars: Record<string, string>): Promise<Source> => {
  const { output } = (await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { ssr: entry, write: false, minify: false },
    ssr: { noExternal: true, target: 'webworker' },
  })) as { output: { code?: string }[] }
  const name = entry.replace('.js', '')
  return plainWorker({ name, text: output[0]?.code ?? '' }, { bindings: vars, kvNamespaces: { KEPT: `kept-${name}` } })
}

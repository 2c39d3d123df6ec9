// The modules that are handed to the runtime: a bundle as it was built, with or without the test entry around it, or a worker of one
// file. Types are stripped by Node, so nothing here needs a bundler.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join, relative } from 'node:path'
import { BUILD, type WorkerConfig, type WorkerName } from '../tools/build.ts'

/** `path` is relative to the bundle's folder; the first module is the entry. */
export type Module = { type: 'ESModule' | 'Text' | 'Data' | 'CompiledWasm'; path: string; contents: string | Uint8Array<ArrayBuffer> }

const stripped = (path: string): string =>
  stripTypeScriptTypes(readFileSync(join(import.meta.dirname, path), 'utf8')).replace(/(from\s+'\.\/[\w-]+)\.ts'/g, "$1.js'")

const KINDS: Readonly<Record<string, Module['type']>> = { js: 'ESModule', mjs: 'ESModule', wasm: 'CompiledWasm', bin: 'Data' }

const bundleModules = (folder: string): Module[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(map|md)$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      // Wrangler writes `<hash>-name.js` for a script that is imported as text.
      const type =
        entry.name !== 'index.js' && /^[0-9a-f]{20,}-/.test(entry.name) && entry.name.endsWith('.js')
          ? 'Text'
          : (KINDS[entry.name.split('.').pop() ?? ''] ?? 'Text')
      return {
        type,
        path: relative(folder, path),
        contents: type === 'Data' || type === 'CompiledWasm' ? new Uint8Array(readFileSync(path)) : readFileSync(path, 'utf8'),
      }
    })

const classNames = (config: WorkerConfig): string[] => {
  const objects = (config.workerOptions.durableObjects ?? {}) as Record<string, { className: string }>
  return [...new Set(Object.values(objects).map(({ className }) => className))]
}

const script = (path: string, contents: string): Module => ({ type: 'ESModule', path, contents })

/** The entry that stands around `index.js`: the clock first, so that nobody has taken the real one. */
const around = (classes: readonly string[], clock: number): Module[] => [
  script(
    'test-entry.js',
    [
      "import { setClockOffset } from './clock.js'",
      "import * as bundle from './index.js'",
      "import { wrapHandler, wrapObject } from './as-entry.js'",
      `setClockOffset(${clock * 1000})`,
      ...classes.map((name) => `export const ${name} = wrapObject(bundle.${name})`),
      'export default wrapHandler(bundle.default)',
    ].join('\n'),
  ),
  ...['clock', 'faults', 'as-entry'].map((name) => script(`${name}.js`, stripped(`wrap/${name}.ts`))),
]

/** A worker of one module that needs no build: plain JavaScript, or a file of this folder in TypeScript. */
export const plainWorker = (
  what: { name: string; file: string } | { name: string; text: string },
  bindings: Record<string, unknown>,
  wrap = false,
): Source => {
  const config: WorkerConfig = {
    name: what.name,
    migrationsDir: undefined,
    workerOptions: { compatibilityDate: '2026-09-15', compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'], ...bindings },
  }
  const main = script('index.js', 'file' in what ? stripped(what.file) : what.text)
  return { config, modules: wrap ? [...around(classNames(config), 0), main] : [main] }
}

/** What is started: modules, the entry first, and what they are bound to. */
export type Source = { config: WorkerConfig; modules: Module[] }

/** The modules of a bundle, index.js first. */
export const bundleOf = (folder: string): Module[] =>
  bundleModules(folder).sort((a, b) => Number(b.path === 'index.js') - Number(a.path === 'index.js'))

/** A bundle with the clock (so many seconds off) and the faults around it. */
export const wrapped = ({ config, modules }: Source, clock = 0): Source => ({
  config,
  modules: [...around(classNames(config), clock), ...modules],
})

/** A worker as it was built, or with the clock (so many seconds off) and the faults around it. Throws if it was not built. */
export const builtWorker = (name: WorkerName, wrap: boolean, clock = 0): Source => {
  const folder = join(BUILD, name)
  if (!existsSync(join(BUILD, `${name}.json`))) throw new Error(`${name} is not built; run: npm run build`)
  const config = JSON.parse(readFileSync(join(BUILD, `${name}.json`), 'utf8')) as WorkerConfig
  const source = { config, modules: bundleOf(folder) }
  return wrap ? wrapped(source, clock) : source
}

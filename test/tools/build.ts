// Builds what runs: both workers as `wrangler deploy` would upload them (.build/as, .build/vault) and the wallet as an unpacked
// extension (.build/extension/chrome). What is up to date is left alone: a stamp holds path, size and time of every input.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')
export const BUILD = join(ROOT, '.build')

export type WorkerName = 'as' | 'vault'
export type Part = WorkerName | 'extension'

/** Where each worker's configuration lies. */
export const WRANGLER: Readonly<Record<WorkerName, string>> = {
  as: join(ROOT, 'wrangler.toml'),
  vault: join(ROOT, 'worker/vault/wrangler.toml'),
}

/** Folders and files that a part is made of; a leading `!` leaves a folder out. */
const INPUTS: Readonly<Record<Part, readonly string[]>> = {
  as: ['package-lock.json', 'wrangler.toml', 'worker', '!worker/vault', 'shared'],
  vault: ['package-lock.json', 'worker/vault', 'worker/pages/assets', 'shared'],
  extension: ['package-lock.json', 'package.json', 'extension', 'worker/pages/assets', 'shared'],
}

/** Quiet and offline, whoever calls (RUNTIME 1). */
export const QUIET_ENV: Readonly<Record<string, string>> = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_LOG_PATH: join(BUILD, 'logs'),
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  X_LOCAL_OBSERVABILITY: 'false',
  X_LOCAL_EXPLORER: 'false',
  CI: 'true',
  NO_COLOR: '1',
}

/** A tool of node_modules/.bin, its output kept back unless it fails. Throws an Error that carries the end of that output. */
export const runQuietly = (tool: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> =>
  new Promise((done, failed) => {
    const bin = join(ROOT, 'node_modules/.bin')
    const child = spawn(join(bin, tool), args, {
      cwd: ROOT,
      env: { ...process.env, ...QUIET_ENV, PATH: `${bin}:${process.env.PATH ?? ''}`, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.on('error', failed)
    child.on('close', (code) =>
      code === 0 ? done(said) : failed(new Error(`${tool} ${args.join(' ')} failed\n${said.trim().split('\n').slice(-40).join('\n')}`)),
    )
  })

const filesOf = (entries: readonly string[]): string[] => {
  const left = entries.filter((entry) => entry.startsWith('!')).map((entry) => `${entry.slice(1)}/`)
  const found: string[] = []
  for (const entry of entries) {
    const path = join(ROOT, entry)
    if (entry.startsWith('!') || !existsSync(path)) continue
    if (statSync(path).isFile()) found.push(entry)
    else {
      for (const file of readdirSync(path, { recursive: true, withFileTypes: true })) {
        if (file.isFile()) found.push(relative(ROOT, join(file.parentPath, file.name)))
      }
    }
  }
  return found.filter((path) => !left.some((folder) => path.startsWith(folder)) && !/\.tsbuildinfo$/.test(path)).sort()
}

const stampOf = (part: Part): string => {
  const hash = createHash('sha256')
  for (const path of filesOf(INPUTS[part])) {
    const { mtimeMs, size } = statSync(join(ROOT, path))
    hash.update(`${path} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

const stampFile = (part: Part): string => join(BUILD, `${part}.stamp`)
const target = (part: Part): string => join(BUILD, part === 'extension' ? 'extension/chrome' : part)

const isFresh = (part: Part, stamp: string): boolean =>
  existsSync(stampFile(part)) && existsSync(target(part)) && readFileSync(stampFile(part), 'utf8') === stamp

/** What the runtime has to know about a worker besides its code; read by test/support/runtime.ts. */
export type WorkerConfig = { name: string; migrationsDir: string | undefined; workerOptions: Record<string, unknown> }

/** Bindings as wrangler itself reads them, so that nothing here has an opinion about wrangler.toml. */
const writeConfig = async (name: WorkerName): Promise<void> => {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler')
  const config = unstable_readConfig({ config: WRANGLER[name] }, { hideWarnings: true })
  const { workerOptions } = unstable_getMiniflareWorkerOptions(config)
  const d1 = config.d1_databases[0]
  const written: WorkerConfig = {
    name: config.name ?? name,
    migrationsDir: d1?.migrations_dir ? resolve(WRANGLER[name], '..', d1.migrations_dir) : undefined,
    // Variables come from wrangler.toml alone: a developer's .dev.vars must not decide what a test sees.
    workerOptions: { ...workerOptions, bindings: config.vars },
  }
  writeFileSync(join(BUILD, `${name}.json`), JSON.stringify(written, undefined, 2))
}

const buildPart = async (part: Part): Promise<void> => {
  if (part === 'extension') {
    await runQuietly('vite', ['build', '-c', 'extension/vite.config.ts', '--logLevel', 'error'])
    return
  }
  // Built beside and moved, so that nobody starts half a bundle.
  const beside = join(BUILD, `.${part}-${process.pid}`)
  try {
    await runQuietly('wrangler', ['deploy', '--dry-run', '-c', WRANGLER[part], '--outdir', beside])
    await writeConfig(part)
    rmSync(target(part), { recursive: true, force: true })
    renameSync(beside, target(part))
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

/** Parts that the repository has; before a folder exists there is nothing to build. */
export const present = (): Part[] =>
  (['as', 'vault', 'extension'] as const).filter((part) =>
    existsSync(part === 'extension' ? join(ROOT, 'extension/vite.config.ts') : WRANGLER[part]),
  )

/**
 * Builds the parts that are asked for, side by side, and only what is out of date.
 * @returns the parts that were really built; throws an Error with the tool's own words if one cannot be built
 */
export const build = async (parts: readonly Part[] = present()): Promise<Part[]> => {
  mkdirSync(BUILD, { recursive: true })
  const stale = parts.map((part) => ({ part, stamp: stampOf(part) })).filter(({ part, stamp }) => !isFresh(part, stamp))
  const done = await Promise.allSettled(
    stale.map(async ({ part, stamp }) => {
      rmSync(stampFile(part), { force: true })
      await buildPart(part)
      writeFileSync(stampFile(part), stamp)
    }),
  )
  const failed = done.flatMap((result) => (result.status === 'rejected' ? [String(result.reason?.message ?? result.reason)] : []))
  if (failed.length > 0) throw new Error(failed.join('\n\n'))
  return stale.map(({ part }) => part)
}

if (import.meta.main) {
  const asked = process.argv.slice(2) as Part[]
  const begin = performance.now()
  try {
    const built = await build(asked.length > 0 ? asked : present())
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    console.log(built.length > 0 ? `Built ${built.join(', ')} in ${seconds} s.` : 'Everything is up to date.')
    process.exit(0)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}

// Runs the tests that a patch names in a copy, as it stands, and tells which of them fail. Only what the patch touches is built anew: the
// build leaves alone what is up to date.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { QUIET_ENV } from './build.ts'
import type { Tooth } from './teeth-copy.ts'

/** `failed` and `passed` are absent if no test was run at all; `said` is what the command said then. */
export type Ran = { failed?: Set<string>; passed?: Set<string>; said: string }
export type Wanted = { ring: Tooth['ring']; tests: readonly string[]; red: readonly string[] }
type VitestReport = { testResults: { assertionResults: { status: string; fullName: string; title: string }[] }[] }
type SuiteReport = { cases: { title: string; result: string }[] }

/** A broken server may never answer: then this is its answer. */
const PATIENCE = 300_000

const running = new Set<number>()

const end = (pid: number): void => {
  running.delete(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}

/** Ends all that runs, runtimes included; for Ctrl-C. */
export const endRuns = (): void => {
  for (const pid of running) end(pid)
}

const node = (copy: string, args: readonly string[]): Promise<string> =>
  new Promise((done) => {
    const env = {
      ...process.env,
      ...QUIET_ENV,
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      WRANGLER_LOG_PATH: join(copy, 'logs'),
    }
    const child = spawn(process.execPath, args, { cwd: copy, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const pid = child.pid ?? 0
    if (pid) running.add(pid)
    const timer = setTimeout(() => end(pid), PATIENCE)
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-5000)))
    child.on('error', (error) => (said += error.message))
    child.on('close', () => {
      clearTimeout(timer)
      if (pid) end(pid)
      done(said)
    })
  })

const readReport = <T>(file: string): T | undefined => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined)

const ranVitest = async (copy: string, { ring, tests }: Wanted, file: string): Promise<Ran> => {
  const config = ['--config', 'test/vitest.config.ts', '--project', ring]
  const said = await node(copy, ['node_modules/vitest/vitest.mjs', 'run', ...config, '--reporter=json', `--outputFile=${file}`, ...tests])
  const all = readReport<VitestReport>(file)?.testResults.flatMap(({ assertionResults }) => assertionResults) ?? []
  if (all.length === 0) return { said }
  const names = (status: string): string[] => all.filter((one) => one.status === status).flatMap(({ fullName, title }) => [fullName, title])
  return { failed: new Set(names('failed')), passed: new Set(names('passed')), said }
}

const ranSuite = async (copy: string, { red }: Wanted, file: string): Promise<Ran> => {
  const said = await node(copy, ['test/tools/conformance.ts', '--report', file, ...red.flatMap((title) => ['--only', title])])
  const cases = readReport<SuiteReport>(file)?.cases
  if (cases === undefined) return { said }
  const names = (result: string): string[] => cases.filter((one) => one.result === result).map(({ title }) => title)
  return { failed: new Set(names('fail')), passed: new Set(names('pass')), said }
}

/** Runs the wanted tests in the copy as it stands. */
export const ran = (copy: string, wanted: Wanted): Promise<Ran> => {
  const file = join(copy, 'teeth.json')
  rmSync(file, { force: true })
  return wanted.ring === 'conformance' ? ranSuite(copy, wanted, file) : ranVitest(copy, wanted, file)
}

const known = new Map<string, Promise<Set<string>>>()

/** Tests that are green without any mistake; a test that fails anyway proves nothing. Each set is run once, in whichever copy comes first. */
export const passing = (copy: string, wanted: Wanted): Promise<Set<string>> => {
  const key = JSON.stringify([wanted.ring, wanted.tests, wanted.ring === 'conformance' ? wanted.red : []])
  const names = known.get(key) ?? ran(copy, wanted).then(({ passed }) => passed ?? new Set<string>())
  known.set(key, names)
  return names
}

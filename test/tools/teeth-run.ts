// Runs the tests that a patch names in the copy, as it stands, and tells which of them fail. Only what the patch touches is built anew: the
// build leaves alone what is up to date.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { QUIET_ENV } from './build.ts'
import type { Tooth } from './teeth-copy.ts'

type Ran = { failed: Set<string>; passed: Set<string> }
export type Wanted = { ring: Tooth['ring']; tests: readonly string[]; red: readonly string[] }
type VitestReport = { testResults: { assertionResults: { status: string; fullName: string; title: string }[] }[] }
type SuiteReport = { cases: { title: string; result: string }[] }

const node = (copy: string, args: readonly string[]): void => {
  const env = { ...process.env, ...QUIET_ENV, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }
  spawnSync(process.execPath, args, { cwd: copy, env, stdio: 'ignore' })
}

const readReport = <T>(file: string): T | undefined => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined)

const ranVitest = (copy: string, { ring, tests }: Wanted, file: string): Ran | undefined => {
  const config = ['--config', 'test/vitest.config.ts', '--project', ring]
  node(copy, ['node_modules/vitest/vitest.mjs', 'run', ...config, '--reporter=json', `--outputFile=${file}`, ...tests])
  const all = readReport<VitestReport>(file)?.testResults.flatMap(({ assertionResults }) => assertionResults) ?? []
  if (all.length === 0) return undefined
  const names = (status: string): string[] => all.filter((one) => one.status === status).flatMap(({ fullName, title }) => [fullName, title])
  return { failed: new Set(names('failed')), passed: new Set(names('passed')) }
}

const ranSuite = (copy: string, { red }: Wanted, file: string): Ran | undefined => {
  node(copy, ['test/tools/conformance.ts', '--report', file, ...red.flatMap((title) => ['--only', title])])
  const cases = readReport<SuiteReport>(file)?.cases
  if (cases === undefined) return undefined
  const names = (result: string): string[] => cases.filter((one) => one.result === result).map(({ title }) => title)
  return { failed: new Set(names('fail')), passed: new Set(names('pass')) }
}

/** Undefined if no test was run at all. */
const ran = (copy: string, wanted: Wanted): Ran | undefined => {
  const file = join(copy, 'teeth.json')
  rmSync(file, { force: true })
  return wanted.ring === 'conformance' ? ranSuite(copy, wanted, file) : ranVitest(copy, wanted, file)
}

/** Names of the tests that fail in the copy as it stands; undefined if none was run at all. */
export const failures = (copy: string, wanted: Wanted): Set<string> | undefined => ran(copy, wanted)?.failed

const known = new Map<string, Set<string>>()

/** Tests that are green without any mistake; a test that fails anyway proves nothing. Each set is run once. */
export const passing = (copy: string, wanted: Wanted): Set<string> => {
  const key = JSON.stringify([wanted.ring, wanted.tests, wanted.ring === 'conformance' ? wanted.red : []])
  const names = known.get(key) ?? ran(copy, wanted)?.passed ?? new Set()
  known.set(key, names)
  return names
}

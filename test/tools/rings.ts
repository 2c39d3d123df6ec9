// Runs one ring of tests in a process of its own and reads its result from Vitest's JSON report. A ring that crashes, hangs, finds no
// test, skips one or takes longer than its budget has failed, whatever its tests say.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { QUIET_ENV, ROOT } from './build.ts'

export type Ring = 'unit' | 'policy' | 'conformance' | 'workerd' | 'record' | 'two-workers' | 'browser' | 'long'

/** What `npm test` runs, in this order. */
export const RINGS: readonly Ring[] = ['unit', 'policy', 'conformance', 'workerd', 'record', 'two-workers', 'browser']

/** Seconds on two cores. */
export const BUDGET: Readonly<Record<Ring, number>> = {
  unit: 60,
  policy: 120,
  conformance: 120,
  workerd: 120,
  record: 120,
  'two-workers': 120,
  browser: 240,
  long: 3600,
}

/** `details`: what Vitest says about what failed, differences and places. */
export type RingResult = { ring: Ring; passed: number; failures: string[]; details: string; seconds: number }

type Assertion = { status: string; fullName: string }
type Report = { testResults: { name: string; status: string; message?: string; assertionResults: Assertion[] }[] }

export const REPORTS = join(ROOT, 'test/report')

/** What the conformance suite says of our own server, written by its ring. */
export const SUITE_REPORT = join(REPORTS, 'uma.json')

const running = new Set<number>()

/** Ends a ring with all that it started: runtimes and browsers are in its process group. */
const endGroup = (pid: number): void => {
  running.delete(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}

/** Ends every ring that runs; for Ctrl-C. */
export const endAll = (): void => {
  for (const pid of running) endGroup(pid)
}

const readReport = (file: string): Report | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return undefined
  }
}

const failuresIn = (report: Report): string[] =>
  report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(ROOT, name)
    const failed = assertionResults
      .filter((one) => one.status !== 'passed')
      .map((one) => `${file}: ${one.fullName}${one.status === 'failed' ? '' : ` (was not run: ${one.status})`}`)
    if (status === 'failed' && failed.length === 0) failed.push(`${file}: ${message?.split('\n')[0] || 'could not be loaded'}`)
    return failed
  })

/** The part of Vitest's own report that begins where it speaks of failures, without its summary. */
const detailsIn = (said: string): string => {
  const begin = said.search(/⎯+ (Failed|Unhandled)/)
  if (begin < 0) return ''
  const end = said.search(/\n Test Files /)
  return said
    .slice(begin, end > begin ? end : undefined)
    .split('\n')
    .slice(0, 300)
    .join('\n')
}

const indent = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !/node_modules|node:internal/.test(line))
    .slice(0, 40)
    .map((line) => `    ${line}`)
    .join('\n')

type Ended = { code: number | null; said: string; isTimeout: boolean }

const runVitest = (ring: Ring, file: string, folder: string): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(
      process.execPath,
      [
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--config',
        'test/vitest.config.ts',
        '--project',
        ring,
        '--reporter=json',
        '--reporter=default',
        '--silent=passed-only',
        `--outputFile.json=${file}`,
      ],
      {
        cwd: ROOT,
        env: { ...process.env, ...QUIET_ENV, NODE_OPTIONS: '--disable-warning=ExperimentalWarning', LATCHKEY_TEST_FOLDER: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    )
    const pid = child.pid ?? 0
    if (pid) running.add(pid)
    let said = ''
    let isTimeout = false
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-200_000)))
    // A ring that is only slow may finish and be told so; one that hangs is ended.
    const timer = setTimeout(() => {
      isTimeout = true
      endGroup(pid)
    }, BUDGET[ring] * 2000)
    child.on('error', (error) => (said += error.message))
    child.on('close', (code) => {
      clearTimeout(timer)
      if (pid) endGroup(pid)
      done({ code, said, isTimeout })
    })
  })

/** Runs a ring and answers what came of it; never throws for a test that fails. */
export const runRing = async (ring: Ring): Promise<RingResult> => {
  mkdirSync(REPORTS, { recursive: true })
  const file = join(REPORTS, `${ring}.json`)
  rmSync(file, { force: true })
  const begin = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-ring-'))
  const { code, said, isTimeout } = await runVitest(ring, file, folder)
  rmSync(folder, { recursive: true, force: true })
  const seconds = (performance.now() - begin) / 1000
  const report = readReport(file)
  const tests = report?.testResults.flatMap(({ assertionResults }) => assertionResults) ?? []
  const passed = tests.filter(({ status }) => status === 'passed').length
  const failures = report ? failuresIn(report) : []
  if (isTimeout) failures.push(`ring ${ring}: ended after ${seconds.toFixed(0)} s, twice its budget of ${BUDGET[ring]} s`)
  else if (!report) failures.push(`ring ${ring}: gave no report\n${indent(said)}`)
  else if (tests.length === 0) failures.push(`ring ${ring}: found no test\n${indent(said)}`)
  else if (code !== 0 && failures.length === 0) failures.push(`ring ${ring}: ended with code ${code}\n${indent(said)}`)
  if (!isTimeout && seconds > BUDGET[ring]) failures.push(`ring ${ring}: took ${seconds.toFixed(0)} s, its budget is ${BUDGET[ring]} s`)
  return { ring, passed, failures, details: failures.length > 0 ? detailsIn(said) : '', seconds }
}

// `npm run bench:policy`: how much CPU the rules' engine takes inside workerd (POLICY 1.2), that of the whole process, read from outside:
// the runtime's own clock stands still while it works. Writes test/report/bench-policy.json.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Module, plainWorker, type Source } from '../support/modules.ts'
import { cpuSeconds } from '../support/processes.ts'
import { type Running, startWorker } from '../support/runtime.ts'
import { ROOT } from './build.ts'
import { REPORTS } from './rings.ts'

/** `most`: microseconds of CPU for each of `times` operations. */
type Row = { name: string; path: string; times: number; most?: number }
export type PolicyRow = Row & { cpu: number; told: Record<string, number> }

const ROWS: readonly Row[] = [
  { name: '50 rules, everything known', path: '/decide?rules=50&known', times: 10_000, most: 100 },
  { name: '50 rules, nothing known', path: '/decide?rules=50', times: 10_000, most: 100 },
  { name: '500 rules, everything known', path: '/decide?rules=500&known', times: 10_000, most: 1_000 },
  { name: '500 rules, nothing known', path: '/decide?rules=500', times: 10_000, most: 1_000 },
  { name: 'who can open 1 000 things, 10 rules each', path: '/who?', times: 20, most: 50_000 },
  { name: 'the same, with rules not seen before', path: '/who?fresh', times: 20, most: 50_000 },
]

/** The engine as it is, each file a module; only types are taken away. */
const engine = (): Source => {
  const main = 'test/support/policy-worker/index.ts'
  const modules = [main, ...globSync('worker/policy/*.ts', { cwd: ROOT })].map(
    (path): Module => ({ type: 'ESModule', path, contents: stripTypeScriptTypes(readFileSync(join(ROOT, path), 'utf8')) }),
  )
  return { ...plainWorker({ name: 'policy', text: '' }, {}), modules }
}

const measured = async (worker: Running, { path, times }: Row): Promise<{ cpu: number; told: Record<string, number> }> => {
  const before = cpuSeconds(worker.pid())
  const response = await fetch(`${worker.origin}${path}&times=${times}`)
  if (!response.ok) throw new Error(`no numbers: ${response.status}`)
  return { told: (await response.json()) as Record<string, number>, cpu: ((cpuSeconds(worker.pid()) - before) / times) * 1e6 }
}

/** Measures every row, the best of some rounds: whatever else the machine does can only add. */
export const policyRows = async (rounds: number): Promise<PolicyRow[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-policy-'))
  const worker = await startWorker(engine(), { state: join(folder, 'policy') })
  try {
    const best = new Map<string, PolicyRow>()
    for (let round = 0; round < rounds; round++)
      for (const row of ROWS) {
        const one = { ...row, ...(await measured(worker, row)) }
        const before = best.get(row.name)
        if (before === undefined || one.cpu < before.cpu) best.set(row.name, one)
      }
    return [...best.values()]
  } finally {
    await worker.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The rows as lines of text. */
export const policyTable = (rows: readonly PolicyRow[]): string =>
  rows
    .map(
      ({ name, cpu, most, told }) =>
        `${name.padEnd(42)} ${cpu.toFixed(1).padStart(9)} µs of CPU   ${most === undefined ? '' : `< ${most} µs  ${cpu < most ? 'met' : 'MISSED'}`}   ${JSON.stringify(told)}`,
    )
    .join('\n')

export const writePolicyReport = (rows: readonly PolicyRow[]): void => {
  mkdirSync(REPORTS, { recursive: true })
  writeFileSync(join(REPORTS, 'bench-policy.json'), JSON.stringify({ at: new Date().toISOString(), rows }, undefined, 2))
}

if (import.meta.main) {
  const rows = await policyRows(3)
  console.log(policyTable(rows))
  writePolicyReport(rows)
  process.exit(rows.every(({ cpu, most = Number.POSITIVE_INFINITY }) => cpu < most) ? 0 : 1)
}

// `npm run bench [-- --quick] [-- --against <report>]`: DESIGN section 6. Our operations beside the platform's floors, in one run, through
// the same kind of direct socket, interleaved round by round; median of five. Ratios are of requests per second; CPU is that of the whole
// runtime process, read from outside. With one large owner, and at last the CPU of decisions under many rules (bench-policy.ts). Writes
// test/report/bench.json; with `--against` also says what has changed since an earlier report. Refuses to give a verdict on wrong answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { FLOORS, printChange, printLarge, printTable, type Results, readReport, reportOf, type Sample } from '../support/bench-report.ts'
import { assertions, introspection, permission, pushing, type Scenario, setUp, withEvidence, withPct } from '../support/bench-scenario.ts'
import { seedOwner } from '../support/bench-seed.ts'
import { type Answer, type LoadRequest, type LoadResult, load } from '../support/load.ts'
import { plainWorker } from '../support/modules.ts'
import { cpuSeconds } from '../support/processes.ts'
import { freePort, type Running, startWorker } from '../support/runtime.ts'
import { startAs } from '../support/story.ts'
import { policyRows, policyTable, writePolicyReport } from './bench-policy.ts'
import { build } from './build.ts'
import { REPORTS } from './rings.ts'

const QUICK = process.argv.includes('--quick')
const AGAINST = process.argv.includes('--against') ? (process.argv[process.argv.indexOf('--against') + 1] ?? '') : undefined
const ROUNDS = QUICK ? 1 : 5
const SECONDS = QUICK ? 0.5 : 1.5
const TICKETS = QUICK ? 200 : 1500
const CONNECTIONS = 16
/** One service asks for more tickets in a second than it may in a minute. */
const UNBOUNDED = {
  QUOTAS: { tickets_per_service_minute: 0, reads_per_owner_minute: 0, changes_per_owner_minute: 0, questions_per_owner_minute: 0 },
}

/** A right answer: its status and what is in it; `seen` gets each of them. */
type Right = { status: number; member: string; seen?: (answer: Answer) => void }
type Work = readonly (readonly [string, () => Promise<Sample>])[]

const measure = async (worker: Running, next: (index: number) => LoadRequest | undefined, right: Right): Promise<Sample> => {
  const pid = worker.pid()
  const before = cpuSeconds(pid)
  const result: LoadResult = await load(
    { port: worker.port, host: `localhost:${worker.port}` },
    {
      connections: CONNECTIONS,
      seconds: SECONDS,
      next,
      expected: (answer) => {
        const isRight = answer.status === right.status && answer.body.includes(right.member)
        if (isRight) right.seen?.(answer)
        return isRight
      },
    },
  )
  const cpu = ((cpuSeconds(pid) - before) / result.count) * 1e6
  if (result.wrong.size > 0) throw new Error(`wrong answers, so no numbers: ${[...result.wrong.keys()][0]}`)
  return { rate: result.rate, p50: result.p50, p99: result.p99, cpu }
}

const always = (request: LoadRequest) => (): LoadRequest => request

const floors = (worker: Running): Work =>
  FLOORS.map((name) => [name, () => measure(worker, always({ path: `/${name.toLowerCase()}` }), { status: 200, member: 'active' })])

const GRANTED: Right = { status: 200, member: 'access_token' }

/** Each kind of token request, as many as there are tickets for, made before the time is taken. */
const tokens = (worker: Running, requests: () => Promise<LoadRequest[]>) => async (): Promise<Sample> => {
  const made = await requests()
  return measure(worker, (index) => made[index], GRANTED)
}

const operations = (worker: Running, scenario: Scenario): Work => [
  ['introspection', () => measure(worker, always(introspection(scenario)), { status: 200, member: '"active":true' })],
  ['permission', () => measure(worker, always(permission(scenario, scenario.resource)), { status: 201, member: '"ticket"' })],
  ['token, evidence in the ticket', tokens(worker, () => withEvidence(scenario, TICKETS / 3))],
  ['token, pushed SD-JWT+KB', tokens(worker, () => pushing(scenario, TICKETS, scenario.resource))],
  [
    'token, PCT',
    async () => {
      const { next, seen } = await withPct(scenario, TICKETS)
      return measure(worker, next, { ...GRANTED, seen })
    },
  ],
  ['token, private_key_jwt', tokens(worker, () => assertions(scenario, TICKETS / 3))],
]

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/**
 * Every measurement once per round, so that a slow minute of the machine hits all of them. The first round is not counted: in it the
 * runtime compiles, and objects come to life.
 */
const rounds = async (work: Work): Promise<Results> => {
  const samples = new Map<string, Sample[]>(work.map(([name]) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    if (process.stderr.isTTY) process.stderr.write(`round ${round} of ${ROUNDS} ...\r`)
    for (const [name, run] of work) {
      const sample = await run()
      if (round > 0) samples.get(name)?.push(sample)
    }
  }
  const of = (list: Sample[], key: keyof Sample): number => median(list.map((sample) => sample[key]))
  return new Map(
    [...samples].map(([name, list]) => [
      name,
      { rate: of(list, 'rate'), p50: of(list, 'p50'), p99: of(list, 'p99'), cpu: of(list, 'cpu') },
    ]),
  )
}

const SIZE = QUICK
  ? { resources: 1_000, policies: 100, rules: 100, spent: 1_000 }
  : { resources: 100_000, policies: 10_000, rules: 10_000, spent: 100_000 }

/** Rates of a machine that does something else at the same time say little; CPU for each operation still does. */
const tellLoad = (): void => {
  const [load = 0] = loadavg()
  if (load > cpus().length / 2)
    console.log(`The machine was busy before this began (load ${load.toFixed(1)} on ${cpus().length} cores): trust CPU more than rates.`)
}

const main = async (): Promise<void> => {
  // Read first: who compares with the last report has it written over at the end.
  const earlier = AGAINST === undefined ? undefined : readReport(AGAINST)
  tellLoad()
  await build(['as'])
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  const platform = await startWorker(
    plainWorker(
      { name: 'floors', file: 'floors-worker/index.ts' },
      { durableObjects: { FLOOR: { className: 'FloorObject', useSQLite: true } } },
    ),
    {
      state: join(folder, 'floors'),
    },
  )
  const asPort = await freePort()
  let as = await startAs({ folder, asPort, asVars: UNBOUNDED })
  try {
    const scenario = await setUp(as)
    const small = await rounds([...floors(platform), ...operations(as, scenario)])
    printTable(
      `${CONNECTIONS} connections, median of ${ROUNDS} interleaved rounds, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`,
      small,
    )
    if (earlier !== undefined) printChange(earlier, AGAINST ?? '', small)

    await as.stop()
    seedOwner(join(folder, 'as'), scenario.resource, SIZE)
    as = await startAs({ folder, asPort, asVars: UNBOUNDED })
    const large = await rounds([...floors(platform), ...operations(as, { ...scenario, server: as })])
    const size = `${SIZE.resources} resources, ${SIZE.policies} shares, ${SIZE.rules} rules, ${SIZE.spent} spent tickets`
    printTable(`the same for an owner with ${size}`, large)
    printLarge(small, large)
    await as.stop()
    const rules = await policyRows(QUICK ? 1 : 3)
    console.log(`\nrules, CPU of one decision\n${policyTable(rules)}`)
    writePolicyReport(rules)
    mkdirSync(REPORTS, { recursive: true })
    const report = { ...reportOf({ rounds: ROUNDS, connections: CONNECTIONS, cores: cpus().length }, small, large), rules }
    writeFileSync(join(REPORTS, 'bench.json'), JSON.stringify(report, undefined, 2))
    console.log('\nWritten to test/report/bench.json and bench-policy.json.')
  } finally {
    await Promise.all([as.stop(), platform.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  await main()
  process.exit(0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

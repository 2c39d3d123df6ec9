// `npm run bench`: DESIGN section 6. Our operations beside the platform's floors, in one run, through the same kind of direct socket,
// interleaved round by round; median of five. Ratios are of requests per second; CPU is that of the whole runtime process, read from
// outside. With one large owner at the end. Writes test/report/bench.json; refuses to give a verdict on answers that were wrong.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { introspection, permission, pushing, type Scenario, setUp, withEvidence } from '../support/bench-scenario.ts'
import { seedOwner } from '../support/bench-seed.ts'
import { type LoadRequest, type LoadResult, load } from '../support/load.ts'
import { plainWorker } from '../support/modules.ts'
import { cpuSeconds } from '../support/processes.ts'
import { freePort, type Running, startWorker } from '../support/runtime.ts'
import { startAs } from '../support/story.ts'
import { build } from './build.ts'
import { REPORTS } from './rings.ts'

const QUICK = process.argv.includes('--quick')
const ROUNDS = QUICK ? 1 : 5
const SECONDS = QUICK ? 0.5 : 1.5
const TICKETS = QUICK ? 200 : 1500
const CONNECTIONS = 16
/** One service asks for more tickets in a second than it may in a minute. */
const UNBOUNDED = { QUOTAS: { tickets_per_service_minute: 0 } }

type Name = 'F1' | 'F2' | 'F3' | 'introspection' | 'permission' | 'token, evidence in the ticket' | 'token, pushed SD-JWT+KB'
type Sample = { rate: number; p50: number; p99: number; cpu: number }

const FLOORS: readonly Name[] = ['F1', 'F2', 'F3']
const TARGET: Partial<Record<Name, { floor: Name; share: number }>> = {
  introspection: { floor: 'F2', share: 0.65 },
  permission: { floor: 'F2', share: 0.65 },
  'token, evidence in the ticket': { floor: 'F3', share: 0.6 },
  'token, pushed SD-JWT+KB': { floor: 'F3', share: 0.4 },
}

const measure = async (
  worker: Running,
  next: (index: number) => LoadRequest | undefined,
  status: number,
  member: string,
): Promise<Sample> => {
  const pid = worker.pid()
  const before = cpuSeconds(pid)
  const result: LoadResult = await load(
    { port: worker.port, host: `localhost:${worker.port}` },
    { connections: CONNECTIONS, seconds: SECONDS, next, expected: (answer) => answer.status === status && answer.body.includes(member) },
  )
  const cpu = ((cpuSeconds(pid) - before) / result.count) * 1e6
  if (result.wrong.size > 0) throw new Error(`wrong answers, so no numbers: ${[...result.wrong.keys()][0]}`)
  return { rate: result.rate, p50: result.p50, p99: result.p99, cpu }
}

const always = (request: LoadRequest) => (): LoadRequest => request

const floors = (worker: Running): [Name, () => Promise<Sample>][] =>
  FLOORS.map((name) => [name, () => measure(worker, always({ path: `/${name.toLowerCase()}` }), 200, 'active')])

const operations = (worker: Running, scenario: Scenario): [Name, () => Promise<Sample>][] => [
  ['introspection', () => measure(worker, always(introspection(scenario)), 200, '"active":true')],
  ['permission', () => measure(worker, always(permission(scenario, scenario.resource)), 201, '"ticket"')],
  [
    'token, evidence in the ticket',
    async () => {
      const requests = await withEvidence(scenario, TICKETS / 3)
      return measure(worker, (index) => requests[index], 200, 'access_token')
    },
  ],
  [
    'token, pushed SD-JWT+KB',
    async () => {
      const requests = await pushing(scenario, TICKETS, scenario.resource)
      return measure(worker, (index) => requests[index], 200, 'access_token')
    },
  ],
]

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Every measurement once per round, so that a slow minute of the machine hits all of them. */
const rounds = async (work: readonly [Name, () => Promise<Sample>][]): Promise<Map<Name, Sample>> => {
  const samples = new Map<Name, Sample[]>(work.map(([name]) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    if (process.stderr.isTTY) process.stderr.write(`round ${round + 1} of ${ROUNDS} ...\r`)
    for (const [name, run] of work) samples.get(name)?.push(await run())
  }
  const of = (list: Sample[], key: keyof Sample): number => median(list.map((sample) => sample[key]))
  return new Map(
    [...samples].map(([name, list]) => [
      name,
      { rate: of(list, 'rate'), p50: of(list, 'p50'), p99: of(list, 'p99'), cpu: of(list, 'cpu') },
    ]),
  )
}

const pad = (text: string | number, width: number): string => String(text).padStart(width)

const print = (title: string, results: ReadonlyMap<Name, Sample>): void => {
  console.log(`\n${title}`)
  console.log(
    `${'operation'.padEnd(30)}${pad('req/s', 8)}${pad('p50 ms', 9)}${pad('p99 ms', 9)}${pad('CPU µs', 9)}   of floor  by CPU   target`,
  )
  for (const [name, sample] of results) {
    const target = TARGET[name]
    const floor = target && results.get(target.floor)
    const share = floor ? sample.rate / floor.rate : undefined
    const byCpu = floor ? `${((floor.cpu / sample.cpu) * 100).toFixed(0)} %` : ''
    const verdict =
      target && share !== undefined
        ? `${pad(`${(share * 100).toFixed(0)} %`, 6)} ${target.floor} ${pad(byCpu, 6)}   >= ${target.share * 100} %  ${share >= target.share ? 'met' : 'MISSED'}`
        : ''
    console.log(
      `${name.padEnd(30)}${pad(sample.rate.toFixed(0), 8)}${pad(sample.p50.toFixed(2), 9)}${pad(sample.p99.toFixed(1), 9)}${pad(sample.cpu.toFixed(0), 9)}   ${verdict}`,
    )
  }
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
    print(
      `${CONNECTIONS} connections, median of ${ROUNDS} interleaved rounds, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`,
      small,
    )

    await as.stop()
    seedOwner(join(folder, 'as'), scenario.resource, SIZE)
    as = await startAs({ folder, asPort, asVars: UNBOUNDED })
    const large = await rounds(operations(as, { ...scenario, server: as }))
    print(`the same for an owner with ${SIZE.resources} resources, ${SIZE.policies} shares, ${SIZE.rules} rules, ${SIZE.spent} spent tickets`, large)
    for (const [name, sample] of large) {
      const slower = (small.get(name)?.rate ?? 0) / sample.rate
      console.log(`${name.padEnd(30)} ${slower.toFixed(2)} times as long   <= 1.3   ${slower <= 1.3 ? 'met' : 'MISSED'}`)
    }
    mkdirSync(REPORTS, { recursive: true })
    const ratios = Object.entries(TARGET).map(([name, { floor, share }]) => ({
      name,
      floor,
      target: share,
      ratio: (small.get(name as Name)?.rate ?? 0) / (small.get(floor)?.rate ?? 1),
      byCpu: (small.get(floor)?.cpu ?? 0) / (small.get(name as Name)?.cpu ?? 1),
      large: (small.get(name as Name)?.rate ?? 0) / (large.get(name as Name)?.rate ?? 1),
    }))
    writeFileSync(
      join(REPORTS, 'bench.json'),
      JSON.stringify(
        {
          at: new Date().toISOString(),
          rounds: ROUNDS,
          connections: CONNECTIONS,
          cores: cpus().length,
          small: Object.fromEntries(small),
          large: Object.fromEntries(large),
          ratios,
        },
        undefined,
        2,
      ),
    )
    console.log('\nWritten to test/report/bench.json.')
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

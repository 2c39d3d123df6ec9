// What the benchmark says: tables, verdicts on the targets of DESIGN section 6, the report as JSON, and the change since an earlier one.
import { readFileSync } from 'node:fs'

/** Of one operation: requests per second, milliseconds, and microseconds of CPU of the whole runtime for each request. */
export type Sample = { rate: number; p50: number; p99: number; cpu: number }
export type Results = ReadonlyMap<string, Sample>

/** What the platform costs by itself (floors-worker). */
export const FLOORS = ['F1', 'F2', 'F3'] as const

type Target = { floor: (typeof FLOORS)[number]; share: number }
const TARGETS: Readonly<Record<string, Target>> = {
  introspection: { floor: 'F2', share: 0.65 },
  permission: { floor: 'F2', share: 0.65 },
  'token, evidence in the ticket': { floor: 'F3', share: 0.6 },
  'token, pushed SD-JWT+KB': { floor: 'F3', share: 0.4 },
  'token, PCT': { floor: 'F3', share: 0.3 },
  'token, private_key_jwt': { floor: 'F3', share: 0.3 },
}
/** How much longer an operation may take with a large owner. */
const LARGE = 1.3

type Share = Target & { name: string; byRate: number; byCpu: number }

/** Each operation as a share of its floor in the same run. */
const sharesOf = (results: Results): Share[] =>
  Object.entries(TARGETS).flatMap(([name, target]) => {
    const [sample, floor] = [results.get(name), results.get(target.floor)]
    return sample && floor ? [{ ...target, name, byRate: sample.rate / floor.rate, byCpu: floor.cpu / sample.cpu }] : []
  })

const pad = (text: string | number, width: number): string => String(text).padStart(width)
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED')

export const printTable = (title: string, results: Results): void => {
  console.log(`\n${title}`)
  console.log(
    `${'operation'.padEnd(30)}${pad('req/s', 8)}${pad('p50 ms', 9)}${pad('p99 ms', 9)}${pad('CPU µs', 9)}   of floor  by CPU   target`,
  )
  const shares = sharesOf(results)
  for (const [name, sample] of results) {
    const one = shares.find((share) => share.name === name)
    const judged =
      one === undefined
        ? ''
        : `   ${pad(percent(one.byRate), 6)} ${one.floor} ${pad(percent(one.byCpu), 6)}   >= ${percent(one.share)}  ${verdict(one.byRate >= one.share)}`
    console.log(
      `${name.padEnd(30)}${pad(sample.rate.toFixed(0), 8)}${pad(sample.p50.toFixed(2), 9)}${pad(sample.p99.toFixed(1), 9)}${pad(sample.cpu.toFixed(0), 9)}${judged}`,
    )
  }
}

/** How many times as long each operation takes with a large owner. Both runs have floors of their own: the machine is not always as fast. */
const slowerOf = (small: Results, large: Results): { name: string; rate: number; cpu: number }[] => {
  const after = sharesOf(large)
  return sharesOf(small).flatMap(({ name, byRate, byCpu }) => {
    const one = after.find((share) => share.name === name)
    return one === undefined ? [] : [{ name, rate: byRate / one.byRate, cpu: byCpu / one.byCpu }]
  })
}

export const printLarge = (small: Results, large: Results): void => {
  for (const { name, rate, cpu } of slowerOf(small, large)) {
    console.log(`${name.padEnd(30)} ${rate.toFixed(2)} times as long (by CPU ${cpu.toFixed(2)})   <= ${LARGE}   ${verdict(rate <= LARGE)}`)
  }
}

export type Report = {
  at: string
  rounds: number
  connections: number
  cores: number
  small: Record<string, Sample>
  large: Record<string, Sample>
}

/** The report with its ratios, for test/report/bench.json. */
export const reportOf = (
  how: Pick<Report, 'rounds' | 'connections' | 'cores'>,
  small: Results,
  large: Results,
): Report & { ratios: object[] } => ({
  at: new Date().toISOString(),
  ...how,
  small: Object.fromEntries(small),
  large: Object.fromEntries(large),
  ratios: sharesOf(small).map(({ name, floor, share, byRate, byCpu }) => ({
    name,
    floor,
    target: share,
    ratio: byRate,
    byCpu,
    large: slowerOf(small, large).find((one) => one.name === name)?.rate,
  })),
})

/** A report that was written before. Throws an Error in plain words if there is none. */
export const readReport = (path: string): Report => {
  let report: Partial<Report>
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Partial<Report>
  } catch {
    throw new Error(`${path} is no report of this benchmark; copy test/report/bench.json away before the next run.`)
  }
  if (typeof report.small !== 'object' || typeof report.at !== 'string') throw new Error(`${path} is no report of this benchmark.`)
  return report as Report
}

const change = (before: number, now: number): string => {
  const by = Math.round((now / before - 1) * 100)
  return `${by > 0 ? '+' : ''}${by} %`
}

/** What has changed since `earlier`, row by row. Shares of floors can be compared between two runs; rates and CPU only on an equally busy machine. */
export const printChange = (earlier: Report, path: string, now: Results): void => {
  const before: Results = new Map(Object.entries(earlier.small))
  const was = sharesOf(before)
  console.log(`\ncompared with ${path} of ${earlier.at}`)
  console.log(
    `${'operation'.padEnd(30)}${pad('req/s', 16)}${pad('', 8)}${pad('CPU µs', 14)}${pad('', 8)}${pad('of floor', 16)}${pad('by CPU', 16)}`,
  )
  const shares = sharesOf(now)
  for (const [name, sample] of now) {
    const old = before.get(name)
    if (old === undefined) {
      console.log(`${name.padEnd(30)}${pad('new', 16)}`)
      continue
    }
    const [a, b] = [was.find((one) => one.name === name), shares.find((one) => one.name === name)]
    const rate = `${old.rate.toFixed(0)} -> ${sample.rate.toFixed(0)}`
    const cpu = `${old.cpu.toFixed(0)} -> ${sample.cpu.toFixed(0)}`
    const share = a && b ? `${percent(a.byRate)} -> ${percent(b.byRate)}` : ''
    const byCpu = a && b ? `${percent(a.byCpu)} -> ${percent(b.byCpu)}` : ''
    console.log(
      `${name.padEnd(30)}${pad(rate, 16)}${pad(change(old.rate, sample.rate), 8)}${pad(cpu, 14)}${pad(change(old.cpu, sample.cpu), 8)}${pad(share, 16)}${pad(byCpu, 16)}`,
    )
  }
}

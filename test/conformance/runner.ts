// Runs cases against one server: several at a time, those that move the clock one after the other at the end. Knows nothing of what a case
// does; answers what came of each.
import type { Adapter, Environment, Json, Profile } from './contract.ts'
import { openBrowser } from './lib/browser.ts'
import type { Case, Level } from './lib/case.ts'
import { CaseFailed, NotOffered } from './lib/check.ts'
import { makeHttp, traced } from './lib/http.ts'
import { makeWorld, type World } from './lib/world.ts'

export type Outcome = {
  title: string
  ids: readonly string[]
  level: Level
  result: 'pass' | 'fail' | 'not offered'
  /** Why it failed, or why it is not offered. */
  reason?: string
  /** The last exchanges of a case that failed. */
  exchanges?: { request: string; response: string }[]
  milliseconds: number
}

export type RunOptions = {
  url: string
  profile: Profile
  cases: readonly Case[]
  /** Cases at the same time. */
  jobs?: number
  option?: (name: string) => string | undefined
  onOutcome?: (outcome: Outcome) => void
}
export type RunResult = { issuer: string; metadata: Json; outcomes: Outcome[]; seconds: number }

const LAST = 4
const PATIENCE = 60_000

const reasonOf = (error: unknown): string => {
  if (error instanceof CaseFailed) return error.message
  return error instanceof Error ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ''}` : String(error)
}

const runCase = async (one: Case, world: World): Promise<Outcome> => {
  const { title, ids, level } = one
  const begin = performance.now()
  const done = (outcome: Pick<Outcome, 'result' | 'reason' | 'exchanges'>): Outcome => ({
    title,
    ids,
    level,
    ...outcome,
    milliseconds: Math.round(performance.now() - begin),
  })
  for (const feature of one.needs) {
    const offered = world.features[feature]
    if (offered !== true) return done({ result: 'not offered', reason: offered ?? `the profile says nothing about ${feature}` })
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${PATIENCE / 1000} s`)), PATIENCE)
  })
  const { error, exchanges } = await traced(() => Promise.race([one.run(world), late]))
  clearTimeout(timer)
  if (error instanceof NotOffered) return done({ result: 'not offered', reason: error.message })
  if (error !== undefined) return done({ result: 'fail', reason: reasonOf(error), exchanges: exchanges.slice(-LAST) })
  return done({ result: 'pass' })
}

/** Discovery (UMA Grant 2). Throws if there is none: nothing can be tested then. */
const discover = async (issuer: string): Promise<Json> => {
  const url = `${issuer}/.well-known/uma2-configuration`
  const answer = await fetch(url, { redirect: 'manual' })
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}: there is no UMA 2.0 server there`)
  return (await answer.json()) as Json
}

/** Runs the cases and answers all outcomes in the order of the cases. Throws if the server or the profile cannot be used at all. */
export const runSuite = async ({ url, profile, cases, jobs = 6, option = () => undefined, onOutcome }: RunOptions): Promise<RunResult> => {
  const begin = performance.now()
  const issuer = url.replace(/\/$/, '')
  const metadata = await discover(issuer)
  let offset = 0
  const now = (): number => Math.floor(Date.now() / 1000) + offset
  const environment: Environment = { issuer, metadata, http: makeHttp(now), newBrowser: openBrowser, option, now }
  const opened = await profile.open(environment)
  const { setClock } = opened
  const adapter: Adapter = {
    ...opened,
    ...(setClock && {
      setClock: async (seconds) => {
        await setClock(seconds)
        offset = seconds
      },
    }),
  }
  const world = makeWorld(environment, profile.features(option), adapter, profile.lifetimes ?? {})
  const outcomes = new Map<string, Outcome>()
  const run = async (one: Case): Promise<void> => {
    const outcome = await runCase(one, world)
    if (one.alone && outcome.result !== 'not offered') await adapter.setClock?.(0)
    outcomes.set(one.title, outcome)
    onOutcome?.(outcome)
  }
  const together = cases.filter((one) => !one.alone)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let one = together[next++]; one !== undefined; one = together[next++]) await run(one)
  }
  try {
    await Promise.all(Array.from({ length: jobs }, worker))
    for (const one of cases.filter(({ alone }) => alone)) await run(one)
  } finally {
    await adapter.close?.()
  }
  return {
    issuer,
    metadata,
    outcomes: cases.flatMap(({ title }) => outcomes.get(title) ?? []),
    seconds: (performance.now() - begin) / 1000,
  }
}

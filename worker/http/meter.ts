// What this isolate counts for the operators, and tells the meter now and then (objects/meter.ts). Costs a request two additions.
import type { Counts } from '../objects/meter.ts'

/** Somebody who sees to it that something is finished after the answer. */
export type Waiting = Pick<ExecutionContext, 'waitUntil'>

/** Milliseconds between two tellings. */
const EVERY = 10_000

const none = (): Counts => ({ requests: 0, failures: 0, mails: 0, mails_failed: 0 })

let counts = none()
let toldAt = 0

export function countMail(isSent: boolean): void {
  if (isSent) counts.mails += 1
  else counts.mails_failed += 1
}

/** After the answer was made; `now` in milliseconds. */
export function countRequest(env: Env, context: Waiting, status: number, now: number): void {
  counts.requests += 1
  if (status >= 500) counts.failures += 1
  if (Math.abs(now - toldAt) < EVERY && counts.mails_failed === 0) return
  toldAt = now
  const told = counts
  counts = none()
  context.waitUntil(tell(env, told, now))
}

/** What this isolate has counted, told at once: for whoever is about to read. */
export async function tellCounts(env: Env, now: number): Promise<void> {
  const told = counts
  counts = none()
  toldAt = now
  await tell(env, told, now)
}

async function tell(env: Env, told: Counts, now: number): Promise<void> {
  try {
    await env.METER.get(env.METER.idFromName('meter')).add({ counts: told, now: Math.floor(now / 1000) })
  } catch {
    // Told with the next ones.
    for (const name of Object.keys(told) as (keyof Counts)[]) counts[name] += told[name]
  }
}

// The shares that people choose from, as conditions (POLICY 2, "UX template"): who, and within which limits. Flat lists only; whatever
// needs `any`, `seq`, `if` or `not` is written by hand. Values are policy MACs. Pure.
import type { ClientTrust, Condition } from './policy.ts'

/** One person, by address. `iss`: who may vouch; anyone trusted if absent. */
export const person = (mac: string, iss?: readonly string[]): Condition => ({ claim: 'email', eq: mac, ...(iss && { iss }) })
/** Everybody with an address of exactly this domain. */
export const domain = (mac: string, iss?: readonly string[]): Condition => ({ claim: 'email', domain: mac, ...(iss && { iss }) })
/** The members of a group of the owner. */
export const group = (id: string, iss?: readonly string[]): Condition => ({ claim: 'email', group: id, ...(iss && { iss }) })
/** Whoever has the link: keyed hash of its secret. */
export const link = (mac: string): Condition => ({ link: mac })
/** Everybody in the world. */
export const anyone = (): Condition => ({ anyone: true })

/** All optional. Instants in seconds since 1970, `until` exclusive; ages in seconds. */
export type Limits = {
  from?: number
  until?: number
  /** Only with these apps, or with apps that have shown this of themselves. */
  clients?: readonly string[]
  client_trust?: readonly ClientTrust[]
  purposes?: readonly string[]
  /** A stronger sign-in (`acr`), not older than this. */
  step_up?: { level: number; max_age?: number }
  /** At most so many times, each person for themselves (`rqp`) or all together (`rule`), counted under `key`. */
  uses?: { key: string; max: number; per: 'rqp' | 'rule' }
  /** The owner is asked first: id of the rule. */
  ask?: string
}

/** Who, within these limits. What the requesting party can show comes first, the owner's answer last. */
export function share(who: Condition, limits: Limits = {}): Condition {
  const { from, until, clients, client_trust, purposes, step_up, uses, ask } = limits
  const all: Condition[] = [who]
  if (step_up !== undefined)
    all.push({ claim: 'acr', gte: step_up.level, ...(step_up.max_age !== undefined && { max_age: step_up.max_age }) })
  if (purposes !== undefined) all.push({ purpose: purposes })
  if (clients !== undefined) all.push({ client: clients })
  if (client_trust !== undefined) all.push({ client_trust })
  if (from !== undefined) all.push({ after: from })
  if (until !== undefined) all.push({ before: until })
  if (uses !== undefined) all.push({ uses })
  if (ask !== undefined) all.push({ ask })
  return { all }
}

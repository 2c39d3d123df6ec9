// What is known at the moment of a decision: time, verified facts, the client, what the owner answered before (POLICY 3). Pure data and
// look-ups that answer at once; the engine asks nothing else of anybody.
import type { ClientTrust } from './policy.ts'

/** One resource and one scope: the unit of every decision. */
export type Cell = { resource_id: string; scope: string }

/**
 * A verified claim as the engine sees it. `mac`: policy MAC of the value; `domain`: that of an e-mail address's domain; `level`: of ordered
 * claims; `holds`: of claims that are sets. `names`: the organisation that `mac` and `domain` are of, which knows people by MACs of its own;
 * absent: they are the owner's. `iat`: when it was shown last, `exp`: when it stops counting; seconds since 1970.
 */
export type Fact = {
  id: string
  claim: string
  iss: string
  mac: string
  domain?: string
  names?: string
  level?: number
  holds?: readonly string[]
  /** Nobody has verified it: it counts only for conditions that name its issuer. */
  named?: boolean
  iat: number
  exp: number
}

export type World = {
  /** Seconds since 1970. */
  now: number
  facts: readonly Fact[]
  client: { id: string; trust: readonly ClientTrust[] }
  /** What the requesting party says it wants this for; undefined if it said nothing. */
  purpose: string | undefined
  /** Keyed hashes of the link secrets that were shown. */
  links: readonly string[]
  /** What the resource server said when it asked for the ticket. */
  context: Readonly<Record<string, string | number | boolean>>
  /** Whether this policy MAC is a member of the owner's group. */
  isMember: (group: string, mac: string) => boolean
  /** How often the counter stands used, for this requesting party or for all. */
  used: (key: string, per: 'rqp' | 'rule') => number
  /** The owner's answer to this rule's question for this cell, requesting party and client; undefined if there is none (any more). */
  approved: (key: string, cell: Cell) => { given: boolean; until: number } | undefined
}

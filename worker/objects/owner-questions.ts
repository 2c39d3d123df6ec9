// Questions about rules, answered by the same rows and the same engine that decide: would this be given, and why; who can open a thing. Reads
// only: nothing is counted, spent or asked of anybody. The work of one question is bounded. What somebody can open is owner-foresight.ts, what
// would change owner-what-if.ts.
import type { Blocked } from '../policy/blocked.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy } from '../policy/policy.ts'
import { type Who, who } from '../policy/who.ts'
import { type Why, why } from '../policy/why.ts'
import type { Cell, Fact, World } from '../policy/world.ts'
import type { OwnerDecisions } from './owner-decisions.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import type { GrantEvidence } from './owner-tables.ts'
import { type Circumstances, type OwnerWorlds, whoAsks } from './owner-world.ts'

/** Shares of one thing that are looked through; things and people that one page looks at. */
const MOST_SHARES = 4000
export const PAGE = 100

/** Somebody who is not here: what she would show, and how she would come. `noClient`: with an app that this server does not know, or no more. */
export type Supposed = Partial<Circumstances> & { facts: readonly Fact[]; now: number; noClient?: boolean }

export class OwnerQuestions {
  readonly #sql: SqlStorage
  readonly #lookup: OwnerLookup
  readonly #decisions: OwnerDecisions
  readonly #worlds: OwnerWorlds

  constructor(ctx: DurableObjectState, lookup: OwnerLookup, decisions: OwnerDecisions, worlds: OwnerWorlds) {
    this.#sql = ctx.storage.sql
    this.#lookup = lookup
    this.#decisions = decisions
    this.#worlds = worlds
  }

  /** Whether a cell would be given, and because of which rules; undefined if there is no such thing. `blocked`: the rule that shuts her out. */
  why(cell: Cell, by: Supposed): (Why & { blocked?: string }) | undefined {
    const found = this.#lookup.known(cell.resource_id)
    if (found === undefined) return undefined
    const blocked = this.#lookup.blockOf(by.facts)
    const rules = this.#lookup.rulesOf(found.thing, by.facts, by.now)
    const answer = why(cell, found.thing, rules, found.type, this.world(by, found.connection_id))
    return blocked === undefined ? answer : { ...answer, kind: 'false', blocked }
  }

  /** All ways in which a cell can be given; undefined if there is no such thing. `more`: what was allowed once. */
  who(cell: Cell, more: readonly Policy[]): Who | undefined {
    const found = this.#lookup.known(cell.resource_id)
    if (found === undefined) return undefined
    const { rules, isWhole } = this.#lookup.allRulesOf(found.thing, MOST_SHARES)
    return isWhole ? who(cell, found.thing, [...rules, ...more], found.type, isMultiClaim, this.blocked()) : { complete: false, ways: [] }
  }

  /** What rules are judged by, of what a grant keeps. */
  facts(evidence: readonly GrantEvidence[]): Fact[] {
    return this.#decisions.facts(evidence)
  }

  /** Addresses that are shut out; `but`: the rule that shuts out is thought away. */
  blocked(but?: string): Blocked {
    const rows = this.#sql.exec<{ key: string; policy_id: string }>("SELECT key, policy_id FROM rule_target WHERE kind = 'block'").toArray()
    const macs = rows.flatMap(({ key, policy_id }) => (policy_id === but ? [] : [key]))
    return { macs: new Set(macs), isMember: this.#worlds.isMember }
  }

  /** What is known when somebody who shows these facts comes to a service. */
  world(by: Supposed, connection: string): World {
    const { facts, now } = by
    const client_id = by.client_id ?? ''
    const macs = whoAsks(facts, client_id, now)
    const approved = this.#decisions.answers.ofAsker({ macs, client_id, connection, now }, new Set())
    return this.#worlds.ofAsker(now, facts, { ...by, client_id }, approved)
  }
}

/** An address, as if it had just been shown to this server itself. */
export const factFor = (mac: string, { issuer, now }: { issuer: string; now: number }): Fact => ({
  id: 'supposed',
  claim: 'email',
  iss: issuer,
  mac,
  iat: now,
  exp: now + 3600,
})

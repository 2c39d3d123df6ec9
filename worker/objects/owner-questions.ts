// Questions about rules, answered by the same rows and the same engine that decide: would this be given, and why; who can open a thing; what
// can somebody open. Reads only: nothing is counted, spent or asked of anybody. The work of one question is bounded. What would change is
// owner-what-if.ts.
import { assessCells, type Outcome } from '../policy/assess.ts'
import type { Blocked } from '../policy/blocked.ts'
import { type Decision, decide } from '../policy/decide.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy, Thing } from '../policy/policy.ts'
import { type Who, who } from '../policy/who.ts'
import { type Why, why } from '../policy/why.ts'
import type { Cell, Fact, World } from '../policy/world.ts'
import type { OwnerDecisions } from './owner-decisions.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import type { GrantEvidence } from './owner-tables.ts'
import { type Circumstances, type OwnerWorlds, whoAsks } from './owner-world.ts'

/** Shares of one thing that are looked through; cells that one page decides; things and people it looks at. */
const MOST_SHARES = 4000
const MOST_CELLS = 4000
export const PAGE = 100

/** Somebody who is not here: what she would show, and how she would come. */
export type Supposed = Partial<Circumstances> & { facts: readonly Fact[]; now: number }
export type Evaluated = { cell: Cell; outcome: Outcome }

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

  /** Cells one by one, as the token endpoint would decide them alone (AuthZEN). `connection`: only things of this service are there. */
  evaluate(cells: readonly Cell[], by: Supposed, connection?: string): Evaluated[] {
    const isBlocked = this.#lookup.blockOf(by.facts) !== undefined
    return cells
      .slice(0, MOST_CELLS)
      .map((cell) => ({ cell, outcome: isBlocked ? { kind: 'denied' } : this.#outcome(cell, by, connection) }))
  }

  #outcome({ resource_id, scope }: Cell, by: Supposed, connection: string | undefined): Outcome {
    const found = this.#lookup.known(resource_id)
    if (found === undefined || (connection !== undefined && found.connection_id !== connection)) return { kind: 'denied' }
    const book = this.#decisions.book((thing) => this.#lookup.rulesOf(thing, by.facts, by.now))
    return assessCells([{ resource_id, resource_scopes: [scope], fromTicket: [scope] }], book, this.world(by, found.connection_id))
  }

  /** What somebody can open now, a page of things. `connection`: only things of this service. */
  what(by: Supposed, cursor: string, connection?: string): { items: { resource_id: string; resource_scopes: string[] }[]; next?: string } {
    const ids = this.#resources(cursor, connection)
    const last = ids.at(-1)
    const items = this.#lookup.blockOf(by.facts) !== undefined ? [] : ids.flatMap((id) => this.#opened(id, by) ?? [])
    return { items, ...(ids.length === PAGE && last !== undefined ? { next: last } : {}) }
  }

  #opened(id: string, by: Supposed): { resource_id: string; resource_scopes: string[] } | undefined {
    const found = this.#lookup.known(id)
    if (found === undefined) return undefined
    const rules = this.#lookup.rulesOf(found.thing, by.facts, by.now)
    const world = this.world(by, found.connection_id)
    const scopes = found.thing.scopes.filter((scope) => this.#isGiven({ resource_id: id, scope }, found.thing, rules, world))
    return scopes.length === 0 ? undefined : { resource_id: id, resource_scopes: scopes }
  }

  /** What of one thing somebody can have now. `connection`: only if it is this service's. */
  actions(id: string, by: Supposed, connection?: string): string[] {
    const isOthers = connection !== undefined && this.#lookup.known(id)?.connection_id !== connection
    return isOthers || this.#lookup.blockOf(by.facts) !== undefined ? [] : (this.#opened(id, by)?.resource_scopes ?? [])
  }

  /** Known people who could open a cell by showing no more than the address that they are known by. `said`: how much the asker's word counts. */
  whoOfThese(
    cell: Cell,
    by: Omit<Supposed, 'facts'> & { issuer: string },
    cursor: string,
    said: (facts: readonly Fact[]) => readonly Fact[] = (facts) => facts,
  ): { items: string[]; next?: string } {
    const people = this.#people(cursor, PAGE)
    const last = people.at(-1)?.id
    const items = people
      .filter((person) => this.evaluate([cell], { ...by, facts: said([factFor(person.mac, by)]) })[0]?.outcome.kind === 'granted')
      .map((person) => person.id)
    return { items, ...(people.length === PAGE && last !== undefined ? { next: last } : {}) }
  }

  #isGiven(cell: Cell, thing: Thing, rules: readonly Policy[], world: World): boolean {
    return this.#decide(cell, thing, rules, world).value.kind === 'true'
  }

  #decide(cell: Cell, thing: Thing, rules: readonly Policy[], world: World): Decision {
    return decide(cell, thing, rules, this.#lookup.known(thing.id)?.type, world)
  }

  /** What is known when somebody who shows these facts comes to a service. */
  world(by: Supposed, connection: string): World {
    const { facts, now } = by
    const client_id = by.client_id ?? ''
    const macs = whoAsks(facts, client_id, now)
    const approved = this.#decisions.answers.ofAsker({ macs, client_id, connection, now }, new Set())
    return this.#worlds.ofAsker(now, facts, { ...by, client_id }, approved)
  }

  #resources(cursor: string, connection: string | undefined): string[] {
    return this.#sql
      .exec<{ id: string }>(
        'SELECT id FROM resource WHERE id > ?1 AND (?2 IS NULL OR connection_id = ?2) ORDER BY id LIMIT ?3',
        cursor,
        connection ?? null,
        PAGE,
      )
      .toArray()
      .map(({ id }) => id)
  }

  #people(cursor: string, most: number): { id: string; mac: string }[] {
    return this.#sql
      .exec<{ id: string; mac: string }>('SELECT id, mac FROM person WHERE id > ? ORDER BY id LIMIT ?', cursor, most)
      .toArray()
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

// Questions about rules, answered by the same rows and the same engine that decide: would this be given, and why; who can open a thing; what
// can somebody open; what would change. Reads only: nothing is counted, spent or asked of anybody. The work of one question is bounded.

import { assessCells, type Outcome } from '../policy/assess.ts'
import { type Decision, decide } from '../policy/decide.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy, Thing } from '../policy/policy.ts'
import { type Warning, whatIf } from '../policy/what-if.ts'
import { type Who, who } from '../policy/who.ts'
import { type Why, why } from '../policy/why.ts'
import type { Cell, Fact, World } from '../policy/world.ts'
import type { OwnerDecisions } from './owner-decisions.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import { type Circumstances, type OwnerWorlds, whoAsks } from './owner-world.ts'

/** Shares of one thing that are looked through; cells that one page or one comparison decides; things and people it looks at. */
const MOST_SHARES = 4000
const MOST_CELLS = 4000
const PAGE = 100
/** Things, and shares of each, that are looked at for warnings. */
const [WARNED_THINGS, WARNED_SHARES] = [10, 200]

/** Somebody who is not here: what she would show, and how she would come. */
export type Supposed = Partial<Circumstances> & { facts: readonly Fact[]; now: number }
export type Evaluated = { cell: Cell; outcome: Outcome }
/** `person_id`: null for somebody who has shown nothing. */
export type Difference = { person_id: string | null; resource_id: string; scope: string }
/** `isWhole`: false if there were more people and things than one comparison looks at. */
export type Compared = { gains: Difference[]; losses: Difference[]; isWhole: boolean }

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
    const answer = why(cell, found.thing, rules, found.type, this.#world(by, found.connection_id))
    return blocked === undefined ? answer : { ...answer, kind: 'false', blocked }
  }

  /** All ways in which a cell can be given; undefined if there is no such thing. */
  who(cell: Cell): Who | undefined {
    const found = this.#lookup.known(cell.resource_id)
    if (found === undefined) return undefined
    const { rules, isWhole } = this.#lookup.allRulesOf(found.thing, MOST_SHARES)
    return isWhole ? who(cell, found.thing, rules, found.type, isMultiClaim) : { complete: false, ways: [] }
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
    return assessCells([{ resource_id, resource_scopes: [scope], fromTicket: [scope] }], book, this.#world(by, found.connection_id))
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
    const world = this.#world(by, found.connection_id)
    const scopes = found.thing.scopes.filter((scope) => this.#isGiven({ resource_id: id, scope }, found.thing, rules, world))
    return scopes.length === 0 ? undefined : { resource_id: id, resource_scopes: scopes }
  }

  /** What of one thing somebody can have now. `connection`: only if it is this service's. */
  actions(id: string, by: Supposed, connection?: string): string[] {
    const isOthers = connection !== undefined && this.#lookup.known(id)?.connection_id !== connection
    return isOthers || this.#lookup.blockOf(by.facts) !== undefined ? [] : (this.#opened(id, by)?.resource_scopes ?? [])
  }

  /**
   * What a person should know of a change before it is saved: that nobody could ever meet the rule, that another one forbids all of it, that
   * it lets in people whom nobody knows. Looked at for a few of the things that it speaks of.
   */
  warnings(change: { rule?: Policy; replaces?: string }): Warning[] {
    if (change.rule === undefined) return []
    const things = this.#affected([change.rule])
      .slice(0, WARNED_THINGS)
      .flatMap((id) => this.#lookup.known(id)?.thing ?? [])
    const found = new Map<string, Warning>()
    for (const thing of things) {
      const { rules, isWhole } = this.#lookup.allRulesOf(thing, WARNED_SHARES)
      if (!isWhole) continue
      const type = (one: Thing) => this.#lookup.known(one.id)?.type
      const before = rules.filter((rule) => rule.id !== change.replaces && rule.id !== change.rule?.id)
      const { warnings } = whatIf({ before, after: [...before, change.rule], things: [thing], type, worlds: [], isMulti: isMultiClaim })
      for (const warning of warnings) found.set(warning.code, found.get(warning.code) ?? warning)
    }
    return [...found.values()]
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

  /**
   * Who would gain and lose what if `rule` were saved in place of `replaces`, of all known people and of somebody unknown: by what they
   * could open with their address and nothing else, at this moment, with no app in particular.
   */
  compare(change: { rule?: Policy; replaces?: string }, by: Omit<Supposed, 'facts'> & { issuer: string }): Compared {
    const before = change.replaces === undefined ? undefined : this.#lookup.ruleOrShare(change.replaces)
    const things = this.#affected([change.rule, before].flatMap((one) => one ?? []))
    const people = [undefined, ...this.#people('', PAGE)]
    const compared: Compared = { gains: [], losses: [], isWhole: things.length < PAGE && people.length <= PAGE }
    let left = MOST_CELLS
    for (const person of people) {
      const supposed: Supposed = { ...by, facts: person === undefined ? [] : [factFor(person.mac, by)] }
      if (this.#lookup.blockOf(supposed.facts) !== undefined) continue
      for (const id of things) {
        left -= this.#compareThing(id, supposed, { change, person_id: person?.id ?? null, compared })
        if (left <= 0) return { ...compared, isWhole: false }
      }
    }
    return compared
  }

  #compareThing(
    id: string,
    by: Supposed,
    { change, person_id, compared }: { change: { rule?: Policy; replaces?: string }; person_id: string | null; compared: Compared },
  ): number {
    const found = this.#lookup.known(id)
    if (found === undefined) return 1
    const { thing } = found
    const before = this.#lookup.rulesOf(thing, by.facts, by.now)
    const after = changed(before, change)
    const world = this.#world(by, found.connection_id)
    for (const scope of thing.scopes) {
      const cell = { resource_id: id, scope }
      const [was, willBe] = [this.#isGiven(cell, thing, before, world), this.#isGiven(cell, thing, after, world)]
      if (was !== willBe) (willBe ? compared.gains : compared.losses).push({ person_id, ...cell })
    }
    return 2 * thing.scopes.length
  }

  /**
   * What was given lately and would be refused under the changed rules, as entries of the activity. Who it was is known by the address;
   * all else that was shown then is taken to be shown no more, so that an entry may be named that would only be asked for more.
   */
  wouldBeRefused(change: { rule?: Policy; replaces?: string }, by: { issuer: string; now: number }): { seq: number; scopes: string[] }[] {
    return this.#lately().flatMap(({ seq, fields }) => {
      const { resource_id, person_id, client_id, resource_scopes } = JSON.parse(fields) as PastGrant
      const found = resource_id === undefined ? undefined : this.#lookup.known(resource_id)
      const mac = person_id === undefined ? undefined : this.#macOf(person_id)
      if (resource_id === undefined || found === undefined || mac === undefined) return []
      const supposed = { now: by.now, facts: [factFor(mac, by)], ...(client_id === undefined ? {} : { client_id }) }
      const before = this.#lookup.rulesOf(found.thing, supposed.facts, by.now)
      const after = changed(before, change)
      const world = this.#world(supposed, found.connection_id)
      const scopes = (resource_scopes ?? []).filter((scope) => {
        const cell = { resource_id, scope }
        return this.#isGiven(cell, found.thing, before, world) && !this.#isGiven(cell, found.thing, after, world)
      })
      return scopes.length === 0 ? [] : [{ seq, scopes }]
    })
  }

  #lately(): { seq: number; fields: string }[] {
    return this.#sql
      .exec<{ seq: number; fields: string }>(
        "SELECT seq, fields FROM activity WHERE event = 'access_granted' AND fields IS NOT NULL ORDER BY seq DESC LIMIT ?",
        PAGE,
      )
      .toArray()
  }

  #macOf(personId: string): string | undefined {
    return this.#sql.exec<{ mac: string }>('SELECT mac FROM person WHERE id = ?', personId).toArray()[0]?.mac
  }

  #isGiven(cell: Cell, thing: Thing, rules: readonly Policy[], world: World): boolean {
    return this.#decide(cell, thing, rules, world).value.kind === 'true'
  }

  #decide(cell: Cell, thing: Thing, rules: readonly Policy[], world: World): Decision {
    return decide(cell, thing, rules, this.#lookup.known(thing.id)?.type, world)
  }

  #world(by: Supposed, connection: string): World {
    const { facts, now } = by
    const client_id = by.client_id ?? ''
    const macs = whoAsks(facts, client_id, now)
    const approved = this.#decisions.answers.ofAsker({ macs, client_id, connection, now }, new Set())
    return this.#worlds.ofAsker(now, facts, { ...by, client_id }, approved)
  }

  /** Things of which rules speak, at most a page. */
  #affected(rules: readonly Policy[]): string[] {
    const ids = new Set<string>()
    for (const { target } of rules) {
      const found =
        'resources' in target
          ? target.descend === true
            ? this.#below(target.resources)
            : target.resources
          : 'types' in target
            ? this.#ids('type IN (SELECT value FROM json_each(?))', JSON.stringify(target.types))
            : 'labels' in target
              ? this.#ids(
                  "EXISTS (SELECT 1 FROM json_each(coalesce(labels, '[]')) l JOIN json_each(?) w ON w.value = l.value)",
                  JSON.stringify(target.labels),
                )
              : this.#ids('?1 IS NOT NULL', '')
      for (const id of found) ids.add(id)
    }
    return [...ids].slice(0, PAGE)
  }

  /** The things and what lies in them. */
  #below(ids: readonly string[]): string[] {
    return this.#sql
      .exec<{ id: string }>(
        `WITH RECURSIVE below (id, depth) AS (SELECT value, 0 FROM json_each(?) UNION
         SELECT r.id, b.depth + 1 FROM resource r JOIN below b ON r.parent = b.id WHERE b.depth < 16)
         SELECT DISTINCT id FROM below LIMIT ?`,
        JSON.stringify(ids),
        PAGE,
      )
      .toArray()
      .map(({ id }) => id)
  }

  #ids(where: string, value: string): string[] {
    return this.#sql
      .exec<{ id: string }>(`SELECT id FROM resource WHERE ${where} ORDER BY id LIMIT ?`, value, PAGE)
      .toArray()
      .map(({ id }) => id)
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

type PastGrant = { resource_id?: string; person_id?: string; client_id?: string; resource_scopes?: string[] }

const changed = (rules: readonly Policy[], { rule, replaces }: { rule?: Policy; replaces?: string }): readonly Policy[] => [
  ...rules.filter((one) => one.id !== replaces && one.id !== rule?.id),
  ...(rule === undefined ? [] : [rule]),
]

/** An address, as if it had just been shown to this server itself. */
export const factFor = (mac: string, { issuer, now }: { issuer: string; now: number }): Fact => ({
  id: 'supposed',
  claim: 'email',
  iss: issuer,
  mac,
  iat: now,
  exp: now + 3600,
})

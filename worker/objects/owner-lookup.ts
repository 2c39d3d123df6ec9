// What decisions read of the record: services, things with what they lie in, the rules that can matter for one thing. Remembered until
// something changes; nothing is loaded whole, so that an owner with very many things and rules is as fast as one with few.
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy, Thing, ThingType } from '../policy/policy.ts'
import { readSafely } from '../policy/read-safely.ts'
import { inWordsOf } from '../policy/renamed.ts'
import type { Fact } from '../policy/world.ts'
import type { OwnerRecord } from './owner-record.ts'
import { RULES_PER_KEY } from './owner-rules.ts'
import { organisationOf, TYPE_IN_FORCE } from './owner-upper.ts'
import type { ConnectionRow, PolicyRow, ResourceRow } from './record.ts'
import { keysOf, type TargetKind } from './rule-targets.ts'

/** Entries remembered of a kind between two changes. */
const REMEMBERED = 2000
/** Shares looked at for one thing. One with more is asked only for those that can be true now. */
const SHARES = 200
/** How deep things may lie in each other. */
export const MOST_ANCESTORS = 16
/** Clocks of issuers may be this far ahead, in seconds. */
const AHEAD = 60

export type KnownThing = { thing: Thing; connection_id: string; type: ThingType | undefined }

export class OwnerLookup {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord
  readonly #things = new Map<string, KnownThing | null>()
  readonly #connections = new Map<string, ConnectionRow | null>()
  readonly #cuts = new Map<string, readonly Policy[]>()
  readonly #permits = new Map<string, readonly Policy[]>()
  readonly #shares = new Map<string, readonly Policy[]>()
  readonly #rules = new Map<string, Policy | null>()
  readonly #people = new Map<string, string>()
  #hasBlocks = false
  #organisations: readonly string[] = []
  #asOf = -1

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  connection(id: string): ConnectionRow | undefined {
    this.#forgetIfChanged()
    const read = () => this.#sql.exec<ConnectionRow>('SELECT * FROM connection WHERE id = ?', id).toArray()[0] ?? null
    return remembered(this.#connections, id, read) ?? undefined
  }

  /** A thing as rules see it; undefined if it is not there, or lies deeper than rules are followed. */
  known(id: string): KnownThing | undefined {
    this.#forgetIfChanged()
    return remembered(this.#things, id, () => this.#read(id) ?? null) ?? undefined
  }

  /** Scopes that the service registered for the resource; undefined if it is not that service's or not there (any more). */
  offered(resourceId: string, connectionId: string): readonly string[] | undefined {
    const found = this.known(resourceId)
    return found?.connection_id === connectionId ? found.thing.scopes : undefined
  }

  #read(id: string): KnownThing | undefined {
    const row = this.#resource(id)
    const ancestors = row === undefined ? undefined : this.#ancestors(id, row)
    if (row === undefined || ancestors === undefined) return undefined
    const { scopes, type, labels } = row
    const thing: Thing = {
      id,
      scopes: JSON.parse(scopes) as string[],
      ...(type === null ? {} : { type }),
      labels: labels === null ? [] : (JSON.parse(labels) as string[]),
      ancestors,
    }
    return { thing, connection_id: row.connection_id, type: type === null ? undefined : this.#type(type) }
  }

  /** What a thing lies in, nearest first. Undefined if that is deeper than rules are followed: some could be missed, so nothing is given. */
  #ancestors(id: string, { parent, connection_id }: { parent: string | null; connection_id: string }): string[] | undefined {
    const ancestors: string[] = []
    for (let next = parent; next !== null; ) {
      if (ancestors.length === MOST_ANCESTORS || next === id || ancestors.includes(next)) return undefined
      const row = this.#resource(next)
      if (row?.connection_id !== connection_id) break
      ancestors.push(next)
      next = row.parent
    }
    return ancestors
  }

  #resource(id: string) {
    return this.#sql
      .exec<Pick<ResourceRow, 'connection_id' | 'scopes' | 'type'> & { parent: string | null; labels: string | null }>(
        'SELECT connection_id, scopes, type, parent, labels FROM resource WHERE id = ?',
        id,
      )
      .toArray()[0]
  }

  #type(type: string): ThingType | undefined {
    const row = this.#sql.exec<{ doc: string | null }>(`SELECT ${TYPE_IN_FORCE} AS doc FROM (SELECT ? AS wanted)`, type).one()
    return row.doc === null ? undefined : (JSON.parse(row.doc) as ThingType)
  }

  /** All types in force, of the organisations too, by name. */
  types(): ThingType[] {
    return this.#sql
      .exec<{ doc: string }>(
        `SELECT ${TYPE_IN_FORCE} AS doc FROM (SELECT id AS wanted FROM thing_type UNION SELECT type FROM upper_type) ORDER BY wanted`,
      )
      .toArray()
      .map(({ doc }) => JSON.parse(doc) as ThingType)
  }

  // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** All rules that can matter for a thing, of whoever has shown these facts. */
  rulesOf(thing: Thing, facts: readonly Fact[], now: number): readonly Policy[] {
    return [...this.cutsOf(thing), ...this.#permitsOf(thing, facts, now), ...this.#sharesOf(thing.id, facts, now)]
  }

  /** Those that take away, and of the others only those with these ids: what a grant rests on. */
  rulesNamed(thing: Thing, ids: readonly string[]): readonly Policy[] {
    this.#forgetIfChanged()
    const named = ids.flatMap((id) => this.rule(id) ?? this.#share(id, thing.id) ?? [])
    return [...this.cutsOf(thing), ...named.filter((policy) => policy.effect === 'permit')]
  }

  /** Rules that take away. None is ever left out. */
  cutsOf(thing: Thing): readonly Policy[] {
    this.#forgetIfChanged()
    return remembered(this.#cuts, thing.id, () => this.#found(thing, 'cuts = 1'))
  }

  #permitsOf(thing: Thing, facts: readonly Fact[], now: number): readonly Policy[] {
    this.#forgetIfChanged()
    const all = remembered(this.#permits, thing.id, () => this.#found(thing, 'cuts = 0', SHARES))
    if (all.length < SHARES) return all
    const macs = shownAddresses(facts, now)
    if (macs.length === 0) return this.#found(thing, 'cuts = 0', RULES_PER_KEY)
    const quoted = JSON.stringify(macs)
    return this.#found(thing, "cuts = 0 AND (who = '' OR who IN (SELECT value FROM json_each(?2)))", Number.MAX_SAFE_INTEGER, quoted)
  }

  #found(thing: Thing, where: string, most = Number.MAX_SAFE_INTEGER, macs = '[]'): readonly Policy[] {
    return this.idsFor(thing, where, most, macs).flatMap((id) => this.rule(id) ?? [])
  }

  /** Ids of the rules that are found by a thing; plain shares are not among them. */
  idsFor(thing: Thing, where = '1', most = Number.MAX_SAFE_INTEGER, macs = '[]'): string[] {
    return this.#sql
      .exec<{ policy_id: string }>(
        `SELECT DISTINCT t.policy_id FROM json_each(?1) k CROSS JOIN rule_target t
         ON t.kind = json_extract(k.value, '$[0]') AND t.key = json_extract(k.value, '$[1]') WHERE ${where} AND ?2 IS NOT NULL LIMIT ?3`,
        JSON.stringify(lookedUpBy(thing)),
        macs,
        most,
      )
      .toArray()
      .map(({ policy_id }) => policy_id)
  }

  /** All rules of a thing, of whomever they speak, shares too; at most `most` shares. */
  allRulesOf(thing: Thing, most: number): { rules: readonly Policy[]; isWhole: boolean } {
    const shares = this.#sql
      .exec<PolicyRow>('SELECT * FROM policy WHERE resource_id = ? LIMIT ?', thing.id, most + 1)
      .toArray()
      .map(policyOf)
    return { rules: [...this.#found(thing, '1'), ...shares.slice(0, most)], isWhole: shares.length <= most }
  }

  /** A rule of the owner, her organisation or the platform, as it is decided by. */
  rule(id: string): Policy | undefined {
    this.#forgetIfChanged()
    const read = () => {
      const row = this.#sql
        .exec<{ doc: string; source: string | null }>(
          "SELECT doc, NULL AS source FROM rule WHERE id = ?1 AND kind = 'rule' UNION ALL SELECT doc, source FROM upper_rule WHERE id = ?1",
          id,
        )
        .toArray()[0]
      if (row === undefined) return null
      const policy = readSafely(JSON.parse(row.doc) as Policy, isMultiClaim)
      const names = organisationOf(row.source)
      return names === undefined ? policy : { ...policy, when: inWordsOf(policy.when, names) }
    }
    return remembered(this.#rules, id, read) ?? undefined
  }

  #share(id: string, resourceId?: string): Policy | undefined {
    const row = this.#sql
      .exec<PolicyRow>('SELECT * FROM policy WHERE id = ?1 AND resource_id = coalesce(?2, resource_id)', id, resourceId ?? null)
      .toArray()[0]
    return row && policyOf(row)
  }

  ruleOrShare(id: string): Policy | undefined {
    return this.rule(id) ?? this.#share(id)
  }

  #sharesOf(resourceId: string, facts: readonly Fact[], now: number): readonly Policy[] {
    this.#forgetIfChanged()
    const all = remembered(this.#shares, resourceId, () =>
      this.#sql.exec<PolicyRow>('SELECT * FROM policy WHERE resource_id = ? LIMIT ?', resourceId, SHARES).toArray().map(policyOf),
    )
    return all.length < SHARES ? all : this.#sharesThatMatter(resourceId, facts, now)
  }

  /**
   * Of a thing with very many shares: those whose time it is, and of somebody who has shown an address only those for that address. All
   * others are false for the engine as well. Not remembered: it depends on who asks.
   */
  #sharesThatMatter(resourceId: string, facts: readonly Fact[], now: number): readonly Policy[] {
    return this.#sql
      .exec<PolicyRow>(
        `SELECT * FROM policy WHERE resource_id = ?1 AND (valid_from IS NULL OR valid_from <= ?2) AND (valid_until IS NULL OR valid_until > ?2)
         AND (?3 = '[]' OR mac IN (SELECT value FROM json_each(?3))) LIMIT ?4`,
        resourceId,
        now,
        JSON.stringify(shownAddresses(facts, now)),
        SHARES,
      )
      .toArray()
      .map(policyOf)
  }

  /** The rule by which the owner has shut one of these addresses out. */
  blockOf(facts: readonly Fact[]): string | undefined {
    this.#forgetIfChanged()
    if (!this.#hasBlocks) return undefined
    return this.#sql
      .exec<{ policy_id: string }>(
        "SELECT policy_id FROM rule_target WHERE kind = 'block' AND key IN (SELECT value FROM json_each(?))",
        JSON.stringify(facts.map((fact) => fact.mac)),
      )
      .toArray()[0]?.policy_id
  }

  isShutOut(mac: string): boolean {
    this.#forgetIfChanged()
    return this.#hasBlocks && this.blockFor(mac) !== undefined
  }

  /** The rule that shuts an address out. */
  blockFor(mac: string): string | undefined {
    return this.#sql.exec<{ policy_id: string }>("SELECT policy_id FROM rule_target WHERE kind = 'block' AND key = ?", mac).toArray()[0]
      ?.policy_id
  }

  /** Organisations that the owner has joined. */
  organisations(): readonly string[] {
    this.#forgetIfChanged()
    return this.#organisations
  }

  // ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  personOf(policyId: string | undefined): string | undefined {
    if (policyId === undefined) return undefined
    this.#forgetIfChanged()
    let person = this.#people.get(policyId)
    if (person === undefined) {
      person = this.#sql.exec<{ person_id: string }>('SELECT person_id FROM policy WHERE id = ?', policyId).toArray()[0]?.person_id
      if (person !== undefined) this.#people.set(policyId, person)
    }
    return person
  }

  /** The person whom the owner's rules know by this MAC, as a field of an activity entry. */
  personWith(mac: string): { person_id?: string } {
    const row = this.#sql.exec<{ id: string }>('SELECT id FROM person WHERE mac = ?', mac).toArray()[0]
    return row === undefined ? {} : { person_id: row.id }
  }

  /** The label of somebody known, or of a member of a group. */
  labelOf(mac: string): string | undefined {
    return this.#sql
      .exec<{ label: string }>(
        'SELECT label FROM person WHERE mac = ?1 UNION ALL SELECT label FROM group_member WHERE mac = ?1 LIMIT 1',
        mac,
      )
      .toArray()[0]?.label
  }

  // Invariant: every change of what decisions rest on goes through the record and raises its revision.
  #forgetIfChanged(): void {
    const maps = [this.#things, this.#connections, this.#cuts, this.#permits, this.#shares, this.#rules, this.#people]
    if (this.#asOf === this.#record.revision && maps.every((map) => map.size < REMEMBERED)) return
    for (const map of maps) map.clear()
    this.#hasBlocks = this.#sql.exec("SELECT 1 FROM rule_target WHERE kind = 'block' LIMIT 1").toArray().length > 0
    this.#organisations = this.#sql
      .exec<{ id: string }>('SELECT id FROM membership ORDER BY id')
      .toArray()
      .map(({ id }) => id)
    this.#asOf = this.#record.revision
  }
}

function remembered<T>(known: Map<string, T>, key: string, read: () => T): T {
  const before = known.get(key)
  if (before !== undefined) return before
  const value = read()
  known.set(key, value)
  return value
}

/** Under which keys rules for a thing are found; what it lies in counts for rules that descend only. */
const lookedUpBy = (thing: Thing): [TargetKind, string][] => [
  ...keysOf({ target: { resources: [thing.id] } }).map(({ kind, key }): [TargetKind, string] => [kind, key]),
  ...[thing.id, ...thing.ancestors].map((id): [TargetKind, string] => ['tree', id]),
  ...(thing.type === undefined ? [] : [['type', thing.type] satisfies [TargetKind, string]]),
  ...thing.labels.map((label): [TargetKind, string] => ['label', label]),
  ['all', ''],
]

/** Addresses that count now: with one of them shown, a rule for other addresses is false (rule-targets.ts). */
const shownAddresses = (facts: readonly Fact[], now: number): string[] =>
  facts.filter((fact) => fact.claim === 'email' && fact.exp > now && fact.iat <= now + AHEAD).map((fact) => fact.mac)

/** A plain share as the engine reads it. */
export function policyOf(row: PolicyRow): Policy {
  return {
    v: 1,
    id: row.id,
    rev: 1,
    tier: 'owner',
    effect: 'permit',
    target: { resources: [row.resource_id] },
    scopes: JSON.parse(row.scopes) as string[],
    when: {
      all: [
        { claim: 'email', eq: row.mac },
        ...(row.valid_from === null ? [] : [{ after: row.valid_from }]),
        ...(row.valid_until === null ? [] : [{ before: row.valid_until }]),
      ],
    },
  }
}

// Rules above the owner's own (POLICY 2, tiers): a copy of the platform's, and of those of organisations that the owner has joined. Each source
// sends all of its rules at once, with a number that grows; what comes late or twice changes nothing. They are no rows of this owner's record:
// their record is the platform's or the organisation's, and whoever changed them goes on until every owner has acknowledged.
import type { Policy, ThingType } from '../policy/policy.ts'
import { renamed } from '../policy/renamed.ts'
import type { OwnerRecord } from './owner-record.ts'
import { indexRule, unindexRule } from './rule-targets.ts'
import { shutOutVersionBefore } from './versions.ts'

export const PLATFORM = 'platform'
const ORGANISATION = 'org:'
export const organisationSource = (organisation: string): string => `${ORGANISATION}${organisation}`
/** The organisation that is a source; undefined if it is none. */
export const organisationOf = (source: string | null): string | undefined =>
  source?.startsWith(ORGANISATION) ? source.slice(ORGANISATION.length) : undefined

/** All rules of one source. `groups`: those that the rules speak of, as policy MACs of the source. `types`: those that hold for members. */
export type UpperRules = {
  source: string
  seq: number
  rules: readonly Policy[]
  groups: readonly { id: string; members: readonly string[] }[]
  types?: readonly ThingType[]
}

/** SQL: the document of the type `wanted`, or null. An organisation's goes before the owner's own; of several, that of the one joined first. */
export const TYPE_IN_FORCE = `coalesce(
  (SELECT u.doc FROM upper_type u JOIN membership m ON u.source = '${ORGANISATION}' || m.id WHERE u.type = wanted ORDER BY m.joined_at, m.id LIMIT 1),
  (SELECT doc FROM thing_type WHERE id = wanted))`

export class OwnerUpper {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  /** Takes the rules of a source in, in place of those it sent before, unless later ones are here. True if it sent others before. */
  take({ source, seq, rules, groups, types = [] }: UpperRules): boolean {
    const known = this.#sql.exec<{ seq: number }>('SELECT seq FROM upper_source WHERE source = ?', source).toArray()[0]
    if (known !== undefined && known.seq >= seq) return false
    const before = this.#docs(source)
    this.#clear(source)
    this.#sql.exec('INSERT OR REPLACE INTO upper_source (source, seq) VALUES (?, ?)', source, seq)
    for (const rule of rules) this.#add(source, rule)
    for (const type of types) this.#addType(source, type)
    for (const { id, members } of groups) {
      for (const mac of members) {
        this.#sql.exec('INSERT OR IGNORE INTO upper_member (source, id) VALUES (?, ?)', source, `${inside(source, id)}.${mac}`)
      }
    }
    this.#record.touch()
    return this.#docs(source) !== before
  }

  #docs(source: string): string {
    return JSON.stringify(
      this.#sql
        .exec(
          'SELECT doc FROM (SELECT id, doc FROM upper_rule WHERE source = ?1 UNION ALL SELECT type, doc FROM upper_type WHERE source = ?1) ORDER BY id',
          source,
        )
        .toArray(),
    )
  }

  /** The owner has left, or was let go. */
  drop(source: string): void {
    this.#clear(source)
    this.#sql.exec('DELETE FROM upper_source WHERE source = ?', source)
    this.#record.touch()
  }

  isMember(group: string, mac: string): boolean {
    return this.#sql.exec('SELECT 1 FROM upper_member WHERE id = ?', `${group}.${mac}`).toArray().length > 0
  }

  /** Whether a source has ever sent its rules. */
  has(source: string): boolean {
    return this.#sql.exec('SELECT 1 FROM upper_source WHERE source = ?', source).toArray().length > 0
  }

  #add(source: string, rule: Policy): void {
    const tier = source === PLATFORM ? 'platform' : 'org'
    // POLICY 3: the platform never grants.
    if (tier === 'platform' && rule.effect === 'permit') return
    const id = inside(source, rule.id)
    const policy: Policy = { ...rule, id, tier, when: renamed(rule.when, (name) => inside(source, name)) }
    const doc = JSON.stringify(policy)
    this.#sql.exec('INSERT OR REPLACE INTO upper_rule (id, source, doc, label) VALUES (?, ?, ?, NULL)', id, source, doc)
    indexRule(this.#sql, { id, kind: 'rule', doc })
    if (policy.effect !== 'permit') shutOutVersionBefore(this.#sql)
  }

  /** POLICY 2, types: what an organisation says of a type goes before what its member says (owner-lookup.ts). The platform says nothing of it. */
  #addType(source: string, type: ThingType): void {
    if (organisationOf(source) === undefined) return
    this.#sql.exec('INSERT OR REPLACE INTO upper_type (type, source, doc) VALUES (?, ?, ?)', type.type, source, JSON.stringify(type))
    shutOutVersionBefore(this.#sql)
  }

  #clear(source: string): void {
    this.#sql.exec('DELETE FROM upper_type WHERE source = ?', source)
    for (const { id } of this.#sql.exec<{ id: string }>('SELECT id FROM upper_rule WHERE source = ?', source).toArray()) {
      unindexRule(this.#sql, id)
    }
    this.#sql.exec('DELETE FROM upper_rule WHERE source = ?', source)
    this.#sql.exec('DELETE FROM upper_member WHERE source = ?', source)
  }
}

/** Names of one source never meet those of another, nor the owner's. */
const inside = (source: string, id: string): string => `${source}/${id}`

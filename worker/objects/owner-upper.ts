// Rules above the owner's own (POLICY 2, tiers): a copy of the platform's, and of those of organisations that the owner has joined. Each source
// sends all of its rules at once, with a number that grows; what comes late or twice changes nothing. They are no rows of this owner's record:
// their record is the platform's or the organisation's, and whoever changed them goes on until every owner has acknowledged.
import type { Policy } from '../policy/policy.ts'
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

/** All rules of one source. `groups`: those that the rules speak of, as policy MACs of the source. */
export type UpperRules = {
  source: string
  seq: number
  rules: readonly Policy[]
  groups: readonly { id: string; members: readonly string[] }[]
}

export class OwnerUpper {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  /** Takes the rules of a source in, in place of those it sent before, unless later ones are here. True if it sent others before. */
  take({ source, seq, rules, groups }: UpperRules): boolean {
    const known = this.#sql.exec<{ seq: number }>('SELECT seq FROM upper_source WHERE source = ?', source).toArray()[0]
    if (known !== undefined && known.seq >= seq) return false
    const before = this.#docs(source)
    this.#clear(source)
    this.#sql.exec('INSERT OR REPLACE INTO upper_source (source, seq) VALUES (?, ?)', source, seq)
    for (const rule of rules) this.#add(source, rule)
    for (const { id, members } of groups) {
      for (const mac of members) {
        this.#sql.exec('INSERT OR IGNORE INTO upper_member (source, id) VALUES (?, ?)', source, `${inside(source, id)}.${mac}`)
      }
    }
    this.#record.touch()
    return this.#docs(source) !== before
  }

  #docs(source: string): string {
    return JSON.stringify(this.#sql.exec('SELECT doc FROM upper_rule WHERE source = ? ORDER BY id', source).toArray())
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

  #clear(source: string): void {
    for (const { id } of this.#sql.exec<{ id: string }>('SELECT id FROM upper_rule WHERE source = ?', source).toArray()) {
      unindexRule(this.#sql, id)
    }
    this.#sql.exec('DELETE FROM upper_rule WHERE source = ?', source)
    this.#sql.exec('DELETE FROM upper_member WHERE source = ?', source)
  }
}

/** Names of one source never meet those of another, nor the owner's. */
const inside = (source: string, id: string): string => `${source}/${id}`

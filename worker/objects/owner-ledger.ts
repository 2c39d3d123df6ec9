// All that opens or closes something, in one list, however it was made: shares with a person, rules of any kind, addresses that are shut
// out, rules of the owner's organisation and of the platform, what was allowed once. Reads only.
import { type Along, type SpokenType, scopesAlong } from '../../shared/rule-along.ts'
import type { Condition, Policy } from '../policy/policy.ts'
import { isOnce, type OnceEntry, type OnceRow, onceEntries, readOnce } from './once-rules.ts'
import { RPT_LIFETIME } from './owner-grants.ts'
import { type OwnerLookup, policyOf } from './owner-lookup.ts'
import type { PolicyRow, RuleRow } from './record.ts'

/** Entries of one page. */
export const LEDGER_PAGE = 200

export type LedgerEntry = {
  id: string
  kind: 'share' | 'rule' | 'block' | 'upper' | 'once'
  policy: Policy
  rev: number
  label: string | null
  created_at: number | null
  updated_at: number | null
  last_used_at: number | null
  /** Of a share, and of what was allowed once to somebody who is known. */
  person_id?: string
  time_zone?: string
  /** Of an upper one: `platform`, or the organisation. */
  source?: string
  /** Of what was allowed once: the request, and the rules that asked. */
  request_id?: string
  answers?: readonly string[]
  /** Scopes that come along with those that it names, if any do. */
  along?: Along[]
}
export type LedgerFilter = {
  cursor?: string
  id?: string
  /** In seconds; without it what was allowed once is left out. */
  now?: number
  kind?: LedgerEntry['kind']
  effect?: Policy['effect']
  tier?: Policy['tier']
  /** Those that can matter for a thing, also because of what it is or lies in. */
  resource_id?: string
  /** Those that name a person by the address. */
  person_id?: string
}
/** `people`: persons of this owner whose MACs stand in the entries. */
export type Ledger = { items: LedgerEntry[]; next?: string; people: Record<string, string> }

type UpperRow = { id: string; source: string; doc: string; label: string | null; last_used_at: number | null }

export class OwnerLedger {
  readonly #sql: SqlStorage
  readonly #lookup: OwnerLookup

  constructor(ctx: DurableObjectState, lookup: OwnerLookup) {
    this.#sql = ctx.storage.sql
    this.#lookup = lookup
  }

  /** One page, by id. */
  list(filter: LedgerFilter): Ledger {
    const mac = filter.person_id === undefined ? undefined : this.#macOf(filter.person_id)
    if (filter.person_id !== undefined && mac === undefined) return { items: [], people: {} }
    const thing = filter.resource_id === undefined ? undefined : this.#lookup.known(filter.resource_id)?.thing
    if (filter.resource_id !== undefined && thing === undefined) return { items: [], people: {} }
    const named = thing === undefined ? null : JSON.stringify(this.#lookup.idsFor(thing))
    const wanted = { cursor: filter.cursor ?? '', id: filter.id ?? null, mac: mac ?? null, named, resource: filter.resource_id ?? null }
    const isWanted = (entry: LedgerEntry): boolean =>
      (filter.kind === undefined || entry.kind === filter.kind) &&
      (filter.effect === undefined || entry.policy.effect === filter.effect) &&
      (filter.tier === undefined || entry.policy.tier === filter.tier)
    const all = [...this.#shares(wanted), ...this.#rules(wanted), ...this.#upper(wanted), ...this.#once(wanted, filter.now)].sort((a, b) =>
      a.id < b.id ? -1 : 1,
    )
    // What is beyond the last one of a full list may have others before it in another list.
    const page = all.slice(0, LEDGER_PAGE)
    const last = page.at(-1)?.id
    const items = this.withAlong(page.filter(isWanted))
    return {
      items,
      people: this.people(items.map(({ policy }) => policy)),
      ...(all.length > LEDGER_PAGE && last !== undefined ? { next: last } : {}),
    }
  }

  #shares({ cursor, id, mac, resource }: Wanted): LedgerEntry[] {
    return this.#sql
      .exec<PolicyRow & { last_used_at: number | null }>(
        `SELECT p.*, s.at AS last_used_at FROM policy p LEFT JOIN seen s ON s.id = p.id
         WHERE p.id > ?1 AND (?2 IS NULL OR p.id = ?2) AND (?3 IS NULL OR p.mac = ?3) AND (?4 IS NULL OR p.resource_id = ?4)
         ORDER BY p.id LIMIT ?5`,
        cursor,
        id,
        mac,
        resource,
        LEDGER_PAGE + 1,
      )
      .toArray()
      .map((row) => ({
        id: row.id,
        kind: 'share',
        policy: policyOf(row),
        rev: 1,
        label: null,
        created_at: row.created_at,
        updated_at: row.created_at,
        last_used_at: row.last_used_at,
        person_id: row.person_id,
        ...(row.time_zone === null ? {} : { time_zone: row.time_zone }),
      }))
  }

  #rules({ cursor, id, mac, named }: Wanted): LedgerEntry[] {
    return this.#sql
      .exec<RuleRow & { last_used_at: number | null }>(
        `SELECT r.*, s.at AS last_used_at FROM rule r LEFT JOIN seen s ON s.id = r.id
         WHERE r.id > ?1 AND (?2 IS NULL OR r.id = ?2) AND (?3 IS NULL OR instr(r.doc, ?3) > 0)
         AND (?4 IS NULL OR r.id IN (SELECT value FROM json_each(?4))) ORDER BY r.id LIMIT ?5`,
        cursor,
        id,
        mac,
        named,
        LEDGER_PAGE + 1,
      )
      .toArray()
      .map((row) => ({
        id: row.id,
        kind: row.kind,
        policy: JSON.parse(row.doc) as Policy,
        rev: row.rev,
        label: row.label,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_used_at: row.last_used_at,
      }))
  }

  #upper({ cursor, id, mac, named }: Wanted): LedgerEntry[] {
    return this.#sql
      .exec<UpperRow>(
        `SELECT u.*, s.at AS last_used_at FROM upper_rule u LEFT JOIN seen s ON s.id = u.id
         WHERE u.id > ?1 AND (?2 IS NULL OR u.id = ?2) AND (?3 IS NULL OR instr(u.doc, ?3) > 0)
         AND (?4 IS NULL OR u.id IN (SELECT value FROM json_each(?4))) ORDER BY u.id LIMIT ?5`,
        cursor,
        id,
        mac,
        named,
        LEDGER_PAGE + 1,
      )
      .toArray()
      .map((row) => {
        const policy = JSON.parse(row.doc) as Policy
        const { id: own, source, label, last_used_at } = row
        return { id: own, kind: 'upper', policy, rev: policy.rev, label, created_at: null, updated_at: null, last_used_at, source }
      })
  }

  /** What was allowed once and still counts; there are few. */
  #once({ cursor, id, mac, resource }: Wanted, now: number | undefined): LedgerEntry[] {
    if (now === undefined || (id !== null && !isOnce(id))) return []
    const asked = id === null ? undefined : readOnce(id)
    const rows = this.#sql
      .exec<OnceRow & { person_id: string | null }>(
        `SELECT r.*, p.id AS person_id FROM request r LEFT JOIN person p ON p.mac = r.mac
         WHERE r.state IN ('allowed', 'used') AND (r.exp > ?1 OR r.used_at > ?1 - ?2) AND (?3 IS NULL OR r.id = ?3) AND (?4 IS NULL OR r.mac = ?4)`,
        now,
        RPT_LIFETIME,
        asked?.request ?? null,
        mac,
      )
      .toArray()
    const isWanted = ({ policy }: OnceEntry): boolean => {
      const [about] = 'resources' in policy.target ? policy.target.resources : []
      return policy.id > cursor && [resource, asked?.resource].every((one) => one === null || one === undefined || one === about)
    }
    return rows.flatMap((row) =>
      onceEntries(row, now, RPT_LIFETIME)
        .filter(isWanted)
        .map(({ policy, request_id, answers }) => ({
          id: policy.id,
          kind: 'once',
          policy,
          rev: 1,
          label: null,
          created_at: row.created_at,
          updated_at: row.answered_at,
          last_used_at: row.used_at,
          request_id,
          ...(answers.length === 0 ? {} : { answers }),
          ...(row.person_id === null ? {} : { person_id: row.person_id }),
        })),
    )
  }

  /** Rules by which a thing was allowed once; an answer to a rule that asks gives nothing by itself. */
  onceFor(resourceId: string, now: number): Policy[] {
    const wanted = { cursor: '', id: null, mac: null, named: null, resource: resourceId }
    return this.#once(wanted, now).flatMap(({ policy, answers }) => (answers === undefined ? [policy] : []))
  }

  /** Entries with what comes along with their scopes, as the types of things are now. */
  withAlong(entries: readonly LedgerEntry[]): LedgerEntry[] {
    const types = this.#bringing()
    return entries.map((entry) => {
      const along = this.along(entry.policy, types)
      return along.length === 0 ? entry : { ...entry, along }
    })
  }

  /** What comes along with the scopes of a rule. */
  along(policy: Policy, types = this.#bringing()): Along[] {
    return types.length === 0 ? [] : scopesAlong(policy, types, (id) => this.#lookup.known(id)?.thing.type)
  }

  /** Types of things of which a scope brings others along. */
  #bringing(): SpokenType[] {
    return this.#lookup.types().filter(({ implies }) => Object.values(implies).some((scopes) => scopes.length > 0))
  }

  #macOf(personId: string): string | undefined {
    return this.#sql.exec<{ mac: string }>('SELECT mac FROM person WHERE id = ?', personId).toArray()[0]?.mac
  }

  /** Persons of this owner whose MACs stand in rules: MAC -> id. */
  people(rules: readonly { when: Condition }[]): Record<string, string> {
    const macs = new Set(rules.flatMap(({ when }) => macsOf(when)))
    return Object.fromEntries(
      this.#sql
        .exec<{ id: string; mac: string }>(
          'SELECT id, mac FROM person WHERE mac IN (SELECT value FROM json_each(?))',
          JSON.stringify([...macs]),
        )
        .toArray()
        .map(({ id, mac }) => [mac, id]),
    )
  }
}

type Wanted = { cursor: string; id: string | null; mac: string | null; named: string | null; resource: string | null }

/** Addresses (policy MACs) that a condition names. */
export function macsOf(when: Condition): string[] {
  if ('all' in when) return when.all.flatMap(macsOf)
  if ('any' in when) return when.any.flatMap(macsOf)
  if ('seq' in when) return when.seq.flatMap(macsOf)
  if ('not' in when) return macsOf(when.not)
  if ('if' in when) return [when.if, when.then, when.else].flatMap(macsOf)
  if (!('claim' in when)) return []
  if ('eq' in when) return [when.eq]
  return 'in' in when ? [...when.in] : []
}

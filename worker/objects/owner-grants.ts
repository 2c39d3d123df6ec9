// One spender (DESIGN 3): a ticket's one use, the assessment and the grant are one synchronous turn; introspection re-evaluates.
// Rules are in worker/policy; here they are fed with rows. Nothing in this file may wait.
import { type Assessment, assess, type GrantedCell, type Rule } from '../policy/assess.ts'
import type { Condition, Fact } from '../policy/condition.ts'
import { IDENTIFYING, type OwnerEvidence } from '../policy/evidence.ts'
import { type Permission, requestedScopes } from '../policy/scopes.ts'
import { factsOf, keptEvidence } from './owner-facts.ts'
import type { OwnerRecord } from './owner-record.ts'
import type { GrantEvidence, RptRow } from './owner-tables.ts'
import type { ConnectionRow, PolicyRow } from './record.ts'

/** Longest life of an RPT, in seconds. */
export const RPT_LIFETIME = 3600
/** Rules looked at for one resource in one assessment. A thing with more is asked only for those that can be true now. */
const RULES = 200
/** Resources remembered between two changes. */
const REMEMBERED = 2000

/** What is assessed: permissions of a ticket, the client's scopes (UMA Grant 3.3.4), what was shown. */
export type Assessing = {
  now: number
  connection: string
  permissions: Permission[]
  /** Scopes that the client is registered for and those it asks for. */
  registered_scopes: string[]
  requested_scopes: string[]
  evidence: OwnerEvidence[]
}

/** An RPT to be stored. */
export type NewRpt = {
  hash: string
  client_id: string
  connection: string
  jkt: string | null
  evidence: GrantEvidence[]
  now: number
}

/** When a cell ends; stored as 0 if nothing ends it. */
export const endOf = (cell: Pick<GrantedCell, 'until'>): number => (cell.until === 0 ? Number.POSITIVE_INFINITY : cell.until)

export type IntrospectedPermission = { resource_id: string; resource_scopes: string[]; exp: number }
type Reevaluated = { revision: number; until: number; permissions: IntrospectedPermission[] }

export class OwnerGrants {
  /** Whether a client's tokens are as if they were not there (owner-clients.ts). */
  isBlocked: (clientId: string) => boolean = () => false
  /** Whether whoever vouches for this still counts here (owner-issuers.ts). */
  isTrusted: (evidence: Pick<GrantEvidence, 'claim' | 'iss' | 'trust'>) => boolean = (evidence) => evidence.trust === undefined
  readonly #sql: SqlStorage
  readonly #cache = new Map<string, Reevaluated>()
  /** RPTs that were read lately; this object alone writes them. */
  readonly #read = new Map<string, RptRow>()
  /** What resources offer and which rules they have, as of one revision. */
  readonly #offers = new Map<string, { connection_id: string; scopes: string[] }>()
  readonly #rules = new Map<string, Rule[]>()
  readonly #connections = new Map<string, ConnectionRow>()
  readonly #people = new Map<string, string>()
  #asOf = -1
  readonly #record: OwnerRecord

  /** Rules that are no shares: what was allowed once (owner-requests.ts). They give nothing but what a grant names already. */
  onceRules: (ids: readonly string[]) => Rule[] = () => []

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  connection(id: string): ConnectionRow | undefined {
    this.#forgetIfChanged()
    let row = this.#connections.get(id)
    if (row === undefined) {
      row = this.#sql.exec<ConnectionRow>('SELECT * FROM connection WHERE id = ?', id).toArray()[0]
      if (row !== undefined) this.#connections.set(id, row)
    }
    return row
  }

  /** UMA Grant 3.3.4 over the rows as they are now. `invalid_scope`: asked-for scopes that no resource of the ticket has. */
  assess(input: Assessing): Assessment | { kind: 'invalid_scope' } {
    const { cells, unavailable } = requestedScopes(
      input.permissions,
      (id) => this.offered(id, input.connection) ?? [],
      input.registered_scopes,
      input.requested_scopes,
    )
    if (unavailable.length > 0) return { kind: 'invalid_scope' }
    const facts = this.#facts(keptEvidence(input.evidence))
    return assess(cells, (id) => this.#rulesOf(id, facts, input.now), facts, input.now)
  }

  /** Stores an RPT. Its permissions name the policies they rest on: others that come later do not revive it. */
  grant(rpt: NewRpt, cells: readonly GrantedCell[]): number {
    const exp = Math.min(rpt.now + RPT_LIFETIME, Math.max(...cells.map(endOf)))
    this.#read.delete(rpt.hash)
    this.#cache.delete(rpt.hash)
    this.#sql.exec(
      'INSERT OR REPLACE INTO rpt (hash, client_id, connection_id, jkt, permissions, evidence, created_at, exp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      rpt.hash,
      rpt.client_id,
      rpt.connection,
      rpt.jkt,
      JSON.stringify(cells.map((cell) => ({ ...cell, until: Number.isFinite(cell.until) ? cell.until : 0 }))),
      JSON.stringify(rpt.evidence),
      rpt.now,
      exp,
    )
    return exp
  }

  rpt(hash: string, now: number): RptRow | undefined {
    let row = this.#read.get(hash)
    if (row === undefined) {
      row = this.#sql.exec<RptRow>('SELECT * FROM rpt WHERE hash = ?', hash).toArray()[0]
      if (row === undefined) return undefined
      if (this.#read.size > 2000) this.#read.clear()
      this.#read.set(hash, row)
    }
    return row.exp > now && !this.isBlocked(row.client_id) ? row : undefined
  }

  /**
   * UMA Grant 3.3.5.1: what still stands of an RPT that the client sends along, if it is of the same guest, client, key and resource server
   * (SPECS G-61); undefined otherwise. It may have run out. The guest is the same if every address that was shown for it is shown now.
   */
  upgradable(hash: string, rpt: NewRpt): GrantedCell[] | undefined {
    const old = this.#sql.exec<RptRow>('SELECT * FROM rpt WHERE hash = ?', hash).toArray()[0]
    if (old === undefined || old.client_id !== rpt.client_id || old.connection_id !== rpt.connection || old.jkt !== rpt.jkt)
      return undefined
    const shown = (JSON.parse(old.evidence) as GrantEvidence[]).filter((e) => IDENTIFYING.includes(e.claim)).map((e) => e.mac)
    if (shown.length === 0 || !shown.every((mac) => rpt.evidence.some((e) => e.mac === mac))) return undefined
    const standing = this.standing({ ...old, evidence: JSON.stringify(rpt.evidence) }, rpt.now)
    return standing.length === 0 ? undefined : standing
  }

  dropRpt(hash: string): void {
    this.#read.delete(hash)
    this.#sql.exec('DELETE FROM rpt WHERE hash = ?', hash)
  }

  dropConnection(connectionId: string): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM rpt WHERE connection_id = ?', connectionId)
    this.#sql.exec('DELETE FROM renewal WHERE connection_id = ?', connectionId)
  }

  dropClient(clientId: string): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM rpt WHERE client_id = ?', clientId)
    this.#sql.exec('DELETE FROM renewal WHERE client_id = ?', clientId)
  }

  /** Every row is gone. */
  emptied(): void {
    this.#read.clear()
    this.#cache.clear()
  }

  /** Something besides the record has changed on which decisions rest. */
  forgetDecisions(): void {
    this.#cache.clear()
  }

  /** Ends every grant that rests on an address, of one client or of all; answers how many there were. */
  forgetGuest(mac: string, clientId: string | null): number {
    this.#read.clear()
    const ended = ['rpt', 'renewal'].map((table) =>
      this.#sql
        .exec(
          `DELETE FROM ${table} WHERE instr(evidence, ?1) > 0 AND (?2 IS NULL OR client_id = ?2) RETURNING hash`,
          JSON.stringify(mac),
          clientId,
        )
        .toArray(),
    )
    return ended.flat().length
  }

  /** RPTs stay a day longer than they live, for the activity that names them. */
  sweep(now: number): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM rpt WHERE exp <= ?', now - 86_400)
  }

  /**
   * What the RPT permits at this moment (UMA FedAuthz 5.1.1): its cells under the rules they rest on, as those rules, the
   * resources and the evidence stand now. Remembered until something changes or a time runs out.
   */
  permissionsNow(rpt: RptRow, revision: number, now: number): IntrospectedPermission[] {
    const known = this.#cache.get(rpt.hash)
    if (known !== undefined && known.revision === revision && now < known.until) return known.permissions
    const permissions: IntrospectedPermission[] = []
    let until = rpt.exp
    for (const cell of this.standing(rpt, now)) {
      const exp = Math.min(rpt.exp, cell.until)
      until = Math.min(until, exp)
      permissions.push({ resource_id: cell.resource_id, resource_scopes: cell.resource_scopes, exp })
    }
    if (this.#cache.size > 2000) this.#cache.clear()
    this.#cache.set(rpt.hash, { revision, until, permissions })
    return permissions
  }

  /** The cells of a grant that still stand, under the rules they rest on and no others. */
  standing(grant: Pick<RptRow, 'connection_id' | 'permissions' | 'evidence'>, now: number): GrantedCell[] {
    const facts = this.#facts(JSON.parse(grant.evidence) as GrantEvidence[])
    return (JSON.parse(grant.permissions) as GrantedCell[]).flatMap((cell) => {
      const offered = this.offered(cell.resource_id, grant.connection_id) ?? []
      const scopes = cell.resource_scopes.filter((scope) => offered.includes(scope))
      const rules = [...this.#rulesOf(cell.resource_id, facts, now), ...this.onceRules(cell.policies)].filter(
        (rule) => rule.resource_id === cell.resource_id && cell.policies.includes(rule.id),
      )
      const decided = assess([{ resource_id: cell.resource_id, resource_scopes: scopes, fromTicket: scopes }], () => rules, facts, now)
      return decided.kind === 'granted' ? decided.cells : []
    })
  }

  /** What rules are judged by. The word of an issuer that is no longer trusted is as if it had not been given. */
  #facts(evidence: readonly GrantEvidence[]): Fact[] {
    return factsOf(evidence.filter((one) => this.isTrusted(one))).flatMap(({ claim, mac, exp }) =>
      claim === 'email' ? [{ claim, mac, exp }] : [],
    )
  }

  /** Notes a use, at most once a minute (the stored time is at most that late); true at the first use. */
  noteUse(rpt: RptRow, now: number): 'first' | 'later' | 'known' {
    if (rpt.last_used_at !== null && now - rpt.last_used_at < 60) return 'known'
    this.#read.delete(rpt.hash)
    this.#sql.exec('UPDATE rpt SET last_used_at = ? WHERE hash = ?', now, rpt.hash)
    for (const cell of JSON.parse(rpt.permissions) as GrantedCell[]) for (const id of cell.policies) this.noteSeen(id, now)
    return rpt.last_used_at === null ? 'first' : 'later'
  }

  noteSeen(id: string, now: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO seen (id, at) VALUES (?, ?)', id, now)
  }

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

  /** Scopes that the service registered for the resource; undefined if it is not that service's or not there (any more). */
  offered(resourceId: string, connectionId: string): string[] | undefined {
    this.#forgetIfChanged()
    let offer = this.#offers.get(resourceId)
    if (offer === undefined) {
      const row = this.#sql
        .exec<{ connection_id: string; scopes: string }>('SELECT connection_id, scopes FROM resource WHERE id = ?', resourceId)
        .toArray()[0]
      if (row === undefined) return undefined
      offer = { connection_id: row.connection_id, scopes: JSON.parse(row.scopes) as string[] }
      this.#offers.set(resourceId, offer)
    }
    return offer.connection_id === connectionId ? offer.scopes : undefined
  }

  #rulesOf(resourceId: string, facts: readonly Fact[], now: number): Rule[] {
    this.#forgetIfChanged()
    let rules = this.#rules.get(resourceId)
    if (rules === undefined) {
      rules = this.#sql.exec<PolicyRow>('SELECT * FROM policy WHERE resource_id = ? LIMIT ?', resourceId, RULES).toArray().map(ruleOf)
      this.#rules.set(resourceId, rules)
    }
    return rules.length < RULES ? rules : this.#rulesThatMatter(resourceId, facts, now)
  }

  /**
   * Of a thing with very many shares: those whose time it is, and of somebody who has shown an address only those for that address. All
   * others are false for the engine as well. Not remembered: it depends on who asks.
   */
  #rulesThatMatter(resourceId: string, facts: readonly Fact[], now: number): Rule[] {
    const macs = facts.filter((fact) => fact.exp > now).map((fact) => fact.mac)
    return this.#sql
      .exec<PolicyRow>(
        `SELECT * FROM policy WHERE resource_id = ?1 AND (valid_from IS NULL OR valid_from <= ?2) AND (valid_until IS NULL OR valid_until > ?2)
         AND (?3 = '[]' OR mac IN (SELECT value FROM json_each(?3))) LIMIT ?4`,
        resourceId,
        now,
        JSON.stringify(macs),
        RULES,
      )
      .toArray()
      .map(ruleOf)
  }

  // Invariant: every change of a resource or a policy goes through the record and raises its revision.
  #forgetIfChanged(): void {
    const remembered = [this.#offers, this.#rules, this.#connections, this.#people]
    if (this.#asOf === this.#record.revision && remembered.every((map) => map.size < REMEMBERED)) return
    for (const map of remembered) map.clear()
    this.#asOf = this.#record.revision
  }
}

/** A stored policy as the engine reads it. */
export function ruleOf(row: PolicyRow): Rule {
  const all: Condition[] = [{ claim: 'email', eq: row.mac }]
  if (row.valid_from !== null) all.push({ after: row.valid_from })
  if (row.valid_until !== null) all.push({ before: row.valid_until })
  return { id: row.id, resource_id: row.resource_id, scopes: JSON.parse(row.scopes) as string[], when: { all } }
}

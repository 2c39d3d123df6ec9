// One spender (DESIGN 3): a ticket's one use, the assessment and the grant are one synchronous turn; introspection re-evaluates.
// What rules say is owner-decisions.ts's; here grants are kept. Nothing in this file may wait.
import type { GrantedCell } from '../policy/assess.ts'
import { IDENTIFYING, type OwnerEvidence } from '../policy/evidence.ts'
import type { GrantTerms } from '../policy/policy.ts'
import { FORGOTTEN } from './guest-owners.ts'
import type { OwnerDecisions, Standing } from './owner-decisions.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import { standsBothWays } from './owner-standing.ts'
import type { GrantEvidence, RptRow } from './owner-tables.ts'
import { type Grounds, joinedGrounds, readGrounds, storedGrounds } from './owner-world.ts'

/** Longest life of an RPT, in seconds. */
export const RPT_LIFETIME = 3600

/** Each emergency is told to open wallets and in the activity; by mail at most one in so many seconds, so that nobody floods the owner. */
const MAIL_EVERY = 60
const EMERGENCY_MAIL = 'mail about an emergency'

/** An RPT to be stored. */
export type NewRpt = {
  hash: string
  client_id: string
  connection: string
  jkt: string | null
  evidence: GrantEvidence[]
  grounds: Grounds
  now: number
}

/** When a cell ends; stored as 0 if nothing ends it. */
export const endOf = (cell: Pick<GrantedCell, 'until'>): number => (cell.until === 0 ? Number.POSITIVE_INFINITY : cell.until)

export type IntrospectedPermission = { resource_id: string; resource_scopes: string[]; exp: number }
type Reevaluated = { revision: number; until: number; permissions: IntrospectedPermission[] }

export class OwnerGrants {
  /** Whether a client's tokens are as if they were not there (owner-clients.ts). */
  isBlocked: (clientId: string) => boolean = () => false
  readonly #sql: SqlStorage
  readonly #cache = new Map<string, Reevaluated>()
  /** RPTs that were read lately; this object alone writes them. */
  readonly #read = new Map<string, RptRow>()
  readonly #lookup: OwnerLookup
  readonly #decisions: OwnerDecisions
  #hasForgotten: boolean

  constructor(ctx: DurableObjectState, lookup: OwnerLookup, decisions: OwnerDecisions) {
    this.#sql = ctx.storage.sql
    this.#hasForgotten = this.#sql.exec('SELECT 1 FROM forgotten LIMIT 1').toArray().length > 0
    this.#lookup = lookup
    this.#decisions = decisions
  }

  get isTrusted(): OwnerDecisions['isTrusted'] {
    return this.#decisions.isTrusted
  }

  set isTrusted(isTrusted: OwnerDecisions['isTrusted']) {
    this.#decisions.isTrusted = isTrusted
  }

  connection(id: string) {
    return this.#lookup.connection(id)
  }

  /** Stores an RPT. Its permissions name the policies they rest on: others that come later do not revive it. */
  grant(rpt: NewRpt, cells: readonly GrantedCell[], terms: GrantTerms): number {
    const exp = Math.min(rpt.now + Math.min(terms.rpt_ttl ?? RPT_LIFETIME, RPT_LIFETIME), Math.max(...cells.map(endOf)))
    this.#read.delete(rpt.hash)
    this.#cache.delete(rpt.hash)
    this.#sql.exec(
      'INSERT OR REPLACE INTO rpt (hash, client_id, connection_id, jkt, permissions, evidence, created_at, exp, grounds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      rpt.hash,
      rpt.client_id,
      rpt.connection,
      rpt.jkt,
      JSON.stringify(cells.map((cell) => ({ ...cell, until: Number.isFinite(cell.until) ? cell.until : 0 }))),
      JSON.stringify(rpt.evidence),
      rpt.now,
      exp,
      storedGrounds(rpt.grounds),
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
  upgradable(hash: string, rpt: NewRpt): (Standing & { grounds: Grounds }) | undefined {
    const old = this.#sql.exec<RptRow>('SELECT * FROM rpt WHERE hash = ?', hash).toArray()[0]
    if (old === undefined || old.client_id !== rpt.client_id || old.connection_id !== rpt.connection || old.jkt !== rpt.jkt)
      return undefined
    const shown = (JSON.parse(old.evidence) as GrantEvidence[]).filter((e) => IDENTIFYING.includes(e.claim)).map((e) => e.mac)
    if (shown.length === 0 || !shown.every((mac) => rpt.evidence.some((e) => e.mac === mac))) return undefined
    const grounds = joinedGrounds(rpt.grounds, readGrounds(old.grounds))
    const standingOn = (on: Grounds) =>
      this.standing({ ...old, evidence: JSON.stringify(rpt.evidence), grounds: storedGrounds(on) }, rpt.now)
    const { context: _, ...silent } = grounds
    // What the resource server said of an access of before opens nothing of this one, and shuts all the same.
    const isSilent = rpt.grounds.context === undefined && grounds.context !== undefined
    const standing = isSilent ? standsBothWays(standingOn(grounds), standingOn(silent)) : standingOn(grounds)
    // What was counted goes on in the old string as long as that lives: an upgrade would be another use.
    // So would it be where the glass was broken: each time is told, and none is longer than it may be.
    const isBroken = standing.cells.some(({ emergency }) => emergency === true)
    return standing.cells.length === 0 || standing.uses.length > 0 || isBroken ? undefined : { ...standing, grounds }
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

  /** Ends every grant that rests on an address, of one client or of all; answers how many there were. What was shown before counts no more. */
  forgetGuest(mac: string, clientId: string | null, now: number): number {
    this.#read.clear()
    this.noteForgotten(mac, clientId, now)
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

  /** What was shown before that counts no more. */
  noteForgotten(mac: string, clientId: string | null, at: number): void {
    this.#hasForgotten = true
    this.#sql.exec(
      'INSERT INTO forgotten (mac, client_id, at) VALUES (?, ?, ?) ON CONFLICT (mac, client_id) DO UPDATE SET at = MAX(at, excluded.at)',
      mac,
      clientId ?? '',
      at,
    )
  }

  /**
   * Evidence of a ticket without what the guest let this server forget after it was shown: a client may have kept the ticket. What a
   * persisted token stands for, the guest's object has said at the time of the request.
   */
  remembered(evidence: readonly OwnerEvidence[], { client_id, now }: { client_id: string; now: number }): OwnerEvidence[] {
    if (!this.#hasForgotten) return [...evidence]
    const shownAt = (one: OwnerEvidence) => (one.method === 'pct' ? now - 1 : one.presented_at)
    return evidence.filter((one) => this.#forgottenAt(one.policy_mac, client_id) <= shownAt(one))
  }

  #forgottenAt(mac: string, clientId: string): number {
    const found = this.#sql.exec<{ at: number | null }>(
      "SELECT MAX(at) AS at FROM forgotten WHERE mac = ? AND client_id IN ('', ?)",
      mac,
      clientId,
    )
    return found.one().at ?? 0
  }

  /** RPTs stay a day longer than they live, for the activity that names them. */
  sweep(now: number): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM forgotten WHERE at <= ?', now - FORGOTTEN)
    this.#sql.exec('DELETE FROM rpt WHERE exp <= ?', now - 86_400)
  }

  /**
   * What the RPT permits at this moment (UMA FedAuthz 5.1.1): its cells under the rules they rest on, as those rules, the
   * resources and the evidence stand now. Remembered until something changes or a time runs out.
   */
  permissionsNow(rpt: RptRow, revision: number, now: number): IntrospectedPermission[] {
    const known = this.#cache.get(rpt.hash)
    if (known !== undefined && known.revision === revision && now < known.until) return known.permissions
    const { cells, terms } = this.standing(rpt, now)
    // Rules that want shorter lives since then have their way.
    const end = Math.min(rpt.exp, rpt.created_at + (terms.rpt_ttl ?? RPT_LIFETIME))
    const permissions: IntrospectedPermission[] = []
    let until = end > now ? end : rpt.exp
    for (const cell of end > now ? cells : []) {
      const exp = Math.min(end, cell.until)
      until = Math.min(until, exp)
      permissions.push({ resource_id: cell.resource_id, resource_scopes: cell.resource_scopes, exp })
    }
    if (this.#cache.size > 2000) this.#cache.clear()
    this.#cache.set(rpt.hash, { revision, until, permissions })
    return permissions
  }

  /** What still stands of a grant, under the rules it rests on and no others. */
  standing(grant: Pick<RptRow, 'client_id' | 'connection_id' | 'permissions' | 'evidence' | 'grounds'>, now: number): Standing {
    return this.#decisions.standing(grant, now)
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

  /** Whether the owner has had no mail about an emergency for a while; she has one now. */
  isTimeToMail(now: number): boolean {
    const last = this.#sql.exec<{ at: number }>('SELECT at FROM seen WHERE id = ?', EMERGENCY_MAIL).toArray()[0]?.at ?? 0
    if (now - last < MAIL_EVERY) return false
    this.noteSeen(EMERGENCY_MAIL, now)
    return true
  }

  organisations(): readonly string[] {
    return this.#lookup.organisations()
  }

  wasSeen(id: string): boolean {
    return this.#sql.exec('SELECT 1 FROM seen WHERE id = ?', id).toArray().length === 1
  }

  personOf(policyId: string | undefined): string | undefined {
    return this.#lookup.personOf(policyId)
  }

  personWith(mac: string): { person_id?: string } {
    return this.#lookup.personWith(mac)
  }

  offered(resourceId: string, connectionId: string): readonly string[] | undefined {
    return this.#lookup.offered(resourceId, connectionId)
  }
}

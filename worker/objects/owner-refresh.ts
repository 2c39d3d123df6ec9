// Refresh tokens of RPTs (UMA Grant 3.6). A refresh assesses nothing anew: the new RPT has what still stands of the old permissions, and a
// refresh token of which nothing stands is gone. It lives as long as what was shown for it, at most 30 days.
import type { GrantedCell } from '../policy/assess.ts'
import type { ClientTrust } from '../policy/policy.ts'
import { endOf, type NewRpt, type OwnerGrants } from './owner-grants.ts'
import { standsBothWays } from './owner-standing.ts'
import type { GrantEvidence } from './owner-tables.ts'
import type { OwnerTokens, Proof } from './owner-tokens.ts'
import { type Grounds, readGrounds, storedGrounds } from './owner-world.ts'

/** Longest life of a refresh token for RPTs, in seconds. */
export const REFRESH_LIFETIME = 30 * 86_400

export type RenewalRow = {
  hash: string
  client_id: string
  connection_id: string
  jkt: string | null
  /** JSON: GrantedCell[] */
  permissions: string
  /** JSON: GrantEvidence[] */
  evidence: string
  exp: number
  /** JSON: Grounds, or null. */
  grounds: string | null
}

export type Renewing = {
  hash: string
  client_id: string
  /** The key that the refresh token must be bound to; null for a client with a secret. */
  bound: string | null
  /** The RPT to be made. */
  rpt: { hash: string; jkt: string | null }
  /** Scopes to cut the permissions down to; none: all of them. */
  scopes: string[]
  /** What the client shows of itself now. */
  client_trust: readonly ClientTrust[]
  proof?: Proof
  now: number
}
export type Renewed = { kind: 'done'; exp: number; service: string } | { kind: 'gone' } | { kind: 'replayed' } | { kind: 'invalid_scope' }

export class OwnerRefresh {
  readonly #sql: SqlStorage
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants

  constructor(ctx: DurableObjectState, tokens: OwnerTokens, grants: OwnerGrants) {
    this.#sql = ctx.storage.sql
    this.#tokens = tokens
    this.#grants = grants
  }

  /** Stores a refresh token beside an RPT that ends at `exp`; false if it would not outlive the RPT. */
  insert(token: { hash: string; jkt: string | null }, rpt: NewRpt, cells: readonly GrantedCell[], exp: number): boolean {
    const end = Math.min(rpt.now + REFRESH_LIFETIME, Math.max(...cells.map(endOf)))
    if (end <= exp) return false
    this.#sql.exec(
      'INSERT INTO renewal (hash, client_id, connection_id, jkt, permissions, evidence, exp, grounds) SELECT ?, client_id, connection_id, ?, permissions, evidence, ?, grounds FROM rpt WHERE hash = ?',
      token.hash,
      token.jkt,
      end,
      rpt.hash,
    )
    this.#link(token.hash, rpt.hash)
    return true
  }

  /** UMA Grant 3.6: a new RPT with what still stands, cut down to `scopes` inside the permissions. One turn. */
  renew(input: Renewing): Renewed {
    const row = this.#find(input.hash, input.now)
    if (row === undefined || row.client_id !== input.client_id || row.jkt !== input.bound) return { kind: 'gone' }
    if (input.proof !== undefined && !this.#tokens.takeProof(input.proof, input.now, true)) return { kind: 'replayed' }
    const granted = (JSON.parse(row.permissions) as GrantedCell[]).flatMap((cell) => cell.resource_scopes)
    // > The requested scope MUST NOT include any scope not originally granted. (RFC 6749 6)
    if (!input.scopes.every((scope) => granted.includes(scope))) return { kind: 'invalid_scope' }
    const service = this.#grants.connection(row.connection_id)
    const { client_trust, ...known } = readGrounds(row.grounds)
    // Of the app counts what it still shows.
    const grounds = { ...known, client_trust: (client_trust ?? []).filter((one) => input.client_trust.includes(one)) }
    const { context, ...lasting } = grounds
    const standingOn = (on: Grounds) => this.#grants.standing({ ...row, grounds: storedGrounds(on) }, input.now)
    // What the resource server said was said of one access: it opens nothing longer than that, and shuts all the same.
    const standing = context === undefined ? standingOn(grounds) : standsBothWays(standingOn(grounds), standingOn(lasting))
    // UMA Grant 6.1: the refresh token goes as soon as the owner's rules deny all that it holds, or want no refreshing any more.
    if (service === undefined || standing.cells.length === 0 || standing.terms.refresh === false || standing.uses.length > 0) {
      this.#drop(row.hash)
      return { kind: 'gone' }
    }
    const cells = input.scopes.length === 0 ? standing.cells : cut(standing.cells, input.scopes)
    if (cells.length === 0) return { kind: 'gone' }
    const evidence = JSON.parse(row.evidence) as GrantEvidence[]
    const { rpt, now } = input
    const made = { ...rpt, client_id: row.client_id, connection: row.connection_id, evidence, grounds, now }
    const exp = this.#grants.grant(made, cells, standing.terms)
    this.#link(row.hash, rpt.hash)
    return { kind: 'done', exp, service: service.client_id }
  }

  /** RFC 7009 2.1: the client ends its refresh token, and the RPTs that came of it. */
  revoke(input: { hash: string; client_id: string; now: number }): void {
    const row = this.#find(input.hash, input.now)
    if (row?.client_id !== input.client_id) return
    for (const { rpt } of this.#sql.exec<{ rpt: string }>('SELECT rpt FROM renewed WHERE renewal = ?', row.hash).toArray()) {
      this.#grants.dropRpt(rpt)
    }
    this.#drop(row.hash)
  }

  /** Refresh tokens that were issued with an RPT, or brought it. */
  tokensOf(rpt: string): string[] {
    return this.#sql
      .exec<{ renewal: string }>('SELECT renewal FROM renewed WHERE rpt = ?', rpt)
      .toArray()
      .map(({ renewal }) => renewal)
  }

  sweep(now: number): void {
    this.#sql.exec('DELETE FROM renewal WHERE exp <= ?', now)
    this.#sql.exec('DELETE FROM renewed WHERE renewal NOT IN (SELECT hash FROM renewal) OR rpt NOT IN (SELECT hash FROM rpt)')
  }

  #find(hash: string, now: number): RenewalRow | undefined {
    const row = this.#sql.exec<RenewalRow>('SELECT * FROM renewal WHERE hash = ?', hash).toArray()[0]
    return row !== undefined && row.exp > now && !this.#grants.isBlocked(row.client_id) ? row : undefined
  }

  #link(renewal: string, rpt: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO renewed (renewal, rpt) VALUES (?, ?)', renewal, rpt)
  }

  #drop(hash: string): void {
    this.#sql.exec('DELETE FROM renewed WHERE renewal = ?', hash)
    this.#sql.exec('DELETE FROM renewal WHERE hash = ?', hash)
  }
}

/** The cells with these scopes and no others; cells without any of them are left out. */
const cut = (cells: readonly GrantedCell[], scopes: readonly string[]): GrantedCell[] =>
  cells
    .map((cell) => ({ ...cell, resource_scopes: cell.resource_scopes.filter((scope) => scopes.includes(scope)) }))
    .filter((cell) => cell.resource_scopes.length > 0)

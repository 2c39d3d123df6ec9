// PATs, wallets' tokens, refresh tokens and browser sessions of one owner: who may speak for a service, a wallet, a browser.
// Secrets arrive hashed. A DPoP-bound token counts only with a proof of its key that was not seen before (RFC 9449 11.1).
import { OTHER_SCOPE, type TokenRow, UNAUTHORIZED, type Unauthorized } from './owner-tables.ts'

/** A verified DPoP proof of the request at hand. */
export type Proof = { jkt: string; jti: string; iat: number }
/** Who calls: a hashed token, with the proof if the request carried one. */
export type Caller = { hash: string; proof?: Proof }
export type NewToken = Pick<TokenRow, 'hash' | 'kind' | 'scope' | 'jkt' | 'keep' | 'exp'>

const PROOF_MEMORY = 120

/** Tables with rows that time ends. */
const MORTAL = ['spent', 'token', 'rpt', 'renewal', 'request', 'repeatable', 'forgotten'] as const

export class OwnerTokens {
  readonly #sql: SqlStorage
  /** Whether a client's tokens are as if they were not there (owner-clients.ts). */
  isBlocked: (clientId: string) => boolean = () => false
  /** Proofs of the last two minutes, of requests that only read: memory is enough, a repeated one tells nothing new to who has the token. */
  readonly #proofs = new Map<string, number>()
  readonly #replayed = new Set<string>()
  /** Rows that were read lately. This object alone writes them, so that every write can drop what it changes. */
  readonly #read = new Map<string, TokenRow>()

  constructor(ctx: DurableObjectState) {
    this.#sql = ctx.storage.sql
  }

  /**
   * The live token that the caller presents, if it is good for `scope`. Unauthorized: unknown, expired, of another kind or scope, wrong
   * key, replayed proof. With `isChange` the proof is remembered durably: what it changed once, it does not change again.
   */
  authorize(caller: Caller, scope: string, now: number, isChange = false): { kind: 'ok'; token: TokenRow } | Unauthorized {
    const known = this.recognize(caller, scope, now)
    if (known.kind !== 'ok' && !known.isAlive) return known
    return caller.proof === undefined || this.takeProof(caller.proof, now, isChange) ? known : UNAUTHORIZED
  }

  /** As `authorize`, but for whether the proof was seen before: nothing is spent, and nothing is decided by it. */
  recognize(caller: Caller, scope: string, now: number): { kind: 'ok'; token: TokenRow } | Unauthorized {
    const token = this.find(caller.hash, now)
    if (token === undefined || token.kind === 'f') return UNAUTHORIZED
    // > A DPoP-bound access token must not be accepted as a bearer token. (RFC 9449 7.2)
    if (token.jkt === null ? caller.proof !== undefined : caller.proof?.jkt !== token.jkt) return UNAUTHORIZED
    return token.scope.split(' ').includes(scope) ? { kind: 'ok', token } : OTHER_SCOPE
  }

  /** The live row of a token by its hash, whatever its kind. */
  find(hash: string, now: number): TokenRow | undefined {
    let row = this.#read.get(hash)
    if (row === undefined) {
      row = this.#sql.exec<TokenRow>('SELECT * FROM token WHERE hash = ?', hash).toArray()[0]
      if (row === undefined) return undefined
      if (this.#read.size > 2000) this.#read.clear()
      this.#read.set(hash, row)
    }
    return row.exp > now && !this.isBlocked(row.client_id) ? row : undefined
  }

  insert(token: NewToken, connectionId: string, clientId: string, origin: string | null): void {
    this.#read.delete(token.hash)
    this.#sql.exec(
      'INSERT OR REPLACE INTO token (hash, kind, connection_id, client_id, scope, jkt, keep, origin, exp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      token.hash,
      token.kind,
      connectionId,
      clientId,
      token.scope,
      token.jkt,
      token.keep,
      origin,
      token.exp,
    )
  }

  drop(hash: string): void {
    this.#read.delete(hash)
    this.#sql.exec('DELETE FROM token WHERE hash = ?', hash)
  }

  dropConnection(connectionId: string): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM token WHERE connection_id = ?', connectionId)
  }

  hasTokens(connectionId: string, now: number): boolean {
    return this.#sql.exec('SELECT 1 FROM token WHERE connection_id = ? AND exp > ? LIMIT 1', connectionId, now).toArray().length === 1
  }

  /** RFC 6749 4.1.2: a code that is used twice takes the tokens that came from it along. */
  dropOrigin(origin: string): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM token WHERE origin = ?', origin)
  }

  /** Spends a jti; false if it was spent before. The row lives as long as what it came with. */
  spend(jti: string, exp: number): boolean {
    return this.#sql.exec('INSERT INTO spent (jti, exp) VALUES (?, ?) ON CONFLICT (jti) DO NOTHING', jti, exp).rowsWritten > 0
  }

  /** True at the first question about a spent jti; as long as memory lasts, which is long enough. */
  isFirstReplay(jti: string): boolean {
    if (this.#replayed.has(jti)) return false
    if (this.#replayed.size > 2000) this.#replayed.clear()
    this.#replayed.add(jti)
    return true
  }

  isSpent(jti: string): boolean {
    return this.#sql.exec('SELECT 1 FROM spent WHERE jti = ?', jti).toArray().length === 1
  }

  openSession(sid: string, now: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO session (sid, created_at) VALUES (?, ?)', sid, now)
  }

  /** The browser signed in after this instant. */
  isRecent(sid: string, since: number): boolean {
    return this.#sql.exec('SELECT 1 FROM session WHERE sid = ? AND created_at >= ?', sid, since).toArray().length === 1
  }

  /** Every row is gone. */
  emptied(): void {
    this.#read.clear()
  }

  hasSession(sid: string): boolean {
    return this.#sql.exec('SELECT 1 FROM session WHERE sid = ?', sid).toArray().length === 1
  }

  closeSession(sid: string): void {
    this.#sql.exec('DELETE FROM session WHERE sid = ?', sid)
  }

  /** Drops what time has ended. */
  sweep(now: number): void {
    this.#read.clear()
    this.#sql.exec('DELETE FROM spent WHERE exp <= ?', now)
    this.#sql.exec('DELETE FROM token WHERE exp <= ?', now)
    this.#sql.exec('DELETE FROM session WHERE created_at <= ?', now - 31 * 86_400)
  }

  /** True while something is kept that time will end. */
  get hasMortals(): boolean {
    // One after the other: SQLite here takes five SELECTs in one statement.
    return MORTAL.some((table) => this.#sql.exec(`SELECT 1 FROM ${table} LIMIT 1`).toArray().length > 0)
  }

  /** RFC 9449 11.1: false for a proof that was seen before. */
  takeProof(proof: Proof, now: number, isDurable: boolean): boolean {
    const key = `dpop ${proof.jkt} ${proof.jti}`
    if (isDurable) return this.spend(key, now + PROOF_MEMORY)
    if (this.#proofs.size > 10_000) {
      for (const [known, exp] of this.#proofs) if (exp <= now) this.#proofs.delete(known)
    }
    const known = this.#proofs.get(key)
    if (known !== undefined && known > now) return false
    this.#proofs.set(key, now + PROOF_MEMORY)
    return true
  }
}

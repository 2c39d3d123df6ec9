// What this server remembers for one proven address, with its holder's leave: which apps may skip the question (persisted claims tokens,
// UMA Grant 3.3.3, 5.2), and which owners rely on that. Named by a keyed hash; holds hashes and ids, no address. Each method reads and
// writes in one turn and returns a union; what owners must be told is stored before it is told, and told until they have heard.
import { DurableObject } from 'cloudflare:workers'
import type { Evidence } from '../policy/evidence.ts'
import { type Around, FORGOTTEN, GuestOwners, type Reliance } from './guest-owners.ts'
import { quotasOf } from './quotas.ts'

/** UX: "for 30 days"; counted from the consent, not from the last use. */
export const CONSENT_LIFETIME = 30 * 86_400
/** DESIGN 3: a predecessor stays good until its successor is used, at most this many seconds. */
const GRACE = 60
/** Old hashes of one consent by which a stolen one is found out. */
const MAX_OLD = 64
const RETRY = 10

const SCHEMA = `
CREATE TABLE IF NOT EXISTS consent (id TEXT PRIMARY KEY, client_id TEXT NOT NULL, jkt TEXT, evidence TEXT NOT NULL, created_at INTEGER NOT NULL, exp INTEGER NOT NULL, last_used_at INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pct (seq INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, consent TEXT NOT NULL, parent TEXT, used INTEGER NOT NULL DEFAULT 0, ends INTEGER);
CREATE TABLE IF NOT EXISTS reliance (owner TEXT NOT NULL, client_id TEXT NOT NULL, mac TEXT NOT NULL, exp INTEGER NOT NULL, PRIMARY KEY (owner, client_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS telling (seq INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, mac TEXT NOT NULL, client_id TEXT);
CREATE TABLE IF NOT EXISTS forgotten (client_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (sid TEXT PRIMARY KEY, exp INTEGER NOT NULL) WITHOUT ROWID;
`

type ConsentRow = {
  id: string
  client_id: string
  jkt: string | null
  evidence: string
  created_at: number
  exp: number
  last_used_at: number | null
}
type PctRow = { seq: number; hash: string; consent: string; used: 0 | 1; ends: number | null }
/** Who presents or gets a token: `jkt` null for a client with a secret. */
export type PctHolder = { client_id: string; jkt: string | null }

type SignedOut = { kind: 'signed_out' }
const SIGNED_OUT: SignedOut = { kind: 'signed_out' }
export type Presented = { kind: 'ok'; evidence: Evidence } | { kind: 'unknown' }
export type Remembered = { id: string; client_id: string; method: string; created_at: number; exp: number; last_used_at: number | null }

export class GuestObject extends DurableObject<Env> {
  #hasTables = false
  readonly #owners = new GuestOwners(() => this.#sql(), this.env)

  /**
   * Keeps a consent and its first token, in place of the app's consent of before. False if the guest let it be forgotten since it was given:
   * an app may have kept the ticket.
   */
  async issue(input: PctHolder & Reliance & { id: string; hash: string; evidence: Evidence; now: number }): Promise<boolean> {
    if (this.#owners.forgottenAt(input.client_id) > input.evidence.presented_at) return false
    const sql = this.#sql()
    const exp = input.now + CONSENT_LIFETIME
    for (const { id } of sql
      .exec<{ id: string }>('SELECT id FROM consent WHERE client_id = ? AND jkt IS ?', input.client_id, input.jkt)
      .toArray())
      this.#end(id)
    sql.exec(
      'INSERT INTO consent (id, client_id, jkt, evidence, created_at, exp) VALUES (?, ?, ?, ?, ?, ?)',
      input.id,
      input.client_id,
      input.jkt,
      JSON.stringify({ ...input.evidence, exp }),
      input.now,
      exp,
    )
    sql.exec('INSERT INTO pct (hash, consent) VALUES (?, ?)', input.hash, input.id)
    this.#owners.rely(input, exp, input.client_id)
    const { consents_per_guest: room } = quotasOf(this.env)
    // The newest are kept, and of one second the one that was just given.
    const over = sql.exec<{ id: string }>('SELECT id FROM consent ORDER BY created_at DESC, id = ? DESC LIMIT -1 OFFSET ?', input.id, room)
    for (const { id } of over.toArray()) this.#end(id)
    await this.#wake(exp)
    return true
  }

  /**
   * UMA Grant 3.3.1, 5.2: what the token stands for, if it is this client's, with its key. It is used: `next` follows it. One that is
   * presented by another client, or after its time, was stolen from somebody: the consent ends (SPECS G-76, G-77).
   * Choice: that is what shows a theft; where in the world a request comes from does not, and is not kept.
   */
  present(input: PctHolder & Reliance & { hash: string; next: string; now: number }): Presented {
    const sql = this.#sql()
    const { now } = input
    const token = sql.exec<PctRow>('SELECT seq, hash, consent, used, ends FROM pct WHERE hash = ?', input.hash).toArray()[0]
    const consent = token === undefined ? undefined : this.#consent(token.consent, now)
    if (token === undefined || consent === undefined) return { kind: 'unknown' }
    if (consent.client_id !== input.client_id || (token.ends !== null && token.ends <= now)) {
      this.#end(consent.id)
      return { kind: 'unknown' }
    }
    if (consent.jkt !== input.jkt) return { kind: 'unknown' }
    // The first use of a successor ends all others. A client that lost the answer may come again with the one it has, and gets another.
    if (token.used === 0) {
      sql.exec('UPDATE pct SET ends = ? WHERE consent = ? AND hash <> ? AND (ends IS NULL OR ends > ?)', now, consent.id, token.hash, now)
      sql.exec('UPDATE pct SET used = 1, ends = ? WHERE hash = ?', now + GRACE, token.hash)
    }
    sql.exec('INSERT INTO pct (hash, consent, parent) VALUES (?, ?, ?)', input.next, consent.id, token.hash)
    sql.exec('DELETE FROM pct WHERE consent = ? AND seq <= ?', consent.id, token.seq - MAX_OLD)
    sql.exec('UPDATE consent SET last_used_at = ? WHERE id = ?', now, consent.id)
    this.#owners.rely(input, consent.exp, input.client_id)
    return { kind: 'ok', evidence: JSON.parse(consent.evidence) as Evidence }
  }

  /** The request came to nothing, and `next` was never handed out: the token of before goes on. */
  keep(input: { next: string; now: number }): void {
    const sql = this.#sql()
    const dropped = sql
      .exec<{ parent: string }>('DELETE FROM pct WHERE hash = ? AND used = 0 AND ends IS NULL RETURNING parent', input.next)
      .toArray()[0]
    if (dropped === undefined || sql.exec('SELECT 1 FROM pct WHERE parent = ?', dropped.parent).toArray().length > 0) return
    sql.exec('UPDATE pct SET used = 0, ends = NULL WHERE hash = ? AND ends > ?', dropped.parent, input.now)
  }

  /** RFC 7009: the client ends it; its grants go on, owners are told nothing. False if there is no such token (any more). */
  revoke(input: { hash: string; client_id: string }): boolean {
    const row = this.#sql()
      .exec<{ id: string }>(
        'SELECT c.id FROM pct p JOIN consent c ON c.id = p.consent WHERE p.hash = ? AND c.client_id = ?',
        input.hash,
        input.client_id,
      )
      .toArray()[0]
    if (row !== undefined) this.#end(row.id)
    return row !== undefined
  }

  /**
   * An owner is about to rely on this address, with or without anything remembered: written down before the owner answers. The owner hears
   * what was told to others before: what was shown until then counts nowhere (`forgotten_at` in seconds, 0 if nothing was forgotten).
   */
  async relied(input: Reliance & { exp: number }): Promise<{ forgotten_at: number }> {
    this.#owners.rely(input, input.exp)
    await this.#wake(input.exp)
    return { forgotten_at: this.#owners.forgottenAt() }
  }

  // ── The guest's own page ─────────────────────────────────────────────────────────────────────────────────────────────────

  async openSession(input: { sid: string; exp: number }): Promise<void> {
    this.#sql().exec('INSERT OR REPLACE INTO session (sid, exp) VALUES (?, ?)', input.sid, input.exp)
    await this.#wake(input.exp)
  }

  closeSession(input: { sid: string }): void {
    this.#sql().exec('DELETE FROM session WHERE sid = ?', input.sid)
  }

  /** What is remembered, newest first. */
  list(input: { sid: string; now: number }): { kind: 'ok'; items: Remembered[] } | SignedOut {
    if (!this.#hasSession(input)) return SIGNED_OUT
    const rows = this.#sql().exec<ConsentRow>('SELECT * FROM consent WHERE exp > ? ORDER BY created_at DESC, id', input.now).toArray()
    const items = rows.map(({ id, client_id, evidence, created_at, exp, last_used_at }) => {
      return { id, client_id, method: (JSON.parse(evidence) as Evidence).method, created_at, exp, last_used_at }
    })
    return { kind: 'ok', items }
  }

  /** What owners keep of the guest: questions, and where something was opened (`opened`). `isAny`: something may rest on the guest somewhere. */
  async around(input: { sid: string; opened: boolean; now: number }): Promise<({ kind: 'ok'; isAny: boolean } & Around) | SignedOut> {
    if (!this.#hasSession(input)) return SIGNED_OUT
    return { kind: 'ok', isAny: this.#owners.isAny, ...(await this.#owners.around(input)) }
  }

  /** Takes back a question that an owner has not answered, or a yes that was not used. @throws if the owner's object is away */
  async withdraw(input: { sid: string; owner: string; id: string; now: number }): Promise<{ kind: 'ok' } | SignedOut> {
    if (!this.#hasSession(input)) return SIGNED_OUT
    await this.#owners.withdraw(input)
    return { kind: 'ok' }
  }

  /** Forgets one consent, or all. Owners whose grants rest on it are told: `told` is false while some have not heard. */
  async forget(input: { sid: string; id?: string; now: number }): Promise<{ kind: 'ok'; told: boolean } | SignedOut> {
    if (!this.#hasSession(input)) return SIGNED_OUT
    const sql = this.#sql()
    const rows = sql.exec<ConsentRow>('SELECT * FROM consent WHERE ?1 IS NULL OR id = ?1', input.id ?? null).toArray()
    for (const { id, client_id } of rows) {
      this.#end(id)
      if (input.id !== undefined) this.#owners.tell(client_id, input.now)
    }
    if (input.id === undefined) this.#owners.tell(null, input.now)
    // In the turn of what it follows up: who dies now is woken again.
    void this.ctx.storage.setAlarm((input.now + RETRY) * 1000)
    return { kind: 'ok', told: await this.#owners.deliver(input.now) }
  }

  override async alarm(): Promise<void> {
    const now = Math.floor(Date.now() / 1000)
    const sql = this.#sql()
    for (const { id } of sql.exec<{ id: string }>('SELECT id FROM consent WHERE exp <= ?', now).toArray()) this.#end(id)
    sql.exec('DELETE FROM session WHERE exp <= ?', now)
    sql.exec('DELETE FROM reliance WHERE exp <= ?', now)
    sql.exec('DELETE FROM forgotten WHERE at <= ?', now - FORGOTTEN)
    if (!(await this.#owners.deliver(now))) return this.ctx.storage.setAlarm((now + RETRY) * 1000)
    const next = sql
      .exec<{ exp: number | null }>(
        `SELECT min(exp) AS exp FROM (
           SELECT exp FROM consent UNION ALL SELECT exp FROM session UNION ALL SELECT exp FROM reliance UNION ALL SELECT at + ? FROM forgotten
         )`,
        FORGOTTEN,
      )
      .one().exp
    if (next !== null) return this.ctx.storage.setAlarm(next * 1000)
    this.#hasTables = false
    await this.ctx.storage.deleteAll()
  }

  #consent(id: string, now: number): ConsentRow | undefined {
    return this.#sql().exec<ConsentRow>('SELECT * FROM consent WHERE id = ? AND exp > ?', id, now).toArray()[0]
  }

  #hasSession(input: { sid: string; now: number }): boolean {
    return this.#sql().exec('SELECT 1 FROM session WHERE sid = ? AND exp > ?', input.sid, input.now).toArray().length === 1
  }

  #end(id: string): void {
    this.#sql().exec('DELETE FROM pct WHERE consent = ?', id)
    this.#sql().exec('DELETE FROM consent WHERE id = ?', id)
  }

  /** The tables are made at first use and again after everything was deleted. */
  #sql(): SqlStorage {
    if (!this.#hasTables) this.ctx.storage.sql.exec(SCHEMA)
    this.#hasTables = true
    return this.ctx.storage.sql
  }

  async #wake(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > at * 1000) await this.ctx.storage.setAlarm(at * 1000)
  }
}

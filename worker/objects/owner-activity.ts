// What happened at one owner, as a hash chain: an entry is a row of the turn it tells of, copied to D1 later.
// Fields are salted before they are hashed, so that an entry's fields can be dropped one day without breaking the chain.
import { sha256 } from '@noble/hashes/sha2.js'
import { base64url } from 'jose'
import type { ActivityEntry } from '../../shared/protocol/owner-api.ts'
import type { OwnerRecord } from './owner-record.ts'
import { type ActivityRow, activityStatements, dbFor, wasWritten, within } from './record.ts'

/** Entries kept here after they were copied, for quick reading. */
const KEPT = 200
/** Activity dies after 400 days. */
export const ACTIVITY_DAYS = 400
const BATCH = 90

export type ActivityEvent = ActivityEntry['event']
export type ActivityFields = Omit<ActivityEntry, 'seq' | 'at' | 'event' | 'client_name'>

const encoder = new TextEncoder()
// Synchronous on purpose: an entry belongs to the turn it tells of, and that turn may not wait for anything but storage.
const digest = (text: string): string => base64url.encode(sha256(encoder.encode(text)))

/** Link of the chain: what an entry's `hash` must be. */
export const chainHash = (previous: string, seq: number, at: number, event: string, fieldsHash: string): string =>
  digest(`${previous}\n${seq}\n${at}\n${event}\n${fieldsHash}`)
export const fieldsHash = (salt: string, fields: string): string => digest(`${salt}\n${fields}`)

export class OwnerActivity {
  readonly #sql: SqlStorage
  readonly #env: Env
  readonly #record: OwnerRecord
  /** End of the chain; this object alone writes it. */
  #last: { seq: number; hash: string } | undefined

  constructor(ctx: DurableObjectState, env: Env, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#env = env
    this.#record = record
  }

  /** Appends an entry in the running turn. `now` in seconds. */
  append(event: ActivityEvent, fields: ActivityFields, now: number): ActivityEntry {
    this.#last ??= this.#sql.exec<{ seq: number; hash: string }>('SELECT seq, hash FROM activity ORDER BY seq DESC LIMIT 1').toArray()[0]
    const seq = (this.#last?.seq ?? 0) + 1
    const previous = this.#last?.hash ?? ''
    const salt = base64url.encode(crypto.getRandomValues(new Uint8Array(12)))
    const text = JSON.stringify(fields)
    const hashOfFields = fieldsHash(salt, text)
    const hash = chainHash(previous, seq, now, event, hashOfFields)
    this.#sql.exec(
      'INSERT INTO activity (seq, at, event, salt, fields, fields_hash, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      seq,
      now,
      event,
      salt,
      text,
      hashOfFields,
      previous,
      hash,
    )
    this.#last = { seq, hash }
    return { seq, at: now, event, ...fields }
  }

  /** The entries are gone: a chain that follows begins anew. */
  forget(): void {
    this.#last = undefined
  }

  get isPending(): boolean {
    return this.#sql.exec('SELECT 1 FROM activity WHERE recorded = 0 LIMIT 1').toArray().length > 0
  }

  /** Copies new entries to D1; safe to repeat; true if nothing is left. Never throws. */
  async move(): Promise<boolean> {
    const owner = this.#record.owner
    if (owner === undefined) return true
    const db = dbFor(this.#env, owner)
    try {
      for (;;) {
        const rows = this.#sql
          .exec<ActivityRow>(
            'SELECT seq, at, event, salt, fields, fields_hash, previous, hash FROM activity WHERE recorded = 0 ORDER BY seq LIMIT ?',
            BATCH,
          )
          .toArray()
        const last = rows.at(-1)
        if (last === undefined) break
        if (!wasWritten(await within(db.batch(activityStatements(db, owner, this.#record.writer, rows))))) return false
        this.#sql.exec('UPDATE activity SET recorded = 1 WHERE recorded = 0 AND seq <= ?', last.seq)
      }
      this.#sql.exec('DELETE FROM activity WHERE recorded = 1 AND seq <= (SELECT MAX(seq) FROM activity) - ?', KEPT)
      return true
    } catch {
      return false
    }
  }

  /** Entries that are still here, newest first, before `before`. */
  list(before: number, limit: number): ActivityEntry[] {
    return this.#sql
      .exec<ActivityRow>(
        'SELECT seq, at, event, salt, fields, fields_hash, previous, hash FROM activity WHERE seq < ? ORDER BY seq DESC LIMIT ?',
        before,
        limit,
      )
      .toArray()
      .map(entryOf)
  }
}

/** A stored row as the owner API shows it. */
export function entryOf(row: ActivityRow): ActivityEntry {
  const fields = row.fields === null ? {} : (JSON.parse(row.fields) as ActivityFields)
  return { seq: row.seq, at: row.at, event: row.event as ActivityEvent, ...fields }
}

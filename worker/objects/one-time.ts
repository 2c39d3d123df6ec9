// What may happen once, or at most so often: one object per thing that is protected, and its name says which (http/context.ts).
// Holds keys and times, never what they belong to. Each method reads and writes in one turn; it asks no clock and never throws on purpose.
import { DurableObject } from 'cloudflare:workers'

/** At most `max` in any `window` seconds. */
export type Limit = { max: number; window: number }
export type Counted = { kind: 'ok' } | { kind: 'full'; retry_after: number }

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS taken (key TEXT PRIMARY KEY NOT NULL, exp INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS hit (at INTEGER NOT NULL, exp INTEGER NOT NULL) STRICT;
`

export class OneTimeObject extends DurableObject<Env> {
  #hasTables = false
  /** When the alarm is set for, in milliseconds; undefined if it has to be looked up. */
  #wakes: number | undefined

  /** True exactly once for a key; the memory of it lasts until `exp` (seconds), after which the key must be refused by its own expiry. */
  async take(input: { key: string; exp: number; now: number }): Promise<boolean> {
    const fresh = this.#sql()
      .exec('INSERT INTO taken (key, exp) VALUES (?, ?) ON CONFLICT (key) DO NOTHING RETURNING key', input.key, input.exp)
      .toArray()
    await this.#wakeAt(input.exp)
    return fresh.length === 1
  }

  /** Counts one more if every limit leaves room for it; counts nothing otherwise. Windows slide. `now` in seconds. */
  async count(input: { limits: Limit[]; now: number }): Promise<Counted> {
    const sql = this.#sql()
    for (const { max, window } of input.limits.filter((limit) => limit.max < Number.MAX_SAFE_INTEGER)) {
      const rows = sql.exec<{ at: number }>('SELECT at FROM hit WHERE at > ? ORDER BY at DESC LIMIT ?', input.now - window, max).toArray()
      const oldest = rows.at(-1)
      if (rows.length >= max && oldest !== undefined) return { kind: 'full', retry_after: Math.max(1, oldest.at + window - input.now) }
    }
    const exp = input.now + Math.max(...input.limits.map((limit) => limit.window))
    sql.exec('INSERT INTO hit (at, exp) VALUES (?, ?)', input.now, exp)
    await this.#wakeAt(exp)
    return { kind: 'ok' }
  }

  /** Whether objects answer at all; stores nothing. */
  ping(): boolean {
    return true
  }

  /** Forgets what is over; an object with nothing left to remember is gone altogether. */
  override async alarm(): Promise<void> {
    this.#wakes = undefined
    const now = Math.floor(Date.now() / 1000)
    const sql = this.#sql()
    sql.exec('DELETE FROM taken WHERE exp <= ?', now)
    sql.exec('DELETE FROM hit WHERE exp <= ?', now)
    const next = sql
      .exec<{ exp: number | null }>('SELECT min(exp) AS exp FROM (SELECT exp FROM taken UNION ALL SELECT exp FROM hit)')
      .one().exp
    if (next !== null) return this.ctx.storage.setAlarm(next * 1000)
    this.#hasTables = false
    await this.ctx.storage.deleteAll()
  }

  /** The tables are made at first use and again after everything was deleted. */
  #sql(): SqlStorage {
    if (!this.#hasTables) this.ctx.storage.sql.exec(SCHEMA)
    this.#hasTables = true
    return this.ctx.storage.sql
  }

  async #wakeAt(exp: number): Promise<void> {
    this.#wakes ??= (await this.ctx.storage.getAlarm()) ?? Number.POSITIVE_INFINITY
    if (this.#wakes <= exp * 1000) return
    this.#wakes = exp * 1000
    await this.ctx.storage.setAlarm(exp * 1000)
  }
}

// One browser of a guest: what it waits for (a claims page) and the RPTs it was given, all sealed before they come here.
// The browser holds nothing but the cookie that names this object. Everything has an end; then the object is empty.
import { DurableObject } from 'cloudflare:workers'
import { type Env, nowOf } from '../env.ts'

/** `pending`: by the hash of `state`; `rpt` and `waiting`: by the hash of the thing. */
export type GuestEntry = 'pending' | 'rpt' | 'waiting'

/** A browser cannot make this object grow: the oldest entries go first. */
const MOST_ENTRIES = 64

export class GuestObject extends DurableObject<Env> {
  /** A cookie that was never used must leave nothing behind, so the table comes with the first entry. */
  #hasTable(): boolean {
    return this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'entry'").toArray().length > 0
  }

  async keep(kind: GuestEntry, key: string, sealed: string, expires: number): Promise<void> {
    const { sql } = this.ctx.storage
    // Who reads: the guest's own requests. Rows die at `expires`, by the alarm; `sealed` opens with the vault's key only.
    sql.exec(`CREATE TABLE IF NOT EXISTS entry (
      kind TEXT NOT NULL, key TEXT NOT NULL, sealed TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID`)
    sql.exec('INSERT OR REPLACE INTO entry (kind, key, sealed, expires) VALUES (?1, ?2, ?3, ?4)', kind, key, sealed, expires)
    sql.exec('DELETE FROM entry WHERE (kind, key) IN (SELECT kind, key FROM entry ORDER BY expires DESC LIMIT -1 OFFSET ?1)', MOST_ENTRIES)
    await this.#sweepLater()
  }

  read(kind: GuestEntry, key: string, now: number): string | undefined {
    if (!this.#hasTable()) return undefined
    const found = this.ctx.storage.sql.exec<{ sealed: string }>(
      'SELECT sealed FROM entry WHERE kind = ?1 AND key = ?2 AND expires > ?3',
      kind,
      key,
      now,
    )
    return found.toArray()[0]?.sealed
  }

  /** Takes an entry: a `state` is answered once (UMA Grant 5.1). */
  take(kind: GuestEntry, key: string, now: number): string | undefined {
    if (!this.#hasTable()) return undefined
    const taken = this.ctx.storage.sql.exec<{ sealed: string; expires: number }>(
      'DELETE FROM entry WHERE kind = ?1 AND key = ?2 RETURNING sealed, expires',
      kind,
      key,
    )
    const row = taken.toArray()[0]
    return row !== undefined && row.expires > now ? row.sealed : undefined
  }

  async #sweepLater(): Promise<void> {
    const [row] = this.ctx.storage.sql.exec<{ last: number | null }>('SELECT max(expires) AS last FROM entry').toArray()
    if (typeof row?.last === 'number') await this.ctx.storage.setAlarm(row.last * 1000 + 1000)
  }

  override async alarm(): Promise<void> {
    if (!this.#hasTable()) return
    this.ctx.storage.sql.exec('DELETE FROM entry WHERE expires <= ?1', nowOf())
    const [row] = this.ctx.storage.sql.exec<{ count: number }>('SELECT count(*) AS count FROM entry').toArray()
    if (row?.count === 0) await this.ctx.storage.deleteAll()
    else await this.#sweepLater()
  }
}

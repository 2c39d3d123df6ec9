// Clients that this owner relies on (DESIGN 3, "Shared facts reach the owners"): each pair of owner and client is in the record before the
// first answer that rests on it, so that a block finds its way here; and the blocks that have arrived. A block suspends: nothing is deleted.

import type { OwnerRecord } from './owner-record.ts'
import { dbFor, relianceStatements, within } from './record.ts'

/** A change of a client on its way to the owners; a later one has a higher `seq`. */
export type ClientChange = { client_id: string; seq: number; blocked: boolean }
/** `blocked`: an operator has blocked the client; `unavailable`: the record does not answer. */
export type Relied = 'recorded' | 'blocked' | 'unavailable'

/** Clients that an instance remembers to be recorded. */
const REMEMBERED = 2000

export class OwnerClients {
  readonly #sql: SqlStorage
  readonly #env: Env
  readonly #record: OwnerRecord
  readonly #recorded = new Set<string>()
  readonly #blocked: Set<string>

  constructor(ctx: DurableObjectState, env: Env, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#env = env
    this.#record = record
    const blocked = this.#sql.exec<{ client_id: string }>('SELECT client_id FROM client_change WHERE blocked = 1').toArray()
    this.#blocked = new Set(blocked.map((row) => row.client_id))
  }

  /** Asked at every use of a token: memory only. */
  isBlocked(clientId: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(clientId)
  }

  get hasBlocked(): boolean {
    return this.#blocked.size > 0
  }

  /** Whether the pair is in the record for sure. */
  isRecorded(clientId: string): boolean {
    if (this.#recorded.has(clientId)) return true
    const row = this.#sql.exec('SELECT 1 FROM reliance WHERE client_id = ? AND told = 1', clientId).toArray()
    if (row.length > 0) this.#remember(clientId)
    return row.length > 0
  }

  /**
   * Writes the pair into the record, then looks whether the client is blocked: whoever blocks it writes first and reads the pairs
   * afterwards, so that one of the two sees the other.
   */
  async record(clientId: string): Promise<Relied> {
    const owner = this.#record.owner
    if (owner === undefined) return 'unavailable'
    try {
      const db = dbFor(this.#env, owner)
      const [, found] = await within(db.batch<{ disabled_at: number | null }>(relianceStatements(db, owner, clientId)))
      const row = found?.results[0]
      // A registration that is not there was deleted (RFC 7592 2.3), however long an isolate remembers it; a document has no row.
      if (row === undefined ? !/^https?:/i.test(clientId) : row.disabled_at !== null) return 'blocked'
    } catch {
      return 'unavailable'
    }
    this.#sql.exec('INSERT OR REPLACE INTO reliance (client_id, told) VALUES (?, 1)', clientId)
    this.#remember(clientId)
    return 'recorded'
  }

  /** A client that was just connected: the connection itself is in the record; whether the client is blocked is looked up by `settle`. */
  noteConnected(clientId: string): void {
    if (!this.isRecorded(clientId)) this.#sql.exec('INSERT OR IGNORE INTO reliance (client_id, told) VALUES (?, 0)', clientId)
  }

  /** True while there are pairs that are not in the record for sure. */
  get isPending(): boolean {
    return this.#sql.exec('SELECT 1 FROM reliance WHERE told = 0 LIMIT 1').toArray().length > 0
  }

  /** Records those pairs; true if nothing is left. A client that is blocked already is blocked here, too. Never throws. */
  async settle(): Promise<boolean> {
    for (const { client_id } of this.#sql.exec<{ client_id: string }>('SELECT client_id FROM reliance WHERE told = 0').toArray()) {
      const relied = await this.record(client_id)
      if (relied === 'unavailable') return false
      if (relied === 'blocked') {
        // The change itself may have been sent to everybody already; a later one has a higher number.
        this.change({ client_id, seq: 0, blocked: true })
        this.#sql.exec('UPDATE reliance SET told = 1 WHERE client_id = ?', client_id)
      }
    }
    return true
  }

  /** Takes a change in; false if a later one was here already. Counts when this turn ends. */
  change({ client_id, seq, blocked }: ClientChange): boolean {
    const known = this.#sql.exec<{ seq: number }>('SELECT seq FROM client_change WHERE client_id = ?', client_id).toArray()[0]
    if (known !== undefined && known.seq >= seq) return false
    this.#sql.exec('INSERT OR REPLACE INTO client_change (client_id, seq, blocked) VALUES (?, ?, ?)', client_id, seq, blocked ? 1 : 0)
    if (blocked) this.#blocked.add(client_id)
    else this.#blocked.delete(client_id)
    return true
  }

  #remember(clientId: string): void {
    if (this.#recorded.size >= REMEMBERED) this.#recorded.clear()
    this.#recorded.add(clientId)
  }
}

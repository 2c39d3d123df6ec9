// The whole account: taken out row by row, and deleted. Deleting counts at once, durably: every token, grant and session is gone when the
// turn ends; the record follows, retried until done, and last the object forgets itself. What happened stays as a chain of hashes that
// names nobody (DESIGN 3): its fields and salts go, and it is moved to a number that nothing else knows.
import { base64url } from 'jose'
import type { OwnerActivity } from './owner-activity.ts'
import type { OwnerRecord } from './owner-record.ts'
import { SCHEMA } from './owner-tables.ts'
import { dbFor, RECORD_COLUMNS, type RecordTable, within } from './record.ts'

/** Rows of one piece of what is taken out. */
const PIECE = 500
/** Seconds within which everything has to be read. */
const READING = 600
/** How long ago the owner may have signed in to delete the account, in seconds. */
export const RECENT = 600

/** Lists that are not in the record but tell of people. */
type OtherTable = 'request'
export type TakenPart = RecordTable | OtherTable
type Row = Record<string, string | number | null>

/** Columns that are of no use to anybody outside of this server: keys wrapped for others, texts sealed for services. */
const LEFT_OUT: readonly string[] = ['wrapped_label_key', 'polled_at', 'interval']

export class OwnerAccount {
  readonly #ctx: DurableObjectState
  readonly #env: Env
  readonly #record: OwnerRecord
  readonly #activity: OwnerActivity
  /** True when all who joined this owner's organisation have acknowledged its end (owner-organisation.ts). */
  toldMembers: () => Promise<boolean> = () => Promise.resolve(true)
  /** In memory only: who is interrupted begins again. */
  readonly #readings = new Map<string, number>()

  constructor(ctx: DurableObjectState, env: Env, record: OwnerRecord, activity: OwnerActivity) {
    this.#ctx = ctx
    this.#env = env
    this.#record = record
    this.#activity = activity
  }

  /** Names of the lists that are taken out. */
  get parts(): TakenPart[] {
    return [...(Object.keys(RECORD_COLUMNS) as RecordTable[]), 'request']
  }

  /** Begins to take the account out: a secret of this moment with which the rows are read, as long as it takes. */
  read(now: number): string {
    for (const [known, until] of this.#readings) if (until <= now) this.#readings.delete(known)
    const reading = base64url.encode(crypto.getRandomValues(new Uint8Array(16)))
    this.#readings.set(reading, now + READING)
    return reading
  }

  isReading(reading: string, now: number): boolean {
    return (this.#readings.get(reading) ?? 0) > now
  }

  /** Rows of one list after the row `after` (its id). */
  rows(part: TakenPart, after: string): { rows: Row[]; next?: string } {
    if (!this.parts.includes(part)) return { rows: [] } // Invariant: only these names ever stand in a statement
    const rows = this.#ctx.storage.sql.exec<Row>(`SELECT * FROM ${part} WHERE id > ? ORDER BY id LIMIT ?`, after, PIECE).toArray()
    const last = rows.at(-1)?.id
    return {
      rows: rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !LEFT_OUT.includes(name)))),
      ...(rows.length === PIECE && last !== undefined ? { next: String(last) } : {}),
    }
  }

  /** True from the moment in which the owner deleted the account until nothing of it is left. */
  get isEnding(): boolean {
    return this.#record.meta('ending') !== undefined
  }

  /** Ends all that anybody can do with this account, in the running turn. */
  end(): void {
    this.#record.setMeta('ending', base64url.encode(crypto.getRandomValues(new Uint8Array(16))))
    this.#empty()
  }

  /** Brings the record to the same; then the object is as if it had never been. True when done. Never throws. */
  finish(): Promise<boolean> {
    // A change that was on its way when the account ended has its turn before.
    return this.#record.serial(() => this.#finish())
  }

  #empty(): void {
    for (const table of this.#tables()) {
      // Those who joined this owner's organisation have still to hear that it is no more.
      if (table !== 'meta' && table !== 'activity' && table !== 'org_sync') this.#ctx.storage.sql.exec(`DELETE FROM ${table}`)
    }
    this.#record.emptied()
  }

  async #finish(): Promise<boolean> {
    const [owner, pseudonym] = [this.#record.owner, this.#record.meta('ending')]
    if (owner === undefined || pseudonym === undefined) return true
    this.#empty()
    if (!(await this.#activity.move()) || !(await this.toldMembers())) return false
    const db = dbFor(this.#env, owner)
    try {
      await within(
        db.batch([
          db
            .prepare('UPDATE OR REPLACE activity SET owner = ?2, salt = NULL, fields = NULL WHERE owner = ?1')
            .bind(owner, `gone:${pseudonym}`),
          ...(Object.keys(RECORD_COLUMNS) as RecordTable[]).map((table) => db.prepare(`DELETE FROM ${table} WHERE owner = ?1`).bind(owner)),
          ...['passkey', 'reliance', 'organisation', 'issuer_reliance'].map((table) =>
            db.prepare(`DELETE FROM ${table} WHERE owner = ?1`).bind(owner),
          ),
          // Last: whoever finds this row gone finds nothing else of this owner.
          db.prepare('DELETE FROM owner WHERE id = ?1').bind(owner),
        ]),
      )
    } catch {
      return false // D1 is away; the alarm tries again
    }
    await this.#ctx.storage.deleteAll()
    this.#ctx.storage.sql.exec(SCHEMA)
    this.#readings.clear()
    this.#activity.forget()
    return true
  }

  #tables(): string[] {
    return this.#ctx.storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'")
      .toArray()
      .map(({ name }) => name)
  }
}

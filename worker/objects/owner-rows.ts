// Rows of the owner's object that the record in D1 has too, with the two lists that tell where the two may differ: fences name rows whose
// fate in D1 is uncertain, the outbox holds what D1 has still to be told. Reads and writes here only; D1 is owner-record.ts's affair.
import type { ThingType } from '../policy/policy.ts'
import { type Change, type Put, RECORD_COLUMNS, type RecordTable, rowValues } from './record.ts'
import { indexRule, unindexRule } from './rule-targets.ts'
import { shutOutVersionBefore } from './versions.ts'

/** `void`, in a fence: what D1 holds of it does not count. */
export type Name = { table: RecordTable; id: string; void?: true }

export const nameOf = (put: Put): Name => ({ table: put.table, id: put.row.id })
const keyOf = ({ table, id }: Name): string => `${table}/${id}`
export const isSame = (a: Put, b: Put): boolean => a.table === b.table && JSON.stringify(rowValues(a)) === JSON.stringify(rowValues(b))

/** Whether somebody may do less because of this row than without it: a server that does not know the table must not run here. */
const takesAway = (put: Put): boolean =>
  (put.table === 'rule' && put.row.effect !== 'permit') ||
  (put.table === 'thing_type' && (JSON.parse(put.row.doc) as ThingType).authority !== 'owner')

const countKey = (table: RecordTable, connectionId?: string): string => (connectionId === undefined ? table : `${table}/${connectionId}`)

export class OwnerRows {
  readonly #sql: SqlStorage
  /** Forgotten when a row goes. */
  readonly #counts = new Map<string, number>()

  constructor(ctx: DurableObjectState) {
    this.#sql = ctx.storage.sql
  }

  meta(key: string): string | undefined {
    return this.#sql.exec<{ v: string }>('SELECT v FROM meta WHERE k = ?', key).toArray()[0]?.v
  }

  setMeta(key: string, value: string): void {
    this.#sql.exec('INSERT OR REPLACE INTO meta (k, v) VALUES (?, ?)', key, value)
  }

  /** How many rows there are, of one service if told. Counted once, then kept while rows are added. */
  count(table: RecordTable, connectionId?: string): number {
    const key = countKey(table, connectionId)
    let count = this.#counts.get(key)
    if (count === undefined) {
      const [where, values] = connectionId === undefined ? ['', []] : [' WHERE connection_id = ?', [connectionId]]
      count = this.#sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}${where}`, ...values).one().n
      this.#counts.set(key, count)
    }
    return count
  }

  emptied(): void {
    this.#counts.clear()
  }

  #countOneMore(put: Put): void {
    if (this.#counts.size === 0 || this.isLive(nameOf(put))) return
    const keys = [countKey(put.table), ...(put.table === 'resource' ? [countKey(put.table, put.row.connection_id)] : [])]
    for (const key of keys) {
      const count = this.#counts.get(key)
      if (count !== undefined) this.#counts.set(key, count + 1)
    }
  }

  apply(change: Change): void {
    if ((change.drop ?? []).length > 0) this.#counts.clear()
    for (const put of change.put ?? []) {
      this.#countOneMore(put)
      const columns = RECORD_COLUMNS[put.table]
      this.#sql.exec(
        `INSERT OR REPLACE INTO ${put.table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        ...rowValues(put),
      )
      this.#follow(put)
    }
    for (const { table, id } of change.drop ?? []) {
      this.#sql.exec(`DELETE FROM ${table} WHERE id = ?`, id)
      if (table === 'rule') unindexRule(this.#sql, id)
    }
  }

  /** What is made from a row, in the same turn. */
  #follow(put: Put): void {
    if (put.table === 'rule') indexRule(this.#sql, put.row)
    if (takesAway(put)) shutOutVersionBefore(this.#sql)
  }

  isLive(name: Name): boolean {
    return this.asLive(name).put !== undefined
  }

  /** The change that makes a row of the record what it is here. */
  asLive({ table, id }: Name): Change {
    const row = this.#sql.exec(`SELECT ${RECORD_COLUMNS[table].join(', ')} FROM ${table} WHERE id = ?`, id).toArray()[0]
    return row === undefined ? { drop: [{ table, id }] } : { put: [{ table, row } as unknown as Put] }
  }

  /** A share whose thing, a thing whose service, a member whose group is not here (any more). */
  isHomeless(put: Put): boolean {
    if (put.table === 'policy') return !this.isLive({ table: 'resource', id: put.row.resource_id })
    if (put.table === 'resource') return !this.isLive({ table: 'connection', id: put.row.connection_id })
    if (put.table === 'group_member') return !this.isLive({ table: 'person_group', id: put.row.group_id })
    return false
  }

  // ── Fences ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  fence(named: readonly Name[]): void {
    this.#sql.exec('INSERT INTO fence (rows) VALUES (?)', JSON.stringify(named))
  }

  fences(): { seq: number; named: Name[] }[] {
    return this.#sql
      .exec<{ seq: number; rows: string }>('SELECT seq, rows FROM fence ORDER BY seq')
      .toArray()
      .map(({ seq, rows }) => ({ seq, named: JSON.parse(rows) as Name[] }))
  }

  /** Ends all fences up to `seq`. */
  endFences(seq = Number.MAX_SAFE_INTEGER): void {
    this.#sql.exec('DELETE FROM fence WHERE seq <= ?', seq)
  }

  /** From now on what is live here counts for all that is fenced, and not what D1 holds. */
  voidFences(): void {
    for (const { seq, named } of this.fences()) {
      const rows = JSON.stringify(named.map((name) => ({ ...name, void: true })))
      this.#sql.exec('UPDATE fence SET rows = ? WHERE seq = ?', rows, seq)
    }
  }

  // ── Outbox ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  enqueue(change: Change): void {
    this.#sql.exec('INSERT INTO outbox (change) VALUES (?)', JSON.stringify(change))
  }

  /** The change that D1 has to be told next. */
  next(): { seq: number; change: Change } | undefined {
    const row = this.#sql.exec<{ seq: number; change: string }>('SELECT seq, change FROM outbox ORDER BY seq LIMIT 1').toArray()[0]
    return row && { seq: row.seq, change: JSON.parse(row.change) as Change }
  }

  told(seq: number): void {
    this.#sql.exec('DELETE FROM outbox WHERE seq = ?', seq)
  }

  /** Whether a row is named in the outbox, for all rows of the running turn. */
  outboxNames(): { has: (name: Name) => boolean } {
    const keys = new Set<string>()
    for (const row of this.#sql.exec<{ change: string }>('SELECT change FROM outbox')) {
      const change = JSON.parse(row.change) as Change
      for (const name of [...(change.drop ?? []), ...(change.put ?? []).map(nameOf)]) keys.add(keyOf(name))
    }
    return { has: (name) => keys.has(keyOf(name)) }
  }

  /** True while something has still to be told to D1 or asked from it. */
  get isPending(): boolean {
    return this.#sql.exec('SELECT 1 FROM outbox UNION ALL SELECT 1 FROM fence LIMIT 1').toArray().length > 0
  }
}

// One writer (DESIGN 3). A widening change is durable in D1 before it counts; a narrowing one counts, durably, before D1 knows.
// A fence names rows whose fate in D1 is uncertain; an outbox holds what D1 has still to be told. verify-state reads both.
import { type Change, dbFor, RECORD_COLUMNS, readRecordRow, recordStatements, type RecordTable, rowValues, takeWriter, wasWritten } from './record.ts'

export type Widened<T> = { kind: 'done'; value: T } | { kind: 'refused'; reason: string } | { kind: 'unavailable' }

export class OwnerRecord {
  readonly #ctx: DurableObjectState
  readonly #env: Env
  readonly #sql: SqlStorage
  #queue: Promise<unknown> = Promise.resolve()
  /** Grows with every change of what decisions rest on; caches compare it. */
  revision: number

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx
    this.#env = env
    this.#sql = ctx.storage.sql
    this.revision = Number(this.meta('revision') ?? '0')
  }

  get owner(): string | undefined {
    return this.meta('owner')
  }

  /** Begins the record of a new owner; does nothing if it has begun. */
  init(owner: string, labelPublic: JsonWebKey): void {
    if (this.owner !== undefined) return
    this.setMeta('label_public', JSON.stringify(labelPublic))
    this.setMeta('writer', '1')
    this.setMeta('owner', owner)
  }

  get labelPublic(): JsonWebKey {
    return JSON.parse(this.meta('label_public') ?? '{}') as JsonWebKey
  }

  meta(key: string): string | undefined {
    return this.#sql.exec<{ v: string }>('SELECT v FROM meta WHERE k = ?', key).toArray()[0]?.v
  }

  setMeta(key: string, value: string): void {
    this.#sql.exec('INSERT OR REPLACE INTO meta (k, v) VALUES (?, ?)', key, value)
  }

  /** True while something has still to be told to D1 or asked from it. */
  get isPending(): boolean {
    return this.#sql.exec('SELECT 1 FROM outbox UNION ALL SELECT 1 FROM fence LIMIT 1').toArray().length > 0
  }

  /**
   * A change that gives somebody more. `check` names a reason to refuse and runs before and after D1 was written, since a
   * narrowing change may come in between; `finish` runs in the turn in which the change becomes visible.
   */
  widen<T>(change: Change, check: () => string | undefined, finish: () => T): Promise<Widened<T>> {
    return this.serial(async () => {
      const refused = check()
      if (refused !== undefined) return { kind: 'refused', reason: refused }
      if (!(await this.#settled())) return { kind: 'unavailable' }
      const owner = this.owner ?? ''
      const named = (change.put ?? []).map((put) => ({ table: put.table, id: put.row.id }))
      this.#sql.exec('INSERT INTO fence (rows) VALUES (?)', JSON.stringify([...named, ...(change.drop ?? [])]))
      await this.#ctx.storage.sync()
      const db = dbFor(this.#env, owner)
      try {
        if (!wasWritten(await db.batch(recordStatements(db, owner, this.#writer, change)))) throw new Error('another writer')
      } catch {
        await this.#settled() // whether D1 took it is unknown: the fence makes us look
        return { kind: 'unavailable' }
      }
      // Invariant: from here to the return there is no await; the change, the fence's end and `finish` are one transaction.
      const late = check()
      this.#sql.exec('DELETE FROM fence')
      if (late !== undefined) {
        this.#enqueue({ drop: named })
        return { kind: 'refused', reason: late }
      }
      this.#apply(change)
      return { kind: 'done', value: finish() }
    })
  }

  /** A change that takes something away: in force, durably, when the caller's turn ends. D1 follows. */
  narrow(change: Change): void {
    this.#apply(change)
    this.#enqueue(change)
  }

  /** Tells D1 what it has missed; true if nothing is left. Never throws. */
  settle(): Promise<boolean> {
    return this.serial(() => this.#settled())
  }

  /** Runs `work` after all earlier work of this queue. */
  serial<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(work, work)
    this.#queue = run.catch(() => undefined)
    return run
  }

  get #writer(): number {
    return Number(this.meta('writer') ?? '1')
  }

  /** Number of the writer, for statements made elsewhere (activity). */
  get writer(): number {
    return this.#writer
  }

  #enqueue(change: Change): void {
    this.#sql.exec('INSERT INTO outbox (change) VALUES (?)', JSON.stringify(change))
  }

  #apply(change: Change): void {
    for (const put of change.put ?? []) {
      const columns = RECORD_COLUMNS[put.table]
      this.#sql.exec(
        `INSERT OR REPLACE INTO ${put.table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        ...rowValues(put),
      )
    }
    for (const { table, id } of change.drop ?? []) this.#sql.exec(`DELETE FROM ${table} WHERE id = ?`, id)
    this.touch()
  }

  /** Counts a change; answers that rest on an older revision are computed again. */
  touch(): void {
    this.revision += 1
    this.setMeta('revision', String(this.revision))
  }

  async #settled(): Promise<boolean> {
    try {
      await this.#resolveFences()
      await this.#flushOutbox()
      return true
    } catch {
      return false // D1 is away; the alarm tries again
    }
  }

  async #resolveFences(): Promise<void> {
    const fences = this.#sql.exec<{ seq: number; rows: string }>('SELECT seq, rows FROM fence ORDER BY seq').toArray()
    const owner = this.owner
    if (fences.length === 0 || owner === undefined) return
    const db = dbFor(this.#env, owner)
    const writer = await takeWriter(db, owner)
    if (writer === undefined) throw new Error('the owner has no row')
    const named = fences.flatMap((fence) => JSON.parse(fence.rows) as { table: RecordTable; id: string }[])
    const found = await Promise.all(named.map(async (name) => ({ ...name, row: await readRecordRow(db, owner, name.table, name.id) })))
    const narrowed = this.#namedInOutbox() // what was taken away meanwhile must not come back
    const change: Change = { put: [], drop: [] }
    for (const { table, id, row } of found) {
      if (narrowed.has(`${table}/${id}`)) continue
      if (row === undefined) change.drop?.push({ table, id })
      else change.put?.push({ table, row } as NonNullable<Change['put']>[number])
    }
    this.setMeta('writer', String(writer))
    this.#apply(change)
    for (const fence of fences) this.#sql.exec('DELETE FROM fence WHERE seq = ?', fence.seq)
  }

  #namedInOutbox(): Set<string> {
    const named = new Set<string>()
    for (const { change } of this.#sql.exec<{ change: string }>('SELECT change FROM outbox')) {
      const parsed = JSON.parse(change) as Change
      for (const drop of parsed.drop ?? []) named.add(`${drop.table}/${drop.id}`)
      for (const put of parsed.put ?? []) named.add(`${put.table}/${put.row.id}`)
    }
    return named
  }

  async #flushOutbox(): Promise<void> {
    const owner = this.owner
    if (owner === undefined) return
    const db = dbFor(this.#env, owner)
    for (;;) {
      const next = this.#sql.exec<{ seq: number; change: string }>('SELECT seq, change FROM outbox ORDER BY seq LIMIT 1').toArray()[0]
      if (next === undefined) return
      const change = JSON.parse(next.change) as Change
      if (!wasWritten(await db.batch(recordStatements(db, owner, this.#writer, change)))) {
        const writer = await takeWriter(db, owner)
        if (writer === undefined) throw new Error('the owner has no row')
        this.setMeta('writer', String(writer))
        continue
      }
      this.#sql.exec('DELETE FROM outbox WHERE seq = ?', next.seq)
    }
  }
}

// One writer (DESIGN 3). A widening change is durable in D1 before it counts; a narrowing one counts, durably, before D1 knows.
// A fence names rows whose fate in D1 is uncertain; an outbox holds what D1 has still to be told. verify-state reads both.
import {
  type Change,
  dbFor,
  type Put,
  RECORD_COLUMNS,
  readRecordRow,
  recordStatements,
  type RecordTable,
  rowValues,
  Silence,
  takeWriter,
  wasWritten,
  within,
} from './record.ts'

export type Widened<T> = { kind: 'done'; value: T } | { kind: 'refused'; reason: string } | { kind: 'unavailable' }

/**
 * A change that gives somebody more. `check` names a reason to refuse and runs again after D1 was written, since a narrowing change may
 * come in between; `finish` runs in the turn in which the change becomes visible.
 */
export type Plan<T> = { change: Change; check: () => string | undefined; finish: () => T }

/** Milliseconds for which D1 is left alone after it has not answered: those who wait are told at once instead of one after the other. */
const HUSH = 2000

type Name = { table: RecordTable; id: string }
const nameOf = (put: Put): Name => ({ table: put.table, id: put.row.id })

export class OwnerRecord {
  readonly #ctx: DurableObjectState
  readonly #env: Env
  readonly #sql: SqlStorage
  #queue: Promise<unknown> = Promise.resolve()
  #hushUntil = 0
  /** Is told, in the turn in which they count, of rows that nobody was told of: the instance that wrote them died, or D1's answer was lost. */
  recovered: (rows: Put[]) => void = () => undefined
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

  /** Carries a plan out. It is made in the queue, after all that was asked before has happened; a text is a reason to refuse. */
  widen<T>(plan: () => Plan<T> | string): Promise<Widened<T>> {
    return this.serial(async () => {
      let planned = plan()
      if (typeof planned !== 'string' && this.isPending) {
        if (!(await this.#settled())) return { kind: 'unavailable' }
        planned = plan()
      }
      if (typeof planned === 'string') return { kind: 'refused', reason: planned }
      const { change, finish } = planned
      const owner = this.owner ?? ''
      const named = (change.put ?? []).map(nameOf)
      this.#sql.exec('INSERT INTO fence (rows) VALUES (?)', JSON.stringify([...named, ...(change.drop ?? [])]))
      await this.#ctx.storage.sync()
      const db = dbFor(this.#env, owner)
      try {
        if (!wasWritten(await within(db.batch(recordStatements(db, owner, this.#writer, change))))) throw new Error('another writer')
      } catch (error) {
        this.#note(error)
        return this.#lookAgain(planned)
      }
      // Invariant: from here to the return there is no await; the change, the fence's end and `finish` are one transaction.
      const late = this.#isLate(planned)
      this.#sql.exec('DELETE FROM fence')
      if (late !== undefined) {
        this.#enqueue({ drop: named })
        return { kind: 'refused', reason: late }
      }
      this.#apply(change)
      return { kind: 'done', value: finish() }
    })
  }

  /** Whether D1 took the change is unknown: the fence makes us look. If it is all there, it is done; else nothing has changed. */
  async #lookAgain<T>(planned: Plan<T>): Promise<Widened<T>> {
    let done: { value: T } | undefined
    await this.#settled((rows) => {
      const isThere = (planned.change.put ?? []).every((put) => rows.some((row) => isSame(row, put)))
      if (isThere && this.#isLate(planned) === undefined) done = { value: planned.finish() }
    })
    return done === undefined ? { kind: 'unavailable' } : { kind: 'done', value: done.value }
  }

  /** A reason to refuse that came up while D1 was written: what `check` finds, or that a row was taken away meanwhile. */
  #isLate(planned: Plan<unknown>): string | undefined {
    const narrowed = this.#namedInOutbox()
    const isTaken = (planned.change.put ?? []).some((put) => narrowed.has(keyOf(nameOf(put))))
    return planned.check() ?? (isTaken ? 'taken_away' : undefined)
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

  async #settled(found?: (rows: Put[]) => void): Promise<boolean> {
    if (Date.now() < this.#hushUntil) return false
    try {
      await this.#resolveFences(found)
      await this.#flushOutbox()
      return true
    } catch (error) {
      this.#note(error)
      return false // D1 is away; the alarm tries again
    }
  }

  #note(error: unknown): void {
    if (error instanceof Silence) this.#hushUntil = Date.now() + HUSH
  }

  async #resolveFences(found?: (rows: Put[]) => void): Promise<void> {
    const fences = this.#sql.exec<{ seq: number; rows: string }>('SELECT seq, rows FROM fence ORDER BY seq').toArray()
    const owner = this.owner
    if (fences.length === 0 || owner === undefined) return
    const db = dbFor(this.#env, owner)
    const writer = await takeWriter(db, owner)
    if (writer === undefined) throw new Error('the owner has no row')
    const named = fences.flatMap((fence) => JSON.parse(fence.rows) as Name[])
    const read = await Promise.all(named.map(async (name) => ({ ...name, row: await readRecordRow(db, owner, name.table, name.id) })))
    // Invariant: from here on there is no await: what is applied, the fences' end and what is told of it are one transaction.
    const narrowed = this.#namedInOutbox() // what was taken away meanwhile must not come back
    const change = { put: [] as Put[], drop: [] as Name[] }
    for (const { table, id, row } of read) {
      if (narrowed.has(keyOf({ table, id }))) continue
      const put = row === undefined ? undefined : ({ table, row } as Put)
      if (put !== undefined && !this.#isHomeless(put)) change.put.push(put)
      else {
        change.drop.push({ table, id })
        if (put !== undefined) this.#enqueue({ drop: [{ table, id }] })
      }
    }
    const unknown = change.put.filter((put) => !this.#isLive(nameOf(put)))
    this.setMeta('writer', String(writer))
    this.#apply(change)
    for (const fence of fences) this.#sql.exec('DELETE FROM fence WHERE seq = ?', fence.seq)
    if (found === undefined) this.recovered(unknown)
    else found(change.put)
  }

  /** A share whose thing, or a thing whose service, was taken away while D1 took the row. */
  #isHomeless(put: Put): boolean {
    if (put.table === 'policy') return !this.#isLive({ table: 'resource', id: put.row.resource_id })
    if (put.table === 'resource') return !this.#isLive({ table: 'connection', id: put.row.connection_id })
    return false
  }

  #isLive({ table, id }: Name): boolean {
    return this.#sql.exec(`SELECT 1 FROM ${table} WHERE id = ?`, id).toArray().length === 1
  }

  #namedInOutbox(): Set<string> {
    const named = new Set<string>()
    for (const { change } of this.#sql.exec<{ change: string }>('SELECT change FROM outbox')) {
      const parsed = JSON.parse(change) as Change
      for (const drop of parsed.drop ?? []) named.add(keyOf(drop))
      for (const put of parsed.put ?? []) named.add(keyOf(nameOf(put)))
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
      if (!wasWritten(await within(db.batch(recordStatements(db, owner, this.#writer, change))))) {
        const writer = await takeWriter(db, owner)
        if (writer === undefined) throw new Error('the owner has no row')
        this.setMeta('writer', String(writer))
        continue
      }
      this.#sql.exec('DELETE FROM outbox WHERE seq = ?', next.seq)
    }
  }
}

const keyOf = ({ table, id }: Name): string => `${table}/${id}`
const isSame = (a: Put, b: Put): boolean => a.table === b.table && JSON.stringify(rowValues(a)) === JSON.stringify(rowValues(b))

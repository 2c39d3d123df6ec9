// One writer (DESIGN 3). A widening change is durable in D1 before it counts; a narrowing one counts, durably, before D1 knows.
// A fence names rows whose fate in D1 is uncertain; an outbox holds what D1 has still to be told. verify-state reads both.
import { isSame, type Name, nameOf, OwnerRows } from './owner-rows.ts'
import { type QuotaName, type Quotas, quotasOf } from './quotas.ts'
import {
  type Change,
  dbFor,
  type Put,
  type RecordTable,
  readRecordRows,
  recordStatements,
  Silence,
  takeWriter,
  wasWritten,
  within,
} from './record.ts'
import { beginOwner } from './versions.ts'

export type Widened<T> = { kind: 'done'; value: T } | { kind: 'refused'; reason: string } | { kind: 'unavailable' }

/**
 * A change that gives somebody more. `check` names a reason to refuse and runs again after D1 was written, since a narrowing change may
 * come in between; `finish` runs in the turn in which the change becomes visible.
 */
export type Plan<T> = { change: Change; check: () => string | undefined; finish: () => T }

/** Of whoever asks what came of a change: whether it is refused by now, and what D1 took of it. */
type Look = { isRefused: () => boolean; found: (rows: Put[]) => void }

const PER_OWNER = {
  resource: 'resources_per_owner',
  policy: 'policies_per_owner',
  person: 'people_per_owner',
  connection: 'connections_per_owner',
  rule: 'rules_per_owner',
  rule_past: 'past_rules_per_owner',
  person_group: 'groups_per_owner',
  group_member: 'members_per_owner',
  thing_type: 'types_per_owner',
  org_member: 'members_per_organisation',
  membership: 'memberships_per_owner',
  claim_issuer: 'issuers_per_owner',
} as const satisfies Record<RecordTable, QuotaName>

/** Milliseconds for which D1 is left alone after it has not answered: those who wait are told at once instead of one after the other. */
const HUSH = 2000

export class OwnerRecord {
  readonly #ctx: DurableObjectState
  readonly #env: Env
  readonly #rows: OwnerRows
  #queue: Promise<unknown> = Promise.resolve()
  #hushUntil = 0
  readonly quotas: Quotas
  /** Grows with every change of what decisions rest on; caches compare it. */
  revision: number
  /** Is told, in the turn in which they count, of rows that nobody was told of: the instance that wrote them died in between. */
  recovered: (rows: Put[]) => void = () => undefined

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx
    this.#env = env
    this.#rows = new OwnerRows(ctx)
    this.quotas = quotasOf(env)
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
    beginOwner(this.#ctx.storage.sql)
  }

  /** Whether one more row would be too many, of one service if told. */
  isFull(table: RecordTable, connectionId?: string): boolean {
    const quota = connectionId === undefined ? PER_OWNER[table] : 'resources_per_service'
    return this.#rows.count(table, connectionId) >= this.quotas[quota]
  }

  /** How many more rows there may be, and of how many. */
  roomFor(table: RecordTable): { used: number; most: number } {
    return { used: this.#rows.count(table), most: this.quotas[PER_OWNER[table]] }
  }

  isEmpty(table: RecordTable): boolean {
    return this.#rows.count(table) === 0
  }

  get labelPublic(): JsonWebKey {
    return JSON.parse(this.meta('label_public') ?? '{}') as JsonWebKey
  }

  meta(key: string): string | undefined {
    return this.#rows.meta(key)
  }

  setMeta(key: string, value: string): void {
    this.#rows.setMeta(key, value)
  }

  /** True while something has still to be told to D1 or asked from it. */
  get isPending(): boolean {
    return this.#rows.isPending
  }

  /** Carries a plan out. It is made in the queue, after all that was asked before has happened; a text is a reason to refuse. */
  widen<T>(plan: () => Plan<T> | string): Promise<Widened<T>> {
    return this.serial(async () => {
      // A deleted account takes nothing in while the record has still to follow.
      if (this.meta('ending') !== undefined) return { kind: 'refused', reason: 'no_owner' }
      const first = plan()
      if (typeof first === 'string') return { kind: 'refused', reason: first }
      if (!this.isPending) return this.#carryOut(first)
      if (!(await this.#settled())) return { kind: 'unavailable' }
      const second = plan()
      return typeof second === 'string' ? { kind: 'refused', reason: second } : this.#carryOut(second)
    })
  }

  async #carryOut<T>(planned: Plan<T>): Promise<Widened<T>> {
    const { change, finish } = planned
    const named = [...(change.put ?? []).map(nameOf), ...(change.drop ?? [])]
    this.#rows.fence(named)
    await this.#ctx.storage.sync()
    try {
      if (!(await this.#write(change))) throw new Error('another writer')
    } catch (error) {
      this.#note(error)
      return this.#lookAgain(planned)
    }
    // Invariant: from here to the return there is no await; the change, the fence's end and `finish` are one transaction.
    const late = this.#isLate(planned)
    this.#rows.endFences()
    if (late !== undefined) {
      // What D1 took, and what it dropped, is made what it is here.
      for (const name of named) this.#rows.enqueue(this.#rows.asLive(name))
      return { kind: 'refused', reason: late }
    }
    this.#apply(change)
    return { kind: 'done', value: finish() }
  }

  /** Whether D1 took the change is unknown: the fence makes us look. If it is all there, it is done; else nothing has changed. */
  async #lookAgain<T>(planned: Plan<T>): Promise<Widened<T>> {
    let done: { value: T } | undefined
    let late: string | undefined
    await this.#settled({
      isRefused: () => {
        late = this.#isLate(planned)
        return late !== undefined
      },
      found: (rows) => {
        const { put = [], drop = [] } = planned.change
        const isThere = put.every((one) => rows.some((row) => isSame(row, one))) && !drop.some((name) => this.#rows.isLive(name))
        if (isThere && late === undefined) done = { value: planned.finish() }
      },
    })
    if (done !== undefined) return { kind: 'done', value: done.value }
    if (late !== undefined) return { kind: 'refused', reason: late }
    // The caller is told that nothing has changed, so whatever D1 took must go again.
    this.#rows.voidFences()
    return { kind: 'unavailable' }
  }

  /** A reason to refuse that came up while D1 was written: what `check` finds, or that a row was taken away meanwhile. */
  #isLate({ change, check }: Plan<unknown>): string | undefined {
    const narrowed = this.#rows.outboxNames()
    return check() ?? ((change.put ?? []).some((put) => narrowed.has(nameOf(put))) ? 'taken_away' : undefined)
  }

  /** A change that takes something away: in force, durably, when the caller's turn ends. D1 follows. */
  narrow(change: Change): void {
    this.#apply(change)
    this.#rows.enqueue(change)
  }

  /** Tells D1 what it has missed; true if nothing is left. `anyway`: also if D1 has just not answered. Never throws. */
  settle(anyway = false): Promise<boolean> {
    return this.serial(() => {
      if (anyway) this.#hushUntil = 0
      return this.#settled()
    })
  }

  /** Runs `work` after all earlier work of this queue. */
  serial<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(work, work)
    this.#queue = run.catch(() => undefined)
    return run
  }

  /** Number of the writer, for statements made elsewhere (activity). */
  get writer(): number {
    return Number(this.meta('writer') ?? '1')
  }

  /** Every row of the live copy is gone (owner-account.ts). */
  emptied(): void {
    this.#rows.emptied()
    this.touch()
  }

  /** Counts a change; answers that rest on an older revision are computed again. */
  touch(): void {
    this.revision += 1
    this.setMeta('revision', String(this.revision))
  }

  #apply(change: Change): void {
    this.#rows.apply(change)
    this.touch()
  }

  /** One batch in D1; false if another instance is the writer now. */
  async #write(change: Change): Promise<boolean> {
    const owner = this.owner ?? ''
    const db = dbFor(this.#env, owner)
    return wasWritten(await within(db.batch(recordStatements(db, owner, this.writer, change))))
  }

  async #nextWriter(): Promise<number> {
    const owner = this.owner ?? ''
    const writer = await takeWriter(dbFor(this.#env, owner), owner)
    if (writer === undefined) throw new Error('the owner has no row')
    return writer
  }

  async #settled(look?: Look): Promise<boolean> {
    if (this.owner === undefined) return true
    if (Date.now() < this.#hushUntil) return false
    try {
      await this.#resolveFences(look)
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

  async #resolveFences(look?: Look): Promise<void> {
    const fences = this.#rows.fences()
    const last = fences.at(-1)
    if (last === undefined) return
    const writer = await this.#nextWriter()
    const named = fences.flatMap((fence) => fence.named)
    const read = await this.#readRows(named.filter((name) => name.void !== true))
    // Invariant: from here on there is no await: what is applied, the fences' end and what is told of it are one transaction.
    const narrowed = this.#rows.outboxNames() // what was taken away meanwhile must not come back
    const isRefused = look?.isRefused() === true
    const isOver = (name: Name) => isRefused || narrowed.has(name)
    const puts = read.flatMap(({ name, put }) => (put === undefined || isOver(name) || this.#rows.isHomeless(put) ? [] : [put]))
    const unknown = puts.filter((put) => !this.#rows.isLive(nameOf(put)))
    this.setMeta('writer', String(writer))
    this.#apply({ put: puts, drop: read.flatMap(({ name, put }) => (put === undefined && !isOver(name) ? [name] : [])) })
    const wrong = read.flatMap(({ name, put }) => (isRefused || (put !== undefined && !puts.includes(put)) ? [name] : []))
    for (const name of [...wrong, ...named.filter((one) => one.void === true)]) this.#rows.enqueue(this.#rows.asLive(name))
    this.#rows.endFences(last.seq)
    if (look === undefined) this.recovered(unknown)
    else look.found(puts)
  }

  /** What D1 holds under these names; several rows at a time, since D1 counts questions. */
  async #readRows(names: readonly Name[]): Promise<{ name: Name; put: Put | undefined }[]> {
    const owner = this.owner ?? ''
    const db = dbFor(this.#env, owner)
    const read = await Promise.all(
      [...Map.groupBy(names, ({ table }) => table)].map(async ([table, some]) => {
        const ids = some.map(({ id }) => id)
        const rows = new Map((await readRecordRows(db, owner, table, ids)).map((put) => [put.row.id, put]))
        return some.map((name) => ({ name, put: rows.get(name.id) }))
      }),
    )
    return read.flat()
  }

  async #flushOutbox(): Promise<void> {
    for (;;) {
      const next = this.#rows.next()
      if (next === undefined) return
      if (await this.#write(next.change)) this.#rows.told(next.seq)
      else this.setMeta('writer', String(await this.#nextWriter()))
    }
  }
}

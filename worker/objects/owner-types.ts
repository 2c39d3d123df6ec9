// Types of things: which scopes bring others along, and whose permit counts. Each change has a revision and can be undone (owner-undo.ts).
// Who may call is decided before (owner.ts).
import type { ThingType } from '../policy/policy.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import type { OwnerUndo } from './owner-undo.ts'
import type { Put, ThingTypeRow } from './record.ts'

const PAGE = 200

/** A change of one type by a caller who has seen this revision of it; absent: whatever it is. */
export type OfType = { type: string; now: number; expected_rev?: number }
export type PastType = { rev: number; doc: string; ended_at: number }

export class OwnerTypes {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord
  readonly #undo: OwnerUndo

  constructor(ctx: DurableObjectState, record: OwnerRecord, undo: OwnerUndo) {
    this.#sql = ctx.storage.sql
    this.#record = record
    this.#undo = undo
  }

  types(cursor = ''): ThingTypeRow[] {
    return this.#sql.exec<ThingTypeRow>('SELECT * FROM thing_type WHERE id > ? ORDER BY id LIMIT ?', cursor, PAGE).toArray()
  }

  row(type: string): ThingTypeRow | undefined {
    return this.#sql.exec<ThingTypeRow>('SELECT * FROM thing_type WHERE id = ?', type).toArray()[0]
  }

  type(type: string): ThingType | undefined {
    const row = this.row(type)
    return row && (JSON.parse(row.doc) as ThingType)
  }

  #isConflict({ type, expected_rev }: OfType): boolean {
    return expected_rev !== undefined && expected_rev !== (this.row(type)?.updated_at ?? 0)
  }

  /** Refused with `conflict`, `full_types`. */
  putType(input: Omit<OfType, 'type'> & { type: ThingType }, note: () => void): Promise<Widened<ThingTypeRow>> {
    const { type, now } = input
    return this.#record.widen(() => {
      const id = type.type
      if (this.#isConflict({ ...input, type: id })) return 'conflict'
      const known = this.row(id)
      if (known === undefined && this.#record.isFull('thing_type')) return 'full_types'
      const updated_at = this.#undo.next('type', id, known, now)
      const row: ThingTypeRow = { id, doc: JSON.stringify(type), created_at: known?.created_at ?? now, updated_at }
      const past = known === undefined ? [] : this.#undo.typePast(known, now)
      const put: Put[] = [{ table: 'thing_type', row }, ...past]
      return { change: { put, drop: this.#undo.beyond('type', id) }, check: () => undefined, finish: () => told(note, row) }
    })
  }

  /** Refused with `conflict`; what is gone is gone. */
  dropType(input: OfType, note: () => void): Promise<Widened<{ type: string }>> {
    const { type, now } = input
    return this.#record.widen(() => {
      const known = this.row(type)
      if (known === undefined) return { change: {}, check: () => undefined, finish: () => ({ type }) }
      if (this.#isConflict(input)) return 'conflict'
      const drop = [{ table: 'thing_type' as const, id: type }, ...this.#undo.beyond('type', type)]
      return { change: { put: this.#undo.typePast(known, now), drop }, check: () => undefined, finish: () => told(note, { type }) }
    })
  }

  revisionOf(type: string): number {
    return this.#undo.revisionOf('type', type, this.row(type))
  }

  history(type: string): PastType[] {
    return this.#undo.history('type', type).map(({ past, was }) => ({ rev: past.rev, doc: was.before.doc, ended_at: past.ended_at }))
  }

  /** Brings back what a type was last, also one that was dropped. Refused with `no_past`, `conflict`, `full_types`. */
  undo(input: OfType, note: () => void): Promise<Widened<ThingTypeRow>> {
    const { type, now } = input
    return this.#record.widen(() => {
      const [last] = this.#undo.history('type', type)
      if (last === undefined) return 'no_past'
      const current = this.row(type)
      if (input.expected_rev !== undefined && input.expected_rev !== this.revisionOf(type)) return 'conflict'
      if (current === undefined && this.#record.isFull('thing_type')) return 'full_types'
      const row: ThingTypeRow = { ...last.was.before, updated_at: this.#undo.next('type', type, current, now) }
      const kept = current === undefined ? [] : this.#undo.typePast(current, now)
      const put: Put[] = [{ table: 'thing_type', row }, ...kept]
      return { change: { put, drop: this.#undo.dropsOf(last.past) }, check: () => undefined, finish: () => told(note, row) }
    })
  }
}

function told<T>(note: () => void, value: T): T {
  note()
  return value
}

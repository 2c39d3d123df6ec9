// What groups of people and types of things were before they were changed or dropped, to be brought back. Of a group only what was different
// is remembered: its row, who was put in since (they go again) and who was taken out since (they come back).
// Their revision is the second of their last change, or one more than the one before: it never comes twice.
import type { OwnerRecord } from './owner-record.ts'
import type { Change, GroupRow, MemberRow, PastRow, Put, ThingTypeRow } from './record.ts'

/** Changes that are kept of one group or type. */
const KEPT = 20
/** Members in one row of the record. */
const CHUNK = 200

export type Kept = 'group' | 'type'
/** `before`: what stood there. `came`, `went`: members since then; those who went are in rows of their own. */
export type GroupWas = { before: GroupRow; came: string[]; went: number }
export type TypeWas = { before: ThingTypeRow }
export type Was<T> = { past: PastRow; was: T }

export class OwnerUndo {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  /** What it was, newest first. */
  history(kind: 'group', id: string): Was<GroupWas>[]
  history(kind: 'type', id: string): Was<TypeWas>[]
  history(kind: Kept, id: string): Was<GroupWas | TypeWas>[] {
    return this.#heads(kind, id).map((past) => ({ past, was: JSON.parse(past.row) as GroupWas | TypeWas }))
  }

  /** As OwnerRules.revisionOf: what stands there, one more than what is gone, 0 where nothing ever was. */
  revisionOf(kind: Kept, id: string, live: { updated_at: number } | undefined): number {
    if (live !== undefined) return live.updated_at
    const [last] = this.#heads(kind, id)
    return last === undefined ? 0 : last.rev + 1
  }

  /** The revision after a change. */
  next(kind: Kept, id: string, live: { updated_at: number } | undefined, now: number): number {
    return Math.max(now, this.revisionOf(kind, id, live) + 1)
  }

  /** Rows that remember what a group was; none if as much is remembered as may be: ending must always work. */
  groupPast(before: GroupRow, { came = [], went = [] }: { came?: string[]; went?: readonly MemberRow[] }, now: number): Put[] {
    const head = this.#row('group', before, { before, came, went: went.length } satisfies GroupWas, now)
    const rows = [head]
    for (let at = 0; at < went.length; at += CHUNK) {
      const row = JSON.stringify(went.slice(at, at + CHUNK))
      rows.push({ ...head, id: `${head.id}.${at}`, rule_id: head.id, kind: 'people', row })
    }
    const { used, most } = this.#record.roomFor('rule_past')
    return used + rows.length > most ? [] : rows.map((row) => ({ table: 'rule_past', row }))
  }

  typePast(before: ThingTypeRow, now: number): Put[] {
    if (this.#record.isFull('rule_past')) return []
    return [{ table: 'rule_past', row: this.#row('type', before, { before } satisfies TypeWas, now) }]
  }

  #row(kind: Kept, before: { id: string; updated_at: number }, was: GroupWas | TypeWas, now: number): PastRow {
    const name = `${kind}/${before.id}`
    const rev = before.updated_at
    return { id: `${name}.${rev}.${now}`, rule_id: name, kind, rev, row: JSON.stringify(was), ended_at: now }
  }

  /** Those who had been taken out with this change. */
  wentWith(past: PastRow): MemberRow[] {
    return this.#parts(past.id).flatMap(({ row }) => JSON.parse(row) as MemberRow[])
  }

  /** The rows of one change. */
  dropsOf(past: PastRow): NonNullable<Change['drop']> {
    return [past, ...this.#parts(past.id)].map(({ id }) => ({ table: 'rule_past', id }))
  }

  /** What goes when one more change is kept. */
  beyond(kind: Kept, id: string): NonNullable<Change['drop']> {
    return this.#heads(kind, id, -1)
      .slice(KEPT - 1)
      .flatMap((past) => this.dropsOf(past))
  }

  #heads(kind: Kept, id: string, most = KEPT): PastRow[] {
    return this.#sql
      .exec<PastRow>(
        'SELECT * FROM rule_past WHERE rule_id = ? AND kind = ? ORDER BY rev DESC, ended_at DESC LIMIT ?',
        `${kind}/${id}`,
        kind,
        most,
      )
      .toArray()
  }

  #parts(headId: string): PastRow[] {
    return this.#sql.exec<PastRow>("SELECT * FROM rule_past WHERE rule_id = ? AND kind = 'people' ORDER BY id", headId).toArray()
  }
}

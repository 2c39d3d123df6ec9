// Groups of people: what rules speak of besides things and persons. Each change has a revision and can be undone (owner-undo.ts). Who may
// call is decided before (owner.ts).
import type { Policy } from '../policy/policy.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import { groupsOf } from './owner-rules.ts'
import type { OwnerUndo } from './owner-undo.ts'
import type { GroupRow, MemberRow, PersonRow, Put } from './record.ts'

const PAGE = 200

export type ListedGroup = GroupRow & { member_count: number }
/** Either somebody known, or an address as this owner's rules know it, with its label. */
export type NewMember = { person_id: string } | { mac: string; label: string }
/** A change of one group by a caller who has seen this revision of it; absent: whatever it is. */
export type OfGroup = { id: string; now: number; expected_rev?: number }
/** What a group was: its name, how many were put in and taken out since. */
export type PastGroup = { rev: number; label: string; came: number; went: number; ended_at: number }

export class OwnerGroups {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord
  readonly #undo: OwnerUndo

  constructor(ctx: DurableObjectState, record: OwnerRecord, undo: OwnerUndo) {
    this.#sql = ctx.storage.sql
    this.#record = record
    this.#undo = undo
  }

  groups(cursor = ''): ListedGroup[] {
    return this.#sql
      .exec<ListedGroup>(
        `SELECT g.*, (SELECT COUNT(*) FROM group_member m WHERE m.group_id = g.id) AS member_count FROM person_group g
         WHERE g.id > ? ORDER BY g.id LIMIT ?`,
        cursor,
        PAGE,
      )
      .toArray()
  }

  members(groupId: string, cursor = ''): MemberRow[] {
    return this.#sql
      .exec<MemberRow>('SELECT * FROM group_member WHERE group_id = ? AND id > ? ORDER BY id LIMIT ?', groupId, cursor, PAGE)
      .toArray()
  }

  size(groupId: string): number {
    return this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM group_member WHERE group_id = ?', groupId).one().n
  }

  isMember(groupId: string, mac: string): boolean {
    return this.#sql.exec('SELECT 1 FROM group_member WHERE id = ?', memberId(groupId, mac)).toArray().length === 1
  }

  group(id: string): GroupRow | undefined {
    return this.#sql.exec<GroupRow>('SELECT * FROM person_group WHERE id = ?', id).toArray()[0]
  }

  revisionOf(id: string): number {
    return this.#undo.revisionOf('group', id, this.group(id))
  }

  #isConflict({ id, expected_rev }: Pick<OfGroup, 'id' | 'expected_rev'>): boolean {
    // Of what is gone nothing has been read that could be changed: to make it anew the caller has seen nothing (0).
    return expected_rev !== undefined && expected_rev !== (this.group(id)?.updated_at ?? 0)
  }

  /** The group as it is after a change, and the rows that remember what it was. */
  #changed(known: GroupRow, now: number, since: { came?: string[]; went?: readonly MemberRow[] }, label = known.label) {
    const row: GroupRow = { ...known, label, updated_at: this.#undo.next('group', known.id, known, now) }
    const put: Put[] = [{ table: 'person_group', row }, ...this.#undo.groupPast(known, since, now)]
    return { row, put, drop: this.#undo.beyond('group', known.id) }
  }

  /** Makes a group or names it anew. Refused with `conflict`, `full_groups`. */
  putGroup(input: OfGroup & { label: string }, note: () => void): Promise<Widened<GroupRow>> {
    const { id, label, now } = input
    return this.#record.widen(() => {
      if (this.#isConflict(input)) return 'conflict'
      const known = this.group(id)
      if (known === undefined && this.#record.isFull('person_group')) return 'full_groups'
      const at = this.#undo.next('group', id, known, now)
      const made: GroupRow = { id, label, created_at: now, updated_at: at }
      const { row, put, drop } =
        known === undefined
          ? { row: made, put: [{ table: 'person_group' as const, row: made }], drop: [] }
          : this.#changed(known, now, {}, label)
      return { change: { put, drop }, check: () => undefined, finish: () => told(note, row) }
    })
  }

  /** Drops a group with its members; refused with `in_use` while a rule speaks of it, `no_group`, `conflict`. */
  dropGroup(input: OfGroup, note: () => void): Promise<Widened<{ id: string }>> {
    const { id, now } = input
    return this.#record.widen(() => {
      const check = () => (this.#rulesWith(id).length > 0 ? 'in_use' : undefined)
      const known = this.group(id)
      if (known === undefined) return 'no_group'
      const refused = this.#isConflict(input) ? 'conflict' : check()
      if (refused !== undefined) return refused
      const members = this.#sql.exec<MemberRow>('SELECT * FROM group_member WHERE group_id = ?', id).toArray()
      const drop = [
        ...members.map((row) => ({ table: 'group_member' as const, id: row.id })),
        { table: 'person_group' as const, id },
        ...this.#undo.beyond('group', id),
      ]
      return { change: { put: this.#undo.groupPast(known, { went: members }, now), drop }, check, finish: () => told(note, { id }) }
    })
  }

  /** Puts people into a group; those who are in it stay. Refused with `no_group`, `no_person`, `full_members`, `conflict`. */
  addMembers(input: OfGroup & { people: readonly NewMember[] }, note: () => void): Promise<Widened<{ added: number; rev: number }>> {
    const { id, people, now } = input
    return this.#record.widen(() => {
      const check = () => (this.group(id) === undefined ? 'no_group' : undefined)
      const known = this.group(id)
      if (known === undefined) return 'no_group'
      if (this.#isConflict(input)) return 'conflict'
      const members = new Map<string, MemberRow>()
      const { used, most } = this.#record.roomFor('group_member')
      for (const one of people) {
        const person = 'mac' in one ? one : this.#sql.exec<PersonRow>('SELECT * FROM person WHERE id = ?', one.person_id).toArray()[0]
        if (person === undefined) return 'no_person'
        if (this.isMember(id, person.mac)) continue
        const row = memberOf(id, person, now)
        members.set(row.id, row)
      }
      if (used + members.size > most) return 'full_members'
      if (members.size === 0) return { change: {}, check, finish: () => ({ added: 0, rev: known.updated_at }) }
      const { row, put, drop } = this.#changed(known, now, { came: [...members.keys()] })
      const all: Put[] = [...[...members.values()].map((one): Put => ({ table: 'group_member', row: one })), ...put]
      return { change: { put: all, drop }, check, finish: () => told(note, { added: members.size, rev: row.updated_at }) }
    })
  }

  /** Takes somebody out: at once, unless some rule gives more to who is not in the group. True if she was in it. Refused with `conflict`. */
  async removeMember(input: OfGroup & { member: string }, note: () => void): Promise<Widened<{ removed: boolean }>> {
    const { id, member, now } = input
    const isThere = () => this.#sql.exec<MemberRow>('SELECT * FROM group_member WHERE id = ? AND group_id = ?', member, id).toArray()[0]
    const plan = () => {
      if (this.#isConflict(input)) return 'conflict' as const
      const [known, row] = [this.group(id), isThere()]
      if (known === undefined || row === undefined) return undefined
      const { put, drop } = this.#changed(known, now, { went: [row] })
      return { put, drop: [{ table: 'group_member' as const, id: member }, ...drop] }
    }
    const planned = plan()
    if (planned === 'conflict') return { kind: 'refused', reason: 'conflict' }
    if (planned === undefined) return { kind: 'done', value: { removed: false } }
    if (!this.#rulesWith(id).some(isTakingAway)) {
      this.#record.narrow(planned)
      return { kind: 'done', value: told(note, { removed: true }) }
    }
    return this.#record.widen(() => {
      const change = plan()
      if (change === 'conflict') return 'conflict'
      const finish = () => (change === undefined ? { removed: false } : told(note, { removed: true }))
      return { change: change ?? {}, check: () => undefined, finish }
    })
  }

  // ── What was ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  history(id: string): PastGroup[] {
    return this.#undo.history('group', id).map(({ past, was }) => ({
      rev: past.rev,
      label: was.before.label,
      came: was.came.length,
      went: was.went,
      ended_at: past.ended_at,
    }))
  }

  /** Takes the last change of a group back, also that it was dropped. Refused with `no_past`, `conflict`, `full_...`. */
  undo(input: OfGroup, note: () => void): Promise<Widened<GroupRow>> {
    const { id, now } = input
    return this.#record.widen(() => {
      const [last] = this.#undo.history('group', id)
      if (last === undefined) return 'no_past'
      const current = this.group(id)
      const seen = this.revisionOf(id)
      if (input.expected_rev !== undefined && input.expected_rev !== seen) return 'conflict'
      if (current === undefined && this.#record.isFull('person_group')) return 'full_groups'
      const back = this.#undo.wentWith(last.past).filter(({ mac }) => !this.isMember(id, mac))
      const { used, most } = this.#record.roomFor('group_member')
      if (used + back.length > most) return 'full_members'
      const gone = last.was.came.flatMap((one) => this.#sql.exec<MemberRow>('SELECT * FROM group_member WHERE id = ?', one).toArray())
      const row: GroupRow = { ...last.was.before, updated_at: this.#undo.next('group', id, current, now) }
      const kept = current === undefined ? [] : this.#undo.groupPast(current, { came: back.map((one) => one.id), went: gone }, now)
      const put: Put[] = [{ table: 'person_group', row }, ...back.map((one): Put => ({ table: 'group_member', row: one })), ...kept]
      const drop = [...gone.map((one) => ({ table: 'group_member' as const, id: one.id })), ...this.#undo.dropsOf(last.past)]
      const check = () => (this.revisionOf(id) === seen ? undefined : 'conflict')
      return { change: { put, drop }, check, finish: () => told(note, row) }
    })
  }

  #rulesWith(groupId: string): Policy[] {
    return this.#sql
      .exec<{ doc: string }>('SELECT doc FROM rule WHERE instr(doc, ?) > 0', `"group":${JSON.stringify(groupId)}`)
      .toArray()
      .map(({ doc }) => JSON.parse(doc) as Policy)
      .filter(({ when }) => groupsOf(when).includes(groupId))
  }
}

export const memberId = (groupId: string, mac: string): string => `${groupId}.${mac}`

export const memberOf = (groupId: string, { mac, label }: { mac: string; label: string }, now: number): MemberRow => ({
  id: memberId(groupId, mac),
  group_id: groupId,
  mac,
  label,
  created_at: now,
})

function told<T>(note: () => void, value: T): T {
  note()
  return value
}

/** Whether somebody may do more because she is not in a group of which the rule speaks. */
const isTakingAway = (policy: Policy): boolean => policy.effect !== 'permit' || /"(?:not|if)":/.test(JSON.stringify(policy.when))

// Groups of people and types of things: what rules speak of besides things and persons. Who may call is decided before (owner.ts).
import type { Policy, ThingType } from '../policy/policy.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import { groupsOf } from './owner-rules.ts'
import type { GroupRow, MemberRow, PersonRow, Put, ThingTypeRow } from './record.ts'

const PAGE = 200

export type ListedGroup = GroupRow & { member_count: number }
/** Either somebody known, or an address as this owner's rules know it, with its label. */
export type NewMember = { person_id: string } | { mac: string; label: string }

export class OwnerGroups {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  // ── Groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

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

  isMember(groupId: string, mac: string): boolean {
    return this.#sql.exec('SELECT 1 FROM group_member WHERE id = ?', memberId(groupId, mac)).toArray().length === 1
  }

  /** Makes a group or names it anew. */
  putGroup(input: { id: string; label: string; now: number }): Promise<Widened<GroupRow>> {
    return this.#record.widen(() => {
      const known = this.#group(input.id)
      if (known === undefined && this.#record.isFull('person_group')) return 'full_groups'
      const row: GroupRow = { id: input.id, label: input.label, created_at: known?.created_at ?? input.now, updated_at: input.now }
      return { change: { put: [{ table: 'person_group', row }] }, check: () => undefined, finish: () => row }
    })
  }

  /** Drops a group with its members; refused with `in_use` while a rule speaks of it, `no_group`. */
  dropGroup(id: string): Promise<Widened<{ id: string }>> {
    return this.#record.widen(() => {
      const check = () => (this.#rulesWith(id).length > 0 ? 'in_use' : undefined)
      if (this.#group(id) === undefined) return 'no_group'
      const refused = check()
      if (refused !== undefined) return refused
      const members = this.#sql.exec<{ id: string }>('SELECT id FROM group_member WHERE group_id = ?', id).toArray()
      const drop = [...members.map((row) => ({ table: 'group_member' as const, id: row.id })), { table: 'person_group' as const, id }]
      return { change: { drop }, check, finish: () => ({ id }) }
    })
  }

  /** Puts people into a group; those who are in it stay. Refused with `no_group`, `no_person`, `full_members`. */
  addMembers(groupId: string, people: readonly NewMember[], now: number): Promise<Widened<{ added: number }>> {
    return this.#record.widen(() => {
      const check = () => (this.#group(groupId) === undefined ? 'no_group' : undefined)
      const refused = check()
      if (refused !== undefined) return refused
      const put: Put[] = []
      for (const one of people) {
        const person = 'mac' in one ? one : this.#sql.exec<PersonRow>('SELECT * FROM person WHERE id = ?', one.person_id).toArray()[0]
        if (person === undefined) return 'no_person'
        if (this.isMember(groupId, person.mac)) continue
        if (this.#record.isFull('group_member')) return 'full_members'
        const row: MemberRow = {
          id: memberId(groupId, person.mac),
          group_id: groupId,
          mac: person.mac,
          label: person.label,
          created_at: now,
        }
        put.push({ table: 'group_member', row })
      }
      return { change: { put }, check, finish: () => ({ added: put.length }) }
    })
  }

  /** Takes somebody out: at once, unless some rule gives more to who is not in the group. True if she was in it. */
  async removeMember(groupId: string, id: string): Promise<Widened<{ removed: boolean }>> {
    const isThere = () => this.#sql.exec('SELECT 1 FROM group_member WHERE id = ? AND group_id = ?', id, groupId).toArray().length === 1
    if (!isThere()) return { kind: 'done', value: { removed: false } }
    const change = { drop: [{ table: 'group_member' as const, id }] }
    if (!this.#rulesWith(groupId).some(isTakingAway)) {
      this.#record.narrow(change)
      return { kind: 'done', value: { removed: true } }
    }
    return this.#record.widen(() => ({ change, check: () => undefined, finish: () => ({ removed: true }) }))
  }

  #group(id: string): GroupRow | undefined {
    return this.#sql.exec<GroupRow>('SELECT * FROM person_group WHERE id = ?', id).toArray()[0]
  }

  #rulesWith(groupId: string): Policy[] {
    return this.#sql
      .exec<{ doc: string }>('SELECT doc FROM rule WHERE instr(doc, ?) > 0', `"group":${JSON.stringify(groupId)}`)
      .toArray()
      .map(({ doc }) => JSON.parse(doc) as Policy)
      .filter(({ when }) => groupsOf(when).includes(groupId))
  }

  // ── Types of things ──────────────────────────────────────────────────────────────────────────────────────────────────────

  types(cursor = ''): ThingTypeRow[] {
    return this.#sql.exec<ThingTypeRow>('SELECT * FROM thing_type WHERE id > ? ORDER BY id LIMIT ?', cursor, PAGE).toArray()
  }

  type(type: string): ThingType | undefined {
    const row = this.#sql.exec<{ doc: string }>('SELECT doc FROM thing_type WHERE id = ?', type).toArray()[0]
    return row && (JSON.parse(row.doc) as ThingType)
  }

  putType(input: { type: ThingType; now: number }): Promise<Widened<ThingTypeRow>> {
    return this.#record.widen(() => {
      const id = input.type.type
      const known = this.#sql.exec<ThingTypeRow>('SELECT * FROM thing_type WHERE id = ?', id).toArray()[0]
      if (known === undefined && this.#record.isFull('thing_type')) return 'full_types'
      const row: ThingTypeRow = { id, doc: JSON.stringify(input.type), created_at: known?.created_at ?? input.now, updated_at: input.now }
      return { change: { put: [{ table: 'thing_type', row }] }, check: () => undefined, finish: () => row }
    })
  }

  dropType(type: string): Promise<Widened<{ type: string }>> {
    return this.#record.widen(() => ({
      change: { drop: [{ table: 'thing_type', id: type }] },
      check: () => undefined,
      finish: () => ({ type }),
    }))
  }
}

export const memberId = (groupId: string, mac: string): string => `${groupId}.${mac}`

/** Whether somebody may do more because she is not in a group of which the rule speaks. */
const isTakingAway = (policy: Policy): boolean => policy.effect !== 'permit' || /"(?:not|if)":/.test(JSON.stringify(policy.when))

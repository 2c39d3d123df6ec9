// An organisation is an owner whom others join with a code (POLICY 2, WG 2016-12-15): its rules of the tier `org` are copied to the members'
// objects and told again until each has acknowledged. Both sides of that are here: who has joined, and which organisations were joined.
import { sha256 } from '@noble/hashes/sha2.js'
import { base64url } from 'jose'
import type { Policy, ThingType } from '../policy/policy.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import { groupsOf, ORGANISATION_RULES } from './owner-rules.ts'
import { type OwnerUpper, organisationSource, type UpperRules } from './owner-upper.ts'
import { type MembershipRow, type OrgMemberRow, within } from './record.ts'

/** Members told at the same time, and members of groups that one organisation can send. */
const ABREAST = 10
const MOST_MEMBERS = 10_000
const PAGE = 200
/** Seconds that joining may take. */
const JOINING = 60

export type OrganisationView = { name: string | null; members: number; acknowledged: number; rules: number }
/** What a member hears when joining. */
export type Accepted = { kind: 'ok' | 'refused' | 'unavailable'; name?: string; rules?: UpperRules }
/** How a member takes what it is told. */
export type Taken = { kind: 'ok' | 'no_member'; isNew?: boolean }

export class OwnerOrganisation {
  readonly #sql: SqlStorage
  readonly #env: Env
  readonly #record: OwnerRecord
  readonly #upper: OwnerUpper

  constructor(ctx: DurableObjectState, env: Env, record: OwnerRecord, upper: OwnerUpper) {
    this.#sql = ctx.storage.sql
    this.#env = env
    this.#record = record
    this.#upper = upper
  }

  // ── The organisation's side ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The name under which it asks people to join; readable, unlike those of people. */
  get name(): string | undefined {
    return this.#record.meta('organisation')
  }

  set name(name: string) {
    this.#record.setMeta('organisation', name)
  }

  view(): OrganisationView {
    const { members } = this.#sql.exec<{ members: number }>('SELECT COUNT(*) AS members FROM org_member').one()
    const left = this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM org_sync WHERE seq < ?', this.#seq).one().n
    return { name: this.name ?? null, members, acknowledged: members - left, rules: this.#rules().length }
  }

  /** A code with which so many can join until then; only its hash is kept. */
  addCode(input: { hash: string; exp: number; uses: number; now: number }): void {
    this.#sql.exec('DELETE FROM join_code WHERE exp <= ? OR uses_left <= 0', input.now)
    this.#sql.exec('INSERT OR REPLACE INTO join_code (hash, exp, uses_left) VALUES (?, ?, ?)', input.hash, input.exp, input.uses)
  }

  dropCodes(): void {
    this.#sql.exec('DELETE FROM join_code')
  }

  /** Whether a code is good, and of whom; takes nothing. */
  invites(hash: string, now: number): { name: string; types: ThingType[] } | undefined {
    const isGood = this.#sql.exec('SELECT 1 FROM join_code WHERE hash = ? AND exp > ? AND uses_left > 0', hash, now).toArray().length > 0
    return isGood && this.name !== undefined ? { name: this.name, types: this.#types() } : undefined
  }

  members(cursor: string): OrgMemberRow[] {
    return this.#sql.exec<OrgMemberRow>('SELECT * FROM org_member WHERE id > ? ORDER BY id LIMIT ?', cursor, PAGE).toArray()
  }

  /** Somebody joins with a code. The code is used up in the turn in which the record knows. */
  async accept(input: { member: string; hash: string; now: number }): Promise<Accepted> {
    const { member, hash, now } = input
    const check = () => (this.#isIn(member) || this.invites(hash, now) !== undefined ? undefined : 'no_code')
    const done = await this.#record.widen(() => {
      const refused = check()
      if (refused !== undefined) return refused
      if (!this.#isIn(member) && this.#record.isFull('org_member')) return 'full_members'
      const row: OrgMemberRow = { id: member, joined_at: now }
      const wasIn = this.#isIn(member)
      const finish = () => {
        if (!wasIn) this.#sql.exec('UPDATE join_code SET uses_left = uses_left - 1 WHERE hash = ?', hash)
        // Told again until acknowledged: the answer to this may never arrive.
        this.#sql.exec('INSERT OR REPLACE INTO org_sync (member, seq, gone) VALUES (?, 0, 0)', member)
        return row
      }
      return { change: { put: [{ table: 'org_member', row }] }, check, finish }
    })
    return done.kind === 'done' ? { kind: 'ok', name: this.name ?? '', rules: this.#payload() } : { kind: done.kind }
  }

  /** A member has left by himself. */
  left(member: string): void {
    if (this.#isIn(member)) this.#record.narrow({ drop: [{ table: 'org_member', id: member }] })
    this.#sql.exec('DELETE FROM org_sync WHERE member = ?', member)
  }

  /** A member is let go: the rules are taken out of his object, retried until done. */
  expel(member: string): boolean {
    if (!this.#isIn(member)) return false
    this.#record.narrow({ drop: [{ table: 'org_member', id: member }] })
    this.#sql.exec('INSERT OR REPLACE INTO org_sync (member, seq, gone) VALUES (?, 0, 1)', member)
    return true
  }

  /** The account ends: everybody is let go. Whoever has to hear of it is known until all have (owner-account.ts). */
  end(): void {
    this.#sql.exec('INSERT OR REPLACE INTO org_sync (member, seq, gone) SELECT id, 0, 1 FROM org_member')
    this.#sql.exec('UPDATE org_sync SET seq = 0, gone = 1')
  }

  #isIn(member: string): boolean {
    return this.#sql.exec('SELECT 1 FROM org_member WHERE id = ?', member).toArray().length === 1
  }

  get #seq(): number {
    return Number(this.#record.meta('org_seq') ?? '1')
  }

  /** Rules or groups have changed: whoever has joined has to hear of it. Cheap if they have not. */
  noteChange(): void {
    const rules = this.#rules()
    const types = this.#types()
    const known = this.#record.meta('org_rules')
    // Most owners are no organisation.
    if (rules.length === 0 && types.length === 0 && known === undefined) return
    const all = [rules, this.#groups(rules), ...(types.length === 0 ? [] : [types])]
    const print = base64url.encode(sha256(new TextEncoder().encode(JSON.stringify(all))))
    if (print === known) return
    this.#record.setMeta('org_rules', print)
    this.#record.setMeta('org_seq', String(this.#seq + 1))
  }

  get isPending(): boolean {
    return this.#sql.exec('SELECT 1 FROM org_sync WHERE seq < ? LIMIT 1', this.#seq).toArray().length > 0
  }

  /** Tells all who have not heard; true if nobody is left. Never throws. */
  async settle(): Promise<boolean> {
    const organisation = this.#record.owner
    if (organisation === undefined || !this.isPending) return true
    let all = true
    for (let after = ''; ; ) {
      const waiting = this.#sql
        .exec<{ member: string; gone: number }>(
          'SELECT member, gone FROM org_sync WHERE seq < ? AND member > ? ORDER BY member LIMIT ?',
          this.#seq,
          after,
          ABREAST,
        )
        .toArray()
      if (waiting.length === 0) return all
      const told = await Promise.all(waiting.map(({ member, gone }) => this.#tell(organisation, member, gone === 1)))
      all &&= told.every(Boolean)
      after = waiting.at(-1)?.member ?? after
    }
  }

  async #tell(organisation: string, member: string, isGone: boolean): Promise<boolean> {
    const object = this.#env.OWNER.get(this.#env.OWNER.idFromName(member))
    const rules = this.#payload()
    try {
      const told = isGone
        ? await within(object.organisationEnded({ organisation }))
        : await within(object.organisationRules({ organisation, rules }))
      // Whoever joins is written down here first, and there a moment later.
      if (told.kind === 'no_member' && this.#hasJustJoined(member)) return false
      if (told.kind === 'no_member' || isGone) this.left(member)
      else this.#sql.exec('UPDATE org_sync SET seq = ? WHERE member = ? AND gone = 0', rules.seq, member)
      return true
    } catch {
      return false // told again by the alarm
    }
  }

  #hasJustJoined(member: string): boolean {
    const since = Math.floor(Date.now() / 1000) - JOINING
    return this.#sql.exec('SELECT 1 FROM org_member WHERE id = ? AND joined_at > ?', member, since).toArray().length === 1
  }

  #payload(): UpperRules {
    const rules = this.#rules()
    return {
      source: organisationSource(this.#record.owner ?? ''),
      seq: this.#seq,
      rules,
      groups: this.#groups(rules),
      types: this.#types(),
    }
  }

  #rules(): Policy[] {
    return this.#sql
      .exec<{ doc: string }>("SELECT doc FROM rule WHERE tier = 'org' AND kind = 'rule' ORDER BY id LIMIT ?", ORGANISATION_RULES)
      .toArray()
      .map(({ doc }) => JSON.parse(doc) as Policy)
  }

  /** What it says of types for all who have joined (POLICY 2); types of its own things only are its own affair. */
  #types(): ThingType[] {
    return this.#sql
      .exec<{ doc: string }>("SELECT doc FROM thing_type WHERE json_extract(doc, '$.tier') = 'org' ORDER BY id")
      .toArray()
      .map(({ doc }) => JSON.parse(doc) as ThingType)
  }

  #groups(rules: readonly Policy[]): UpperRules['groups'] {
    const ids = [...new Set(rules.flatMap(({ when }) => groupsOf(when)))].sort()
    return ids.map((id) => ({
      id,
      members: this.#sql
        .exec<{ mac: string }>('SELECT mac FROM group_member WHERE group_id = ? ORDER BY id LIMIT ?', id, MOST_MEMBERS)
        .toArray()
        .map(({ mac }) => mac),
    }))
  }

  // ── The member's side ────────────────────────────────────────────────────────────────────────────────────────────────────

  memberships(): MembershipRow[] {
    return this.#sql.exec<MembershipRow>('SELECT * FROM membership ORDER BY joined_at, id').toArray()
  }

  /** Joins with a code, as the owner has consented to. Refused with `no_code`, `itself`, `full_memberships`. */
  async join(input: { organisation: string; hash: string; now: number }): Promise<Widened<MembershipRow>> {
    const { organisation, hash, now } = input
    const member = this.#record.owner
    if (member === undefined || organisation === member) return { kind: 'refused', reason: 'itself' }
    if (this.#record.isFull('membership')) return { kind: 'refused', reason: 'full_memberships' }
    let accepted: Accepted
    try {
      accepted = await within(this.#env.OWNER.get(this.#env.OWNER.idFromName(organisation)).acceptMember({ member, hash, now }))
    } catch {
      return { kind: 'unavailable' }
    }
    const { kind, name, rules } = accepted
    if (kind === 'unavailable') return { kind }
    if (name === undefined || rules === undefined) return { kind: 'refused', reason: 'no_code' }
    return this.#record.widen(() => {
      const row: MembershipRow = { id: organisation, name, joined_at: now }
      const finish = () => {
        this.#upper.take(rules)
        return row
      }
      return { change: { put: [{ table: 'membership', row }] }, check: () => undefined, finish }
    })
  }

  /** Leaves: the organisation's rules count no more, which may give more, so that the record knows first. The organisation is told. */
  async leave(organisation: string): Promise<Widened<{ left: boolean }>> {
    if (!this.#belongsTo(organisation)) return { kind: 'done', value: { left: false } }
    const done = await this.#record.widen(() => ({
      change: { drop: [{ table: 'membership' as const, id: organisation }] },
      check: () => undefined,
      finish: () => {
        this.#upper.drop(organisationSource(organisation))
        return { left: true }
      },
    }))
    const member = this.#record.owner
    if (done.kind !== 'done' || member === undefined) return done
    try {
      await within(Promise.resolve(this.#env.OWNER.get(this.#env.OWNER.idFromName(organisation)).memberLeft({ member })))
    } catch {
      // It hears of it when it tells its rules the next time.
    }
    return done
  }

  #belongsTo(organisation: string): boolean {
    return this.#sql.exec('SELECT 1 FROM membership WHERE id = ?', organisation).toArray().length === 1
  }

  /** An organisation tells its rules. */
  take(organisation: string, rules: UpperRules): Taken {
    if (!this.#belongsTo(organisation)) return { kind: 'no_member' }
    return { kind: 'ok', isNew: this.#upper.take({ ...rules, source: organisationSource(organisation) }) }
  }

  /** An organisation lets this owner go. */
  ended(organisation: string): Taken {
    this.#upper.drop(organisationSource(organisation))
    if (this.#belongsTo(organisation)) this.#record.narrow({ drop: [{ table: 'membership', id: organisation }] })
    return { kind: 'ok' }
  }
}

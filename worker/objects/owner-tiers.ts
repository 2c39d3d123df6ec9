// The part of the owner's object that has to do with rules above the owner's own: RPC methods of OwnerObject (owner.ts), in a file of their
// own. Members and organisations call each other here; nobody from outside reaches those methods.

import type { ThingType } from '../policy/policy.ts'
import { OwnerKeeping } from './owner-keeping.ts'
import type { Accepted, OrganisationView, OwnerOrganisation, Taken } from './owner-organisation.ts'
import { type By, by, type OwnerCaller } from './owner-policies.ts'
import type { Widened } from './owner-record.ts'
import type { Unauthorized } from './owner-tables.ts'
import { type OwnerUpper, PLATFORM, type UpperRules } from './owner-upper.ts'
import { readPlatformRules } from './platform-rules.ts'
import type { MembershipRow, OrgMemberRow } from './record.ts'

export type TierParts = { organisation: OwnerOrganisation; upper: OwnerUpper }
type At = { now: number }
type Told<T> = ({ kind: 'ok'; revision: number } & By & T) | Unauthorized

export abstract class OwnerTiers extends OwnerKeeping {
  /** Set by the constructor of OwnerObject, as `parts` is. */
  protected tiers!: TierParts

  // ── What members have to hear of ─────────────────────────────────────────────────────────────────────────────────────────

  override putPolicy(...asked: Parameters<OwnerKeeping['putPolicy']>) {
    return this.#told(super.putPolicy(...asked))
  }

  override dropPolicy(...asked: Parameters<OwnerKeeping['dropPolicy']>) {
    return this.#told(super.dropPolicy(...asked))
  }

  override undoPolicy(...asked: Parameters<OwnerKeeping['undoPolicy']>) {
    return this.#told(super.undoPolicy(...asked))
  }

  override importRules(...asked: Parameters<OwnerKeeping['importRules']>) {
    return this.#told(super.importRules(...asked))
  }

  override putType(...asked: Parameters<OwnerKeeping['putType']>) {
    return this.#told(super.putType(...asked))
  }

  override undoType(...asked: Parameters<OwnerKeeping['undoType']>) {
    return this.#told(super.undoType(...asked))
  }

  override dropType(...asked: Parameters<OwnerKeeping['dropType']>) {
    return this.#told(super.dropType(...asked))
  }

  override addMembers(...asked: Parameters<OwnerKeeping['addMembers']>) {
    return this.#told(super.addMembers(...asked))
  }

  override undoGroup(...asked: Parameters<OwnerKeeping['undoGroup']>) {
    return this.#told(super.undoGroup(...asked))
  }

  override removeMember(...asked: Parameters<OwnerKeeping['removeMember']>) {
    return this.#told(super.removeMember(...asked))
  }

  /** Without making the caller wait; what is not acknowledged is told again by the alarm. */
  async #told<T>(change: Promise<T>): Promise<T> {
    const done = await change
    this.ctx.waitUntil(this.settleTiers())
    return done
  }

  // ── An organisation and those who join it, for the owner API ─────────────────────────────────────────────────────────────

  /** This owner as an organisation: name, members, how many have acknowledged its rules. */
  organisation(caller: OwnerCaller, input: At): Told<OrganisationView> {
    const who = this.parts.authorize(caller, input.now)
    return who.kind === 'ok' ? { kind: 'ok', revision: this.parts.record.revision, ...by(who), ...this.tiers.organisation.view() } : who
  }

  /** Gives the organisation its name; without one nobody can join. */
  setOrganisation(caller: OwnerCaller, input: At & { name: string }): ({ kind: 'ok' } & By) | Unauthorized {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    this.tiers.organisation.name = input.name
    return { kind: 'ok', ...by(who) }
  }

  /** A code with which so many can join until `exp`; `hash` is that of its secret. What is sent out carries owner and secret, sealed. */
  addJoinCode(caller: OwnerCaller, input: At & { hash: string; exp: number; uses: number }): ({ kind: 'ok' } & By) | Unauthorized {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    this.tiers.organisation.addCode(input)
    return { kind: 'ok', ...by(who) }
  }

  /** No code that was given out is good any more. */
  dropJoinCodes(caller: OwnerCaller, input: At): ({ kind: 'ok' } & By) | Unauthorized {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    this.tiers.organisation.dropCodes()
    return { kind: 'ok', ...by(who) }
  }

  organisationMembers(caller: OwnerCaller, input: At & { cursor?: string }): Told<{ items: OrgMemberRow[] }> {
    const who = this.parts.authorize(caller, input.now)
    if (who.kind !== 'ok') return who
    return { kind: 'ok', revision: this.parts.record.revision, ...by(who), items: this.tiers.organisation.members(input.cursor ?? '') }
  }

  /** Lets a member go: its copy of the rules goes, retried until done. */
  expelMember(caller: OwnerCaller, input: At & { id: string }): ({ kind: 'ok'; expelled: boolean } & By) | Unauthorized {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const expelled = this.tiers.organisation.expel(input.id)
    this.parts.notices.follow()
    this.ctx.waitUntil(this.settleTiers())
    return { kind: 'ok', expelled, ...by(who) }
  }

  memberships(caller: OwnerCaller, input: At): Told<{ items: MembershipRow[] }> {
    const who = this.parts.authorize(caller, input.now)
    return who.kind === 'ok'
      ? { kind: 'ok', revision: this.parts.record.revision, ...by(who), items: this.tiers.organisation.memberships() }
      : who
  }

  /** Joins an organisation with a code, as the owner has consented to. Refused with `no_code`, `itself`, `full_memberships`. */
  async joinOrganisation(
    caller: OwnerCaller,
    input: At & { organisation: string; hash: string },
  ): Promise<(Widened<MembershipRow> & By) | Unauthorized> {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const done = await this.tiers.organisation.join(input)
    if (done.kind === 'done') this.parts.notices.note('organisation_joined', {}, input.now)
    return { ...done, ...by(who) }
  }

  async leaveOrganisation(
    caller: OwnerCaller,
    input: At & { organisation: string },
  ): Promise<(Widened<{ left: boolean }> & By) | Unauthorized> {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const done = await this.tiers.organisation.leave(input.organisation)
    if (done.kind === 'done' && done.value.left) this.#note('organisation_left', input.now)
    return { ...done, ...by(who) }
  }

  // ── Between objects ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Of whom a code is, for the page on which somebody consents to join. Reads only. */
  invites(input: At & { hash: string }): { name: string; types: ThingType[] } | undefined {
    return this.parts.record.owner === undefined ? undefined : this.tiers.organisation.invites(input.hash, input.now)
  }

  acceptMember(input: At & { member: string; hash: string }): Promise<Accepted> {
    return this.parts.record.owner === undefined ? Promise.resolve({ kind: 'refused' }) : this.tiers.organisation.accept(input)
  }

  memberLeft(input: { member: string }): void {
    if (this.parts.record.owner !== undefined) this.tiers.organisation.left(input.member)
  }

  /** An organisation that this owner has joined tells its rules. Idempotent. */
  organisationRules(input: { organisation: string; rules: UpperRules }): Taken {
    if (this.parts.record.owner === undefined) return { kind: 'no_member' }
    const taken = this.tiers.organisation.take(input.organisation, input.rules)
    if (taken.isNew === true) this.#note('upper_rules_changed')
    this.parts.notices.follow()
    return taken
  }

  organisationEnded(input: { organisation: string }): Taken {
    if (this.parts.record.owner === undefined) return { kind: 'ok' }
    const ended = this.tiers.organisation.ended(input.organisation)
    this.#note('organisation_left')
    this.parts.notices.follow()
    return ended
  }

  /** The platform's rules, all of them (objects/client.ts carries them to every owner). Idempotent. */
  platformRules(input: Omit<UpperRules, 'source' | 'groups'>): { kind: 'ok' } {
    if (this.parts.record.owner === undefined) return { kind: 'ok' }
    if (this.tiers.upper.take({ ...input, source: PLATFORM, groups: [] })) this.#note('upper_rules_changed')
    return { kind: 'ok' }
  }

  /** What others did is told with this object's own clock. */
  #note(event: 'upper_rules_changed' | 'organisation_left', now = Math.floor(Date.now() / 1000)): void {
    this.parts.notices.note(event, {}, now)
  }

  /** Whatever members have still to hear, and of a new owner the platform's rules. True if nothing is left. Never throws. */
  protected async settleTiers(): Promise<boolean> {
    if (this.parts.record.owner === undefined) return true
    this.tiers.organisation.noteChange()
    const isRead = this.tiers.upper.has(PLATFORM) || (await this.#readPlatform())
    const isTold = await this.tiers.organisation.settle()
    if (!isRead || !isTold) await this.parts.notices.wake(5)
    return isRead && isTold
  }

  /** An owner who was not there yet when they were told. Later ones come by themselves and count more. */
  async #readPlatform(): Promise<boolean> {
    const rules = await readPlatformRules(this.env.DB)
    if (rules === undefined) return false
    this.tiers.upper.take({ source: PLATFORM, seq: 0, rules, groups: [] })
    return true
  }
}

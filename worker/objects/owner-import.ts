// Rules that come back from a bundle (owner-bundle.ts, POLICY 4). What comes in is looked at as if it were new: things, groups, people, the
// limits of the language and of the owner. All that it changes is one change of the record; what it would be is worked out by the same code.
import { checkPolicy } from '../policy/check.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy, ThingType } from '../policy/policy.ts'
import { ImportRoom, type Quota } from './import-room.ts'
import type { Bundle, BundleGroup, BundleRule, ShareTerms } from './owner-bundle.ts'
import { memberId, memberOf, type OwnerGroups } from './owner-groups.ts'
import { macsOf } from './owner-ledger.ts'
import { type OwnerLookup, policyOf } from './owner-lookup.ts'
import type { OwnerRecord } from './owner-record.ts'
import { groupsOf, type OwnerRules, RULES_PER_KEY } from './owner-rules.ts'
import type { OwnerShares } from './owner-shares.ts'
import type { OwnerTypes } from './owner-types.ts'
import type { Change, PolicyRow, Put, RuleRow } from './record.ts'

/** One rule or share that comes, as it would be; `was`: what stands there now. */
export type Coming = {
  id: string
  kind: BundleRule['kind']
  policy: Policy
  was?: { kind: BundleRule['kind']; rev: number; policy: Policy }
}
/**
 * What a bundle does here. `same`: how many stand here as they are in it. Groups and types that are there stay as they are: `kept` are those
 * that differ. `people`: how many become known.
 */
export type Imported = {
  added: Coming[]
  changed: Coming[]
  same: number
  refused: { id: string; kind: BundleRule['kind']; reason: string }[]
  groups: {
    added: { id: string; label: string; members: number }[]
    kept: { id: string; here: number; there: number }[]
    refused: string[]
  }
  types: { added: ThingType[]; kept: string[]; refused: string[] }
  people: number
  quotas: Quota[]
}

type Parts = {
  record: OwnerRecord
  rules: OwnerRules
  groups: OwnerGroups
  types: OwnerTypes
  shares: OwnerShares
  lookup: OwnerLookup
}
type Live = { kind: 'share' | 'rule' | 'block'; rev: number; policy: Policy; share?: PolicyRow; rule?: RuleRow }

/** Made for one bundle at one moment. */
export class OwnerImport {
  readonly #parts: Parts
  readonly #now: number
  readonly #put: Put[] = []
  readonly #drop: NonNullable<Change['drop']> = []
  readonly #room: ImportRoom
  readonly #brought = new Set<string>()
  readonly #crowd = new Map<string, number>()
  #forMembers = 0
  readonly done: Imported = {
    added: [],
    changed: [],
    same: 0,
    refused: [],
    groups: { added: [], kept: [], refused: [] },
    types: { added: [], kept: [], refused: [] },
    people: 0,
    quotas: [],
  }

  constructor(parts: Parts, bundle: Bundle, now: number) {
    this.#parts = parts
    this.#now = now
    this.#room = new ImportRoom(parts, bundle.people)
    for (const type of bundle.types) this.#type(type)
    for (const group of bundle.groups) this.#group(group)
    const seen = new Set<string>()
    for (const rule of bundle.rules) {
      const reason = seen.has(rule.id) ? 'twice' : this.#rule(rule)
      if (reason !== undefined) this.done.refused.push({ id: rule.id, kind: rule.kind, reason })
      seen.add(rule.id)
    }
    this.done.people = Object.keys(this.#room.coming).length
    this.done.quotas = this.#room.quotas
  }

  /** MAC -> id of people who become known, for sentences. */
  get names(): Readonly<Record<string, string>> {
    return this.#room.coming
  }

  /** One change of the record. */
  get change(): Change {
    return { put: this.#put, drop: this.#drop }
  }

  /** Whether all of it comes that could come back at all. */
  get isWhole(): boolean {
    const { refused, groups, types } = this.done
    return refused.filter(({ kind }) => kind !== 'once').length + groups.refused.length + types.refused.length === 0
  }

  #type(type: ThingType): void {
    const { added, kept, refused } = this.done.types
    const known = this.#parts.types.type(type.type)
    if (known !== undefined) {
      if (canonical(known) !== canonical(type)) kept.push(type.type)
      return
    }
    if (!this.#room.has('thing_type')) {
      refused.push(type.type)
      return
    }
    this.#room.take('thing_type')
    added.push(type)
    const row = { id: type.type, doc: JSON.stringify(type), created_at: this.#now, updated_at: this.#after(this.#parts.types, type.type) }
    this.#put.push({ table: 'thing_type', row })
  }

  /** What was here before and comes back has a revision of its own. */
  #after(of: { revisionOf: (id: string) => number }, id: string): number {
    return Math.max(this.#now, of.revisionOf(id) + 1)
  }

  #group({ id, label, members }: BundleGroup): void {
    const { added, kept, refused } = this.done.groups
    const macs = new Map(members.map((one) => [memberId(id, one.mac), one]))
    const known = this.#parts.groups.group(id)
    if (known !== undefined) {
      const here = this.#parts.groups.size(id)
      const isSame = here === macs.size && [...macs.values()].every(({ mac }) => this.#parts.groups.isMember(id, mac))
      if (!isSame) kept.push({ id, here, there: macs.size })
      return
    }
    if (!this.#room.has('person_group') || !this.#room.has('group_member', macs.size)) {
      refused.push(id)
      return
    }
    this.#room.take('person_group')
    this.#room.take('group_member', macs.size)
    this.#brought.add(id)
    added.push({ id, label, members: macs.size })
    const row = { id, label, created_at: this.#now, updated_at: this.#after(this.#parts.groups, id) }
    this.#put.push({ table: 'person_group', row })
    for (const member of macs.values()) this.#put.push({ table: 'group_member', row: memberOf(id, member, this.#now) })
  }

  /** Takes one entry in; a reason if it cannot come. */
  #rule(entry: BundleRule): string | undefined {
    const live = this.#live(entry.id)
    switch (entry.kind) {
      case 'share':
        return entry.share === undefined ? 'no_share' : this.#share(entry, entry.share, live)
      case 'block':
        return this.#block(entry, live)
      case 'rule': {
        const [problem] = checkPolicy(entry.policy, { isMulti: isMultiClaim })
        return problem === undefined ? this.#ruleRow(entry, live) : problem.code
      }
      default:
        // What was allowed once was for then.
        return 'once'
    }
  }

  #live(id: string): Live | undefined {
    const rule = this.#parts.rules.get(id)
    if (rule !== undefined) return { kind: rule.kind, rev: rule.rev, policy: JSON.parse(rule.doc) as Policy, rule }
    const share = this.#parts.rules.share(id)
    return share && { kind: 'share', rev: 1, policy: policyOf(share), share }
  }

  #share(entry: BundleRule, terms: ShareTerms, live: Live | undefined): string | undefined {
    const { resource_id, mac, scopes, valid_from, valid_until, time_zone, created_at } = terms
    if (live?.kind === 'block') return 'other_kind'
    const offered = this.#parts.lookup.known(resource_id)?.thing.scopes
    if (offered === undefined) return 'no_resource'
    if (this.#parts.rules.refusalOf(entry.policy) === 'upper') return 'upper'
    if (scopes.length === 0 || !scopes.every((scope) => offered.includes(scope))) return 'no_scope'
    const person = this.#room.personFor(mac)
    if (person === undefined) return 'no_person'
    const row: PolicyRow = {
      id: entry.id,
      resource_id,
      person_id: person,
      mac,
      scopes: JSON.stringify(scopes),
      valid_from,
      valid_until,
      time_zone,
      created_at,
    }
    if (live?.share !== undefined && canonical(live.share) === canonical(row)) return this.#same()
    if (live?.kind !== 'share' && !this.#room.has('policy')) return 'full_policies'
    const people = this.#room.takePeople([mac], this.#now)
    if (people === undefined) return 'full_people'
    this.#put.push(...people)
    if (live?.kind !== 'share') this.#room.take('policy')
    this.#comes({ ...entry, policy: policyOf(row) }, live, { table: 'policy', row })
    return undefined
  }

  /** A rule that shuts an address out is of one form only; the language takes no other prohibition of an address. */
  #block(entry: BundleRule, live: Live | undefined): string | undefined {
    const { effect, tier, target, scopes, when } = entry.policy
    const isOne = effect === 'forbid' && tier === 'owner' && 'all' in target && scopes === '*'
    if (!isOne || !('claim' in when) || when.claim !== 'email' || !('eq' in when)) return 'no_block'
    if (this.#parts.lookup.blockFor(when.eq) !== undefined) return this.#same()
    return this.#ruleRow(entry, live)
  }

  #ruleRow(entry: BundleRule, live: Live | undefined): string | undefined {
    const { rules } = this.#parts
    const { id, kind, policy, label } = entry
    const reason = rules.refusalOf(policy)
    if (reason !== undefined && !(reason === 'no_group' && groupsOf(policy.when).every((one) => this.#hasGroup(one)))) return reason
    if (live !== undefined && live.kind !== kind && (live.kind === 'block' || kind === 'block')) return 'other_kind'
    if (live?.rule !== undefined && live.rule.label === label && isSame(live.policy, policy)) return this.#same()
    const isNew = live?.rule === undefined
    const crowd = rules.crowd(policy).map(({ key, n }) => ({ key, n: n + (this.#crowd.get(key) ?? 0) }))
    const isCrowded = kind === 'rule' && crowd.some(({ n }) => n >= RULES_PER_KEY)
    if ((isNew && !this.#room.has('rule')) || isCrowded || rules.hasManyForMembers(policy, this.#forMembers)) return 'full_rules'
    const people = this.#room.takePeople(macsOf(policy.when), this.#now)
    if (people === undefined) return 'full_people'
    this.#put.push(...people)
    if (isNew) {
      this.#room.take('rule')
      for (const { key } of crowd) this.#crowd.set(key, (this.#crowd.get(key) ?? 0) + 1)
    }
    if (policy.tier === 'org' && live?.rule?.tier !== 'org') this.#forMembers += 1
    const rev = rules.nextRev(id)
    const row: RuleRow = {
      id,
      kind: kind === 'block' ? 'block' : 'rule',
      tier: policy.tier,
      effect: policy.effect,
      doc: JSON.stringify({ ...policy, rev } satisfies Policy),
      label,
      rev,
      created_at: live?.rule?.created_at ?? this.#now,
      updated_at: this.#now,
    }
    this.#comes(entry, live, { table: 'rule', row })
    return undefined
  }

  #hasGroup(id: string): boolean {
    return this.#brought.has(id) || this.#parts.groups.group(id) !== undefined
  }

  #same(): undefined {
    this.done.same += 1
  }

  #comes({ id, kind, policy }: BundleRule, live: Live | undefined, put: Put): void {
    const { rules } = this.#parts
    this.#put.push(put)
    if (live === undefined) {
      this.done.added.push({ id, kind, policy })
      return
    }
    this.done.changed.push({ id, kind, policy, was: { kind: live.kind, rev: live.rev, policy: live.policy } })
    if (live.share !== undefined) this.#put.push(...rules.pastOf('policy', live.share, this.#now))
    if (live.rule !== undefined) this.#put.push(...rules.pastOf('rule', live.rule, this.#now))
    this.#drop.push(...rules.beyond(id))
    const table = live.share === undefined ? 'rule' : 'policy'
    if (table !== put.table) this.#drop.push({ table, id })
  }
}

/** The same rule, whatever its revision. */
const isSame = (a: Policy, b: Policy): boolean => canonical({ ...a, rev: 0 }) === canonical({ ...b, rev: 0 })
/** The same text for the same value, in whatever order its members are. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  )

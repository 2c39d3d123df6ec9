// All rules of an owner, taken out and taken in again (POLICY 4). What comes in is looked at as if it were new: things, groups and the limits
// of the language are checked rule by rule, and nothing is stored before everything was looked at.

import { checkPolicy } from '../policy/check.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy, ThingType } from '../policy/policy.ts'
import type { OwnerGroups } from './owner-groups.ts'
import type { LedgerEntry, OwnerLedger } from './owner-ledger.ts'
import { macsOf } from './owner-ledger.ts'
import { groupsOf, type NamedPerson, type OwnerRules, type RuleNote } from './owner-rules.ts'
import type { OwnerShares } from './owner-shares.ts'

/** Rules, and members of groups, of one bundle. */
const MOST = 5000

export type BundleGroup = { id: string; label: string; members: { mac: string; label: string }[] }
export type BundlePerson = { id: string; mac: string; label: string }
export type BundleRule = Pick<LedgerEntry, 'id' | 'policy' | 'label'>
export type Bundle = { rules: BundleRule[]; groups: BundleGroup[]; types: ThingType[]; people: BundlePerson[] }
export type Imported = { added: string[]; changed: string[]; refused: { id: string; reason: string }[] }

export class OwnerBundle {
  readonly #ledger: OwnerLedger
  readonly #groups: OwnerGroups
  readonly #rules: OwnerRules
  readonly #shares: OwnerShares

  constructor(parts: { ledger: OwnerLedger; groups: OwnerGroups; rules: OwnerRules; shares: OwnerShares }) {
    this.#ledger = parts.ledger
    this.#groups = parts.groups
    this.#rules = parts.rules
    this.#shares = parts.shares
  }

  /** Everything that is the owner's own; rules from above are not. */
  takeOut(): Bundle {
    const rules: BundleRule[] = []
    const people = new Map<string, BundlePerson>()
    for (let cursor: string | undefined = ''; cursor !== undefined && rules.length < MOST; ) {
      const page = this.#ledger.list({ cursor })
      for (const { id, kind, policy, label } of page.items) if (kind !== 'upper') rules.push({ id, policy, label })
      for (const [mac, id] of Object.entries(page.people)) people.set(mac, { id, mac, label: this.#shares.person(id)?.label ?? '' })
      cursor = page.next
    }
    return {
      rules,
      groups: this.#allGroups(),
      types: this.#groups.types().map(({ doc }) => JSON.parse(doc) as ThingType),
      people: [...people.values()],
    }
  }

  #allGroups(): BundleGroup[] {
    return this.#groups.groups().map(({ id, label }) => {
      const members: BundleGroup['members'] = []
      for (
        let page = this.#groups.members(id);
        page.length > 0 && members.length < MOST;
        page = this.#groups.members(id, page.at(-1)?.id ?? '')
      ) {
        members.push(...page.map((row) => ({ mac: row.mac, label: row.label })))
      }
      return { id, label, members }
    })
  }

  /** What a bundle would do here. */
  look({ rules, groups }: Bundle): Imported {
    const brought = new Set(groups.map(({ id }) => id))
    const found: Imported = { added: [], changed: [], refused: [] }
    for (const { id, policy } of rules) {
      const reason = this.#reason(policy, brought)
      const known = this.#ledger.list({ id }).items[0]?.policy
      if (reason !== undefined) found.refused.push({ id, reason })
      else if (known === undefined) found.added.push(id)
      else if (!isSame(known, policy)) found.changed.push(id)
    }
    return found
  }

  #reason(policy: Policy, brought: ReadonlySet<string>): string | undefined {
    const [problem] = checkPolicy(policy, { isMulti: isMultiClaim })
    if (problem !== undefined) return problem.code
    const refused = this.#rules.refusalOf(policy)
    return refused === 'no_group' && groupsOf(policy.when).every((id) => brought.has(id)) ? undefined : refused
  }

  /** Does what `look` says. What fails on the way is among those refused. */
  async takeIn(bundle: Bundle, now: number, note: RuleNote): Promise<Imported> {
    const found = this.look(bundle)
    const wanted = new Set([...found.added, ...found.changed])
    const used = new Set(bundle.rules.filter(({ id }) => wanted.has(id)).flatMap(({ policy }) => groupsOf(policy.when)))
    const known = new Set(this.#groups.groups().map(({ id }) => id))
    for (const { id, label, members } of bundle.groups.filter((one) => used.has(one.id) && !known.has(one.id))) {
      await this.#groups.putGroup({ id, label, now })
      await this.#groups.addMembers(id, members, now)
    }
    for (const type of bundle.types) if (this.#groups.type(type.type) === undefined) await this.#groups.putType({ type, now })
    const failed: Imported['refused'] = []
    for (const { id, policy, label } of bundle.rules.filter((rule) => wanted.has(rule.id))) {
      const done = await this.#rules.put({ policy, label, people: peopleIn(policy, bundle.people), now }, 'rule', note)
      if (done.kind !== 'done') failed.push({ id, reason: done.kind === 'refused' ? done.reason : 'unavailable' })
    }
    const isDone = (id: string) => !failed.some((one) => one.id === id)
    return { added: found.added.filter(isDone), changed: found.changed.filter(isDone), refused: [...found.refused, ...failed] }
  }
}

const peopleIn = (policy: Policy, people: readonly BundlePerson[]): NamedPerson[] => {
  const macs = new Set(macsOf(policy.when))
  return people.filter(({ mac }) => macs.has(mac)).map(({ id, mac, label }) => ({ new_id: id, mac, label }))
}

/** The same rule, whatever its revision. */
const isSame = (a: Policy, b: Policy): boolean => JSON.stringify({ ...a, rev: 0 }) === JSON.stringify({ ...b, rev: 0 })

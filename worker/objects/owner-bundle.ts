// All rules of an owner, taken out part by part (POLICY 4): types of things, groups with their members, then everything that opens or closes
// something, each as what it is. A part says where the next one begins; what has no next one is the last. Reads only.
import type { Policy, ThingType } from '../policy/policy.ts'
import type { OwnerGroups } from './owner-groups.ts'
import type { OwnerLedger } from './owner-ledger.ts'
import type { OwnerRules } from './owner-rules.ts'
import type { OwnerShares } from './owner-shares.ts'
import type { OwnerTypes } from './owner-types.ts'
import type { PolicyRow } from './record.ts'

/** Rules of one part, and about how many characters it has. */
const [RULES, SIZE] = [1000, 700_000]

/** `more`: other members of the group are in the next part. */
export type BundleGroup = { id: string; label: string; members: { mac: string; label: string }[]; more?: true }
export type BundlePerson = { id: string; mac: string; label: string }
/** What a share is made of, besides the rule that it comes to. */
export type ShareTerms = Pick<PolicyRow, 'resource_id' | 'mac' | 'valid_from' | 'valid_until' | 'time_zone' | 'created_at'> & {
  scopes: string[]
}
/** `once`: what was allowed for one time, told and never brought back. */
export type BundleRule = {
  id: string
  kind: 'share' | 'rule' | 'block' | 'once'
  policy: Policy
  label: string | null
  share?: ShareTerms
}
export type Bundle = { rules: BundleRule[]; groups: BundleGroup[]; types: ThingType[]; people: BundlePerson[] }
/** Where a part begins: after this type, group (and member of it) or rule. */
export type BundleFrom = { at: 'types' | 'groups' | 'rules'; after: string; member?: string }
export type BundlePart = Bundle & { next?: BundleFrom }

type Parts = { ledger: OwnerLedger; groups: OwnerGroups; types: OwnerTypes; rules: OwnerRules; shares: OwnerShares }

export class OwnerBundle {
  readonly #parts: Parts
  #left = { rules: RULES, size: SIZE }
  #now = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Everything that is the owner's own, from there on; rules from above are not. */
  takeOut(from: BundleFrom, now: number): BundlePart {
    this.#now = now
    this.#left = { rules: RULES, size: SIZE }
    const part: BundlePart = { rules: [], groups: [], types: [], people: [] }
    const next =
      (from.at === 'types' ? this.#types(part, from.after) : undefined) ??
      (from.at === 'rules' ? undefined : this.#groups(part, from.at === 'groups' ? from : { at: 'groups', after: '' })) ??
      this.#rules(part, from.at === 'rules' ? from.after : '')
    return next === undefined ? part : { ...part, next }
  }

  /** For views that are made of rules only: those from there on, and all types of things. */
  view(after: string, now: number): BundlePart {
    this.#now = now
    this.#left = { rules: RULES, size: Number.POSITIVE_INFINITY }
    const part: BundlePart = { rules: [], groups: [], types: [], people: [] }
    this.#types(part, '')
    const next = this.#rules(part, after)
    return next === undefined ? part : { ...part, next }
  }

  /** True when the part is full. */
  #isFull(what: unknown): boolean {
    this.#left.size -= JSON.stringify(what).length
    return this.#left.size <= 0
  }

  #types(part: BundlePart, after: string): BundleFrom | undefined {
    for (let page = this.#parts.types.types(after); page.length > 0; page = this.#parts.types.types(page.at(-1)?.id)) {
      for (const { id, doc } of page) {
        part.types.push(JSON.parse(doc) as ThingType)
        if (this.#isFull(doc)) return { at: 'types', after: id }
      }
    }
    return undefined
  }

  #groups(part: BundlePart, from: BundleFrom): BundleFrom | undefined {
    const { groups } = this.#parts
    const begun = from.member === undefined ? undefined : groups.group(from.after)
    if (begun !== undefined) {
      const next = this.#members(part, begun, from.member)
      if (next !== undefined) return next
    }
    for (let page = groups.groups(from.after); page.length > 0; page = groups.groups(page.at(-1)?.id)) {
      for (const group of page) {
        const next = this.#members(part, group, '')
        if (next !== undefined) return next
      }
    }
    return undefined
  }

  #members(part: BundlePart, { id, label }: { id: string; label: string }, after: string | undefined): BundleFrom | undefined {
    const { groups } = this.#parts
    const group: BundleGroup = { id, label, members: [] }
    part.groups.push(group)
    for (let page = groups.members(id, after); page.length > 0; page = groups.members(id, page.at(-1)?.id)) {
      const members = page.map((row) => ({ mac: row.mac, label: row.label }))
      group.members.push(...members)
      if (!this.#isFull(members)) continue
      group.more = true
      return { at: 'groups', after: id, member: page.at(-1)?.id ?? '' }
    }
    return this.#isFull(group.label) ? { at: 'groups', after: id } : undefined
  }

  #rules(part: BundlePart, after: string): BundleFrom | undefined {
    const people = new Map<string, BundlePerson>(part.people.map((one) => [one.mac, one]))
    let next: BundleFrom | undefined
    for (let cursor: string | undefined = after; cursor !== undefined && next === undefined; ) {
      const page = this.#parts.ledger.list({ cursor, now: this.#now })
      const known = page.people
      for (const { id, kind, policy, label } of page.items) {
        if (kind === 'upper') continue
        const share = kind === 'share' ? this.#terms(id) : undefined
        const entry: BundleRule = { id, kind, policy, label, ...(share === undefined ? {} : { share }) }
        part.rules.push(entry)
        for (const [mac, person] of Object.entries(known)) {
          if (people.has(mac) || !JSON.stringify(entry).includes(mac)) continue
          people.set(mac, { id: person, mac, label: this.#parts.shares.person(person)?.label ?? '' })
        }
        if (!this.#isFull(entry) && part.rules.length < this.#left.rules) continue
        next = { at: 'rules', after: id }
        break
      }
      cursor = page.next
      if (cursor === undefined && next !== undefined && page.items.at(-1)?.id === next.after) next = undefined
    }
    part.people = [...people.values()]
    return next
  }

  #terms(id: string): ShareTerms | undefined {
    const row = this.#parts.rules.share(id)
    if (row === undefined) return undefined
    const { resource_id, mac, scopes, valid_from, valid_until, time_zone, created_at } = row
    return { resource_id, mac, scopes: JSON.parse(scopes) as string[], valid_from, valid_until, time_zone, created_at }
  }
}

// Addresses that the owner has shut out, in the answer to "who can open this": whoever shows one of them gets nothing, whatever rules say.
// A way of such an address alone is nobody's; a way of others too says whom it is not for. Pure.
import { keyOf } from './literals.ts'
import type { ClaimCondition, Condition } from './policy.ts'
import type { Conjunction, Who } from './who.ts'
import type { World } from './world.ts'

/** Policy MACs of addresses; `isMember`: who is in a group, so that nobody is named who would not be let in anyway. */
export type Blocked = { macs: ReadonlySet<string>; isMember: World['isMember'] }
export const NOBODY_BLOCKED: Blocked = { macs: new Set(), isMember: () => false }

/** Addresses that are named in all ways together; with more, none is told. */
const MOST_NAMED = 4096

/** Whether somebody who shows these facts is shut out. */
export const isBlocked = ({ facts }: Pick<World, 'facts'>, { macs }: Blocked): boolean => facts.some(({ mac }) => macs.has(mac))

/** The ways that are left, with "but not" where a way is one for others too. */
export function withoutBlocked(found: Who, blocked: Blocked): Who {
  if (!found.complete || blocked.macs.size === 0) return found
  const ways = new Map<string, Conjunction>()
  let named = 0
  for (const way of found.ways) {
    const all = leftOf(way.all, blocked)
    if (all === undefined) continue
    named += all.length > way.all.length ? blocked.macs.size : 0
    if (named > MOST_NAMED) return { complete: false, ways: [] }
    const key = keyOf(all)
    // Two lists that differed in somebody who is shut out are the same now.
    ways.set(key, { all, permits: [...new Set([...(ways.get(key)?.permits ?? []), ...way.permits])] })
  }
  return { complete: true, ways: [...ways.values()] }
}

type Named = ClaimCondition & ({ eq: string } | { in: readonly string[] })
/** Rules of organisations know addresses by MACs of their own. */
const namesAddresses = (one: Condition): one is Named =>
  'claim' in one && one.claim === 'email' && one.names === undefined && ('eq' in one || 'in' in one)

/** Undefined: nobody is left. */
function leftOf(all: readonly Condition[], { macs, isMember }: Blocked): readonly Condition[] | undefined {
  const addresses = all.filter(namesAddresses)
  const left = all.map((one) => (namesAddresses(one) ? without(one, macs) : one))
  if (!left.every((one) => one !== undefined)) return undefined
  if (addresses.length > 0) return left
  const groups = all.flatMap((one) => ('group' in one ? [one.group] : []))
  const others = [...macs].filter((mac) => groups.every((group) => isMember(group, mac))).sort()
  const [first] = others
  if (first === undefined) return left
  const shutOut: Condition = others.length === 1 ? { claim: 'email', eq: first } : { claim: 'email', in: others }
  const plain = left.filter((one) => !('anyone' in one))
  return [...plain, { not: shutOut }]
}

function without(one: Named, macs: ReadonlySet<string>): Condition | undefined {
  if ('eq' in one) return macs.has(one.eq) ? undefined : one
  const values = one.in.filter((mac) => !macs.has(mac))
  if (values.length === one.in.length) return one
  const [first] = values
  if (first === undefined) return undefined
  const { in: _, ...by } = one
  return (values.length === 1 ? { ...by, eq: first } : { ...by, in: values }) as Condition
}

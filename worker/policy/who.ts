// "Who can open this": the ways in which a cell can be true, exact (POLICY 4, 7 P23). The same algebra as decide.ts, with conditions in
// place of values: all that is required, nothing that is forbidden, and a permit that counts. Pure.
import { type Blocked, NOBODY_BLOCKED, withoutBlocked } from './blocked.ts'
import { type Concerned, concerned } from './decide.ts'
import { type IsMulti, together, type Way } from './literals.ts'
import type { Condition, Policy, Thing, ThingType } from './policy.ts'
import { ALL_MULTI, allOf, isPartOf, waysOf } from './ways.ts'
import type { Cell } from './world.ts'

/** Who meets all of `all` is let in; `{ anyone: true }` alone: everybody. `permits`: ids of the rules that let them in. */
export type Conjunction = { all: readonly Condition[]; permits: readonly string[] }
/** `complete: false`: there are more ways than can be listed, and none is told. No way at all: nobody. */
export type Who = { complete: true; ways: Conjunction[] } | { complete: false; ways: [] }

type Given = { way: Way; permits: readonly string[] }

/** Ways of one cell that are listed: a thing can be shared with very many people. */
const MOST = 4096
const TOO_MANY: Who = { complete: false, ways: [] }
const NOBODY: Who = { complete: true, ways: [] }

/**
 * The ways in which a cell can be true. In a world in which everything is known, `decide` is true if and only if one of them holds.
 * @param isMulti tells claims of which people can have several values; where it says no, `country A and country B` is nobody
 * @param blocked addresses that are shut out, whatever rules say
 */
export function who(
  cell: Cell,
  thing: Thing,
  rules: readonly Policy[],
  type: ThingType | undefined,
  isMulti: IsMulti = ALL_MULTI,
  blocked: Blocked = NOBODY_BLOCKED,
): Who {
  if (thing.id !== cell.resource_id || !thing.scopes.includes(cell.scope)) return NOBODY
  const found = concerned(cell, thing, rules, type)
  // A rule that cannot be read stands in everybody's way (decide.ts).
  if (found.unreadable.length > 0) return NOBODY
  const given = withGlass(givenBy(found, type, isMulti), eachOf(found.glass, isMulti))
  const limits = allOf(
    [
      ...found.requires.map(
        ({ when }) =>
          () =>
            waysOf(when, false, isMulti),
      ),
      // A prohibition must be refuted.
      ...found.forbids.map(
        ({ when }) =>
          () =>
            waysOf(when, true, isMulti),
      ),
    ],
    isMulti,
  )
  const all =
    limits === undefined
      ? undefined
      : joined(
          given,
          limits.map((way) => ({ way, permits: [] })),
          isMulti,
        )
  if (all === undefined) return TOO_MANY
  return withoutBlocked({ complete: true, ways: smallest(all).map(({ way, permits }) => ({ all: conditionsOf(way), permits })) }, blocked)
}

/** The ways of the permits that count; undefined if there are too many. */
function givenBy({ owner, org }: Concerned, type: ThingType | undefined, isMulti: IsMulti): readonly Given[] | undefined {
  const mine = eachOf(owner, isMulti)
  const theirs = eachOf(org, isMulti)
  if (type?.authority === 'both') return joined(mine, theirs, isMulti)
  // Whose permit counts is not known: nobody's (decide.ts).
  if (type !== undefined && !['owner', 'org', 'either'].includes(type.authority)) return []
  return mine === undefined || theirs === undefined ? undefined : [...mine, ...theirs]
}

/** In an emergency there is one way more, whoever else has to agree otherwise. */
const withGlass = (given: readonly Given[] | undefined, glass: readonly Given[] | undefined): readonly Given[] | undefined =>
  given === undefined || glass === undefined ? undefined : [...given, ...glass]

function eachOf(policies: readonly Policy[], isMulti: IsMulti): readonly Given[] | undefined {
  const all: Given[] = []
  for (const { id, when } of policies) {
    const ways = waysOf(when, false, isMulti)
    if (ways === undefined || all.length + ways.length > MOST) return undefined
    for (const way of ways) all.push({ way, permits: [id] })
  }
  return all
}

function joined(a: readonly Given[] | undefined, b: readonly Given[] | undefined, isMulti: IsMulti): readonly Given[] | undefined {
  if (a === undefined || b === undefined || a.length * b.length > MOST) return undefined
  // Nothing limits it: nothing is copied.
  const [first] = b
  if (first?.way.length === 0 && first.permits.length === 0) return a
  const all: Given[] = []
  for (const one of a) {
    for (const other of b) {
      const way = together(one.way, other.way, isMulti)
      const permits = other.permits.length === 0 ? one.permits : [...new Set([...one.permits, ...other.permits])]
      if (way !== undefined) all.push({ way, permits })
    }
  }
  return all
}

/** Without ways that demand more than another; the same way of several rules is one. */
function smallest(all: readonly Given[]): readonly Given[] {
  const kept: Given[] = []
  for (const one of [...all].sort((a, b) => a.way.length - b.way.length)) {
    const at = kept.findIndex(({ way }) => isPartOf(way, one.way))
    const less = kept[at]
    if (less === undefined) kept.push(one)
    else if (less.way.length === one.way.length) kept[at] = { way: less.way, permits: [...new Set([...less.permits, ...one.permits])] }
  }
  return kept
}

/** In an order of its own, so that the order of rules makes no difference. */
const conditionsOf = (way: Way): Condition[] =>
  way.length === 0
    ? [{ anyone: true }]
    : (way.length === 1 ? way : [...way].sort((a, b) => (a.key < b.key ? -1 : 1))).map(({ atom, not }) => (not ? { not: atom } : atom))

// A condition as the ways in which it can hold: alternatives, each a list of atoms and opposites of atoms that hold together. Exact: in a
// world in which everything is known, the condition holds if and only if one of its ways does (POLICY 4). Contradictions are left out. Pure.
import type { AtomCondition } from './compile-atom.ts'
import { type IsMulti, literal, together, type Way } from './literals.ts'
import type { Condition } from './policy.ts'

/** More ways than this are not listed. */
export const MOST_WAYS = 256

/** Everything may have several values, unless it is known better: then nothing is taken for a contradiction that is none. */
export const ALL_MULTI: IsMulti = () => true

const EVERYBODY: readonly Way[] = [[]]
type Known = WeakMap<object, readonly Way[] | null>
const known = new WeakMap<IsMulti, { plain: Known; opposite: Known }>()

/** The ways of a condition or, with `not`, of its opposite; undefined if there are too many. Remembered while the condition lives. */
export function waysOf(condition: Condition, not: boolean, isMulti: IsMulti): readonly Way[] | undefined {
  const both = known.get(isMulti) ?? { plain: new WeakMap(), opposite: new WeakMap() }
  known.set(isMulti, both)
  const side = not ? both.opposite : both.plain
  const before = side.get(condition)
  if (before !== undefined) return before ?? undefined
  const ways = build(condition, not, isMulti)
  side.set(condition, ways ?? null)
  return ways
}

function build(condition: Condition, not: boolean, isMulti: IsMulti): readonly Way[] | undefined {
  const inner = (one: Condition, opposite = not) => build(one, opposite, isMulti)
  // Invariant: an empty list holds in no form and direction (compile.ts).
  const list = 'all' in condition ? condition.all : 'seq' in condition ? condition.seq : 'any' in condition ? condition.any : undefined
  if (list !== undefined) {
    if (list.length === 0) return []
    return 'any' in condition === not
      ? allOf(
          list.map((one) => () => inner(one)),
          isMulti,
        )
      : anyOf(list.map((one) => inner(one)))
  }
  if ('not' in condition) return inner(condition.not, !not)
  if ('if' in condition) {
    const yes = allOf([() => inner(condition.if, false), () => inner(condition.then)], isMulti)
    const no = allOf([() => inner(condition.if, true), () => inner(condition.else)], isMulti)
    return anyOf([yes, no])
  }
  const atom = condition as AtomCondition
  if ('anyone' in atom) return not ? [] : EVERYBODY
  return [[literal(atom, not)]]
}

/** What holds in all of them. */
export function allOf(parts: readonly (() => readonly Way[] | undefined)[], isMulti: IsMulti): readonly Way[] | undefined {
  let all = EVERYBODY
  for (const part of parts) {
    const ways = part()
    if (ways === undefined) return undefined
    // Before it is built: a product may be enormous.
    if (ways.length * all.length > 4 * MOST_WAYS) return undefined
    if (all === EVERYBODY) all = ways
    else if (ways !== EVERYBODY) all = smallest(pairs(all, ways, isMulti))
    if (all.length > MOST_WAYS) return undefined
    if (all.length === 0) return all
  }
  return all
}

function pairs(some: readonly Way[], others: readonly Way[], isMulti: IsMulti): Way[] {
  const all: Way[] = []
  for (const one of some) {
    for (const other of others) {
      const way = together(one, other, isMulti)
      if (way !== undefined) all.push(way)
    }
  }
  return all
}

/** What holds in one of them. */
export function anyOf(parts: readonly (readonly Way[] | undefined)[]): readonly Way[] | undefined {
  const [only] = parts
  if (parts.length === 1) return only
  const all: Way[] = []
  for (const ways of parts) {
    if (ways === undefined || all.length + ways.length > 4 * MOST_WAYS) return undefined
    all.push(...ways)
  }
  const ways = smallest(all)
  return ways.length > MOST_WAYS ? undefined : ways
}

/** Whether all that `less` demands is demanded by `more` too. */
export const isPartOf = (less: Way, more: Way): boolean =>
  less.length <= more.length && less.every((one) => more.some((other) => other === one || other.key === one.key))

/** Without those that demand all that another one does, and more. */
function smallest(ways: readonly Way[]): readonly Way[] {
  if (ways.length < 2) return ways
  const kept: Way[] = []
  for (const way of [...ways].sort((a, b) => a.length - b.length)) if (!kept.some((less) => isPartOf(less, way))) kept.push(way)
  return kept
}

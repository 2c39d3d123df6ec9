// Atoms and their opposites, told apart and put together (ways.ts): what contradicts, what one says for both. Pure.
import type { AtomCondition as Atom } from './compile-atom.ts'
import type { Condition } from './policy.ts'

/**
 * An atom or the opposite of one. `key` is the same for the same atom, however its lists are ordered; `opposite` is the key of its opposite.
 * Only literals of one `topic` can contradict each other or be put together.
 */
export type Literal = { key: string; opposite: string; topic: string; not: boolean; atom: Atom }
/** All of these hold; none: everybody. */
export type Way = readonly Literal[]
/** Whether somebody can have several values of a claim at once. */
export type IsMulti = (claim: string) => boolean

/** Instants have one form: before one is not after it. */
export function literal(atom: Atom, not: boolean): Literal {
  if (not && 'after' in atom) return literal({ before: atom.after }, false)
  if (not && 'before' in atom) return literal({ after: atom.before }, false)
  const text = textOf(atom)
  const opposite = `!${text}`
  const topic = topicOf(atom, text)
  return not ? { key: opposite, opposite: text, topic, not, atom } : { key: text, opposite, topic, not, atom }
}

function topicOf(atom: Atom, text: string): string {
  if ('after' in atom || 'before' in atom) return 'time'
  if ('claim' in atom) return `claim ${atom.claim}`
  return listOf(atom)?.of ?? text
}

/** The same text for the same conditions, whatever their order. */
export const keyOf = (all: readonly Condition[]): string => textOf(all)

/** The same text for the same meaning. Written for speed: rules that nobody has seen before are read here. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${[...new Set(value.map(textOf))].sort().join()}]`
  const members = value as Readonly<Record<string, unknown>>
  let text = '{'
  for (const name of inOrder(Object.keys(members))) {
    const one = members[name]
    if (one !== undefined) text += `${text.length === 1 ? '' : ','}${JSON.stringify(name)}:${typeof one === 'number' ? one : textOf(one)}`
  }
  return `${text}}`
}

/** Most conditions are written in this order already. */
function inOrder(names: string[]): string[] {
  for (let at = 1; at < names.length; at++) if ((names[at - 1] ?? '') > (names[at] ?? '')) return names.sort()
  return names
}

/** Both ways at once, with times and lists put together; undefined if they contradict each other. */
export function together(a: Way, b: Way, isMulti: IsMulti): Way | undefined {
  let way = [...a]
  let mustJoin = false
  for (const one of b) {
    const meets = meetingIn(way, a.length, one)
    if (meets === 'never') return undefined
    if (meets === 'join') mustJoin = true
    // No `push`: what grows is given room for many more, and most ways are short.
    if (meets !== undefined) way = [...way, one]
  }
  if (!leavesTime(way)) return undefined
  return mustJoin ? joined(way, isMulti) : way
}

/**
 * What a literal is to the first literals of a way: `never` holds with one of them, must be joined with others about the same, or is new;
 * undefined if one of them says it already, or now does.
 */
function meetingIn(way: Literal[], first: number, one: Literal): 'never' | 'join' | 'new' | undefined {
  let meets: 'join' | 'new' = 'new'
  for (let at = 0; at < first; at++) {
    const other = way[at]
    if (other === undefined || other.topic !== one.topic) continue
    if (other.opposite === one.key) return 'never'
    if (other.key === one.key) return undefined
    if (one.topic !== 'time') {
      meets = 'join'
      continue
    }
    const bound = stricter(other, one)
    if (bound === undefined) continue
    way[at] = bound
    return undefined
  }
  return meets
}

/** Of two beginnings, or two ends, the one that says what both say; undefined for one of each. */
function stricter(a: Literal, b: Literal): Literal | undefined {
  if ('after' in a.atom && 'after' in b.atom) return b.atom.after > a.atom.after ? b : a
  if ('before' in a.atom && 'before' in b.atom) return b.atom.before < a.atom.before ? b : a
  return undefined
}

function leavesTime(way: Way): boolean {
  let after = Number.NEGATIVE_INFINITY
  let before = Number.POSITIVE_INFINITY
  for (const { atom } of way) {
    if ('after' in atom) after = atom.after
    else if ('before' in atom) before = atom.before
  }
  return after < before
}

function joined(all: Way, isMulti: IsMulti): Way | undefined {
  const way = new Map(all.map((one) => [one.key, one]))
  return joinLists(way) && canBeOneValue(way, isMulti) ? [...way.values()] : undefined
}

type Listed = string | number | boolean

/** What a literal is a list of, of which a request has exactly one value. */
function listOf(atom: Atom): { of: string; values: readonly Listed[]; make: (values: Listed[]) => Atom } | undefined {
  if ('purpose' in atom) return { of: 'purpose', values: atom.purpose, make: (values) => ({ purpose: values as string[] }) }
  if ('client' in atom) return { of: 'client', values: atom.client, make: (values) => ({ client: values as string[] }) }
  if (!('context' in atom)) return undefined
  const { context } = atom
  return {
    of: `context ${context}`,
    values: 'eq' in atom ? [atom.eq] : atom.in,
    make: ([first, ...more]) =>
      more.length === 0 && first !== undefined ? { context, eq: first } : { context, in: [first, ...more] as (string | number)[] },
  }
}

/** One list for several of the same thing; false if it would be empty. */
function joinLists(way: Map<string, Literal>): boolean {
  const lists = Map.groupBy(
    [...way].flatMap(([key, one]) => {
      const list = listOf(one.atom)
      return list === undefined ? [] : [{ key, not: one.not, ...list }]
    }),
    ({ of }) => of,
  )
  for (const same of lists.values()) {
    const wanted = same.filter(({ not }) => !not)
    const [first] = wanted
    if (same.length < 2 || first === undefined) continue
    const left = first.values.filter(
      (value) => wanted.every(({ values }) => values.includes(value)) && !same.some(({ not, values }) => not && values.includes(value)),
    )
    if (left.length === 0) return false
    for (const { key } of same) way.delete(key)
    const one = literal(first.make(left), false)
    way.set(one.key, one)
  }
  return true
}

/** Whether one value could pass all tests of each claim of which people have one only. */
function canBeOneValue(way: ReadonlyMap<string, Literal>, isMulti: IsMulti): boolean {
  const tests = [...way.values()].flatMap(({ atom, not }) => ('claim' in atom && !isMulti(atom.claim) ? [{ atom, not }] : []))
  for (const same of Map.groupBy(tests, ({ atom }) => atom.claim).values()) {
    const listed = same.flatMap(({ atom, not }) =>
      'eq' in atom ? [{ not, list: [atom.eq], names: atom.names }] : 'in' in atom ? [{ not, list: atom.in, names: atom.names }] : [],
    )
    // One value has another MAC for each who knows people by MACs of their own.
    for (const values of Map.groupBy(listed, ({ names }) => names).values()) {
      const first = values.find(({ not }) => !not)
      if (first?.list.every((value) => values.some(({ not, list }) => list.includes(value) === not))) return false
    }
    const levels = same.flatMap(({ atom, not }) => ('gte' in atom ? [{ not, gte: atom.gte }] : []))
    const least = Math.max(...levels.map(({ not, gte }) => (not ? Number.NEGATIVE_INFINITY : gte)))
    if (levels.some(({ not, gte }) => not && gte <= least)) return false
  }
  return true
}

// Values for fuzzing, from the very schemas that the server validates with: those that fit, and those that nearly do. A value is a function of
// what is alive on the server (tickets, ids, tokens), since those differ from run to run while the choices follow the seed.
import fc, { type Arbitrary } from 'fast-check'
import type * as v from 'valibot'

/** Kinds of things that the server gave out, by the names that members and parameters have for them. */
export type Live = ReadonlyMap<string, readonly string[]>
export type Value = (live: Live) => unknown

/** As much of a valibot schema as is looked at. */
type Node = {
  type: string
  pipe?: readonly { kind: string; type: string; requirement?: unknown }[]
  entries?: Record<string, Node>
  item?: Node
  options?: readonly unknown[]
  wrapped?: Node
  literal?: unknown
  key?: Node
  value?: Node
}
const nodeOf = (schema: v.GenericSchema): Node => schema as unknown as Node

const fixed =
  (value: unknown): Value =>
  () =>
    value
const constant = (value: unknown): Arbitrary<Value> => fc.constant(fixed(value))

/** Texts that have broken parsers before. */
const NASTY_TEXTS = [
  '',
  ' ',
  '\u0000',
  '%',
  '%00',
  '%ff',
  '\ud800',
  '💧',
  'ﬃ',
  '\u202e',
  '__proto__',
  'constructor',
  'toString',
  'null',
  '-1',
  '1e999',
  '{}',
  '[]',
  '"',
  "' OR 1=1 --",
  '\\',
  '<script>',
  '../..',
  'a'.repeat(5000),
  'https://',
  'javascript:alert(1)',
  'http://[::1',
  'https://a.example/#f',
  'data:text/html,x',
  'eyJhbGciOiJub25lIn0.e30.',
  'a.b.c.d.e',
  '~',
  '~~',
]
export const nastyText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS),
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const nastyValue: Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 2 ** 53, -0, 1e308, [], {}, [[]], [null], { a: { b: {} } }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** What stands under this name on the server; undefined if there is nothing. */
const liveValue = (name: string, pick: number, live: Live): string | undefined => {
  const known = live.get(name)
  return known === undefined || known.length === 0 ? undefined : known[pick % known.length]
}

const ruleOf = (node: Node, type: string): unknown => node.pipe?.find((one) => one.type === type)?.requirement
const numberOf = (node: Node, type: string): number | undefined => {
  const value = ruleOf(node, type)
  return typeof value === 'number' ? value : undefined
}

function textFor(node: Node): Arbitrary<string> {
  const pattern = ruleOf(node, 'regex')
  const max = Math.min(numberOf(node, 'max_length') ?? 60, 60)
  if (pattern instanceof RegExp) return fc.stringMatching(pattern)
  if (node.pipe?.some(({ type }) => type === 'url') === true) return fc.webUrl({ validSchemes: ['https'] })
  return fc.oneof(
    fc.string({ minLength: numberOf(node, 'min_length') ?? 0, maxLength: max }),
    fc.constantFrom('https://a.example/cb', 'view', 'openid', 'S256', 'code', 'bob@example.net', 'Europe/Lisbon', 'http://127.0.0.1/cb'),
  )
}

function numberFor(node: Node): Arbitrary<number> {
  const [min, max] = [numberOf(node, 'min_value') ?? 0, numberOf(node, 'max_value') ?? 4_000_000_000]
  const whole = fc.integer({ min: Math.ceil(min), max: Math.min(Math.floor(max), Number.MAX_SAFE_INTEGER) })
  return node.pipe?.some(({ type }) => type === 'integer') === true ? whole : fc.oneof(whole, fc.double({ min, max, noNaN: true }))
}

function objectFor(entries: Record<string, Node>): Arbitrary<Value> {
  // Optional members: in one object hardly any, in another nearly all, so that both short and full messages are sent.
  const members = Object.entries(entries).map(([name, node]) =>
    node.type === 'optional' && node.wrapped !== undefined
      ? fc.tuple(fc.integer({ min: 1, max: 9 }), valueFor(node.wrapped, name)).map(([rank, value]) => ({ name, rank, value }))
      : valueFor(node, name).map((value) => ({ name, rank: 0, value })),
  )
  return fc.tuple(fc.constantFrom(1, 5, 8), fc.tuple(...members)).map(
    ([fullness, all]) =>
      (live: Live) =>
        Object.fromEntries(all.flatMap(({ name, rank, value }) => (rank > fullness ? [] : [[name, value(live)]]))),
  )
}

function valueFor(node: Node, name: string): Arbitrary<Value> {
  const made = madeFor(node, name)
  if (node.type !== 'string') return made
  // A live value more often than not; where there is none, one that was made.
  return fc.tuple(fc.nat(1000), fc.nat(7), made).map(([pick, dice, other]) => (live: Live) => {
    const known = dice === 0 ? undefined : liveValue(name, pick, live)
    return known ?? other(live)
  })
}

function madeFor(node: Node, name: string): Arbitrary<Value> {
  switch (node.type) {
    case 'string':
      return textFor(node).map(fixed)
    case 'number':
      return numberFor(node).map(fixed)
    case 'boolean':
      return fc.boolean().map(fixed)
    case 'literal':
      return constant(node.literal)
    case 'picklist':
      return fc.constantFrom(...(node.options ?? [])).map(fixed)
    case 'array':
      return fc
        .array(valueFor(node.item ?? { type: 'unknown' }, name), { minLength: numberOf(node, 'min_length') ?? 0, maxLength: 3 })
        .map((all) => (live: Live) => all.map((value) => value(live)))
    case 'object':
    case 'strict_object':
    case 'loose_object':
      return objectFor(node.entries ?? {})
    case 'record':
      return fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }).map(fixed)
    case 'union':
    case 'variant':
      return fc.oneof(...(node.options ?? []).map((one) => valueFor(one as Node, name)))
    case 'optional':
      return valueFor(node.wrapped ?? { type: 'unknown' }, name)
    default:
      return fc.jsonValue({ maxDepth: 2 }).map(fixed)
  }
}

/** A value that fits the schema of a member or parameter with this name, a live one where the server gave out such. */
export const fitting = (schema: v.GenericSchema, name = ''): Arbitrary<Value> => valueFor(nodeOf(schema), name)

/** One member of a JSON object is dropped, replaced by something nasty, or added. */
export const spoiled = (value: Arbitrary<Value>): Arbitrary<Value> =>
  fc
    .tuple(value, fc.nat(20), fc.constantFrom('drop', 'replace', 'add', 'all'), nastyValue)
    .map(([make, at, how, nasty]) => (live: Live) => {
      const made = make(live)
      if (how === 'all' || typeof made !== 'object' || made === null) return nasty
      const members = Object.entries(made)
      const name = members[at % Math.max(members.length, 1)]?.[0] ?? 'x'
      if (how === 'add') return { ...made, [typeof nasty === 'string' ? nasty.slice(0, 40) : 'extra']: nasty }
      return Object.fromEntries(members.flatMap(([key, old]) => (key !== name ? [[key, old]] : how === 'drop' ? [] : [[key, nasty]])))
    })

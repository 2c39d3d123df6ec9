// A condition as the engine runs it (POLICY 3): `not` is pushed down to the atoms, every form is checked once, needs are made beforehand.
// What is not known, or means nothing, becomes `broken` in both directions, so that it can neither permit nor lift a prohibition.
import type { ClientTrust, Condition } from './policy.ts'
import { unknown, type Value } from './value.ts'

/** What a fact says to a claim's test: 1 yes, 0 no, -1 it does not say (no domain, no level). */
export type Test =
  | { by: 'eq'; value: string }
  | { by: 'in'; values: ReadonlySet<string> }
  | { by: 'domain'; domain: string }
  | { by: 'group'; group: string }
  | { by: 'gte'; level: number }
  | { by: 'covers'; all: readonly string[] }

/** `not`: the atom is wanted false. */
export type Atom =
  | { op: 'claim'; not: boolean; claim: string; iss: readonly string[] | undefined; max_age: number; test: Test; missing: Value }
  | { op: 'purpose'; not: boolean; purposes: readonly string[]; missing: Value }
  | { op: 'ask'; not: boolean; key: string; missing: Value }
  | { op: 'link'; not: boolean; link: string }
  | { op: 'after'; not: boolean; at: number }
  | { op: 'client'; not: boolean; ids: readonly string[] }
  | { op: 'client_trust'; not: boolean; any: readonly ClientTrust[] }
  | { op: 'uses'; not: boolean; key: string; max: number; per: 'rqp' | 'rule' }
  | { op: 'context'; not: boolean; name: string; values: readonly (string | number | boolean)[] }
  | { op: 'anyone' }
  | { op: 'nobody' }
  | { op: 'broken' }

export type Node =
  | Atom
  | { op: 'and' | 'or'; of: readonly Node[] }
  /** In stages. `seq`: all must hold; `first`: its opposite, one must hold. The first that is not settled speaks alone. */
  | { op: 'seq' | 'first'; of: readonly Node[] }
  | { op: 'if'; when: Node; unless: Node; yes: Node; no: Node }

const BROKEN_NODE: Node = { op: 'broken' }
/** Deeper than any rule that is stored; a stack is never at risk. */
const MOST_DEPTH = 64

const compiled = new WeakMap<object, { plain?: Node; opposite?: Node; asks?: boolean }>()

/** The condition, or its opposite (`not`), ready to run. Remembered for as long as the object lives: conditions never change. */
export function compile(condition: Condition, not: boolean): Node {
  if (typeof condition !== 'object' || condition === null) return BROKEN_NODE
  let known = compiled.get(condition)
  if (known === undefined) {
    known = {}
    compiled.set(condition, known)
  }
  const side = not ? 'opposite' : 'plain'
  const before = known[side]
  if (before !== undefined) return before
  const node = build(condition, { not, anyPurpose: not }, 0)
  known[side] = node
  return node
}

/** Whether the value of a condition depends on the cell: only the owner's answers do. */
export function dependsOnCell(condition: Condition): boolean {
  const node = compile(condition, false)
  const entry = compiled.get(condition)
  if (entry === undefined) return false
  entry.asks ??= asks(node)
  return entry.asks
}

function asks(node: Node): boolean {
  if (node.op === 'if') return [node.when, node.yes, node.no].some(asks)
  return 'of' in node ? node.of.some(asks) : node.op === 'ask'
}

type Way = { not: boolean; anyPurpose: boolean }

function build(condition: Condition, way: Way, depth: number): Node {
  if (depth > MOST_DEPTH || typeof condition !== 'object' || condition === null) return BROKEN_NODE
  if (!isOneForm(condition)) return BROKEN_NODE
  const inner = (one: Condition, not = way.not, anyPurpose = way.anyPurpose) => build(one, { not, anyPurpose }, depth + 1)
  const many = (
    list: readonly Condition[],
    [op, opposite]: readonly ['and', 'or'] | readonly ['or', 'and'] | readonly ['seq', 'first'],
  ) => {
    // Invariant: an empty list is false in every form and direction: nothing demanded never means permitted (UMA Grant 5.6).
    if (!Array.isArray(list) || list.length === 0) return BROKEN_NODE
    const of = list.map((one) => inner(one))
    return of.length === 1 && of[0] !== undefined ? of[0] : { op: way.not ? opposite : op, of }
  }
  if ('all' in condition) return many(condition.all, ['and', 'or'])
  if ('any' in condition) return many(condition.any, ['or', 'and'])
  if ('seq' in condition) return many(condition.seq, ['seq', 'first'])
  if ('not' in condition) return inner(condition.not, !way.not, true)
  if ('if' in condition) {
    return {
      op: 'if',
      when: inner(condition.if, false, true),
      unless: inner(condition.if, true, true),
      yes: inner(condition.then),
      no: inner(condition.else),
    }
  }
  return atom(condition, way) ?? BROKEN_NODE
}

/** The member that says which form it is, and the members that go with it. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  all: ['all'],
  any: ['any'],
  not: ['not'],
  seq: ['seq'],
  if: ['if', 'then', 'else'],
  claim: ['claim', 'iss', 'max_age', 'eq', 'in', 'domain', 'group', 'gte', 'covers'],
  anyone: ['anyone'],
  link: ['link'],
  purpose: ['purpose'],
  after: ['after'],
  before: ['before'],
  client: ['client'],
  client_trust: ['client_trust'],
  uses: ['uses'],
  ask: ['ask'],
  context: ['context', 'eq', 'in'],
}

/** Exactly one form, and no member that does not go with it. */
function isOneForm(condition: object): boolean {
  const members = Object.entries(condition).flatMap(([key, value]) => (value === undefined ? [] : [key]))
  const forms = members.filter((key) => Object.hasOwn(FORMS, key))
  const allowed = forms.length === 1 ? FORMS[forms[0] ?? ''] : undefined
  return allowed !== undefined && members.every((key) => allowed.includes(key))
}

const isWord = (one: unknown): one is string => typeof one === 'string' && one !== ''
const isWords = (list: unknown): list is readonly string[] => Array.isArray(list) && list.length > 0 && list.every(isWord)
const isNumber = (one: unknown): one is number => typeof one === 'number' && Number.isFinite(one)

type AtomCondition = Exclude<Condition, { all: unknown } | { any: unknown } | { seq: unknown } | { not: unknown } | { if: unknown }>

function atom(condition: AtomCondition, { not, anyPurpose }: Way): Node | undefined {
  if ('claim' in condition) return claimAtom(condition, not)
  if ('anyone' in condition) return condition.anyone === true ? { op: not ? 'nobody' : 'anyone' } : undefined
  if ('link' in condition) return isWord(condition.link) ? { op: 'link', not, link: condition.link } : undefined
  if ('after' in condition) return isNumber(condition.after) ? { op: 'after', not, at: condition.after } : undefined
  // Before an instant is not after it.
  if ('before' in condition) return isNumber(condition.before) ? { op: 'after', not: !not, at: condition.before } : undefined
  if ('client' in condition) return isWords(condition.client) ? { op: 'client', not, ids: condition.client } : undefined
  if ('client_trust' in condition)
    return isWords(condition.client_trust) ? { op: 'client_trust', not, any: condition.client_trust } : undefined
  if ('ask' in condition) {
    if (!isWord(condition.ask)) return undefined
    return { op: 'ask', not, key: condition.ask, missing: unknown({ kind: 'ask', key: condition.ask }) }
  }
  if ('purpose' in condition) {
    if (!isWords(condition.purpose)) return undefined
    const { purpose } = condition
    // Where a wrong purpose is an answer too, each one settles it.
    return { op: 'purpose', not, purposes: purpose, missing: unknown({ kind: 'purpose', purposes: anyPurpose ? [] : purpose }) }
  }
  if ('uses' in condition) {
    const { key, max, per } = condition.uses
    return isWord(key) && isNumber(max) && (per === 'rqp' || per === 'rule') ? { op: 'uses', not, key, max, per } : undefined
  }
  if (!isWord(condition.context) || 'eq' in condition === 'in' in condition) return undefined
  const values = 'eq' in condition ? [condition.eq] : condition.in
  if (!Array.isArray(values) || values.length === 0) return undefined
  return { op: 'context', not, name: condition.context, values }
}

function claimAtom(condition: Extract<Condition, { claim: string }>, not: boolean): Node | undefined {
  const { claim, iss, max_age } = condition
  if (!isWord(claim) || (iss !== undefined && !isWords(iss)) || (max_age !== undefined && !isNumber(max_age))) return undefined
  const tests = TESTS.flatMap((make) => make(condition as Partial<Record<Test['by'], unknown>>) ?? [])
  const asked = ['eq', 'in', 'domain', 'group', 'gte', 'covers'].filter((by) => by in condition)
  const test = tests[0]
  if (asked.length !== 1 || test === undefined) return undefined
  const missing = unknown({ kind: 'claim', claim, ...(iss !== undefined && { iss }), ...(max_age !== undefined && { max_age }) })
  return { op: 'claim', not, claim, iss, max_age: max_age ?? Number.POSITIVE_INFINITY, test, missing }
}

const TESTS: readonly ((condition: Partial<Record<Test['by'], unknown>>) => Test | undefined)[] = [
  ({ eq }) => (isWord(eq) ? { by: 'eq', value: eq } : undefined),
  (condition) => (isWords(condition.in) ? { by: 'in', values: new Set(condition.in) } : undefined),
  ({ domain }) => (isWord(domain) ? { by: 'domain', domain } : undefined),
  ({ group }) => (isWord(group) ? { by: 'group', group } : undefined),
  ({ gte }) => (isNumber(gte) ? { by: 'gte', level: gte } : undefined),
  ({ covers }) => (isWords(covers) ? { by: 'covers', all: covers } : undefined),
]

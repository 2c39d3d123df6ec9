// A condition as the engine runs it (POLICY 3): `not` is pushed down to the atoms, every form is checked once, needs are made beforehand.
// What is not known, or means nothing, becomes `broken` in both directions, so that it can neither permit nor lift a prohibition.
import { type Atom, type AtomCondition, atomOf, type Wanted } from './compile-atom.ts'
import type { Condition } from './policy.ts'

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

function build(condition: Condition, way: Wanted, depth: number): Node {
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
  return atomOf(condition as AtomCondition, way) ?? BROKEN_NODE
}

/** The member that says which form it is, and the members that go with it. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  all: ['all'],
  any: ['any'],
  not: ['not'],
  seq: ['seq'],
  if: ['if', 'then', 'else'],
  claim: ['claim', 'iss', 'max_age', 'names', 'eq', 'in', 'domain', 'group', 'gte', 'covers'],
  anyone: ['anyone'],
  link: ['link'],
  purpose: ['purpose'],
  after: ['after'],
  before: ['before'],
  client: ['client'],
  client_trust: ['client_trust'],
  uses: ['uses'],
  ask: ['ask'],
  break_glass: ['break_glass'],
  context: ['context', 'eq', 'in'],
}

/** Exactly one form, and no member that does not go with it. */
function isOneForm(condition: object): boolean {
  const members = Object.entries(condition).flatMap(([key, value]) => (value === undefined ? [] : [key]))
  const forms = members.filter((key) => Object.hasOwn(FORMS, key))
  const allowed = forms.length === 1 ? FORMS[forms[0] ?? ''] : undefined
  return allowed !== undefined && members.every((key) => allowed.includes(key))
}

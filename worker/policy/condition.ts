// One condition in the world as it is now -> true, false or unknown (POLICY 3). Pure: the world comes in, nothing else is asked.
import { BREAK_GLASS, BREAK_GLASS_TTL } from './break-glass.ts'
import { compile, dependsOnCell, type Node } from './compile.ts'
import type { Atom, Test } from './compile-atom.ts'
import type { Condition } from './policy.ts'
import { always, and, BROKEN, FALSE, or, type Value } from './value.ts'
import type { Cell, Fact, World } from './world.ts'

/** A counter that a grant uses up. */
export type Counter = { key: string; per: 'rqp' | 'rule' }
/** What made something true: ids of facts, and counters that stood below their limit. */
export type Support = { facts: Set<string>; uses: Map<string, Counter> }

/** Evaluates a condition, or with `not` its opposite, for one cell. What cannot be worked out is false: fail closed. */
export function holds(condition: Condition, cell: Cell, world: World, not = false): Value {
  try {
    return evaluate(compile(condition, not), cell, world)
  } catch {
    // POLICY 3: a throw is false. The look-ups of a world are other people's code; the rule is named among those that failed (decide.ts).
    return BROKEN
  }
}

/** Values of conditions in one world, for as long as nothing in it changes: one turn. */
export type Memo = Record<'plain' | 'opposite', Map<Condition, Value>>
export const newMemo = (): Memo => ({ plain: new Map(), opposite: new Map() })

/** As `holds`; what was worked out for another cell is not worked out again. */
export function holdsOnce(condition: Condition, cell: Cell, world: World, memo: Memo, not = false): Value {
  const known = memo[not ? 'opposite' : 'plain']
  const before = known.get(condition)
  if (before !== undefined) return before
  const value = holds(condition, cell, world, not)
  if (!dependsOnCell(condition)) known.set(condition, value)
  return value
}

/** Adds to `support` what a condition that is true now, or its opposite that is, rests on: every fact in every part that is true. */
export function supportOf(condition: Condition, cell: Cell, world: World, support: Support, not = false): void {
  collect(compile(condition, not), cell, world, support)
}

function evaluate(node: Node, cell: Cell, world: World): Value {
  switch (node.op) {
    case 'and':
      return node.of.reduce<Value>((value, one) => (value.kind === 'false' ? value : and(value, evaluate(one, cell, world))), always())
    case 'or':
      return node.of.reduce<Value>((value, one) => or(value, evaluate(one, cell, world)), FALSE)
    case 'seq':
      return inStages(node.of, 'false', and, cell, world)
    case 'first':
      return inStages(node.of, 'true', or, cell, world)
    case 'if':
      return branch(node, cell, world)
    default:
      return atomValue(node, cell, world)
  }
}

/** POLICY 3, `seq`: a settling part settles it wherever it stands; otherwise the first unknown one decides alone, later needs stay untold. */
function inStages(of: readonly Node[], settled: 'true' | 'false', join: typeof and, cell: Cell, world: World): Value {
  let all: Value | undefined
  let open: Value | undefined
  for (const one of of) {
    const value = evaluate(one, cell, world)
    if (value.kind === 'unknown') open ??= value
    else all = all === undefined ? value : join(all, value)
  }
  if (all?.kind === settled) return all
  return open ?? all ?? BROKEN
}

/** POLICY 3, `if`. False is never taken for granted: only where the opposite is true does `else` count. */
function branch(node: Extract<Node, { op: 'if' }>, cell: Cell, world: World): Value {
  const when = evaluate(node.when, cell, world)
  if (when.kind === 'true') return and(when, evaluate(node.yes, cell, world))
  if (when.kind === 'false') {
    const unless = evaluate(node.unless, cell, world)
    return unless.kind === 'true' ? and(unless, evaluate(node.no, cell, world)) : BROKEN
  }
  const yes = evaluate(node.yes, cell, world)
  const no = evaluate(node.no, cell, world)
  if (yes.kind === 'false' && no.kind === 'false') return yes
  return yes.kind === 'true' && no.kind === 'true' ? and(yes, no) : when
}

const settled = (isTrue: boolean, not: boolean, until?: number): Value => (isTrue === not ? FALSE : always(until))

function atomValue(node: Atom, cell: Cell, world: World): Value {
  switch (node.op) {
    case 'claim':
      return claimValue(node, world)
    case 'purpose':
      return world.purpose === undefined ? node.missing : settled(node.purposes.includes(world.purpose), node.not)
    case 'ask': {
      const answer = world.approved(node.key, cell)
      // An answer that has run out is none.
      if (answer === undefined || !(world.now < answer.until)) return node.missing
      return settled(answer.given, node.not, answer.until)
    }
    case 'link':
      return settled(world.links.includes(node.link), node.not)
    case 'after':
      return settled(world.now >= node.at, node.not, node.not ? node.at : undefined)
    case 'client':
      return settled(node.ids.includes(world.client.id), node.not)
    case 'client_trust':
      return settled(
        world.client.trust.some((one) => node.any.includes(one)),
        node.not,
      )
    case 'uses': {
      const used = world.used(node.key, node.per)
      return (node.not ? used >= node.max : used < node.max) ? always() : FALSE
    }
    case 'context': {
      const said = Object.hasOwn(world.context, node.name) ? world.context[node.name] : undefined
      return settled(said !== undefined && node.values.includes(said), node.not)
    }
    case 'break_glass':
      // POLICY 3: for a quarter of an hour. Nobody is asked whether there is an emergency.
      return world.purpose === BREAK_GLASS ? always(world.now + BREAK_GLASS_TTL) : FALSE
    case 'anyone':
      return always()
    case 'nobody':
      return FALSE
    case 'broken':
      return BROKEN
  }
}

/** Whether a fact passes a test; undefined if it does not say (an address without domain, a level that is none). */
function passes(test: Test, fact: Fact, world: World): boolean | undefined {
  switch (test.by) {
    case 'eq':
      return fact.mac === test.value
    case 'in':
      return test.values.has(fact.mac)
    case 'domain':
      return fact.domain === undefined ? undefined : fact.domain === test.domain
    case 'group':
      return world.isMember(test.group, fact.mac)
    case 'gte':
      return fact.level === undefined ? undefined : fact.level >= test.level
    case 'covers': {
      const { holds: held } = fact
      return held === undefined ? undefined : test.all.every((one) => held.includes(one))
    }
  }
}

type Claim = Extract<Atom, { op: 'claim' }>
/** Clocks of issuers may be this far ahead (seconds). */
const AHEAD = 60

/** Levels and labels are the same in everybody's words; values and domains are MACs, and say something only to whoever made them. */
const isInWordsOf = (node: Claim, fact: Fact): boolean => node.test.by === 'gte' || node.test.by === 'covers' || fact.names === node.names

/** When a fact stops counting for this atom; undefined if it is of another claim or issuer, or in words that the rule does not know. */
function endFor(node: Claim, fact: Fact): number | undefined {
  const isHeard = node.iss === undefined ? fact.named !== true : node.iss.includes(fact.iss)
  if (fact.claim !== node.claim || !isHeard || !isInWordsOf(node, fact)) return undefined
  return Math.min(fact.exp, fact.iat + node.max_age)
}

function claimValue(node: Claim, world: World): Value {
  const { now } = world
  let isShown = false
  let fitsUntil = 0
  let failsUntil = 0
  let isSilent = false
  for (const fact of world.facts) {
    const end = endFor(node, fact)
    // Written so that a time that is no number counts as over. What is of the future is as if it had not been shown.
    if (end === undefined || !(end > now) || !(fact.iat <= now + AHEAD)) continue
    const does = passes(node.test, fact, world)
    isShown = true
    if (does === true) fitsUntil = Math.max(fitsUntil, end)
    else if (does === false) failsUntil = Math.max(failsUntil, end)
    else isSilent = true
  }
  if (!isShown) return node.missing
  // A claim that was shown and does not fit settles the matter for this attempt; it is not asked for again.
  if (!node.not) return fitsUntil > 0 ? always(fitsUntil) : FALSE
  // A fact that does not say lifts no prohibition.
  return fitsUntil > 0 || isSilent ? FALSE : always(failsUntil)
}

function collect(node: Node, cell: Cell, world: World, support: Support): void {
  const isTrue = (one: Node): boolean => evaluate(one, cell, world).kind === 'true'
  switch (node.op) {
    case 'and':
    case 'seq':
      for (const one of node.of) collect(one, cell, world, support)
      return
    case 'or':
    case 'first':
      for (const one of node.of) if (isTrue(one)) collect(one, cell, world, support)
      return
    case 'if': {
      const ways: readonly Node[] = isTrue(node.when)
        ? [node.when, node.yes]
        : isTrue(node.unless)
          ? [node.unless, node.no]
          : [node.yes, node.no]
      for (const one of ways) collect(one, cell, world, support)
      return
    }
    case 'claim': {
      const id = bestFact(node, world)?.id
      if (id !== undefined) support.facts.add(id)
      return
    }
    case 'uses':
      // JSON, because a key may contain anything.
      if (!node.not) support.uses.set(JSON.stringify([node.key, node.per]), { key: node.key, per: node.per })
  }
}

/** The fact that keeps a true atom true for longest. */
function bestFact(node: Claim, world: World): Fact | undefined {
  let best: Fact | undefined
  let bestEnd = 0
  for (const fact of world.facts) {
    const end = endFor(node, fact)
    if (end === undefined || !(end > world.now) || !(fact.iat <= world.now + AHEAD) || end <= bestEnd) continue
    if (passes(node.test, fact, world) !== !node.not) continue
    best = fact
    bestEnd = end
  }
  return best
}

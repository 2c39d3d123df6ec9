// Whether a rule may be saved (POLICY 6): not too large to be worked out or listed, nothing that would let somebody in by withholding
// something, nothing that can never hold. Pure; counts before it builds, so that the worst rule is refused as fast as the best is taken.
// Unknown members are the wire schema's affair; that things, groups and people are the owner's is the owner object's.
import { BREAK_GLASS_TTL } from './break-glass.ts'
import { compile, type Node } from './compile.ts'
import type { IsMulti, Way } from './literals.ts'
import type { ClaimCondition, Condition, Policy } from './policy.ts'
import { ALL_MULTI, waysOf } from './ways.ts'

/** `code` is stable, `text` is for people. */
export type Problem = { code: ProblemCode; text: string }

export const PROBLEMS = {
  unknown_version: 'This rule is written in a version of the language that is not known here.',
  no_target: 'The rule speaks of no thing.',
  no_scopes: 'The rule speaks of no action.',
  unknown_condition: 'A condition has no meaning here: it is of no known form, or a value in it is none.',
  empty_list: 'An empty list holds for nobody. To let everybody in, say so.',
  too_many_conditions: 'The rule has more than 64 conditions.',
  too_deep: 'The conditions are nested more than 6 deep.',
  too_many_ways: 'There are more than 64 ways to meet the rule.',
  too_many_claims: 'Every way to meet the rule wants more than 16 different claims: nobody could bring them all.',
  too_many_rules: 'More than 512 rules would speak of the same thing.',
  never_holds: 'Nobody could ever meet the rule: its conditions contradict each other.',
  ends_before_it_begins: 'The rule ends before it begins.',
  asked_too_early: 'You are asked last, when it is known who asks: put your own answer behind what people have to show.',
  withholding_passes: 'Somebody could get past the rule by not showing something.',
  opposite_of_an_answer:
    'What is asked or declared cannot be wanted otherwise: a purpose and your own answer go without "not", and never in a prohibition.',
  opposite_of_uses: 'A number of uses goes without "not", and never in a prohibition.',
  break_glass_place: 'An emergency is one of the conditions that all must hold, once, in a rule that lets somebody in.',
  break_glass_alone: 'Whoever declares an emergency has to show something first: put a claim beside it.',
  platform_never_permits: 'The platform never lets anybody in; it can forbid and demand.',
  terms_without_permit: 'Terms of a grant go with a rule that lets somebody in.',
  bad_terms: 'The terms of the grant are not possible.',
} as const
export type ProblemCode = keyof typeof PROBLEMS

/** POLICY 6. */
const [MOST_ATOMS, MOST_DEPTH, MOST_WAYS, MOST_RULES] = [64, 6, 64, 512]

/** Different claims that one way of a rule may want: as many as a ticket carries (worker/negotiation/shown.ts). */
export const MOST_CLAIMS = 16

/** `isMulti`: whether people can have several values of a claim at once; all can if it is absent. `beside`: rules in the fullest of the same cells. */
export type Checking = { isMulti?: IsMulti; beside?: number }

/** All that speaks against saving a rule; nothing if it may be. Each code once, most basic first. */
export function checkPolicy(policy: Policy, { isMulti = ALL_MULTI, beside = 0 }: Checking = {}): Problem[] {
  const codes = new Set<ProblemCode>()
  checkFrame(policy, codes)
  if (beside + 1 > MOST_RULES) codes.add('too_many_rules')
  const size = sizeOf(policy.when)
  if (size.depth <= MOST_DEPTH) checkGlass(policy, codes)
  if (size.depth > MOST_DEPTH) codes.add('too_deep')
  else if (size.atoms > MOST_ATOMS) codes.add('too_many_conditions')
  else checkCondition(policy, isMulti, codes)
  return [...codes].map((code) => ({ code, text: PROBLEMS[code] }))
}

function checkFrame({ v, effect, tier, target, scopes, grant = {} }: Policy, codes: Set<ProblemCode>): void {
  const isKnown = v === 1 && ['permit', 'forbid', 'require'].includes(effect) && ['owner', 'org', 'platform'].includes(tier)
  if (!isKnown) codes.add('unknown_version')
  if (!namesSomething(target)) codes.add('no_target')
  if (scopes !== '*' && scopes.length === 0) codes.add('no_scopes')
  if (effect === 'permit' && tier === 'platform') codes.add('platform_never_permits')
  if (effect !== 'permit' && Object.keys(grant).length > 0) codes.add('terms_without_permit')
  if (grant.rpt_ttl !== undefined && !(Number.isSafeInteger(grant.rpt_ttl) && grant.rpt_ttl > 0)) codes.add('bad_terms')
}

function namesSomething(target: Policy['target']): boolean {
  if ('resources' in target) return target.resources.length > 0
  if ('types' in target) return target.types.length > 0
  return 'labels' in target ? target.labels.length > 0 : target.all === true
}

const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null

/** Stops counting where it is too much already. */
function sizeOf(condition: Condition, depth = 1): { atoms: number; depth: number } {
  const parts = partsOf(condition)
  if (depth > MOST_DEPTH || parts === undefined) return { atoms: 1, depth }
  const size = { atoms: 0, depth }
  for (const part of parts) {
    const one = sizeOf(part, depth + 1)
    size.atoms += one.atoms
    size.depth = Math.max(size.depth, one.depth)
    if (size.atoms > MOST_ATOMS) break
  }
  return size
}

/** Undefined for an atom. */
function partsOf(condition: Condition): readonly Condition[] | undefined {
  if (!isObject(condition)) return undefined
  const list = 'all' in condition ? condition.all : 'any' in condition ? condition.any : 'seq' in condition ? condition.seq : undefined
  if (list !== undefined) return Array.isArray(list) ? list : []
  if ('not' in condition) return [condition.not]
  return 'if' in condition ? [condition.if, condition.then, condition.else] : undefined
}

function checkCondition(policy: Policy, isMulti: IsMulti, codes: Set<ProblemCode>): void {
  const { when, effect } = policy
  look(when, effect === 'forbid' ? 'missed' : 'met', isMulti, codes)
  if (codes.has('empty_list')) return
  if (isBroken(compile(when, false))) {
    codes.add('unknown_condition')
    return
  }
  if (countWays(when, effect === 'forbid') > MOST_WAYS) {
    codes.add('too_many_ways')
    return
  }
  // Small enough to be built.
  const ways = waysOf(when, false, isMulti)
  if (ways?.length === 0 && !codes.has('ends_before_it_begins')) codes.add('never_holds')
  const opening = effect === 'forbid' ? waysOf(when, true, isMulti) : ways
  if (opening !== undefined && opening.length > 0 && opening.every((way) => claimsOf(way) > MOST_CLAIMS)) codes.add('too_many_claims')
}

/** POLICY 3, 8d: never for everybody, never longer or quieter than it may be. */
function checkGlass({ when, effect, grant = {} }: Policy, codes: Set<ProblemCode>): void {
  if (!speaksOf(when, ['break_glass'])) return
  const all = 'all' in when ? when.all : []
  const places = all.filter((one) => speaksOf(one, ['break_glass']))
  const isPlain = places.length === 1 && places.every((one) => partsOf(one) === undefined)
  if (effect !== 'permit' || !isPlain) codes.add('break_glass_place')
  if (!all.some((one) => isObject(one) && 'claim' in one)) codes.add('break_glass_alone')
  const { refresh, pct, notify = 'each', rpt_ttl = BREAK_GLASS_TTL } = grant
  if (refresh === true || pct === true || notify !== 'each' || rpt_ttl > BREAK_GLASS_TTL) codes.add('bad_terms')
}

const claimsOf = (way: Way): number => new Set(way.flatMap(({ atom }) => ('claim' in atom ? atom.claim : []))).size

/** What opens the door: that a condition is met, that it is missed, or either (the condition of an `if`). */
type Opens = 'met' | 'missed' | 'either'

function look(condition: Condition, opens: Opens, isMulti: IsMulti, codes: Set<ProblemCode>): void {
  const parts = partsOf(condition)
  if (parts === undefined) {
    lookAtAtom(condition as ClaimCondition, opens, isMulti, codes)
    return
  }
  if (parts.length === 0) codes.add('empty_list')
  if ('if' in condition) {
    look(condition.if, 'either', isMulti, codes)
    look(condition.then, opens, isMulti, codes)
    look(condition.else, opens, isMulti, codes)
    return
  }
  const inner = 'not' in condition && opens !== 'either' ? (opens === 'met' ? 'missed' : 'met') : opens
  for (const part of parts) look(part, inner, isMulti, codes)
  if ('all' in condition || 'seq' in condition) checkTimes(parts, codes)
  // POLICY 3: approvals last, so that the owner sees who asks.
  const asked = 'seq' in condition ? parts.findIndex((part) => speaksOf(part, ['ask'])) : -1
  if (asked >= 0 && parts.slice(asked + 1).some((part) => speaksOf(part, ['claim', 'purpose']))) codes.add('asked_too_early')
}

/** Whether one of these forms occurs in it. */
function speaksOf(condition: Condition, forms: readonly string[]): boolean {
  const parts = partsOf(condition)
  if (parts !== undefined) return parts.some((part) => speaksOf(part, forms))
  return isObject(condition) && forms.some((form) => form in condition)
}

function lookAtAtom(atom: Condition, opens: Opens, isMulti: IsMulti, codes: Set<ProblemCode>): void {
  if (!isObject(atom)) return
  const lists = ['in', 'covers', 'iss', 'purpose', 'client', 'client_trust'].flatMap((name) =>
    Object.entries(atom).filter(([key]) => key === name),
  )
  if (lists.some(([, list]) => Array.isArray(list) && list.length === 0)) codes.add('empty_list')
  if (opens === 'met') return
  // POLICY 3: who can leave the bad value unsaid would pass.
  if (('claim' in atom && isMulti(atom.claim)) || 'link' in atom) codes.add('withholding_passes')
  if ('ask' in atom || ('purpose' in atom && opens === 'missed')) codes.add('opposite_of_an_answer')
  if ('uses' in atom && opens === 'missed') codes.add('opposite_of_uses')
}

function checkTimes(all: readonly Condition[], codes: Set<ProblemCode>): void {
  const parts = all.filter(isObject)
  const after = Math.max(...parts.flatMap((part) => ('after' in part ? [part.after] : [])))
  const before = Math.min(...parts.flatMap((part) => ('before' in part ? [part.before] : [])))
  if (before <= after) codes.add('ends_before_it_begins')
}

function isBroken(node: Node): boolean {
  switch (node.op) {
    case 'broken':
      return true
    case 'and':
    case 'or':
    case 'seq':
    case 'first':
      return node.of.some(isBroken)
    case 'if':
      return [node.when, node.unless, node.yes, node.no].some(isBroken)
    case 'claim':
      return !(node.max_age > 0)
    case 'uses':
      return !(Number.isSafeInteger(node.max) && node.max >= 1)
    case 'after':
      return !(Number.isSafeInteger(node.at) && node.at >= 0)
    default:
      return false
  }
}

/** How many ways there can be at most, without building one; stops growing far above the limit. */
function countWays(condition: Condition, not: boolean): number {
  const parts = partsOf(condition)
  if (parts === undefined) return 1
  if ('not' in condition) return countWays(condition.not, !not)
  if ('if' in condition) {
    const yes = countWays(condition.if, false) * countWays(condition.then, not)
    return Math.min(yes + countWays(condition.if, true) * countWays(condition.else, not), 1e6)
  }
  const counts = parts.map((part) => countWays(part, not))
  const total =
    'any' in condition === not ? counts.reduce((all, one) => Math.min(all * one, 1e6), 1) : counts.reduce((all, one) => all + one, 0)
  return Math.min(total, 1e6)
}

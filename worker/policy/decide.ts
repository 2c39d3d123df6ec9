// What rules say about one resource and one scope (POLICY 3): all that is required, nothing that is forbidden, and a permit of those whose
// permit counts. Deny overrides by construction, the default is no, the order of rules makes no difference. Pure.
import { breaksGlass, canBeBroken, glassTerms } from './break-glass.ts'
import { type Counter, holds, holdsOnce, type Memo, type Support, supportOf } from './condition.ts'
import type { GrantTerms, Policy, Thing, ThingType } from './policy.ts'
import { always, and, BROKEN, FALSE, or, type Value } from './value.ts'
import type { Cell, World } from './world.ts'

export type Decision = {
  value: Value
  /** Ids of rules: permits that count and hold, prohibitions that hold, demands that are not met, and those that could not be worked out. */
  permits: string[]
  forbids: string[]
  unmet: string[]
  failed: string[]
  /** If the value is true: ids of the facts it rests on, and the counters that a grant uses up. */
  rests: string[]
  uses: Counter[]
  /** What all permits that hold agree on. */
  terms: GrantTerms
  /** True if the value is, and only because somebody breaks the glass. */
  emergency: boolean
}

/** Rules that have a say about a cell, by what they do there. */
export type Concerned = {
  requires: Policy[]
  forbids: Policy[]
  owner: Policy[]
  org: Policy[]
  /** Permits for an emergency, of those who have a say, where the type declares that there is such a way. */
  glass: Policy[]
  unreadable: Policy[]
}

/** How far up a thing's place is looked at. */
const MOST_ANCESTORS = 16

/** Whether a rule speaks of a thing. A target of a form that is not known is one of everything, unless the rule permits. */
export function applies(policy: Policy, thing: Thing): boolean {
  const { target } = policy
  if ('resources' in target) {
    if (target.resources.includes(thing.id)) return true
    return target.descend === true && thing.ancestors.some((id, at) => at < MOST_ANCESTORS && target.resources.includes(id))
  }
  if ('types' in target) return thing.type !== undefined && target.types.includes(thing.type)
  if ('labels' in target) return target.labels.some((label) => thing.labels.includes(label))
  return target.all === true || policy.effect !== 'permit'
}

const brought = new WeakMap<ThingType, Map<string, ReadonlySet<string>>>()

/** The scope, and all that come along with it. */
export function scopesWith(scope: string, type: ThingType | undefined): ReadonlySet<string> {
  if (type === undefined) return new Set([scope])
  const known = brought.get(type) ?? new Map<string, ReadonlySet<string>>()
  brought.set(type, known)
  const before = known.get(scope)
  if (before !== undefined) return before
  const all = new Set([scope])
  for (const one of all) for (const next of Object.hasOwn(type.implies, one) ? (type.implies[one] ?? []) : []) all.add(next)
  known.set(scope, all)
  return all
}

/**
 * Whether a rule speaks of a scope. A permit gives what its scopes bring along. Choice: what is forbidden or demanded for a scope is so
 * for each scope that would bring it along as well; else `edit` would be a way around a prohibition of `view`.
 */
export function concerns(policy: Policy, scope: string, type: ThingType | undefined): boolean {
  const { scopes } = policy
  if (scopes === '*' || scopes.includes(scope)) return true
  if (type === undefined) return false
  if (policy.effect === 'permit') return scopes.some((one) => scopesWith(one, type).has(scope))
  const along = scopesWith(scope, type)
  return scopes.some((one) => along.has(one))
}

/** Sorts the rules that have a say. The platform never grants; permits of those whose permit does not count are left out. */
export function concerned(cell: Cell, thing: Thing, rules: readonly Policy[], type: ThingType | undefined): Concerned {
  const found: Concerned = { requires: [], forbids: [], owner: [], org: [], glass: [], unreadable: [] }
  const authority = type?.authority ?? 'owner'
  for (const policy of rules) {
    if (!concerns(policy, cell.scope, type) || !applies(policy, thing)) continue
    const place = placeOf(policy)
    if ((place === 'owner' && authority === 'org') || (place === 'org' && authority === 'owner')) continue
    if (policy.effect !== 'permit' || !breaksGlass(policy.when)) {
      if (place !== undefined) found[place].push(policy)
    } else if (place !== undefined && canBeBroken(cell.scope, type)) found.glass.push(policy)
  }
  return found
}

/** A permit of a form that is not known is none; anything else of such a form stands in the way. */
function placeOf({ v, effect, tier }: Policy): keyof Concerned | undefined {
  if (effect === 'permit') return v === 1 && (tier === 'owner' || tier === 'org') ? tier : undefined
  if (v !== 1) return 'unreadable'
  if (effect === 'forbid') return 'forbids'
  return effect === 'require' ? 'requires' : 'unreadable'
}

/**
 * Decides one cell.
 * @param rules those of the owner, her organisation and the platform; the ones that have no say here are left out
 * @param type of the thing; undefined: nothing comes along with a scope, and the owner decides
 * @param memo shared by the cells of one turn, in which nothing of the world changes
 * @returns false if the thing does not offer the scope, if nothing permits (UMA Grant 5.6), or if a rule cannot be worked out
 */
export function decide(
  cell: Cell,
  thing: Thing,
  rules: readonly Policy[],
  type: ThingType | undefined,
  world: World,
  memo?: Memo,
): Decision {
  const decision: Decision = {
    value: FALSE,
    permits: [],
    forbids: [],
    unmet: [],
    failed: [],
    rests: [],
    uses: [],
    terms: {},
    emergency: false,
  }
  if (thing.id !== cell.resource_id || !thing.scopes.includes(cell.scope)) return decision
  const found = concerned(cell, thing, rules, type)
  const of = (policy: Policy, not = false): Value => {
    const value = memo === undefined ? holds(policy.when, cell, world, not) : holdsOnce(policy.when, cell, world, memo, not)
    if (value === BROKEN) decision.failed.push(policy.id)
    return value
  }

  const limits: Record<Stage, Value> = { upper: always(), own: always() }
  const limit = (policy: Policy, value: Value) => {
    const stage = policy.tier === 'owner' ? 'own' : 'upper'
    limits[stage] = and(limits[stage], value)
  }
  for (const policy of found.requires) {
    const value = of(policy)
    if (value.kind === 'false') decision.unmet.push(policy.id)
    limit(policy, value)
  }
  for (const policy of found.forbids) {
    // A prohibition must be refuted; one that cannot be worked out is not.
    const refuted = of(policy, true)
    if (refuted.kind === 'false') decision.forbids.push(policy.id)
    limit(policy, refuted)
  }
  for (const { id } of found.unreadable) {
    decision.failed.push(id)
    limits.upper = BROKEN
  }

  let holding: Policy[] = []
  const permitted = (policies: readonly Policy[]): Value => {
    let any: Value = FALSE
    for (const policy of policies) {
      const value = of(policy)
      if (value.kind === 'true') holding.push(policy)
      any = or(any, value)
    }
    return any
  }
  const given = granted(permitted(found.owner), permitted(found.org), type)
  decision.value = staged(and(limits.upper, given.upper), and(limits.own, given.own))
  // POLICY 3: one way more, only for who has none; all that takes away still does.
  if (decision.value.kind !== 'true' && found.glass.length > 0) {
    const others = holding
    holding = []
    const broken = staged(limits.upper, and(limits.own, permitted(found.glass)))
    decision.emergency = broken.kind === 'true'
    decision.value = or(decision.value, broken)
    if (!decision.emergency) holding = others
  }
  decision.permits = holding.map(({ id }) => id)
  if (decision.value.kind !== 'true') return decision

  const support: Support = { facts: new Set(), uses: new Map() }
  for (const policy of [...found.requires, ...holding]) supportOf(policy.when, cell, world, support)
  for (const policy of found.forbids) supportOf(policy.when, cell, world, support, true)
  decision.rests = [...support.facts]
  decision.uses = [...support.uses.values()]
  const terms = mergedTerms(holding.map(({ grant }) => grant ?? {}))
  decision.terms = decision.emergency ? glassTerms(terms) : terms
  return decision
}

/** WG 2016-12-15: what the organisation and the platform say comes before what the owner says. */
type Stage = 'upper' | 'own'

/** Whose permit counts for things of this type, and in which stage. */
function granted(owner: Value, org: Value, type: ThingType | undefined): Record<Stage, Value> {
  switch (type?.authority ?? 'owner') {
    case 'owner':
      return { upper: always(), own: owner }
    case 'org':
      return { upper: org, own: always() }
    case 'both':
      return { upper: org, own: owner }
    case 'either':
      return { upper: always(), own: or(owner, org) }
    default:
      return { upper: BROKEN, own: BROKEN }
  }
}

/**
 * Both, one after the other (POLICY 3, `seq`): while something has to be shown for the first stage, what the second one wants stays untold. A
 * first stage that waits for nothing but an answer of the owner waits for the second: she is asked last, about somebody who is known (P17).
 */
function staged(upper: Value, own: Value): Value {
  const isFirst = upper.kind === 'unknown' && own.kind === 'unknown' && upper.needs.some((set) => set.some(({ kind }) => kind !== 'ask'))
  return isFirst ? upper : and(upper, own)
}

const LOUDEST = ['each', 'first', 'never'] as const

/** Terms that satisfy all: the shortest life, a refresh token and persisted claims only if nobody forbids them, told as often as one wants. */
export function mergedTerms(all: readonly GrantTerms[]): GrantTerms {
  const ttls = all.flatMap(({ rpt_ttl }) => rpt_ttl ?? [])
  const merged: GrantTerms = ttls.length === 0 ? {} : { rpt_ttl: Math.min(...ttls) }
  for (const member of ['refresh', 'pct'] as const) {
    if (all.some((terms) => terms[member] === false)) merged[member] = false
    else if (all.length > 0 && all.every((terms) => terms[member] === true)) merged[member] = true
  }
  const wish = LOUDEST.find((one) => all.some(({ notify }) => notify === one))
  // Who says nothing wants what is usual, which is more than never.
  if (wish !== undefined && (wish !== 'never' || all.every(({ notify }) => notify === 'never'))) merged.notify = wish
  return merged
}

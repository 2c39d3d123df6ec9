// "Why is that so": the rules and the facts that made a decision (POLICY 4, 7 P24). For the owner only: the requesting party hears what is
// missing, or no. Pure.
import { holds, type Support, supportOf } from './condition.ts'
import { concerned, type Decision, decide } from './decide.ts'
import type { Effect, Policy, Thing, ThingType, Tier } from './policy.ts'
import type { NeedSet } from './value.ts'
import type { Cell, World } from './world.ts'

/**
 * A rule that mattered, and ids of the facts that settled it. `until`: it is settled like that, if anything ends it. `waits`: what could
 * settle it, if nothing has yet.
 */
export type Reason = { id: string; tier: Tier; effect: Effect; facts: string[]; until?: number; waits?: readonly NeedSet[] }

export type Why = {
  kind: 'true' | 'false' | 'unknown'
  /** Until when it stays so, if it is true; Infinity if nothing ends it. */
  until?: number
  /** Permits that hold: without all of them, nothing would be granted. */
  permits: Reason[]
  /** What stands in the way: prohibitions that are not refuted, demands that are not met, rules that could not be worked out. */
  against: Reason[]
  /** Rules that are not settled yet. */
  open: Reason[]
  /** Demands that are met and prohibitions that are refuted. */
  passed: Reason[]
}

/** Explains one cell; `decide` gives the same answer in the same world. Permits that simply do not hold are not named. */
export function why(cell: Cell, thing: Thing, rules: readonly Policy[], type: ThingType | undefined, world: World): Why {
  const decision = decide(cell, thing, rules, type, world)
  const { value } = decision
  const found: Why = {
    kind: value.kind,
    ...(value.kind === 'true' && { until: value.until }),
    permits: [],
    against: [],
    open: [],
    passed: [],
  }
  if (!thing.scopes.includes(cell.scope)) return found
  const sorted = concerned(cell, thing, rules, type)
  for (const policy of Object.values(sorted).flat()) {
    const place = placeOf(policy, decision, cell, world)
    if (place !== undefined) found[place].push(reason(policy, place, cell, world))
  }
  return found
}

type Place = 'permits' | 'against' | 'open' | 'passed'

function placeOf({ id, effect, when }: Policy, decision: Decision, cell: Cell, world: World): Place | undefined {
  if (decision.permits.includes(id)) return 'permits'
  if (effect !== 'permit' && [decision.forbids, decision.unmet, decision.failed].some((ids) => ids.includes(id))) return 'against'
  const { kind } = holds(when, cell, world, effect === 'forbid')
  if (kind === 'unknown') return 'open'
  return kind === 'true' && effect !== 'permit' ? 'passed' : undefined
}

/** The facts are those that made it hold, or made its opposite hold. */
function reason({ id, tier, effect, when }: Policy, place: Place, cell: Cell, world: World): Reason {
  // A prohibition that is passed, and a demand that is not, are missed; everything else is met.
  const isMissed = (effect === 'forbid') !== (place === 'against')
  const value = holds(when, cell, world, effect === 'forbid')
  const support: Support = { facts: new Set(), uses: new Map() }
  const settled = holds(when, cell, world, isMissed)
  if (settled.kind !== 'true') {
    return { id, tier, effect, facts: [], ...(value.kind === 'unknown' && { waits: value.needs }) }
  }
  supportOf(when, cell, world, support, isMissed)
  return { id, tier, effect, facts: [...support.facts], ...(Number.isFinite(settled.until) && { until: settled.until }) }
}

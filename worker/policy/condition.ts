// One condition against what is known now -> true, false or unknown (POLICY 3). Pure: time comes in, nothing else is asked.
import { always, and, FALSE, or, type Value } from './value.ts'

export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  /** The requesting party controls an address with this policy MAC. */
  | { claim: 'email'; eq: string }
  /** From this instant on, and before that one; seconds since 1970. */
  | { after: number }
  | { before: number }

/** A verified claim as the engine sees it: a policy MAC, and until when it may be used. */
export type Fact = { claim: 'email'; mac: string; exp: number }

/** Evaluates `condition` for these facts at `now` (seconds). An unknown kind of condition is false: fail closed. */
export function holds(condition: Condition, facts: readonly Fact[], now: number): Value {
  // Invariant: an empty list is false in both forms; "nothing was demanded" must never mean "permitted" (UMA Grant 5.6).
  if ('all' in condition) return condition.all.length === 0 ? FALSE : condition.all.map((c) => holds(c, facts, now)).reduce(and)
  if ('any' in condition) return condition.any.map((c) => holds(c, facts, now)).reduce(or, FALSE)
  if ('claim' in condition) return claimHolds(condition, facts, now)
  if ('after' in condition) return now >= condition.after ? always() : FALSE
  if ('before' in condition) return now < condition.before ? always(condition.before) : FALSE
  return FALSE
}

function claimHolds(condition: { claim: 'email'; eq: string }, facts: readonly Fact[], now: number): Value {
  const usable = facts.filter((fact) => fact.claim === condition.claim && fact.exp > now)
  if (usable.length === 0) return { kind: 'unknown', needs: [[{ claim: condition.claim }]] }
  const fitting = usable.filter((fact) => fact.mac === condition.eq)
  // A claim that was shown and does not fit settles the matter for this attempt; it is not asked for again.
  return fitting.length === 0 ? FALSE : always(Math.max(...fitting.map((fact) => fact.exp)))
}

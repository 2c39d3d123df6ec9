// The engine as these tests call it, and its answers in one form, whatever the order in which it found them.
import { holds } from '../../worker/policy/condition.ts'
import { type Decision, decide } from '../../worker/policy/decide.ts'
import type { Condition, Policy, Thing, ThingType } from '../../worker/policy/policy.ts'
import type { Need, NeedSet, Value } from '../../worker/policy/value.ts'
import type { Cell, Fact } from '../../worker/policy/world.ts'
import { type Circumstances, worldOf } from './people.ts'

export const CELL: Cell = { resource_id: 't0', scope: 'view' }
export const THING: Thing = { id: 't0', scopes: ['view', 'edit', 'print'], type: 'doc', labels: ['R'], ancestors: ['folder', 'root'] }

/** The value of one condition. */
export const judged = (condition: Condition, at: Circumstances, facts: readonly Fact[]): Value => holds(condition, CELL, worldOf(at, facts))

/** A rule of the owner that permits everything under a condition; `more` says what is different. */
export const rule = (id: string, when: Condition, more: Partial<Policy> = {}): Policy => ({
  v: 1,
  id,
  rev: 1,
  tier: 'owner',
  effect: 'permit',
  target: { all: true },
  scopes: '*',
  when,
  ...more,
})

export type Asked = { policies: readonly Policy[]; thing: Thing; scope: string; type: ThingType | undefined }

/** All that is told about one cell. */
export const decision = ({ policies, thing, scope, type }: Asked, at: Circumstances, facts: readonly Fact[]): Decision =>
  decide({ resource_id: thing.id, scope }, thing, policies, type, worldOf(at, facts))

/** The value of one cell. */
export const decided = (asked: Asked, at: Circumstances, facts: readonly Fact[]): Value => decision(asked, at, facts).value

export const needKey = (need: Need): string => {
  if (need.kind === 'claim') return `${need.claim} from ${[...(need.iss ?? ['anyone'])].sort().join()} in ${need.max_age ?? 'any'} s`
  return need.kind === 'ask' ? `answer ${need.key}` : `purpose ${[...need.purposes].sort().join()}`
}

/** What a need is about, without its terms. */
export const aboutNeed = (need: Need): string => {
  if (need.kind === 'claim') return need.claim
  return need.kind === 'ask' ? `answer ${need.key}` : 'purpose'
}

/** Alternatives as sorted text; none if nothing is missing. */
export const alternatives = (value: Value, key: (need: Need) => string = needKey): string[] =>
  value.kind === 'unknown' ? value.needs.map((set: NeedSet) => [...new Set(set.map(key))].sort().join(' + ')).sort() : []

/** A value in one form, for comparison. */
export const normal = (value: Value): unknown => ({
  kind: value.kind,
  ...(value.kind === 'true' && { until: value.until }),
  needs: alternatives(value),
})

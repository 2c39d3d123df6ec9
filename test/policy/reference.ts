// What rules mean when everything is known: two values, no needs, no time limits, nothing shared with the engine but the types. Written
// from POLICY 2 and 3; slow and obvious on purpose.
import type { Condition, Policy, Thing, ThingType } from '../../worker/policy/policy.ts'
import { type Circumstances, type Claim, GROUPS, type Person, traitOf } from './people.ts'

const claimIsTrue = (test: Extract<Condition, { claim: string }>, person: Person): boolean => {
  const claim = test.claim as Claim
  const { mac, domain, level = 0, holds = [] } = traitOf(claim, person[claim])
  if ('eq' in test) return mac === test.eq
  if ('in' in test) return test.in.includes(mac)
  if ('domain' in test) return domain === test.domain
  if ('group' in test) return GROUPS[test.group]?.includes(mac) === true
  if ('gte' in test) return level >= test.gte
  return test.covers.length > 0 && test.covers.every((one) => holds.includes(one))
}

/** Whether a condition holds for somebody about whom everything is known, in these circumstances. */
export const isTrue = (condition: Condition, person: Person, at: Circumstances): boolean => {
  const one = (inner: Condition): boolean => isTrue(inner, person, at)
  if ('all' in condition) return condition.all.length > 0 && condition.all.every(one)
  if ('seq' in condition) return condition.seq.length > 0 && condition.seq.every(one)
  if ('any' in condition) return condition.any.some(one)
  if ('not' in condition) return !one(condition.not)
  if ('if' in condition) return one(condition.if) ? one(condition.then) : one(condition.else)
  if ('claim' in condition) return claimIsTrue(condition, person)
  if ('anyone' in condition) return true
  if ('break_glass' in condition) return at.purpose === 'BTG'
  if ('link' in condition) return at.links.includes(condition.link)
  if ('purpose' in condition) return at.purpose !== undefined && condition.purpose.includes(at.purpose)
  if ('after' in condition) return at.now >= condition.after
  if ('before' in condition) return at.now < condition.before
  if ('client' in condition) return condition.client.includes(at.client.id)
  if ('client_trust' in condition) return condition.client_trust.some((trust) => at.client.trust.includes(trust))
  if ('uses' in condition) return (at.used[`${condition.uses.key}/${condition.uses.per}`] ?? 0) < condition.uses.max
  if ('ask' in condition) return at.answers[condition.ask]?.given === true && at.now < (at.answers[condition.ask]?.until ?? 0)
  const said = at.context[condition.context]
  return 'eq' in condition ? said === condition.eq : condition.in.some((one) => one === said)
}

/** Whether a rule speaks of a thing. */
export const isAbout = ({ target }: Policy, thing: Thing): boolean => {
  if ('all' in target) return true
  if ('types' in target) return thing.type !== undefined && target.types.includes(thing.type)
  if ('labels' in target) return target.labels.some((label) => thing.labels.includes(label))
  return target.resources.includes(thing.id) || (target.descend === true && thing.ancestors.some((id) => target.resources.includes(id)))
}

/** Scopes that come with a scope, itself included. */
const broughtBy = (scope: string, implies: ThingType['implies']): string[] => {
  const found = [scope]
  for (const one of found) for (const next of implies[one] ?? []) if (!found.includes(next)) found.push(next)
  return found
}

/** Whether a rule speaks of a scope: a permit also of what its scopes bring along, others also of what would bring theirs along. */
export const isOf = (policy: Policy, scope: string, type: ThingType | undefined): boolean => {
  const implies = type?.implies ?? {}
  if (policy.scopes === '*') return true
  if (policy.effect === 'permit') return policy.scopes.some((one) => broughtBy(one, implies).includes(scope))
  return policy.scopes.some((one) => broughtBy(scope, implies).includes(one))
}

const isForEmergency = ({ when }: Policy): boolean => JSON.stringify(when).includes('"break_glass"')

type Asked = { policies: readonly Policy[]; thing: Thing; scope: string; type: ThingType | undefined }

/** Whether somebody may: nothing forbids, everything required holds, and those permit whose permit counts (POLICY 3). */
export const isAllowed = ({ policies, thing, scope, type }: Asked, person: Person, at: Circumstances): boolean => {
  const concerned = policies.filter((policy) => isAbout(policy, thing) && isOf(policy, scope, type))
  const holds = (policy: Policy): boolean => isTrue(policy.when, person, at)
  if (concerned.some((policy) => policy.effect === 'forbid' && holds(policy))) return false
  if (concerned.some((policy) => policy.effect === 'require' && !holds(policy))) return false
  const permitsBy = (tier: 'owner' | 'org'): boolean =>
    concerned.some((policy) => policy.effect === 'permit' && policy.tier === tier && !isForEmergency(policy) && holds(policy))
  const authority = type?.authority ?? 'owner'
  const hasSay = (tier: Policy['tier']): boolean =>
    tier !== 'platform' && (tier === authority || authority === 'both' || authority === 'either')
  const isDeclared = type?.break_glass?.includes(scope) === true
  if (isDeclared && concerned.some((one) => one.effect === 'permit' && isForEmergency(one) && hasSay(one.tier) && holds(one))) return true
  if (authority === 'owner') return permitsBy('owner')
  if (authority === 'org') return permitsBy('org')
  return authority === 'both' ? permitsBy('owner') && permitsBy('org') : permitsBy('owner') || permitsBy('org')
}

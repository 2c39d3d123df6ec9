// A rule from the record as it is decided by. What is refused when a rule is saved may stand in one that was saved when less was refused:
// a "not" over something that somebody can leave unsaid (POLICY 3). Such a part counts against whoever asks. Pure; it can only give less.
import type { IsMulti } from './literals.ts'
import type { Condition, Policy } from './policy.ts'

/** The same rule if it may be saved today, else one that gives less; the document in the record stays as it is. */
export function readSafely(policy: Policy, isMulti: IsMulti): Policy {
  const when = safe(policy.when, policy.effect !== 'forbid', isMulti)
  return when === policy.when ? policy : { ...policy, when }
}

const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null

/** `met`: the door opens where the condition holds; else where it does not. The same object if there is nothing to change. */
function safe(condition: Condition, met: boolean, isMulti: IsMulti): Condition {
  // What is no condition is the engine's affair: it is false in both directions (compile.ts).
  if (!isObject(condition)) return condition
  const many = (list: readonly Condition[]): readonly Condition[] => {
    if (!Array.isArray(list)) return list
    const parts = list.map((one) => safe(one, met, isMulti))
    return parts.every((one, at) => one === list[at]) ? list : parts
  }
  if ('all' in condition) return withPart(condition, 'all', many(condition.all))
  if ('any' in condition) return withPart(condition, 'any', many(condition.any))
  if ('seq' in condition) return withPart(condition, 'seq', many(condition.seq))
  if ('not' in condition) return withPart(condition, 'not', safe(condition.not, !met, isMulti))
  if ('if' in condition) {
    const [yes, no] = [safe(condition.then, met, isMulti), safe(condition.else, met, isMulti)]
    // Which branch counts could be chosen by leaving something unsaid: so both do.
    if (speaksOfUnsaid(condition.if, isMulti)) return met ? { all: [yes, no] } : { any: [yes, no] }
    return withPart(withPart(condition, 'then', yes), 'else', no)
  }
  // `anyone` where its opposite opens: never.
  return !met && canBeUnsaid(condition, isMulti) ? { anyone: true } : condition
}

const withPart = <T extends Condition, K extends keyof T>(condition: T, name: K, part: T[K]): T =>
  condition[name] === part ? condition : { ...condition, [name]: part }

const canBeUnsaid = (atom: Condition, isMulti: IsMulti): boolean => ('claim' in atom && isMulti(atom.claim)) || 'link' in atom

function speaksOfUnsaid(condition: Condition, isMulti: IsMulti): boolean {
  if (!isObject(condition)) return false
  const list = 'all' in condition ? condition.all : 'any' in condition ? condition.any : 'seq' in condition ? condition.seq : undefined
  if (list !== undefined) return Array.isArray(list) && list.some((one) => speaksOfUnsaid(one, isMulti))
  if ('not' in condition) return speaksOfUnsaid(condition.not, isMulti)
  if ('if' in condition) return [condition.if, condition.then, condition.else].some((one) => speaksOfUnsaid(one, isMulti))
  return canBeUnsaid(condition, isMulti)
}

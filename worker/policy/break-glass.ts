// Breaking the glass (POLICY 3, 8d): one more way in, in an emergency, only to what the type of a thing declares for it. Who does so says so,
// as the purpose; it lasts a quarter of an hour, cannot be renewed or remembered, and is never silent. What forbids still forbids. Pure.
import type { Condition, GrantTerms, ThingType } from './policy.ts'

/** What a client says to break the glass: the code of HL7 for it, beside `TREAT` and the others. Without it nobody hears that there is a way. */
export const BREAK_GLASS = 'BTG'
/** POLICY 3: at most a quarter of an hour, in seconds. */
export const BREAK_GLASS_TTL = 900

/** Whether a scope of things of this type can be had by breaking the glass; what it would bring along has to be declared as well. */
export const canBeBroken = (scope: string, type: ThingType | undefined): boolean => type?.break_glass?.includes(scope) === true

const known = new WeakMap<object, boolean>()

/** Whether a condition speaks of it, wherever. Such a permit is none for anything else. */
export function breaksGlass(when: Condition): boolean {
  if (typeof when !== 'object' || when === null) return false
  const before = known.get(when)
  if (before !== undefined) return before
  const does = speaksOfIt(when)
  known.set(when, does)
  return does
}

/** What is nested deeper than this has no meaning (compile.ts). */
const MOST_DEPTH = 64

function speaksOfIt(when: Condition, depth = 0): boolean {
  if (depth > MOST_DEPTH || typeof when !== 'object' || when === null) return false
  const list = 'all' in when ? when.all : 'any' in when ? when.any : 'seq' in when ? when.seq : undefined
  const parts = list ?? ('not' in when ? [when.not] : 'if' in when ? [when.if, when.then, when.else] : [])
  return 'break_glass' in when || (Array.isArray(parts) && parts.some((part) => speaksOfIt(part, depth + 1)))
}

/** Terms of a grant that rests on it, whatever the rules say. */
export const glassTerms = (terms: GrantTerms): GrantTerms => ({
  ...terms,
  rpt_ttl: Math.min(terms.rpt_ttl ?? BREAK_GLASS_TTL, BREAK_GLASS_TTL),
  refresh: false,
  pct: false,
  notify: 'each',
})

// Scopes that a rule speaks of although it does not name them, because of what the type of a thing says about its scopes (POLICY 2,
// `implies`): a permit gives what its scopes bring along; what is forbidden or demanded is so for all that would bring it along. Pure.
import type { SpokenRule } from './rule-words.ts'

/** What the scopes of a type of things bring along. */
export type SpokenType = { type: string; implies: Readonly<Record<string, readonly string[]>> }
/** Scopes for things of these types, or (without `types`) for all that the rule speaks of. */
export type Along = { scopes: readonly string[]; types?: readonly string[] }

/**
 * What comes along with the scopes that a rule names (POLICY 2), said in its sentence.
 * @param types all types that are known
 * @param typeOf the type of a thing by its id; undefined if it has none
 */
export function scopesAlong(
  rule: Pick<SpokenRule, 'effect' | 'scopes' | 'target'>,
  types: readonly SpokenType[],
  typeOf: (id: string) => string | undefined,
): Along[] {
  const { target } = rule
  if (rule.scopes === '*') return []
  const isEach = 'types' in target || ('resources' in target && target.descend !== true)
  const about =
    'types' in target ? target.types : isEach && 'resources' in target ? target.resources.map(typeOf) : types.map(({ type }) => type)
  const named = new Set(about)
  const found = new Map<string, { scopes: readonly string[]; types: string[] }>()
  for (const one of types) {
    const scopes = named.has(one.type) ? broughtAlong(rule, one) : []
    if (scopes.length === 0) continue
    const same = found.get(scopes.join('\n')) ?? { scopes, types: [] }
    same.types.push(one.type)
    found.set(scopes.join('\n'), same)
  }
  const all = [...found.values()]
  const [only] = all
  const isAll = isEach && all.length === 1 && only?.types.length === named.size
  return isAll && only !== undefined ? [{ scopes: only.scopes }] : all
}

/** Sorted; none that the rule names. */
function broughtAlong({ effect, scopes }: Pick<SpokenRule, 'effect' | 'scopes'>, { implies }: SpokenType): string[] {
  if (scopes === '*') return []
  const more =
    effect === 'permit'
      ? scopes.flatMap((scope) => [...closure(scope, implies)])
      : Object.keys(implies).filter((scope) => scopes.some((one) => closure(scope, implies).has(one)))
  return [...new Set(more)].filter((scope) => !scopes.includes(scope)).sort()
}

/** A scope, and all that comes with it. */
function closure(scope: string, implies: SpokenType['implies']): ReadonlySet<string> {
  const all = new Set([scope])
  for (const one of all) for (const next of Object.hasOwn(implies, one) ? (implies[one] ?? []) : []) all.add(next)
  return all
}

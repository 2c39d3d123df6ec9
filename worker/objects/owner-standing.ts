// What of a grant stands in each of two worlds. Pure.
import { mergedTerms } from '../policy/decide.ts'
import type { Standing } from './owner-decisions.ts'

/** What stands both ways, under the rules that give it both ways. */
export function standsBothWays(a: Standing, b: Standing): Standing {
  const cells = a.cells.flatMap((one) => {
    const other = b.cells.find((cell) => cell.resource_id === one.resource_id)
    const resource_scopes = one.resource_scopes.filter((scope) => other?.resource_scopes.includes(scope) === true)
    const policies = one.policies.filter((id) => other?.policies.includes(id) === true)
    if (other === undefined || resource_scopes.length === 0 || policies.length === 0) return []
    return [{ ...one, resource_scopes, policies, until: Math.min(one.until, other.until) }]
  })
  return { cells, terms: mergedTerms([a.terms, b.terms]), uses: [...a.uses, ...b.uses] }
}

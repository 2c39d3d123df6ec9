// Authorization assessment: rules, facts and requested cells -> granted, need_info or denied (UMA Grant 3.3.4, POLICY 3). Pure.
// Speaks of missing facts; what goes on the wire is the ticket grant's affair.
import { type Condition, type Fact, holds } from './condition.ts'
import type { Permission } from './scopes.ts'
import { and, FALSE, type Need, or, type Value } from './value.ts'
import type { World } from './world.ts'

/** A permit: whoever satisfies `when` may do `scopes` with the resource. */
export type Rule = { id: string; resource_id: string; scopes: string[]; when: Condition }

export type GrantedCell = { resource_id: string; resource_scopes: string[]; policies: string[]; until: number }
export type Assessment = { kind: 'granted'; cells: GrantedCell[] } | { kind: 'need_info'; needs: Need[] } | { kind: 'denied' }

/** The value of one cell and the rules that are true there. No rule: false (default deny). */
export function cellValue(
  rules: readonly Rule[],
  scope: string,
  facts: readonly Fact[],
  now: number,
): { value: Value; policies: string[] } {
  let value: Value = FALSE
  const policies: string[] = []
  for (const rule of rules) {
    if (!rule.scopes.includes(scope)) continue
    const one = holds(rule.when, { resource_id: rule.resource_id, scope }, worldOf(facts, now))
    if (one.kind === 'true') policies.push(rule.id)
    value = or(value, one)
  }
  return { value, policies }
}

/**
 * Decides all cells at once, deterministically (POLICY 3): something of the ticket is unknown -> ask for the smallest set that
 * could settle it; otherwise everything that is true is granted; nothing true -> denied. A zero-scope permission grants nothing.
 */
export function assess(
  cells: readonly (Permission & { fromTicket: string[] })[],
  rulesOf: (resourceId: string) => readonly Rule[],
  facts: readonly Fact[],
  now: number,
): Assessment {
  let missing: Value | undefined
  const granted: GrantedCell[] = []
  for (const cell of cells) {
    const rules = rulesOf(cell.resource_id)
    const scopes: string[] = []
    const policies = new Set<string>()
    let until = Number.POSITIVE_INFINITY
    for (const scope of cell.resource_scopes) {
      const decided = cellValue(rules, scope, facts, now)
      if (decided.value.kind === 'true') {
        scopes.push(scope)
        until = Math.min(until, decided.value.until)
        for (const id of decided.policies) policies.add(id)
      } else if (decided.value.kind === 'unknown' && cell.fromTicket.includes(scope)) {
        // A scope that only the client asked for never blocks what the service asked for.
        missing = missing === undefined ? decided.value : and(missing, decided.value)
      }
    }
    if (scopes.length > 0) granted.push({ resource_id: cell.resource_id, resource_scopes: scopes, policies: [...policies], until })
  }
  if (missing?.kind === 'unknown') return { kind: 'need_info', needs: [...(missing.needs[0] ?? [])] }
  return granted.length > 0 ? { kind: 'granted', cells: granted } : { kind: 'denied' }
}

/** A world in which nothing is known but addresses. */
const worldOf = (facts: readonly Fact[], now: number): World => ({
  now,
  facts: facts.map((fact) => ({ ...fact, id: fact.mac, iss: '', iat: now })),
  client: { id: '', trust: [] },
  purpose: undefined,
  links: [],
  context: {},
  isMember: () => false,
  used: () => Number.POSITIVE_INFINITY,
  approved: () => undefined,
})

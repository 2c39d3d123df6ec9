// Tickets over two things, and what the engine makes of them.
import fc from 'fast-check'
import { type AskedCell, assessCells, type Outcome, type Rulebook } from '../../worker/policy/assess.ts'
import type { Policy, Thing } from '../../worker/policy/policy.ts'
import { THING } from './engine.ts'
import { type Circumstances, factsOf, type Person, type Proof, worldOf } from './people.ts'

export const THINGS: Readonly<Record<string, Thing>> = { t0: THING, t1: { id: 't1', scopes: ['view', 'edit'], labels: [], ancestors: [] } }
export const bookOf = (policies: readonly Policy[]): Rulebook => ({
  thing: (id) => THINGS[id],
  rules: () => policies,
  type: () => undefined,
})
export const ticket = (resource_id: string, ...scopes: string[]): AskedCell => ({
  resource_id,
  resource_scopes: scopes,
  fromTicket: scopes,
})
export const anyTicket: fc.Arbitrary<AskedCell[]> = fc
  .tuple(fc.subarray(['view', 'edit', 'print'], { minLength: 1 }), fc.subarray(['view', 'edit']), fc.boolean())
  .map(([first, second, both]) => (both ? [ticket('t0', ...first), ticket('t1', ...second)] : [ticket('t0', ...first)]))

/** Costs that make every difference count. */
export const COSTS = { email: 10, role: 25, country: 20, acr: 31, clearance: 47 }
export const assessed = (
  asked: readonly AskedCell[],
  policies: readonly Policy[],
  at: Circumstances,
  person: Person,
  proofs: readonly Proof[],
) => assessCells(asked, bookOf(policies), worldOf(at, factsOf(person, proofs)), { costs: COSTS })

/** Cells that are given, as text. */
export const given = (outcome: Outcome): string[] =>
  outcome.kind === 'granted'
    ? outcome.cells.flatMap(({ resource_id, resource_scopes }) => resource_scopes.map((one) => `${resource_id} ${one}`))
    : []

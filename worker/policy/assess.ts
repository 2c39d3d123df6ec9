// Authorization assessment: rules, a world and requested cells -> granted, what is missing, or denied (UMA Grant 3.3.4, POLICY 3). Pure.
// Speaks of missing facts; what goes on the wire is the ticket grant's affair.
import { usualCost } from './claim-costs.ts'
import { type Counter, type Memo, newMemo } from './condition.ts'
import { type Decision, decide, mergedTerms } from './decide.ts'
import type { GrantTerms, Policy, Thing, ThingType } from './policy.ts'
import type { Permission } from './scopes.ts'
import { and, type Need, type NeedSet, type Value } from './value.ts'
import type { Cell, World } from './world.ts'

/** A resource with all scopes that are assessed, and those of them that its resource server asked for (scopes.ts). */
export type AskedCell = Permission & { fromTicket: readonly string[] }

/** Where rules and things are looked up. A thing that is not there is denied. */
export type Rulebook = {
  thing: (resourceId: string) => Thing | undefined
  rules: (thing: Thing) => readonly Policy[]
  type: (thing: Thing) => ThingType | undefined
}

export type Assessing = {
  /** What it costs the requesting party to show a claim, if not the usual (claim-costs.ts); 10 if it is not in the table. The cheapest way is asked for. */
  costs?: Readonly<Record<string, number>>
  /** False: all that the resource server asked for, or nothing. */
  partial?: boolean
  /** True: what is granted already is taken, nothing more is asked for (DESIGN decision 6, "continue with what I have"). */
  settle?: boolean
}

/** `until`: seconds since 1970, Infinity if nothing ends it; the end of the scope that ends first. `emergency`: somebody broke the glass. */
export type GrantedCell = { resource_id: string; resource_scopes: string[]; policies: string[]; until: number; emergency?: true }
export type AskedNeed = Exclude<Need, { kind: 'ask' }>

export type Outcome =
  /** `rests`: ids of facts. `uses`: counters that this grant uses up, each once. */
  | { kind: 'granted'; cells: GrantedCell[]; terms: GrantTerms; rests: string[]; uses: Counter[] }
  /** `alternatives`: all ways that are known, cheapest first; `needs` is the first. `granted`: what holds already. */
  | { kind: 'need_info'; needs: AskedNeed[]; alternatives: AskedNeed[][]; granted: GrantedCell[] }
  /** Only the owner's answers are missing: to the rules `keys`, for `cells`. */
  | { kind: 'ask'; keys: string[]; cells: Cell[]; granted: GrantedCell[] }
  | { kind: 'denied' }

type Judged = { cell: Cell; fromTicket: boolean; decision: Decision }

/**
 * Decides all cells at once, deterministically (POLICY 3): something of the ticket is unknown -> the cheapest set of needs that could
 * settle it, the owner's answers last; otherwise everything that is true is granted; nothing true, nothing unknown -> denied.
 */
export function assessCells(asked: readonly AskedCell[], book: Rulebook, world: World, options: Assessing = {}): Outcome {
  const memo = newMemo()
  const judged = asked.flatMap((permission) => judge(permission, book, world, memo))
  const granted = grantedCells(asked, judged)
  const ofTicket = judged.filter((one) => one.fromTicket)
  if (options.partial === false && !couldBeWhole(asked, ofTicket)) return { kind: 'denied' }
  const isEnough = granted.length > 0 && options.settle === true && options.partial !== false
  // A scope that only the client asked for never blocks; it is asked about only if there is nothing else (SPECS G-52).
  const open = ofTicket.some(isOpen) || granted.length > 0 ? ofTicket.filter(isOpen) : judged.filter(isOpen)
  if (open.length > 0 && !isEnough) return missing(open, granted, options.costs)
  if (granted.length === 0) return { kind: 'denied' }
  const holding = judged.filter(({ decision }) => decision.value.kind === 'true').map(({ decision }) => decision)
  const uses = new Map(holding.flatMap((one) => one.uses.map((counter) => [JSON.stringify([counter.key, counter.per]), counter])))
  return {
    kind: 'granted',
    cells: granted,
    terms: mergedTerms(holding.map(({ terms }) => terms)),
    rests: [...new Set(holding.flatMap(({ rests }) => rests))],
    uses: [...uses.values()],
  }
}

function judge({ resource_id, resource_scopes, fromTicket }: AskedCell, book: Rulebook, world: World, memo: Memo): Judged[] {
  const thing = book.thing(resource_id)
  if (thing === undefined) return []
  const rules = book.rules(thing)
  const type = book.type(thing)
  return resource_scopes.map((scope) => {
    const cell = { resource_id, scope }
    return { cell, fromTicket: fromTicket.includes(scope), decision: decide(cell, thing, rules, type, world, memo) }
  })
}

const isOpen = ({ decision }: Judged): boolean => decision.value.kind === 'unknown'

/** Whether all that the resource server asked for can still be granted. A permission without scopes cannot: nothing is never everything. */
function couldBeWhole(asked: readonly AskedCell[], ofTicket: readonly Judged[]): boolean {
  const possible = ofTicket.filter(({ decision }) => decision.value.kind !== 'false').length
  return asked.every(({ fromTicket }) => fromTicket.length > 0) && possible === asked.flatMap(({ fromTicket }) => fromTicket).length
}

function grantedCells(asked: readonly AskedCell[], judged: readonly Judged[]): GrantedCell[] {
  const granted = new Map<string, GrantedCell>()
  for (const { resource_id } of asked)
    granted.set(resource_id, { resource_id, resource_scopes: [], policies: [], until: Number.POSITIVE_INFINITY })
  for (const { cell, decision } of judged) {
    const one = granted.get(cell.resource_id)
    if (one === undefined || decision.value.kind !== 'true') continue
    if (!one.resource_scopes.includes(cell.scope)) one.resource_scopes.push(cell.scope)
    for (const id of decision.permits) if (!one.policies.includes(id)) one.policies.push(id)
    one.until = Math.min(one.until, decision.value.until)
    if (decision.emergency) one.emergency = true
  }
  return [...granted.values()].filter(({ resource_scopes }) => resource_scopes.length > 0)
}

/** Costs of what is no claim. An answer of the owner costs more than any proof, so that approvals come last and of somebody who is known. */
const PURPOSE_COST = 1
const ASK_COST = 1_000_000
const CLAIM_COST = 10

function missing(open: readonly Judged[], granted: GrantedCell[], costs: Readonly<Record<string, number>> | undefined): Outcome {
  let all: Value | undefined
  for (const { decision } of open) {
    const both = all === undefined ? decision.value : and(all, decision.value)
    // Cells that cannot be settled together are settled one after the other.
    if (both.kind === 'unknown') all = both
  }
  const costOf = (need: Need): number => {
    if (need.kind === 'claim') {
      if (costs === undefined) return usualCost(need.claim)
      return Object.hasOwn(costs, need.claim) ? (costs[need.claim] ?? CLAIM_COST) : CLAIM_COST
    }
    return need.kind === 'ask' ? ASK_COST : PURPOSE_COST
  }
  const ways = (all?.kind === 'unknown' ? all.needs : [])
    .map((set) => inOrder(set))
    .map((set) => ({ set, cost: set.reduce((sum, need) => sum + costOf(need), 0), key: JSON.stringify(set) }))
    .sort((a, b) => a.cost - b.cost || a.set.length - b.set.length || (a.key < b.key ? -1 : 1))
    .map(({ set }) => set)
  const cheapest = ways[0] ?? []
  const needs = withoutAsks(cheapest)
  if (needs.length > 0) {
    const alternatives = new Map(ways.map((set) => withoutAsks(set)).flatMap((set) => (set.length > 0 ? [[JSON.stringify(set), set]] : [])))
    return { kind: 'need_info', needs, alternatives: [...alternatives.values()], granted }
  }
  const keys = cheapest.flatMap((need) => (need.kind === 'ask' ? [need.key] : []))
  const cells = open.filter(({ decision }) => asksFor(decision.value, keys)).map(({ cell }) => cell)
  return { kind: 'ask', keys, cells, granted }
}

const withoutAsks = (set: NeedSet): AskedNeed[] => set.flatMap((need) => (need.kind === 'ask' ? [] : [need]))

const asksFor = (value: Value, keys: readonly string[]): boolean =>
  value.kind === 'unknown' && value.needs.some((set) => set.some((need) => need.kind === 'ask' && keys.includes(need.key)))

/** The same set in the same order, however its rules came: claims, purpose, answers; by name. */
function inOrder(set: NeedSet): NeedSet {
  const kinds = ['claim', 'purpose', 'ask'] as const
  return set
    .map((need): Need => {
      if (need.kind === 'purpose') return { ...need, purposes: [...need.purposes].sort() }
      return need.kind === 'claim' && need.iss !== undefined ? { ...need, iss: [...need.iss].sort() } : need
    })
    .map((need) => ({ need, key: `${kinds.indexOf(need.kind)}${JSON.stringify(need)}` }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ need }) => need)
}

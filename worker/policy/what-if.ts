// "What would change": two sets of rules over the same things, in the worlds of people who are known (POLICY 4). Cells whose answer differs,
// ways in that appear or vanish, and warnings about rules that do nothing, never hold, or open a thing to everybody. Pure.
import { type Blocked, isBlocked, NOBODY_BLOCKED } from './blocked.ts'
import { PROBLEMS } from './check.ts'
import { concerned, decide } from './decide.ts'
import { IDENTIFYING } from './evidence.ts'
import { type IsMulti, keyOf } from './literals.ts'
import type { Condition, Policy, Thing, ThingType } from './policy.ts'
import type { Value } from './value.ts'
import { ALL_MULTI, waysOf } from './ways.ts'
import { type Conjunction, type Who, who } from './who.ts'
import type { Cell, World } from './world.ts'

type Kind = Value['kind']

export type WhatIf = {
  before: readonly Policy[]
  after: readonly Policy[]
  things: readonly Thing[]
  type: (thing: Thing) => ThingType | undefined
  /** Of known people, one each. */
  worlds: readonly World[]
  isMulti?: IsMulti
  /** Who is shut out, before and after. */
  blocked?: readonly [Blocked, Blocked]
}

/** `world`: index of the world in which the answer differs. */
export type Change = { cell: Cell; world: number; before: Kind; after: Kind }
/** `complete: false`: there are too many ways to compare. */
export type WhoChange = { cell: Cell; complete: boolean; gained: Conjunction[]; lost: Conjunction[] }
export type WarningCode = 'shadowed' | 'adds_nothing' | 'never_holds' | 'opens_to_anyone' | 'too_many_ways'
export type Warning = { code: WarningCode; text: string; rule: string; cell?: Cell }
export type Changes = { cells: Change[]; who: WhoChange[]; warnings: Warning[] }

const TEXTS: Readonly<Record<WarningCode, string>> = {
  shadowed: 'Another rule forbids everything that this rule would allow here.',
  adds_nothing: 'Other rules allow everything already that this rule would allow here.',
  never_holds: PROBLEMS.never_holds,
  opens_to_anyone: 'This rule lets in people whom nobody knows.',
  too_many_ways: 'There are more ways to be let in than can be listed.',
}

/** One side of a comparison. */
export type Side = { rules: readonly Policy[]; blocked: Blocked }

/** What a cell is in a world before and after; undefined if it is the same. All comparisons of decisions are made here. */
export function difference(
  cell: Cell,
  thing: Thing,
  type: ThingType | undefined,
  world: World,
  sides: readonly [Side, Side],
): { before: Kind; after: Kind } | undefined {
  const [before, after] = sides.map(
    ({ rules, blocked }): Kind => (isBlocked(world, blocked) ? 'false' : decide(cell, thing, rules, type, world).value.kind),
  ) as [Kind, Kind]
  return before === after ? undefined : { before, after }
}

/** Compares two sets of rules. Nothing is stored; only cells of things that are handed in are looked at. */
export function whatIf({ before, after, things, type, worlds, isMulti = ALL_MULTI, blocked }: WhatIf): Changes {
  const [shutOut, willBeShutOut] = blocked ?? [NOBODY_BLOCKED, NOBODY_BLOCKED]
  const sides = [
    { rules: before, blocked: shutOut },
    { rules: after, blocked: willBeShutOut },
  ] as const
  const changes: Changes = { cells: [], who: [], warnings: [] }
  const fresh = after.filter((rule) => !before.includes(rule))
  for (const thing of things) {
    for (const scope of thing.scopes) {
      const cell = { resource_id: thing.id, scope }
      const kind = type(thing)
      for (const [world, at] of worlds.entries()) {
        const told = difference(cell, thing, kind, at, sides)
        if (told !== undefined) changes.cells.push({ cell, world, ...told })
      }
      const [was, is] = sides.map((side) => who(cell, thing, side.rules, kind, isMulti, side.blocked)) as [Who, Who]
      const ways = compared(cell, was, is)
      if (ways !== undefined) changes.who.push(ways)
      changes.warnings.push(...warnings(fresh, { cell, thing, rules: after, type: kind, isMulti, blocked: willBeShutOut, was, is }))
    }
  }
  changes.warnings.push(...fresh.filter((rule) => isEmpty(rule.when, isMulti)).map((rule) => warning('never_holds', rule)))
  return changes
}

const warning = (code: WarningCode, { id }: Policy, cell?: Cell): Warning => ({ code, text: TEXTS[code], rule: id, ...(cell && { cell }) })

const isEmpty = (when: Condition, isMulti: IsMulti): boolean => waysOf(when, false, isMulti)?.length === 0

function compared(cell: Cell, was: Who, is: Who): WhoChange | undefined {
  if (!was.complete || !is.complete) return { cell, complete: false, gained: [], lost: [] }
  const keysOf = ({ ways }: Who) => new Set(ways.map((way) => keyOf(way.all)))
  const [before, after] = [keysOf(was), keysOf(is)]
  const gained = is.ways.filter((way) => !before.has(keyOf(way.all)))
  const lost = was.ways.filter((way) => !after.has(keyOf(way.all)))
  return gained.length + lost.length === 0 ? undefined : { cell, complete: true, gained, lost }
}

type Place = {
  cell: Cell
  thing: Thing
  rules: readonly Policy[]
  type: ThingType | undefined
  isMulti: IsMulti
  blocked: Blocked
  was: Who
  is: Who
}

function warnings(fresh: readonly Policy[], { cell, thing, rules, type, isMulti, blocked, was, is }: Place): Warning[] {
  const found = concerned(cell, thing, fresh, type)
  if (!is.complete)
    return [...found.owner, ...found.org, ...found.forbids, ...found.requires]
      .slice(0, 1)
      .map((rule) => warning('too_many_ways', rule, cell))
  const all: Warning[] = []
  for (const rule of [...found.owner, ...found.org]) {
    const named = is.ways.filter(({ permits }) => permits.includes(rule.id))
    if (named.some(({ all }) => isAnyone(all)) && !was.ways.some(({ all }) => isAnyone(all)))
      all.push(warning('opens_to_anyone', rule, cell))
    if (named.length > 0 || isEmpty(rule.when, isMulti)) continue
    // What it would give by itself: nothing, if what takes away leaves nothing of it.
    const others = rules.filter((one) => one.effect !== 'permit' || one === rule || (type?.authority === 'both' && one.tier !== rule.tier))
    const alone = who(cell, thing, others, type, isMulti, blocked)
    if (!alone.complete) continue
    if (alone.ways.length > 0) all.push(warning('adds_nothing', rule, cell))
    // Where two must agree, that may be because the other one has not spoken.
    else if (type?.authority !== 'both') all.push(warning('shadowed', rule, cell))
  }
  return all
}

/** Whether nobody in particular is named: no claim that says who somebody is, no group, no link, no answer of the owner. */
const isAnyone = (all: readonly Condition[]): boolean =>
  !all.some((one) => ('claim' in one && ('group' in one || IDENTIFYING.includes(one.claim))) || 'link' in one || 'ask' in one)

// What the owner is told, where two mistakes would look alike: whom a list leaves out, what a rule waits for, which rule gave a way.
import { describe, expect, it } from 'vitest'
import { isBlocked, NOBODY_BLOCKED, withoutBlocked } from '../../../worker/policy/blocked.ts'
import type { Condition, Policy, ThingType } from '../../../worker/policy/policy.ts'
import { whatIf } from '../../../worker/policy/what-if.ts'
import { who } from '../../../worker/policy/who.ts'
import { why } from '../../../worker/policy/why.ts'
import type { World } from '../../../worker/policy/world.ts'
import { bob, isBob, isCarol, rule, thing, world } from './worlds.ts'

const cell = { resource_id: 'photo', scope: 'view' }
const photo = thing('photo', { scopes: ['view'] })
const emergency: Condition = { all: [isBob, { break_glass: true }] }
const type = (authority: string): ThingType => ({ type: 'x', implies: {}, authority, break_glass: ['view'] }) as ThingType
const org = { tier: 'org' } as const
const shut = (...macs: string[]) => ({ macs: new Set(macs), isMember: () => false })
const anyOf = (count: number, name: string): Condition => ({
  any: Array.from({ length: count }, (_, at) => ({ claim: name, eq: `${name}${at}` })),
})

describe('CLAIMS 7: who, with people who are shut out', () => {
  const ways = (...all: Condition[]) => ({ complete: true as const, ways: [{ all, permits: ['p'] }] })

  it('CLAIMS 7: a way that wants an address of somebody who is shut out is nobody’s, whatever else it wants', () => {
    expect(withoutBlocked(ways(isBob, { link: 'l' }), shut('bob'))).toEqual({ complete: true, ways: [] })
    expect(withoutBlocked(ways({ link: 'l' }, isBob), shut('bob'))).toEqual({ complete: true, ways: [] })
  })

  it('CLAIMS 7: a list from which nobody is left out stays as it is; no name is counted where none is told', () => {
    const list: Condition = { claim: 'email', in: ['carol'] }
    expect(withoutBlocked(ways(list), shut('bob'))).toEqual(ways(list))
    const many = shut(...Array.from({ length: 4097 }, (_, at) => `m${at}`))
    expect(withoutBlocked(ways(isBob), many)).toEqual(ways(isBob))
    const theirs: Condition = { claim: 'email', in: ['bob', 'carol'], iss: ['i'] }
    expect(withoutBlocked(ways(theirs), shut('bob'))).toEqual(ways({ claim: 'email', iss: ['i'], eq: 'carol' }))
  })

  it('CLAIMS 7: whoever is in all groups of a way is named, nobody else', () => {
    const both: Condition[] = ['a', 'b'].map((group) => ({ claim: 'email', group }))
    const members: Record<string, string[]> = { a: ['bob', 'carol'], b: ['carol', 'dave'] }
    const isMember = (group: string, mac: string) => members[group]?.includes(mac) === true
    expect(withoutBlocked(ways(...both), { macs: new Set(['bob', 'carol', 'dave']), isMember })).toEqual(ways(...both, { not: isCarol }))
  })

  it('CLAIMS 7: nobody is shut out if nobody was', () => {
    expect(isBlocked(world({ facts: [bob] }), NOBODY_BLOCKED)).toBe(false)
    expect(withoutBlocked(ways({ anyone: true }), NOBODY_BLOCKED)).toEqual(ways({ anyone: true }))
  })
})

describe('POLICY 4: who, rule by rule', () => {
  const found = (rules: Policy[], kind?: ThingType) => who(cell, photo, rules, kind, () => false)
  const unread = (effect: 'permit' | 'forbid') => rule('u', { anyone: true }, { v: 2 as 1, effect })

  it('POLICY 4: a rule that cannot be read stands in everybody’s way; a permit like that is none', () => {
    expect(found([rule('p', isBob), unread('forbid')])).toEqual({ complete: true, ways: [] })
    expect(found([rule('p', isBob), unread('permit')]).ways).toHaveLength(1)
  })

  it.each(['owner', 'org', 'either'])('POLICY 4: for things over which decides: %s', (authority) => {
    const permits = found([rule('p', isBob), rule('g', isCarol, org)], type(authority)).ways.map((way) => way.permits.join())
    expect(permits).toEqual(authority === 'owner' ? ['p'] : authority === 'org' ? ['g'] : ['p', 'g'])
  })

  it('POLICY 4: where both must agree, both rules are named, also if one of them lets everybody in', () => {
    const way = { all: [isBob], permits: ['p', 'g'] }
    expect(found([rule('p', isBob), rule('g', { anyone: true }, org)], type('both'))).toEqual({ complete: true, ways: [way] })
    const other = { all: [isBob], permits: ['g', 'p'] }
    expect(found([rule('g', { anyone: true }), rule('p', isBob, org)], type('both'))).toEqual({ complete: true, ways: [other] })
    expect(found([rule('p', isBob), rule('p', isBob, org)], type('both')).ways[0]?.permits).toEqual(['p'])
  })

  it('POLICY 4: demands and prohibitions give no way, and are not named as if they did', () => {
    const limits = [rule('r', { link: 'l' }, { effect: 'require' }), rule('f', { client: ['evil'] }, { effect: 'forbid' })]
    expect(found([rule('p', isBob), ...limits])).toEqual({
      complete: true,
      ways: [{ all: [{ not: { client: ['evil'] } }, isBob, { link: 'l' }], permits: ['p'] }],
    })
  })

  it('POLICY 4: too many ways on one side are too many, also where the other side has none', () => {
    const many = Array.from({ length: 17 }, (_, at) => rule(`p${at}`, anyOf(256, 'c')))
    expect(found(many, type('both'))).toEqual({ complete: false, ways: [] })
    expect(found(many.slice(1), type('both'))).toEqual({ complete: true, ways: [] })
  })

  it('POLICY 8d: an emergency is one way more, and too many of them are too many', () => {
    const broken: Condition = { all: [anyOf(300, 'c'), { break_glass: true }] }
    expect(found([rule('p', isCarol), rule('g', emergency)], type('both'))).toEqual({
      complete: true,
      ways: [{ all: [{ break_glass: true }, isBob], permits: ['g'] }],
    })
    expect(found([rule('p', isCarol), rule('g', broken)], type('owner'))).toEqual({ complete: false, ways: [] })
  })
})

describe('POLICY 4: why, rule by rule', () => {
  const explain = (rules: Policy[], given: Partial<World> = {}, kind?: ThingType, at = cell) => why(at, photo, rules, kind, world(given))
  const places = ({ permits, against, open, passed }: ReturnType<typeof why>) =>
    Object.entries({ permits, against, open, passed }).flatMap(([place, all]) => all.map(({ id }) => `${id} ${place}`))

  it('POLICY 4: a rule waits for what would settle it: to be met, or to be missed', () => {
    const waits = (rules: Policy[]) => explain(rules).open.map((one) => one.waits)
    const purposes = (...all: string[]) => [[[{ kind: 'purpose', purposes: all }]]]
    expect(waits([rule('p', { purpose: ['A'] })])).toEqual(purposes('A'))
    expect(waits([rule('p', { anyone: true }), rule('r', { purpose: ['A'] }, { effect: 'require' })])).toEqual(purposes('A'))
    expect(waits([rule('p', { anyone: true }), rule('f', { purpose: ['A'] }, { effect: 'forbid' })])).toEqual(purposes())
  })

  it('POLICY 4: what cannot be worked out stands against it, waits for nothing and rests on nothing', () => {
    const odd = { colour: 'green' } as unknown as Condition
    for (const effect of ['forbid', 'require'] as const) {
      const { against } = explain([rule('p', isBob), rule('x', odd, { effect })], { facts: [bob] })
      expect(against).toEqual([{ id: 'x', tier: 'owner', effect, facts: [] }])
      expect(Object.keys(against[0] ?? {})).not.toContain('waits')
    }
  })

  it('POLICY 8d: an emergency that came to nothing is no reason', () => {
    const demand = rule('r', isCarol, { effect: 'require', tier: 'org' })
    const told = explain(
      [rule('g', { all: [{ client: ['https://app.example'] }, { break_glass: true }] }), demand],
      { purpose: 'BTG' },
      type('owner'),
    )
    expect(places(told)).toEqual(['r open'])
    expect(places(explain([rule('g', emergency)], { purpose: 'BTG', facts: [bob] }, type('owner')))).toEqual(['g permits'])
  })

  it('POLICY 4: of another thing nothing is said to be passed that does not hold', () => {
    const demand = rule('r', isCarol, { effect: 'require' })
    expect(places(explain([demand], { facts: [bob] }, undefined, { ...cell, resource_id: 'other' }))).toEqual([])
  })
})

describe('POLICY 4: what if, one rule among others', () => {
  const codes = (rules: Policy[], added: Policy, kind?: ThingType) =>
    whatIf({
      before: rules,
      after: [...rules, added],
      things: [photo],
      type: () => kind,
      worlds: [],
      isMulti: (name) => name === 'email',
    }).warnings.map(({ code, rule: id }) => `${code} ${id}`)
  const shutBob = rule('f', isBob, { effect: 'forbid' })

  it('POLICY 4: what a rule gives is looked at by itself, not with what others give', () => {
    expect(codes([rule('c', isCarol), shutBob], rule('b', isBob))).toEqual(['shadowed b'])
    expect(codes([rule('c', isCarol, org), shutBob], rule('b', isBob), type('either'))).toEqual(['shadowed b'])
    expect(codes([rule('c', isCarol), rule('g', { anyone: true }, org), shutBob], rule('b', isBob), type('both'))).toEqual([])
    expect(codes([rule('g', { anyone: true }, org), rule('c', { any: [isCarol, isBob] })], rule('b', isBob), type('both'))).toEqual([])
  })

  it('CLAIMS 7: a rule that has more to tell than can be told by itself is not called shadowed', () => {
    const open = rule('o', { anyone: true })
    const homes = rule('n', {
      any: [
        { claim: 'email', domain: 'clinic' },
        { claim: 'email', domain: 'home' },
      ],
    })
    const many = shut(...Array.from({ length: 3000 }, (_, at) => `m${at}`))
    const { warnings } = whatIf({
      before: [open],
      after: [open, homes],
      things: [photo],
      type: () => undefined,
      worlds: [],
      blocked: [many, many],
    })
    expect(warnings).toEqual([])
  })
})

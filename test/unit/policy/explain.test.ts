// What the owner is told: why something is so, and what a change would do.
import { describe, expect, it } from 'vitest'
import { decide } from '../../../worker/policy/decide.ts'
import type { Condition, Policy, ThingType } from '../../../worker/policy/policy.ts'
import type { Changes } from '../../../worker/policy/what-if.ts'
import { whatIf } from '../../../worker/policy/what-if.ts'
import { why } from '../../../worker/policy/why.ts'
import type { World } from '../../../worker/policy/world.ts'
import { bob, carol, fact, isBob, isCarol, NOW, rule, thing, world } from './worlds.ts'

const cell = { resource_id: 'photo', scope: 'view' }
const photo = thing('photo', { scopes: ['view'] })
const evil: Policy = rule('f', { client: ['evil'] }, { effect: 'forbid' })
const cleared = rule('r', { claim: 'clearance', covers: ['R'] }, { effect: 'require', tier: 'org' })

describe('POLICY 4: why', () => {
  const explain = (rules: Policy[], given: Partial<World> = {}) => why(cell, photo, rules, undefined, world(given))

  it('POLICY 4: who is let in: by these rules, because of these facts; what was passed on the way', () => {
    const facts = [bob, fact('clearance', 'c', { holds: ['R'] }), fact('country', 'PT')]
    expect(explain([rule('p', isBob), rule('q', isCarol), evil, cleared], { facts })).toEqual({
      kind: 'true',
      until: bob.exp,
      permits: [{ id: 'p', tier: 'owner', effect: 'permit', facts: ['email=bob'], until: bob.exp }],
      against: [],
      open: [],
      passed: [
        { id: 'r', tier: 'org', effect: 'require', facts: ['clearance=c'], until: NOW + 3600 },
        { id: 'f', tier: 'owner', effect: 'forbid', facts: [] },
      ],
    })
  })

  it('POLICY 7 P24: without the permits that are named, nothing is granted', () => {
    const rules = [rule('p', isBob), rule('q', { anyone: true }), rule('x', isCarol)]
    const named = explain(rules, { facts: [bob] }).permits.map(({ id }) => id)
    expect(named).toEqual(['p', 'q'])
    const left = rules.filter(({ id }) => !named.includes(id))
    expect(decide(cell, photo, left, undefined, world({ facts: [bob] })).value.kind).toBe('false')
  })

  it('POLICY 4: who is not: what stands in the way, and the facts that made it so', () => {
    const forbidden = rule('g', { claim: 'country', eq: 'XX' }, { effect: 'forbid' })
    const low = fact('clearance', 'c', { holds: [] })
    const found = explain([rule('p', { anyone: true }), forbidden, cleared], { facts: [fact('country', 'XX'), low] })
    expect(found).toMatchObject({
      kind: 'false',
      against: [
        { id: 'r', facts: ['clearance=c'] },
        { id: 'g', facts: ['country=XX'] },
      ],
    })
  })

  it('POLICY 4: what is not settled says what it waits for', () => {
    expect(explain([rule('p', isBob), cleared])).toMatchObject({
      kind: 'unknown',
      open: [
        { id: 'r', waits: [[{ claim: 'clearance' }]] },
        { id: 'p', waits: [[{ claim: 'email' }]] },
      ],
    })
  })

  it('POLICY 4: a scope that the thing has not has no reasons', () => {
    expect(why({ ...cell, scope: 'fly' }, photo, [rule('p', { anyone: true })], undefined, world())).toMatchObject({
      kind: 'false',
      permits: [],
    })
  })
})

describe('POLICY 4: what if', () => {
  const worlds = [world({ facts: [bob] }), world({ facts: [carol] })]
  const change = (before: Policy[], after: Policy[], type?: ThingType): Changes =>
    whatIf({ before, after, things: [photo], type: () => type, worlds, isMulti: (claim) => claim === 'email' })
  const codes = (...args: Parameters<typeof change>) => change(...args).warnings.map(({ code, rule: id }) => `${code} ${id}`)
  const p = rule('p', isBob)

  it('POLICY 4: nothing changes if nothing does', () => {
    expect(change([p], [p])).toEqual({ cells: [], who: [], warnings: [] })
  })

  it('POLICY 4: whose answer differs, and which way in is new or gone', () => {
    const q = rule('q', isCarol)
    expect(change([p], [q])).toEqual({
      cells: [
        { cell, world: 0, before: 'true', after: 'false' },
        { cell, world: 1, before: 'false', after: 'true' },
      ],
      who: [{ cell, complete: true, gained: [{ all: [isCarol], permits: ['q'] }], lost: [{ all: [isBob], permits: ['p'] }] }],
      warnings: [],
    })
  })

  it('POLICY 4: a rule that another one forbids, that adds nothing, that nobody can meet', () => {
    const shut = rule('f', { anyone: true }, { effect: 'forbid' })
    expect(codes([shut], [shut, p])).toEqual(['shadowed p'])
    const narrower = rule('n', { all: [isBob, { before: NOW }] })
    expect(codes([p], [p, narrower])).toEqual(['adds_nothing n'])
    const never = rule('n', {
      all: [
        { claim: 'country', eq: 'US' },
        { claim: 'country', eq: 'DE' },
      ],
    })
    expect(codes([p], [p, never])).toEqual(['never_holds n'])
  })

  it('POLICY 4: a rule that opens a thing to everybody', () => {
    expect(codes([p], [p, rule('n', { any: [isCarol, { before: NOW + 5 }] })])).toEqual(['opens_to_anyone n'])
    expect(codes([p], [p, rule('n', { claim: 'acr', gte: 2 })])).toEqual(['opens_to_anyone n'])
    expect(codes([p], [p, rule('n', { not: { claim: 'country', eq: 'x' } })])).toEqual(['opens_to_anyone n'])
    const named: Condition[] = [{ link: 'l' }, { ask: 'n' }, { claim: 'sub', eq: 's' }, { claim: 'staff', group: 'g' }]
    for (const when of named) expect(codes([p], [p, rule('n', when)])).toEqual([])
    const open = rule('o', { anyone: true })
    expect(codes([open], [open, rule('n', { before: NOW + 5 })])).toEqual(['adds_nothing n'])
  })

  it('CLAIMS 7: who is shut out gains nothing by a rule, and gains what rules give when that ends', () => {
    const shut = (...macs: string[]) => ({ macs: new Set(macs), isMember: world().isMember })
    const q = rule('q', isCarol)
    const compared = (before: Policy[], after: Policy[], blocked: [string[], string[]]) =>
      whatIf({ before, after, things: [photo], type: () => undefined, worlds, blocked: [shut(...blocked[0]), shut(...blocked[1])] })
    expect(compared([], [p], [['bob'], ['bob']])).toMatchObject({ cells: [], who: [], warnings: [{ code: 'shadowed', rule: 'p' }] })
    expect(compared([p, q], [p, q], [['bob'], []])).toEqual({
      cells: [{ cell, world: 0, before: 'false', after: 'true' }],
      who: [{ cell, complete: true, gained: [{ all: [isBob], permits: ['p'] }], lost: [] }],
      warnings: [],
    })
  })

  it('POLICY 4: where two must agree, silence of the other one is no prohibition', () => {
    const both: ThingType = { type: 'x', implies: {}, authority: 'both' }
    expect(codes([], [p], both)).toEqual([])
    expect(codes([p], [p, rule('q', isBob, { tier: 'org' })], both)).toEqual([])
  })

  it('POLICY 4: what cannot be listed is said to be so', () => {
    const either = (at: number) => ({ any: [1, 2, 3].map((n) => ({ claim: `c${at}`, eq: `v${n}` })) })
    const large = rule('n', { all: [1, 2, 3, 4, 5, 6, 7].map(either) })
    expect(change([p], [p, large])).toMatchObject({ who: [{ complete: false }], warnings: [{ code: 'too_many_ways', rule: 'n' }] })
  })
})

// What the owner is told, at its edges: rules that do not count, ways too many to list, one warning and no more.
import { describe, expect, it } from 'vitest'
import { isBlocked, withoutBlocked } from '../../../worker/policy/blocked.ts'
import { PROBLEMS } from '../../../worker/policy/check.ts'
import type { Condition, Policy, ThingType } from '../../../worker/policy/policy.ts'
import { whatIf } from '../../../worker/policy/what-if.ts'
import { who } from '../../../worker/policy/who.ts'
import { why } from '../../../worker/policy/why.ts'
import { bob, carol, fact, isBob, isCarol, NOW, rule, thing, world } from './worlds.ts'

const cell = { resource_id: 'photo', scope: 'view' }
const photo = thing('photo', { scopes: ['view'] })
const type = (authority: string): ThingType => ({ type: 'x', implies: {}, authority }) as ThingType
const isSingle = () => false
/** One condition that can be met in so many ways, each another value of one claim. */
const anyOf = (count: number, name: string): Condition => ({
  any: Array.from({ length: count }, (_, at) => ({ claim: name, eq: `${name}${at}` })),
})
const found = (rules: Policy[], kind?: ThingType, isMulti = isSingle) => who(cell, photo, rules, kind, isMulti)
const listed = (rules: Policy[], kind?: ThingType) => {
  const answer = found(rules, kind)
  return answer.complete ? answer.ways.length : 'too many'
}

describe('POLICY 4: who, at its edges', () => {
  const org = { tier: 'org' } as const

  it('POLICY 4: nobody opens another thing, nor one whose authority is nobody known', () => {
    expect(who({ ...cell, resource_id: 'other' }, photo, [rule('p', isBob)], undefined)).toEqual({ complete: true, ways: [] })
    expect(found([rule('p', isBob)], type('neighbours'))).toEqual({ complete: true, ways: [] })
    expect(listed([rule('p', isBob), rule('q', isCarol, org)], type('either'))).toBe(2)
  })

  it('POLICY 4: the way that demands least is told, whichever rule came first', () => {
    const both = rule('n', { all: [isBob, { link: 'l' }] })
    expect(found([both, rule('p', isBob)])).toEqual({ complete: true, ways: [{ all: [isBob], permits: ['p'] }] })
    expect(found([rule('p', isBob), rule('q', isBob), both])).toEqual({ complete: true, ways: [{ all: [isBob], permits: ['p', 'q'] }] })
  })

  it('POLICY 4: 4096 ways of permits are worked out and no more', () => {
    const times = (count: number) => Array.from({ length: count }, (_, at) => rule(`p${at}`, anyOf(256, 'c')))
    expect(listed(times(16))).toBe(256)
    expect(found(times(17))).toEqual({ complete: false, ways: [] })
  })

  it('POLICY 4: where both must agree, their pairs are counted before they are made', () => {
    const pair = (mine: number, theirs: number) => [rule('p', anyOf(mine, 'c')), rule('q', anyOf(theirs, 'c'), org)]
    expect(listed(pair(64, 64), type('both'))).toBe(64)
    expect(listed(pair(65, 64), type('both'))).toBe('too many')
    expect(listed(pair(300, 1), type('both'))).toBe('too many')
    expect(listed(pair(1, 300), type('both'))).toBe('too many')
    expect(listed(pair(1, 300), type('either'))).toBe('too many')
  })

  it('POLICY 4: demands with more ways than can be listed', () => {
    const demands = [rule('r', anyOf(17, 'c'), { effect: 'require' }), rule('s', anyOf(16, 'd'), { effect: 'require' })]
    expect(found([rule('p', isBob), ...demands])).toEqual({ complete: false, ways: [] })
  })
})

describe('CLAIMS 7: who, with people who are shut out', () => {
  const ways = (all: Condition[]) => ({ complete: true as const, ways: [{ all, permits: ['p'] }] })
  const shut = (macs: string[], family: string[] = []) => ({
    macs: new Set(macs),
    isMember: (_: string, mac: string) => family.includes(mac),
  })

  it('CLAIMS 7: a way of one address is nobody’s; of a list the others are left', () => {
    expect(withoutBlocked(ways([isBob]), shut(['bob']))).toEqual({ complete: true, ways: [] })
    expect(withoutBlocked(ways([isBob]), shut(['carol']))).toEqual(ways([isBob]))
    const list = (...macs: string[]): Condition => ({ claim: 'email', in: macs })
    expect(withoutBlocked(ways([list('bob', 'carol', 'dave')]), shut(['bob']))).toEqual(ways([list('carol', 'dave')]))
    expect(withoutBlocked(ways([list('bob', 'carol')]), shut(['bob']))).toEqual(ways([isCarol]))
    expect(withoutBlocked(ways([list('bob')]), shut(['bob']))).toEqual({ complete: true, ways: [] })
  })

  it('CLAIMS 7: a way for others, too, says whom it is not for; of a group only its members', () => {
    expect(withoutBlocked(ways([{ anyone: true }]), shut(['bob']))).toEqual(ways([{ not: isBob }]))
    expect(withoutBlocked(ways([{ link: 'l' }]), shut(['carol', 'bob']))).toEqual(
      ways([{ link: 'l' }, { not: { claim: 'email', in: ['bob', 'carol'] } }]),
    )
    const family: Condition = { claim: 'email', group: 'family' }
    expect(withoutBlocked(ways([family]), shut(['bob', 'carol'], ['bob']))).toEqual(ways([family, { not: isBob }]))
    expect(withoutBlocked(ways([family]), shut(['carol'], ['bob']))).toEqual(ways([family]))
  })

  it('CLAIMS 7: addresses that an organisation knows by other MACs are not taken for these', () => {
    const theirs: Condition = { claim: 'email', eq: 'bob', names: 'org' }
    expect(withoutBlocked(ways([theirs]), shut(['bob']))).toEqual(ways([theirs, { not: isBob }]))
    expect(withoutBlocked(ways([{ claim: 'sub', eq: 'bob' }]), shut(['bob']))).toEqual(ways([{ claim: 'sub', eq: 'bob' }, { not: isBob }]))
  })

  it('CLAIMS 7: two ways that are one now are told once; more names than can be told are not', () => {
    const both = {
      complete: true as const,
      ways: [
        { all: [{ claim: 'email', in: ['bob', 'carol'] } as Condition], permits: ['p'] },
        { all: [isCarol], permits: ['q'] },
      ],
    }
    expect(withoutBlocked(both, shut(['bob']))).toEqual({ complete: true, ways: [{ all: [isCarol], permits: ['p', 'q'] }] })
    const many = (count: number) => shut(Array.from({ length: count }, (_, at) => `m${at}`))
    const open = { complete: true as const, ways: [{ all: [{ link: 'l' } as Condition], permits: ['p'] }] }
    expect(withoutBlocked(open, many(4096)).complete).toBe(true)
    expect(withoutBlocked(open, many(4097))).toEqual({ complete: false, ways: [] })
    expect(withoutBlocked(open, many(0))).toBe(open)
    const unknown = { complete: false as const, ways: [] as [] }
    expect(withoutBlocked(unknown, many(1))).toBe(unknown)
  })

  it('CLAIMS 7: whoever shows one such address is shut out', () => {
    expect(isBlocked(world({ facts: [carol, bob] }), shut(['bob']))).toBe(true)
    expect(isBlocked(world({ facts: [carol] }), shut(['bob']))).toBe(false)
    expect(isBlocked(world({ facts: [bob] }), shut([]))).toBe(false)
  })
})

describe('POLICY 4: why, at its edges', () => {
  const explain = (rules: Policy[], facts = [bob], kind?: ThingType, at = cell) => why(at, photo, rules, kind, world({ facts }))
  const evil = rule('f', { client: ['evil'] }, { effect: 'forbid' })

  it('POLICY 4: only what is true says until when', () => {
    expect(Object.keys(explain([rule('p', isBob)]))).toContain('until')
    expect(Object.keys(explain([]))).not.toContain('until')
  })

  it('POLICY 4: a scope that the thing has not has no reasons of any kind', () => {
    const demand = rule('r', { anyone: true }, { effect: 'require' })
    expect(explain([rule('p', isBob), evil, demand], [bob], undefined, { ...cell, scope: 'fly' })).toEqual({
      kind: 'false',
      permits: [],
      against: [],
      open: [],
      passed: [],
    })
  })

  it('POLICY 4: a permit that does not count here, and one that does not hold, are not named', () => {
    const named = explain([rule('p', isBob), rule('q', isCarol), rule('g', isBob, { tier: 'org' })], [bob], type('org'))
    expect(named).toMatchObject({ kind: 'true', permits: [{ id: 'g' }], against: [], open: [], passed: [] })
  })

  it('POLICY 4: a permit that cannot be worked out stands in nobody’s way', () => {
    const odd = rule('odd', { colour: 'green' } as unknown as Condition)
    const named = explain([odd, rule('p', isBob)])
    expect([...named.permits, ...named.against, ...named.open, ...named.passed].map(({ id }) => id)).toEqual(['p'])
  })

  it('POLICY 4: what is passed says which facts did it; what is not settled names none', () => {
    const other = rule('x', { claim: 'country', eq: 'XX' }, { effect: 'forbid' })
    const level = rule('r', { claim: 'acr', gte: 2 }, { effect: 'require' })
    const passed = explain([rule('p', isBob), other, level], [bob, fact('country', 'PT'), fact('acr', '3', { level: 3 })])
    expect(passed.passed.map(({ id, facts }) => [id, ...facts]).sort()).toEqual([
      ['r', 'acr=3'],
      ['x', 'country=PT'],
    ])
    const open = explain([rule('p', isBob), other, level])
    expect(open.open.map(({ id, facts, waits }) => [id, facts.length, waits?.length])).toEqual([
      ['r', 0, 1],
      ['x', 0, 1],
    ])
    for (const one of [...passed.passed, ...passed.permits]) expect(Object.keys(one)).not.toContain('waits')
  })
})

describe('POLICY 4: what if, at its edges', () => {
  const change = (before: Policy[], after: Policy[], kind?: ThingType, things = [photo]) =>
    whatIf({ before, after, things, type: () => kind, worlds: [], isMulti: (claim) => claim === 'email' })
  const codes = (...args: Parameters<typeof change>) => change(...args).warnings.map(({ code, rule: id }) => `${code} ${id}`)
  const p = rule('p', isBob)

  it('POLICY 4: a warning has a sentence and says where, unless it holds everywhere', () => {
    const shut = rule('f', { anyone: true }, { effect: 'forbid' })
    const never = rule('n', { all: [{ after: NOW }, { before: NOW }] })
    const narrower = rule('n', { all: [isBob, { before: NOW }] })
    const told = [
      ...change([shut], [shut, p]).warnings,
      ...change([p], [p, narrower]).warnings,
      ...change([p], [p, never]).warnings,
      ...change([], [rule('o', { anyone: true })]).warnings,
      ...change([], [rule('m', anyOf(300, 'c'))]).warnings,
    ]
    expect(told.map(({ code, cell: where }) => [code, where])).toEqual([
      ['shadowed', cell],
      ['adds_nothing', cell],
      ['never_holds', undefined],
      ['opens_to_anyone', cell],
      ['too_many_ways', cell],
    ])
    for (const one of told) expect(one.text).toMatch(/^[A-Z].*\.$/)
    expect(told[2]?.text).toBe(PROBLEMS.never_holds)
    expect(Object.keys(told[2] ?? {})).not.toContain('cell')
    expect(new Set(told.map(({ text }) => text)).size).toBe(5)
  })

  it('POLICY 4: ways that cannot be listed are told once a cell, with nothing gained and nothing lost', () => {
    const many = ['m', 'n'].map((id) => rule(id, anyOf(300, 'c')))
    expect(codes([], many)).toEqual(['too_many_ways m'])
    expect(change([], many).who).toEqual([{ cell, complete: false, gained: [], lost: [] }])
    expect(change(many, []).who).toEqual([{ cell, complete: false, gained: [], lost: [] }])
  })

  it('POLICY 4: opened to everybody in one way among others is opened; what was open is not opened anew', () => {
    expect(codes([], [rule('o', { any: [isBob, { purpose: ['A'] }] })])).toEqual(['opens_to_anyone o'])
    const open = rule('o', { any: [isBob, { purpose: ['A'] }] })
    expect(codes([open], [open, rule('q', { purpose: ['B'] })])).toEqual([])
    expect(codes([], [rule('o', { all: [{ purpose: ['A'] }, isBob] })])).toEqual([])
  })

  it('POLICY 4: where two must agree, a rule is judged with those of the other', () => {
    const org = (id: string, when: Condition) => rule(id, when, { tier: 'org' })
    const theirs = org('g', isBob)
    expect(codes([p, theirs], [p, theirs, rule('q', { all: [isBob, { before: NOW }] })], type('both'))).toEqual(['adds_nothing q'])
    expect(codes([theirs], [theirs, rule('q', isCarol)], type('both'))).toEqual([])
    expect(codes([p, theirs], [p, theirs, org('h', { all: [isBob, { before: NOW }] })], type('both'))).toEqual(['adds_nothing h'])
    // The permit of a tier that has no say here.
    expect(codes([p], [p, org('h', isBob)], type('owner'))).toEqual([])
  })

  it('POLICY 4: a rule that is forbidden only together with others is shadowed by what forbids', () => {
    const shut = rule('f', isBob, { effect: 'forbid' })
    const demand = rule('r', isCarol, { effect: 'require' })
    expect(codes([shut], [shut, p])).toEqual(['shadowed p'])
    expect(codes([demand], [demand, rule('q', isCarol)])).toEqual([])
  })
})

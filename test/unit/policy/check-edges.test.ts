// What may be saved, at its edges: each form of a list, each place in which something can stand, and the exact number of ways.
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../../worker/policy/check.ts'
import type { Condition, Policy } from '../../../worker/policy/policy.ts'
import { isBob, isCarol, NOW, rule } from './worlds.ts'

const isMulti = (claim: string) => claim === 'email'
const codes = (when: Condition, more: Partial<Policy> = {}) => checkPolicy(rule('p', when, more), { isMulti }).map(({ code }) => code)
const country: Condition = { claim: 'country', eq: 'US' }
const everybody: Condition = { anyone: true }
const anyOf = (count: number, name: string): Condition => ({
  any: Array.from({ length: count }, (_, at) => ({ claim: `${name}${at}`, eq: 'x' })),
})
const allOf = (count: number, name: string): Condition => ({
  all: Array.from({ length: count }, (_, at) => ({ claim: `${name}${at}`, eq: 'x' })),
})

describe('POLICY 6: what may be saved, at its edges', () => {
  it.each<[string, Partial<Policy>]>([
    ['one action', { scopes: ['view'] }],
    ['every action', { scopes: '*' }],
    ['a rule of an organisation', { tier: 'org' }],
  ])('POLICY 6: %s', (_, more) => {
    expect(codes(isBob, more)).toEqual([])
  })

  it.each<[string, Condition]>([
    ['values', { claim: 'email', in: [] }],
    ['members', { claim: 'email', covers: [] }],
    ['issuers', { claim: 'email', eq: 'm', iss: [] }],
    ['issuers, beside a list of somebody', { claim: 'email', in: ['m'], iss: [] }],
    ['purposes', { purpose: [] }],
    ['apps', { client: [] }],
    ['what is known of apps', { client_trust: [] }],
    ['values of the context', { context: 'ward', in: [] }],
    ['conditions that is none', { all: 3 } as unknown as Condition],
  ])('POLICY 6: an empty list of %s holds for nobody', (_, when) => {
    expect(codes(when)).toEqual(['empty_list'])
  })

  it.each<[string, Condition]>([
    ['a list where one value belongs', { claim: 'email', eq: [] } as unknown as Condition],
    ['a proof that may be no second old', { claim: 'email', eq: 'm', max_age: 0 }],
    ['a word where a list belongs', { claim: 'email', in: '' } as unknown as Condition],
    ['one of several of tomorrow', { any: [isBob, { colour: 'green' }] } as unknown as Condition],
    ['one of all of tomorrow', { all: [isBob, { colour: 'green' }] } as unknown as Condition],
    ['the opposite of a stage of tomorrow', { not: { seq: [country, { colour: 'green' }] } } as unknown as Condition],
    ['the condition of a fork of tomorrow', { if: { colour: 'green' }, then: isBob, else: isBob } as unknown as Condition],
    ['the first side of a fork of tomorrow', { if: country, then: { colour: 'green' }, else: isBob } as unknown as Condition],
    ['a stage of tomorrow', { seq: [isBob, { colour: 'green' }] } as unknown as Condition],
    ['a fork of tomorrow', { if: country, then: isBob, else: { colour: 'green' } } as unknown as Condition],
    ['an instant before all time', { after: -1 }],
    ['half a second', { after: 1.5 }],
    ['an instant beyond all numbers', { before: 2 ** 60 }],
    ['half a use', { uses: { key: 'p', max: 1.5, per: 'rqp' } }],
  ])('POLICY 6: %s has no meaning', (_, when) => {
    expect(codes(when)).toEqual(['unknown_condition'])
  })

  it.each<[string, Condition]>([
    ['the first instant', { after: 0 }],
    ['a proof of this second', { claim: 'email', eq: 'm', max_age: 1 }],
    ['one use', { uses: { key: 'p', max: 1, per: 'rqp' } }],
    ['either after or before', { any: [{ after: NOW }, { before: NOW }] }],
    ['a purpose as a fork', { if: { purpose: ['A'] }, then: isBob, else: isCarol }],
  ])('POLICY 6: %s', (_, when) => {
    expect(codes(when)).toEqual([])
  })

  it('POLICY 6: stages end before they begin like everything else', () => {
    expect(codes({ seq: [isBob, { after: NOW }, { before: NOW }] })).toEqual(['ends_before_it_begins'])
  })

  it.each<[string, Condition]>([
    ['the condition of a fork', { if: { not: isBob }, then: country, else: everybody }],
    ['the condition of a fork, twice turned', { if: { not: { not: isBob } }, then: country, else: everybody }],
    ['one side of a fork', { if: country, then: { not: isBob }, else: everybody }],
    ['the other side of a fork', { if: country, then: everybody, else: { not: isBob } }],
  ])('POLICY 3: withholding does not pass in %s', (_, when) => {
    expect(codes(when)).toEqual(['withholding_passes'])
  })

  it.each<[string, Condition]>([
    ['a proof', { seq: [{ ask: 'p' }, isBob, { before: 2 }] }],
    ['a purpose', { seq: [isBob, { ask: 'p' }, { purpose: ['A'] }] }],
    ['one of several proofs', { seq: [{ ask: 'p' }, { any: [isBob, { before: 5 }] }] }],
    ['anything, if the question is one of several', { seq: [{ all: [{ ask: 'p' }, { before: 9 }] }, isBob] }],
  ])('POLICY 3: the owner is not asked before %s', (_, when) => {
    expect(codes(when)).toEqual(['asked_too_early'])
  })

  it('POLICY 6: the ways are counted exactly: what is wanted otherwise turns all into any', () => {
    const groups = (outer: 'all' | 'any', one: (at: number) => Condition): Condition =>
      ({ [outer]: [0, 1, 2, 3].map(one) }) as unknown as Condition
    const manyWays = groups('any', (at) => allOf(3, `${at}-`))
    const fourWays = groups('all', (at) => anyOf(3, `${at}-`))
    expect(codes({ not: manyWays })).toEqual(['too_many_ways'])
    expect(codes({ not: fourWays })).toEqual([])
    expect(codes(manyWays)).toEqual([])
    expect(codes(fourWays)).toEqual(['too_many_ways'])
  })

  it('POLICY 6: the ways of a fork: with its condition the one side, without it the other', () => {
    expect(codes({ if: anyOf(3, 'i'), then: anyOf(20, 't'), else: anyOf(4, 'e') })).toEqual([])
    expect(codes({ if: anyOf(3, 'i'), then: anyOf(20, 't'), else: anyOf(5, 'e') })).toEqual(['too_many_ways'])
    expect(codes({ if: allOf(3, 'i'), then: anyOf(4, 't'), else: anyOf(20, 'e') })).toEqual([])
    expect(codes({ if: allOf(3, 'i'), then: anyOf(5, 't'), else: anyOf(20, 'e') })).toEqual(['too_many_ways'])
  })

  it('POLICY 6: what is too large is not looked through for what is too deep, and the other way round', () => {
    const nested = (depth: number, inner: Condition): Condition => (depth === 1 ? inner : { any: [nested(depth - 1, inner)] })
    expect(codes({ any: [...Array.from({ length: 65 }, () => isBob), nested(7, isBob)] })).toEqual(['too_many_conditions'])
    expect(codes({ any: [nested(7, isBob), ...Array.from({ length: 65 }, () => isBob)] })).toEqual(['too_deep'])
    expect(codes({ all: [isBob, nested(5, { break_glass: true })] })).toEqual(['break_glass_place'])
    expect(codes({ all: [isBob, nested(6, { break_glass: true })] })).toEqual(['too_deep'])
  })

  it('POLICY 6: sixteen different claims are not too many, and more are not if there is a way with less', () => {
    const many = allOf(17, 'c')
    expect(codes(many)).toEqual(['too_many_claims'])
    expect(codes(allOf(16, 'c'))).toEqual([])
    expect(codes({ all: [allOf(16, 'c'), { client: ['a'] }, { link: 'l' }] })).toEqual([])
    expect(codes({ all: [allOf(16, 'c'), { claim: 'c0', in: ['x', 'y'] }] })).toEqual([])
    expect(codes({ any: [many, isBob] })).toEqual([])
    expect(codes({ any: [many, allOf(18, 'd')] })).toEqual(['too_many_claims'])
    // A prohibition is met by nobody who shows all of these.
    expect(codes(anyOf(17, 'c'), { effect: 'forbid' })).toEqual(['too_many_claims'])
    expect(codes(anyOf(16, 'c'), { effect: 'forbid' })).toEqual([])
    expect(codes(many, { effect: 'forbid' })).toEqual([])
    expect(codes(many, { effect: 'require' })).toEqual(['too_many_claims'])
  })

  it('POLICY 8d: beside an emergency stands a claim, and the longest life that a grant may have', () => {
    const emergency: Condition = { break_glass: true }
    expect(codes({ all: [isBob, emergency] }, { grant: { rpt_ttl: 900 } })).toEqual([])
    expect(codes({ all: [emergency, null as unknown as Condition] })).toEqual(['break_glass_alone', 'unknown_condition'])
    expect(codes({ seq: [isBob, emergency] })).toEqual(['break_glass_place', 'break_glass_alone'])
  })
})

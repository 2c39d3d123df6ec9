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
})

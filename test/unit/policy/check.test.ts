// What may be saved: sizes, what withholding would open, what contradicts itself.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Checking, checkPolicy, PROBLEMS } from '../../../worker/policy/check.ts'
import type { Condition, Policy } from '../../../worker/policy/policy.ts'
import { BOMBS, isBob, isCarol, NOW, rule } from './worlds.ts'

const isMulti = (claim: string) => claim === 'email'
const codes = (when: Condition, more: Partial<Policy> = {}, options: Checking = { isMulti }) =>
  checkPolicy(rule('p', when, more), options).map(({ code }) => code)
const country: Condition = { claim: 'country', eq: 'US' }
const many = (count: number, one: (at: number) => Condition): Condition[] => Array.from({ length: count }, (_, at) => one(at))
const nested = (depth: number): Condition => (depth === 1 ? isBob : { any: [nested(depth - 1), isCarol] })

describe('POLICY 6: what may be saved', () => {
  it.each<[string, Condition]>([
    ['one person', isBob],
    ['everybody, said in so many words', { anyone: true }],
    [
      'the stages of POLICY 2',
      {
        seq: [
          { claim: 'email', domain: 'va.gov' },
          { if: country, then: { claim: 'npi', in: ['physician'] }, else: { claim: 'eid_loa', gte: 3 } },
        ],
      },
    ],
    [
      'the rule of POLICY 2',
      { all: [isBob, { purpose: ['TREAT'] }, { after: 1 }, { before: 2 }, { uses: { key: 'p', max: 5, per: 'rqp' } }, { ask: 'p' }] },
    ],
    ['the opposite of a claim of which people have one', { all: [isBob, { not: country }] }],
    ['the owner last', { seq: [isBob, { purpose: ['A'] }, { ask: 'p' }, { before: 2 }] }],
    ['64 conditions', { any: many(64, (at) => ({ claim: 'email', eq: `m${at}` })) }],
    ['6 deep', nested(6)],
  ])('POLICY 6: %s', (_, when) => {
    expect(codes(when)).toEqual([])
  })

  it.each<[string, Condition, Partial<Policy>, string[]]>([
    ['65 conditions', { any: many(65, (at) => ({ claim: 'email', eq: `m${at}` })) }, {}, ['too_many_conditions']],
    ['7 deep', nested(7), {}, ['too_deep']],
    ['81 ways', { all: many(4, () => ({ any: many(3, (at) => ({ claim: 'email', eq: `m${at}` })) })) }, {}, ['too_many_ways']],
    [
      '81 ways around a prohibition',
      { any: many(4, () => ({ all: many(3, (at) => ({ client: [`c${at}`] })) })) },
      { effect: 'forbid' },
      ['too_many_ways'],
    ],
    ['nothing demanded', { all: [] }, {}, ['empty_list']],
    ['nothing demanded, far inside', { any: [isBob, { not: { any: [] } }] }, {}, ['empty_list']],
    ['a list of nobody', { claim: 'email', in: [] }, {}, ['empty_list']],
    ['a form of tomorrow', { colour: 'green' } as unknown as Condition, {}, ['unknown_condition']],
    ['two forms at once', { ...isBob, link: 'x' } as Condition, {}, ['unknown_condition']],
    ['a limit of no use', { uses: { key: 'p', max: 0, per: 'rqp' } }, {}, ['unknown_condition']],
    ['another address than this', { not: isBob }, {}, ['withholding_passes']],
    ['an address forbidden', isBob, { effect: 'forbid' }, ['withholding_passes']],
    ['an address in front of a fork', { if: isBob, then: country, else: { anyone: true } }, {}, ['withholding_passes']],
    ['not having the link', { not: { link: 'x' } }, {}, ['withholding_passes']],
    ['another purpose', { not: { purpose: ['A'] } }, {}, ['opposite_of_an_answer']],
    ['an answer in a prohibition', { ask: 'p' }, { effect: 'forbid' }, ['opposite_of_an_answer']],
    ['uses in a prohibition', { uses: { key: 'p', max: 1, per: 'rule' } }, { effect: 'forbid' }, ['opposite_of_uses']],
    ['an end at its beginning', { all: [isBob, { after: NOW }, { before: NOW }] }, {}, ['ends_before_it_begins']],
    ['two countries', { all: [country, { claim: 'country', eq: 'DE' }] }, {}, ['never_holds']],
    ['two purposes', { all: [{ purpose: ['A'] }, { purpose: ['B'] }] }, {}, ['never_holds']],
    ['the owner first, who it is afterwards', { seq: [{ ask: 'p' }, isBob] }, {}, ['asked_too_early']],
    ['no thing', isBob, { target: { resources: [] } }, ['no_target']],
    ['no action', isBob, { scopes: [] }, ['no_scopes']],
    ['the platform lets in', isBob, { tier: 'platform' }, ['platform_never_permits']],
    ['terms of a demand', isBob, { effect: 'require', grant: { rpt_ttl: 60 } }, ['terms_without_permit']],
    ['a life of nothing', isBob, { grant: { rpt_ttl: 0 } }, ['bad_terms']],
    ['a later version', isBob, { v: 2 } as unknown as Partial<Policy>, ['unknown_version']],
  ])('POLICY 6: %s is refused', (_, when, more, expected) => {
    expect(codes(when, more)).toEqual(expected)
  })

  it('POLICY 3: what opens the door counts, not how often "not" is said', () => {
    expect(codes({ not: { not: isBob } })).toEqual([])
    expect(codes({ not: isBob }, { effect: 'forbid' })).toEqual([])
    expect(codes({ not: { all: [{ not: isBob }, country] } })).toEqual([])
  })

  it('POLICY 6: a claim of which nothing is known may have several values', () => {
    expect(codes({ not: country }, {}, {})).toEqual(['withholding_passes'])
  })

  it('POLICY 6: no more than 512 rules for a cell', () => {
    expect(codes(isBob, {}, { isMulti, beside: 511 })).toEqual([])
    expect(codes(isBob, {}, { isMulti, beside: 512 })).toEqual(['too_many_rules'])
  })

  it('POLICY 6: a rule that would take long to work out is refused for its size (how fast: speed.test.ts)', () => {
    expect(BOMBS.map((when) => codes(when))).toEqual([['too_many_ways'], ['too_deep'], ['too_many_conditions']])
  })

  it('POLICY 6: every problem has a sentence, and it is one', () => {
    for (const text of Object.values(PROBLEMS)) expect(text).toMatch(/^[A-Z].*\.$/)
  })

  it('POLICY 6: no form of a rule makes the check fail', () => {
    const junk = fc.letrec<{ c: Condition }>((tie) => ({
      c: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(isBob, country, null as unknown as Condition, 7 as unknown as Condition, { all: 3 } as unknown as Condition),
        fc.constantFrom<Condition>({ ask: '' }, { context: 'x', in: [] }, { uses: { key: 'k', max: Number.NaN, per: 'rqp' } }),
        fc.array(tie('c'), { maxLength: 3 }).map((all): Condition => ({ all })),
        fc.array(tie('c'), { maxLength: 3 }).map((any): Condition => ({ any })),
        tie('c').map((not): Condition => ({ not })),
        fc.tuple(tie('c'), tie('c')).map(([a, b]): Condition => ({ if: a, then: b, else: a })),
      ),
    })).c
    fc.assert(
      fc.property(junk, (when) => {
        expect(codes(when).every((code) => code in PROBLEMS)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

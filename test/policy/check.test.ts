// Rules that may be saved: nobody gets in by leaving something unsaid, what is refused is refused fast, and what is taken can be worked out.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../worker/policy/check.ts'
import { isMultiClaim } from '../../worker/policy/multi-claims.ts'
import type { Condition, Policy } from '../../worker/policy/policy.ts'
import { readSafely } from '../../worker/policy/read-safely.ts'
import { who } from '../../worker/policy/who.ts'
import type { Fact } from '../../worker/policy/world.ts'
import {
  anyCondition,
  anyPerson,
  anyPolicies,
  anyPolicy,
  anyProofs,
  anyThing,
  anyType,
  mostProofs,
  openCircumstances,
} from './arbitraries.ts'
import { decided, decision, rule, THING } from './engine.ts'
import { factsOf, PLAIN } from './people.ts'
import { RUNS, times, tried } from './runs.ts'

const codes = (when: Condition, more: Partial<Policy> = {}, isMulti = (_claim: string) => true) =>
  checkPolicy(rule('p', when, more), { isMulti }).map(({ code }) => code)

const email = (n: number): Condition => ({ claim: 'email', eq: `email-${n}` })
const deep = (levels: number): Condition => (levels === 1 ? email(0) : { all: [email(levels), deep(levels - 1)] })

describe('POLICY 6: rules that may be saved', () => {
  it('POLICY 3: with rules that may be saved, nobody gets in by showing less than they have', () => {
    const policies = anyPolicies(anyCondition({ depth: 2 }), 5, { target: { all: true }, scopes: '*' }).map((all) =>
      all.filter((one) => checkPolicy(one).length === 0),
    )
    let let_in = 0
    tried(
      fc.property(policies, anyPerson, anyPerson, anyProofs, anyProofs, openCircumstances, (rules, person, second, few, more, at) => {
        const asked = { policies: rules, thing: THING, scope: 'view', type: undefined }
        // Two values of a claim: two addresses of one person.
        const some = factsOf(person, few)
        if (decided(asked, at, some).kind !== 'true') return
        let_in++
        expect(decided(asked, at, [...factsOf(second, more), ...some]).kind).toBe('true')
      }),
    )
    expect(let_in).toBeGreaterThan(0)
  })

  it('POLICY 3: a rule saved when less was refused gives nobody more, and leaving something unsaid helps nobody there either', () => {
    // Countries and levels are one value; what nobody has described can be several.
    const rulesThen = fc.tuple(
      anyPolicy(anyCondition({ depth: 2 }), { effect: 'permit', target: { all: true }, scopes: '*', tier: 'owner' }),
      anyPolicies(anyCondition({ depth: 2 }), 3, { target: { all: true }, scopes: '*' }),
    )
    const isSingle = ({ claim }: Fact): boolean => !isMultiClaim(claim)
    let [letIn, changed] = [0, 0]
    tried(
      fc.property(
        rulesThen,
        anyPerson,
        anyPerson,
        anyProofs,
        mostProofs,
        openCircumstances,
        ([first, more], person, second, few, all, at) => {
          const then = [first, ...more.map((one, n) => ({ ...one, id: `${n}` }))]
          const now = then.map((one) => readSafely(one, isMultiClaim))
          if (now.some((one, n) => one !== then[n])) changed++
          const cell = (policies: Policy[]) => ({ policies, thing: THING, scope: 'view', type: undefined })
          const some = factsOf(person, few)
          if (decided(cell(now), at, some).kind !== 'true') return
          letIn++
          expect(decided(cell(then), at, some).kind).toBe('true')
          const others = factsOf(second, all).filter((fact) => !isSingle(fact))
          expect(decided(cell(now), { ...at, links: [...at.links, 'l0', 'l1'] }, [...others, ...some]).kind).toBe('true')
        },
      ),
    )
    if (times(RUNS) < RUNS) return
    expect(letIn).toBeGreaterThan(300)
    expect(changed).toBeGreaterThan(1_000)
  })

  it('POLICY 3: what may be saved is read as it is; what may not loses the part that could be left unsaid', () => {
    const staff: Condition = { claim: 'affiliation', eq: 'staff' }
    const read = (when: Condition, more: Partial<Policy> = {}) => readSafely(rule('p', when, more), isMultiClaim).when
    for (const effect of ['permit', 'require'] as const) {
      expect(checkPolicy(rule('p', { not: staff }, { effect }), { isMulti: isMultiClaim }).map(({ code }) => code)).toEqual([
        'withholding_passes',
      ])
      expect(read({ not: staff }, { effect })).toEqual({ not: { anyone: true } })
    }
    expect(checkPolicy(rule('p', staff, { effect: 'forbid' }), { isMulti: isMultiClaim }).map(({ code }) => code)).toEqual([
      'withholding_passes',
    ])
    expect(read({ all: [{ client: ['c'] }, staff] }, { effect: 'forbid' })).toEqual({ all: [{ client: ['c'] }, { anyone: true }] })
    const fork: Condition = { if: staff, then: { after: 5 }, else: { before: 9 } }
    expect(read(fork)).toEqual({ all: [{ after: 5 }, { before: 9 }] })
    expect(read(fork, { effect: 'forbid' })).toEqual({ any: [{ after: 5 }, { before: 9 }] })
    tried(
      fc.property(anyPolicies(anyCondition(), 1), ([one]) => {
        if (one !== undefined && checkPolicy(one, { isMulti: isMultiClaim }).length === 0) expect(readSafely(one, isMultiClaim)).toBe(one)
      }),
    )
  })

  it('POLICY 3: a rule that may be saved can be worked out, and its ways be listed', () => {
    tried(
      fc.property(
        anyPolicies(anyCondition(), 1),
        anyThing,
        anyType,
        anyPerson,
        anyProofs,
        openCircumstances,
        ([one], thing, type, person, proofs, at) => {
          if (one === undefined || checkPolicy(one).length > 0) return
          const asked = { policies: [one], thing, scope: 'view', type: thing.type === type.type ? type : undefined }
          expect(decision(asked, at, factsOf(person, proofs)).failed).toEqual([])
          expect(who({ resource_id: thing.id, scope: 'view' }, thing, [one], asked.type).complete).toBe(true)
        },
      ),
    )
  })

  it('POLICY 3: a prohibition that somebody could slip past is refused, and so is its like inside a condition', () => {
    const ordinary = (claim: string): boolean => claim !== 'country'
    expect(codes(email(0), { effect: 'forbid' })).toEqual(['withholding_passes'])
    expect(codes({ not: email(0) })).toEqual(['withholding_passes'])
    expect(codes({ not: email(0) }, { effect: 'require' })).toEqual(['withholding_passes'])
    expect(codes({ not: email(0) }, { effect: 'forbid' })).toEqual([])
    expect(codes({ not: { not: email(0) } })).toEqual([])
    expect(codes({ if: email(0), then: { anyone: true }, else: { after: 5 } })).toEqual(['withholding_passes'])
    expect(codes({ any: [{ not: { link: 'l' } }, email(0)] })).toEqual(['withholding_passes'])
    expect(codes({ claim: 'country', eq: 'x' }, { effect: 'forbid' }, ordinary)).toEqual([])
    expect(codes({ not: { claim: 'country', eq: 'x' } }, {}, ordinary)).toEqual([])
  })

  it('POLICY 6: what is empty, too large, too deep or contradicts itself is refused', () => {
    const groups = (n: number): Condition => ({
      all: Array.from({ length: n }, (_, i) => ({ any: [email(10 * i), email(10 * i + 1)] })),
    })
    expect(codes({ all: [] })).toEqual(['empty_list'])
    expect(codes({ any: [{ seq: [] }, email(0)] })).toEqual(['empty_list'])
    expect(codes(deep(6))).toEqual([])
    expect(codes(deep(7))).toEqual(['too_deep'])
    expect(codes({ any: Array.from({ length: 64 }, (_, n) => email(n)) })).toEqual([])
    expect(codes({ any: Array.from({ length: 65 }, (_, n) => email(n)) })).toEqual(['too_many_conditions'])
    expect(codes(groups(6))).toEqual([])
    expect(codes(groups(7))).toEqual(['too_many_ways'])
    expect(codes({ all: [{ after: 10 }, { before: 10 }] })).toEqual(['ends_before_it_begins'])
    expect(codes({ all: [{ after: 10 }, { before: 11 }] })).toEqual([])
    expect(codes({ all: [{ client: ['a'] }, { client: ['b'] }] })).toEqual(['never_holds'])
    expect(codes({ all: [email(0), email(1)] }, {}, () => false)).toEqual(['never_holds'])
    expect(codes({ all: [email(0), email(1)] })).toEqual([])
    expect(codes({ colour: 'green' } as unknown as Condition)).toEqual(['unknown_condition'])
  })

  it('POLICY 6: the worst rule is refused as fast as the best is taken', () => {
    const three = (n: number): Condition => ({ any: [0, 1, 2].map((i) => ({ claim: `c${n}_${i}`, eq: 'x' })) })
    const bomb: Condition = {
      all: [0, 1].map((g) => ({ any: [0, 1, 2, 3].map((h) => ({ all: [0, 1, 2, 3].map((n) => three(100 * g + 10 * h + n)) })) })),
    }
    let wide: Condition = email(0)
    for (let n = 0; n < 10_000; n++) wide = { not: wide }
    const begin = process.cpuUsage()
    expect(codes(bomb)).toEqual(['too_many_conditions'])
    expect(codes({ any: Array.from({ length: 10_000 }, (_, n) => email(n)) })).toEqual(['too_many_conditions'])
    expect(codes(wide)).toEqual(['too_deep'])
    for (const when of [bomb, wide]) {
      const told = decision({ policies: [rule('p', when)], thing: THING, scope: 'view', type: undefined }, PLAIN, [])
      expect([told.value, told.failed]).toEqual([{ kind: 'false' }, ['p']])
    }
    // Processor time, in microseconds: the machine may do something else meanwhile.
    expect(process.cpuUsage(begin).user).toBeLessThan(2_000_000)
  })

  it('POLICY 2: the frame of a rule', () => {
    const open: Condition = { anyone: true }
    expect(codes(open, { v: 2 as 1 })).toEqual(['unknown_version'])
    expect(codes(open, { effect: 'allow' as 'permit' })).toEqual(['unknown_version'])
    expect(codes(open, { tier: 'root' as 'owner' })).toEqual(['unknown_version'])
    for (const target of [{ resources: [] }, { types: [] }, { labels: [] }, {}, { all: false }] as unknown as Policy['target'][])
      expect(codes(open, { target })).toEqual(['no_target'])
    for (const target of [{ resources: ['a'] }, { types: ['a'] }, { labels: ['a'] }]) expect(codes(open, { target })).toEqual([])
    expect(codes(open, { scopes: [] })).toEqual(['no_scopes'])
    expect(codes(open, { tier: 'platform' })).toEqual(['platform_never_permits'])
    expect(codes(open, { tier: 'platform', effect: 'forbid' })).toEqual([])
    expect(codes(open, { effect: 'forbid', grant: { pct: true } })).toEqual(['terms_without_permit'])
    expect(codes(open, { effect: 'forbid', grant: {} })).toEqual([])
    for (const rpt_ttl of [0, -1, 1.5, Number.NaN]) expect(codes(open, { grant: { rpt_ttl } })).toEqual(['bad_terms'])
    expect(codes(open, { grant: { rpt_ttl: 1 } })).toEqual([])
    expect(checkPolicy(rule('p', open), { beside: 511 })).toEqual([])
    expect(checkPolicy(rule('p', open), { beside: 512 }).map(({ code }) => code)).toEqual(['too_many_rules'])
    expect(checkPolicy(rule('p', open, { scopes: [] }))[0]?.text).toMatch(/^The rule speaks of no action/)
  })
})

// Why and who: what is cited carries the decision, and the ways that are listed are exactly those that lead in.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Condition } from '../../worker/policy/policy.ts'
import { who } from '../../worker/policy/who.ts'
import {
  anyCircumstances,
  anyCondition,
  anyPerson,
  anyPolicies,
  anyThing,
  anyType,
  likelyCell,
  mostProofs,
  openCircumstances,
} from './arbitraries.ts'
import { type Asked, decided, decision, rule, THING } from './engine.ts'
import { CLAIMS, everyProof, factsOf, PLAIN } from './people.ts'
import { isAllowed, isTrue } from './reference.ts'
import { CORE, tried } from './runs.ts'

const likely = likelyCell(anyCondition({ depth: 1 }))

const waysOf = ({ policies, thing, scope, type }: Asked, isMulti: boolean) =>
  who({ resource_id: thing.id, scope }, thing, policies, type, () => isMulti)

describe('POLICY 7: why and who', () => {
  it('POLICY 7 P23: somebody is let in if and only if one of the ways holds for them', () => {
    let listed = 0
    tried(
      fc.property(likely, anyPerson, anyCircumstances, fc.boolean(), (asked, person, at, isMulti) => {
        const { complete, ways } = waysOf(asked, isMulti)
        if (!complete) return
        listed++
        const leadsIn = ways.filter(({ all }) => all.every((one) => isTrue(one, person, at)))
        expect(leadsIn.length > 0).toBe(isAllowed(asked, person, at))
        for (const { permits } of leadsIn) {
          const without = { ...asked, policies: asked.policies.filter(({ id, effect }) => effect !== 'permit' || permits.includes(id)) }
          if (!isAllowed(without, person, at)) expect.fail('its permits do not let in')
        }
      }),
      CORE,
    )
    expect(listed).toBeGreaterThan(0)
  })

  it('POLICY 7 P23: each way is one that somebody could take, and none makes another superfluous', () => {
    tried(
      fc.property(likely, (asked) => {
        const { ways } = waysOf(asked, true)
        const keys = ways.map(({ all }) => all.map((one) => JSON.stringify(one)))
        expect(keys.filter((way) => way.length === 0)).toEqual([])
        expect(new Set(keys.map((way) => [...way].sort().join())).size).toBe(keys.length)
        const isSuperfluous = (way: string[]): boolean => keys.some((other) => other !== way && other.every((one) => way.includes(one)))
        expect(keys.filter(isSuperfluous)).toEqual([])
        for (const way of keys) for (const one of way) if (way.includes(JSON.stringify({ not: JSON.parse(one) }))) expect.fail(way.join())
      }),
    )
  })

  it('POLICY 7 P23: what one person cannot be at once is no way, where a claim has one value', () => {
    const anyTests = fc.array(anyCondition({ depth: 1, claims: ['role', 'country', 'acr'], terms: false, circumstances: false }), {
      minLength: 1,
      maxLength: 3,
    })
    const everybody = [0, 1, 2].flatMap((role) =>
      [0, 1, 2].flatMap((country) => [0, 1, 2].map((acr) => ({ email: 0, role, country, acr, clearance: 0 }))),
    )
    tried(
      fc.property(anyTests, (all) => {
        const { complete, ways } = waysOf({ policies: [rule('p', { all })], thing: THING, scope: 'view', type: undefined }, false)
        if (!complete) return
        for (const way of ways) {
          // Values beyond those of people here, and membership of groups, could still be met by others.
          if (JSON.stringify(way).includes('"group"') || JSON.stringify(way).includes('"not"')) continue
          expect(everybody.some((person) => way.all.every((one) => isTrue(one, person, PLAIN)))).toBe(true)
        }
      }),
    )
  })

  it('POLICY 7 P24: without the permits that are cited the answer is not yes, with them alone it is the same', () => {
    tried(
      fc.property(likely, anyPerson, mostProofs, openCircumstances, (asked, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const told = decision(asked, at, facts)
        if (told.value.kind !== 'true') return
        expect(told.permits.length).toBeGreaterThan(0)
        const isCited = (id: string): boolean => told.permits.includes(id)
        const without = asked.policies.filter(({ id }) => !isCited(id))
        expect(decided({ ...asked, policies: without }, at, facts).kind).not.toBe('true')
        const only = asked.policies.filter(({ id, effect }) => effect !== 'permit' || isCited(id))
        expect(decided({ ...asked, policies: only }, at, facts)).toEqual(told.value)
        expect([told.forbids, told.unmet, told.failed]).toEqual([[], [], []])
      }),
    )
  })

  it('POLICY 7 P24: the prohibitions and demands that are cited are those that stand in the way', () => {
    tried(
      fc.property(likely, anyPerson, anyCircumstances, (asked, person, at) => {
        const facts = factsOf(person, everyProof(CLAIMS))
        const told = decision(asked, at, facts)
        const inTheWay = [...told.forbids, ...told.unmet]
        const without = { ...asked, policies: asked.policies.filter(({ id }) => !inTheWay.includes(id)) }
        const freed = decision(without, at, facts)
        expect([freed.forbids, freed.unmet]).toEqual([[], []])
        expect(freed.value.kind).toBe(String(isAllowed(without, person, at)))
        if (inTheWay.length > 0) expect(told.value.kind).toBe('false')
        for (const id of told.forbids) expect(asked.policies.find((one) => one.id === id)?.effect).toBe('forbid')
        for (const id of told.unmet) expect(asked.policies.find((one) => one.id === id)?.effect).toBe('require')
      }),
    )
  })

  it('POLICY 7 P24: what is true rests on the proofs that are cited: with them alone it is as true and as long', () => {
    tried(
      fc.property(likely, anyPerson, mostProofs, openCircumstances, (asked, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const told = decision(asked, at, facts)
        if (told.value.kind !== 'true') {
          expect([told.rests, told.uses]).toEqual([[], []])
          return
        }
        const rested = decided(
          asked,
          at,
          facts.filter(({ id }) => told.rests.includes(id)),
        )
        expect(rested.kind).toBe('true')
        if (rested.kind === 'true') expect(rested.until).toBeGreaterThanOrEqual(told.value.until)
        expect(told.rests.filter((id) => !facts.some((fact) => fact.id === id))).toEqual([])
      }),
    )
  })

  it('POLICY 3: a grant uses up the counters of all that it rests on, and no others', () => {
    const uses = (key: string, per: 'rqp' | 'rule' = 'rqp', max = 2): Condition => ({ uses: { key, max, per } })
    const counters = (when: Condition, more: Partial<Parameters<typeof decision>[1]> = {}) =>
      decision({ policies: [rule('p', when)], thing: THING, scope: 'view', type: undefined }, { ...PLAIN, ...more }, [])
        .uses.map(({ key, per }) => `${key}/${per}`)
        .sort()
    expect(counters(uses('a'))).toEqual(['a/rqp'])
    expect(counters({ all: [uses('a'), uses('a', 'rule'), uses('b')] })).toEqual(['a/rqp', 'a/rule', 'b/rqp'])
    expect(counters({ all: [uses('a'), uses('a', 'rqp', 5)] })).toEqual(['a/rqp'])
    expect(counters({ any: [uses('a'), { link: 'none' }] })).toEqual(['a/rqp'])
    expect(counters({ any: [uses('a'), { anyone: true }] }, { used: { 'a/rqp': 2 } })).toEqual([])
    expect(counters({ if: { anyone: true }, then: uses('a'), else: uses('b') })).toEqual(['a/rqp'])
    expect(counters({ if: { link: 'none' }, then: uses('a'), else: uses('b') })).toEqual(['b/rqp'])
    expect(counters({ if: { purpose: ['TREAT'] }, then: uses('a'), else: uses('b') }, { purpose: undefined })).toEqual(['a/rqp', 'b/rqp'])
    expect(counters({ seq: [uses('a'), uses('b')] })).toEqual(['a/rqp', 'b/rqp'])
    expect(counters({ not: { seq: [{ link: 'none' }, { not: uses('b') }] } })).toEqual(['b/rqp'])
    expect(counters({ not: uses('a') }, { used: { 'a/rqp': 2 } })).toEqual([])
  })

  it('POLICY 4: nobody gets in where nothing permits, where a scope is not offered or a rule cannot be read', () => {
    tried(
      fc.property(anyPolicies(anyCondition({ depth: 1 }), 4), anyThing, anyType, (policies, thing, type) => {
        expect(waysOf({ policies, thing, scope: 'fly', type }, true)).toEqual({ complete: true, ways: [] })
        const onlyLimits = policies.filter(({ effect }) => effect !== 'permit')
        expect(waysOf({ policies: onlyLimits, thing, scope: 'view', type }, true)).toEqual({ complete: true, ways: [] })
        const odd = { ...rule('x', { anyone: true }), v: 2 as 1, effect: 'forbid' as const }
        expect(waysOf({ policies: [...policies, odd], thing, scope: 'view', type }, true)).toEqual({ complete: true, ways: [] })
      }),
    )
  })
})

// Breaking the glass (POLICY 3 and 8d): one way more, only where the type declares it and only for who says that there is an emergency; short,
// loud, and never past what forbids.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../worker/policy/check.ts'
import type { Condition, Policy, ThingType } from '../../worker/policy/policy.ts'
import { who } from '../../worker/policy/who.ts'
import {
  anyCell,
  anyCircumstances,
  anyCondition,
  anyGlass,
  anyPerson,
  inEmergency,
  likelyCell,
  mostProofs,
  openCircumstances,
  withGlass,
} from './arbitraries.ts'
import { type Asked, decided, decision, normal, rule, THING } from './engine.ts'
import { CLAIMS, everyProof, factsOf, NOW, PLAIN } from './people.ts'
import { isAllowed, isTrue } from './reference.ts'
import { RUNS, times, tried } from './runs.ts'

const cells = withGlass(fc.oneof(anyCell(anyCondition({ depth: 2 })), likelyCell(anyCondition({ depth: 2 }))))
const without = (asked: Asked): Asked => ({ ...asked, policies: asked.policies.filter(({ id }) => id !== 'glass') })
const isMedic: Condition = { claim: 'role', eq: 'role-1' }
const glass = (when: Condition = { all: [isMedic, { break_glass: true }] }, more: Partial<Policy> = {}) => rule('glass', when, more)
const declared: ThingType = { type: 'doc', implies: {}, authority: 'owner', break_glass: ['view'] }
const medic = factsOf({ email: 0, role: 1, country: 0, acr: 0, clearance: 0 }, everyProof(['role']))

describe('POLICY 3, break-glass', () => {
  it('POLICY 3: an extra way in, only if the type declares it; whoever is forbidden stays forbidden', () => {
    let broken = 0
    tried(
      fc.property(cells, anyPerson, inEmergency(anyCircumstances), (asked, person, at) => {
        const told = decision(asked, at, factsOf(person, everyProof(CLAIMS)))
        expect(told.value.kind).toBe(String(isAllowed(asked, person, at)))
        if (told.emergency) broken++
      }),
    )
    if (times(RUNS) === RUNS) expect(broken).toBeGreaterThan(100)
  })

  it('POLICY 8d: it ends in a quarter of an hour, is not renewed, not remembered, and told each time; only who had no other way breaks it', () => {
    tried(
      fc.property(cells, anyPerson, mostProofs, inEmergency(openCircumstances), (asked, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const [told, plain] = [decision(asked, at, facts), decision(without(asked), at, facts)]
        expect(told.emergency).toBe(told.value.kind === 'true' && plain.value.kind !== 'true')
        if (!told.emergency || told.value.kind !== 'true') {
          if (plain.value.kind === 'true') expect([told.permits, told.terms]).toEqual([plain.permits, plain.terms])
          return
        }
        expect(told.value.until).toBeLessThanOrEqual(NOW + 900)
        expect(told.permits).toEqual(['glass'])
        expect(told.terms).toMatchObject({ refresh: false, pct: false, notify: 'each' })
        expect(told.terms.rpt_ttl).toBeLessThanOrEqual(900)
      }),
    )
  })

  it('POLICY 8d: who does not say that there is an emergency, or asks for what the type does not declare, does not hear of it', () => {
    tried(
      fc.property(cells, anyPerson, mostProofs, inEmergency(openCircumstances), (asked, person, proofs, at) => {
        if (at.purpose === 'BTG' && asked.type?.break_glass?.includes(asked.scope)) return
        const facts = factsOf(person, proofs)
        expect(normal(decided(asked, at, facts))).toEqual(normal(decided(without(asked), at, facts)))
      }),
    )
  })

  it('POLICY 7 P23: who could open it names the emergency, exactly', () => {
    tried(
      fc.property(cells, anyPerson, inEmergency(anyCircumstances), (asked, person, at) => {
        const { complete, ways } = who({ resource_id: asked.thing.id, scope: asked.scope }, asked.thing, asked.policies, asked.type)
        if (complete) expect(ways.some(({ all }) => all.every((one) => isTrue(one, person, at)))).toBe(isAllowed(asked, person, at))
      }),
    )
  })

  it('POLICY 3: in so many words', () => {
    const ask = (policies: Policy[], type: ThingType | undefined, purpose?: string) =>
      decision({ policies, thing: THING, scope: 'view', type }, { ...PLAIN, purpose }, medic)
    expect(ask([glass()], declared, 'BTG')).toMatchObject({ emergency: true, value: { kind: 'true', until: NOW + 900 } })
    for (const [type, purpose] of [
      [declared, 'TREAT'],
      [declared, undefined],
      [{ ...declared, break_glass: ['edit'] }, 'BTG'],
      [{ ...declared, break_glass: undefined }, 'BTG'],
      [undefined, 'BTG'],
      [{ ...declared, authority: 'org' }, 'BTG'],
    ] as const)
      expect(ask([glass()], type, purpose)).toMatchObject({ emergency: false, value: { kind: 'false' } })
    expect(ask([glass(), rule('f', { client: ['c0'] }, { effect: 'forbid' })], declared, 'BTG').value.kind).toBe('false')
    expect(ask([glass(), rule('r', { client: ['c1'] }, { effect: 'require' })], declared, 'BTG').value.kind).toBe('false')
    expect(ask([glass(), rule('p', { anyone: true })], declared, 'BTG')).toMatchObject({ emergency: false, permits: ['p'] })
    // Where two must agree, one of them is enough in an emergency.
    expect(ask([glass(undefined, { tier: 'org' })], { ...declared, authority: 'both' }, 'BTG').emergency).toBe(true)
    expect(ask([glass(undefined, { tier: 'platform' })], { ...declared, authority: 'either' }, 'BTG').emergency).toBe(false)
  })

  it('POLICY 8d: what could be silent, long, for everybody or something else is not saved, and gives nothing', () => {
    const codes = (when: Condition, more: Partial<Policy> = {}) => checkPolicy(glass(when, more)).map(({ code }) => code)
    const all = (...parts: Condition[]): Condition => ({ all: parts })
    const emergency: Condition = { break_glass: true }
    expect(codes(all(isMedic, emergency), { grant: { rpt_ttl: 300, notify: 'each', refresh: false } })).toEqual([])
    expect(codes(emergency)).toEqual(['break_glass_place', 'break_glass_alone'])
    expect(codes(all(emergency, { anyone: true }))).toEqual(['break_glass_alone'])
    expect(codes(all(emergency, { any: [isMedic, { anyone: true }] }))).toEqual(['break_glass_alone'])
    expect(codes(all(isMedic, emergency, emergency))).toEqual(['break_glass_place'])
    expect(codes(all(isMedic, { any: [emergency, { client: ['c'] }] }))).toEqual(['break_glass_place'])
    expect(codes(all(isMedic, { not: emergency }))).toContain('break_glass_place')
    expect(codes(all(isMedic, emergency), { effect: 'require' })).toContain('break_glass_place')
    expect(codes(all(isMedic, emergency), { effect: 'forbid' })).toContain('break_glass_place')
    for (const grant of [{ rpt_ttl: 901 }, { refresh: true }, { pct: true }, { notify: 'first' as const }, { notify: 'never' as const }])
      expect(codes(all(isMedic, emergency), { grant })).toEqual(['bad_terms'])
    for (const effect of ['forbid', 'require'] as const)
      expect(
        decided(
          {
            policies: [rule('p', { anyone: true }), rule('x', { not: emergency }, { effect })],
            thing: THING,
            scope: 'view',
            type: declared,
          },
          { ...PLAIN, purpose: 'TREAT' },
          medic,
        ).kind,
      ).toBe('false')
    tried(
      fc.property(anyGlass, (one) => {
        if (checkPolicy(one).length === 0) expect(codes({ not: one.when })).not.toEqual([])
      }),
    )
  })
})

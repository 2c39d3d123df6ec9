// Rules together: what forbids wins, what is required must hold, whose permit counts, and which things and scopes a rule speaks of.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Authority, Condition, Policy, ThingType } from '../../worker/policy/policy.ts'
import {
  anyAuthority,
  anyCell,
  anyCircumstances,
  anyCondition,
  anyPerson,
  anyPolicies,
  anyPolicy,
  anyProofs,
  mostProofs,
  openCircumstances,
} from './arbitraries.ts'
import { type Asked, aboutNeed, alternatives, decided, decision, judged, needKey, rule, THING } from './engine.ts'
import { CLAIMS, everyProof, factsOf, PLAIN } from './people.ts'
import { isAbout, isAllowed, isOf, isTrue } from './reference.ts'
import { CORE, tried } from './runs.ts'

/** How much is given: false, unknown, true. */
const RANK = { false: 0, unknown: 1, true: 2 } as const

const anyWhen = anyCondition({ depth: 1 })
const everything = { target: { all: true }, scopes: '*' } as const
const anyone: Condition = { anyone: true }
const typeWith = (authority: Authority, implies: ThingType['implies'] = {}): ThingType => ({ type: 'doc', implies, authority })
const ask = (policies: readonly Policy[], more: Partial<Asked> = {}): Asked => ({
  policies,
  thing: THING,
  scope: 'view',
  type: undefined,
  ...more,
})

describe('POLICY 7: rules together', () => {
  it('POLICY 7 P9: one rule that forbids is enough, whatever permits', () => {
    const anyForbid = anyPolicy(anyWhen, { effect: 'forbid', ...everything })
    tried(
      fc.property(anyCell(anyWhen), anyForbid, anyPerson, mostProofs, openCircumstances, (asked, forbid, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        fc.pre(judged(forbid.when, at, facts).kind === 'true')
        const policies = [...asked.policies, forbid]
        expect(decided({ ...asked, policies }, at, facts)).toEqual({ kind: 'false' })
      }),
    )
  })

  it('POLICY 7 P9b: a rule that forbids under a condition denies where it holds, and does nothing where it does not', () => {
    const anyForbid = anyPolicy(anyCondition({ depth: 1, circumstances: false }), { effect: 'forbid', ...everything })
    tried(
      fc.property(anyCell(anyWhen), anyForbid, anyPerson, anyCircumstances, (asked, forbid, person, at) => {
        const facts = factsOf(person, everyProof(CLAIMS))
        const value = decided({ ...asked, policies: [forbid, ...asked.policies] }, at, facts)
        const without = decided(asked, at, facts)
        expect(value.kind).toBe(isTrue(forbid.when, person, at) ? 'false' : without.kind)
      }),
    )
  })

  it('POLICY 7 P10: to forbid or to require more never gives more, to permit more never gives less', () => {
    tried(
      fc.property(anyCell(anyWhen), anyPolicy(anyWhen), anyPerson, mostProofs, openCircumstances, (asked, more, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const before = RANK[decided(asked, at, facts).kind]
        const after = RANK[decided({ ...asked, policies: [...asked.policies, more] }, at, facts).kind]
        if (more.effect === 'permit') expect(after).toBeGreaterThanOrEqual(before)
        else expect(after).toBeLessThanOrEqual(before)
      }),
    )
  })

  it('POLICY 7 P11: an empty list is false in every form, and lifts nothing: nothing demanded never means permitted', () => {
    const lists = ['all', 'any', 'seq', 'purpose', 'client', 'client_trust'].map((name) => ({ [name]: [] }))
    const claims = [{ in: [] }, { covers: [] }, { eq: 'email-0', iss: [] }].map((test) => ({ claim: 'email', ...test }))
    const odd = [{ context: 'place', in: [] }, {}, { colour: 'green' }, { anyone: false }, { all: [], anyone: true }, { claim: 'email' }]
    const facts = factsOf({ email: 0, role: 0, country: 0, acr: 0, clearance: 2 }, everyProof(CLAIMS))
    for (const when of [...lists, ...claims, ...odd] as unknown as Condition[])
      for (const form of [
        when,
        { not: when },
        { all: [when, anyone] },
        { seq: [anyone, when] },
        { if: when, then: anyone, else: anyone },
      ] as Condition[]) {
        const told = [
          decision(ask([rule('p', form)]), PLAIN, facts),
          decision(ask([rule('all', anyone), rule('p', form, { effect: 'forbid' })]), PLAIN, facts),
          decision(ask([rule('all', anyone), rule('p', form, { effect: 'require' })]), PLAIN, facts),
        ]
        expect(told.map(({ value, failed }) => [value.kind, failed])).toEqual(told.map(() => ['false', ['p']]))
      }
  })

  it('POLICY 7 P11: without a rule that permits the answer is no', () => {
    const noPermits = fc.constantFrom<Policy['effect']>('forbid', 'require').chain((effect) => anyPolicies(anyWhen, 4, { effect }))
    tried(
      fc.property(noPermits, anyPerson, mostProofs, openCircumstances, anyAuthority, (policies, person, proofs, at, authority) => {
        expect(decided(ask(policies, { type: typeWith(authority) }), at, factsOf(person, proofs))).toEqual({ kind: 'false' })
      }),
    )
  })

  it('POLICY 7 P11: the order of rules changes nothing', () => {
    tried(
      fc.property(anyCell(anyWhen), anyPerson, mostProofs, openCircumstances, (asked, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const value = decided(asked, at, facts)
        const other = decided({ ...asked, policies: [...asked.policies].reverse() }, at, facts)
        expect(other.kind).toBe(value.kind)
        if (value.kind === 'true') expect(other).toEqual(value)
      }),
    )
  })

  it('POLICY 7 P12: a rule about another thing or another scope changes nothing', () => {
    tried(
      fc.property(anyCell(anyWhen), anyPerson, mostProofs, openCircumstances, (asked, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const policies = asked.policies.filter((one) => isAbout(one, asked.thing) && isOf(one, asked.scope, asked.type))
        fc.pre(policies.length < asked.policies.length)
        expect(decided(asked, at, facts)).toEqual(decided({ ...asked, policies }, at, facts))
      }),
    )
  })

  it('POLICY 7 P13: while it is not known whether a rule forbids, the answer is not yes', () => {
    const anyForbid = anyPolicy(anyWhen, { effect: 'forbid', ...everything })
    tried(
      fc.property(anyCell(anyWhen), anyForbid, anyPerson, mostProofs, openCircumstances, (asked, forbid, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const permit = rule('all', anyone, { tier: asked.type?.authority === 'org' ? 'org' : 'owner' })
        fc.pre(judged(forbid.when, at, facts).kind === 'unknown')
        expect(decided({ ...asked, policies: [permit, forbid, ...asked.policies] }, at, facts).kind).not.toBe('true')
      }),
    )
  })

  it('POLICY 7 P13: a proof that could refute what forbids is asked for, together with what could permit', () => {
    const permit = rule('p', { claim: 'email', eq: 'email-0' })
    const forbid = rule('f', { claim: 'role', eq: 'role-0' }, { effect: 'forbid' })
    expect(alternatives(decided(ask([permit, forbid]), PLAIN, []))).toEqual(['email from anyone in any s + role from anyone in any s'])
  })

  it('POLICY 7 P21: a rule about a folder speaks of what lies in it, however deep, if it says so', () => {
    const lines = fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e'], { minLength: 1 })
    tried(
      fc.property(lines, fc.nat(5), fc.option(fc.boolean(), { nil: undefined }), (line, place, descend) => {
        const [id = '', ...ancestors] = line
        const about = line[place] ?? 'elsewhere'
        const target = { resources: ['x', about], ...(descend !== undefined && { descend }) }
        const { kind } = decided(ask([rule('p', anyone, { target })], { thing: { ...THING, id, ancestors } }), PLAIN, [])
        expect(kind).toBe(String(about === id || (descend === true && ancestors.includes(about))))
      }),
    )
  })

  it('POLICY 7 P22: everybody has a say in what is forbidden or required, the platform none in what is permitted', () => {
    const tiers = fc.constantFrom<Policy['tier']>('owner', 'org', 'platform')
    const permits = [rule('p1', anyone), rule('p2', anyone, { tier: 'org' })]
    tried(
      fc.property(tiers, anyAuthority, anyCondition({ depth: 1 }), anyPerson, anyCircumstances, (tier, authority, when, person, at) => {
        const facts = factsOf(person, everyProof(CLAIMS))
        const asks = (...policies: Policy[]) => decided(ask(policies, { type: typeWith(authority) }), at, facts).kind
        const holds = isTrue(when, person, at)
        expect(asks(...permits, rule('r', when, { tier, effect: 'forbid' }))).toBe(String(!holds))
        expect(asks(...permits, rule('r', when, { tier, effect: 'require' }))).toBe(String(holds))
        expect(asks(rule('r', when, { tier }))).toBe(
          String(holds && (authority === tier || (authority === 'either' && tier !== 'platform'))),
        )
      }),
    )
  })

  it('POLICY 7 P22: whose permit counts is for the type of the thing to say', () => {
    const permits = anyPolicies(anyWhen, 5, { effect: 'permit', ...everything })
    tried(
      fc.property(permits, anyAuthority, anyPerson, anyCircumstances, (policies, authority, person, at) => {
        const facts = factsOf(person, everyProof(CLAIMS))
        const by = (tier: Policy['tier']): boolean => policies.some((one) => one.tier === tier && isTrue(one.when, person, at))
        const expected = { owner: by('owner'), org: by('org'), both: by('owner') && by('org'), either: by('owner') || by('org') }
        const type = typeWith(authority)
        expect(decided(ask(policies, { type }), at, facts).kind).toBe(String(expected[authority]))
      }),
    )
  })

  it('POLICY 7 P22: with both, what either of them asks for is asked for, the organisation first', () => {
    const policies = [rule('p1', { claim: 'email', eq: 'email-0' }), rule('p2', { claim: 'role', eq: 'role-0' }, { tier: 'org' })]
    const asks = (authority: Authority) => alternatives(decided(ask(policies, { type: typeWith(authority) }), PLAIN, []), aboutNeed)
    expect([asks('both'), asks('either'), asks('owner'), asks('org')]).toEqual([['role'], ['email', 'role'], ['email'], ['role']])
    const shown = factsOf({ email: 0, role: 0, country: 0, acr: 0, clearance: 0 }, everyProof(['role']))
    expect(alternatives(decided(ask(policies, { type: typeWith('both') }), PLAIN, shown), aboutNeed)).toEqual(['email'])
  })

  it('WG 2016-12-15: while something has to be shown for the organisation, nothing that the owner wants is told; she is asked last all the same', () => {
    const limits = (tier: Policy['tier']) =>
      fc.constantFrom<Policy['effect']>('require', 'forbid').chain((effect) => anyPolicies(anyWhen, 2, { tier, effect, ...everything }))
    const own = anyPolicies(anyWhen, 2, { tier: 'owner', effect: 'permit', ...everything })
    tried(
      fc.property(
        own,
        limits('org'),
        limits('platform'),
        anyPerson,
        anyProofs,
        anyCircumstances,
        (mine, org, platform, person, proofs, at) => {
          const facts = factsOf(person, proofs)
          const value = (policies: readonly Policy[]) => decided(ask(policies), at, facts)
          const [all, theirs, owners] = [
            value([...mine, ...org, ...platform]),
            value([rule('p', anyone), ...org, ...platform]),
            value(mine),
          ]
          fc.pre(theirs.kind === 'unknown' && owners.kind === 'unknown')
          const isProofWanted = theirs.kind === 'unknown' && theirs.needs.some((set) => set.some(({ kind }) => kind !== 'ask'))
          if (isProofWanted) expect(alternatives(all)).toEqual(alternatives(theirs))
          else if (all.kind === 'unknown' && owners.kind === 'unknown') {
            const asked = new Set(all.needs.flat().map(needKey))
            for (const need of owners.needs.flat()) expect(asked).toContain(needKey(need))
          }
        },
      ),
    )
  })

  it('POLICY 2: a permit gives what its scopes bring along; what is forbidden is so by each scope that would bring it along', () => {
    const circle = typeWith('owner', { edit: ['print'], print: ['view'], view: ['edit'] })
    const short = typeWith('owner', { edit: ['view'] })
    const kinds = (policies: Policy[], type: ThingType | undefined) =>
      ['view', 'edit', 'print'].map((scope) => decided(ask(policies, { scope, type }), PLAIN, []).kind)
    const edit = rule('p', anyone, { scopes: ['edit'] })
    expect(kinds([edit], undefined)).toEqual(['false', 'true', 'false'])
    expect(kinds([edit], short)).toEqual(['true', 'true', 'false'])
    expect(kinds([edit], circle)).toEqual(['true', 'true', 'true'])
    expect(kinds([rule('p', anyone, { scopes: [] })], circle)).toEqual(['false', 'false', 'false'])
    for (const limit of [
      { effect: 'forbid', when: { anyone: true } },
      { effect: 'require', when: { link: 'none' } },
    ] as const) {
      const taking = (scope: string, type: ThingType | undefined) =>
        kinds([rule('p', anyone), { ...rule('r', anyone), scopes: [scope], ...limit }], type)
      expect(taking('view', undefined)).toEqual(['false', 'true', 'true'])
      expect(taking('view', short)).toEqual(['false', 'false', 'true'])
      expect(taking('edit', short)).toEqual(['true', 'false', 'true'])
      expect(taking('print', circle)).toEqual(['false', 'false', 'false'])
    }
  })

  it('POLICY 3: what is decided is what the reference decides, for every tier, target, scope and type', () => {
    tried(
      fc.property(anyCell(anyCondition({ depth: 0 })), anyPerson, anyCircumstances, (asked, person, at) => {
        expect(decided(asked, at, factsOf(person, everyProof(CLAIMS))).kind).toBe(String(isAllowed(asked, person, at)))
      }),
      CORE,
    )
  })
})

// A whole ticket: nothing is given that was not asked for, nothing is told to those who get nothing.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assessCells, type Outcome, type Rulebook } from '../../worker/policy/assess.ts'
import type { Policy } from '../../worker/policy/policy.ts'
import { requestedScopes } from '../../worker/policy/scopes.ts'
import {
  aboutClaim,
  anyCondition,
  anyPerson,
  anyPolicies,
  anyPolicy,
  anyTarget,
  mostProofs,
  openCircumstances,
  SCOPES,
} from './arbitraries.ts'
import { rule, THING } from './engine.ts'
import { CLAIMS, type Claim, everyProof, factsOf, PLAIN, type Proof, worldOf } from './people.ts'
import { tried } from './runs.ts'
import { anyTicket, assessed, given, THINGS, ticket } from './tickets.ts'

describe('POLICY 7: a ticket', () => {
  it('POLICY 7 P12: what is decided about one cell is the same alone and in company', () => {
    const policies = anyPolicies(anyCondition({ depth: 1 }), 5)
    tried(
      fc.property(policies, anyTicket, anyPerson, mostProofs, openCircumstances, (rules, asked, person, proofs, at) => {
        const whole = assessed(asked, rules, at, person, proofs)
        const alone = asked.flatMap(({ resource_id, fromTicket }) =>
          fromTicket.map((scope) => assessed([ticket(resource_id, scope)], rules, at, person, proofs)),
        )
        const held =
          whole.kind === 'need_info' || whole.kind === 'ask' ? { ...whole, kind: 'granted' as const, cells: whole.granted } : whole
        expect(held.kind === 'granted' ? given(held as Outcome) : []).toEqual(alone.flatMap(given))
        const open = alone.some(({ kind }) => kind === 'need_info' || kind === 'ask')
        expect(whole.kind === 'need_info' || whole.kind === 'ask').toBe(open)
      }),
    )
  })

  it("POLICY 7 P12: the owner's answer about one scope says nothing about another", () => {
    const answers = fc.dictionary(
      fc.constantFrom('q0 view', 'q0 edit', 'q0'),
      fc.record({ given: fc.boolean(), until: fc.constant(PLAIN.now + 9) }),
    )
    const ask: Policy['when'] = { ask: 'q0' }
    const shut: Policy['when'] = { link: 'none' }
    const asks = fc.constantFrom<Policy['when']>(
      ask,
      { all: [ask, { link: 'l0' }] },
      { not: { not: ask } },
      { any: [shut, ask] },
      { if: { link: 'l0' }, then: ask, else: shut },
      { if: shut, then: shut, else: ask },
      { if: ask, then: { anyone: true }, else: shut },
    )
    tried(
      fc.property(answers, asks, anyPerson, (told, when, person) => {
        const at = { ...PLAIN, answers: told }
        const outcome = assessed([ticket('t0', 'view', 'edit')], [rule('p', when)], at, person, [])
        const values = ['view', 'edit'].map((scope) => told[`q0 ${scope}`] ?? told.q0)
        const open = values.filter((value) => value === undefined).length
        expect(outcome.kind).toBe(open > 0 ? 'ask' : values.some((value) => value?.given) ? 'granted' : 'denied')
        if (outcome.kind === 'ask') expect(outcome.cells).toHaveLength(open)
        if (outcome.kind === 'granted') expect(given(outcome)).toEqual(['t0 view', 't0 edit'].filter((_, n) => values[n]?.given))
      }),
    )
  })

  it('POLICY 7 P15: nothing is given but what the ticket or a registered client asked for, and what the thing offers', () => {
    const scopes = fc.subarray([...SCOPES, 'fly'])
    const policies = anyPolicies(anyCondition({ depth: 1 }), 5)
    tried(
      fc.property(
        policies,
        anyTicket,
        scopes,
        scopes,
        anyPerson,
        mostProofs,
        openCircumstances,
        (rules, wanted, mine, also, person, proofs, at) => {
          const named = wanted.map(({ resource_id, resource_scopes }) => ({ resource_id, resource_scopes: [...resource_scopes] }))
          const { cells } = requestedScopes(named, (id) => THINGS[id]?.scopes ?? [], mine, also)
          for (const one of given(assessed(cells, [rule('all', { anyone: true }), ...rules], at, person, proofs))) {
            const [id = '', scope = ''] = one.split(' ')
            expect(THINGS[id]?.scopes).toContain(scope)
            const isOfTicket = wanted.some(({ resource_id, fromTicket }) => resource_id === id && fromTicket.includes(scope))
            expect(isOfTicket || (mine.includes(scope) && also.includes(scope))).toBe(true)
          }
        },
      ),
    )
  })

  it('POLICY 7 P15: a permission without scopes gives nothing, and what is given is never empty', () => {
    tried(
      fc.property(
        anyTicket,
        anyPolicies(anyCondition({ depth: 1 }), 4),
        anyPerson,
        mostProofs,
        openCircumstances,
        (asked, rules, person, proofs, at) => {
          const all = [rule('all', { anyone: true }), ...rules]
          expect(assessed([ticket('t0'), ticket('t1')], all, at, person, proofs)).toEqual({ kind: 'denied' })
          expect(assessed([], all, at, person, proofs)).toEqual({ kind: 'denied' })
          const outcome = assessed([...asked, ticket('t1')], all, at, person, proofs)
          if (outcome.kind !== 'granted') return
          expect(outcome.cells.length).toBeGreaterThan(0)
          for (const { resource_scopes } of outcome.cells) expect(resource_scopes.length).toBeGreaterThan(0)
        },
      ),
    )
  })

  it('POLICY 7 P16: no rule, a rule that is not met, a rule that forbids and a thing that is not there look alike', () => {
    const anyForbid = anyPolicy(fc.constant<Policy['when']>({ anyone: true }), { effect: 'forbid', target: { all: true }, scopes: '*' })
    const pairs = fc.tuple(
      fc.constantFrom(...CLAIMS).chain((claim) => aboutClaim(claim, false)),
      anyPerson,
    )
    tried(
      fc.property(pairs, anyForbid, anyTarget, anyTicket, ([test, person], forbid, target, asked) => {
        const value = person[test.claim as Claim]
        const other = { ...person, [test.claim]: value }
        const proofs = everyProof([test.claim as Claim])
        const refused = [
          assessed(asked, [], PLAIN, other, proofs),
          assessed(asked, [rule('p', { all: [test, { link: 'another' }] })], PLAIN, other, proofs),
          assessed(asked, [rule('p', { anyone: true }, { target }), forbid], PLAIN, other, proofs),
          assessed([ticket('t9', 'view')], [rule('p', { anyone: true })], PLAIN, other, proofs),
          assessed([ticket('t0', 'fly')], [rule('p', { anyone: true })], PLAIN, other, proofs),
        ]
        for (const one of refused) expect(one).toStrictEqual({ kind: 'denied' })
      }),
    )
  })

  it("POLICY 3: the specification's own example: nothing shown, Bob, Carol, no scopes", () => {
    const things = ['photo1', 'photo2', 'album'].map((id) => ({ ...THING, id, scopes: ['view', 'edit', 'download'], ancestors: [] }))
    const book: Rulebook = {
      thing: (id) => things.find((one) => one.id === id),
      rules: () => [rule('p', { claim: 'email', eq: 'email-0' }, { target: { resources: ['photo1'] }, scopes: ['view'] })],
      type: () => undefined,
    }
    const asked = [ticket('album', 'edit'), ticket('photo1', 'view'), ticket('photo2', 'view')]
    const outcome = (email: number, proofs: Proof[], cells = asked) =>
      assessCells(cells, book, worldOf(PLAIN, factsOf({ email, role: 0, country: 0, acr: 0, clearance: 0 }, proofs)))
    expect(outcome(0, [])).toMatchObject({ kind: 'need_info', needs: [{ kind: 'claim', claim: 'email' }], granted: [] })
    expect(given(outcome(0, everyProof(['email'])))).toEqual(['photo1 view'])
    expect(outcome(1, everyProof(['email']))).toEqual({ kind: 'denied' })
    expect(outcome(0, everyProof(['email']), [ticket('photo1')])).toEqual({ kind: 'denied' })
  })
})

// What is asked for next: the cheapest way, the owner last, and no more rounds than there are claims before the truth is told.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AskedCell, assessCells } from '../../worker/policy/assess.ts'
import type { Policy } from '../../worker/policy/policy.ts'
import type { Need } from '../../worker/policy/value.ts'
import { anyCircumstances, anyCondition, anyPerson, anyPolicies, anyProofs, openCircumstances } from './arbitraries.ts'
import { aboutNeed, alternatives, decided, rule, THING } from './engine.ts'
import { type Circumstances, CLAIMS, type Claim, everyProof, factsOf, type Person, PLAIN, type Proof, worldOf } from './people.ts'
import { isAllowed } from './reference.ts'
import { CORE, tried } from './runs.ts'
import { anyTicket, assessed, bookOf, given, THINGS, ticket } from './tickets.ts'

const anyCosts = fc.tuple(...CLAIMS.map(() => fc.nat(40))).map((all) => Object.fromEntries(CLAIMS.map((claim, n) => [claim, all[n] ?? 0])))

const cost = (needs: readonly Need[], costs: Readonly<Record<string, number>>): number =>
  needs.reduce((sum, need) => sum + (need.kind === 'claim' ? (costs[need.claim] ?? 10) : need.kind === 'purpose' ? 1 : 1e6), 0)

/** Shows what is asked for, as somebody who tells the truth, until there is an end. */
const negotiated = (asked: readonly AskedCell[], policies: readonly Policy[], person: Person, at: Circumstances) => {
  const shown: Proof[] = []
  let known: Circumstances = { ...at, purpose: undefined, answers: {} }
  for (let rounds = 1; rounds < 100; rounds++) {
    const outcome = assessed(asked, policies, known, person, shown)
    if (outcome.kind === 'granted' || outcome.kind === 'denied') return { outcome, rounds, shown }
    const before = JSON.stringify([shown, known])
    if (outcome.kind === 'ask')
      known = {
        ...known,
        answers: { ...known.answers, ...Object.fromEntries(outcome.keys.map((key) => [key, at.answers[key]])) },
      } as Circumstances
    else
      for (const need of outcome.needs) {
        if (need.kind === 'purpose') known = { ...known, purpose: at.purpose }
        else shown.push({ claim: need.claim as Claim, iss: need.iss?.[0] ?? 'i1', age: 0, left: 1000 })
      }
    if (JSON.stringify([shown, known]) === before) expect.fail(`asked for nothing new: ${JSON.stringify(outcome)}`)
  }
  return expect.fail('no end')
}

describe('POLICY 7: asking', () => {
  it('POLICY 7 P6b: the cheapest way is asked for', () => {
    const anyTests = fc.array(anyCondition({ depth: 2, terms: false }), { minLength: 1, maxLength: 3 })
    tried(
      fc.property(anyTests, anyPerson, anyProofs, openCircumstances, anyCosts, (whens, person, proofs, at, costs) => {
        const policies = whens.map((when, n) => rule(`p${n}`, when))
        const facts = factsOf(person, proofs)
        const outcome = assessCells([ticket('t0', 'view')], bookOf(policies), worldOf(at, facts), { costs })
        const value = decided({ policies, thing: THING, scope: 'view', type: undefined }, at, facts)
        if (value.kind !== 'unknown') {
          expect(['granted', 'denied']).toContain(outcome.kind)
          return
        }
        const cheapest = Math.min(...value.needs.map((set) => cost(set, costs)))
        const best = value.needs.filter((set) => cost(set, costs) === cheapest)
        if (outcome.kind === 'ask')
          expect(best.map((set) => set.map(aboutNeed).sort())).toContainEqual(outcome.keys.map((key) => `answer ${key}`).sort())
        else if (outcome.kind === 'need_info') {
          const asks = best.map((set) =>
            set
              .filter(({ kind }) => kind !== 'ask')
              .map(aboutNeed)
              .sort(),
          )
          expect(asks).toContainEqual(outcome.needs.map(aboutNeed).sort())
          expect(outcome.alternatives[0]).toEqual(outcome.needs)
        } else expect.fail(outcome.kind)
      }),
    )
  })

  it('POLICY 7 P6b: for several cells together the cheapest way that could settle all of them', () => {
    const conditions = fc.tuple(...[1, 2].map(() => anyCondition({ depth: 2, terms: false, circumstances: false })))
    tried(
      fc.property(conditions, anyPerson, fc.subarray([...CLAIMS]), anyCosts, ([one, other], person, shown, costs) => {
        if (one === undefined || other === undefined) return
        const policies = [rule('p', one, { scopes: ['view'] }), rule('q', other, { scopes: ['edit'] })]
        const facts = factsOf(person, everyProof(shown))
        const outcome = assessCells([ticket('t0', 'view', 'edit')], bookOf(policies), worldOf(PLAIN, facts), { costs })
        const values = ['view', 'edit'].map((scope) => decided({ policies, thing: THING, scope, type: undefined }, PLAIN, facts))
        const ways = values
          .flatMap((value) => (value.kind === 'unknown' ? [value.needs.map((set) => set.map(aboutNeed))] : []))
          .reduce((all, sets) => all.flatMap((left) => sets.map((right) => [...new Set([...left, ...right])])), [[]] as string[][])
        const price = (claims: readonly string[]): number => claims.reduce((sum, claim) => sum + (costs[claim] ?? 10), 0)
        const asked = outcome.kind === 'need_info' ? outcome.needs.map(aboutNeed) : []
        expect(price(asked)).toBe(Math.min(...ways.map(price)))
        expect(ways.map((way) => [...way].sort().join())).toContain([...asked].sort().join())
      }),
    )
  })

  it('POLICY 7 P6b: what has no price costs ten, a purpose one; of equal prices fewer proofs', () => {
    const asks = (any: Policy['when'][], costs = {}) => {
      const outcome = assessCells([ticket('t0', 'view')], bookOf([rule('p', { any })]), worldOf({ ...PLAIN, purpose: undefined }, []), {
        costs,
      })
      return outcome.kind === 'need_info' ? outcome.alternatives.map((set) => set.map(aboutNeed).join(' + ')) : []
    }
    const claim = (name: string): Policy['when'] => ({ claim: name, eq: 'x' })
    expect(asks([claim('b'), claim('a')])).toEqual(['a', 'b'])
    expect(asks([claim('a'), claim('b')], { a: 11 })).toEqual(['b', 'a'])
    expect(asks([claim('a'), claim('b')], { b: 9 })).toEqual(['b', 'a'])
    expect(asks([claim('a'), { purpose: ['TREAT'] }], { a: 1.5 })).toEqual(['purpose', 'a'])
    expect(asks([claim('a'), { purpose: ['TREAT'] }], { a: 0.5 })).toEqual(['a', 'purpose'])
    expect(asks([{ all: [claim('a'), claim('b')] }, claim('z')], { a: 5, b: 5, z: 10 })).toEqual(['z', 'a + b'])
    expect(asks([{ all: [claim('a'), claim('b')] }, claim('z')], { a: 5, b: 4, z: 10 })).toEqual(['a + b', 'z'])
    expect(asks([claim('toString'), claim('a')], { a: 11 })).toEqual(['toString', 'a'])
  })

  it('POLICY 7 P7: asking ends after at most one round for each claim and one more, at the truth', () => {
    const policies = anyPolicies(anyCondition({ depth: 2, terms: false, circumstances: false }), 4, { target: { all: true } })
    tried(
      fc.property(policies, anyTicket, anyPerson, (rules, asked, person) => {
        const { outcome, rounds, shown } = negotiated(asked, rules, person, PLAIN)
        const cells = asked.flatMap(({ resource_id, fromTicket }) => fromTicket.map((scope) => ({ resource_id, scope })))
        const allowed = cells.filter(({ resource_id, scope }) =>
          isAllowed({ policies: rules, thing: THINGS[resource_id] ?? THING, scope, type: undefined }, person, PLAIN),
        )
        expect(given(outcome)).toEqual(allowed.map(({ resource_id, scope }) => `${resource_id} ${scope}`))
        expect(rounds).toBeLessThanOrEqual(CLAIMS.length + 1)
        expect(new Set(shown.map(({ claim }) => claim)).size).toBe(shown.length)
      }),
      CORE,
    )
  })

  it('POLICY 7 P7: also where terms, purposes and answers of the owner come in', () => {
    const policies = anyPolicies(anyCondition({ depth: 2 }), 4, { target: { all: true } })
    tried(
      fc.property(policies, anyTicket, anyPerson, anyCircumstances, (rules, asked, person, at) => {
        const { outcome } = negotiated(asked, rules, person, at)
        const allowed = asked.flatMap(({ resource_id, fromTicket }) => {
          const thing = THINGS[resource_id] ?? THING
          return fromTicket
            .filter((scope) => isAllowed({ policies: rules, thing, scope, type: undefined }, person, at))
            .map((one) => `${thing.id} ${one}`)
        })
        expect(given(outcome)).toEqual(allowed)
      }),
    )
  })

  it('POLICY 7 P17: the owner is asked last, when nobody else could settle it', () => {
    const whens = fc.array(anyCondition({ depth: 2, terms: false }), { minLength: 1, maxLength: 3 })
    tried(
      fc.property(whens, fc.nat(2), anyPerson, anyProofs, openCircumstances, (rules, index, person, proofs, at) => {
        // One of the rules also wants the owner's answer.
        const policies = rules.map((when, n) => rule(`p${n}`, n === index ? { all: [when, { ask: 'q9' }] } : when))
        const outcome = assessed([ticket('t0', 'view')], policies, at, person, proofs)
        const value = decided({ policies, thing: THING, scope: 'view', type: undefined }, at, factsOf(person, proofs))
        const sets = alternatives(value, aboutNeed).map((set) => set.split(' + '))
        const isAsk = (need: string): boolean => need.startsWith('answer ')
        if (outcome.kind === 'need_info') expect(outcome.alternatives.flat().map(aboutNeed).filter(isAsk)).toEqual([])
        if (outcome.kind !== 'ask') return
        expect(sets.filter((set) => !set.some(isAsk))).toEqual([])
        expect(sets.map((set) => [...set].sort())).toContainEqual(outcome.keys.map((key) => `answer ${key}`).sort())
        expect(outcome.cells).toEqual([{ resource_id: 't0', scope: 'view' }])
      }),
    )
  })

  it('POLICY 7 P17: first the proof, then the answer; a proof that does not fit asks nobody', () => {
    const policies = [rule('p', { all: [{ ask: 'q9' }, { claim: 'email', eq: 'email-0' }] })]
    const person = { email: 0, role: 0, country: 0, acr: 0, clearance: 0 }
    const kinds = (who: Person, proofs: Proof[]) => assessed([ticket('t0', 'view')], policies, PLAIN, who, proofs)
    expect(kinds(person, [])).toMatchObject({ kind: 'need_info', needs: [{ claim: 'email' }] })
    expect(kinds(person, everyProof(['email']))).toMatchObject({ kind: 'ask', keys: ['q9'] })
    expect(kinds({ ...person, email: 1 }, everyProof(['email']))).toEqual({ kind: 'denied' })
  })
})

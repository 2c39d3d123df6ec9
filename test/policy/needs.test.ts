// What is asked for: no less than what could settle the matter, and nothing that is known, too much or not yet due.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Condition } from '../../worker/policy/policy.ts'
import type { Need } from '../../worker/policy/value.ts'
import { aboutClaim, anyCircumstances, anyCondition, anyPerson, anyProofs, claimsIn, openCircumstances, readOnce } from './arbitraries.ts'
import { aboutNeed, alternatives, judged } from './engine.ts'
import { CLAIMS, type Claim, everyProof, factsOf, type Person, PLAIN, peopleWho } from './people.ts'
import { isTrue } from './reference.ts'
import { CORE, tried } from './runs.ts'

const subsets = <T>(all: readonly T[]): T[][] =>
  all.length === 0 ? [[]] : subsets(all.slice(1)).flatMap((set) => [set, [...all.slice(0, 1), ...set]])

const isPart = <T>(small: readonly T[], large: readonly T[]): boolean => small.every((one) => large.includes(one))

/** Smallest sets of unknown claims for which some values make the condition true whatever the other unknown claims are. By trying everybody. */
const bestCases = (condition: Condition, person: Person, open: readonly Claim[]): Claim[][] => {
  const everybody = peopleWho(person, open).map((one) => ({ one, isTrue: isTrue(condition, one, PLAIN) }))
  const isSettledBy = (claims: Claim[]): boolean => {
    const disappointed = new Set<string>()
    const all = new Set<string>()
    for (const { one, isTrue } of everybody) {
      const shown = claims.map((claim) => one[claim]).join()
      all.add(shown)
      if (!isTrue) disappointed.add(shown)
    }
    return disappointed.size < all.size
  }
  const enough = subsets(open).filter(isSettledBy)
  return enough.filter((set) => !enough.some((other) => other.length < set.length && isPart(other, set)))
}

const anyOrder = fc.shuffledSubarray([...CLAIMS], { minLength: 2, maxLength: 5 })
const testsOf = (claims: readonly Claim[], terms = true) => fc.tuple(...claims.map((claim) => aboutClaim(claim, terms)))
const anyTests = anyOrder.chain((claims) => testsOf(claims))

describe('POLICY 7: needs', () => {
  it('POLICY 7 P5: no alternative makes another superfluous, and none holds what is known', () => {
    tried(
      fc.property(anyCondition({ depth: 2 }), anyPerson, anyProofs, openCircumstances, (condition, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const value = judged(condition, at, facts)
        fc.pre(value.kind === 'unknown')
        const sets = value.kind === 'unknown' ? value.needs : []
        expect(sets.length).toBeGreaterThan(0)
        const isKnown = (need: Need): boolean => {
          if (need.kind === 'purpose') return at.purpose !== undefined
          if (need.kind === 'ask') return need.key in at.answers
          const { claim, iss, max_age = Number.POSITIVE_INFINITY } = need
          return facts.some(
            (fact) =>
              fact.claim === claim &&
              (iss ?? [fact.iss]).includes(fact.iss) &&
              fact.exp > at.now &&
              fact.iat <= at.now + 60 &&
              at.now - fact.iat < max_age,
          )
        }
        expect(sets.flat().filter(isKnown)).toEqual([])
        const keys = alternatives(value).map((set) => set.split(' + '))
        const isSuperfluous = (set: string[]): boolean => keys.some((other) => other !== set && isPart(other, set))
        expect(keys.filter(isSuperfluous)).toEqual([])
        expect(sets.filter((set) => set.length === 0)).toEqual([])
      }),
      CORE,
    )
  })

  it('POLICY 7 P6: alternatives are exactly the smallest sets of claims that could be enough', () => {
    tried(
      fc.property(readOnce(), anyPerson, fc.subarray([...CLAIMS]), (condition, person, shown) => {
        const value = judged(condition, PLAIN, factsOf(person, everyProof(shown)))
        const open = claimsIn(condition).filter((claim) => !shown.includes(claim))
        const best = bestCases(condition, person, open)
        const kind = best.length === 0 ? 'false' : best.some((set) => set.length === 0) ? 'true' : 'unknown'
        expect(value.kind).toBe(kind)
        if (kind === 'unknown') expect(alternatives(value, aboutNeed)).toEqual(best.map((set) => [...set].sort().join(' + ')).sort())
      }),
      CORE,
    )
  })

  it('POLICY 7 P6: a need tells who may vouch and how fresh the proof must be, as the rule says it', () => {
    tried(
      fc.property(anyTests, fc.boolean(), (tests, isAll) => {
        const value = judged(isAll ? { all: tests } : { any: tests }, PLAIN, [])
        const told = tests.map(({ claim, iss, max_age }) => ({ kind: 'claim', claim, ...(iss && { iss }), ...(max_age && { max_age }) }))
        const sets = value.kind === 'unknown' ? value.needs : []
        const byClaim = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
        expect(sets.map((set) => [...set].sort(byClaim)).sort(byClaim)).toEqual(
          isAll ? [told.sort(byClaim)] : told.map((one) => [one]).sort(byClaim),
        )
      }),
    )
  })

  it('POLICY 7 P6: one claim asked for twice is asked for once, from who serves both, as fresh as the stricter wants it', () => {
    const ages = fc.option(fc.nat(500), { nil: undefined })
    const issuers = fc.option(fc.subarray(['i1', 'i2', 'i3'], { minLength: 1 }), { nil: undefined })
    const test = fc.record({ iss: issuers, max_age: ages }).map(({ iss, max_age }) => ({
      claim: 'email',
      eq: 'email-0',
      ...(iss && { iss }),
      ...(max_age !== undefined && { max_age }),
    }))
    tried(
      fc.property(test, test, (a, b) => {
        const both = (a.iss ?? ['i1', 'i2', 'i3']).filter((one) => (b.iss ?? ['i1', 'i2', 'i3']).includes(one))
        const [set = []] = [judged({ all: [a, b] }, PLAIN, [])].flatMap((value) => (value.kind === 'unknown' ? value.needs : []))
        const age = Math.min(a.max_age ?? Number.POSITIVE_INFINITY, b.max_age ?? Number.POSITIVE_INFINITY)
        if (both.length === 0) expect(set).toHaveLength(2)
        else
          expect(set).toEqual([
            {
              kind: 'claim',
              claim: 'email',
              ...((a.iss || b.iss) && { iss: expect.toSatisfy((iss: string[]) => isPart(iss, both) && isPart(both, iss)) }),
              ...(age !== Number.POSITIVE_INFINITY && { max_age: age }),
            },
          ])
      }),
    )
  })

  it('POLICY 7 P8: a stage asks for nothing of a later one', () => {
    const stages = fc.array(anyCondition({ depth: 1 }), { minLength: 1, maxLength: 4 })
    tried(
      fc.property(stages, anyPerson, anyProofs, openCircumstances, (seq, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const values = seq.map((one) => judged(one, at, facts))
        const first = values.find(({ kind }) => kind !== 'true')
        const value = judged({ seq }, at, facts)
        if (values.some(({ kind }) => kind === 'false')) expect(value.kind).toBe('false')
        else expect([value.kind, alternatives(value)]).toEqual([first?.kind ?? 'true', first ? alternatives(first) : []])
      }),
      CORE,
    )
  })

  it('POLICY 7 P8: a branch asks only what decides which way it goes', () => {
    tried(
      fc.property(
        anyCondition({ depth: 1 }),
        anyCondition({ depth: 1 }),
        anyCondition({ depth: 1 }),
        anyPerson,
        anyProofs,
        openCircumstances,
        (a, b, c, person, proofs, at) => {
          const facts = factsOf(person, proofs)
          const [when, yes, no] = [a, b, c].map((one) => judged(one, at, facts))
          const value = judged({ if: a, then: b, else: c }, at, facts)
          const way =
            when?.kind === 'true' ? yes : when?.kind === 'false' ? no : yes?.kind === no?.kind && yes?.kind !== 'unknown' ? yes : when
          expect([value.kind, alternatives(value, aboutNeed)]).toEqual([way?.kind, way ? alternatives(way, aboutNeed) : []])
        },
      ),
    )
  })

  it('POLICY 7 P8b: when one of a dozen proofs has run out, exactly that one is asked for again', () => {
    const stale = fc.constantFrom({ age: 10, left: 0 }, { age: 100, left: -1 }, { age: -100, left: 500 })
    tried(
      fc.property(anyTests, anyPerson, fc.nat(4), stale, fc.boolean(), (tests, person, index, how, isSeq) => {
        const met = tests.filter((test) => isTrue(test, person, PLAIN))
        fc.pre(met.length > 0)
        const old = met[index % met.length]
        const fresh = factsOf(person, everyProof(met.map(({ claim }) => claim as Claim).filter((claim) => claim !== old?.claim)))
        const value = judged(isSeq ? { seq: met } : { all: met }, PLAIN, [
          ...fresh,
          ...factsOf(person, [{ claim: old?.claim as Claim, iss: 'i1', ...how }]),
        ])
        expect(alternatives(value, aboutNeed)).toEqual([old?.claim])
      }),
    )
  })

  it('POLICY 7 P8b: a proof that is too old for a rule is asked for again, and serves the others', () => {
    tried(
      fc.property(fc.constantFrom(...CLAIMS), fc.integer({ min: 1, max: 500 }), fc.nat(1000), anyPerson, (claim, max_age, age, person) => {
        const eq = `${claim}-${person[claim]}`
        const facts = factsOf(person, [{ claim, iss: 'i1', age, left: 10 }])
        const value = judged(
          {
            all: [
              { claim, eq, max_age },
              { claim, eq },
            ],
          },
          PLAIN,
          facts,
        )
        expect([value.kind, alternatives(value)]).toEqual(
          age < max_age ? ['true', []] : ['unknown', [`${claim} from anyone in ${max_age} s`]],
        )
        if (value.kind === 'true') expect(value.until).toBe(PLAIN.now + Math.min(10, max_age - age))
      }),
    )
  })

  it('POLICY 7 P8c: a stage that is contradicted ends it, wherever it stands', () => {
    tried(
      fc.property(anyTests, anyPerson, fc.nat(4), anyCircumstances, (tests, person, index, at) => {
        const wrong = tests[index % tests.length]
        fc.pre(wrong !== undefined && !isTrue(wrong, person, at))
        const facts = factsOf(person, everyProof([wrong?.claim as Claim]))
        expect(judged({ seq: tests }, at, facts)).toEqual({ kind: 'false' })
        expect(judged({ not: { seq: tests } }, at, facts).kind).toBe('true')
      }),
    )
  })
})

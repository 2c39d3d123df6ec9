// The three values against two: what the engine knows for certain is so, for everybody whom it could have before it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Condition } from '../../worker/policy/policy.ts'
import {
  anyCell,
  anyCircumstances,
  anyCondition,
  anyPerson,
  anyPolicies,
  anyPolicy,
  anyProofs,
  mostProofs,
  openCircumstances,
  readOnce,
} from './arbitraries.ts'
import { alternatives, decided, judged, normal, THING } from './engine.ts'
import { CLAIMS, everyProof, factsOf, NOW, type Person, type Proof, peopleWho } from './people.ts'
import { isAllowed, isTrue } from './reference.ts'
import { CORE, tried } from './runs.ts'

const anyAsked = anyCell(anyCondition({ depth: 1 }))

/** Claims of which nothing was shown that counts at all. */
const unknownAfter = (proofs: readonly Proof[]) =>
  CLAIMS.filter((claim) => !proofs.some((proof) => proof.claim === claim && proof.left > 0 && proof.age >= -60))

/** Lists of `all` and `any` in another order, at every depth. */
const shuffled = (condition: Condition): Condition => {
  if ('all' in condition) return { all: condition.all.map(shuffled).reverse() }
  if ('any' in condition) return { any: condition.any.map(shuffled).reverse() }
  if ('seq' in condition) return { seq: condition.seq.map(shuffled) }
  if ('not' in condition) return { not: shuffled(condition.not) }
  if ('if' in condition) return { if: shuffled(condition.if), then: shuffled(condition.then), else: shuffled(condition.else) }
  return condition
}

describe('POLICY 7: three values', () => {
  it('POLICY 7 P1: with everything known a condition is what classical logic says, never unknown', () => {
    tried(
      fc.property(anyCondition(), anyPerson, anyCircumstances, (condition, person, at) => {
        expect(judged(condition, at, factsOf(person, everyProof(CLAIMS))).kind).toBe(String(isTrue(condition, person, at)))
      }),
      CORE,
    )
  })

  it('POLICY 7 P1: with everything known a cell is decided as classical logic says', () => {
    tried(
      fc.property(anyAsked, anyPerson, anyCircumstances, (asked, person, at) => {
        expect(decided(asked, at, factsOf(person, everyProof(CLAIMS))).kind).toBe(String(isAllowed(asked, person, at)))
      }),
      CORE,
    )
  })

  it('POLICY 7 P2: what is true or false stays so when more is shown', () => {
    tried(
      fc.property(
        anyAsked,
        anyPerson,
        mostProofs,
        anyProofs,
        openCircumstances,
        anyCircumstances,
        (asked, person, few, more, open, full) => {
          const before = decided(asked, open, factsOf(person, few))
          fc.pre(before.kind !== 'unknown')
          const answers = { ...full.answers, ...open.answers }
          const later = { ...open, purpose: open.purpose ?? full.purpose, answers }
          expect(decided(asked, open, factsOf(person, [...few, ...more])).kind).toBe(before.kind)
          expect(decided(asked, later, factsOf(person, [...more, ...few])).kind).toBe(before.kind)
        },
      ),
      CORE,
    )
  })

  it('POLICY 7 P3: what is true or false is so for everybody who could have shown the same', () => {
    tried(
      fc.property(anyAsked, anyPerson, mostProofs, openCircumstances, anyCircumstances, (asked, person, proofs, open, full) => {
        const { kind } = decided(asked, open, factsOf(person, proofs))
        fc.pre(kind !== 'unknown')
        const at = { ...open, purpose: open.purpose ?? full.purpose, answers: { ...full.answers, ...open.answers } }
        const everybody: Person[] = peopleWho(person, unknownAfter(proofs))
        expect(everybody.map((one) => String(isAllowed(asked, one, at)))).toEqual(everybody.map(() => kind))
      }),
    )
  })

  it('POLICY 7 P3: so it is for each condition', () => {
    tried(
      fc.property(
        anyCondition({ depth: 2 }),
        anyPerson,
        fc.subarray([...CLAIMS]),
        openCircumstances,
        anyCircumstances,
        (one, person, shown, open, full) => {
          const { kind } = judged(one, open, factsOf(person, everyProof(shown)))
          fc.pre(kind !== 'unknown')
          const at = { ...open, purpose: open.purpose ?? full.purpose, answers: { ...full.answers, ...open.answers } }
          const others = CLAIMS.filter((claim) => !shown.includes(claim))
          const wrong = peopleWho(person, others).find((somebody) => String(isTrue(one, somebody, at)) !== kind)
          if (wrong !== undefined) expect.fail(`${kind}, but not for ${JSON.stringify(wrong)}`)
        },
      ),
    )
  })

  it('POLICY 7 P4: the order of lists and of proofs changes nothing', () => {
    const anySame = fc.oneof(anyCondition({ terms: false }), readOnce())
    tried(
      fc.property(anySame, anyPerson, anyProofs, openCircumstances, (condition, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        expect(normal(judged(shuffled(condition), at, [...facts].reverse()))).toEqual(normal(judged(condition, at, facts)))
      }),
      CORE,
    )
  })

  it('POLICY 7 P4: nor does it where one claim is wanted on several terms, but for how these are put together', () => {
    tried(
      fc.property(anyCondition(), anyPerson, anyProofs, openCircumstances, (condition, person, proofs, at) => {
        const facts = factsOf(person, proofs)
        const [one, other] = [judged(condition, at, facts), judged(shuffled(condition), at, [...facts].reverse())]
        expect(one.kind).toBe(other.kind)
        if (one.kind === 'true') expect(one).toEqual(other)
      }),
    )
  })

  it('POLICY 7 P14: what is true until an instant is true at every instant before it', () => {
    const anyRules = anyPolicies(anyCondition({ depth: 1 }), 4, { target: { all: true }, scopes: '*' })
    const permit = anyPolicy(anyCondition({ depth: 2 }), { target: { all: true }, scopes: '*', effect: 'permit', tier: 'owner' })
    let seen = 0
    tried(
      fc.property(permit, anyRules, anyPerson, mostProofs, openCircumstances, fc.nat(1200), (own, rules, person, proofs, at, wait) => {
        const facts = factsOf(person, proofs)
        const asked = { policies: [own, ...rules], thing: THING, scope: 'view', type: undefined }
        const value = decided(asked, at, facts)
        if (value.kind !== 'true') return
        seen++
        expect(value.until).toBeGreaterThan(NOW)
        const last = Math.min(value.until - 1, NOW + 5000)
        for (const now of new Set([NOW + Math.min(wait, last - NOW), NOW + 1, NOW + 39, NOW + 40, last].filter((one) => one <= last)))
          if (decided(asked, { ...at, now }, facts).kind !== 'true') expect.fail(`no longer true ${now - NOW} s later`)
      }),
      CORE,
    )
    expect(seen).toBeGreaterThan(0)
  })

  it('POLICY 7 P20: proofs that are over, of the future or too old are as if they had not been shown', () => {
    const over = fc.constantFrom({ age: 10, left: 0 }, { age: 10, left: -100 })
    const early = fc.constantFrom({ age: -61, left: 1000 }, { age: -600, left: 1000 })
    const useless = (how: fc.Arbitrary<Pick<Proof, 'age' | 'left'>>) =>
      fc
        .array(fc.tuple(fc.constantFrom(...CLAIMS), fc.constantFrom('i1', 'i2'), how), { minLength: 1, maxLength: 4 })
        .map((all) => all.map(([claim, iss, when]) => ({ claim, iss, ...when })))
    tried(
      fc.property(
        anyCondition({ depth: 2 }),
        anyPerson,
        anyPerson,
        anyProofs,
        useless(over),
        useless(early),
        openCircumstances,
        (condition, person, other, proofs, dead, unborn, at) => {
          const facts = factsOf(person, proofs)
          const value = judged(condition, at, facts)
          expect(normal(judged(condition, at, [...factsOf(other, dead), ...facts]))).toEqual(normal(value))
          // A proof that will count later may end what is true until then, no more.
          const later = judged(condition, at, [...factsOf(other, unborn), ...facts])
          expect([later.kind, alternatives(later)]).toEqual([value.kind, alternatives(value)])
          if (later.kind === 'true' && value.kind === 'true') expect(later.until).toBeLessThanOrEqual(value.until)
        },
      ),
    )
  })

  it('POLICY 7 P20: what nobody verified is as if it had not been shown, but for conditions that name who says so', () => {
    tried(
      fc.property(
        anyCondition({ depth: 2 }),
        anyPerson,
        anyPerson,
        anyProofs,
        anyProofs,
        openCircumstances,
        (condition, person, other, proofs, said, at) => {
          const facts = factsOf(person, proofs)
          const named = factsOf(other, said).map((one) => ({ ...one, iss: `pep:${one.iss}`, named: true }))
          expect(normal(judged(condition, at, [...named, ...facts]))).toEqual(normal(judged(condition, at, facts)))
          for (const { claim, mac, iss } of named.filter(({ iat, exp }) => iat <= at.now && exp > at.now))
            expect(judged({ claim, in: [mac, 'x'], iss: ['i1', iss] }, at, named).kind).toBe('true')
        },
      ),
    )
  })
})

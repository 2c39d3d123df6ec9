// "Who can open this" is exact: nobody is left out, nobody is named too many.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holds } from '../../../worker/policy/condition.ts'
import { decide } from '../../../worker/policy/decide.ts'
import type { Condition, Policy } from '../../../worker/policy/policy.ts'
import { who } from '../../../worker/policy/who.ts'
import { fact, isBob, isCarol, NOW, rule, thing, world } from './worlds.ts'

const cell = { resource_id: 'photo', scope: 'view' }
const ways = (...rules: Policy[]) => {
  const found = who(cell, thing('photo'), rules, undefined, (claim) => claim === 'email')
  return found.complete ? found.ways.map(({ all }) => all) : 'too many'
}

describe('POLICY 4: who', () => {
  it('POLICY 4: nobody without a rule, everybody if it says so', () => {
    expect(ways()).toEqual([])
    expect(ways(rule('p', { anyone: true }), rule('q', isBob))).toEqual([[{ anyone: true }]])
    expect(ways(rule('p', isBob, { tier: 'platform' }))).toEqual([])
  })

  it('POLICY 4: the conditions of one way, once each, with times and lists put together', () => {
    const when: Condition = { all: [isBob, { before: NOW + 9 }, { client: ['a', 'b'] }] }
    expect(ways(rule('p', when), rule('r', { all: [{ before: NOW + 5 }, { client: ['b', 'c'] }, isBob] }, { effect: 'require' }))).toEqual([
      [{ before: NOW + 5 }, { claim: 'email', eq: 'bob' }, { client: ['b'] }],
    ])
  })

  it('POLICY 4: what is forbidden must be refuted', () => {
    expect(ways(rule('p', isBob), rule('f', { any: [{ client: ['evil'] }, { after: NOW }] }, { effect: 'forbid' }))).toEqual([
      [{ not: { client: ['evil'] } }, { before: NOW }, { claim: 'email', eq: 'bob' }],
    ])
    expect(ways(rule('p', isBob), rule('f', { anyone: true }, { effect: 'forbid' }))).toEqual([])
  })

  it('POLICY 4: contradictions are nobody', () => {
    const both: Condition = {
      all: [
        { claim: 'country', eq: 'US' },
        { claim: 'country', in: ['DE', 'PT'] },
      ],
    }
    expect(ways(rule('p', both))).toEqual([])
    expect(ways(rule('p', { all: [isBob, isCarol] }))).toHaveLength(1)
    expect(ways(rule('p', { all: [{ claim: 'acr', gte: 3 }, { not: { claim: 'acr', gte: 2 } }] }))).toEqual([])
  })

  it('POLICY 4: each way names the rules that give it', () => {
    const found = who(cell, thing('photo'), [rule('p', isBob), rule('q', isBob), rule('r', isCarol)], undefined)
    expect(found.ways.map(({ permits }) => permits)).toEqual([['p', 'q'], ['r']])
  })

  it('POLICY 4: too many to list is said, and none is told', () => {
    const either = (at: number): Condition => ({ any: [1, 2, 3].map((n) => ({ claim: `c${at}`, eq: `v${n}` })) })
    expect(ways(rule('p', { all: [1, 2, 3, 4, 5, 6, 7].map(either) }))).toBe('too many')
  })

  describe('with addresses that are shut out', () => {
    const family: Condition = { claim: 'email', group: 'family' }
    const clinic: Condition = { claim: 'email', domain: 'clinic' }
    const left = (macs: string[], ...rules: Policy[]) => {
      const blocked = { macs: new Set(macs), isMember: world().isMember }
      const { complete, ways } = who(cell, thing('photo'), rules, undefined, (claim) => claim === 'email', blocked)
      return complete ? ways.map(({ all, permits }) => [all, permits.join()]) : 'too many'
    }

    it('CLAIMS 7: whoever is shut out is on no list, and a way for others says whom it is not for', () => {
      expect(left(['bob'], rule('p', isBob), rule('q', isCarol))).toEqual([[[isCarol], 'q']])
      expect(left(['bob'], rule('p', { claim: 'email', in: ['bob', 'carol'] }), rule('q', isCarol))).toEqual([[[isCarol], 'p,q']])
      expect(left(['bob', 'carol'], rule('p', { claim: 'email', in: ['bob', 'carol'] }))).toEqual([])
      expect(left(['bob'], rule('p', clinic))).toEqual([[[clinic, { not: isBob }], 'p']])
      expect(left(['bob', 'carol'], rule('p', { anyone: true }))).toEqual([[[{ not: { claim: 'email', in: ['bob', 'carol'] } }], 'p']])
      // Carol is not in the family: nothing is said of her.
      expect(left(['bob', 'carol'], rule('p', family))).toEqual([[[family, { not: isBob }], 'p']])
      expect(left(['carol'], rule('p', family))).toEqual([[[family], 'p']])
    })

    it('CLAIMS 7: rules of an organisation know people by other names: its way says whom it is not for', () => {
      const theirs: Condition = { claim: 'email', eq: 'bob-there', names: 'org' }
      expect(left(['bob'], rule('p', theirs))).toEqual([[[theirs, { not: isBob }], 'p']])
    })

    it('POLICY 4: more names than can be told are too many', () => {
      const many = Array.from({ length: 3000 }, (_, at) => `m${at}`)
      expect(left(many, rule('p', clinic))).not.toBe('too many')
      expect(left(many, rule('p', clinic), rule('q', { claim: 'email', domain: 'home' }))).toBe('too many')
    })

    it('POLICY 7 P23: somebody with one address is let in, and is not shut out, if and only if one way holds', () => {
      const macs = ['bob', 'carol', 'dora']
      const some = fc.subarray(macs)
      const atom = fc.oneof(
        fc.constantFrom(...macs).map((eq): Condition => ({ claim: 'email', eq })),
        some.filter((all) => all.length > 0).map((all): Condition => ({ claim: 'email', in: all })),
        fc.constantFrom<Condition>(family, clinic, { anyone: true }, { client: ['a'] }),
      )
      const when = fc.oneof(
        atom,
        fc.array(atom, { minLength: 1, maxLength: 3 }).map((all): Condition => ({ all })),
        fc.array(atom, { minLength: 1, maxLength: 3 }).map((any): Condition => ({ any })),
      )
      fc.assert(
        fc.property(
          fc.array(when, { minLength: 1, maxLength: 3 }),
          some,
          fc.constantFrom(...macs),
          fc.constantFrom('a', 'b'),
          (all, shut, mac, id) => {
            const rules = all.map((one, at) => rule(`p${at}`, one))
            const here = world({
              facts: [fact('email', mac, { domain: mac === 'bob' ? 'clinic' : 'home' })],
              client: { id, trust: [] },
            })
            const blocked = { macs: new Set(shut), isMember: here.isMember }
            const { ways } = who(cell, thing('photo'), rules, undefined, (claim) => claim === 'email', blocked)
            const isIn = ways.some((way) => holds({ all: way.all }, cell, here).kind === 'true')
            expect(isIn).toBe(!shut.includes(mac) && decide(cell, thing('photo'), rules, undefined, here).value.kind === 'true')
          },
        ),
        { numRuns: 2000 },
      )
    })
  })

  it('POLICY 7 P23: in a world in which everything is known, true if and only if one way holds', () => {
    const values = ['0', '1', '2']
    const atom = fc.oneof(
      fc.record({ claim: fc.constantFrom('country', 'role'), eq: fc.constantFrom(...values) }),
      fc.record({ claim: fc.constantFrom('country', 'role'), in: fc.constantFrom(['0', '1'], ['1', '2']) }),
      fc.constantFrom<Condition>({ after: NOW }, { before: NOW }, { after: NOW + 1 }, { client: ['a'] }, { client: ['b', 'c'] }),
      fc.constantFrom<Condition>(
        { purpose: ['A'] },
        { purpose: ['A', 'B'] },
        { context: 'x', eq: 1 },
        { context: 'x', in: [1, 'y'] },
        { anyone: true },
      ),
    ) as fc.Arbitrary<Condition>
    const condition = fc.letrec<{ c: Condition }>((tie) => ({
      c: fc.oneof(
        { maxDepth: 2 },
        atom,
        fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((all): Condition => ({ all })),
        fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((any): Condition => ({ any })),
        fc.array(tie('c'), { minLength: 1, maxLength: 2 }).map((seq): Condition => ({ seq })),
        tie('c').map((not): Condition => ({ not })),
        fc.tuple(tie('c'), tie('c'), tie('c')).map(([a, b, c]): Condition => ({ if: a, then: b, else: c })),
      ),
    })).c
    const effects = fc.constantFrom<Policy['effect']>('permit', 'permit', 'forbid', 'require')
    const rules = fc.array(fc.tuple(condition, effects), { minLength: 1, maxLength: 3 })
    const full = fc.record({
      country: fc.constantFrom(...values),
      role: fc.constantFrom(...values),
      client: fc.constantFrom('a', 'b', 'd'),
    })
    const rest = fc.record({
      purpose: fc.constantFrom('A', 'B', 'C'),
      x: fc.constantFrom(1, 'y', 2),
      now: fc.constantFrom(NOW - 1, NOW, NOW + 1),
    })
    fc.assert(
      fc.property(rules, full, rest, (some, { country, role, client }, { purpose, x, now }) => {
        const all = some.map(([when, effect], at) => rule(`p${at}`, when, { effect }))
        const found = who(cell, thing('photo'), all, undefined, () => false)
        fc.pre(found.complete)
        const facts = [fact('country', country), fact('role', role)]
        const here = world({ facts, client: { id: client, trust: [] }, purpose, context: { x }, now })
        const isIn = found.ways.some((way) => holds({ all: way.all }, cell, here).kind === 'true')
        expect(isIn).toBe(decide(cell, thing('photo'), all, undefined, here).value.kind === 'true')
      }),
      { numRuns: 1000 },
    )
  })
})

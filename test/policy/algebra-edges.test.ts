// The algebra at its edges, one example each: how deep, how many, what a purpose is asked for, what counts as one form.
import { describe, expect, it } from 'vitest'
import type { Condition } from '../../worker/policy/policy.ts'
import { aboutNeed, alternatives, decision, judged, rule, THING } from './engine.ts'
import { PLAIN } from './people.ts'

const anyone: Condition = { anyone: true }
const open = { ...PLAIN, purpose: undefined, answers: {} }
const needs = (condition: Condition) => {
  const value = judged(condition, open, [])
  return value.kind === 'unknown' ? value.needs : value.kind
}
const asks = (count: number): Condition => ({ any: Array.from({ length: count }, (_, n) => ({ ask: `q${n}` })) })
const claim = (name: string): Condition => ({ claim: name, eq: 'x' })

describe('POLICY 6: the algebra at its edges', () => {
  it('POLICY 6: sixty-four levels are worked out, one more is false and named', () => {
    const nested = (levels: number): Condition => Array.from({ length: levels }).reduce<Condition>((inner) => ({ not: inner }), anyone)
    const told = (levels: number) => {
      const { value, failed } = decision({ policies: [rule('p', nested(levels))], thing: THING, scope: 'view', type: undefined }, PLAIN, [])
      return [value.kind, ...failed]
    }
    expect([told(64), told(63), told(66), told(65)]).toEqual([['true'], ['false'], ['false', 'p'], ['false', 'p']])
  })

  it('POLICY 6: a product of 1 024 ways is worked out, a larger one is false before it is built', () => {
    expect(needs({ all: [asks(32), asks(32)] })).toHaveLength(32)
    expect(needs({ all: [asks(33), asks(32)] })).toBe('false')
    expect(needs(asks(256))).toHaveLength(256)
    expect(needs(asks(257))).toBe('false')
    const sixteen = (name: string): Condition => ({ any: Array.from({ length: 16 }, (_, n) => claim(`${name}${n}`)) })
    expect(needs({ all: [sixteen('a'), sixteen('b')] })).toHaveLength(256)
    expect(needs({ all: [sixteen('a'), { any: [sixteen('b'), claim('c')] }] })).toBe('false')
  })

  it('POLICY 3: where a wrong purpose is an answer too, any is asked for', () => {
    const any = [[{ kind: 'purpose', purposes: [] }]]
    expect(needs({ purpose: ['A'] })).toEqual([[{ kind: 'purpose', purposes: ['A'] }]])
    expect(needs({ not: { purpose: ['A'] } })).toEqual(any)
    expect(needs({ if: { purpose: ['A'] }, then: anyone, else: claim('a') })).toEqual(any)
    expect(needs({ all: [{ not: { purpose: ['A'] } }, { purpose: ['B', 'C'] }] })).toEqual([[{ kind: 'purpose', purposes: ['B', 'C'] }]])
    expect(needs({ all: [{ purpose: ['A', 'B'] }, { purpose: ['B', 'C'] }] })).toEqual([[{ kind: 'purpose', purposes: ['B'] }]])
    expect(needs({ all: [{ purpose: ['A'] }, { purpose: ['B'] }] })).toBe('false')
    const both: Condition = { all: ['a', 'b'].map((name): Condition => ({ all: [claim(name), { not: { purpose: [name] } }] })) }
    expect(needs(both)).toEqual([
      [
        { kind: 'claim', claim: 'a' },
        { kind: 'claim', claim: 'b' },
        { kind: 'purpose', purposes: [] },
      ],
    ])
  })

  it('POLICY 3: a part that cannot be worked out takes nothing from the others that would do', () => {
    const odd = { colour: 'green' } as unknown as Condition
    for (const any of [
      [odd, claim('a')],
      [claim('a'), odd],
    ]) {
      expect(needs({ any })).toEqual([[{ kind: 'claim', claim: 'a' }]])
      expect(needs({ all: any })).toBe('false')
      expect(judged({ any: [...any, anyone] }, open, []).kind).toBe('true')
      const told = decision({ policies: [rule('p', { any })], thing: THING, scope: 'view', type: undefined }, open, [])
      expect([told.value.kind, told.failed]).toEqual(['unknown', []])
    }
  })

  it('POLICY 7 P5: what is asked for twice is one way, and one need', () => {
    for (const one of [claim('a'), { ask: 'q' }, { purpose: ['A'] }] as Condition[]) {
      const same = needs(one)
      const rules = [rule('p', one), rule('q', one)]
      const { value } = decision({ policies: rules, thing: THING, scope: 'view', type: undefined }, open, [])
      expect(value.kind === 'unknown' && value.needs).toEqual(same)
      for (const twice of [one, structuredClone(one)])
        expect([needs({ any: [one, twice] }), needs({ all: [one, twice] }), needs({ any: [one, { all: [claim('z'), twice] }] })]).toEqual([
          same,
          same,
          same,
        ])
    }
  })

  it('POLICY 7 P5: sets that have something in common are put together, and nothing of either is lost', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(claim) as [Condition, Condition, Condition]
    const [q, r]: Condition[] = [{ ask: 'q' }, { ask: 'r' }]
    const ways = (condition: Condition) => alternatives(judged(condition, open, []), aboutNeed)
    const sizes = (condition: Condition): number[] => {
      const value = needs(condition)
      return typeof value === 'string' ? [] : value.map((set) => set.length)
    }
    const pair = (x: Condition[], y: Condition[]): Condition => ({ all: [{ all: x }, { all: y }] })
    for (const [x, y, told] of [
      [[a, b], [a, c], 'a + b + c'],
      [[a, q as Condition], [b, q as Condition], 'a + answer q + b'],
      [[a, q as Condition], [a, r as Condition], 'a + answer q + answer r'],
      [[a, { purpose: ['A', 'B'] }], [b, { purpose: ['B'] }], 'a + b + purpose'],
    ] as [Condition[], Condition[], string][]) {
      for (const one of [pair(x, y), pair(y, x)]) expect([ways(one), sizes(one)]).toEqual([[told], [told.split(' + ').length]])
    }
    expect(ways({ any: [{ all: [q as Condition, a] }, q as Condition] })).toEqual(['answer q'])
    expect(ways({ any: [{ all: [q as Condition, a] }, r as Condition] })).toEqual(['a + answer q', 'answer r'])
    expect(needs({ any: [{ purpose: ['A'] }, { purpose: ['B', 'A'] }] })).toEqual([[{ kind: 'purpose', purposes: ['B', 'A'] }]])
    expect(needs({ any: [{ purpose: ['A'] }, { not: { purpose: ['B'] } }] })).toEqual([[{ kind: 'purpose', purposes: [] }]])
    expect(needs({ any: [{ not: { purpose: ['B'] } }, { purpose: ['A'] }] })).toEqual([[{ kind: 'purpose', purposes: [] }]])
    expect(sizes({ any: [{ purpose: ['A'] }, { purpose: ['B'] }] })).toEqual([1, 1])
  })

  it('POLICY 7 P6: one claim on three terms is asked for in the same way, in whatever order they come', () => {
    const email = (more: object): Condition => ({ claim: 'email', eq: 'x', ...more })
    const orders = (x: Condition, y: Condition, z: Condition) =>
      [
        [x, y, z],
        [x, z, y],
        [y, x, z],
        [y, z, x],
        [z, x, y],
        [z, y, x],
      ].map((all) => alternatives(judged({ all }, open, [])))
    const one = orders(email({ iss: ['i1', 'i2'] }), email({ max_age: 60 }), email({ iss: ['i1'] }))
    expect(one).toEqual(one.map(() => ['email from i1 in 60 s']))
    const two = orders(email({ iss: ['i1'] }), email({ iss: ['i2'] }), email({ iss: ['i1'], max_age: 60 }))
    expect(two).toEqual(two.map(() => ['email from i1 in 60 s + email from i2 in any s']))
  })

  it('POLICY 2: a member that is not there does not count, one too many does', () => {
    const kind = (condition: unknown): string => judged(condition as Condition, PLAIN, []).kind
    expect(kind({ anyone: true, link: undefined })).toBe('true')
    expect(kind({ anyone: true, link: 'l0' })).toBe('false')
    expect(kind({ not: { anyone: true, link: 'l0' } })).toBe('false')
    expect(kind({ link: 'l0', eq: 'x' })).toBe('false')
    for (const odd of [null, 5, 'x', undefined, [], { not: null }, { not: 5 }, { toString: 1 }])
      expect([kind(odd), kind({ not: odd })]).toEqual(['false', 'false'])
  })
})

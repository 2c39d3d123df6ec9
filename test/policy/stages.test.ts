// Whose rules come first, what an emergency changes, and whose words a value is in: one example each, to the letter.
import { describe, expect, it } from 'vitest'
import { assessCells } from '../../worker/policy/assess.ts'
import type { Condition, Policy, ThingType } from '../../worker/policy/policy.ts'
import type { Fact } from '../../worker/policy/world.ts'
import { aboutNeed, alternatives, decision, judged, rule, THING } from './engine.ts'
import { NOW, PLAIN, worldOf } from './people.ts'

const at = { ...PLAIN, purpose: undefined, answers: {} }
const claim = (name: string): Condition => ({ claim: name, eq: 'x' })
const has = (name: string, more: Partial<Fact> = {}): Fact => ({
  id: name,
  claim: name,
  iss: 'i1',
  mac: 'x',
  iat: NOW,
  exp: NOW + 5_000,
  ...more,
})
const type = (authority: ThingType['authority']): ThingType => ({ type: 'doc', implies: {}, authority, break_glass: ['view'] })
const told = (policies: Policy[], facts: Fact[] = [], purpose?: string, kind = type('owner')) =>
  decision({ policies, thing: THING, scope: 'view', type: kind }, { ...at, purpose }, facts)
const asked = (...args: Parameters<typeof told>) => {
  const { value } = told(...args)
  return value.kind === 'unknown' ? alternatives(value, aboutNeed) : value.kind
}
const ORG = { tier: 'org' } as const
const mine = rule('mine', claim('b'))
const demand = (when: Condition, more: Partial<Policy> = ORG) => rule('demand', when, { effect: 'require', ...more })
const deny = (when: Condition, more: Partial<Policy> = ORG) => rule('deny', when, { effect: 'forbid', ...more })

describe('WG 2016-12-15: what others demand comes before what the owner wants', () => {
  it('WG 2016-12-15: while something has to be shown for them, her own rules stay untold', () => {
    expect(asked([mine, demand(claim('a'))])).toEqual(['a'])
    expect(asked([mine, demand(claim('a'), { tier: 'platform' })])).toEqual(['a'])
    expect(asked([mine, deny(claim('a'))])).toEqual(['a'])
    expect(asked([mine, demand({ any: [{ ask: 'q' }, claim('a')] })])).toEqual(['a', 'answer q'])
    expect(asked([mine, demand({ all: [{ ask: 'q' }, claim('a')] })])).toEqual(['a + answer q'])
    expect(asked([mine, demand(claim('a'))], [has('a')])).toEqual(['b'])
  })

  it('POLICY 7 P17: an answer of hers waits for what she wants', () => {
    expect(asked([mine, demand({ ask: 'q' })])).toEqual(['answer q + b'])
    expect(asked([mine, demand({ any: [{ ask: 'q' }, { ask: 'r' }] })])).toEqual(['answer q + b', 'answer r + b'])
  })

  it('WG 2016-12-15: what she demands herself is asked for together with the rest', () => {
    expect(asked([mine, demand(claim('a'), {})])).toEqual(['a + b'])
    expect(asked([mine, deny(claim('a'), {})])).toEqual(['a + b'])
  })

  it('WG 2016-12-15: nobody shows anything for what cannot be had, or is asked for what is there', () => {
    expect(asked([demand(claim('a'))])).toBe('false')
    expect(asked([rule('mine', { link: 'none' }), demand(claim('a'))])).toBe('false')
    expect(asked([mine, demand(claim('a'))], [has('b')])).toEqual(['a'])
    expect(asked([mine, demand(claim('a'))], [has('a', { mac: 'y' })])).toBe('false')
  })

  it.each<[ThingType['authority'], string[][]]>([
    ['owner', [['b'], ['b'], ['true'], ['b']]],
    ['org', [['c'], ['c'], ['c'], ['true']]],
    ['both', [['c'], ['c'], ['c'], ['b']]],
    ['either', [['b', 'c'], ['b', 'c'], ['true'], ['true']]],
  ])('POLICY 2: where %s decides, whose permit is asked for', (authority, expected) => {
    const both = [mine, rule('theirs', claim('c'), ORG)]
    const kinds = [[], [has('a')], [has('b')], [has('c')]].map((facts) => {
      const found = asked(both, facts, undefined, type(authority))
      return typeof found === 'string' ? [found] : found
    })
    expect(kinds).toEqual(expected)
    // What others demand comes before any permit that can be hers.
    expect(asked([...both, demand(claim('a'))], [], undefined, type(authority))).toEqual(
      { owner: ['a'], org: ['a + c'], both: ['a + c'], either: ['a'] }[authority],
    )
  })
})

describe('POLICY 3: an emergency, to the letter', () => {
  const glass = rule('glass', { all: [claim('a'), { break_glass: true }] }, { grant: { refresh: true } })

  it('POLICY 3: it holds for a quarter of an hour, for who says so; it has no opposite', () => {
    const value = (purpose: string | undefined, when: Condition) => judged(when, { ...at, purpose }, [])
    expect(value('BTG', { break_glass: true })).toEqual({ kind: 'true', until: NOW + 900 })
    for (const purpose of ['TREAT', '', undefined]) expect(value(purpose, { break_glass: true })).toEqual({ kind: 'false' })
    for (const purpose of ['BTG', 'TREAT']) expect(value(purpose, { not: { break_glass: true } })).toEqual({ kind: 'false' })
  })

  it('POLICY 3: who says so is asked for the rest, unless they have another way', () => {
    expect(asked([glass], [], 'BTG')).toEqual(['a'])
    expect(asked([glass, mine], [], 'BTG')).toEqual(['a', 'b'])
    expect(asked([glass], [has('a')])).toBe('false')
    expect(told([glass, mine], [has('a'), has('b')], 'BTG')).toMatchObject({ emergency: false, permits: ['mine'], terms: {} })
    expect(told([glass, mine], [has('a')], 'BTG')).toMatchObject({ emergency: true, permits: ['glass'], rests: ['a'] })
  })

  it('POLICY 3: while it does not hold, what holds otherwise is told as ever', () => {
    const both = [glass, mine, demand(claim('c'))]
    expect(told(both, [has('a'), has('b')], 'BTG')).toMatchObject({ value: { kind: 'unknown' }, emergency: false, permits: ['mine'] })
    expect(asked(both, [has('a')], 'BTG')).toEqual(['c'])
    expect(told([glass, mine, demand({ link: 'none' })], [has('a'), has('b')], 'BTG')).toMatchObject({
      value: { kind: 'false' },
      emergency: false,
      permits: ['mine'],
    })
    expect(told([glass, mine], [has('b')], 'BTG')).toMatchObject({ value: { kind: 'true' }, emergency: false })
  })

  it('POLICY 3: a permit of nobody who has a say, or of no known form, is none here either', () => {
    for (const odd of [{ tier: 'platform' }, { v: 2 }, { tier: 'org' }] as Partial<Policy>[])
      expect(told([{ ...glass, ...odd }], [has('a')], 'BTG').value).toEqual({ kind: 'false' })
    expect(told([{ ...glass, tier: 'org' }], [has('a')], 'BTG', type('both')).emergency).toBe(true)
  })

  it('POLICY 8d: what is granted in an emergency says so, and nothing else does', () => {
    const outcome = (policies: Policy[], purpose: string) =>
      assessCells(
        [{ resource_id: 't0', resource_scopes: ['view'], fromTicket: ['view'] }],
        { thing: () => THING, rules: () => policies, type: () => type('owner') },
        worldOf({ ...at, purpose }, [has('a'), has('b')]),
      )
    const cell = { resource_id: 't0', resource_scopes: ['view'] }
    expect(outcome([glass], 'BTG')).toMatchObject({
      cells: [{ ...cell, policies: ['glass'], until: NOW + 900, emergency: true }],
      terms: { rpt_ttl: 900, refresh: false, pct: false, notify: 'each' },
    })
    const plain = outcome([mine, glass], 'BTG')
    expect(plain.kind === 'granted' && plain.cells).toStrictEqual([{ ...cell, policies: ['mine'], until: NOW + 5_000 }])
  })
})

describe('CLAIMS 5.6: whose words a value is in', () => {
  const kind = (when: Condition, fact: Fact) => judged(when, at, [fact]).kind
  const fact = (more: Partial<Fact>) => has('c', { domain: 'd', level: 3, holds: ['R'], ...more })

  it('CLAIMS 5.6: a value in other words neither passes a test nor fails it', () => {
    for (const test of [{ eq: 'x' }, { in: ['x'] }, { domain: 'd' }] as const) {
      const own: Condition = { claim: 'c', ...test }
      const theirs: Condition = { ...own, names: 'org' }
      expect([kind(own, fact({})), kind(theirs, fact({ names: 'org' }))]).toEqual(['true', 'true'])
      expect([kind(own, fact({ names: 'org' })), kind(theirs, fact({})), kind(theirs, fact({ names: 'other' }))]).toEqual([
        'unknown',
        'unknown',
        'unknown',
      ])
      expect(kind({ not: theirs }, fact({}))).toBe('unknown')
    }
  })

  it('CLAIMS 5.6: levels and labels are the same in everybody’s words', () => {
    for (const test of [{ gte: 3 }, { covers: ['R'] }] as const)
      for (const names of ['org', undefined])
        for (const words of ['org', 'other', undefined]) {
          const when: Condition = { claim: 'c', ...test, ...(names === undefined ? {} : { names }) }
          expect(kind(when, fact(words === undefined ? {} : { names: words }))).toBe('true')
        }
  })

  it('POLICY 3: what nobody verified counts for those only who name who says so', () => {
    expect(kind({ claim: 'c', eq: 'x' }, fact({ named: true }))).toBe('unknown')
    expect(kind({ claim: 'c', eq: 'x' }, fact({ named: false }))).toBe('true')
    expect(kind({ claim: 'c', eq: 'x', iss: ['i1'] }, fact({ named: true }))).toBe('true')
    expect(kind({ claim: 'c', eq: 'x', iss: ['i2'] }, fact({}))).toBe('unknown')
  })
})

// Where a rule begins and ends to count, one example each: what random rules meet too seldom to be sure of.
import { describe, expect, it } from 'vitest'
import { decide, mergedTerms, scopesWith } from '../../worker/policy/decide.ts'
import type { Authority, Condition, GrantTerms, Policy } from '../../worker/policy/policy.ts'
import type { Fact } from '../../worker/policy/world.ts'
import { CELL, decided, decision, judged, rule, THING } from './engine.ts'
import { PLAIN, worldOf } from './people.ts'

const anyone: Condition = { anyone: true }
const ask = (policies: Policy[], more: object = {}) => ({ policies, thing: THING, scope: 'view', type: undefined, ...more })

describe('POLICY 3: edges', () => {
  it('POLICY 3: a rule about a folder reaches sixteen levels down, no further', () => {
    const ancestors = Array.from({ length: 20 }, (_, n) => `above-${n}`)
    const reaches = (n: number): string =>
      decided(
        ask([rule('p', anyone, { target: { resources: [`above-${n}`], descend: true } })], { thing: { ...THING, ancestors } }),
        PLAIN,
        [],
      ).kind
    expect([reaches(0), reaches(14), reaches(15), reaches(16), reaches(19)]).toEqual(['true', 'true', 'true', 'false', 'false'])
  })

  it('POLICY 3: a rule of a form that is not known gives nothing, and stands in the way if it is no permit', () => {
    const all = rule('all', anyone)
    const told = (odd: Partial<Record<keyof Policy, unknown>>) =>
      decision(ask([all, { ...rule('x', anyone), ...odd } as Policy]), PLAIN, [])
    for (const odd of [{ effect: 'banish' }, { effect: 'forbid', v: 2 }, { effect: 'require', v: 2 }, { effect: undefined }])
      expect([told(odd).value.kind, told(odd).failed]).toEqual(['false', ['x']])
    for (const odd of [{ v: 2 }, { tier: 'root' }, { tier: 'platform' }]) {
      expect(told(odd).permits).toEqual(['all'])
      expect(decided(ask([{ ...rule('x', anyone), ...odd } as Policy]), PLAIN, []).kind).toBe('false')
    }
    const strange = { colours: ['green'] } as unknown as Policy['target']
    expect(decided(ask([rule('x', anyone, { target: strange })]), PLAIN, []).kind).toBe('false')
    expect(decided(ask([all, rule('x', anyone, { target: strange, effect: 'forbid' })]), PLAIN, []).kind).toBe('false')
    expect(decided(ask([all], { type: { type: 'doc', implies: {}, authority: 'nobody' as Authority } }), PLAIN, []).kind).toBe('false')
  })

  it('POLICY 3: a scope that the thing does not offer, or a thing that is not the one asked about, is told nothing of', () => {
    const nothing = {
      value: { kind: 'false' },
      permits: [],
      forbids: [],
      unmet: [],
      failed: [],
      rests: [],
      uses: [],
      terms: {},
      emergency: false,
    }
    expect(decision(ask([rule('p', anyone, { scopes: ['fly'] })], { scope: 'fly' }), PLAIN, [])).toEqual(nothing)
    expect(decision(ask([rule('p', { link: 'none' })]), PLAIN, [])).toEqual(nothing)
  })

  it('POLICY 2: what comes along with a scope', () => {
    expect([...scopesWith('view', undefined)]).toEqual(['view'])
    const type = { type: 'doc', implies: { edit: ['view', 'list'], view: ['list', 'edit'] }, authority: 'owner' as const }
    for (let time = 0; time < 2; time++) {
      expect([...scopesWith('edit', type)].sort()).toEqual(['edit', 'list', 'view'])
      expect([...scopesWith('list', type)]).toEqual(['list'])
      expect([...scopesWith('toString', type)]).toEqual(['toString'])
    }
  })

  it('POLICY 3: a proof that does not say is no proof of it, lifts no prohibition, and hides no other', () => {
    const tests: Condition[] = [
      { claim: 'email', domain: 'clinic' },
      { claim: 'acr', gte: 2 },
      { claim: 'clearance', covers: ['R'] },
    ]
    for (const when of tests) {
      const claim = 'claim' in when ? when.claim : ''
      const silent: Fact = { id: 'silent', claim, iss: 'i1', mac: 'x', iat: PLAIN.now, exp: PLAIN.now + 50 }
      const told = [
        { ...silent, id: 'yes', domain: 'clinic', level: 2, holds: ['R'] },
        { ...silent, id: 'no', domain: 'other', level: 1, holds: ['V'] },
      ]
      const kinds = (facts: Fact[]) => [judged(when, PLAIN, facts).kind, judged({ not: when }, PLAIN, facts).kind]
      expect(kinds([silent])).toEqual(['false', 'false'])
      expect(kinds([silent, ...told.slice(0, 1)])).toEqual(['true', 'false'])
      expect(kinds([silent, ...told.slice(1)])).toEqual(['false', 'false'])
      expect(kinds(told.slice(1))).toEqual(['false', 'true'])
      expect(kinds(told)).toEqual(['true', 'false'])
    }
  })

  it('POLICY 3: what nobody can meet is no failure of the rule', () => {
    const told = decision(ask([rule('p', { not: anyone }), rule('q', { any: [{ not: anyone }, { link: 'none' }] })]), PLAIN, [])
    expect([told.value.kind, told.failed]).toEqual(['false', []])
  })

  it('POLICY 3: a question that cannot be answered is a no, and the rule is named', () => {
    const world = { ...worldOf(PLAIN, []), used: () => expect.fail('away') }
    const when: Condition = { uses: { key: 'k', max: 2, per: 'rqp' } }
    expect(decide(CELL, THING, [rule('p', when)], undefined, world)).toMatchObject({ value: { kind: 'false' }, failed: ['p'] })
    expect(decide(CELL, THING, [rule('p', anyone), rule('f', when, { effect: 'forbid' })], undefined, world)).toMatchObject({
      value: { kind: 'false' },
      failed: ['f'],
    })
  })

  it('POLICY 3: what is true rests on the proof that lasts longest, of those that count', () => {
    const shown = (id: string, age: number, left: number): Fact => ({
      id,
      claim: 'email',
      iss: 'i1',
      mac: 'email-0',
      iat: PLAIN.now - age,
      exp: PLAIN.now + left,
    })
    const facts = [
      shown('short', 0, 5),
      shown('long', 0, 90),
      shown('middle', 0, 40),
      shown('over', 0, 0),
      shown('gone', 9, -1),
      shown('future', -61, 900),
    ]
    const other = { ...shown('other', 0, 500), mac: 'email-1' }
    for (const order of [[other, ...facts], [...facts, other].reverse()]) {
      const told = decision(ask([rule('p', { claim: 'email', eq: 'email-0' })]), PLAIN, order)
      expect([told.value, told.rests]).toEqual([{ kind: 'true', until: PLAIN.now + 90 }, ['long']])
    }
  })

  it.each<[string, GrantTerms[], GrantTerms]>([
    ['nobody says anything', [{}, {}], {}],
    ['no permit', [], {}],
    ['the shortest life', [{ rpt_ttl: 300 }, { rpt_ttl: 60 }, {}], { rpt_ttl: 60 }],
    [
      'who forbids it has the say',
      [
        { refresh: true, pct: false },
        { refresh: false, pct: true },
      ],
      { refresh: false, pct: false },
    ],
    ['only what all allow', [{ refresh: true, pct: true }, { refresh: true }], { refresh: true }],
    ['the loudest wish', [{ notify: 'first' }, { notify: 'each' }, { notify: 'never' }], { notify: 'each' }],
    ['the first time rather than never', [{ notify: 'never' }, { notify: 'first' }], { notify: 'first' }],
    ['never, if all say so', [{ notify: 'never' }, { notify: 'never' }], { notify: 'never' }],
    ['as usual, if one says nothing', [{ notify: 'never' }, {}], {}],
  ])('POLICY 2: terms on which all permits agree: %s', (_, all, merged) => {
    expect(mergedTerms(all)).toStrictEqual(merged)
    const told = decision(ask(all.map((grant, n) => rule(`p${n}`, anyone, { grant }))), PLAIN, [])
    expect(told.terms).toEqual(merged)
  })
})

// Conditions without parts: a value that is none makes no atom, and nothing is guessed.
import { describe, expect, it } from 'vitest'
import { type AtomCondition, atomOf } from '../../../worker/policy/compile-atom.ts'

const made = (condition: unknown, not = false, anyPurpose = false) => atomOf(condition as AtomCondition, { not, anyPurpose })
const NONE = ['', 7, null, undefined, true, ['a'], { a: 1 }]
const NO_LIST = [[], [''], ['a', ''], ['a', 7], 'a', 7, null, { 0: 'a', length: 1 }]
const NO_NUMBER = ['7', Number.NaN, Number.POSITIVE_INFINITY, null, true, [7], 7n]

describe('POLICY 2: conditions without parts', () => {
  it.each(['link', 'ask', 'claim'])('POLICY 2: %s is a word', (form) => {
    const whole = form === 'claim' ? { eq: 'x' } : {}
    for (const value of NONE) expect(made({ ...whole, [form]: value }), String(value)).toBeUndefined()
    expect(made({ ...whole, [form]: 'a' })).toBeDefined()
  })

  it.each(['client', 'client_trust', 'purpose'])('POLICY 2: %s is a list of words', (form) => {
    for (const value of NO_LIST) expect(made({ [form]: value }), String(value)).toBeUndefined()
    expect(made({ [form]: ['a', 'b'] })).toBeDefined()
  })

  it.each(['after', 'before'])('POLICY 2: %s is a number', (form) => {
    for (const value of NO_NUMBER) expect(made({ [form]: value }), String(value)).toBeUndefined()
    expect(made({ [form]: 7 })).toEqual({ op: 'after', not: form === 'before', at: 7 })
    expect(made({ [form]: 7 }, true)).toEqual({ op: 'after', not: form === 'after', at: 7 })
  })

  it('POLICY 2: uses have a key, a number and whom they are counted for', () => {
    const uses = { key: 'k', max: 3, per: 'rqp' }
    expect(made({ uses })).toEqual({ op: 'uses', not: false, ...uses })
    expect(made({ uses: { ...uses, per: 'rule' } })).toMatchObject({ per: 'rule' })
    for (const value of [undefined, null, 7, 'k', true]) expect(made({ uses: value }), String(value)).toBeUndefined()
    for (const key of NONE) expect(made({ uses: { ...uses, key } }), String(key)).toBeUndefined()
    for (const max of NO_NUMBER) expect(made({ uses: { ...uses, max } }), String(max)).toBeUndefined()
    for (const per of ['', 'all', undefined]) expect(made({ uses: { ...uses, per } }), String(per)).toBeUndefined()
  })

  it('POLICY 2: context has a name and either one value or several', () => {
    expect(made({ context: 'ward', eq: 'a' })).toEqual({ op: 'context', not: false, name: 'ward', values: ['a'] })
    expect(made({ context: 'ward', in: [1, true] }, true)).toEqual({ op: 'context', not: true, name: 'ward', values: [1, true] })
    for (const context of NONE) expect(made({ context, eq: 'a' }), String(context)).toBeUndefined()
    expect(made({ context: 'ward' })).toBeUndefined()
    expect(made({ context: 'ward', eq: 'a', in: ['a'] })).toBeUndefined()
    for (const list of [[], 'a', undefined]) expect(made({ context: 'ward', in: list }), String(list)).toBeUndefined()
  })

  it('POLICY 2: a claim has one test, and what else is said of it is well said', () => {
    const claim = { claim: 'email', eq: 'x' }
    expect(made(claim)).toEqual({
      op: 'claim',
      not: false,
      claim: 'email',
      iss: undefined,
      max_age: Number.POSITIVE_INFINITY,
      names: undefined,
      test: { by: 'eq', value: 'x' },
      missing: { kind: 'unknown', needs: [[{ kind: 'claim', claim: 'email' }]] },
    })
    for (const iss of NO_LIST) expect(made({ ...claim, iss }), String(iss)).toBeUndefined()
    for (const max_age of NO_NUMBER) expect(made({ ...claim, max_age }), String(max_age)).toBeUndefined()
    for (const names of NONE.filter((one) => one !== undefined)) expect(made({ ...claim, names }), String(names)).toBeUndefined()
    expect(made({ claim: 'email' })).toBeUndefined()
    expect(made({ ...claim, in: ['x'] })).toBeUndefined()
    expect(made({ ...claim, eq: '' })).toBeUndefined()
  })

  it('POLICY 3: what is missing names issuers and age where the rule does', () => {
    const needs = (more: object) =>
      JSON.stringify((made({ claim: 'email', eq: 'x', ...more }) as { missing: { needs: unknown } }).missing.needs)
    expect(needs({})).toBe('[[{"kind":"claim","claim":"email"}]]')
    expect(needs({ iss: ['i'] })).toBe('[[{"kind":"claim","claim":"email","iss":["i"]}]]')
    expect(needs({ max_age: 60 })).toBe('[[{"kind":"claim","claim":"email","max_age":60}]]')
    const { missing } = made({ claim: 'email', eq: 'x' }) as unknown as { missing: { needs: object[][] } }
    expect(Object.keys(missing.needs[0]?.[0] ?? {})).toEqual(['kind', 'claim'])
  })

  it.each<[string, unknown, unknown]>([
    ['in', ['a', 'b'], { by: 'in', values: new Set(['a', 'b']) }],
    ['domain', 'd', { by: 'domain', domain: 'd' }],
    ['group', 'g', { by: 'group', group: 'g' }],
    ['gte', 3, { by: 'gte', level: 3 }],
    ['covers', ['a', 'b'], { by: 'covers', all: ['a', 'b'] }],
  ])('POLICY 2: the test %s', (by, value, test) => {
    expect(made({ claim: 'c', [by]: value })).toMatchObject({ test })
    const bad = by === 'gte' ? NO_NUMBER : by === 'domain' || by === 'group' ? NONE : NO_LIST
    for (const one of bad) expect(made({ claim: 'c', [by]: one }), String(one)).toBeUndefined()
  })

  it('POLICY 2: everybody is said with true; its opposite is nobody', () => {
    expect(made({ anyone: true })).toEqual({ op: 'anyone' })
    expect(made({ anyone: true }, true)).toEqual({ op: 'nobody' })
    for (const value of [false, 1, 'true', undefined]) expect(made({ anyone: value }), String(value)).toBeUndefined()
  })

  it('POLICY 3: an emergency is said with true; its opposite means nothing', () => {
    expect(made({ break_glass: true })).toEqual({ op: 'break_glass' })
    expect(made({ break_glass: true }, true)).toBeUndefined()
    for (const value of [false, 1, 'true', undefined]) expect(made({ break_glass: value }), String(value)).toBeUndefined()
  })

  it('POLICY 3: another purpose settles it where any does', () => {
    expect(made({ purpose: ['A'] })).toMatchObject({ missing: { needs: [[{ kind: 'purpose', purposes: ['A'] }]] } })
    expect(made({ purpose: ['A'] }, true, true)).toMatchObject({ not: true, missing: { needs: [[{ kind: 'purpose', purposes: [] }]] } })
  })

  it('POLICY 2: what is of no known form is no atom; inherited members are none', () => {
    for (const one of [{}, { colour: 'green' }, Object.create({ link: 'x' })]) expect(made(one)).toBeUndefined()
  })
})

// The same condition under other names, in every form in which one can stand in another; what claims cost; the shares that are offered.
import { describe, expect, it } from 'vitest'
import { usualCost } from '../../../worker/policy/claim-costs.ts'
import { IDENTIFYING } from '../../../worker/policy/evidence.ts'
import type { Condition } from '../../../worker/policy/policy.ts'
import { inWordsOf, renamed } from '../../../worker/policy/renamed.ts'
import { TEMPLATES } from '../../../worker/policy/templates.ts'

const name = (id: string) => `new ${id}`
const ask = (id: string): Condition => ({ ask: id })
const claim = (eq: string, more: object = {}): Condition => ({ claim: 'email', eq, ...more })

describe('POLICY 3: rules of an organisation', () => {
  it('POLICY 3: counters, questions and groups have another name; nothing else changes', () => {
    expect(renamed({ uses: { key: 'k', max: 3, per: 'rule' } }, name)).toEqual({ uses: { key: 'new k', max: 3, per: 'rule' } })
    expect(renamed(ask('a'), name)).toEqual(ask('new a'))
    expect(renamed({ claim: 'email', group: 'g', max_age: 5 }, name)).toEqual({ claim: 'email', group: 'new g', max_age: 5 })
    for (const one of [claim('m'), { link: 'l' }, { anyone: true }, { client: ['c'] }, { after: 1 }] as Condition[])
      expect(renamed(one, name)).toBe(one)
  })

  it.each<[string, (a: Condition, b: Condition) => Condition]>([
    ['all', (a, b) => ({ all: [a, b] })],
    ['any', (a, b) => ({ any: [a, b] })],
    ['stages', (a, b) => ({ seq: [a, b] })],
    ['an opposite', (a, b) => ({ all: [{ not: a }, b] })],
    ['a fork', (a, b) => ({ if: a, then: b, else: { link: 'l' } })],
    ['the sides of a fork', (a, b) => ({ if: { link: 'l' }, then: a, else: b })],
  ])('POLICY 3: also inside %s', (_, made) => {
    expect(renamed(made(ask('a'), ask('b')), name)).toEqual(made(ask('new a'), ask('new b')))
    expect(inWordsOf(made(claim('a'), claim('b')), 'org')).toEqual(made(claim('a', { names: 'org' }), claim('b', { names: 'org' })))
  })

  it('CLAIMS 5.6: only values of claims are in somebody’s words', () => {
    for (const one of [ask('a'), { link: 'l' }, { context: 'ward', eq: 'x' }] as Condition[]) expect(inWordsOf(one, 'org')).toBe(one)
  })
})

describe('POLICY 3: claims', () => {
  it('POLICY 3: an address costs least, a country less than anything else', () => {
    expect(['email', 'country', 'npi', '', 'constructor'].map(usualCost)).toEqual([10, 20, 30, 30, 30])
  })

  it('POLICY 4: addresses and subjects say who somebody is', () => {
    expect(IDENTIFYING).toEqual(['email', 'sub'])
  })
})

describe('POLICY 2: shares that people choose from', () => {
  it('POLICY 2: each with what has to be filled in', () => {
    const person = { claim: 'email', eq: '{email}' }
    const template = (of: string, needs: string[], ...all: object[]) => ({ name: of, needs, when: { all } })
    expect(TEMPLATES).toEqual([
      template('person', ['email'], person),
      template('domain', ['domain'], { claim: 'email', domain: '{domain}' }),
      template('group', ['group'], { claim: 'email', group: '{group}' }),
      template('link', ['link'], { link: '{link}' }),
      template('anyone', [], { anyone: true }),
      template('step-up', ['email', 'level', 'max_age'], person, { claim: 'acr', gte: '{level}', max_age: '{max_age}' }),
      template('for-a-purpose', ['email', 'purpose'], person, { purpose: ['{purpose}'] }),
      template('with-an-app', ['email', 'client'], person, { client: ['{client}'] }),
      template('with-proven-apps', ['email'], person, { client_trust: ['instance_key'] }),
      template('for-a-time', ['email', 'from', 'until'], person, { after: '{from}' }, { before: '{until}' }),
      template('some-times', ['email', 'max'], person, { uses: { max: '{max}', per: 'rqp' } }),
      template('ask-me-first', ['email'], person, { ask: true }),
    ])
  })
})

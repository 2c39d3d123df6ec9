// One cell: every condition of the language, negation and stages, who decides, what a decision rests on.
import { describe, expect, it } from 'vitest'
import { holds } from '../../../worker/policy/condition.ts'
import { applies, decide } from '../../../worker/policy/decide.ts'
import type { Authority, Condition, Policy, Thing, ThingType } from '../../../worker/policy/policy.ts'
import type { World } from '../../../worker/policy/world.ts'
import { bob, carol, fact, isBob, isCarol, NOW, rule, thing, world } from './worlds.ts'

const cell = { resource_id: 'photo', scope: 'view' }
const value = (when: Condition, given: Partial<World> = {}) => holds(when, cell, world(given))
const kind = (when: Condition, given: Partial<World> = {}) => value(when, given).kind
const decided = (rules: Policy[], given: Partial<World> = {}, type?: ThingType, of: Partial<Thing> = {}, scope = 'view') =>
  decide({ resource_id: 'photo', scope }, thing('photo', of), rules, type, world(given))

/** Bob, as an organisation knows him. */
const inItsWords: Condition = { claim: 'email', eq: 'b', names: 'org' }

describe('POLICY 3: conditions', () => {
  it.each<[string, Condition, Partial<World>, string, string]>([
    // What it is, the condition, where it holds; its value there and the value of its opposite.
    ['an address', isBob, { facts: [bob] }, 'true', 'false'],
    ['another address', isBob, { facts: [carol] }, 'false', 'true'],
    ['no address', isBob, {}, 'unknown', 'unknown'],
    ['one of two addresses', isBob, { facts: [carol, bob] }, 'true', 'false'],
    ['one of a list', { claim: 'email', in: ['x', 'bob'] }, { facts: [bob] }, 'true', 'false'],
    ['a domain', { claim: 'email', domain: 'clinic' }, { facts: [bob] }, 'true', 'false'],
    ['a domain of somebody who has none', { claim: 'sub', domain: 'clinic' }, { facts: [fact('sub', 's')] }, 'false', 'false'],
    ['a group', { claim: 'email', group: 'family' }, { facts: [bob] }, 'true', 'false'],
    ['a group of others', { claim: 'email', group: 'family' }, { facts: [carol] }, 'false', 'true'],
    ['a level', { claim: 'acr', gte: 2 }, { facts: [fact('acr', 'a', { level: 2 })] }, 'true', 'false'],
    ['a level too low', { claim: 'acr', gte: 3 }, { facts: [fact('acr', 'a', { level: 2 })] }, 'false', 'true'],
    ['a level of what has none', { claim: 'acr', gte: 0 }, { facts: [fact('acr', 'a')] }, 'false', 'false'],
    ['a set', { claim: 'clearance', covers: ['R'] }, { facts: [fact('clearance', 'c', { holds: ['R', 'V'] })] }, 'true', 'false'],
    ['a smaller set', { claim: 'clearance', covers: ['R', 'X'] }, { facts: [fact('clearance', 'c', { holds: ['R'] })] }, 'false', 'true'],
    ['an issuer', { claim: 'email', eq: 'bob', iss: ['a'] }, { facts: [{ ...bob, iss: 'a' }] }, 'true', 'false'],
    ['another issuer', { claim: 'email', eq: 'bob', iss: ['a'] }, { facts: [bob] }, 'unknown', 'unknown'],
    ['what nobody verified', isBob, { facts: [{ ...bob, named: true }] }, 'unknown', 'unknown'],
    [
      'what nobody verified, said by whom the rule names',
      { claim: 'email', eq: 'bob', iss: ['pep:x'] },
      { facts: [{ ...bob, iss: 'pep:x', named: true }] },
      'true',
      'false',
    ],
    ['in an organisation’s words', inItsWords, { facts: [bob, { ...bob, mac: 'b', names: 'org' }] }, 'true', 'false'],
    ['in an organisation’s words, another', inItsWords, { facts: [carol, { ...carol, mac: 'c', names: 'org' }] }, 'false', 'true'],
    ['never turned into an organisation’s words', inItsWords, { facts: [bob, { ...bob, names: 'other' }] }, 'unknown', 'unknown'],
    ['the owner’s words are not the organisation’s', isBob, { facts: [{ ...bob, names: 'org' }] }, 'unknown', 'unknown'],
    [
      'a level is the same in everybody’s words',
      { claim: 'acr', gte: 2, names: 'org' },
      { facts: [fact('acr', 'a', { level: 2 })] },
      'true',
      'false',
    ],
    ['fresh', { claim: 'email', eq: 'bob', max_age: 60 }, { facts: [{ ...bob, iat: NOW - 59 }] }, 'true', 'false'],
    ['not fresh', { claim: 'email', eq: 'bob', max_age: 60 }, { facts: [{ ...bob, iat: NOW - 60 }] }, 'unknown', 'unknown'],
    ['over', isBob, { facts: [{ ...bob, exp: NOW }] }, 'unknown', 'unknown'],
    ['of the future', isBob, { facts: [{ ...bob, iat: NOW + 61 }] }, 'unknown', 'unknown'],
    ['of a clock that is a minute ahead', isBob, { facts: [{ ...bob, iat: NOW + 60 }] }, 'true', 'false'],
    ['of no time', isBob, { facts: [{ ...bob, exp: Number.NaN }] }, 'unknown', 'unknown'],
    ['everybody', { anyone: true }, {}, 'true', 'false'],
    ['the link', { link: 'l' }, { links: ['l'] }, 'true', 'false'],
    ['no link', { link: 'l' }, {}, 'false', 'true'],
    ['the purpose', { purpose: ['A', 'B'] }, { purpose: 'B' }, 'true', 'false'],
    ['another purpose', { purpose: ['A'] }, { purpose: 'B' }, 'false', 'true'],
    ['no purpose', { purpose: ['A'] }, {}, 'unknown', 'unknown'],
    ['begun', { after: NOW }, {}, 'true', 'false'],
    ['not begun', { after: NOW + 1 }, {}, 'false', 'true'],
    ['not over', { before: NOW + 1 }, {}, 'true', 'false'],
    ['over at the instant', { before: NOW }, {}, 'false', 'true'],
    ['the app', { client: ['https://app.example'] }, {}, 'true', 'false'],
    ['another app', { client: ['https://other.example'] }, {}, 'false', 'true'],
    ['an app of some trust', { client_trust: ['attested', 'pushed'] }, {}, 'true', 'false'],
    ['an app of less', { client_trust: ['attested'] }, {}, 'false', 'true'],
    ['uses left', { uses: { key: 'k', max: 1, per: 'rqp' } }, {}, 'true', 'false'],
    ['used up', { uses: { key: 'k', max: 1, per: 'rqp' } }, { used: () => 1 }, 'false', 'true'],
    ['not answered', { ask: 'p' }, {}, 'unknown', 'unknown'],
    ['answered yes', { ask: 'p' }, { approved: () => ({ given: true, until: NOW + 1 }) }, 'true', 'false'],
    ['answered no', { ask: 'p' }, { approved: () => ({ given: false, until: NOW + 1 }) }, 'false', 'true'],
    ['answered long ago', { ask: 'p' }, { approved: () => ({ given: true, until: NOW }) }, 'unknown', 'unknown'],
    ['said by the service', { context: 'x', in: [1, 'y'] }, { context: { x: 'y' } }, 'true', 'false'],
    ['a text is no number', { context: 'x', eq: 1 }, { context: { x: '1' } }, 'false', 'true'],
    ['not said', { context: 'x', eq: true }, {}, 'false', 'true'],
    ['a word that every object knows', { context: 'constructor', eq: true }, {}, 'false', 'true'],
    // What means nothing holds in neither direction.
    ['nothing demanded', { all: [] }, {}, 'false', 'false'],
    ['nothing to choose from', { any: [] }, {}, 'false', 'false'],
    ['no stage', { seq: [] }, {}, 'false', 'false'],
    ['a list of nobody', { claim: 'email', in: [] }, { facts: [bob] }, 'false', 'false'],
    ['a form of tomorrow', { colour: 'green' } as unknown as Condition, {}, 'false', 'false'],
    ['two tests of one claim', { claim: 'email', eq: 'bob', domain: 'home' } as Condition, { facts: [bob] }, 'false', 'false'],
    ['a word too many', { ...isBob, unless: 1 } as unknown as Condition, { facts: [bob] }, 'false', 'false'],
    ['everybody, but not quite', { anyone: 'true' } as unknown as Condition, {}, 'false', 'false'],
    ['a fork whose condition means nothing', { if: { all: [] }, then: { anyone: true }, else: { anyone: true } }, {}, 'false', 'false'],
  ])('POLICY 3: %s', (_, when, given, expected, opposite) => {
    expect([kind(when, given), kind({ not: when }, given), kind({ not: { not: when } }, given)]).toEqual([expected, opposite, expected])
  })

  it('POLICY 3: a look-up that fails is false in both directions', () => {
    const isMember = () => {
      throw new Error('away')
    }
    const inGroup: Condition = { claim: 'email', group: 'family' }
    expect([kind(inGroup, { facts: [bob], isMember }), kind({ not: inGroup }, { facts: [bob], isMember })]).toEqual(['false', 'false'])
  })

  it('POLICY 3: how long it stays so', () => {
    const until = (when: Condition, given: Partial<World> = { facts: [{ ...bob, iat: NOW - 10, exp: NOW + 100 }] }) => {
      const one = value(when, given)
      return one.kind === 'true' ? one.until - NOW : one.kind
    }
    expect(until(isBob)).toBe(100)
    expect(until({ claim: 'email', eq: 'bob', max_age: 60 })).toBe(50)
    expect(until({ all: [isBob, { before: NOW + 30 }] })).toBe(30)
    expect(until({ any: [isBob, { before: NOW + 30 }] })).toBe(100)
    expect(until({ any: [isBob, { anyone: true }] })).toBe(Number.POSITIVE_INFINITY)
    expect(until({ not: { after: NOW + 7 } })).toBe(7)
    expect(until({ not: isCarol })).toBe(100)
    expect(until({ if: { after: NOW + 20 }, then: isCarol, else: isBob })).toBe(20)
  })

  it('POLICY 3: a stage does not tell of later ones, and one that fails ends it wherever it stands', () => {
    const country: Condition = { claim: 'country', eq: 'US' }
    const npi: Condition = { claim: 'npi', in: ['physician'] }
    const loa: Condition = { claim: 'loa', gte: 3 }
    const stages: Condition = {
      seq: [
        { claim: 'email', domain: 'clinic' },
        { if: country, then: npi, else: loa },
      ],
    }
    const needs = (given: Partial<World>) => {
      const one = value(stages, given)
      return one.kind === 'unknown' ? one.needs.map((set) => set.map((need) => ('claim' in need ? need.claim : need.kind))) : one.kind
    }
    const us = fact('country', 'US')
    expect(needs({})).toEqual([['email']])
    expect(needs({ facts: [bob] })).toEqual([['country']])
    expect(needs({ facts: [bob, us] })).toEqual([['npi']])
    expect(needs({ facts: [bob, fact('country', 'DE')] })).toEqual([['loa']])
    expect(needs({ facts: [bob, us, fact('npi', 'physician')] })).toBe('true')
    expect(needs({ facts: [us, fact('npi', 'nurse')] })).toBe('false')
    expect(needs({ facts: [carol] })).toBe('false')
  })

  it('POLICY 3: refuting stages does not tell of later ones either', () => {
    expect(value({ not: { seq: [isBob, { claim: 'country', eq: 'US' }] } })).toEqual({
      kind: 'unknown',
      needs: [[{ kind: 'claim', claim: 'email' }]],
    })
    expect(kind({ not: { seq: [isBob, { before: NOW }] } })).toBe('true')
  })

  it('POLICY 3: alternatives that are no better than others are not told', () => {
    const npi: Condition = { claim: 'npi', eq: 'x' }
    const fresh: Condition = { claim: 'email', eq: 'carol', max_age: 60, iss: ['a'] }
    expect(value({ any: [isBob, { all: [isCarol, npi] }, fresh] })).toEqual({
      kind: 'unknown',
      needs: [[{ kind: 'claim', claim: 'email' }]],
    })
  })

  it('POLICY 6: what grows too large is false before it is built', () => {
    const either = (at: number): Condition => ({ any: [1, 2, 3].map((n) => ({ claim: `c${at}-${n}`, eq: 'x' })) })
    const large: Condition = { all: Array.from({ length: 20 }, (_, at) => either(at)) }
    expect([kind(large), kind({ any: [large, isBob] }, { facts: [bob] })]).toEqual(['false', 'true'])
  })
})

describe('POLICY 3: rules together', () => {
  const forbidsBob = rule('f', isBob, { effect: 'forbid' })
  const all = rule('p', { anyone: true })

  it('POLICY 3: a prohibition wins, must be refuted if it is not known, and is nothing if it does not hold', () => {
    expect(decided([all, forbidsBob], { facts: [bob] })).toMatchObject({ value: { kind: 'false' }, permits: ['p'], forbids: ['f'] })
    expect(decided([all, forbidsBob]).value.kind).toBe('unknown')
    expect(decided([all, forbidsBob], { facts: [carol] })).toMatchObject({ value: { kind: 'true' }, rests: [carol.id] })
  })

  it('POLICY 3: a demand that is not met is named', () => {
    const demand = rule('r', { claim: 'clearance', covers: ['R'] }, { effect: 'require', tier: 'org' })
    expect(decided([all, demand], { facts: [fact('clearance', 'c', { holds: [] })] })).toMatchObject({
      value: { kind: 'false' },
      unmet: ['r'],
    })
    expect(decided([all, demand]).value.kind).toBe('unknown')
  })

  it('POLICY 3: the platform never grants, and its prohibitions count', () => {
    expect(decided([rule('p', { anyone: true }, { tier: 'platform' })]).value.kind).toBe('false')
    expect(decided([all, rule('x', { client: ['https://app.example'] }, { tier: 'platform', effect: 'forbid' })]).value.kind).toBe('false')
  })

  it.each<[Authority, [boolean, boolean, boolean]]>([
    ['owner', [true, false, true]],
    ['org', [false, true, true]],
    ['both', [false, false, true]],
    ['either', [true, true, true]],
  ])('WG 2016-12-15: authority of %s', (authority, expected) => {
    const mine = rule('mine', isBob)
    const theirs = rule('theirs', isBob, { tier: 'org' })
    const type = { type: 'album', implies: {}, authority }
    const got = [[mine], [theirs], [mine, theirs]].map((rules) => decided(rules, { facts: [bob] }, type).value.kind === 'true')
    expect(got).toEqual(expected)
  })

  it('POLICY 2: scopes bring others along; what is forbidden for one is so for all that bring it along', () => {
    const type: ThingType = { type: 'album', implies: { own: ['edit'], edit: ['view'] }, authority: 'owner' }
    const scopes = { scopes: ['view', 'edit', 'own'] }
    const kinds = (...rules: Policy[]) =>
      ['view', 'edit', 'own'].map((scope) => decided(rules, {}, type, scopes, scope).value.kind === 'true')
    expect(kinds(rule('p', { anyone: true }, { scopes: ['edit'] }))).toEqual([true, true, false])
    expect(kinds(all, rule('f', { anyone: true }, { effect: 'forbid', scopes: ['edit'] }))).toEqual([true, false, false])
    expect(kinds(all, rule('f', { anyone: true }, { effect: 'forbid', scopes: ['view'] }))).toEqual([false, false, false])
  })

  it('POLICY 3: a scope that the thing does not offer is not granted, whatever the rules say', () => {
    expect(decided([all], {}, undefined, {}, 'fly').value.kind).toBe('false')
    expect(decide({ resource_id: 'other', scope: 'view' }, thing('photo'), [all], undefined, world()).value.kind).toBe('false')
  })

  it.each<[string, Policy['target'], boolean]>([
    ['itself', { resources: ['photo'] }, true],
    ['another', { resources: ['other'] }, false],
    ['what it lies in, not looked into', { resources: ['album'] }, false],
    ['what it lies in', { resources: ['album'], descend: true }, true],
    ['what that lies in', { resources: ['shelf'], descend: true }, true],
    ['its type', { types: ['photo-type'] }, true],
    ['a label', { labels: ['x', 'private'] }, true],
    ['another label', { labels: ['x'] }, false],
    ['all', { all: true }, true],
    ['a target of tomorrow', { moods: ['sad'] } as unknown as Policy['target'], false],
  ])('POLICY 3: a rule about %s', (_, target, expected) => {
    const one = thing('photo', { type: 'photo-type', labels: ['private'], ancestors: ['album', 'shelf'] })
    expect(applies(rule('p', isBob, { target }), one)).toBe(expected)
  })

  it('POLICY 3: rules of tomorrow permit nothing and stand in the way', () => {
    const later = { v: 2 } as unknown as Partial<Policy>
    expect(decided([rule('p', { anyone: true }, later)]).value.kind).toBe('false')
    expect(decided([all, rule('f', isBob, { ...later, effect: 'forbid' })], { facts: [carol] })).toMatchObject({
      value: { kind: 'false' },
      failed: ['f'],
    })
    expect(decided([all, rule('f', isBob, { effect: 'advise' as Policy['effect'] })], { facts: [carol] }).value.kind).toBe('false')
    expect(applies(rule('f', isBob, { effect: 'forbid', target: { moods: ['sad'] } as unknown as Policy['target'] }), thing('photo'))).toBe(
      true,
    )
  })

  it('POLICY 4: what a decision rests on: the facts of what is true, no others; counters of permits', () => {
    const uses = { key: 'k', max: 3, per: 'rqp' } as const
    const rules = [
      rule('p', {
        all: [
          isBob,
          {
            any: [
              { claim: 'acr', gte: 2 },
              { claim: 'npi', eq: 'x' },
            ],
          },
          { uses },
        ],
      }),
      rule('f', { claim: 'country', eq: 'XX' }, { effect: 'forbid' }),
    ]
    const facts = [bob, carol, fact('acr', 'a', { level: 2 }), fact('npi', 'y'), fact('country', 'PT')]
    const found = decided(rules, { facts })
    expect(found).toMatchObject({ permits: ['p'], uses: [{ key: 'k', per: 'rqp' }] })
    expect([...found.rests].sort()).toEqual(['acr=a', 'country=PT', 'email=bob'])
    const again = decided(rules, { facts: facts.filter(({ id }) => found.rests.includes(id)) })
    expect(again.value).toEqual(found.value)
  })
})

// What readers of ODRL get, to the letter: each form of a condition, each kind of target, and everything that is not said.
import { describe, expect, it } from 'vitest'
import { type OdrlAbout, odrlPolicy } from '../../worker/policy/odrl.ts'
import type { Condition, Policy, Target, ThingType } from '../../worker/policy/policy.ts'
import { rule } from './engine.ts'

const BASE = 'https://as.example/owner'
const about: OdrlAbout = {
  base: BASE,
  owner: 'al ice',
  uid: `${BASE}/rules`,
  types: [],
  personWith: (mac) => (mac === 'bob' ? 'per 0' : undefined),
  isMulti: () => true,
}
const view = (rules: Policy[], more: Partial<OdrlAbout> = {}) => odrlPolicy(rules, { ...about, ...more })
const losses = (...args: Parameters<typeof view>) =>
  view(...args).loss.map(({ rule: of, what }) => (of === undefined ? what : `${of.replace(`${BASE}/rules/`, '')} ${what}`))
const of = (when: unknown, more: Partial<Policy> = {}) => view([rule('r', when as Condition, more)])
const FORBID = { effect: 'forbid' } as const
const bob: Condition = { claim: 'email', eq: 'bob' }
const ann: Condition = { claim: 'email', eq: 'ann mac' }
const [aBob, anAnn] = [{ '@id': `${BASE}/people/per%200` }, { '@id': `${BASE}/values/ann%20mac` }]
const constraint = (leftOperand: string, operator: string, rightOperand: unknown) => ({
  '@type': 'Constraint',
  leftOperand,
  operator,
  rightOperand,
})
const time = (value: string) => ({ '@value': value, '@type': 'xsd:dateTime' })

describe('POLICY 4: ODRL, to the letter', () => {
  it('POLICY 4: no rules are an offer of nothing', () => {
    expect(view([])).toStrictEqual({
      '@context': [
        'http://www.w3.org/ns/odrl.jsonld',
        {
          loss: { '@id': `${BASE}/odrl#loss` },
          rule: { '@id': `${BASE}/odrl#rule`, '@type': '@id' },
          what: { '@id': `${BASE}/odrl#what` },
          text: { '@id': `${BASE}/odrl#text` },
        },
      ],
      '@type': 'Offer',
      uid: `${BASE}/rules`,
      profile: `${BASE}/odrl`,
      conflict: 'prohibit',
      assigner: `${BASE}/al%20ice`,
      loss: [],
    })
  })

  it('POLICY 4: a permit and a prohibition of everything', () => {
    const all = { target: [{ '@type': 'AssetCollection', source: `${BASE}/things` }], action: 'use' }
    const both = view([rule('r/1', { anyone: true }), rule('f', { anyone: true }, FORBID)])
    expect(both.permission).toStrictEqual([{ '@type': 'Permission', uid: `${BASE}/rules/r%2F1#1`, ...all }])
    expect(both.prohibition).toStrictEqual([{ '@type': 'Prohibition', uid: `${BASE}/rules/f#1`, ...all }])
    expect(both.loss).toEqual([])
    expect(Object.keys(of({ anyone: true }))).not.toContain('prohibition')
    expect(Object.keys(of({ anyone: true }, FORBID))).not.toContain('permission')
  })

  it.each<[string, Condition, unknown[]]>([
    ['an end', { before: 0 }, [constraint('dateTime', 'lt', time('1970-01-01T00:00:00.000Z'))]],
    ['a beginning', { after: 60 }, [constraint('dateTime', 'gteq', time('1970-01-01T00:01:00.000Z'))]],
    ['after the end', { not: { before: 60 } }, [constraint('dateTime', 'gteq', time('1970-01-01T00:01:00.000Z'))]],
    ['before the beginning', { not: { after: 60 } }, [constraint('dateTime', 'lt', time('1970-01-01T00:01:00.000Z'))]],
    ['purposes', { purpose: ['A', 'B'] }, [constraint('purpose', 'isAnyOf', ['A', 'B'])]],
    ['other purposes', { not: { purpose: ['A'] } }, [constraint('purpose', 'isNoneOf', ['A'])]],
    ['apps', { client: ['a', 'b'] }, [constraint('systemDevice', 'isAnyOf', ['a', 'b'])]],
    ['other apps', { not: { client: ['a'] } }, [constraint('systemDevice', 'isNoneOf', ['a'])]],
    ['somebody else', { not: bob }, [constraint('recipient', 'neq', aBob)]],
    ['somebody of a list', { claim: 'email', in: ['bob', 'ann mac'] }, [constraint('recipient', 'isAnyOf', [aBob, anAnn])]],
    ['nobody of a list', { not: { claim: 'email', in: ['bob'] } }, [constraint('recipient', 'isNoneOf', [aBob])]],
    ['a group', { claim: 'email', group: 'g 1' }, [constraint('recipient', 'isPartOf', { '@id': `${BASE}/groups/g%201` })]],
    ['a domain', { claim: 'email', domain: 'd 1' }, [constraint('recipient', 'isPartOf', { '@id': `${BASE}/values/d%201` })]],
  ])('POLICY 4: %s', (_, when, expected) => {
    const { permission, loss } = of(when)
    expect(permission?.map((one) => one.constraint)).toStrictEqual([expected])
    expect(permission?.[0]).not.toHaveProperty('assignee')
    expect(loss).toEqual([])
    expect(of(when, FORBID).prohibition?.map((one) => one.constraint)).toStrictEqual([expected])
    expect(of(when, FORBID).loss.map(({ what }) => what)).toEqual(['unknown_forbids'])
  })

  it('POLICY 4: whoever is let in is the assignee; whoever is not is the recipient of a prohibition', () => {
    expect(of(bob).permission?.[0]).toMatchObject({ assignee: { '@type': 'Party', uid: `${BASE}/people/per%200` } })
    expect(of(bob).permission?.[0]).not.toHaveProperty('constraint')
    expect(of(bob, FORBID).prohibition?.[0]).toMatchObject({ constraint: [constraint('recipient', 'eq', aBob)] })
    expect(of(bob, FORBID).prohibition?.[0]).not.toHaveProperty('assignee')
    // Two addresses of one person: one of them is who it is.
    expect(of({ all: [ann, bob] }).permission).toMatchObject([
      { assignee: { uid: anAnn['@id'] }, constraint: [constraint('recipient', 'eq', aBob)] },
    ])
    expect(of({ any: [ann, bob] }).permission).toMatchObject([
      { uid: `${BASE}/rules/r#1`, assignee: { uid: anAnn['@id'] } },
      { uid: `${BASE}/rules/r#2`, assignee: { uid: aBob['@id'] } },
    ])
    expect(of({ all: [{ not: ann }, { claim: 'email', group: 'g' }, bob] }).permission).toMatchObject([{ assignee: { uid: aBob['@id'] } }])
  })

  it('POLICY 4: uses, for all and for each person', () => {
    const count = constraint('count', 'lteq', { '@value': '5', '@type': 'xsd:integer' })
    const uses = (per: 'rule' | 'rqp'): Condition => ({ uses: { key: 'k', max: 5, per } })
    expect(of(uses('rule'))).toMatchObject({ permission: [{ constraint: [count] }], loss: [] })
    expect(of(uses('rqp')).permission?.[0]?.constraint).toStrictEqual([
      count,
      constraint('unitOfCount', 'eq', { '@id': `${BASE}/odrl#perPerson` }),
    ])
    expect(losses([rule('r', uses('rqp'))])).toEqual(['r each_person'])
    expect(losses([rule('r', { not: uses('rule') })])).toEqual(['r way_left_out'])
    expect(of(uses('rule'), FORBID).prohibition?.[0]).not.toHaveProperty('constraint')
  })

  it('POLICY 4: the owner’s answer is a duty of a permit, and has no word elsewhere', () => {
    const duty = { '@type': 'Duty', uid: `${BASE}/rules/r#1-consent`, action: 'obtainConsent', consentingParty: `${BASE}/al%20ice` }
    expect(of({ all: [bob, { ask: 'r' }] }).permission?.[0]?.duty).toStrictEqual([duty])
    expect(of({ all: [bob, { ask: 'r' }] }).loss).toEqual([])
    expect(of({ not: { ask: 'r' } })).not.toHaveProperty('permission')
    expect(losses([rule('r', { ask: 'r' }, FORBID)])).toEqual(['r forbids_more'])
    expect(losses([rule('r', { ask: 'r' }, { effect: 'require' })])).toEqual(['r forbids_more'])
  })

  it.each<[string, Condition]>([
    ['another claim', { claim: 'sub', eq: 'x' }],
    ['a level', { claim: 'email', gte: 2 }],
    ['a set', { claim: 'email', covers: ['R'] }],
    ['nobody of a group', { not: { claim: 'email', group: 'g' } }],
    ['nobody of a domain', { not: { claim: 'email', domain: 'd' } }],
    ['a link', { link: 'l' }],
    ['what is known of apps', { client_trust: ['pushed'] }],
    ['what the server said', { context: 'ward', eq: 'x' }],
  ])('POLICY 4: %s has no word: a permit gives nothing, a prohibition forbids more', (_, when) => {
    expect(of({ all: [when, { client: ['a'] }] })).not.toHaveProperty('permission')
    expect(losses([rule('r', { all: [when, { client: ['a'] }] })])).toEqual(['r way_left_out'])
    expect(of({ any: [when, bob] }).permission).toHaveLength(1)
    const { prohibition } = of({ all: [when, { client: ['a'] }] }, FORBID)
    expect(prohibition?.map((one) => one.constraint)).toStrictEqual([[constraint('systemDevice', 'isAnyOf', ['a'])]])
    expect(losses([rule('r', when, FORBID)])).toEqual(['r forbids_more'])
  })

  it.each<[string, Target, unknown]>([
    ['things', { resources: ['a b', 'c'] }, ['a%20b', 'c'].map((id) => ({ '@type': 'Asset', uid: `${BASE}/things/${id}` }))],
    ['what lies in it', { resources: ['a'], descend: true }, [{ '@type': 'AssetCollection', source: `${BASE}/things/a` }]],
    ['types', { types: ['t 1'] }, [{ '@type': 'AssetCollection', source: `${BASE}/types/t%201` }]],
    ['labels', { labels: ['R'] }, [{ '@type': 'AssetCollection', source: `${BASE}/labels/R` }]],
    ['everything', { all: true }, [{ '@type': 'AssetCollection', source: `${BASE}/things` }]],
  ])('POLICY 4: a target: %s', (_, target, expected) => {
    const { permission, loss } = of(bob, { target })
    expect(permission?.[0]?.target).toStrictEqual(expected)
    expect(loss.map(({ what }) => what)).toEqual('descend' in target ? ['not_nested'] : [])
  })

  it('POLICY 4: actions are declared where they are named', () => {
    const action = (name: string) => ({ '@id': `${BASE}/scopes/${name}`, '@type': 'Action', includedIn: 'use' })
    expect(of(bob, { scopes: ['view', 'a b'] }).permission?.[0]?.action).toStrictEqual([action('view'), action('a%20b')])
  })

  it('POLICY 4: demands take away wherever they are not met', () => {
    expect(of({ client: ['a'] }, { effect: 'require' })).toMatchObject({
      prohibition: [{ constraint: [constraint('systemDevice', 'isNoneOf', ['a'])] }],
    })
    expect(of({ client: ['a'] }, { effect: 'require' })).not.toHaveProperty('permission')
  })

  it('POLICY 4: what ODRL does not say is told, once for each rule, in words', () => {
    const type = (more: Partial<ThingType>): ThingType => ({ type: 't', implies: {}, authority: 'owner', ...more })
    const plain = type({})
    expect(losses([], { types: [plain, type({ implies: { edit: ['view'] } })] })).toEqual(['implied_scopes'])
    expect(losses([], { types: [plain, type({ authority: 'both' })] })).toEqual(['others_decide'])
    expect(losses([], { types: [plain], isPart: false })).toEqual([])
    expect(losses([], { isPart: true })).toEqual(['one_part'])
    expect(losses([rule('r', bob, { grant: {} })])).toEqual(['r terms_not_said'])
    expect(losses([rule('r', { seq: [ann, bob] })])).toEqual(['r order_not_said'])
    expect(
      losses([
        rule('r', {
          any: [
            { ...bob, max_age: 5 },
            { ...ann, iss: ['i'] },
          ],
        }),
        rule('s', { ...bob, iss: ['i'] }),
      ]),
    ).toEqual(['r proof_not_said', 's proof_not_said'])
    expect(losses([rule('r', { claim: 'email', domain: 'd', max_age: 5 })])).toEqual(['r proof_not_said'])
    expect(losses([rule('r', { claim: 'email', gte: 2, max_age: 5 })])).toEqual(['r way_left_out'])
    expect(losses([rule('f', { ...bob, iss: ['i'] }, FORBID)])).toEqual(['f proof_not_said', 'unknown_forbids'])
  })

  it('POLICY 4: permits of others are left out, their prohibitions are not', () => {
    for (const tier of ['org', 'platform'] as const) {
      expect(view([rule('o', bob, { tier, grant: {} })])).not.toHaveProperty('permission')
      expect(losses([rule('o', bob, { tier, grant: {} })])).toEqual(['o for_members'])
      expect(view([rule('o', bob, { tier, ...FORBID })]).prohibition).toHaveLength(1)
    }
  })

  it('POLICY 6: with too many ways a permit gives nothing and a prohibition forbids everything', () => {
    const many: Condition = { any: Array.from({ length: 257 }, (_, at) => ({ claim: 'email', eq: `m${at}` })) }
    expect(view([rule('r', many)])).not.toHaveProperty('permission')
    expect(losses([rule('r', many)])).toEqual(['r too_many_ways'])
    const { prohibition } = view([rule('f', many, FORBID)])
    expect(prohibition).toMatchObject([{ uid: `${BASE}/rules/f#1` }])
    expect(prohibition?.[0]).not.toHaveProperty('constraint')
    expect(losses([rule('f', many, FORBID)])).toEqual(['f too_many_ways'])
  })

  it('POLICY 4: every loss has a sentence of its own', () => {
    const types: ThingType[] = [{ type: 't', implies: { a: ['b'] }, authority: 'org' }]
    const many: Condition = { any: Array.from({ length: 257 }, (_, at) => ({ claim: 'email', eq: `m${at}` })) }
    const rules = [
      rule('a', { link: 'l' }),
      rule('b', { all: [{ link: 'l' }, { client: ['c'] }] }, FORBID),
      rule('c', { seq: [{ ...bob, max_age: 5 }, { uses: { key: 'k', max: 2, per: 'rqp' } }] }, { grant: { pct: true } }),
      rule('d', bob, { tier: 'org' }),
      rule('e', many, { target: { resources: ['x'], descend: true } }),
    ]
    const { loss } = view(rules, { types, isPart: true })
    expect(new Set(loss.map(({ what }) => what)).size).toBe(13)
    expect(new Set(loss.map(({ text }) => text)).size).toBe(13)
    for (const { text } of loss) expect(text).toMatch(/^[A-Z].*\.$/)
    for (const one of loss) expect(Object.values(one)).not.toContain(undefined)
  })
})

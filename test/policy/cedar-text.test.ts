// What Cedar reads, to the letter: each form of a condition, and rules of each kind. Whether it means the same is Cedar's to say (cedar.test.ts).
import { describe, expect, it } from 'vitest'
import { cedarText } from '../../worker/policy/cedar.ts'
import type { Condition, ThingType } from '../../worker/policy/policy.ts'
import { rule } from './engine.ts'

const KNOWN = `((context.claims has "c") && (context.now < context.claims["c"].exp) && (context.claims["c"].iat <= context.now + 60) && (!(context.claims["c"] has named && context.claims["c"].named)))`
const EVERYTHING = { target: { all: true }, scopes: '*' } as const
const types: ThingType[] = [
  { type: 'doc', implies: { edit: ['view', 'comment'], comment: ['view'] }, authority: 'both' },
  { type: 'plain', implies: {}, authority: 'owner' },
]

describe('POLICY 4: the text for Cedar', () => {
  it.each<[string, unknown, string]>([
    ['a value', { claim: 'c', eq: 'v' }, `${KNOWN} && (context.claims["c"].mac == "v")`],
    ['values', { claim: 'c', in: ['v', 'w'] }, `${KNOWN} && (["v", "w"].contains(context.claims["c"].mac))`],
    ['a domain', { claim: 'c', domain: 'd' }, `${KNOWN} && (context.claims["c"] has domain && context.claims["c"].domain == "d")`],
    ['a group', { claim: 'c', group: 'g' }, `${KNOWN} && (context.claims["c"].groups.contains("g"))`],
    ['a level', { claim: 'c', gte: 1.5 }, `${KNOWN} && (context.claims["c"] has level && context.claims["c"].level >= 2)`],
    [
      'what it covers',
      { claim: 'c', covers: ['R', 'S'] },
      `${KNOWN} && (context.claims["c"] has holds && context.claims["c"].holds.containsAll(["R", "S"]))`,
    ],
    ['nothing that it covers', { claim: 'c', covers: [] }, `${KNOWN} && (false)`],
    [
      'issuers and age',
      { claim: 'c', eq: 'v', iss: ['i'], max_age: 59.5 },
      `((context.claims has "c") && (context.now < context.claims["c"].exp) && (context.claims["c"].iat <= context.now + 60) && (["i"].contains(context.claims["c"].iss)) && (context.now - context.claims["c"].iat < 60)) && (context.claims["c"].mac == "v")`,
    ],
    ['everybody', { anyone: true }, `(true) && (true)`],
    ['a link', { link: 'l' }, `(true) && (context.links.contains("l"))`],
    ['purposes', { purpose: ['A', 'B'] }, `(context has purpose) && (["A", "B"].contains(context.purpose))`],
    ['after', { after: 7 }, `(true) && (context.now >= 7)`],
    ['before', { before: 7.5 }, `(true) && (context.now < 8)`],
    ['apps', { client: ['a', 'b'] }, `(true) && (["a", "b"].contains(context.client.id))`],
    ['what is known of apps', { client_trust: ['pushed'] }, `(true) && (context.client.trust.containsAny(["pushed"]))`],
    ['uses', { uses: { key: 'k', max: 2, per: 'rqp' } }, `(context.used has "k/rqp") && (context.used["k/rqp"] < 2)`],
    ['an answer', { ask: 'r' }, `(context.answers has "r") && (context.answers["r"])`],
    ['a value of the context', { context: 'ward', eq: 'x' }, `(true) && (context.said has "ward" && ["x"].contains(context.said["ward"]))`],
    [
      'values of the context',
      { context: 'ward', in: [1, true, 1.5] },
      `(true) && (context.said has "ward" && [1, true, "number 1.5"].contains(context.said["ward"]))`,
    ],
    ['a form of tomorrow', { colour: 'green' }, `(false) && (false)`],
    ['all', { all: [{ link: 'l' }, { after: 7 }] }, `((true) && (context.links.contains("l"))) && ((true) && (context.now >= 7))`],
    ['stages', { seq: [{ link: 'l' }, { after: 7 }] }, `((true) && (context.links.contains("l"))) && ((true) && (context.now >= 7))`],
    ['any', { any: [{ link: 'l' }, { after: 7 }] }, `((true) && (context.links.contains("l"))) || ((true) && (context.now >= 7))`],
    ['the opposite', { not: { link: 'l' } }, `(true) && (!(context.links.contains("l")))`],
    [
      'the opposite of all',
      { not: { all: [{ link: 'l' }, { after: 7 }] } },
      `((true) && (!(context.links.contains("l")))) || ((true) && (!(context.now >= 7)))`,
    ],
    [
      'the opposite of stages',
      { not: { seq: [{ link: 'l' }, { after: 7 }] } },
      `((true) && (!(context.links.contains("l")))) || ((true) && (!(context.now >= 7)))`,
    ],
    [
      'the opposite of any',
      { not: { any: [{ link: 'l' }, { after: 7 }] } },
      `((true) && (!(context.links.contains("l")))) && ((true) && (!(context.now >= 7)))`,
    ],
    [
      'a fork',
      { if: { link: 'l' }, then: { after: 7 }, else: { before: 3 } },
      `(((true) && (context.links.contains("l"))) && ((true) && (context.now >= 7))) || (((true) && (!(context.links.contains("l")))) && ((true) && (context.now < 3))) || (((true) && (context.now >= 7)) && ((true) && (context.now < 3)))`,
    ],
    [
      'the opposite of a fork',
      { not: { if: { link: 'l' }, then: { after: 7 }, else: { before: 3 } } },
      `(((true) && (context.links.contains("l"))) && ((true) && (!(context.now >= 7)))) || (((true) && (!(context.links.contains("l")))) && ((true) && (!(context.now < 3)))) || (((true) && (!(context.now >= 7))) && ((true) && (!(context.now < 3))))`,
    ],
    ['all of nothing', { all: [] }, `false`],
    ['any of nothing', { any: [] }, `false`],
    ['the opposite of nothing', { not: { all: [] } }, `false`],
    ['strange letters', { link: '"\\é😀' }, `(true) && (context.links.contains("\\"\\\\\\u{e9}\\u{1f600}"))`],
  ])('POLICY 4: %s', (_, when, clause) => {
    expect(cedarText([rule('p', when as Condition, EVERYTHING)], [])).toBe(
      `@id("p")\npermit (principal, action, resource)\nwhen { ["owner", "either"].contains(resource.authority) }\nwhen { ${clause} };\n`,
    )
  })

  const owner = rule('o', { anyone: true }, { target: { labels: ['x'] }, scopes: ['edit'] })
  const org = rule('g', { anyone: true }, { tier: 'org', target: { resources: ['one'] }, scopes: '*' })

  it('POLICY 2: rules of each kind, what scopes bring along, and pairs where both must agree', () => {
    const rules = [
      rule('f', { link: 'l' }, { effect: 'forbid', target: { all: true }, scopes: ['view'] }),
      rule('r', { link: 'l' }, { effect: 'require', target: { types: ['T', 'U'] }, scopes: '*' }),
      owner,
      org,
      rule('n', { anyone: true }, { tier: 'platform', target: { all: true }, scopes: '*' }),
      rule('d', { anyone: true }, { target: { resources: ['a', 'b'], descend: true }, scopes: '*' }),
    ]
    expect(cedarText(rules, types)).toBe(`@id("f")
forbid (principal, action, resource)
when { ([Action::"view"].contains(action)) || (resource has type && resource.type == "doc" && [Action::"edit", Action::"comment"].contains(action)) }
unless { (true) && (!(context.links.contains("l"))) };

@id("r")
forbid (principal, action, resource)
when { resource has type && ["T", "U"].contains(resource.type) }
unless { (true) && (context.links.contains("l")) };

@id("o")
permit (principal, action, resource)
when { ["owner", "either"].contains(resource.authority) }
when { resource.labels.containsAny(["x"]) }
when { ([Action::"edit"].contains(action)) || (resource has type && resource.type == "doc" && [Action::"view", Action::"comment"].contains(action)) }
when { (true) && (true) };

@id("g")
permit (principal, action, resource)
when { ["org", "either"].contains(resource.authority) }
when { [Thing::"one"].contains(resource) }
when { (true) && (true) };

@id("d")
permit (principal, action, resource)
when { ["owner", "either"].contains(resource.authority) }
when { resource in [Thing::"a", Thing::"b"] }
when { (true) && (true) };

@id("o and g")
permit (principal, action, resource)
when { resource.authority == "both" }
when { resource.labels.containsAny(["x"]) }
when { ([Action::"edit"].contains(action)) || (resource has type && resource.type == "doc" && [Action::"view", Action::"comment"].contains(action)) }
when { (true) && (true) }
when { [Thing::"one"].contains(resource) }
when { (true) && (true) };

@id("d and g")
permit (principal, action, resource)
when { resource.authority == "both" }
when { resource in [Thing::"a", Thing::"b"] }
when { (true) && (true) }
when { [Thing::"one"].contains(resource) }
when { (true) && (true) };
`)
  })

  it('POLICY 8d: an emergency, for those who have a say and for what types declare', () => {
    const when: Condition = { all: [{ link: 'l' }, { break_glass: true }] }
    const declaring = types.map((type) => (type.type === 'doc' ? { ...type, break_glass: ['view', 'edit'] } : type))
    const rules = (['owner', 'org', 'platform'] as const).map((tier) => rule(tier, when, { ...EVERYTHING, tier }))
    const said = (tier: string, declared: string) => `@id("${tier}")
permit (principal, action, resource)
when { ["${tier}", "either", "both"].contains(resource.authority) }
when { ${declared} }
when { ((true) && (context.links.contains("l"))) && ((true) && (context has purpose && context.purpose == "BTG")) };
`
    const doc = `(resource has type && resource.type == "doc" && [Action::"view", Action::"edit"].contains(action))`
    expect(cedarText(rules, declaring)).toBe(`${said('owner', doc)}\n${said('org', doc)}`)
    expect(cedarText(rules.slice(0, 1), types)).toBe(said('owner', 'false'))
  })

  it('POLICY 2: scopes that bring each other along are told once', () => {
    const round: ThingType = { type: 'r', implies: { a: ['b'], b: ['a', 'c'] }, authority: 'owner' }
    const clause = (scopes: string, more: string) =>
      `when { ([${scopes}].contains(action)) || (resource has type && resource.type == "r" && [${more}].contains(action)) }`
    const told = (scopes: string[], effect: 'permit' | 'forbid') =>
      cedarText([rule('p', { anyone: true }, { target: { all: true }, scopes, effect })], [round])
    expect(told(['a'], 'permit')).toContain(clause('Action::"a"', 'Action::"b", Action::"c"'))
    expect(told(['c'], 'forbid')).toContain(clause('Action::"c"', 'Action::"a", Action::"b"'))
    expect(told(['c'], 'permit')).toContain('when { [Action::"c"].contains(action) }')
  })

  it('POLICY 2: where nowhere both must agree, no pairs are written', () => {
    expect(cedarText([owner, org], types.slice(1))).not.toContain(' and ')
    expect(cedarText([owner, org], types)).toContain('@id("o and g")')
    expect(cedarText([owner, owner], types)).not.toContain('@id("o and o")')
  })
})

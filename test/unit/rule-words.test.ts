// The sentence of a rule: what is enforced, each condition once, nothing else; in every language.
import { describe, expect, it } from 'vitest'
import type { RuleWordsIn, SpokenCondition } from '../../shared/condition-words.ts'
import { fillRule, policySentence, ruleSentence, type SpokenRule, waySentence } from '../../shared/rule-words.ts'
import type { Condition, Policy } from '../../worker/policy/policy.ts'

const NOW = Date.UTC(2026, 3, 20, 10) / 1000
const friday = Date.UTC(2026, 3, 25) / 1000
const en: RuleWordsIn = { lang: 'en', timeZone: 'UTC', now: NOW, nameOf: (value) => (value === 'bob' ? '{person:7}' : undefined) }
const isBob: SpokenCondition = { claim: 'email', eq: 'bob' }
const say = (when: SpokenCondition, more: Partial<SpokenRule> = {}, words = en) =>
  ruleSentence({ effect: 'permit', target: { resources: ['r'] }, scopes: ['view'], when, ...more }, words)

describe('POLICY 4: the sentence of a rule', () => {
  it.each<[string, SpokenCondition, Partial<SpokenRule>, string]>([
    ['a share', { all: [isBob, { before: friday }] }, {}, '{person:7} may view {thing} until Friday, 24 April'],
    ['one person', isBob, { scopes: ['view', 'edit'] }, '{person:7} may view and edit {thing}'],
    ['a person of the wallet', { claim: 'email', person: '9' }, { scopes: '*' }, '{person:9} may do everything with {thing}'],
    ['somebody unknown', { claim: 'email', eq: 'x_-Y' }, {}, '{mac:x_-Y} may view {thing}'],
    ['everybody', { anyone: true }, {}, 'everybody may view {thing}'],
    ['whoever has the link', { link: 'x' }, {}, 'everybody who has the secret link may view {thing}'],
    ['a domain', { claim: 'email', domain: 'd' }, {}, 'everybody with an e-mail address at {mac:d} may view {thing}'],
    ['a group', { claim: 'email', group: 'g' }, {}, 'everybody in {group:g} may view {thing}'],
    ['after you agree', { all: [isBob, { ask: 'p' }] }, {}, '{person:7} may view {thing}, provided that you agree when asked'],
    [
      'the rule of POLICY 2',
      {
        all: [
          { claim: 'email', eq: 'bob', iss: ['https://idp.example'], max_age: 86_400 },
          { purpose: ['TREAT'] },
          { before: friday },
          { client: ['https://ehr.example/client.json'] },
          { uses: { max: 5, per: 'rqp' } },
          { claim: 'acr', gte: 2, max_age: 600 },
          { ask: true },
        ],
      },
      {},
      '{person:7} [vouched for by “https://idp.example”; proof at most 1 day old] may view {thing} until Friday, 24 April, provided that ' +
        'the purpose is “TREAT” and the app is “https://ehr.example/client.json” and each person has used it fewer than 5 times and ' +
        'the strength of the sign-in is at least 2 [proof at most 10 minutes old] and you agree when asked',
    ],
    ['an app forbidden', { client: ['evil'] }, { effect: 'forbid' }, 'nobody may view {thing}, if the app is “evil”'],
    ['a person forbidden', isBob, { effect: 'forbid', scopes: ['view', 'edit'] }, '{person:7} may not view or edit {thing}'],
    [
      'a group forbidden',
      { claim: 'email', group: 'g' },
      { effect: 'forbid' },
      'nobody may view {thing}, if the e-mail address belongs to {group:g}',
    ],
    [
      'all forbidden for a while',
      { all: [{ anyone: true }, { after: friday }] },
      { effect: 'forbid', scopes: '*' },
      'nobody may do anything with {thing} from Saturday, 25 April',
    ],
    [
      'what is demanded',
      { claim: 'clearance', covers: ['R', 'V'] },
      { effect: 'require', target: { labels: ['R'] } },
      'nobody may view everything labelled “R”, unless the clearance covers “R” and “V”',
    ],
    ['several things', isBob, { target: { resources: ['a', 'b'] } }, '{person:7} may view {thing:a} and {thing:b}'],
    ['what is inside', isBob, { target: { resources: ['a'], descend: true } }, '{person:7} may view {thing} and all that is in it'],
    ['a kind', isBob, { target: { types: ['x'] } }, '{person:7} may view everything of the kind “x”'],
    ['everything', isBob, { target: { all: true } }, '{person:7} may view everything'],
    [
      'stages and forks',
      {
        seq: [
          { claim: 'email', domain: 'd' },
          { if: { claim: 'country', eq: 'us' }, then: { claim: 'npi_role', in: ['a', 'b'] }, else: { claim: 'eid_loa', gte: 3 } },
        ],
      },
      {},
      'everybody may view {thing}, provided that first the e-mail address is one at {mac:d}, then (in case the country is {mac:us}: the ' +
        'professional role is one of {mac:a} or {mac:b}; in any other case: the assurance of the electronic identity is at least 3)',
    ],
    [
      'what is not',
      { all: [{ not: { any: [{ client: ['a'] }, isBob] } }, { not: { purpose: ['x'] } }, { not: { after: friday } }] },
      {},
      'everybody may view {thing}, provided that not (the app is “a” or the e-mail address is {person:7}) and the purpose is not “x” and ' +
        'the time is Friday, 24 April at the latest',
    ],
    ['what the service says', { context: 'x', eq: true }, {}, 'everybody may view {thing}, provided that the service says that “x” is yes'],
    [
      'a text that looks like a placeholder',
      { client: ['{person:1}'] },
      {},
      'everybody may view {thing}, provided that the app is “person:1”',
    ],
    [
      'one time',
      { all: [isBob, { uses: { max: 1, per: 'rule' } }, { uses: { max: 1, per: 'rqp' } }] },
      {},
      '{person:7} may view {thing}, provided that nobody has used it yet and the person has not used it yet',
    ],
    ['a list of nobody', { all: [] }, {}, 'everybody may view {thing}, provided that something happens that cannot be'],
  ])('POLICY 4: %s', (_, when, more, sentence) => {
    expect(say(when, more)).toBe(sentence)
  })

  it.each([
    [
      'de',
      'jede Person in {group:g} darf {thing} bis Freitag, 24. April ansehen, wenn gilt: die App ist nicht „evil“ und Sie stimmen auf Nachfrage zu',
    ],
    [
      'pt',
      'qualquer pessoa em {group:g} pode ver {thing} até sexta-feira, 24 de abril, desde que se verifique: a aplicação não é «evil» e concorda quando lhe é perguntado',
    ],
  ] as const)('POLICY 4: in %s', (lang, sentence) => {
    expect(
      say({ all: [{ claim: 'email', group: 'g' }, { before: friday }, { not: { client: ['evil'] } }, { ask: 'p' }] }, {}, { ...en, lang }),
    ).toBe(sentence)
  })

  it('POLICY 4: one way of being let in', () => {
    const way: readonly Condition[] = [isBob as Condition, { client: ['a'] }, { before: friday }]
    expect(waySentence(way, ['view'], en)).toBe('{person:7} may view {thing} until Friday, 24 April, provided that the app is “a”')
    expect(waySentence([], '*', en)).toBe('everybody may do everything with {thing}')
  })

  it('DESIGN 5.7: names are put in where they belong, and are nothing but names', () => {
    const sentence = say(
      { all: [{ claim: 'email', group: 'g' }, { not: { claim: 'country', eq: 'm' } }] },
      { target: { resources: ['a', 'b'] } },
    )
    expect(fillRule(sentence, (kind, id) => `<${kind} ${id} {thing} $&>`)).toBe(
      'everybody in <group g {thing} $&> may view <thing a {thing} $&> and <thing b {thing} $&>, provided that the country is not <mac m {thing} $&>',
    )
    expect(fillRule('{thing} {person}', (kind, id) => `${kind}${id ?? '!'}`)).toBe('thing! person!')
  })

  it.each(['en', 'de', 'pt'] as const)('POLICY 4: a share is said alike wherever it is said, in %s', (lang) => {
    const [from, until] = [NOW + 86_400, friday]
    const words = { lang, timeZone: 'Europe/Lisbon', now: NOW }
    for (const times of [{}, { from }, { until }, { from, until }]) {
      const when: SpokenCondition[] = [
        isBob,
        ...('from' in times ? [{ after: from }] : []),
        ...('until' in times ? [{ before: until }] : []),
      ]
      expect(say({ all: when }, { scopes: ['view', 'x'] }, { ...words, nameOf: () => '{person}' })).toBe(
        policySentence({ resource_scopes: ['view', 'x'], ...times }, words),
      )
    }
  })

  it('POLICY 4: what the engine reads is said as it is', () => {
    const policy: Policy = { v: 1, id: 'p', rev: 1, tier: 'org', effect: 'require', target: { all: true }, scopes: '*', when: { ask: 'p' } }
    expect(ruleSentence(policy, en)).toBe('nobody may do anything with everything, unless you agree when asked')
  })
})

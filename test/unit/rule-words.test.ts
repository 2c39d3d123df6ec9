// The sentence of a rule: what is enforced, each condition once, nothing else; in every language.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionWords, type RuleWordsIn, type SpokenAtom, type SpokenCondition } from '../../shared/condition-words.ts'
import { policySentence } from '../../shared/policy-words.ts'
import { EN, type RulePhrases } from '../../shared/rule-phrases.ts'
import { DE } from '../../shared/rule-phrases-de.ts'
import { PT } from '../../shared/rule-phrases-pt.ts'
import { fillRule, ruleSentence, type SpokenRule, waySentence } from '../../shared/rule-words.ts'
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

/** Atoms by number: each kind, told apart by a value that occurs in no other one. */
const atomOf = (at: number): SpokenAtom => {
  const kinds: readonly SpokenAtom[] = [
    { claim: 'email', eq: `m${at}` },
    { claim: 'email', domain: `m${at}`, max_age: 60 },
    { claim: 'email', group: `m${at}`, iss: ['i'] },
    { claim: 'acr', gte: 1000 + at },
    { claim: 'roles', covers: [`m${at}`] },
    { purpose: [`m${at}`] },
    { client: [`m${at}`] },
    { context: `m${at}`, eq: 'x' },
    { uses: { max: 1000 + at, per: 'rqp' } },
  ]
  return kinds[at % kinds.length] as SpokenAtom
}

/** Trees whose atoms are numbered from left to right. */
const anyTree: fc.Arbitrary<SpokenCondition> = fc
  .letrec<{ c: SpokenCondition }>((tie) => ({
    c: fc.oneof(
      { maxDepth: 3 },
      { weight: 3, arbitrary: fc.constant<SpokenCondition>({ anyone: true }) },
      { weight: 2, arbitrary: fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((all): SpokenCondition => ({ all })) },
      { weight: 2, arbitrary: fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((any): SpokenCondition => ({ any })) },
      { weight: 1, arbitrary: fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((seq): SpokenCondition => ({ seq })) },
      { weight: 1, arbitrary: tie('c').map((not): SpokenCondition => ({ not })) },
      { weight: 1, arbitrary: fc.tuple(tie('c'), tie('c'), tie('c')).map(([a, b, c]): SpokenCondition => ({ if: a, then: b, else: c })) },
    ),
  }))
  .c.map((tree) => {
    let count = 10
    const numbered = (one: SpokenCondition): SpokenCondition => {
      if ('all' in one) return { all: one.all.map(numbered) }
      if ('any' in one) return { any: one.any.map(numbered) }
      if ('seq' in one) return { seq: one.seq.map(numbered) }
      if ('not' in one) return { not: numbered(one.not) }
      if ('if' in one) return { if: numbered(one.if), then: numbered(one.then), else: numbered(one.else) }
      return atomOf(count++)
    }
    return numbered(tree)
  })

const atomsOf = (one: SpokenCondition): SpokenAtom[] => {
  if ('all' in one) return one.all.flatMap(atomsOf)
  if ('any' in one) return one.any.flatMap(atomsOf)
  if ('seq' in one) return one.seq.flatMap(atomsOf)
  if ('not' in one) return atomsOf(one.not)
  return 'if' in one ? [one.if, one.then, one.else].flatMap(atomsOf) : [one]
}

/** The tree as a structure: lists of one are what they hold, atoms are the numbers of their clauses. */
type Form = string | [string, ...Form[]]
const formOf = (one: SpokenCondition, numberOf: (atom: SpokenAtom) => number): Form => {
  const many = (kind: string, parts: readonly SpokenCondition[]): Form => {
    const forms = parts.map((part) => formOf(part, numberOf))
    return forms.length === 1 && forms[0] !== undefined ? forms[0] : [kind, ...forms]
  }
  if ('all' in one) return many('all', one.all)
  if ('any' in one) return many('any', one.any)
  if ('seq' in one) return many('seq', one.seq)
  if ('if' in one) return ['if', ...[one.if, one.then, one.else].map((part) => formOf(part, numberOf))]
  if (!('not' in one)) return `#${numberOf(one)}`
  const inner = one.not
  const isAtom = !('all' in inner || 'any' in inner || 'seq' in inner || 'not' in inner || 'if' in inner)
  return isAtom ? `!${numberOf(inner)}` : ['not', formOf(inner, numberOf)]
}

/** Reads the clauses back: atoms are `#n` and `!n` already, everything else is what stands between them. */
const readBack = (text: string, { and, or, first, next, fork, not }: RulePhrases): Form => {
  const [when = '', yes = '', no = ''] = fork('\0', '\0', '\0').split('\0')
  let rest = text
  const take = (word: string): boolean => {
    if (!rest.startsWith(word)) return false
    rest = rest.slice(word.length)
    return true
  }
  const must = (word: string): void => {
    if (!take(word)) throw new Error(`"${word}" expected at "${rest}"`)
  }
  const item = (): Form => {
    const atom = /^[#!]\d+/.exec(rest)?.[0]
    if (atom !== undefined) {
      must(atom)
      return atom
    }
    const isNot = take(not('('))
    if (!isNot) must('(')
    const inner = list()
    must(')')
    return isNot ? ['not', inner] : inner
  }
  const more = (kind: string, word: string, start: Form): Form => {
    const all: Form[] = [start]
    while (take(word)) all.push(item())
    return all.length === 1 ? start : [kind, ...all]
  }
  const list = (): Form => {
    if (take(first)) return more('seq', next, item())
    if (take(when)) {
      const parts = [item()]
      must(yes)
      parts.push(item())
      must(no)
      parts.push(item())
      return ['if', ...parts]
    }
    const start = item()
    if (rest.startsWith(and)) return more('all', and, start)
    return more('any', or, start)
  }
  const form = list()
  if (rest !== '') throw new Error(`"${rest}" is left`)
  return form
}

describe.each([
  ['en', EN],
  ['de', DE],
  ['pt', PT],
] as const)('POLICY 4: the sentence and the rule are one, in %s', (lang, phrases) => {
  const words: RuleWordsIn = { ...en, lang, nameOf: undefined }

  it('POLICY 4: every condition is told once, whatever the rule does', () => {
    fc.assert(
      fc.property(anyTree, fc.constantFrom<SpokenRule['effect']>('permit', 'forbid', 'require'), (when, effect) => {
        const sentence = say(when, { effect }, words)
        for (const atom of atomsOf(when)) {
          const mark = /m\d+|1\d\d\d/.exec(JSON.stringify(atom))?.[0] ?? ''
          expect([...sentence.matchAll(new RegExp(`${mark}(?!\\d)`, 'g'))]).toHaveLength(1)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('POLICY 4: what is joined, what is not, what comes first and what depends can be read back', () => {
    fc.assert(
      fc.property(anyTree, (when) => {
        const atoms = atomsOf(when)
        let text = conditionWords(when, words)
        for (const [at, atom] of atoms.entries()) {
          // The longer one first: it may contain the other.
          const said = [`#${at}`, `!${at}`].map((token, index) => ({
            token,
            clause: conditionWords(index === 0 ? atom : { not: atom }, words),
          }))
          for (const { token, clause } of said.sort((a, b) => b.clause.length - a.clause.length)) text = text.replace(clause, () => token)
        }
        expect(readBack(text, phrases)).toEqual(formOf(when, (atom) => atoms.indexOf(atom)))
      }),
      { numRuns: 500 },
    )
  })
})

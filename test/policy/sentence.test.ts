// The sentence of a rule is the rule (POLICY 4): every condition, scope, thing and term is told once and nothing else, what is joined can be read
// back, and whatever changes the rule changes the sentence. Random rules, in every language.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionWords, type RuleWordsIn, type SpokenAtom, type SpokenCondition } from '../../shared/condition-words.ts'
import { actionWords } from '../../shared/policy-words.ts'
import { type SpokenType, scopesAlong } from '../../shared/rule-along.ts'
import { EN, type RulePhrases } from '../../shared/rule-phrases.ts'
import { DE } from '../../shared/rule-phrases-de.ts'
import { PT } from '../../shared/rule-phrases-pt.ts'
import { policySentence, ruleSentence, type SpokenRule } from '../../shared/rule-words.ts'
import type { Policy } from '../../worker/policy/policy.ts'
import { SCOPES } from './arbitraries.ts'
import { isAbout, isOf } from './reference.ts'
import { tried } from './runs.ts'

const NOW = Date.UTC(2026, 3, 20, 10) / 1000

type Terms = { iss?: readonly string[]; max_age?: number }
/** Atoms by number: each kind, told apart by a value that occurs in no other one. Instants are told apart by the year. */
const atomOf = (at: number, kind: number, terms: Terms): SpokenAtom => {
  const named: Terms = terms.iss === undefined ? terms : { ...terms, iss: terms.iss.map((one) => `${one}${at}`) }
  const year = Date.UTC(3000 + at, 5, 15, 12) / 1000
  const kinds: readonly SpokenAtom[] = [
    { claim: 'email', eq: `m${at}`, ...named },
    { claim: 'email', domain: `m${at}`, ...named },
    { claim: 'email', group: `m${at}`, ...named },
    { claim: 'country', in: [`m${at}`, `n${at}`], ...named },
    { claim: 'unheard_of', eq: `m${at}`, ...named },
    { claim: 'acr', gte: 1000 + at, ...named },
    { claim: 'roles', covers: [`m${at}`, `n${at}`], ...named },
    { purpose: [`m${at}`] },
    { purpose: [`m${at}`, `n${at}`] },
    { client: [`m${at}`] },
    { client: [`m${at}`, `n${at}`] },
    { context: `m${at}`, eq: 'x' },
    { context: `m${at}`, in: ['x', 7] },
    { uses: { max: 1000 + at, per: 'rqp' } },
    { uses: { max: 1000 + at, per: 'rule' } },
    { after: year },
    { before: year },
  ]
  return kinds[kind % kinds.length] as SpokenAtom
}

/** What an atom must be heard by. */
const marksOf = (atom: SpokenAtom): string[] => {
  const instant = 'after' in atom ? atom.after : 'before' in atom ? atom.before : undefined
  if (instant !== undefined) return [String(new Date(instant * 1000).getUTCFullYear())]
  return [...JSON.stringify(atom).matchAll(/\b[mnij]\d+\b|\b1\d\d\d\b/g)].map(([mark]) => mark)
}
/** Everything in a text that some atom is heard by. */
const heard = (text: string): string[] => [...text.matchAll(/\b[mnijRKLS]\d+\b|\b[13]\d\d\d\b/g)].map(([mark]) => mark).sort()

type Drawn = { kind: number; terms: Terms }
const anyAtom: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.nat(16),
  terms: fc.record(
    { iss: fc.constantFrom(['i'], ['i', 'j']), max_age: fc.constantFrom(1, 90, 600, 86_400) },
    { requiredKeys: [], noNullPrototype: true },
  ),
})
/** Trees whose atoms are numbered from left to right. */
const anyTree: fc.Arbitrary<SpokenCondition> = fc
  .letrec<{ c: unknown }>((tie) => ({
    c: fc.oneof(
      { maxDepth: 3 },
      { weight: 3, arbitrary: anyAtom },
      { weight: 2, arbitrary: fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })) },
      { weight: 2, arbitrary: fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
      { weight: 1, arbitrary: fc.array(tie('c'), { minLength: 1, maxLength: 3 }).map((seq) => ({ seq })) },
      { weight: 1, arbitrary: tie('c').map((not) => ({ not })) },
      { weight: 1, arbitrary: fc.tuple(tie('c'), tie('c'), tie('c')).map(([a, b, c]) => ({ if: a, then: b, else: c })) },
    ),
  }))
  .c.map((tree) => {
    let count = 10
    return mapped(tree as SpokenCondition, (one) => atomOf(count++, (one as unknown as Drawn).kind, (one as unknown as Drawn).terms))
  })

function mapped(one: SpokenCondition, atom: (one: SpokenCondition) => SpokenCondition): SpokenCondition {
  const inner = (part: SpokenCondition) => mapped(part, atom)
  if ('all' in one) return { all: one.all.map(inner) }
  if ('any' in one) return { any: one.any.map(inner) }
  if ('seq' in one) return { seq: one.seq.map(inner) }
  if ('not' in one) return { not: inner(one.not) }
  return 'if' in one ? { if: inner(one.if), then: inner(one.then), else: inner(one.else) } : atom(one)
}

const anyTarget: fc.Arbitrary<SpokenRule['target']> = fc.oneof(
  fc.record({ resources: fc.subarray(['R0', 'R1', 'R2'], { minLength: 1 }), descend: fc.constantFrom(true, false, undefined) }),
  fc.record({ types: fc.subarray(['K0', 'K1', 'K2'], { minLength: 1 }) }),
  fc.record({ labels: fc.subarray(['L0', 'L1'], { minLength: 1 }) }),
  fc.constant<SpokenRule['target']>({ all: true }),
)
const anyScopes: fc.Arbitrary<SpokenRule['scopes']> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<SpokenRule['scopes']>('*') },
  { weight: 4, arbitrary: fc.subarray(['view', 'edit', 'print', 'S0', 'S1', 'https://x.example/S2'], { minLength: 1 }) },
)
const anyAlong: fc.Arbitrary<NonNullable<SpokenRule['along']>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.constantFrom<NonNullable<SpokenRule['along']>>(
    [{ scopes: ['S8'] }],
    [
      { scopes: ['S8', 'comment'], types: ['K8'] },
      { scopes: ['S9'], types: ['K9'] },
    ],
  ),
)
const anyRule: fc.Arbitrary<SpokenRule> = fc.record({
  effect: fc.constantFrom('permit', 'forbid', 'require'),
  target: anyTarget,
  scopes: anyScopes,
  when: anyTree,
  along: anyAlong,
})

const namesIn = (target: SpokenRule['target']): readonly string[] => {
  // One thing alone is `{thing}`, without its id.
  if ('resources' in target) return target.resources.length === 1 ? [] : target.resources
  return 'types' in target ? target.types : 'labels' in target ? target.labels : []
}
const opaque = (scopes: readonly string[]): string[] => scopes.flatMap((scope) => /S\d/.exec(scope)?.[0] ?? [])

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

/** One change of a rule, each of which means something else. */
const CHANGES: Readonly<Record<string, (rule: SpokenRule, at: number) => SpokenRule | undefined>> = {
  'another effect': (rule, at) => ({
    ...rule,
    effect:
      (['permit', 'forbid', 'require'] as const)[(['permit', 'forbid', 'require'].indexOf(rule.effect) + 1 + (at % 2)) % 3] ?? 'permit',
  }),
  'one more scope': (rule) => (rule.scopes === '*' ? undefined : { ...rule, scopes: [...rule.scopes, 'S7'] }),
  'one scope less': (rule) => (rule.scopes === '*' || rule.scopes.length < 2 ? undefined : { ...rule, scopes: rule.scopes.slice(1) }),
  'all scopes': (rule) => (rule.scopes === '*' ? undefined : { ...rule, scopes: '*' }),
  'one more that comes along': (rule) => ({ ...rule, along: [...(rule.along ?? []), { scopes: ['S7'] }] }),
  'what lies in it': ({ target, ...rule }) =>
    'resources' in target ? { ...rule, target: { ...target, descend: target.descend !== true } } : undefined,
  'one more thing': ({ target, ...rule }) =>
    'resources' in target ? { ...rule, target: { ...target, resources: [...target.resources, 'R7'] } } : undefined,
  everything: ({ target, ...rule }) => ('all' in target ? undefined : { ...rule, target: { all: true } }),
  'the opposite of one': (rule, at) => changedAtom(rule, at, (atom) => ({ not: atom })),
  'another value': (rule, at) => changedAtom(rule, at, (_, kind) => atomOf(99, kind, {})),
  'another issuer': (rule, at) =>
    changedAtom(rule, at, (atom) => ('claim' in atom ? ({ ...atom, iss: ['i99'] } as SpokenCondition) : { not: atom })),
  'another age': (rule, at) =>
    changedAtom(rule, at, (atom) => ('claim' in atom ? ({ ...atom, max_age: 77 } as SpokenCondition) : { not: atom })),
  'one of several instead of all': ({ when, ...rule }) =>
    'all' in when && when.all.length > 1 ? { ...rule, when: { any: when.all } } : undefined,
  'stages instead of all': ({ when, ...rule }) => ('all' in when && when.all.length > 1 ? { ...rule, when: { seq: when.all } } : undefined),
  'the branches the other way round': ({ when, ...rule }) =>
    'if' in when ? { ...rule, when: { if: when.if, then: when.else, else: when.then } } : undefined,
}
const changedAtom = (rule: SpokenRule, at: number, change: (atom: SpokenAtom, kind: number) => SpokenCondition): SpokenRule => {
  let [count, chosen] = [0, at % atomsOf(rule.when).length]
  return { ...rule, when: mapped(rule.when, (atom) => (count++ === chosen ? change(atom as SpokenAtom, at) : atom)) }
}

describe.each([
  ['en', EN],
  ['de', DE],
  ['pt', PT],
] as const)('POLICY 4: the sentence and the rule are one, in %s', (lang, phrases) => {
  const words: RuleWordsIn = { lang, timeZone: 'UTC', now: NOW }
  const say = (rule: SpokenRule): string => ruleSentence(rule, words)

  it('POLICY 4: every condition, scope, thing and term is told once, and nothing else', () => {
    tried(
      fc.property(anyRule, (rule) => {
        const sentence = say(rule)
        const along = rule.along ?? []
        const scopes = [...(rule.scopes === '*' ? [] : rule.scopes), ...along.flatMap((one) => one.scopes)]
        const marks = [
          ...atomsOf(rule.when).flatMap(marksOf),
          ...namesIn(rule.target),
          ...opaque(scopes),
          ...along.flatMap(({ types }) => types ?? []),
        ]
        expect(heard(sentence)).toEqual(marks.sort())
        expect(sentence.split('{thing}').length - 1).toBe('resources' in rule.target && rule.target.resources.length === 1 ? 1 : 0)
        if (rule.scopes !== '*')
          expect(sentence).toContain(actionWords(rule.scopes, lang, {}, rule.effect === 'permit' ? 'conjunction' : 'disjunction'))
        for (const one of along) expect(sentence).toContain(actionWords(one.scopes, lang))
        const ages = atomsOf(rule.when).filter((atom) => 'claim' in atom && atom.max_age !== undefined)
        const fresh =
          phrases
            .fresh('\0')
            .split('\0')
            .find((part) => part !== '') ?? ''
        expect(sentence.split(fresh).length - 1).toBe(ages.length)
      }),
    )
  })

  it('POLICY 4: what is joined, what is not, what comes first and what depends can be read back', () => {
    tried(
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
    )
  })

  it('POLICY 4: a rule that means something else has another sentence', () => {
    const seen = new Set<string>()
    tried(
      fc.property(anyRule, fc.constantFrom(...Object.keys(CHANGES)), fc.nat(1000), (rule, name, at) => {
        const other = CHANGES[name]?.(rule, at)
        if (other === undefined) return
        seen.add(name)
        expect(say(other)).not.toBe(say(rule))
      }),
    )
    expect([...seen].sort()).toEqual(Object.keys(CHANGES).sort())
  })
})

describe('POLICY 4: scopes that come along', () => {
  const anyImplies = fc.dictionary(fc.constantFrom(...SCOPES), fc.subarray([...SCOPES]), { noNullPrototype: true })
  const anyTypes: fc.Arbitrary<SpokenType[]> = fc.tuple(anyImplies, anyImplies).map(([a, b]) => [
    { type: 'doc', implies: a },
    { type: 'song', implies: b },
  ])
  const anyPlace: fc.Arbitrary<Policy['target']> = fc.constantFrom<Policy['target']>(
    { all: true },
    { resources: ['d'] },
    { resources: ['d', 's'] },
    { resources: ['d', 'x'] },
    { resources: ['d'], descend: true },
    { types: ['doc'] },
    { types: ['doc', 'song'] },
    { labels: ['R'] },
  )
  const TYPES: Readonly<Record<string, string>> = { d: 'doc', s: 'song' }

  it('POLICY 4: what is said is what is enforced, for every thing of every type', () => {
    tried(
      fc.property(
        anyTypes,
        anyPlace,
        fc.subarray([...SCOPES], { minLength: 1 }),
        fc.constantFrom('permit', 'forbid', 'require'),
        (types, target, scopes, effect) => {
          const policy: Policy = { v: 1, id: 'p', rev: 1, tier: 'owner', effect, target, scopes, when: { anyone: true } }
          const along = scopesAlong(policy, types, (id) => TYPES[id])
          for (const { id, type } of [
            { id: 'd', type: 'doc' },
            { id: 's', type: 'song' },
            { id: 'x', type: undefined },
          ]) {
            const kind = types.find((one) => one.type === type)
            const thing = {
              id,
              scopes: [...SCOPES],
              ...(type === undefined ? {} : { type }),
              labels: ['R'],
              ancestors: id === 'd' ? [] : ['d'],
            }
            const said = new Set([...scopes, ...along.flatMap((one) => (one.types?.includes(type ?? '') !== false ? one.scopes : []))])
            const described = kind === undefined ? undefined : { ...kind, authority: 'owner' as const }
            if (isAbout(policy, thing))
              expect(SCOPES.filter((scope) => isOf(policy, scope, described))).toEqual(SCOPES.filter((scope) => said.has(scope)))
          }
        },
      ),
    )
  })

  it.each([
    [
      'en',
      '{person} may edit {thing} until Saturday, 25 April, included: view',
      'nobody may view everything, included: edit (everything of the kind “doc”), unless you agree when asked',
    ],
    [
      'de',
      '{person} darf {thing} bis Samstag, 25. April bearbeiten, eingeschlossen: ansehen',
      'niemand darf alles ansehen, eingeschlossen: bearbeiten (alles von der Art „doc“), außer es gilt: Sie stimmen auf Nachfrage zu',
    ],
    [
      'pt',
      '{person} pode editar {thing} até sábado, 25 de abril, incluindo: ver',
      'ninguém pode ver tudo, incluindo: editar (tudo o que é do tipo «doc»), a não ser que se verifique: concorda quando lhe é perguntado',
    ],
  ] as const)('POLICY 4: a share and a rule say what comes along, in %s', (lang, share, rule) => {
    const words = { lang, timeZone: 'UTC', now: NOW }
    const until = Date.UTC(2026, 3, 26) / 1000
    expect(policySentence({ resource_scopes: ['edit'], until, along: [{ scopes: ['view'] }] }, words)).toBe(share)
    const demand: SpokenRule = { effect: 'require', target: { all: true }, scopes: ['view'], when: { ask: true } }
    expect(ruleSentence({ ...demand, along: [{ scopes: ['edit'], types: ['doc'] }] }, words)).toBe(rule)
  })
})

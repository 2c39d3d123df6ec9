// Conditions of rules as clauses, for the sentences of rule-words.ts: every atom once, negations, stages and forks visible. Pure.
import { listFormat, unitFormat } from './formats.ts'
import { dateWords, type Language, type WordsIn } from './policy-words.ts'
import { EN, type RulePhrases } from './rule-phrases.ts'
import { DE } from './rule-phrases-de.ts'
import { PT } from './rule-phrases-pt.ts'

export type Vouched = { claim: string; iss?: readonly string[] | undefined; max_age?: number | undefined }
/** A condition as the engine reads it, or as the owner API takes it; both are said alike. */
export type SpokenCondition =
  | { all: readonly SpokenCondition[] }
  | { any: readonly SpokenCondition[] }
  | { not: SpokenCondition }
  | { seq: readonly SpokenCondition[] }
  | { if: SpokenCondition; then: SpokenCondition; else: SpokenCondition }
  | SpokenAtom
export type SpokenAtom =
  | (Vouched &
      (
        | { eq: string }
        | { in: readonly string[] }
        | { domain: string }
        | { person: string }
        | { group: string }
        | { gte: number }
        | { covers: readonly string[] }
      ))
  | { anyone: true }
  | { link: string }
  | { purpose: readonly string[] }
  | { after: number }
  | { before: number }
  | { client: readonly string[] }
  | { client_trust: readonly string[] }
  | { uses: { max: number; per: 'rqp' | 'rule' } }
  | { ask: string | true }
  | { break_glass: true }
  | { context: string; eq: string | number | boolean }
  | { context: string; in: readonly (string | number)[] }

/** `nameOf`: what stands for a value in the sentence, such as `{person:id}`; `{mac:...}` if it knows none. `claim` is `domain` for domains. */
export type RuleWordsIn = WordsIn & { nameOf?: ((value: string, claim: string) => string | undefined) | undefined }

const RULE_PHRASES: Readonly<Record<Language, RulePhrases>> = { en: EN, de: DE, pt: PT }
/** The phrases of the language of a sentence (POLICY 4). */
export const phrasesOf = ({ lang }: WordsIn): RulePhrases => RULE_PHRASES[lang]

/** Texts of others are data (DESIGN 5.7): in quotation marks, and nothing in them is read as a placeholder. */
export const quoted = (text: string, words: WordsIn): string => phrasesOf(words).quoted(text.replace(/[{}\p{Cc}\p{Cf}]/gu, ''))

/** Items as a list in the language of a sentence: "a, b and c", "a, b or c" (POLICY 4). */
export const list = (items: readonly string[], words: WordsIn, type: 'conjunction' | 'disjunction'): string =>
  listFormat(phrasesOf(words).locale, type).format(items)

const isAtom = (one: SpokenCondition): one is SpokenAtom => !('all' in one || 'any' in one || 'seq' in one || 'not' in one || 'if' in one)

/** A condition as clauses (POLICY 4). What is put together stands in brackets inside of something else; what is not so says so at its own place. */
export function conditionWords(one: SpokenCondition, words: RuleWordsIn): string {
  const phrases = phrasesOf(words)
  const inner = (part: SpokenCondition): string => {
    const said = conditionWords(part, words)
    return isSimple(part) ? said : `(${said})`
  }
  const many = (parts: readonly SpokenCondition[], joined: (all: string[]) => string): string => {
    const [first, ...more] = parts
    if (first === undefined) return phrases.impossible
    return more.length === 0 ? conditionWords(first, words) : joined(parts.map(inner))
  }
  if ('all' in one) return listWords(one.all, words)
  if ('any' in one) return many(one.any, (all) => all.join(phrases.or))
  if ('seq' in one) return many(one.seq, (all) => phrases.first + all.join(phrases.next))
  if ('if' in one) return phrases.fork(inner(one.if), inner(one.then), inner(one.else))
  if ('not' in one) return isAtom(one.not) ? atomWords(one.not, true, words) : phrases.not(`(${conditionWords(one.not, words)})`)
  return atomWords(one, false, words)
}

/** Whether it is one clause: an atom, the opposite of one, or a list of one such. */
function isSimple(one: SpokenCondition): boolean {
  if ('not' in one) return true
  const parts = 'all' in one ? one.all : 'any' in one ? one.any : 'seq' in one ? one.seq : undefined
  const [only] = parts ?? []
  if (parts === undefined) return !('if' in one)
  return only === undefined || (parts.length === 1 && isSimple(only))
}

/** Conditions that all must hold, as clauses (POLICY 4); an empty list is said to be impossible, as it is for the engine. */
export function listWords(all: readonly SpokenCondition[], words: RuleWordsIn): string {
  const { and, impossible } = phrasesOf(words)
  const [only] = all
  if (only === undefined) return impossible
  if (all.length === 1) return conditionWords(only, words)
  return all.map((one) => (isSimple(one) ? conditionWords(one, words) : `(${conditionWords(one, words)})`)).join(and)
}

function atomWords(atom: SpokenAtom, not: boolean, words: RuleWordsIn): string {
  const phrases = phrasesOf(words)
  const say = (both: readonly [string, string], value = '', name = ''): string =>
    both[not ? 1 : 0].replace(/\{(value|name)\}/g, (_, part: string) => (part === 'value' ? value : name))
  const either = (values: readonly string[]): string =>
    list(
      values.map((value) => quoted(value, words)),
      words,
      'disjunction',
    )
  if ('claim' in atom) return claimWords(atom, not, words)
  if ('anyone' in atom) return say(phrases.anyone)
  if ('link' in atom) return say(phrases.link)
  if ('ask' in atom) return say(phrases.ask)
  if ('break_glass' in atom) return say(phrases.emergency)
  if ('uses' in atom) return say(phrases.uses[atom.uses.per](atom.uses.max))
  // From an instant on is the opposite of until it.
  if ('after' in atom) return momentWords(atom.after, not, words)
  if ('before' in atom) return momentWords(atom.before, !not, words)
  if ('purpose' in atom) return say(atom.purpose.length === 1 ? phrases.purpose : phrases.purposes, either(atom.purpose))
  if ('client' in atom) return say(atom.client.length === 1 ? phrases.client : phrases.clients, either(atom.client))
  if ('client_trust' in atom) {
    const kinds = atom.client_trust.map((one) => (Object.hasOwn(phrases.trusts, one) ? (phrases.trusts[one] ?? one) : quoted(one, words)))
    return say(phrases.trust, list(kinds, words, 'disjunction'))
  }
  const values = 'eq' in atom ? [atom.eq] : atom.in
  const told = values.map((value) => {
    if (typeof value === 'boolean') return value ? phrases.yes : phrases.no
    return typeof value === 'string' ? quoted(value, words) : String(value)
  })
  return say(values.length === 1 ? phrases.context : phrases.contexts, list(told, words, 'disjunction'), quoted(atom.context, words))
}

function momentWords(instant: number, isUntil: boolean, words: WordsIn): string {
  const { from, until } = phrasesOf(words)
  return (isUntil ? until : from).replace('{value}', () => dateWords(instant, isUntil ? 'end' : 'start', words))
}

type ClaimAtom = Extract<SpokenAtom, { claim: string }>

function claimWords(atom: ClaimAtom, not: boolean, words: RuleWordsIn): string {
  const { claims, tests } = phrasesOf(words)
  const test =
    'eq' in atom || 'person' in atom || ('in' in atom && atom.in.length === 1)
      ? 'eq'
      : ('in' in atom && 'in') || ('domain' in atom && 'domain') || ('group' in atom && 'group') || ('gte' in atom && 'gte') || 'covers'
  const claim = (Object.hasOwn(claims, atom.claim) ? claims[atom.claim] : undefined) ?? quoted(atom.claim, words)
  const said = tests[test][not ? 1 : 0].replace(/\{(claim|value)\}/g, (_, part: string) =>
    part === 'claim' ? claim : valueWords(atom, words),
  )
  return said + termWords(atom, words)
}

/** The value that a claim is tested against, or the placeholder that stands for it (DESIGN 5.7). */
export function valueWords(atom: ClaimAtom, words: RuleWordsIn): string {
  const named = (value: string, claim: string): string => words.nameOf?.(value, claim) ?? `{mac:${value.replace(/^mac:|[{}]/g, '')}}`
  if ('eq' in atom) return named(atom.eq, atom.claim)
  if ('person' in atom) return `{person:${atom.person}}`
  if ('domain' in atom) return named(atom.domain, 'domain')
  if ('group' in atom) return `{group:${atom.group}}`
  if ('gte' in atom) return String(atom.gte)
  if ('covers' in atom)
    return list(
      atom.covers.map((one) => quoted(one, words)),
      words,
      'conjunction',
    )
  return list(
    atom.in.map((value) => named(value, atom.claim)),
    words,
    'disjunction',
  )
}

/** Who must vouch, and how fresh the proof must be, in brackets (POLICY 4); empty if neither is said. */
export function termWords({ iss, max_age }: Vouched, words: WordsIn): string {
  const { vouched, fresh } = phrasesOf(words)
  const issuers = iss?.map((one) => quoted(one, words))
  const terms = [
    ...(issuers === undefined ? [] : [vouched(list(issuers, words, 'disjunction'))]),
    ...(max_age === undefined ? [] : [fresh(durationWords(max_age, words))]),
  ]
  return terms.length === 0 ? '' : ` [${terms.join('; ')}]`
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** In the largest unit that divides it. */
function durationWords(seconds: number, words: WordsIn): string {
  const [unit, length] = UNITS.find(([, length]) => seconds % length === 0) ?? UNITS[3]
  return unitFormat(phrasesOf(words).locale, unit).format(seconds / length)
}

// A rule of any kind, or one way of being let in, as the sentence that people read (POLICY 4; UX, "Words"). It names every condition once,
// says what is not, what comes first and what depends on what, and nothing else. Pure. Names stay placeholders: `{thing}` (`{thing:id}` if
// there are several), `{person:id}`, `{group:id}`, and `{mac:...}` for a value that nobody has named; the wallet fills them in.
import {
  conditionWords,
  list,
  listWords,
  phrasesOf,
  quoted,
  type RuleWordsIn,
  type SpokenCondition,
  termWords,
  valueWords,
} from './condition-words.ts'
import { actionWords, frameSentence, type SharedAccess, type WordsIn } from './policy-words.ts'
import type { Along } from './rule-along.ts'

/** Scopes `*`: whatever there is to do. */
export type SpokenRule = {
  effect: 'permit' | 'forbid' | 'require'
  target:
    | { resources: readonly string[]; descend?: boolean | undefined }
    | { types: readonly string[] }
    | { labels: readonly string[] }
    | { all: true }
  scopes: readonly string[] | '*'
  when: SpokenCondition
  /** Scopes that it speaks of without naming them (rule-along.ts). */
  along?: readonly Along[] | undefined
}

/**
 * The sentence that a rule enforces (POLICY 4), without a full stop. Begins small where it begins with a word of ours. Every sentence about
 * what somebody may do is made here.
 * @param words language, time zone, now in seconds; `nameOf` gives placeholders for values, `{mac:...}` stands for the others
 */
export function ruleSentence({ effect, target, scopes, when, along }: SpokenRule, words: RuleWordsIn): string {
  const thing = thingWords(target, words)
  const included = (along ?? []).map((one) => alongWords(one, words)).join('')
  if (effect === 'require')
    return framed('nobody', { scopes, thing }, words) + included + phrasesOf(words).unless + conditionWords(when, words)
  return effect === 'forbid' ? forbidden(when, { scopes, thing, included }, words) : permitted(when, { scopes, thing, included }, words)
}

/**
 * The sentence of a plain share (POLICY 4), the person as `{person}`: `{person} may view {thing} until Friday, 24 April`.
 * @param access what the share grants; one without `until` lasts until it is stopped and the sentence says no end
 */
export function policySentence({ resource_scopes, from, until, along }: SharedAccess & Pick<SpokenRule, 'along'>, words: WordsIn): string {
  const times: SpokenCondition[] = [...(from === undefined ? [] : [{ after: from }]), ...(until === undefined ? [] : [{ before: until }])]
  const when: SpokenCondition = { all: [{ claim: 'email', eq: '' }, ...times] }
  const rule: SpokenRule = { effect: 'permit', target: { resources: [''] }, scopes: resource_scopes, when, along }
  return ruleSentence(rule, { ...words, nameOf: () => '{person}' })
}

/**
 * One way of being let in ("who can open this", POLICY 4): all of these conditions hold. The thing is `{thing}`.
 * @param all none: everybody
 */
export const waySentence = (all: readonly SpokenCondition[], scopes: readonly string[] | '*', words: RuleWordsIn): string =>
  permitted({ all: all.length === 0 ? [{ anyone: true }] : all }, { scopes, thing: '{thing}' }, words)

/**
 * Puts names into the sentence of a rule (DESIGN 5.7). They are data: nothing in them is read as a placeholder.
 * @param nameOf name for `{thing}` (no id), `{thing:id}`, `{person:id}`, `{group:id}`, `{mac:...}`
 */
export const fillRule = (
  sentence: string,
  nameOf: (kind: 'thing' | 'person' | 'group' | 'mac', id: string | undefined) => string,
): string =>
  sentence.replace(/\{(thing|person|group|mac)(?::([^{}]*))?\}/g, (_, kind: 'thing' | 'person' | 'group' | 'mac', id?: string) =>
    nameOf(kind, id),
  )

/** What comes along with the scopes, behind them; of which things, unless of all. */
function alongWords({ scopes, types }: Along, words: RuleWordsIn): string {
  const { included, things } = phrasesOf(words)
  const kinds = types?.map((type) => quoted(type, words))
  return included(actionWords(scopes, words.lang), kinds === undefined ? undefined : things.types(list(kinds, words, 'disjunction')))
}

/** `included`: what comes along with the scopes, as it is said. */
type Access = { scopes: readonly string[] | '*'; thing: string; included?: string }
type Times = { from?: number; until?: number }

function framed(frame: 'may' | 'may_not' | 'nobody', { scopes, thing }: Access, words: WordsIn, subject = '', times: Times = {}): string {
  const sentence = frameSentence(frame, { resource_scopes: scopes, ...times }, words)
  return sentence.replace(/\{(person|thing)\}/g, (_, part: string) => (part === 'thing' ? thing : subject))
}

/** Who, may do what, until when, provided that the rest holds. */
function permitted(when: SpokenCondition, access: Access, words: RuleWordsIn): string {
  const { subject, times, rest } = taken(when, words)
  const { who, provided } = phrasesOf(words)
  const said = framed('may', access, words, subject ?? who.everybody, times) + (access.included ?? '')
  return said + (rest.length === 0 ? '' : provided + listWords(rest, words))
}

/** One person may not; nobody else is spared by how it is said. */
function forbidden(when: SpokenCondition, access: Access, words: RuleWordsIn): string {
  const { subject, times, rest, isOne } = taken(when, words)
  const { whenever } = phrasesOf(words)
  const plain = 'all' in when && when.all.length > 0 ? when.all : [when]
  const left = isOne ? rest : plain.filter((one) => !('anyone' in one) && !isTaken(one, times))
  const said = framed(isOne ? 'may_not' : 'nobody', access, words, subject, times) + (access.included ?? '')
  return left.length === 0 ? said : said + whenever + listWords(left, words)
}

type Taken = { subject: string | undefined; isOne: boolean; times: Times; rest: SpokenCondition[] }

const isTaken = (one: SpokenCondition, { from, until }: Times): boolean =>
  ('after' in one && one.after === from) || ('before' in one && one.before === until)

/** What of a flat list becomes the subject and the times of the sentence; the rest stays conditions. */
function taken(when: SpokenCondition, words: RuleWordsIn): Taken {
  const all = 'all' in when && when.all.length > 0 ? when.all : [when]
  const found: Taken = { subject: undefined, isOne: false, times: {}, rest: [] }
  const [after, before] = [all.filter((one) => 'after' in one), all.filter((one) => 'before' in one)]
  const isPlain = after.length < 2 && before.length < 2
  for (const one of all) {
    const subject = found.subject === undefined ? subjectOf(one, words) : undefined
    if (subject !== undefined) {
      found.subject = subject
      found.isOne = 'person' in one || 'eq' in one
    } else if (isPlain && 'after' in one) found.times.from = one.after
    else if (isPlain && 'before' in one) found.times.until = one.before
    else found.rest.push(one)
  }
  return found
}

function subjectOf(one: SpokenCondition, words: RuleWordsIn): string | undefined {
  const { who } = phrasesOf(words)
  if ('anyone' in one) return who.everybody
  if ('link' in one) return who.link
  if (!('claim' in one) || one.claim !== 'email') return undefined
  const terms = termWords(one, words)
  if ('eq' in one || 'person' in one) return valueWords(one, words) + terms
  if ('domain' in one) return who.domain.replace('{value}', () => valueWords(one, words)) + terms
  return 'group' in one ? who.group.replace('{value}', () => valueWords(one, words)) + terms : undefined
}

function thingWords(target: SpokenRule['target'], words: WordsIn): string {
  const { things } = phrasesOf(words)
  if ('types' in target)
    return things.types(
      list(
        target.types.map((type) => quoted(type, words)),
        words,
        'disjunction',
      ),
    )
  if ('labels' in target)
    return things.labels(
      list(
        target.labels.map((label) => quoted(label, words)),
        words,
        'disjunction',
      ),
    )
  if (!('resources' in target)) return things.all
  const one = target.resources.length === 1
  const named = target.resources.map((id) => (one ? '{thing}' : `{thing:${id.replace(/[{}]/g, '')}}`))
  return list(
    named.map((thing) => (target.descend === true ? things.inside(thing) : thing)),
    words,
    'conjunction',
  )
}

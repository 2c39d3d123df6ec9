// The sentence of a rule, and of one way in which a thing can be opened, for the owner: people by their ids, other words by their hashes, all
// as placeholders that the wallet fills (DESIGN 5.7).
import type { WordsIn } from '../../shared/policy-words.ts'
import type { Along } from '../../shared/rule-along.ts'
import { ruleSentence as sentenceOf, waySentence as wayOf } from '../../shared/rule-words.ts'
import type { Condition, Policy } from '../policy/policy.ts'

/** Ids of people by the policy MACs that stand in rules. */
type People = Readonly<Record<string, string>>

const named = (words: WordsIn, people: People) => ({
  ...words,
  nameOf: (value: string) => (people[value] === undefined ? undefined : `{person:${people[value]}}`),
})

/** `along`: what comes along with the scopes of the rule. */
export const ruleSentence = (policy: Policy & { along?: readonly Along[] | undefined }, words: WordsIn, people: People): string =>
  sentenceOf(policy, named(words, people))

export const waySentence = (all: readonly Condition[], scope: string, words: WordsIn, people: People): string =>
  wayOf(all, [scope], named(words, people))

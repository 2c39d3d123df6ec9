// Sentences about people, things and shares, from what the owner API says; the sentence about access itself comes from
// shared/rule-words.ts, the one function that every surface uses.
import { actionWords, dateWords } from '../../shared/policy-words.ts'
import type { ClientKnown } from '../../shared/protocol/oauth.ts'
import { policySentence } from '../../shared/rule-words.ts'
import type { Person, Share, Thing } from '../messages.ts'
import type { Texts } from './texts.ts'
import { day, timeZone } from './time.ts'

/** Text direction marks and controls could make one address look like another (EX-08). */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '')

export const personName = (person: Person | undefined, { t }: Texts): string =>
  person === undefined ? t('somebody') : plain(person.name ?? person.email ?? t('person_closed'))

export const thingName = (thing: Pick<Thing, 'name'> | undefined, { t }: Texts): string =>
  thing === undefined ? t('thing_closed') : plain(thing.name ?? t('thing_unnamed'))

/** The sentence with names put in as given (bold elements, or text). */
export const sentence = <T>(
  access: Parameters<typeof policySentence>[0],
  names: { person: T; thing: T },
  texts: Texts,
  now: number,
  zone = timeZone(),
): (string | T)[] => texts.parts(policySentence(access, { lang: texts.language, timeZone: zone, now }), names)

/** "Bob until Friday, 24 April" */
export const shareWords = (share: Share, texts: Texts, now: number): string => {
  const person = personName(share.person, texts)
  if (share.state === 'over') return texts.t('person_over', { person })
  if (share.until === undefined) return texts.t('person_no_end', { person })
  return texts.t('person_until', {
    person,
    date: dateWords(share.until, 'end', { lang: texts.language, timeZone: share.time_zone ?? timeZone(), now }),
  })
}

/** One line about who a thing is shared with. */
export const sharesWords = (shares: readonly Share[], texts: Texts, now: number): string => {
  const open = shares.filter(({ state }) => state !== 'over')
  if (open.length === 0) return texts.t('only_you')
  if (open.length > 2) return texts.counted('people', open.length)
  return open.map((share) => shareWords(share, texts, now)).join(', ')
}

/** `names`: what scopes that are addresses say of themselves. */
export const actions = (scopes: readonly string[], texts: Texts, names: Record<string, string> = {}): string =>
  actionWords(scopes, texts.language, Object.fromEntries(Object.entries(names).map(([scope, name]) => [scope, plain(name)])))

export const capital = (text: string): string => text.slice(0, 1).toLocaleUpperCase() + text.slice(1)

const MAX_WORD = 120

/** What a server (`at`, its host) knows of an app or a service (SPECS S0-6). Its own words, cut and without marks that turn the writing. */
export const knownWords = ({ by, since, host = '', issuer = '', uri }: ClientKnown, at: string, texts: Texts): string => {
  const { t } = texts
  const short = (text: string): string => plain(text).slice(0, MAX_WORD)
  const date = since === undefined ? '' : day(since, texts)
  const how = {
    push: () => t('known_push', { at, date }),
    document: () => t('known_document', { host: short(host) }),
    statement: () => t('known_statement', { issuer: short(issuer), at, date }),
  }
  return uri === undefined ? how[by]() : `${how[by]()} ${t('known_uri', { uri: short(uri) })}`
}

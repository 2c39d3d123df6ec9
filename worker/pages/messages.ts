// The one way from a key to a text: `translate(lang)`. Languages are files in messages/; dates go through Intl, always with a zone.
import { actionWords, dateWords, type ScopeNames } from '../../shared/policy-words.ts'
import type { Along } from '../../shared/rule-along.ts'
import { policySentence } from '../../shared/rule-words.ts'
import { de } from './messages/de.ts'
import { en, type Messages } from './messages/en.ts'
import { pt } from './messages/pt.ts'

export const languages = { en, de, pt } satisfies Record<string, Messages>
export type Language = keyof typeof languages
export type MessageKey = keyof Messages

/** British, German and European Portuguese ways to write a date. */
const locales: Record<Language, string> = { en: 'en-GB', de: 'de-DE', pt: 'pt-PT' }

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never
/** Names of the placeholders of a message, as the English text has them. */
export type ParamsOf<Key extends MessageKey, Value> = Record<Placeholders<(typeof en)[Key]>, Value>
type Args<Key extends MessageKey, Value> = [Placeholders<(typeof en)[Key]>] extends [never] ? [] : [params: ParamsOf<Key, Value>]

/** Messages whose text needs no parameter. */
export type PlainKey = { [Key in MessageKey]: [Placeholders<(typeof en)[Key]>] extends [never] ? Key : never }[MessageKey]

const placeholder = /\{(\w+)\}/

/** A moment with the zone in which it is to be read. `at` is seconds since 1970, `timeZone` an IANA name. */
export type Moment = { at: number; timeZone?: string | undefined }

/** What a share grants, what comes along with that, and when. */
export type Access = {
  scopes: readonly string[]
  along?: readonly Along[] | undefined
  from?: Moment | undefined
  until?: Moment | undefined
}

export type Translation = {
  lang: Language
  /** The text, placeholders filled. */
  t: <Key extends MessageKey>(key: Key, ...args: Args<Key, string | number>) => string
  /** The text cut at its placeholders, each of them replaced by what is given: for views that put a name in bold. */
  parts: <Key extends MessageKey, Params extends ParamsOf<Key, unknown>>(key: Key, params: Params) => (string | Params[keyof Params])[]
  /** A day: "21 April 2026". */
  day: (moment: Moment) => string
  /** A moment to the second, for "Technical details". */
  moment: (moment: Moment) => string
  /** When it may be tried again, in words that follow "try again": "in 20 minutes", "in 1 hour". Seconds, rounded up: never too early. */
  soon: (wait: number) => string
  /** Words for what may be done: "view and download". */
  actions: (scopes: readonly string[], names?: ScopeNames) => string
  /** The end of a share as a person says it. `now` (seconds) decides whether the year is said. */
  until: (until: Moment, now: number) => string
  /** The sentence that is enforced, cut where the names stand: the one of shared/rule-words.ts. */
  sentence: <Value>(access: Access, now: number, names: { person: Value; thing: Value }) => (string | Value)[]
}

/** @returns everything that turns keys, moments and lists into text of one language. */
export const translate = (lang: Language): Translation => {
  const texts: Messages = languages[lang]
  const locale = locales[lang]
  const parts = (key: MessageKey, params: Record<string, unknown>): unknown[] =>
    texts[key].split(placeholder).map((piece, index) => (index % 2 === 0 ? piece : params[piece]))
  const format = (moment: Moment, options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: moment.timeZone ?? 'UTC' }).format(new Date(moment.at * 1000))
  const t: Translation['t'] = (key, ...args) => parts(key, args[0] ?? {}).join('')
  return {
    lang,
    t,
    parts: parts as Translation['parts'],
    day: (moment) => format(moment, { day: 'numeric', month: 'long', year: 'numeric' }),
    moment: (moment) =>
      format(moment, {
        day: 'numeric',
        month: 'long',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        timeZoneName: 'short',
      }),
    soon: (wait) => {
      const minutes = Math.max(1, Math.ceil(wait / 60))
      const words = new Intl.RelativeTimeFormat(locale)
      return minutes < 60 ? words.format(minutes, 'minute') : words.format(Math.ceil(minutes / 60), 'hour')
    },
    actions: (scopes, names) => actionWords(scopes, lang, names) || t('can.open'),
    until: ({ at, timeZone }, now) => dateWords(at, 'end', { lang, timeZone, now }),
    sentence: ({ scopes, along, from, until }, now, names) =>
      policySentence(
        { resource_scopes: scopes, along, from: from?.at, until: until?.at },
        { lang, timeZone: (until ?? from)?.timeZone, now },
      )
        .split(placeholder)
        .map((piece, index) => (index % 2 === 0 ? piece : names[piece === 'person' ? 'person' : 'thing'])),
  }
}

/**
 * RFC 9110 12.5.4: the first of our languages in the order of the visitor's weights; English if none fits.
 * @param acceptLanguage the header as it came, or nothing
 */
export const pickLanguage = (acceptLanguage: string | null | undefined): Language => {
  const wanted = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((item, index) => {
      const [range = '', ...params] = item.split(';').map((piece) => piece.trim().toLowerCase())
      const weight = params.find((param) => param.startsWith('q='))
      return { primary: range.split('-')[0] ?? '', weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0, index }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.index - b.index)
  for (const { primary } of wanted) {
    if (Object.hasOwn(languages, primary)) return primary as Language
  }
  return 'en'
}

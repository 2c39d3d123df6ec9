// Frames, actions and dates of the sentences about sharing (UX, "Words"): who may do what with which thing, from when, until when. Pure. The
// sentences themselves, of shares and of rules of any kind, are made in rule-words.ts. Names stay placeholders, `{person}` and `{thing}`:
// the server knows none, the wallet fills them in.

import { dateFormat, listFormat } from './formats.ts'

export type Language = 'en' | 'de' | 'pt'

/** What the sentence is made of; the members of a policy of the owner API. Instants in seconds since 1970, `until` exclusive. */
export type SharedAccess = { resource_scopes: readonly string[]; from?: number | undefined; until?: number | undefined }

export type WordsIn = {
  lang: Language
  /** IANA name. Without it, or if it is not known, UTC is used and said. */
  timeZone?: string | undefined
  /** Now, in seconds: a year other than this one is said. */
  now: number
}

/** may: somebody may; may_not: somebody may not; nobody: nobody may. */
export type Frame = 'may' | 'may_not' | 'nobody'

type Phrases = {
  locale: string
  verbs: Readonly<Record<string, string>>
  /** A scope that nobody here has a word for: its own name, in quotation marks, nothing made up. */
  other: (scope: string) => string
  nothing: string
  /** What is allowed, what is not allowed to somebody, what is allowed to nobody; `all`: whatever there is to do. `{when}` is filled in. */
  frames: Readonly<Record<Frame, { some: (actions: string) => string; all: string }>>
  from: (date: string) => string
  until: (date: string) => string
  between: (from: string, until: string) => string
  at: (date: string, time: string) => string
}

const PHRASES: Readonly<Record<Language, Phrases>> = {
  en: {
    locale: 'en-GB',
    verbs: {
      view: 'view',
      read: 'view',
      download: 'download',
      edit: 'edit',
      write: 'edit',
      comment: 'comment on',
      print: 'print',
      share: 'share',
      delete: 'delete',
    },
    other: (scope) => `“${scope}”`,
    nothing: '{person} may do nothing with {thing}',
    frames: {
      may: { some: (actions) => `{person} may ${actions} {thing}{when}`, all: '{person} may do everything with {thing}{when}' },
      may_not: { some: (actions) => `{person} may not ${actions} {thing}{when}`, all: '{person} may not do anything with {thing}{when}' },
      nobody: { some: (actions) => `nobody may ${actions} {thing}{when}`, all: 'nobody may do anything with {thing}{when}' },
    },
    from: (date) => ` from ${date}`,
    until: (date) => ` until ${date}`,
    between: (from, until) => ` from ${from} until ${until}`,
    at: (date, time) => `${date}, ${time}`,
  },
  de: {
    locale: 'de-DE',
    verbs: {
      view: 'ansehen',
      read: 'ansehen',
      download: 'herunterladen',
      edit: 'bearbeiten',
      write: 'bearbeiten',
      comment: 'kommentieren',
      print: 'drucken',
      share: 'teilen',
      delete: 'löschen',
    },
    other: (scope) => `„${scope}“`,
    nothing: '{person} darf mit {thing} nichts tun',
    frames: {
      may: { some: (actions) => `{person} darf {thing}{when} ${actions}`, all: '{person} darf mit {thing}{when} alles tun' },
      may_not: { some: (actions) => `{person} darf {thing}{when} nicht ${actions}`, all: '{person} darf mit {thing}{when} nichts tun' },
      nobody: { some: (actions) => `niemand darf {thing}{when} ${actions}`, all: 'niemand darf mit {thing}{when} etwas tun' },
    },
    from: (date) => ` ab ${date}`,
    until: (date) => ` bis ${date}`,
    between: (from, until) => ` von ${from} bis ${until}`,
    at: (date, time) => `${date}, ${time} Uhr`,
  },
  pt: {
    locale: 'pt-PT',
    verbs: {
      view: 'ver',
      read: 'ver',
      download: 'descarregar',
      edit: 'editar',
      write: 'editar',
      comment: 'comentar',
      print: 'imprimir',
      share: 'partilhar',
      delete: 'apagar',
    },
    other: (scope) => `«${scope}»`,
    nothing: '{person} não pode fazer nada com {thing}',
    frames: {
      may: { some: (actions) => `{person} pode ${actions} {thing}{when}`, all: '{person} pode fazer tudo com {thing}{when}' },
      may_not: { some: (actions) => `{person} não pode ${actions} {thing}{when}`, all: '{person} não pode fazer nada com {thing}{when}' },
      nobody: { some: (actions) => `ninguém pode ${actions} {thing}{when}`, all: 'ninguém pode fazer nada com {thing}{when}' },
    },
    from: (date) => ` a partir de ${date}`,
    until: (date) => ` até ${date}`,
    between: (from, until) => ` de ${from} até ${until}`,
    at: (date, time) => `${date}, às ${time}`,
  },
}

/** The language for a tag (RFC 4647 3.4); anything in which no sentences exist is said in English. */
export const languageOf = (tag: string | null | undefined): Language => {
  const primary = (tag ?? '').slice(0, 2).toLowerCase()
  return primary === 'de' || primary === 'pt' ? primary : 'en'
}

/** Scopes in the order in which people think of them: look first, destroy last; unknown ones stand at the end as they came. */
const ORDER = ['view', 'read', 'comment', 'download', 'print', 'edit', 'write', 'share', 'delete']
const rank = (scope: string): number => (ORDER.includes(scope) ? ORDER.indexOf(scope) : ORDER.length)

/** The name inside a scope URI (`https://host/scopes/resize` -> `resize`); two URIs with the same name are both said in full. */
function scopeName(scope: string, all: readonly string[]): string {
  const last = (text: string): string =>
    text
      .replace(/[/#]+$/, '')
      .split(/[/#]/)
      .at(-1) ?? text
  const name = last(scope)
  return all.some((other) => other !== scope && last(other) === name) ? scope : name
}

/** Names that the documents behind scopes give them (UMA FedAuthz 3.1.1), by scope: words of whoever has that address. */
export type ScopeNames = Readonly<Record<string, string>>

/**
 * "view and download" (POLICY 4): the actions of a share, for buttons and facts. Empty when there is none.
 * @param type `disjunction`: "view or download"
 */
export function actionWords(
  scopes: readonly string[],
  lang: Language,
  names: ScopeNames = {},
  type: 'conjunction' | 'disjunction' = 'conjunction',
): string {
  const { verbs, other, locale } = PHRASES[lang]
  const sorted = [...new Set(scopes)].sort((a, b) => rank(a) - rank(b))
  const words = sorted.map((scope) => {
    const described = Object.hasOwn(names, scope) ? names[scope] : undefined
    const name = described ?? scopeName(scope, sorted)
    const whose = described === undefined ? '' : ` (${URL.canParse(scope) ? new URL(scope).host : scope})`
    // Only a plain word is translated: `https://host/view` could mean anything.
    return (Object.hasOwn(verbs, scope) ? verbs[scope] : undefined) ?? other(name.replace(/[{}]/g, '')) + whose
  })
  return listFormat(locale, type).format([...new Set(words)])
}

const isKnownZone = (timeZone: string): boolean => {
  try {
    return dateFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
  } catch {
    // RangeError: the only way to ask whether a zone exists.
    return false
  }
}

/** Wall clock of an instant in a zone. */
function clockOf(instant: number, timeZone: string): { year: string; time: string; second: string } {
  const parts = dateFormat('en-GB', {
    timeZone,
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(new Date(instant * 1000))
  const part = (type: string): string => parts.find((candidate) => candidate.type === type)?.value ?? ''
  return { year: part('year'), time: `${part('hour')}:${part('minute')}`, second: part('second') }
}

/**
 * "Friday, 24 April" (POLICY 4), with the year when it is not this one, with the time when it is not a whole day.
 * @param instant seconds since 1970, as `now`
 * @param edge `end`: the instant is exclusive, so midnight belongs to the day before it; `start`: midnight begins its own day
 */
export function dateWords(instant: number, edge: 'start' | 'end', { lang, timeZone, now }: WordsIn): string {
  const { locale, at } = PHRASES[lang]
  const zone = timeZone !== undefined && isKnownZone(timeZone) ? timeZone : 'UTC'
  const clock = clockOf(instant, zone)
  const isMidnight = clock.time === '00:00' && clock.second === '00'
  const isWholeDay = isMidnight || (edge === 'end' && clock.time === '23:59')
  const shown = edge === 'end' && isMidnight ? instant - 1 : instant
  const withYear = clockOf(shown, zone).year !== clockOf(now, zone).year
  const date = dateFormat(locale, {
    timeZone: zone,
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(withYear ? { year: 'numeric' as const } : {}),
  })
    .format(new Date(shown * 1000))
    // English says "Friday 24 April" in this locale; a comma keeps the weekday apart, as in the other two.
    .replace(/^(\p{L}+) (?=\d)/u, '$1, ')
  const unknownZone = zone === 'UTC' && timeZone !== 'UTC' ? ' UTC' : ''
  return isWholeDay ? `${date}${unknownZone && ` (${unknownZone.trim()})`}` : `${at(date, clock.time)}${unknownZone}`
}

/**
 * The sentence for any frame (POLICY 4): what is allowed, or not.
 * @param access `resource_scopes` `*`: whatever there is to do
 */
export function frameSentence(
  frame: Frame,
  access: { resource_scopes: readonly string[] | '*' } & Omit<SharedAccess, 'resource_scopes'>,
  words: WordsIn,
): string {
  const phrases = PHRASES[words.lang]
  const { some, all } = phrases.frames[frame]
  const from = access.from === undefined ? undefined : dateWords(access.from, 'start', words)
  const until = access.until === undefined ? undefined : dateWords(access.until, 'end', words)
  let when = ''
  if (from !== undefined && until !== undefined) when = phrases.between(from, until)
  else if (from !== undefined) when = phrases.from(from)
  else if (until !== undefined) when = phrases.until(until)
  const scopes = access.resource_scopes
  const actions = scopes === '*' ? '' : actionWords(scopes, words.lang, {}, frame === 'may' ? 'conjunction' : 'disjunction')
  if (scopes !== '*' && actions === '') return phrases.nothing
  return (scopes === '*' ? all : some(actions)).replace('{when}', () => when)
}

/** Puts names into a sentence (DESIGN 5.7: the server knows none). They are data: nothing in them is read as a placeholder. */
export const fillSentence = (sentence: string, names: { person: string; thing: string }): string =>
  sentence.replace(/\{(person|thing)\}/g, (_, name: 'person' | 'thing') => names[name])

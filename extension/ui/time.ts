// Times as people say them. All instants are seconds since 1970; the zone is the person's own.
import type { Texts } from './texts.ts'

const date = (at: number): Date => new Date(at * 1000)
const dayOf = (at: number): number => new Date(date(at).getFullYear(), date(at).getMonth(), date(at).getDate()).getTime()
const DAY_MS = 86_400_000

/** Whole days between the day of `at` and today, by the calendar. */
const daysAgo = (at: number, now: number): number => Math.round((dayOf(now) - dayOf(at)) / DAY_MS)

const format = (at: number, { locale }: Texts, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(locale, options).format(date(at))

export const clock = (at: number, texts: Texts): string => format(at, texts, { hour: '2-digit', minute: '2-digit' })

/** "19 April 2026" */
export const day = (at: number, texts: Texts): string => format(at, texts, { day: 'numeric', month: 'long', year: 'numeric' })

/** "10:42", "Yesterday", "Fri", "12 Apr", "12 Apr 2025": for the end of a line. */
export const shortly = (at: number, now: number, texts: Texts): string => {
  const days = daysAgo(at, now)
  if (days <= 0) return clock(at, texts)
  if (days === 1) return texts.t('yesterday')
  if (days < 7) return format(at, texts, { weekday: 'short' })
  const isThisYear = date(at).getFullYear() === date(now).getFullYear()
  return format(at, texts, { day: 'numeric', month: 'short', ...(isThisYear ? {} : { year: 'numeric' }) })
}

/** "Today", "Yesterday", "Sunday, 19 April": heading of a day. */
export const dayHeading = (at: number, now: number, texts: Texts): string => {
  const days = daysAgo(at, now)
  if (days <= 0) return texts.t('today')
  if (days === 1) return texts.t('yesterday')
  const isThisYear = date(at).getFullYear() === date(now).getFullYear()
  return format(at, texts, { weekday: 'long', day: 'numeric', month: 'long', ...(isThisYear ? {} : { year: 'numeric' }) })
}

export const dayKey = (at: number): number => dayOf(at)

/** First instant after the local day that lies `days` days ahead: "until" is exclusive (owner API). */
export const endOfDay = (now: number, days: number): number => {
  const day = date(now)
  return Math.floor(new Date(day.getFullYear(), day.getMonth(), day.getDate() + days + 1).getTime() / 1000)
}

/** Days until the coming Friday; on a Friday, the next one. */
export const daysToFriday = (now: number): number => ((5 - date(now).getDay() + 6) % 7) + 1

/** `2026-04-24` of a date field -> first instant of that day, or of the day after it. */
export const dayField = (value: string, edge: 'start' | 'end'): number | undefined => {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value)
  if (!match) return undefined
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  return Math.floor(new Date(year, month - 1, day + (edge === 'end' ? 1 : 0)).getTime() / 1000)
}

export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

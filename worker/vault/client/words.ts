// The language of the page, and sizes, times and kinds as people say them.
import { shapeOf } from '../media.ts'
import { type Language, type Say, sayIn, type Texts } from '../texts/index.ts'

const embedded = JSON.parse(document.getElementById('texts')?.textContent ?? '{}') as { lang: Language; texts: Texts }

export const lang = embedded.lang
export const say: Say = sayIn(embedded.texts)

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** 1.4 MB, 640 kB */
export function sizeWords(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  const maximumFractionDigits = step < 2 || value >= 100 ? 0 : 1
  const unitDisplay = step === 0 ? 'long' : 'short'
  const format = new Intl.NumberFormat(lang, { style: 'unit', unit: UNITS[step] ?? 'byte', unitDisplay, maximumFractionDigits })
  return format.format(value)
}

export const kindWords = (type: string): string => say(`kind.${shapeOf(type)}`)

const time = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const sameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString()
const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' })

/** today, 10:42 · yesterday, 19:03 · Friday, 24 April */
export function whenWords(instant: number, now = new Date()): string {
  const date = new Date(instant * 1000)
  const yesterday = new Date(now)
  yesterday.setDate(now.getDate() - 1)
  if (sameDay(date, now)) return `${relative.format(0, 'day')}, ${time.format(date)}`
  if (sameDay(date, yesterday)) return `${relative.format(-1, 'day')}, ${time.format(date)}`
  const isThisYear = date.getFullYear() === now.getFullYear()
  return new Intl.DateTimeFormat(lang, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(isThisYear ? {} : { year: 'numeric' }),
  }).format(date)
}

/** At the beginning of a line. */
export const sentenceCase = (text: string): string => text.replace(/^\p{L}/u, (letter) => letter.toLocaleUpperCase(lang))

export const percentWords = (part: number): string =>
  new Intl.NumberFormat(lang, { style: 'percent', maximumFractionDigits: 0 }).format(part)

export const timeLeftWords = (seconds: number): string =>
  seconds < 90 ? say('time.seconds', { n: Math.max(1, Math.round(seconds)) }) : say('time.minutes', { n: Math.round(seconds / 60) })

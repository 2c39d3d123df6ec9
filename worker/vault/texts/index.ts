// Which language a page speaks, and how its texts are filled.
import { type Language, languageOf } from '../../../shared/policy-words.ts'
import { de } from './de.ts'
import { en, type TextKey, type Texts } from './en.ts'
import { pt } from './pt.ts'

export const TEXTS: Readonly<Record<Language, Texts>> = { en, de, pt }

/** The best of the languages that a browser asks for (RFC 9110 12.5.4); English when none is spoken here. */
export function chooseLanguage(acceptLanguage: string | null | undefined): Language {
  const asked = (acceptLanguage ?? '')
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.trim().split(';')
      const weight = parameters.map((parameter) => /^\s*q=([\d.]+)/.exec(parameter)?.[1]).find((found) => found !== undefined)
      return { tag: tag.toLowerCase(), weight: weight === undefined ? 1 : Number(weight) }
    })
    .filter(({ tag, weight }) => weight > 0 && /^(en|de|pt)(-|$)/.test(tag))
    .sort((a, b) => b.weight - a.weight)
  return languageOf(asked[0]?.tag)
}

export type Say = (key: TextKey, values?: Readonly<Record<string, string | number>>) => string

/** Texts of a language as a function; values are data and never read as placeholders. */
export const sayIn =
  (texts: Texts): Say =>
  (key, values = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(values, name) ? String(values[name]) : whole))

export type { Language, TextKey, Texts }

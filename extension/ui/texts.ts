// Texts of the wallet in three languages, from the same catalogues that the browser reads for the manifest. They are bundled, so that a
// person can choose another language than the browser's.
import browser from 'webextension-polyfill'
import de from '../_locales/de/messages.json'
import en from '../_locales/en/messages.json'
import pt from '../_locales/pt/messages.json'
import type { WalletErrorCode } from '../errors.ts'
import type { Language } from '../messages.ts'

type Catalogue = Record<keyof typeof en, { message: string }>
const catalogues: Record<Language, Catalogue> = { en, de, pt }

export type Key = keyof typeof en
type Counted = Key extends infer K ? (K extends `${infer Stem}_other` ? Stem : never) : never
export const LANGUAGES = Object.keys(catalogues) as Language[]

/** What the browser chose for the manifest. `i18n.getUILanguage` may say otherwise (EXTENSION 9), the catalogue itself does not. */
export const browserLanguage = (): Language => {
  const chosen = browser.i18n.getMessage('lang')
  return LANGUAGES.find((language) => language === chosen) ?? 'en'
}

/** Locale for dates and lists: European forms of the three languages. */
export const localeOf = (language: Language): string => ({ en: 'en-GB', de: 'de-DE', pt: 'pt-PT' })[language]

const PLACEHOLDER = /\{(\w+)\}/

export type Texts = ReturnType<typeof textsIn>

/** All that turns keys into words of one language. */
export const textsIn = (language: Language) => {
  const catalogue = catalogues[language]
  const parts = <T>(template: string, values: Record<string, T>): (string | T)[] =>
    template.split(PLACEHOLDER).map((piece, index) => (index % 2 === 0 ? piece : (values[piece] ?? '')))
  const t = (key: Key, values: Record<string, string | number> = {}): string => parts(catalogue[key].message, values).join('')
  const plural = new Intl.PluralRules(localeOf(language))
  return {
    language,
    locale: localeOf(language),
    t,
    /** The text cut at its placeholders, for views that put a name in bold. */
    rich: <T>(key: Key, values: Record<string, T>): (string | T)[] => parts(catalogue[key].message, values),
    parts,
    /** "1 person", "3 people". */
    counted: (stem: Counted, count: number): string => t(`${stem}_${plural.select(count) === 'one' ? 'one' : 'other'}` as Key, { count }),
    error: (code: WalletErrorCode): string => t(`error_${code}`),
    list: (items: readonly string[]): string => new Intl.ListFormat(localeOf(language), { type: 'conjunction' }).format(items),
  }
}

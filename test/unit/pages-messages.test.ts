// Texts of the pages: complete in every language, free of the protocol's words, each of them used; and the choice of a language.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { languages, type MessageKey, pickLanguage, translate } from '../../worker/pages/messages.ts'

const names = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
const entries = Object.entries(languages).flatMap(([lang, texts]) => Object.entries(texts).map(([key, text]) => ({ lang, key, text })))
const english = languages.en as Record<string, string>

/** UX, Words: never shown, in none of the languages. */
const forbidden =
  /\b(claims?|tickets?|rpt|pct|pat|scopes?|polic(y|ies)|tokens?|introspection|resource server|authori[sz]ation server|richtlinien?|ansprüche|autorisierungsserver|ressourcenserver|geltungsbereich|políticas?|escopos?|âmbitos?|servidor de (autorização|recursos)|reivindicaç)/i

describe('UX, Look: texts', () => {
  it('UX, Look: German and Portuguese have the keys of English', () => {
    for (const texts of Object.values(languages)) expect(Object.keys(texts).sort()).toEqual(Object.keys(english).sort())
  })

  it.each(Object.keys(languages))('UX, Look: every text in %s has the placeholders of the English one', (lang) => {
    for (const entry of entries.filter((one) => one.lang === lang)) {
      expect([entry.key, names(entry.text)]).toEqual([entry.key, names(english[entry.key] ?? '')])
      expect(entry.text.trim()).not.toBe('')
    }
  })

  it('UX, Words: no text names anything of the protocol', () => {
    expect(entries.filter(({ text }) => forbidden.test(text))).toEqual([])
  })

  it('UX, Words: no text guesses whether somebody is a he or a she', () => {
    expect(entries.filter(({ lang, text }) => lang === 'en' && /\b(he|she|his|hers?|him)\b/i.test(text))).toEqual([])
  })

  it('UX, Look: every text is used', () => {
    const folder = join(import.meta.dirname, '../../worker/pages')
    const sources = readdirSync(folder)
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n')
    const templates = [...sources.matchAll(/`([\w.]+\$\{\w+(?:\.\w+)?\}[\w.]*)`/g)].map(
      ([, text = '']) => new RegExp(`^${text.replaceAll('.', '\\.').replace(/\$\{[^}]*\}/g, '\\w+')}$`),
    )
    const unused = Object.keys(english).filter(
      (key) => !key.startsWith('mail.') && !sources.includes(`'${key}'`) && !templates.some((template) => template.test(key)),
    )
    expect(unused).toEqual([])
  })
})

describe('UX, Look: translate', () => {
  it('UX, Look: fills placeholders, also when a value looks like one', () => {
    const { t, parts } = translate('en')
    expect(t('claims.cancel', { host: '{client}' })).toBe('Cancel and go back to {client}')
    expect(parts('done.continue', { client: 7 })).toEqual(['Continue to ', 7, ''])
  })

  it('UX, Words: a moment is said in the zone that is given, UTC if none is', () => {
    const at = 1_777_050_000
    expect(translate('en').moment({ at, timeZone: 'Europe/Lisbon' })).toMatch(/24 April 2026.* 18:00:00/)
    expect(translate('en').moment({ at })).toMatch(/24 April 2026.* 17:00:00 UTC/)
    expect(translate('de').day({ at })).toBe('24. April 2026')
    expect(translate('pt').day({ at })).toBe('24 de abril de 2026')
  })

  it('UX, Words: how long to wait is said as a person says it, and never too short', () => {
    const said = (lang: 'en' | 'de' | 'pt') => [0, 60, 61, 3540, 3541, 3601, 86_400].map(translate(lang).soon)
    expect(said('en')).toEqual(['in 1 minute', 'in 1 minute', 'in 2 minutes', 'in 59 minutes', 'in 1 hour', 'in 2 hours', 'in 24 hours'])
    expect(said('de')).toEqual([
      'in 1 Minute',
      'in 1 Minute',
      'in 2 Minuten',
      'in 59 Minuten',
      'in 1 Stunde',
      'in 2 Stunden',
      'in 24 Stunden',
    ])
    expect(said('pt').slice(2, 5)).toEqual(['dentro de 2 minutos', 'dentro de 59 minutos', 'dentro de 1 hora'])
  })

  it('UX, Words: actions and ends are those of the sentence that every surface shows', () => {
    const { actions, until, sentence } = translate('en')
    expect(actions(['download', 'view'])).toBe('view and download')
    expect(actions([])).toBe('open')
    expect(until({ at: 1_777_050_000 }, 1_776_000_000)).toBe('Friday, 24 April, 17:00 UTC')
    expect(sentence({ scopes: ['view'] }, 1_776_000_000, { person: 1, thing: 2 })).toEqual(['', 1, ' may view ', 2, ''])
  })

  it('UX, Look: a text that misses a parameter does not compile', () => {
    const { t } = translate('en')
    // @ts-expect-error host is missing
    expect(t('claims.cancel')).toBe('Cancel and go back to ')
    const key: MessageKey = 'done.title'
    expect(t(key)).toBe('Yes, this is for you')
  })
})

describe('RFC 9110 12.5.4: choice of a language', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT,en;q=0.8', 'de'],
    ['fr-FR, pt-BR;q=0.9, en;q=0.8', 'pt'],
    ['en;q=0.2, de;q=0.9', 'de'],
    ['de;q=0, en', 'en'],
    ['fr, ja', 'en'],
    ['*', 'en'],
    ['toString, constructor', 'en'],
    ['de;q=abc, pt', 'pt'],
  ] as const)('RFC 9110 12.5.4: %s -> %s', (header, lang) => {
    expect(pickLanguage(header)).toBe(lang)
  })
})

// The sentence about a share: never more, never less than what is enforced.
import { describe, expect, it } from 'vitest'
import { actionWords, dateWords, fillSentence, languageOf } from '../../shared/policy-words.ts'
import { policySentence } from '../../shared/rule-words.ts'

const NOW = Date.UTC(2026, 3, 20, 10) / 1000
const at = (...parts: Parameters<typeof Date.UTC>): number => Date.UTC(...parts) / 1000
const en = { lang: 'en', timeZone: 'Europe/Lisbon', now: NOW } as const

describe('UX: the sentence', () => {
  it.each([
    ['no end', { resource_scopes: ['view'] }, '{person} may view {thing}'],
    // Lisbon is one hour ahead in April.
    [
      'until the end of a day',
      { resource_scopes: ['view'], until: at(2026, 3, 24, 23) },
      '{person} may view {thing} until Friday, 24 April',
    ],
    ['until 23:59', { resource_scopes: ['view'], until: at(2026, 3, 24, 22, 59) }, '{person} may view {thing} until Friday, 24 April'],
    ['until an hour', { resource_scopes: ['view'], until: at(2026, 3, 24, 17) }, '{person} may view {thing} until Friday, 24 April, 18:00'],
    ['next year', { resource_scopes: ['view'], until: at(2027, 0, 9) }, '{person} may view {thing} until Friday, 8 January 2027'],
    [
      'from and until',
      { resource_scopes: ['view'], from: at(2026, 3, 20, 23), until: at(2026, 3, 24, 23) },
      '{person} may view {thing} from Tuesday, 21 April until Friday, 24 April',
    ],
    ['several actions', { resource_scopes: ['download', 'view', 'view'] }, '{person} may view and download {thing}'],
    ['three', { resource_scopes: ['delete', 'download', 'view'] }, '{person} may view, download and delete {thing}'],
    ['an unknown scope', { resource_scopes: ['https://x.example/scopes/resize', 'view'] }, '{person} may view and “resize” {thing}'],
    ['nothing', { resource_scopes: [] }, '{person} may do nothing with {thing}'],
  ])('UX: %s', (_what, access, sentence) => {
    expect(policySentence(access, en)).toBe(sentence)
  })

  it.each([
    ['de', '{person} darf {thing} bis Freitag, 24. April ansehen und herunterladen'],
    ['pt', '{person} pode ver e descarregar {thing} até sexta-feira, 24 de abril'],
  ] as const)('UX: in %s', (lang, sentence) => {
    expect(policySentence({ resource_scopes: ['view', 'download'], until: at(2026, 3, 24, 23) }, { ...en, lang })).toBe(sentence)
  })

  it('UX: two scopes with one name are said in full', () => {
    expect(actionWords(['https://a.example/resize', 'https://b.example/resize'], 'en')).toBe(
      '“https://a.example/resize” and “https://b.example/resize”',
    )
  })

  it('UX: a scope that looks like a word of ours is not translated when it is a URI', () => {
    expect(actionWords(['https://a.example/view'], 'de')).toBe('„view“')
    // What the document there says, and whose word that is (UMA FedAuthz 3.1.1); plain words stay ours.
    const names = { 'https://a.example/x': 'See {all} of it', view: 'delete' }
    expect(actionWords(['view', 'https://a.example/x'], 'en', names)).toBe('view and “See all of it” (a.example)')
  })

  it('UX: midnight belongs to the day that ends, at the end of a share; to the day that begins, at its start', () => {
    const midnight = at(2026, 3, 23, 23)
    expect(dateWords(midnight, 'end', en)).toBe('Thursday, 23 April')
    expect(dateWords(midnight, 'start', en)).toBe('Friday, 24 April')
  })

  it('UX: the day on which clocks change ends at midnight too', () => {
    // 25 October 2026 has 25 hours in Lisbon.
    expect(dateWords(at(2026, 9, 26, 0), 'end', en)).toBe('Sunday, 25 October')
  })

  it('UX: without a time zone that is known, UTC is said', () => {
    expect(dateWords(at(2026, 3, 25), 'end', { ...en, timeZone: 'Mars/Olympus' })).toBe('Friday, 24 April (UTC)')
    expect(dateWords(at(2026, 3, 24, 17), 'end', { ...en, timeZone: undefined })).toBe('Friday, 24 April, 17:00 UTC')
    expect(dateWords(at(2026, 3, 25), 'end', { ...en, timeZone: 'UTC' })).toBe('Friday, 24 April')
  })

  it('UX: names are data, never placeholders', () => {
    const sentence = policySentence({ resource_scopes: ['view', '{person}'] }, en)
    expect(sentence).toBe('{person} may view and “person” {thing}')
    expect(fillSentence('{person} may view {thing}', { person: '{thing} $&', thing: 'a' })).toBe('{thing} $& may view a')
  })

  it.each([
    ['de-AT', 'de'],
    ['pt_BR', 'pt'],
    ['EN', 'en'],
    ['fr', 'en'],
    [undefined, 'en'],
  ] as const)('UX: %s is said in %s', (tag, lang) => {
    expect(languageOf(tag)).toBe(lang)
  })
})

// Small rules of the vault: whose request it is, which language, which issuer, which code; texts in three languages.
import { describe, expect, it } from 'vitest'
import { startProblem } from '../../worker/vault/env.ts'
import { isOwnRequest, pageHeaders, wantsPage } from '../../worker/vault/http.ts'
import { readRecoveryCode } from '../../worker/vault/names.ts'
import { registrationOf } from '../../worker/vault/registration.ts'
import { readIssuer } from '../../worker/vault/sign-in.ts'
import { chooseLanguage, sayIn, TEXTS } from '../../worker/vault/texts/index.ts'

const ORIGIN = 'https://vault.example'
type VaultBindings = Parameters<typeof startProblem>[0]

describe('UMA Grant 5.1: a change comes from the vault itself', () => {
  it.each([
    ['its own page', { 'sec-fetch-site': 'same-origin', origin: ORIGIN }, true],
    ['its own page, an old browser', { origin: ORIGIN }, true],
    ['its own page, no Origin', { 'sec-fetch-site': 'same-origin' }, true],
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
    ['another site that hides', { 'sec-fetch-site': 'cross-site' }, false],
    ['a neighbour', { 'sec-fetch-site': 'same-site', origin: 'https://other.example' }, false],
    ['a sandbox', { 'sec-fetch-site': 'same-origin', origin: 'null' }, false],
    ['another site, an old browser', { origin: 'https://evil.example' }, false],
    ['another port', { origin: `${ORIGIN}:8443` }, false],
    ['the address bar', { 'sec-fetch-site': 'none' }, false],
    ['nobody says', {}, false],
  ])('UMA Grant 5.1: %s', (_who, headers, expected) => {
    expect(isOwnRequest(new Headers(headers), ORIGIN)).toBe(expected)
  })

  it('UMA Grant 5.1: a form of a page leads nowhere but to where it must', () => {
    expect(pageHeaders()['content-security-policy']).toContain("form-action 'self';")
    expect(pageHeaders({ formTarget: 'https://as.example' })['content-security-policy']).toContain("form-action 'self' https://as.example;")
  })

  it.each([
    ['text/html,application/xhtml+xml,*/*;q=0.8', true],
    ['application/pdf, */*;q=0.1', false],
    ['*/*', false],
    ['', false],
  ])('RFC 9110 12.5.1: Accept %j is a person: %s', (accept, expected) => {
    expect(wantsPage(new Headers({ accept }))).toBe(expected)
  })
})

describe('DESIGN 4: starting', () => {
  const env = (DEV_ORIGINS: string) => ({ DEV_ORIGINS }) as VaultBindings
  it('DESIGN 4: a public vault with a development setting does not start', () => {
    expect(startProblem(env('http://localhost:8787'), 'https://vault.example')).toContain('DEV_ORIGINS')
    expect(startProblem(env('http://localhost:8787'), 'http://127.0.0.1:8788')).toBeUndefined()
    expect(startProblem(env(''), 'https://vault.example')).toBeUndefined()
  })

  it.each([
    ['share.example', 'https://share.example'],
    [' https://share.example/ ', 'https://share.example'],
    ['https://share.example/alice/', 'https://share.example/alice'],
    ['http://localhost:8787', 'http://localhost:8787'],
    ['HTTPS://Share.Example', 'https://share.example'],
    ['', undefined],
    ['https://share.example/?x=1', undefined],
    ['https://user@share.example', undefined],
    ['javascript:alert(1)', undefined],
    ['two words', undefined],
    ['x'.repeat(600), undefined],
  ])('RFC 8414 2: %j is the issuer %s', (typed, issuer) => {
    expect(readIssuer(typed)).toBe(issuer)
  })

  it('RFC 7591 2, UMA Grant 2: two registrations, each with its own kind of address', () => {
    expect(registrationOf('service', ORIGIN)).toMatchObject({
      client_name: 'Vault',
      client_uri: ORIGIN,
      redirect_uris: [`${ORIGIN}/signed-in`],
    })
    const guest = registrationOf('guest', ORIGIN)
    expect(guest).toMatchObject({ claims_redirect_uris: [`${ORIGIN}/claims/back`], token_endpoint_auth_method: 'client_secret_basic' })
    expect(guest.redirect_uris).toBeUndefined()
  })

  it.each([
    ['abcde-fghjk-mnpqr-stuvw', 'ABCDEFGHJKMNPQRSTUVW'],
    [' ABCDE FGHJK MNPQR STUVW ', 'ABCDEFGHJKMNPQRSTUVW'],
    ['ABCDE-FGHJK-MNPQR-STUV', undefined],
    ['ABCDE-FGHJK-MNPQR-STUV0', undefined],
    ['', undefined],
  ])('DESIGN 4: recovery code %j', (typed, code) => {
    expect(readRecoveryCode(typed)).toBe(code)
  })
})

describe('UX: words', () => {
  const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).sort()

  it.each([['de'], ['pt']] as const)('UX: %s has every text with the same placeholders', (lang) => {
    for (const [key, text] of Object.entries(TEXTS.en)) {
      expect([key, placeholders(TEXTS[lang][key as keyof typeof TEXTS.en])]).toEqual([key, placeholders(text)])
    }
    expect(Object.keys(TEXTS[lang]).sort()).toEqual(Object.keys(TEXTS.en).sort())
  })

  it('UX: no word of the protocol is shown', () => {
    const forbidden =
      /\b(tickets?|rpt|pct|pat|tokens?|scopes?|polic(?:y|ies)|claims?|introspect\w*|resource server|authorization server)\b/i
    for (const texts of Object.values(TEXTS)) for (const text of Object.values(texts)) expect(text).not.toMatch(forbidden)
  })

  it.each([
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['fr, pt-BR;q=0.7, en;q=0.3', 'pt'],
    ['en-US', 'en'],
    ['de;q=0, fr', 'en'],
    ['', 'en'],
    [null, 'en'],
  ])('RFC 9110 12.5.4: %j is answered in %s', (header, lang) => {
    expect(chooseLanguage(header)).toBe(lang)
  })

  it('UX: names are data in a text', () => {
    expect(sayIn(TEXTS.en)('upload.done', { name: '{name} $&' })).toBe('{name} $& is here.')
  })
})

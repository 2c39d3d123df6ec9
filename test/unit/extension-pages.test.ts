// What the wallet's pages are made of: manifest, catalogues, addresses, dates, choices.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { routeOf } from '../../extension/dashboard/route.ts'
import { manifest } from '../../extension/manifest.ts'
import { hostPattern, isAllowedOrigin, issuerOf, patternOf } from '../../extension/origin.ts'
import { dayField, daysToFriday, endOfDay } from '../../extension/ui/time.ts'
import { plain } from '../../extension/ui/words.ts'

const catalogue = (language: string): Record<string, { message: string }> =>
  JSON.parse(readFileSync(new URL(`../../extension/_locales/${language}/messages.json`, import.meta.url), 'utf8'))

describe('DESIGN 5.13: the manifest', () => {
  it('DESIGN 5.13: asks for nothing that a browser warns about', () => {
    const chrome = manifest('chrome', '1.0.0')
    expect(chrome.permissions).toEqual(['storage', 'alarms', 'identity', 'scripting', 'activeTab'])
    expect(chrome.optional_host_permissions).toEqual(['https://*/*', 'http://localhost/*', 'http://127.0.0.1/*'])
    for (const member of ['host_permissions', 'content_scripts', 'web_accessible_resources', 'externally_connectable'])
      expect(chrome).not.toHaveProperty(member)
  })

  it('EX-14: pages load scripts of the package only and take no markup from strings', () => {
    const { extension_pages } = manifest('chrome', '1.0.0').content_security_policy as { extension_pages: string }
    expect(extension_pages).toContain("default-src 'none'; script-src 'self';")
    expect(extension_pages).toContain("require-trusted-types-for 'script'; trusted-types 'none'")
    expect(extension_pages).not.toMatch(/unsafe|http:\/\/(?!localhost:\*|127\.0\.0\.1:\*)/)
  })

  it('EXTENSION 7: both browsers get the same wallet', () => {
    const { background: _c, key: _k, minimum_chrome_version: _m, ...chrome } = manifest('chrome', '1.0.0')
    const { background: _f, browser_specific_settings: _g, ...firefox } = manifest('firefox', '1.0.0')
    expect(firefox).toEqual(chrome)
  })
})

describe('UX: texts', () => {
  const english = catalogue('en')
  it.each(['en', 'de', 'pt'])('WCAG 2.5.3: in %s a button is called as it reads, so that it can be spoken', (language) => {
    const { stop, stop_label } = catalogue(language)
    expect(stop_label?.message).toContain(stop?.message)
  })

  it.each(['de', 'pt'])('UX: %s has every text, with the same placeholders', (language) => {
    const other = catalogue(language)
    expect(Object.keys(other).sort()).toEqual(Object.keys(english).sort())
    const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort()
    for (const [key, { message }] of Object.entries(english))
      expect([key, placeholders(other[key]?.message ?? '')]).toEqual([key, placeholders(message)])
  })

  it('UX: no word of the protocol is on a surface', () => {
    for (const language of ['en', 'de', 'pt']) {
      for (const [key, { message }] of Object.entries(catalogue(language))) {
        expect([
          key,
          /\b(ticket|token|claim|policy|scope|RPT|PAT|PCT|introspection|authorization server|resource server)s?\b/i.test(message),
        ]).toEqual([key, false])
      }
    }
  })

  it('EX-08: characters that turn text around or hide are stripped from what others wrote', () => {
    expect(plain('bob\u202Eten.elpmaxe@\u200Bevil')).toBe('bobten.elpmaxe@evil')
    expect(plain('Inês Duarte')).toBe('Inês Duarte')
  })
})

describe('RFC 8414 2: addresses of servers', () => {
  it.each([
    ['share.example', 'https://share.example'],
    [' https://share.example/ ', 'https://share.example'],
    ['https://share.example/tenant/', 'https://share.example/tenant'],
    ['share.example:8443', 'https://share.example:8443'],
    ['localhost:8787', 'http://localhost:8787'],
    ['http://127.0.0.1:8787/', 'http://127.0.0.1:8787'],
    ['HTTPS://Share.Example', 'https://share.example'],
  ])('RFC 8414 2: %s', (typed, issuer) => {
    expect(issuerOf(typed)).toEqual({ kind: 'issuer', issuer })
  })

  it.each([
    '',
    'hello',
    'two words.example',
    'ftp://share.example',
    'javascript:alert(1)',
    'https://alice@share.example',
    'chrome://settings',
    'file:///etc/passwd',
  ])('RFC 8414 2: no address: %s', (typed) => {
    expect(issuerOf(typed).kind).toBe('no_address')
  })

  it('DESIGN 4: plain http only on this machine', () => {
    expect(issuerOf('http://share.example').kind).toBe('insecure')
    expect(issuerOf('http://localhost.evil.example').kind).toBe('insecure')
    expect(hostPattern('http://share.example')).toEqual({ kind: 'insecure' })
  })

  it('EXTENSION 2: only exact origins can be approved', () => {
    expect(isAllowedOrigin('https://share.example')).toBe(true)
    for (const origin of ['null', 'https://share.example/', 'http://share.example', 'https://share.example/path', 'chrome-extension://abc'])
      expect(isAllowedOrigin(origin)).toBe(false)
    expect(patternOf('https://share.example/tenant')).toBe('https://share.example/*')
  })
})

describe('UX: dates of a share', () => {
  const at = (text: string): number => Math.floor(new Date(text).getTime() / 1000)

  it('UX: "Friday" is the coming one, on a Friday the next', () => {
    expect([19, 20, 21, 22, 23, 24, 25].map((day) => daysToFriday(at(`2026-04-${day}T12:00:00`)))).toEqual([5, 4, 3, 2, 1, 7, 6])
  })

  it('UX: a day ends when the next one begins, in the person’s own time', () => {
    expect(endOfDay(at('2026-04-20T12:00:00'), 0)).toBe(at('2026-04-21T00:00:00'))
    expect(dayField('2026-04-24', 'end')).toBe(at('2026-04-25T00:00:00'))
    expect(dayField('2026-04-24', 'start')).toBe(at('2026-04-24T00:00:00'))
    expect(dayField('24.4.2026', 'end')).toBeUndefined()
  })
})

describe('UX: links into the dashboard', () => {
  it.each([
    ['#/thing/abc', { name: 'thing', id: 'abc' }],
    ['#/share/a%2Fb', { name: 'share', id: 'a/b' }],
    ['#/share', { name: 'share', id: undefined }],
    ['#/activity', { name: 'activity', id: undefined }],
    ['', { name: 'shared', id: undefined }],
    ['#/nonsense/x', { name: 'shared', id: undefined }],
    ['#/thing/%E0%A4%A', { name: 'thing', id: undefined }],
  ])('UX: %s', (hash, route) => {
    expect(routeOf(hash)).toEqual(route)
  })
})

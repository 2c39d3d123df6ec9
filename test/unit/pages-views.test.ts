// Every view in every language, as text: frame, forms, labels, and nothing that the CSP would refuse. How they look is for eyes.
import { describe, expect, it } from 'vitest'
import { CancelledPage } from '../../worker/pages/cancelled.tsx'
import { ClaimsDonePage } from '../../worker/pages/claims-done.tsx'
import { ClaimsStartPage } from '../../worker/pages/claims-start.tsx'
import { ClaimsWaitingPage } from '../../worker/pages/claims-waiting.tsx'
import { CodePage } from '../../worker/pages/code.tsx'
import { ConsentPage } from '../../worker/pages/consent.tsx'
import { type ErrorKind, ErrorPage } from '../../worker/pages/error.tsx'
import { GoingBackPage } from '../../worker/pages/going-back.tsx'
import { HomePage } from '../../worker/pages/home.tsx'
import { render } from '../../worker/pages/layout.tsx'
import type { Language } from '../../worker/pages/messages.ts'
import { NotSharedPage } from '../../worker/pages/not-shared.tsx'
import { OwnHomePage } from '../../worker/pages/own-home.tsx'
import { ProofsPage, ProofsStartPage } from '../../worker/pages/proofs.tsx'
import { SignInPage } from '../../worker/pages/sign-in.tsx'
import { WelcomePage } from '../../worker/pages/welcome.tsx'

const csrf = 'csrf-value'
const session = '/uma/claims/s1'
const now = 1_776_000_000
const client = { name: 'Photo<b>Print', host: 'photoprint.example' }
const service = { name: 'Vault', host: 'vault.example' }
const until = { at: 1_777_050_000, timeZone: 'Europe/Lisbon' }
const errorKinds: readonly ErrorKind[] = [
  'bad_request',
  'bad_link',
  'used_link',
  'expired',
  'not_found',
  'signed_out',
  'too_many',
  'unavailable',
  'unknown_app',
  'registration_closed',
  'unexpected',
]

const pagesIn = (lang: Language): [string, string][] => {
  const page = { lang, host: 'share.example', operator: 'Olaf Brandt' }
  const code = { page, csrf, address: 'bob@example.net', minutes: 10, action: '/c', resendAction: '/a', otherAddress: '/x' }
  const consent = { page, csrf, client, owner: 'alice@example.org', action: '/consent', fields: { request: 'r1' }, notYou: '/sign-in' }
  const shares = [
    { id: 's1', person: 'bob@example.net', scopes: ['view'], state: 'active' as const, until },
    { id: 's2', scopes: ['view', 'download'], state: 'over' as const, until: { at: 1_700_000_000 } },
  ]
  return [
    ['home', render(HomePage, { page })],
    [
      'own home',
      render(OwnHomePage, {
        page,
        csrf,
        now,
        names: 'readable',
        passkeys: 1,
        notice: 'stopped',
        connections: [{ id: 'c1', kind: 'service', name: 'Vault', host: 'vault.example', connectedAt: now, lastUsedAt: now }],
        things: [{ id: 't1', name: 'Lisbon.pdf', serviceName: 'Vault', shares }],
      }),
    ],
    [
      'own home, locked',
      render(OwnHomePage, {
        page,
        csrf,
        now,
        names: 'wrong',
        passkeys: 0,
        connections: [],
        things: [{ id: 't1', serviceName: 'Vault', shares: [] }],
      }),
    ],
    ['own home, empty', render(OwnHomePage, { page, csrf, now, names: 'readable', passkeys: 0, connections: [], things: [] })],
    ['sign-in', render(SignInPage, { page, csrf, next: '/authorize?x', connecting: 'Vault' })],
    ['sign-in, wrong address', render(SignInPage, { page, csrf, address: 'bob', error: 'wrong' })],
    ['code', render(CodePage, code)],
    ['code, wrong', render(CodePage, { ...code, error: 'wrong', resent: true, fields: { next: '/n' } })],
    ['welcome', render(WelcomePage, { page, csrf, recoveryCode: 'AAAA-BBBB', next: '/' })],
    ['consent for a service', render(ConsentPage, { ...consent, kind: 'service' })],
    ['consent for a wallet', render(ConsentPage, { ...consent, kind: 'wallet' })],
    ['claims start', render(ClaimsStartPage, { page, csrf, session, client, service, scopes: ['view'] })],
    [
      'claims start, same',
      render(ClaimsStartPage, { page, csrf, session, client, service: client, scopes: [], item: 'A.pdf', error: 'wrong' }),
    ],
    ['claims done', render(ClaimsDonePage, { page, csrf, session, client, service, scopes: ['view'], until, canKeep: true, now })],
    ['claims done by wallet', render(ClaimsDonePage, { page, csrf, session, client, service, scopes: ['view'], canKeep: false, now })],
    [
      'not shared',
      render(NotSharedPage, {
        page,
        csrf,
        session,
        client,
        address: 'bob@example.net',
        otherAddress: '/x',
        scopes: ['view'],
        ask: { refused: true },
      }),
    ],
    [
      'waiting',
      render(ClaimsWaitingPage, { page, csrf, session, client, address: 'bob@example.net', scopes: ['view'], since: { at: now } }),
    ],
    ['proofs, before', render(ProofsStartPage, { page, csrf, address: 'bob@', error: 'wrong' })],
    [
      'proofs, none',
      render(ProofsPage, { page, csrf, address: 'b•••@example.net', items: [], asked: [], used: false, some: false, notice: 'forgotten' }),
    ],
    [
      'proofs',
      render(ProofsPage, {
        page,
        csrf,
        address: 'b•••@example.net',
        items: [{ id: 'c1', client, since: { at: now }, until: { at: now }, by: 'code' }],
        asked: [{ request: 'sealed', client, service: client, scopes: ['view'], since: { at: now }, allowed: true }],
        used: true,
        some: true,
      }),
    ],
    ['not shared, wallet', render(NotSharedPage, { page, csrf, session, client, otherAddress: '/x', scopes: ['view'] })],
    [
      'shared in part',
      render(NotSharedPage, { page, csrf, session, client, otherAddress: '/x', scopes: ['view', 'edit'], part: ['view'] }),
    ],
    ['going back', render(GoingBackPage, { page, client, url: 'https://photoprint.example/cb?ticket=a&state="b' })],
    ['cancelled', render(CancelledPage, { page, back: { name: 'PhotoPrint', href: 'https://photoprint.example/' } })],
    ...errorKinds.map((kind): [string, string] => [
      `error ${kind}`,
      render(ErrorPage, { page, kind, requestId: '7QK2', code: 'some_code', description: 'what happened', at: { at: now } }),
    ]),
  ]
}

const english = new Map(pagesIn('en'))
const page = (name: string): string => english.get(name) ?? ''
const all = (['en', 'de', 'pt'] as const).flatMap((lang) => pagesIn(lang).map(([name, html]) => ({ lang, name, html })))
const tags = (html: string, name: string): string[] => html.match(new RegExp(`<${name}\\b[^>]*>`, 'g')) ?? []
const attribute = (tag: string, name: string): string | undefined => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]

describe('UX, Screens: every page', () => {
  it.each(all)('UX, Screens: $name in $lang has a language, a title and one heading', ({ lang, html }) => {
    expect(html).toMatch(new RegExp(`^<!doctype html><html lang="${lang}">`))
    expect(html).toMatch(/<title>[^<]+<\/title>/)
    expect(tags(html, 'h1')).toHaveLength(1)
    expect(html).not.toMatch(/undefined|\[object|\{\w+\}/)
  })

  it.each(all)('DESIGN 4: $name in $lang carries nothing that the CSP refuses', ({ html }) => {
    expect(html).not.toMatch(/\sstyle=|<style\b|\son\w+=|javascript:/)
    for (const script of tags(html, 'script')) expect(script).toMatch(/^<script type="module" src="\/assets\/[a-z]+\.js">$/)
    expect(html).not.toMatch(/<script[^>]*>[^<]/)
    for (const form of tags(html, 'form')) expect(attribute(form, 'action')).toMatch(/^\/(?!\/)/)
  })

  it.each(all)('WCAG 1.3.1, 2.5.3, 3.3.2: $name in $lang names every field and button', ({ html }) => {
    for (const field of tags(html, 'input').filter((tag) => attribute(tag, 'type') !== 'hidden')) {
      expect(html).toContain(`<label class="label" for="${attribute(field, 'id')}">`)
    }
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, list = ''] of html.matchAll(/aria-(?:describedby|labelledby)="([^"]+)"/g)) {
      for (const id of list.split(' ')) expect(ids).toContain(id)
    }
    // WCAG 2.5.3: what is read on a button is part of what it is called, so that it can be spoken.
    for (const [, name = '', text = ''] of html.matchAll(/<button [^>]*aria-label="([^"]+)">([^<]+)</g)) expect(name).toContain(text)
    for (const icon of tags(html, 'svg')) expect(attribute(icon, 'aria-hidden')).toBe('true')
  })

  it.each(all)('RFC 6749 10.12: every form of $name in $lang posts a csrf value', ({ html }) => {
    for (const form of html.match(/<form\b[\s\S]*?<\/form>/g) ?? []) {
      expect(form).toMatch(/^<form method="post" /)
      expect(form).toContain(`<input type="hidden" name="csrf" value="${csrf}"/>`)
    }
  })
})

describe('UX: what single pages say and hide', () => {
  it('CLAIMS 2.3: the way back is a link and a refresh, not a form', () => {
    const html = page('going back')
    expect(tags(html, 'form')).toEqual([])
    expect(html).toContain('<meta http-equiv="refresh" content="0;url=https://photoprint.example/cb?ticket=a&amp;state=&quot;b"/>')
    expect(html).toContain('href="https://photoprint.example/cb?ticket=a&amp;state=&quot;b"')
  })

  it('DESIGN 4: a name that an app gave itself is text', () => {
    expect(page('claims start')).toContain('<strong>Photo&lt;b&gt;Print</strong>')
    expect(page('claims start')).not.toContain('Photo<b>')
  })

  it('UX, Words: a name that nobody vouches for is marked, a vouched one is not', () => {
    expect(page('claims start')).toContain('not verified')
    const props = { page: { lang: 'en', host: 'share.example' }, csrf, session, scopes: ['view'] } as const
    const vouched = { name: 'PhotoPrint', host: 'photoprint.example', verified: true }
    expect(render(ClaimsStartPage, { ...props, client: vouched, service: vouched })).not.toContain('not verified')
  })

  it('UX, Words: until somebody is let in, the page names neither the item nor its owner', () => {
    expect(page('claims start')).toContain('a private item')
    expect(page('not shared')).not.toMatch(/Alice|Lisbon/)
  })

  it('DESIGN 4: what needs a script is hidden until the script shows it', () => {
    expect(page('claims start')).toMatch(/<div [^>]*hidden=""[^>]*data-wallet="present"/)
    expect(page('claims done')).toMatch(/<div [^>]*hidden=""[^>]*data-wallet="keep"/)
    expect(page('sign-in')).toMatch(/<div [^>]*hidden=""[^>]*data-passkey="sign-in"/)
    expect(page('claims done by wallet')).not.toContain('data-wallet')
  })

  it('DESIGN 4: a script finds every sentence it says in the page', () => {
    const part = tags(page('claims start'), 'div').find((tag) => tag.includes('data-wallet')) ?? ''
    for (const name of ['wait', 'declined', 'no-proof', 'refused', 'failed']) expect(attribute(part, `data-${name}`)).toMatch(/\w/)
    const passkey = tags(page('welcome'), 'div').find((tag) => tag.includes('data-passkey')) ?? ''
    for (const name of ['done', 'cancelled', 'failed']) expect(attribute(passkey, `data-${name}`)).toMatch(/\w/)
  })

  it('UX, Words: a share is the sentence that is enforced, with a stop while it holds', () => {
    const html = page('own home')
    expect(html).toContain('<strong>bob@example.net</strong> may view <strong>Lisbon.pdf</strong> until Friday, 24 April, 18:00.')
    expect(html).toContain('aria-label="Stop sharing Lisbon.pdf with bob@example.net"')
    expect(html).toContain('<input type="hidden" name="share" value="s1"/>')
    expect(html).not.toContain('<input type="hidden" name="share" value="s2"/>')
  })

  it('DESIGN 7: without the label key the page shows no name and asks for the recovery code', () => {
    expect(page('own home, locked')).toContain('Thing at Vault')
    expect(page('own home, locked')).toContain('name="recovery_code"')
    expect(page('own home')).not.toContain('name="recovery_code"')
  })

  it('UX, Words: every error offers a next step; codes stay behind the fold', () => {
    for (const kind of errorKinds) {
      const html = page(`error ${kind}`)
      expect(html).toMatch(/<a class="btn btn-main btn-wide" href="/)
      expect(html.indexOf('some_code')).toBeGreaterThan(html.indexOf('<details'))
    }
    expect(page('error signed_out')).toContain('href="/sign-in"')
  })

  it('UX, Screens: one main button a page', () => {
    for (const { name, html } of all) {
      const visible = html.replace(/<div [^>]*hidden=""[\s\S]*?<\/div>/g, '')
      expect([name, (visible.match(/btn-main/g) ?? []).length]).toEqual([name, expect.toSatisfy((count: number) => count <= 1)])
    }
  })
})

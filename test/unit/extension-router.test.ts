// Who may ask the wallet's background for what.
import { beforeEach, describe, expect, it } from 'vitest'
import { type Handlers, makeRouter, tierOf } from '../../extension/background/router.ts'
import { WalletError } from '../../extension/errors.ts'
import { fromOwnPage, fromPage, OWN_ORIGIN, resetBrowser } from '../support/fake-browser.ts'

const ORIGIN = 'https://share.example'
const hello = { kind: 'page', is_active: false, message: { latchkey: 'latchkey:1', kind: 'hello', id: 'a'.repeat(36) } }

const heard: unknown[] = []
const own = new Proxy({} as Handlers['own'], {
  get: (_, kind) => async (request: { kind: string }) => {
    heard.push(request)
    if (kind === 'leave') throw new WalletError('ended', 'gone')
    if (kind === 'erase') throw new Error('secret inside')
    return `did ${String(kind)}`
  },
})
const route = makeRouter({
  own,
  page: async (request, visitor) => {
    heard.push({ request, visitor })
    return 'for the page'
  },
  isApproved: async (origin) => origin === ORIGIN,
})

describe('EXTENSION 2: who is heard', () => {
  beforeEach(() => {
    resetBrowser()
    heard.length = 0
  })

  it('EXTENSION 2: a page of the wallet is answered', async () => {
    expect(await route({ kind: 'wallet' }, fromOwnPage())).toEqual({ ok: true, value: 'did wallet' })
  })

  it('EXTENSION 2: the content script of an approved page is heard as a page, with what the browser says about it', async () => {
    expect(await route(hello, fromPage(ORIGIN))).toBe('for the page')
    expect(heard).toEqual([{ request: hello, visitor: { origin: ORIGIN, tab_id: 7, document_id: 'document-1' } }])
  })

  it.each([
    ['a page that was not approved', fromPage('https://evil.example')],
    ['an approved host on another port', fromPage('https://share.example:8443')],
    ['plain http of an approved host', fromPage('http://share.example')],
    ['a frame inside a page', fromPage(ORIGIN, { frameId: 3 })],
    ['a sandboxed frame, whose URL looks right', fromPage('null', { url: `${ORIGIN}/uma/claims` })],
    ['an evil page whose URL member looks right', fromPage('https://evil.example', { url: `${ORIGIN}/uma/claims` })],
    ['no origin at all, only a URL', fromPage(ORIGIN, { origin: undefined, url: `${ORIGIN}/uma/claims` })],
    ['another extension', fromPage(ORIGIN, { id: 'b'.repeat(32) })],
    ['another extension that claims our pages', fromPage(OWN_ORIGIN, { id: 'b'.repeat(32) })],
    ['a page that is only being prerendered', fromPage(ORIGIN, { documentLifecycle: 'prerender' })],
    ['a sender without a tab', fromPage(ORIGIN, { tab: undefined })],
  ])('EX-01: silence for %s', async (_who, sender) => {
    expect(await route(hello, sender)).toBeUndefined()
    expect(await route({ kind: 'wallet' }, sender)).toBeUndefined()
    expect(heard).toEqual([])
  })

  it('EX-01: an approved page cannot use the requests of the wallet’s own pages', async () => {
    for (const request of [
      { kind: 'wallet' },
      { kind: 'answer', visit: 'v', email: 'bob@example.net' },
      { kind: 'proofs' },
      { kind: 'erase' },
    ]) {
      expect(await route(request, fromPage(ORIGIN))).toBeUndefined()
    }
    expect(heard).toEqual([])
  })

  it('EX-01: a page of the wallet cannot pretend to be a page of a server', async () => {
    expect(await route(hello, fromOwnPage())).toMatchObject({ ok: false, code: 'refused' })
    expect(heard).toEqual([])
  })

  it.each([
    ['unknown request', { kind: 'dance' }],
    ['no object', 'wallet'],
    ['member too many', { kind: 'wallet', more: 1 }],
    ['member missing', { kind: 'connect' }],
    ['text too long', { kind: 'connect', address: 'a'.repeat(3000) }],
    ['a share without actions', { kind: 'share', issuer: ORIGIN, request: { resource_id: 'r', person: { id: 'p' }, resource_scopes: [] } }],
  ])('EXTENSION 2: refused: %s', async (_what, message) => {
    expect(await route(message, fromOwnPage())).toMatchObject({ ok: false, code: 'refused' })
    expect(heard).toEqual([])
  })

  it('STYLE 4: an expected failure arrives as its code, an unexpected one as "failed"', async () => {
    expect(await route({ kind: 'leave', issuer: ORIGIN }, fromOwnPage())).toEqual({ ok: false, code: 'ended', detail: 'gone' })
    expect(await route({ kind: 'erase' }, fromOwnPage())).toMatchObject({ ok: false, code: 'failed' })
  })

  it('EXTENSION 2: the tier needs nothing but what the browser vouches for', () => {
    expect(tierOf(fromOwnPage())).toEqual({ kind: 'own' })
    expect(tierOf(fromPage('http://localhost:8787'))).toMatchObject({ kind: 'page', visitor: { origin: 'http://localhost:8787' } })
    expect(tierOf({})).toEqual({ kind: 'nobody' })
  })
})

// Keys follow each other in the middle of the story, by command and by age: whatever was made before goes on working for its own life,
// what is made afterwards has the new key, and old keys go when nothing can need them. Moves the clock of a server of its own.
import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LEAD, ROTATE_AFTER, SEALED_FOR, SIGNED_FOR } from '../../worker/keys/schedule.ts'
import type { Rotated } from '../../worker/objects/keys.ts'
import {
  type Alice,
  type App,
  authorize,
  bob,
  connectService,
  connectWallet,
  openClaims,
  registerApp,
  type Service,
  share,
  signIn,
  type WalletApi,
} from '../support/actors.ts'
import { newestCode, typeAddress, typeCode } from '../support/claims.ts'
import { type Answer, call, expectStatus } from '../support/http.ts'
import type { Page } from '../support/http-browser.ts'
import { type Credential, obtainCredential, presentFor } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const DAY = 86_400

/** Sealed texts begin with the slot of their key; tokens have a letter before it. */
const slotOf = (sealed: string): number => Buffer.from(sealed.slice(0, 4), 'base64url')[0] ?? 0

describe('TK-17: keys rotate in the middle of the story', () => {
  let as: Running
  let alice: Alice
  let service: Service
  let wallet: WalletApi
  let app: App
  let credential: Credential
  let resource: string
  let carol: Alice
  let firstNames: string
  let clock = 0
  let begun: number
  const guest = bob()

  const moveTo = async (seconds: number): Promise<void> => {
    clock = Math.round(seconds)
    await as.setClock(clock)
  }
  const now = (): number => Math.floor(Date.now() / 1000) + clock
  const keysObject = async () => {
    const objects = await as.miniflare.getDurableObjectNamespace('KEYS', as.name)
    return objects.get(objects.idFromName('keys')) as unknown as {
      rotate: () => Promise<Rotated>
      ages: () => Promise<{ signing: number[]; seal: number[] }>
    }
  }
  const kids = async (): Promise<string[]> => ((await call(`${as.origin}/jwks`)).json.keys as { kid: string }[]).map(({ kid }) => kid)
  const push = async (ticket: string, proof: Credential): Promise<Answer> =>
    app.token(ticket, { claim_token: await presentFor(proof, ticket, { iat: now() }), claim_token_format: 'dc+sd-jwt' })
  const ask = () => service.ticket({ resource_id: resource, resource_scopes: ['view'] })
  const refresh = (refreshToken: string): Promise<Answer> =>
    call(`${as.origin}/token`, {
      form: { grant_type: 'refresh_token', refresh_token: refreshToken },
      basic: { id: service.client.id, secret: service.client.secret ?? '' },
    })

  beforeAll(async () => {
    as = await ownAs()
    alice = await signIn(as)
    carol = await signIn(as)
    firstNames = alice.browser.cookies(as.origin)['__Host-names'] ?? ''
    service = await connectService(as, alice)
    wallet = await connectWallet(as, alice)
    wallet.key.now = now
    app = await registerApp(as, 'confidential')
    resource = await service.register({ resource_scopes: ['view'], name: 'Lisbon.pdf' })
    await share(wallet, resource, guest.address)
    credential = await obtainCredential(as, guest, app, await ask())
  })
  afterAll(() => as.stop())

  it('TK-17: by command: published at once, used later; asked twice it does nothing more', async () => {
    const [before] = await kids()
    const rotated = await (await keysObject()).rotate()
    expect(rotated.kind).toBe('rotated')
    begun = (rotated as { from: number }).from - now()
    expect(begun).toBeGreaterThan(LEAD - 5)
    expect(await (await keysObject()).rotate()).toMatchObject({ kind: 'pending', from: (rotated as { from: number }).from })
    // The isolate asks again when its cache is over, long before the new key is used.
    await moveTo(301)
    const published = await kids()
    expect([published.length, published[0]]).toEqual([2, before])
    expect(slotOf(await ask())).toBe(1)
  })

  const made = {} as {
    pat: string
    rpt: string
    ticket: string
    code: { code: string; verifier: string; later: Service; redirectUri: string }
    claims: { page: Page; guest: ReturnType<typeof bob>; code: string }
  }

  it('TK-17: a moment before the change everything still has the old key', async () => {
    await moveTo(begun - 30)
    const tokens = expectStatus(await refresh(String(service.tokens.refresh_token)), 200, 'refresh').json
    made.pat = String(tokens.access_token)
    made.rpt = String(expectStatus(await push(await ask(), credential), 200, 'RPT').json.access_token)
    made.ticket = await ask()
    const later = await connectService(as, alice, 'Another shelf')
    const redirectUri = `${later.origin}/connected`
    const asked = await authorize(as, alice, {
      clientId: later.client.id,
      redirectUri,
      scope: 'uma_protection',
      more: { prompt: 'consent' },
    })
    made.code = { code: asked.params.get('code') ?? '', verifier: asked.verifier, later, redirectUri }
    const visitor = bob(guest.address)
    const { page } = await openClaims(as, visitor, app, await ask())
    const codePage = await typeAddress(visitor, page)
    made.claims = { page: codePage, guest: visitor, code: newestCode(as, guest.address) }
    const cookies = Object.values(alice.browser.cookies(as.origin))
    for (const sealed of [made.pat.slice(1), made.rpt.slice(1), made.ticket, made.code.code, ...cookies]) expect(slotOf(sealed)).toBe(1)
  })

  it('TK-17: after the change what was made before goes on: PAT, RPT, refresh token, ticket, code, session, claims session, credential', async () => {
    await moveTo(begun + 2)
    service.pat = made.pat
    const introspected = await call(`${as.origin}/introspect`, { form: { token: made.rpt }, bearer: made.pat })
    expect(introspected.json).toMatchObject({ active: true, permissions: [{ resource_id: resource }] })
    expect((await refresh(String(service.tokens.refresh_token))).status).toBe(200)
    expect((await push(made.ticket, credential)).status).toBe(200)
    const { later, code, verifier, redirectUri } = made.code
    const traded = await call(`${as.origin}/token`, {
      form: { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
      basic: { id: later.client.id, secret: later.client.secret ?? '' },
    })
    expect(traded.status).toBe(200)
    const done = await typeCode(made.claims.guest, made.claims.page, made.claims.code)
    expect([done.status, done.forms.some(({ action }) => action.endsWith('/continue'))]).toEqual([200, true])
    const home = await alice.browser.open(`${as.origin}/`)
    expect(home.text).toContain('Lisbon.pdf')
    expect((await wallet.call('/owner/me')).status).toBe(200)
  })

  it('TK-17: what is made from now on has the new key', async () => {
    const answer = await refresh(String(service.tokens.refresh_token))
    const rpt = String((await push(await ask(), credential)).json.access_token)
    for (const sealed of [await ask(), String(answer.json.access_token).slice(1), rpt.slice(1)]) expect(slotOf(sealed)).toBe(2)
    const newer = await connectService(as, alice, 'A third shelf')
    expect(decodeProtectedHeader(String(newer.tokens.id_token)).kid).toBe((await kids())[1])
  })

  it('TK-17: the cookie with the names is sealed anew when the page reads it', async () => {
    const cookie = () => alice.browser.cookies(as.origin)['__Host-names'] ?? ''
    expect(slotOf(cookie())).toBe(2)
    const before = cookie()
    await alice.browser.open(`${as.origin}/`)
    expect(cookie()).toBe(before)
  })

  it('TK-17: when nothing that it signed can be alive, the old key is published no more', async () => {
    const [old, young] = await kids()
    const rested = await restedAt(begun + SIGNED_FOR - 60)
    expect(rested).toEqual([old, young])
    expect(await restedAt(begun + SIGNED_FOR + 600)).toEqual([young])
  })

  /** The published keys, after the alarm and after the isolate's cache. */
  const restedAt = async (seconds: number): Promise<string[]> => {
    await moveTo(seconds)
    const [id = ''] = await as.objects('KeysObject')
    await as.runAlarm('KEYS', id)
    await moveTo(seconds + 1)
    return kids()
  }

  it('DESIGN 3: by age: after ninety days the next keys come by themselves, and half-year refresh tokens still work', async () => {
    await moveTo(begun + ROTATE_AFTER - LEAD + 10)
    const [young] = await kids()
    const both = await kids()
    expect([both.length, both[0]]).toEqual([2, young])
    await moveTo(begun + ROTATE_AFTER + 20)
    const [, next] = await kids()
    const answer = expectStatus(await refresh(String(service.tokens.refresh_token)), 200, 'refresh by a token of the first key')
    service.pat = String(answer.json.access_token)
    expect(slotOf(service.pat.slice(1))).toBe(3)
    expect(both[1]).toBe(next)
  })

  it('DESIGN 3: the names cookie of a browser that stayed away for 400 days is read, and sealed anew', async () => {
    await moveTo(begun + 399 * DAY)
    const back = await signIn(as, alice.address)
    const cookies = { ...back.browser.cookies(as.origin), '__Host-names': firstNames }
    const cookie = Object.entries(cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const answer = await call(`${as.origin}/`, { headers: { accept: 'text/html', cookie } })
    expect(answer.text).toContain('Lisbon.pdf')
    const renewed = answer.headers.getSetCookie().find((line) => line.startsWith('__Host-names=')) ?? ''
    expect(slotOf(renewed.slice('__Host-names='.length))).toBe(3)
  })

  it("DESIGN decision 7: a key stays as long as an owner's address needs it, whatever its age; signing in ends that", async () => {
    const kept = async (): Promise<number> => {
      const [id = ''] = await as.objects('KeysObject')
      await as.runAlarm('KEYS', id)
      return (await (await keysObject()).ages()).seal.length
    }
    await moveTo(begun + SEALED_FOR + 60)
    const all = await kept()
    expect((await (await keysObject()).ages()).seal).toHaveLength(all)
    // Alice's address was sealed anew at her last sign-in; Carol has not been here since the beginning.
    const back = await signIn(as, carol.address)
    expect(back.page.status).toBe(200)
    await as.setFault({ mode: 'fail', match: 'address_sealed', count: 1 })
    expect(await kept()).toBe(all)
    expect(await kept()).toBe(all - 1)
    expect((await signIn(as, carol.address)).page.status).toBe(200)
  })
})

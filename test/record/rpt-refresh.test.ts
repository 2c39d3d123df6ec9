// Refresh tokens of RPTs and revocation (UMA Grant 3.6, 3.7): no assessment, bound, never more than what still stands.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, connectWallet, registerApp, share, stopSharing, UMA_TICKET } from '../support/actors.ts'
import { stage } from '../support/claims.ts'
import { type Answer, call, type DpopKey, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const GRANTS = { grant_types: [UMA_TICKET, 'refresh_token'] }
let s: Cast
let app: App
beforeAll(async () => {
  s = await cast()
  app = await registerApp(s.server, 'public', GRANTS)
})

describe('UMA Grant 5.5: a ticket that is seen again', () => {
  it('SPECS G-82: ends what it brought, token and refresh token, if the owner wants that; other tokens live on', async () => {
    const t = await cast()
    const use = async (by: App): Promise<{ ticket: string; json: Json }> => {
      const ticket = await t.service.ticket({ resource_id: t.resource, resource_scopes: ['view'] })
      return { ticket, json: expectStatus(await by.token(ticket, await pushed(t.credential, ticket)), 200, 'RPT').json }
    }
    const isActive = async ({ json }: { json: Json }): Promise<unknown> => (await t.service.introspect(String(json.access_token))).active
    const setTo = (revoke_on_replay: unknown) => t.wallet.call('/owner/settings', { method: 'PUT', json: { revoke_on_replay } })
    const off = await use(app)
    expectRefusal(await app.token(off.ticket), 400, 'invalid_grant')
    expect(await isActive(off)).toBe(true)
    expectRefusal(await setTo('yes'), 400, 'invalid_request')
    expect((await setTo(true)).json).toEqual({ lets_people_ask: true, revoke_on_replay: true })
    const [one, two, other] = [await use(app), await use(app), await registerApp(t.server)]
    // By whomever: who presents it should not have it.
    expectRefusal(await other.token(one.ticket), 400, 'invalid_grant')
    expect([await isActive(one), await isActive(two), await isActive(off)]).toEqual([false, true, true])
    expectRefusal(await refresh(one.json.refresh_token), 400, 'invalid_grant')
    expect((await refresh(two.json.refresh_token)).status).toBe(200)
    // What the owner changes later begins then.
    expectRefusal(await app.token(off.ticket), 400, 'invalid_grant')
    expect(await isActive(off)).toBe(true)
    await setTo(false)
    expectRefusal(await app.token(two.ticket), 400, 'invalid_grant')
    expect(await isActive(two)).toBe(true)
  })
})

type Way = { app?: App; key?: DpopKey; more?: Record<string, string> }
const redeem = async (permissions: Json | Json[], { app: by = app }: Way = {}, who = s): Promise<Json> => {
  const ticket = await who.service.ticket(permissions)
  return expectStatus(await by.token(ticket, await pushed(who.credential, ticket)), 200, 'RPT').json
}
const refresh = (token: unknown, { app: by = app, key, more = {} }: Way = {}): Promise<Answer> => {
  const { id, secret } = by.client
  const dpop = key ?? by.key
  return call(`${s.server.origin}/token`, {
    form: { grant_type: 'refresh_token', refresh_token: String(token), ...(secret === undefined && { client_id: id }), ...more },
    ...(secret !== undefined && { basic: { id, secret } }),
    ...(dpop && { dpop }),
  })
}
const revoke = (token: unknown, by = app): Promise<Answer> =>
  call(`${s.server.origin}/revoke`, { form: { token: String(token), client_id: by.client.id } })
const active = async (token: unknown): Promise<boolean> => (await s.service.introspect(String(token))).active === true
const permitted = async (token: unknown): Promise<Record<string, string[]>> => {
  const found = (await s.service.introspect(String(token))).permissions as { resource_id: string; resource_scopes: string[] }[] | undefined
  return Object.fromEntries((found ?? []).map((one) => [one.resource_id, one.resource_scopes]))
}
const view = (id: string, ...scopes: string[]) => ({ resource_id: id, resource_scopes: scopes.length > 0 ? scopes : ['view'] })
const shared = async (scopes = ['view']): Promise<{ id: string; share: string }> => {
  const id = await s.service.register({ resource_scopes: ['view', 'edit', 'print'] })
  return { id, share: await share(s.wallet, id, s.known.address, { resource_scopes: scopes }) }
}

describe('UMA Grant 3.6: refresh of an RPT', () => {
  it('UMA Grant 3.6: who registered for it gets a refresh token, who did not gets none', async () => {
    const { id } = await shared()
    expect((await redeem(view(id))).refresh_token).toMatch(/^u[\w-]+\.[\w-]{43}$/)
    expect(await redeem(view(id), { app: s.app })).not.toHaveProperty('refresh_token')
  })

  it('UMA Grant 3.6: a new RPT with the same permissions; the refresh token stays and the RPT of before lives', async () => {
    const { id } = await shared()
    const first = await redeem(view(id))
    const answer = await refresh(first.refresh_token)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^r/),
      token_type: 'DPoP',
      expires_in: 3600,
      resource_server: s.service.origin,
    })
    expect(answer.json.access_token).not.toBe(first.access_token)
    expect(await permitted(answer.json.access_token)).toEqual({ [id]: ['view'] })
    expect(await active(first.access_token)).toBe(true)
    expect((await refresh(first.refresh_token)).status).toBe(200)
  })

  it('UMA Grant 3.6: dead after withdrawal, and shared anew it stays dead (SPECS G-66)', async () => {
    const { id, share: policy } = await shared()
    const { refresh_token } = await redeem(view(id))
    await stopSharing(s.wallet, policy)
    expectRefusal(await refresh(refresh_token), 400, 'invalid_grant')
    await share(s.wallet, id, s.known.address)
    expectRefusal(await refresh(refresh_token), 400, 'invalid_grant')
  })

  it('UMA Grant 3.6: no assessment: a share that came later adds nothing, one that went takes its part only', async () => {
    const [one, two] = [await shared(['view']), await shared(['view', 'edit'])]
    const { refresh_token } = await redeem([view(one.id), view(two.id, 'view', 'edit')])
    await share(s.wallet, one.id, s.known.address, { resource_scopes: ['view', 'edit', 'print'] })
    expect(await permitted((await refresh(refresh_token)).json.access_token)).toEqual({ [one.id]: ['view'], [two.id]: ['view', 'edit'] })
    await stopSharing(s.wallet, one.share)
    expect(await permitted((await refresh(refresh_token)).json.access_token)).toEqual({ [two.id]: ['view', 'edit'] })
    await s.service.call(`/uma/resource/${two.id}`, { method: 'PUT', json: { resource_scopes: ['edit'] } })
    expect(await permitted((await refresh(refresh_token)).json.access_token)).toEqual({ [two.id]: ['edit'] })
    await s.service.call(`/uma/resource/${two.id}`, { method: 'DELETE' })
    expectRefusal(await refresh(refresh_token), 400, 'invalid_grant')
  })

  it('UMA Grant 3.6: scope cuts inside the permissions, for that RPT only; never more than was granted (RFC 6749 6)', async () => {
    const [one, two] = [await shared(['view', 'edit']), await shared(['view'])]
    const { refresh_token } = await redeem([view(one.id, 'view', 'edit'), view(two.id)])
    expect(await permitted((await refresh(refresh_token, { more: { scope: 'edit' } })).json.access_token)).toEqual({ [one.id]: ['edit'] })
    expectRefusal(await refresh(refresh_token, { more: { scope: 'print' } }), 400, 'invalid_scope')
    expect(await permitted((await refresh(refresh_token)).json.access_token)).toEqual({ [one.id]: ['view', 'edit'], [two.id]: ['view'] })
  })

  it('RFC 9449 5: a public client’s is good with its key only; another client’s never; a proof works once', async () => {
    const { id } = await shared()
    const { refresh_token } = await redeem(view(id))
    const other = await registerApp(s.server, 'public', GRANTS)
    expectRefusal(await refresh(refresh_token, { key: await newDpopKey() }), 400, 'invalid_grant')
    expectRefusal(await refresh(refresh_token, { app: { ...other, key: app.key } }), 400, 'invalid_grant')
    expectRefusal(await refresh(refresh_token, { app: other }), 400, 'invalid_grant')
    expectRefusal(await refresh(refresh_token, { app: { ...app, key: undefined } }), 400, 'invalid_grant')
    expect((await refresh(refresh_token)).status).toBe(200)
  })

  it('RFC 6749 6: a confidential client’s is bound to its secret; with a key or without', async () => {
    const { id } = await shared()
    const confidential = await registerApp(s.server, 'confidential', GRANTS)
    const { refresh_token } = await redeem(view(id), { app: confidential })
    expect((await refresh(refresh_token, { app: confidential })).json.token_type).toBe('Bearer')
    expect((await refresh(refresh_token, { app: confidential, key: await newDpopKey() })).json.token_type).toBe('DPoP')
    const wrong: App = { ...confidential, client: { ...confidential.client, secret: 'wrong' } }
    expectRefusal(await refresh(refresh_token, { app: wrong }), 401, 'invalid_client')
  })

  it('UMA Grant 3.6: garbage, an RPT and a wallet’s refresh token are no refresh tokens of this client', async () => {
    const { id } = await shared()
    const first = await redeem(view(id))
    const wallet = await connectWallet(s.server, s.alice)
    for (const token of ['garbage', first.access_token, s.service.pat, wallet.tokens.refresh_token]) {
      expectRefusal(await refresh(token), 400, 'invalid_grant')
    }
  })

  it('UMA Grant 3.6: ended with the service that Alice disconnects', async () => {
    const t = await cast(await stage(s.server))
    const { refresh_token } = await redeem(view(t.resource), {}, t)
    const { items } = (await t.wallet.call('/owner/connections')).json as { items: { id: string; kind: string }[] }
    await t.wallet.call(`/owner/connections/${items.find(({ kind }) => kind === 'service')?.id}`, { method: 'DELETE' })
    expectRefusal(await refresh(refresh_token), 400, 'invalid_grant')
  })
})

describe('UMA Grant 3.7: revocation', () => {
  it('RFC 7009 2.1: a refresh token takes its RPTs along, and those only', async () => {
    const { id } = await shared()
    const [first, other] = [await redeem(view(id)), await redeem(view(id))]
    const second = (await refresh(first.refresh_token)).json
    expect((await revoke(first.refresh_token)).status).toBe(200)
    expect([await active(first.access_token), await active(second.access_token), await active(other.access_token)]).toEqual([
      false,
      false,
      true,
    ])
    expectRefusal(await refresh(first.refresh_token), 400, 'invalid_grant')
    expect((await refresh(other.refresh_token)).status).toBe(200)
  })

  it('RFC 7009 2.1: an RPT ends alone; another client’s token is left as it is', async () => {
    const { id } = await shared()
    const first = await redeem(view(id))
    expect((await revoke(first.refresh_token, s.app)).status).toBe(200)
    expect((await revoke(first.access_token, s.app)).status).toBe(200)
    expect(await active(first.access_token)).toBe(true)
    await revoke(first.access_token)
    expect(await active(first.access_token)).toBe(false)
    expect((await refresh(first.refresh_token)).status).toBe(200)
  })
})

describe('UMA Grant 3.6: time', () => {
  let running: Running
  let t: Cast
  beforeAll(async () => {
    running = await ownAs()
    t = await cast(await stage(running))
  })
  afterAll(async () => {
    await running.stop()
    rmSync(running.state, { recursive: true, force: true })
  })

  it('UMA Grant 3.3.4: outlives the RPT, not what was shown for it nor the share; survives kill -9', async () => {
    const by = await registerApp(running, 'confidential', GRANTS)
    const now = Math.floor(Date.now() / 1000)
    const short = await t.service.register({ resource_scopes: ['view'] })
    await share(t.wallet, short, t.known.address, { until: now + 7200 })
    const [long, bounded] = [await redeem(view(t.resource), { app: by }, t), await redeem(view(short), { app: by }, t)]
    const again = (token: unknown) =>
      call(`${running.origin}/token`, {
        form: { grant_type: 'refresh_token', refresh_token: String(token) },
        basic: { id: by.client.id, secret: by.client.secret ?? '' },
      })
    await running.kill()
    await running.setClock(5400)
    expect((await again(long.refresh_token)).json.expires_in).toBe(3600)
    expect((await again(bounded.refresh_token)).json.expires_in).toBeLessThanOrEqual(1800)
    await running.setClock(7300)
    expectRefusal(await again(bounded.refresh_token), 400, 'invalid_grant')
    expect((await again(long.refresh_token)).status).toBe(200)
    await running.setClock(31 * 86_400)
    expectRefusal(await again(long.refresh_token), 400, 'invalid_grant')
  })
})

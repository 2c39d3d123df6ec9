// An RPT sent along with a ticket (UMA Grant 3.3.5.1): its permissions come along if guest, client, key, resource server and owner are the
// same, and only as far as they still stand.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, connectService, registerApp, share, stopSharing, UMA_TICKET } from '../support/actors.ts'
import { stage } from '../support/claims.ts'
import { call, expectStatus, type Json, newDpopKey } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
beforeAll(async () => {
  s = await cast()
})

const view = (id: string, ...scopes: string[]) => ({ resource_id: id, resource_scopes: scopes.length > 0 ? scopes : ['view'] })
const shared = async (who = s, scopes = ['view']): Promise<{ id: string; share: string }> => {
  const id = await who.service.register({ resource_scopes: ['view', 'edit'] })
  return { id, share: await share(who.wallet, id, who.known.address, { resource_scopes: scopes }) }
}
const redeem = async (permissions: Json | Json[], more: Record<string, string> = {}, app: App = s.app, who = s): Promise<Json> => {
  const ticket = await who.service.ticket(permissions)
  return expectStatus(await app.token(ticket, { ...(await pushed(who.credential, ticket)), ...more }), 200, 'RPT').json
}
const permitted = async (token: unknown, who = s): Promise<Record<string, string[]>> => {
  const found = (await who.service.introspect(String(token))).permissions as
    | { resource_id: string; resource_scopes: string[] }[]
    | undefined
  return Object.fromEntries((found ?? []).map((one) => [one.resource_id, [...one.resource_scopes].sort()]))
}
const rptOf = (answer: Json): string => String(answer.access_token)

describe('UMA Grant 3.3.5.1: upgrade', () => {
  it('UMA Grant 3.3.5.1: a new string with the old permissions in it, upgraded says so, the old string dies', async () => {
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id)))
    const answer = await redeem(view(two.id), { rpt: old })
    expect(answer.upgraded).toBe(true)
    expect(rptOf(answer)).not.toBe(old)
    expect(await permitted(rptOf(answer))).toEqual({ [one.id]: ['view'], [two.id]: ['view'] })
    expect((await s.service.introspect(old)).active).toBe(false)
  })

  it('UMA Grant 3.3.5.1: scopes of one thing are put together', async () => {
    const { id } = await shared(s, ['view', 'edit'])
    const answer = await redeem(view(id, 'edit'), { rpt: rptOf(await redeem(view(id))) })
    expect([answer.upgraded, await permitted(rptOf(answer))]).toEqual([true, { [id]: ['edit', 'view'] }])
  })

  it('SPECS G-62: what was stopped, deregistered or taken off meanwhile does not come along', async () => {
    const [stopped, gone, narrowed, next] = [await shared(), await shared(), await shared(s, ['view', 'edit']), await shared()]
    const old = rptOf(await redeem([view(stopped.id), view(gone.id), view(narrowed.id, 'view', 'edit')]))
    await stopSharing(s.wallet, stopped.share)
    await share(s.wallet, stopped.id, s.known.address)
    await s.service.call(`/uma/resource/${gone.id}`, { method: 'DELETE' })
    await s.service.call(`/uma/resource/${narrowed.id}`, { method: 'PUT', json: { resource_scopes: ['edit'] } })
    const answer = await redeem(view(next.id), { rpt: old })
    expect([answer.upgraded, await permitted(rptOf(answer))]).toEqual([true, { [narrowed.id]: ['edit'], [next.id]: ['view'] }])
  })

  it('SPECS G-62: of an RPT of which nothing stands nothing is claimed', async () => {
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id)))
    await stopSharing(s.wallet, one.share)
    expect(await redeem(view(two.id), { rpt: old })).not.toHaveProperty('upgraded')
  })

  it('UMA Grant 3.3.5.1: what is withdrawn later is withdrawn from the upgraded one too', async () => {
    const [one, two] = [await shared(), await shared()]
    const answer = await redeem(view(two.id), { rpt: rptOf(await redeem(view(one.id))) })
    await stopSharing(s.wallet, one.share)
    expect(await permitted(rptOf(answer))).toEqual({ [two.id]: ['view'] })
  })

  it('UMA Grant 3.3.6: a refused upgrade leaves the old one as it is', async () => {
    const one = await shared()
    const old = rptOf(await redeem(view(one.id)))
    const ticket = await s.service.ticket(view(await s.service.register({ resource_scopes: ['view'] })))
    expectRefusal(await s.app.token(ticket, { ...(await pushed(s.credential, ticket)), rpt: old }), 403, 'request_denied')
    expect(await permitted(old)).toEqual({ [one.id]: ['view'] })
  })

  it('UMA Grant 3.3.5.1: upgraded twenty times at once, the old string is in one of them', async () => {
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id)))
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(view(two.id), { rpt: old })))
    expect(answers.filter(({ upgraded }) => upgraded === true)).toHaveLength(1)
  })
})

describe('SPECS G-61: never across guest, client, key, resource server or owner', () => {
  const plain = async (answer: Json, id: string, who = s): Promise<void> => {
    expect(answer).not.toHaveProperty('upgraded')
    expect(await permitted(rptOf(answer), who)).toEqual({ [id]: ['view'] })
  }

  it('SPECS G-61: another guest’s', async () => {
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id)))
    const eve = await s.guest()
    await share(s.wallet, two.id, eve.address)
    const credential = await obtainCredential(s.server, eve, s.app, await s.ticket())
    const ticket = await s.service.ticket(view(two.id))
    const answer = expectStatus(await s.app.token(ticket, { ...(await pushed(credential, ticket)), rpt: old }), 200, 'RPT').json
    await plain(answer, two.id)
    expect((await s.service.introspect(old)).active).toBe(true)
  })

  it('SPECS G-61: another client’s, and the same client’s with another key', async () => {
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id)))
    await plain(await redeem(view(two.id), { rpt: old }, await registerApp(s.server)), two.id)
    const key = await newDpopKey()
    const ticket = await s.service.ticket(view(two.id))
    const form = { grant_type: UMA_TICKET, ticket, client_id: s.app.client.id, rpt: old, ...(await pushed(s.credential, ticket)) }
    await plain(expectStatus(await call(`${s.server.origin}/token`, { form, dpop: key }), 200, 'RPT').json, two.id)
    expect((await s.service.introspect(old)).active).toBe(true)
  })

  it('SPECS G-61: another resource server’s of the same owner', async () => {
    const one = await shared()
    const old = rptOf(await redeem(view(one.id)))
    const other = { ...s, service: await connectService(s.server, s.alice, 'Another shelf') }
    const two = await shared(other)
    await plain(await redeem(view(two.id), { rpt: old }, s.app, other), two.id, other)
    expect((await s.service.introspect(old)).active).toBe(true)
  })

  it('SPECS G-61: another owner’s', async () => {
    const one = await shared()
    const old = rptOf(await redeem(view(one.id)))
    const t = await cast(await stage(s.server))
    await share(t.wallet, t.resource, s.known.address)
    await plain(await redeem(view(t.resource), { rpt: old }, s.app, { ...t, credential: s.credential }), t.resource, t)
    expect((await s.service.introspect(old)).active).toBe(true)
  })
})

describe('UMA Grant 3.3.5.1: the same string, for who registered for it (SPECS U-4)', () => {
  it('SPECS U-4: introspection of the same string shows more', async () => {
    const app = await registerApp(s.server, 'public', { rpt_upgrade: 'same_string' })
    expect(app.client.metadata.rpt_upgrade).toBe('same_string')
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id), {}, app))
    expect(await permitted(old)).toEqual({ [one.id]: ['view'] })
    const answer = await redeem(view(two.id), { rpt: old }, app)
    expect([answer.upgraded, rptOf(answer)]).toEqual([true, old])
    expect(await permitted(old)).toEqual({ [one.id]: ['view'], [two.id]: ['view'] })
    await stopSharing(s.wallet, one.share)
    expect(await permitted(old)).toEqual({ [two.id]: ['view'] })
  })

  it('SPECS G-61: not of another client’s string', async () => {
    const app = await registerApp(s.server, 'public', { rpt_upgrade: 'same_string' })
    const [one, two] = [await shared(), await shared()]
    const old = rptOf(await redeem(view(one.id)))
    expect(rptOf(await redeem(view(two.id), { rpt: old }, app))).not.toBe(old)
  })

  it('RFC 7591 2: another word for it is refused', async () => {
    const asked = { claims_redirect_uris: ['https://app.example/claims'], grant_types: [UMA_TICKET], rpt_upgrade: 'sometimes' }
    expectRefusal(await call(`${s.server.origin}/register`, { json: asked }), 400, 'invalid_client_metadata')
  })
})

describe('UMA Grant 3.3.1: an RPT that has run out', () => {
  let running: Running
  beforeAll(async () => {
    running = await ownAs()
  })
  afterAll(async () => {
    await running.stop()
    rmSync(running.state, { recursive: true, force: true })
  })

  it('UMA Grant 3.3.1: can still be upgraded, for a day', async () => {
    const t = await cast(await stage(running))
    const app = await registerApp(running, 'confidential')
    const pair = [await shared(t), await shared(t)]
    const [one = '', two = ''] = pair.map(({ id }) => id)
    const old = rptOf(await redeem(view(one), {}, app, t))
    await running.setClock(3000)
    const { json } = await call(`${running.origin}/token`, {
      form: { grant_type: 'refresh_token', refresh_token: String(t.service.tokens.refresh_token) },
      basic: { id: t.service.client.id, secret: t.service.client.secret ?? '' },
    })
    await running.setClock(4000)
    const withPat = (path: string, options: object) => call(`${running.origin}${path}`, { bearer: String(json.access_token), ...options })
    expect((await withPat('/introspect', { form: { token: old } })).json.active).toBe(false)
    const { ticket } = (await withPat('/uma/permission', { json: view(two) })).json
    // The holder's clock has not been moved: the key binding is made for the server's time.
    const proof = await pushed(t.credential, String(ticket), { iat: Math.floor(Date.now() / 1000) + 4000 })
    const answer = expectStatus(await app.token(String(ticket), { ...proof, rpt: old }), 200, 'RPT').json
    expect(answer.upgraded).toBe(true)
    const found = (await withPat('/introspect', { form: { token: rptOf(answer) } })).json
    expect((found.permissions as { resource_id: string }[]).map(({ resource_id }) => resource_id).sort()).toEqual([one, two].sort())
  })
})

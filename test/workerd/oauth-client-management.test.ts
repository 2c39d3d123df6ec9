// A client looks after its own registration (RFC 7592): reads, replaces, deletes, and nobody else does.
import { beforeAll, describe, expect, it } from 'vitest'
import type { ClientStatus } from '../../worker/objects/client.ts'
import { connectService, connectWallet, share, signIn } from '../support/actors.ts'
import { stage } from '../support/claims.ts'
import { type Answer, type Call, call, type Json, random } from '../support/http.ts'
import { cast, challenge, expectRefusal } from '../support/odd-requests.ts'
import { ownAs, sharedAs } from '../support/server.ts'

let origin: string
beforeAll(async () => {
  origin = (await sharedAs()).origin
})

const CB = 'https://client.example/cb'
type Registration = { json: Json; uri: string; token: string; as: (method: string, options?: Call) => Promise<Answer> }

const managed = (json: Json): Registration => {
  const [uri, token] = [String(json.registration_client_uri), String(json.registration_access_token)]
  return { json, uri, token, as: (method, options = {}) => call(uri, { method, bearer: token, ...options }) }
}
const register = async (metadata: Json): Promise<Registration> => managed((await call(`${origin}/register`, { json: metadata })).json)
/** What a client sends back to change itself: what it got, without what it must leave out (RFC 7592 2.2). */
const asUpdate = ({ json }: Registration, changes: Json = {}): Json =>
  Object.fromEntries(
    Object.entries({ ...json, ...changes }).filter(
      ([name, value]) =>
        value !== undefined &&
        !['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'].includes(name),
    ),
  )

describe('RFC 7592 2.1: reading', () => {
  it('RFC 7592 3: a registration comes with its own address and token', async () => {
    const { uri, token, json } = await register({ redirect_uris: [CB] })
    expect(uri).toBe(`${origin}/register/${json.client_id}`)
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(token).not.toBe(json.client_secret)
  })

  it('RFC 7592 2.1: all that is registered, but no secret: the server does not know it', async () => {
    const one = await register({ redirect_uris: [CB], client_name: 'A', 'client_name#de': 'Ä', scope: 'a b' })
    const { status, json, headers } = await one.as('GET')
    const { client_secret, client_secret_expires_at, ...rest } = one.json
    expect([status, headers.get('cache-control'), client_secret_expires_at, typeof client_secret]).toEqual([200, 'no-store', 0, 'string'])
    expect(json).toEqual(rest)
  })

  it('RFC 7592 2.1: 401 without a token, with another one, for another client, for none', async () => {
    const [one, other] = [await register({ redirect_uris: [CB] }), await register({ redirect_uris: [CB] })]
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? { json: asUpdate(one) } : {}
      expectRefusal(await call(one.uri, { method, ...body }), 401, 'invalid_token')
      expect(challenge(await call(one.uri, { method, ...body }))).toBe('Bearer realm="registration"')
      for (const [uri, token] of [
        [one.uri, other.token],
        [one.uri, String(one.json.client_secret)],
        [one.uri, random()],
        [one.uri, 'x'],
        [`${origin}/register/${random(16)}`, one.token],
        [`${origin}/register/%00`, one.token],
        [`${origin}/register/..%2f`, one.token],
      ] as const) {
        const answer = await call(uri, { method, bearer: token, ...body })
        expectRefusal(answer, 401, 'invalid_token')
        expect(challenge(answer)).toBe('Bearer realm="registration", error="invalid_token"')
      }
      expectRefusal(await call(one.uri, { method, ...body, headers: { authorization: `Basic ${one.token}` } }), 401, 'invalid_token')
    }
    expect((await one.as('GET')).status).toBe(200)
  })

  it('RFC 9110 15.5.6: other methods are not there', async () => {
    const one = await register({ redirect_uris: [CB] })
    const answer = await one.as('POST', { json: {} })
    expect(answer.status).toBe(405)
    for (const method of ['GET', 'PUT', 'DELETE']) expect(answer.headers.get('allow')).toContain(method)
  })

  it('RFC 7591 5: the token is not readable at rest', async () => {
    const server = await sharedAs()
    const { token, json } = await register({ redirect_uris: [CB] })
    const row = await (await server.miniflare.getD1Database('DB', server.name))
      .prepare('SELECT * FROM client WHERE id = ?')
      .bind(json.client_id)
      .first()
    expect(row).toMatchObject({ id: json.client_id })
    expect(JSON.stringify(row)).not.toContain(token)
  })
})

describe('RFC 7592 2.2: replacing', () => {
  it('RFC 7592 2.2: what is sent is what there is; what is left out is gone', async () => {
    const one = await register({ redirect_uris: [CB], client_name: 'Before', contacts: ['a@client.example'], scope: 'a' })
    const changed = await one.as('PUT', { json: asUpdate(one, { client_name: 'After', contacts: undefined, redirect_uris: [`${CB}2`] }) })
    expect(changed.status).toBe(200)
    expect(changed.json).toMatchObject({ client_id: one.json.client_id, client_name: 'After', redirect_uris: [`${CB}2`], scope: 'a' })
    expect(changed.json).toMatchObject({ registration_access_token: one.token, registration_client_uri: one.uri })
    for (const name of ['contacts', 'client_secret']) expect(changed.json).not.toHaveProperty(name)
    expect((await one.as('GET')).json).toEqual(changed.json)
    const page = async (uri: string) =>
      (await call(`${origin}/authorize?client_id=${one.json.client_id}&redirect_uri=${encodeURIComponent(uri)}&response_type=code`)).status
    expect([await page(CB), await page(`${CB}2`)]).toEqual([400, 303])
  })

  it('RFC 7592 2.2: the secret stays, and still works', async () => {
    const one = await register({ redirect_uris: [CB], grant_types: ['authorization_code', 'refresh_token'] })
    await one.as('PUT', { json: asUpdate(one, { client_name: 'Other' }) })
    const basic = { id: String(one.json.client_id), secret: String(one.json.client_secret) }
    expectRefusal(await call(`${origin}/token`, { form: { grant_type: 'refresh_token', refresh_token: 'x' }, basic }), 400, 'invalid_grant')
  })

  it('RFC 7592 2.2: who becomes confidential gets a secret, who becomes public loses it', async () => {
    const one = await register({ redirect_uris: [CB], token_endpoint_auth_method: 'none' })
    const secret = async (method: string) =>
      (await one.as('PUT', { json: asUpdate(one, { token_endpoint_auth_method: method }) })).json.client_secret
    const first = String(await secret('client_secret_basic'))
    expect(first).toMatch(/^[\w-]{43}$/)
    expect(await secret('client_secret_post')).toBeUndefined()
    expect(await secret('none')).toBeUndefined()
    const basic = { id: String(one.json.client_id), secret: first }
    const form = { grant_type: 'refresh_token', refresh_token: 'x' }
    expectRefusal(await call(`${origin}/token`, { form, basic }), 401, 'invalid_client')
    expect(await secret('client_secret_basic')).not.toBe(first)
  })

  for (const [why, changes, error] of [
    ['another client_id', { client_id: 'x' }, 'invalid_client_metadata'],
    ['no client_id', { client_id: undefined }, 'invalid_client_metadata'],
    ['another secret', { client_secret: random() }, 'invalid_client_metadata'],
    ['a secret that is no text', { client_secret: { a: 1 } }, 'invalid_client_metadata'],
    ['a script as redirect URI', { redirect_uris: ['JaVaScRiPt:alert(1)'] }, 'invalid_redirect_uri'],
    ['no redirect URI', { redirect_uris: undefined }, 'invalid_redirect_uri'],
    ['a name that turns', { client_name: 'a\u202eb' }, 'invalid_client_metadata'],
    ['an unknown method', { token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
    ['an unknown grant', { grant_types: ['password'] }, 'invalid_client_metadata'],
  ] as const) {
    it(`RFC 7592 2.2: judged whole: ${why}`, async () => {
      const one = await register({ redirect_uris: [CB], client_name: 'Before' })
      expectRefusal(await one.as('PUT', { json: asUpdate(one, changes) }), 400, error)
      expect((await one.as('GET')).json.client_name).toBe('Before')
    })
  }

  it('RFC 7592 2.2: what the server decides must be left out', async () => {
    const one = await register({ redirect_uris: [CB] })
    for (const name of ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'])
      expectRefusal(await one.as('PUT', { json: { ...asUpdate(one), [name]: one.json[name] } }), 400, 'invalid_client_metadata')
  })
})

describe('RFC 7592 2.3: deleting', () => {
  it('RFC 7592 2.3: 204, and from then on the client is nobody', async () => {
    const one = await register({ redirect_uris: [CB] })
    const answer = await one.as('DELETE')
    expect([answer.status, answer.text, answer.headers.get('cache-control')]).toEqual([204, '', 'no-store'])
    for (const method of ['GET', 'DELETE']) expectRefusal(await one.as(method), 401, 'invalid_token')
    expectRefusal(await one.as('PUT', { json: asUpdate(one) }), 401, 'invalid_token')
    const basic = { id: String(one.json.client_id), secret: String(one.json.client_secret) }
    expectRefusal(
      await call(`${origin}/token`, { form: { grant_type: 'refresh_token', refresh_token: 'x' }, basic }),
      401,
      'invalid_client',
    )
    expect((await call(`${origin}/authorize?client_id=${one.json.client_id}&redirect_uri=${CB}&response_type=code`)).status).toBe(400)
  })

  it('RFC 7592 2.3: a service takes its PAT, refresh token, things, shares and RPTs along, at every owner', async () => {
    const s = await cast()
    const rpt = await s.rpt()
    expect((await s.service.introspect(rpt)).active).toBe(true)
    const one = managed(s.service.client.metadata)
    expect((await one.as('DELETE')).status).toBe(204)
    expectRefusal(await s.service.call('/introspect', { form: { token: rpt } }), 401, 'invalid_token')
    expectRefusal(await s.service.call('/uma/permission', { json: { resource_id: s.resource, resource_scopes: [] } }), 401, 'invalid_token')
    const listed = async (what: string) => JSON.stringify((await s.wallet.call(`/owner/${what}`)).json)
    expect(await listed('connections')).not.toContain(String(s.service.client.id))
    expect(await listed('resources')).not.toContain(s.resource)
    expect(await listed('policies')).not.toContain(s.resource)
    expect(await listed('activity')).toContain('disconnected')
  })

  it('RFC 7592 2.3: a wallet loses its way to the owner', async () => {
    const server = await sharedAs()
    const alice = await signIn(server)
    const [wallet, other] = [await connectWallet(server, alice), await connectWallet(server, alice)]
    const service = await connectService(server, alice)
    expect((await managed(wallet.client.metadata).as('DELETE')).status).toBe(204)
    expectRefusal(await wallet.call('/owner/me'), 401, 'invalid_token')
    expect((await other.call('/owner/me')).status).toBe(200)
    const id = await service.register({ resource_scopes: ['view'] })
    expect(await share(other, id, 'bob@example.net')).toBeTruthy()
  })

  it('RFC 7592 2.3: an app takes its RPTs along at every owner who granted it something, connected or not', async () => {
    const server = await sharedAs()
    const s = await cast()
    const { app } = s
    const [t, u] = [await cast({ ...(await stage(server)), app }), await cast({ ...(await stage(server)), app })]
    const rpts = [await s.rpt(), await t.rpt()]
    expect([(await s.service.introspect(rpts[0] ?? '')).active, (await t.service.introspect(rpts[1] ?? '')).active]).toEqual([true, true])
    // As another isolate sees it: the record and the owners know, this one still remembers the client for a minute.
    const now = Math.floor(Date.now() / 1000)
    const database = await server.miniflare.getD1Database('DB', server.name)
    const end = `UPDATE client SET disabled_at = 1, secret_hash = NULL, metadata = '{}' WHERE id = ?`
    await database.prepare(end).bind(app.client.id).run()
    const objects = await server.miniflare.getDurableObjectNamespace('CLIENT', server.name)
    const object = objects.get(objects.idFromName(app.client.id)) as unknown as {
      end: (input: { client_id: string; now: number }) => Promise<ClientStatus>
      change: (input: { client_id: string; blocked: boolean; now: number }) => Promise<ClientStatus>
    }
    expect(await object.end({ client_id: app.client.id, now })).toMatchObject({ owners: 2, acknowledged: 2, done: true })
    expect([(await s.service.introspect(rpts[0] ?? '')).active, (await t.service.introspect(rpts[1] ?? '')).active]).toEqual([false, false])
    expect(await database.prepare('SELECT 1 FROM reliance WHERE client_id = ?').bind(app.client.id).first()).toBeNull()
    // Neither where it was known nor at an owner who has never heard of it; and no operator brings it back.
    for (const one of [s, u]) {
      const late = await one.redeem({ resource_id: one.resource, resource_scopes: ['view'] })
      expect([late.status, late.json.error]).toEqual([403, 'request_denied'])
    }
    expect(await object.change({ client_id: app.client.id, blocked: false, now })).toMatchObject({ blocked: true })
  })

  it('TESTS CR-15: who has been disabled by an operator cannot come back by itself', async () => {
    const server = await sharedAs()
    const one = await register({ redirect_uris: [CB] })
    await (await server.miniflare.getD1Database('DB', server.name))
      .prepare('UPDATE client SET disabled_at = 1 WHERE id = ?')
      .bind(one.json.client_id)
      .run()
    for (const method of ['GET', 'DELETE']) expectRefusal(await one.as(method), 401, 'invalid_token')
    expectRefusal(await one.as('PUT', { json: asUpdate(one) }), 401, 'invalid_token')
  })

  it('RFC 7592 2.3: a deletion that broke off goes on', async () => {
    const server = await ownAs()
    try {
      const alice = await signIn(server)
      const service = await connectService(server, alice)
      const one = managed(service.client.metadata)
      const database = await server.miniflare.getD1Database('DB', server.name)
      // As it is when the server died after the first step.
      await database
        .prepare(`UPDATE client SET disabled_at = 1, secret_hash = NULL, metadata = '{}' WHERE id = ?`)
        .bind(service.client.id)
        .run()
      expectRefusal(await one.as('GET'), 401, 'invalid_token')
      expect((await one.as('DELETE')).status).toBe(204)
      expectRefusal(await service.call('/introspect', { form: { token: 'x' } }), 401, 'invalid_token')
      expect(await database.prepare('SELECT * FROM client WHERE id = ?').bind(service.client.id).first()).toBeNull()
    } finally {
      await server.stop()
    }
  })
})

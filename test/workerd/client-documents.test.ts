// Clients that nobody registered (client id metadata documents, "CIMD"): a service that gets a PAT, an app that gets an RPT, and the
// documents that make nobody a client.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, authorize, gatherByMail, openClaims, type Registered, share, UMA_TICKET } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Documents, type Page, startDocuments } from '../support/documents.ts'
import { type Answer, call, type DpopKey, expectStatus, type Json, newDpopKey, random } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { assertion, assertionForm, newSigningKey } from '../support/signing-client.ts'

let server: Running
let documents: Documents
let s: Stage
let key: DpopKey
beforeAll(async () => {
  documents = await startDocuments()
  server = await ownAs({ asVars: { DEV_ORIGINS: documents.origin } })
  s = await stage(server)
  key = await newDpopKey()
})
afterAll(async () => {
  await server.stop()
  await documents.stop()
})

const CB = 'https://client.example/cb'
/** A document at a path of its own; answers its address, which is the client id. */
const publish = (changes: Json = {}, path = `/${random(6)}`): string => {
  const id = `${documents.origin}${path}`
  documents.pages.set(path, { client_id: id, client_name: 'A pulled app', redirect_uris: [CB], claims_redirect_uris: [CB], ...changes })
  return id
}
const page = (id: string, more: Record<string, string> = {}) =>
  call(`${server.origin}/authorize?${new URLSearchParams({ client_id: id, redirect_uri: CB, response_type: 'code', ...more })}`)
const isKnown = async (id: string): Promise<boolean> => (await page(id)).status === 303
const connect = async (id: string, form: () => Promise<Record<string, string>>, scope = 'uma_protection'): Promise<Answer> => {
  const { params, verifier } = await authorize(server, s.alice, { clientId: id, redirectUri: CB, scope })
  return call(`${server.origin}/token`, {
    form: {
      grant_type: 'authorization_code',
      code: params.get('code') ?? '',
      redirect_uri: CB,
      code_verifier: verifier,
      ...(await form()),
    },
    dpop: key,
  })
}

describe('CIMD 3, 4: who is a client without a registration', () => {
  it('CIMD 5: the server says that it reads documents', async () => {
    const { json } = await call(`${server.origin}/.well-known/oauth-authorization-server`)
    expect(json.client_id_metadata_document_supported).toBe(true)
  })

  it('CIMD 4: a service connects, registers a thing and is listed by its name; no row is written', async () => {
    const id = publish({ grant_types: ['authorization_code', 'refresh_token'] })
    const { access_token, refresh_token } = expectStatus(await connect(id, async () => ({ client_id: id })), 200, 'PAT').json
    const pat = { bearer: String(access_token), dpop: key }
    const made = await call(`${server.origin}/uma/resource`, { json: { resource_scopes: ['view'] }, ...pat })
    expect(made.status).toBe(201)
    const resource_id = String(made.json._id)
    expect((await call(`${server.origin}/uma/permission`, { json: { resource_id, resource_scopes: ['view'] }, ...pat })).status).toBe(201)
    const form = { grant_type: 'refresh_token', refresh_token: String(refresh_token), client_id: id }
    expect((await call(`${server.origin}/token`, { form, dpop: key })).status).toBe(200)
    const listed = JSON.stringify((await s.wallet.call('/owner/connections')).json)
    expect(listed).toContain('A pulled app')
    expect((await s.alice.browser.open(`${server.origin}/`)).text).toContain('A pulled app')
    const database = await server.miniflare.getD1Database('DB', server.name)
    expect(await database.prepare('SELECT * FROM client WHERE id = ?').bind(id).first()).toBeNull()
  })

  it('CIMD 6.4: consent shows where the document lies and where the answer goes', async () => {
    const id = publish()
    const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    const query = { client_id: id, redirect_uri: CB, response_type: 'code', scope: 'uma_protection', code_challenge: challenge }
    const { text } = await s.alice.browser.open(
      `${server.origin}/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`,
    )
    expect(text).toContain('A pulled app')
    expect(text).toContain(`${new URL(documents.origin).host} → client.example`)
    // SPECS S0-6: what this server knows of it.
    expect(text).toContain(`It describes itself at ${new URL(documents.origin).host}.`)
  })

  it('CIMD 4: an app gets an RPT, through the claims page, as itself and nobody else', async () => {
    const id = publish({ grant_types: [UMA_TICKET], redirect_uris: undefined })
    const client: Registered = { id, metadata: {} }
    const token: App['token'] = (ticket, more = {}) =>
      call(`${server.origin}/token`, { form: { grant_type: UMA_TICKET, ticket, client_id: id, ...more }, dpop: key })
    const app: App = { client, key, claimsRedirectUri: CB, token }
    const guest = await s.guest()
    const first = await app.token(await s.ticket())
    expectRefusal(first, 403, 'need_info')
    const { page: claims } = await openClaims(server, guest, app, await s.ticket())
    expect(claims.text).toContain(`${new URL(documents.origin).host} → client.example`)
    const ticket = await gatherByMail(server, guest, app, String(first.json.ticket))
    const { access_token } = expectStatus(await app.token(ticket), 200, 'RPT').json
    expect(await s.service.introspect(String(access_token))).toMatchObject({ active: true, client_id: id })
    // Another document, the same key: its ticket is not this one's.
    const other = publish({ grant_types: [UMA_TICKET] })
    const again = await app.token(await s.ticket())
    const form = { grant_type: UMA_TICKET, ticket: String(again.json.ticket), client_id: other }
    expectRefusal(await call(`${server.origin}/token`, { form, dpop: key }), 400, 'invalid_grant')
    expectRefusal(await call(`${server.origin}/token`, { form }), 400, 'invalid_dpop_proof')
  })

  it('CIMD 4.1: with keys the client is confidential, and must sign', async () => {
    const mine = await newSigningKey('ES256', 'k')
    documents.pages.set('/keys', { keys: [mine.jwk] })
    for (const keys of [{ jwks: { keys: [mine.jwk] } }, { jwks_uri: `${documents.origin}/keys` }]) {
      const id = publish({ token_endpoint_auth_method: 'private_key_jwt', ...keys })
      expectRefusal(await connect(id, async () => ({ client_id: id })), 401, 'invalid_client')
      expectRefusal(await connect(id, async () => ({ client_id: id, client_secret: 'x' })), 401, 'invalid_client')
      expectRefusal(
        await connect(id, async () => assertionForm(await assertion(mine, id, `${server.origin}/token`))),
        401,
        'invalid_client',
      )
      expect((await connect(id, async () => assertionForm(await assertion(mine, id, server.origin)))).status).toBe(200)
    }
  })

  it('CIMD 4.2: remembered, so that a change comes later; what failed is asked for again', async () => {
    const path = `/${random(6)}`
    const id = `${documents.origin}${path}`
    const asked = () => documents.asked.filter((one) => one === path).length
    expect([await isKnown(id), await isKnown(id), asked()]).toEqual([false, false, 2])
    publish({}, path)
    expect([await isKnown(id), await isKnown(id), asked()]).toEqual([true, true, 3])
    publish({ redirect_uris: [`${CB}2`] }, path)
    expect(await isKnown(id)).toBe(true)
    await server.setClock(3601)
    try {
      expect(await isKnown(id)).toBe(false)
      expect((await page(id, { redirect_uri: `${CB}2` })).status).toBe(303)
    } finally {
      await server.setClock(0)
    }
  })

  it('CIMD 6: who has been disabled by an operator is nobody', async () => {
    const id = publish()
    const database = await server.miniflare.getD1Database('DB', server.name)
    await database.prepare(`INSERT INTO client (id, metadata, created_at, disabled_at) VALUES (?, '{}', 1, 1)`).bind(id).run()
    expect(await isKnown(id)).toBe(false)
  })
})

describe('CIMD 3, 4.1, 6.5: who is not', () => {
  const said = (changes: Json) => () => publish(changes)
  for (const [why, id] of [
    ['another client_id in the document', said({ client_id: 'https://client.dev/x' })],
    ['no client_id', said({ client_id: undefined })],
    ['a secret', said({ client_secret: 'x' })],
    ['the end of a secret', said({ client_secret_expires_at: 0 })],
    ['client_secret_basic', said({ token_endpoint_auth_method: 'client_secret_basic' })],
    ['client_secret_post', said({ token_endpoint_auth_method: 'client_secret_post' })],
    ['client_secret_jwt', said({ token_endpoint_auth_method: 'client_secret_jwt' })],
    ['private_key_jwt without keys', said({ token_endpoint_auth_method: 'private_key_jwt' })],
    ['a private key', said({ jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] } })],
    ['keys inside', said({ jwks_uri: 'https://10.0.0.1/jwks' })],
    ['a script as redirect URI', said({ redirect_uris: [CB, 'JaVaScRiPt:alert(1)'] })],
    ['a name that turns', said({ client_name: 'a\u202eb' })],
    ['a grant that there is not', said({ grant_types: ['password'] })],
    ['more than 5 kB', said({ client_name: 'A', contacts: Array.from({ length: 16 }, () => 'x'.repeat(320)) })],
    ['no redirect_uris', said({ redirect_uris: undefined })],
    ['a list', () => pageAt([{}])],
    ['null', () => pageAt(null)],
    ['a dot in the path', () => publish({}, '/a/./b')],
    ['two dots in the path', () => publish({}, '/a/../b')],
    ['dots in disguise', () => publish({}, '/a/%2e%2e/b')],
    ['a fragment', () => `${publish()}#x`],
    ['a user name', () => publish().replace('http://', 'http://a@')],
    ['capitals in the scheme', () => publish().replace('http:', 'HTTP:')],
    ['another name of the same machine', () => publish().replace('127.0.0.1', 'localhost')],
    ['the same number, shorter', () => publish().replace('127.0.0.1', '127.1')],
    ['an address without end', () => publish({}, `/${'x'.repeat(500)}`)],
    ['http', () => 'http://client.dev/x'],
    ['a private address', () => 'https://10.0.0.1/x'],
    ['metadata of a cloud', () => 'https://169.254.169.254/x'],
    ['localhost', () => 'https://localhost./x'],
    ['this server', () => `${server.origin}/.well-known/oauth-authorization-server`],
    ['no URL', () => 'https://'],
  ] as const) {
    it(`CIMD 4.1: nobody: ${why}`, async () => {
      const asked = id()
      const answer = await page(asked)
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
      expectRefusal(
        await call(`${server.origin}/token`, { form: { grant_type: UMA_TICKET, ticket: 'x', client_id: asked }, dpop: key }),
        401,
        'invalid_client',
      )
    })
  }

  const odd = (answer: (send: Parameters<Page>[1], text: string) => void) => {
    const id = publish()
    const path = new URL(id).pathname
    const text = JSON.stringify(documents.pages.get(path))
    documents.pages.set(path, ((_request, response) => answer(response, text)) satisfies Page)
    return id
  }
  const JSON_TYPE = { 'content-type': 'application/json' }
  for (const [why, answer] of [
    ['a redirect', (to, text) => to.writeHead(302, { ...JSON_TYPE, location: `${documents.origin}/inside` }).end(text)],
    ['a redirect inside', (to) => to.writeHead(307, { location: `${server.origin}/jwks` }).end()],
    ['201', (to, text) => to.writeHead(201, JSON_TYPE).end(text)],
    ['500', (to, text) => to.writeHead(500, JSON_TYPE).end(text)],
    ['HTML', (to, text) => to.writeHead(200, { 'content-type': 'text/html' }).end(text)],
    ['a broken connection', (to) => to.destroy()],
    [
      'half a document',
      (to, text) => to.writeHead(200, { ...JSON_TYPE, 'content-length': text.length }).write(text.slice(0, 9), () => to.destroy()),
    ],
    ['no end', (to) => void to.writeHead(200, JSON_TYPE).write(`"${'x'.repeat(100_000)}`)],
  ] as [string, Parameters<typeof odd>[0]][]) {
    it(`CIMD 4: nobody: ${why}`, async () => {
      expect(await isKnown(odd(answer))).toBe(false)
      expect(documents.asked).not.toContain('/inside')
    })
  }

  it('TESTS CR-12: drop by drop: given up after five seconds, while others are served', async () => {
    const id = odd((to, text) => {
      to.writeHead(200, JSON_TYPE)
      let at = 0
      const timer = setInterval(() => to.write(text[at++] ?? ' '), 300)
      to.on('close', () => clearInterval(timer))
    })
    const begin = Date.now()
    const slow = isKnown(id)
    expect(await isKnown(publish())).toBe(true)
    expect(Date.now() - begin).toBeLessThan(3000)
    expect(await slow).toBe(false)
    expect(Date.now() - begin).toBeLessThan(8000)
  })

  it('CIMD 6.5: a network makes this server read sixty documents a minute that are not remembered, and no more', async () => {
    const remembered = publish()
    expect(await isKnown(remembered)).toBe(true)
    const ask = async (id: string, address: string) =>
      (await call(`${server.origin}/authorize?client_id=${encodeURIComponent(id)}`, { headers: { 'cf-connecting-ip': address } })).status
    const statuses = await Promise.all(Array.from({ length: 65 }, () => ask(`${documents.origin}/none/${random(6)}`, '198.18.0.1')))
    expect([statuses.filter((one) => one === 400).length, statuses.filter((one) => one === 429).length]).toEqual([60, 5])
    expect(documents.asked.filter((path) => path.startsWith('/none/'))).toHaveLength(60)
    expect(await ask(remembered, '198.18.0.1')).toBe(303)
    expect(await ask(`${documents.origin}/none/${random(6)}`, '198.18.1.1')).toBe(400)
    // What may not be called is not counted.
    expect(await ask('https://10.0.0.1/x', '198.18.0.1')).toBe(400)
  })

  it('TESTS CR-14: a code stays with the redirect URI that it was made for', async () => {
    const path = `/${random(6)}`
    const id = publish({}, path)
    const { params, verifier } = await authorize(server, s.alice, { clientId: id, redirectUri: CB, scope: 'uma_protection' })
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', code_verifier: verifier, client_id: id }
    const answer = await call(`${server.origin}/token`, { form: { ...form, redirect_uri: `${CB}2` }, dpop: key })
    expectRefusal(answer, 400, 'invalid_grant')
    expect(await share(s.wallet, s.resource, 'x@example.net')).toBeTruthy()
  })

  const pageAt = (value: unknown): string => {
    const path = `/${random(6)}`
    documents.pages.set(path, value)
    return `${documents.origin}${path}`
  }
})

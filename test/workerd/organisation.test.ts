// Organisations (UMA FedAuthz 1.3, RFC 6749 4.4): the owner allows once that a client gets its PATs by itself; one client acts for one owner;
// what the owner ends is over.
import { beforeAll, describe, expect, it } from 'vitest'
import { type Alice, authorize, connectWallet, type Registered, registerClient, signIn } from '../support/actors.ts'
import { type Answer, call, dpopProof, expectStatus, type Json, newDpopKey, random, sha256 } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

const CB = 'https://org.example/cb'
const SCOPE = 'uma_protection'
let as: Running
let alice: Alice
beforeAll(async () => {
  as = await sharedAs()
  alice = await signIn(as)
})

const basicOf = ({ id, secret = '' }: Registered): { id: string; secret: string } => ({ id, secret })
const register = (more: Json = {}): Promise<Registered> =>
  registerClient(as, {
    client_name: 'An organisation',
    redirect_uris: [CB],
    grant_types: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
    ...more,
  })
const trade = (client: Registered, params: URLSearchParams, verifier: string): Promise<Answer> =>
  call(`${as.origin}/token`, {
    form: { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: CB, code_verifier: verifier },
    basic: basicOf(client),
  })
const connect = async (client: Registered, by = alice): Promise<Answer> => {
  const { params, verifier } = await authorize(as, by, { clientId: client.id, redirectUri: CB, scope: SCOPE })
  return trade(client, params, verifier)
}
const byItself = (client: Registered, more: Json = {}): Promise<Answer> =>
  call(`${as.origin}/token`, { form: { grant_type: 'client_credentials', scope: SCOPE }, basic: basicOf(client), ...more })
const consentOf = (client: Registered, by = alice) =>
  by.browser.open(
    `${as.origin}/authorize?${new URLSearchParams({ response_type: 'code', client_id: client.id, redirect_uri: CB, scope: SCOPE, code_challenge: sha256(random()), code_challenge_method: 'S256' })}`,
    (url) => url.startsWith(CB),
  )

describe('UMA FedAuthz 1.3: an organisation', () => {
  it('UMA FedAuthz 1.3: gets PATs by itself once its owner has allowed it, each as good as the one from the consent', async () => {
    const client = await register()
    expectRefusal(await byItself(client), 400, 'unauthorized_client')
    expect((await consentOf(client)).text).toContain('By itself')
    expectRefusal(await byItself(client), 400, 'unauthorized_client')
    const first = expectStatus(await connect(client), 200, 'code').json
    const made = await call(`${as.origin}/uma/resource`, {
      bearer: String(first.access_token),
      json: { resource_scopes: ['view'], name: 'A' },
    })
    const { json, headers } = expectStatus(await byItself(client), 200, 'client credentials')
    expect(headers.get('cache-control')).toBe('no-store')
    // RFC 6749 4.4.3: no refresh token.
    expect(Object.keys(json).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type'])
    const read = await call(`${as.origin}/uma/resource/${made.json._id}`, { bearer: String(json.access_token) })
    expect([read.status, read.json.name]).toEqual([200, 'A'])
    const { items } = (await (await connectWallet(as, alice)).call('/owner/connections')).json as { items: Json[] }
    const standing = items.filter(({ acts_by_itself }) => acts_by_itself === true).map(({ client_id }) => client_id)
    expect(standing).toEqual([client.id])
    expect((await alice.browser.open(`${as.origin}/`)).text).toContain('By itself')
    // Signing in again asks for no new yes, and takes nothing away.
    expect((await consentOf(client)).url).toMatch(/[?&]code=/)
    expectStatus(await connect(client), 200, 'again')
    expectStatus(await byItself(client, { form: { grant_type: 'client_credentials' } }), 200, 'without a scope')
  })

  it('RFC 6749 4.4: refuses other scopes, other targets, other credentials; binds to a DPoP key, a proof once', async () => {
    const client = await register()
    await connect(client)
    const form = { grant_type: 'client_credentials' }
    for (const scope of ['openid', 'uma_owner', `${SCOPE} uma_owner`, 'x'])
      expectRefusal(await byItself(client, { form: { ...form, scope } }), 400, 'invalid_scope')
    expectRefusal(await byItself(client, { form: { ...form, resource: 'https://other.example/' } }), 400, 'invalid_target')
    expectRefusal(await byItself(client, { basic: { id: client.id, secret: random() } }), 401, 'invalid_client')
    const key = await newDpopKey()
    const { json } = expectStatus(await byItself(client, { dpop: key }), 200, 'with a proof')
    expect(json.token_type).toBe('DPoP')
    expect((await call(`${as.origin}/uma/resource`, { bearer: String(json.access_token), dpop: key })).status).toBe(200)
    expect((await call(`${as.origin}/uma/resource`, { bearer: String(json.access_token) })).status).toBe(401)
    const headers = { dpop: await dpopProof(key, 'POST', `${as.origin}/token`) }
    expectStatus(await byItself(client, { headers }), 200, 'a proof')
    expectRefusal(await byItself(client, { headers }), 400, 'invalid_dpop_proof')
  })

  it('RFC 6749 4.4: a client that cannot prove itself, or that nobody is asked about, cannot register for it', async () => {
    for (const wrong of [{ token_endpoint_auth_method: 'none' }, { grant_types: ['client_credentials'] }]) {
      const json = { redirect_uris: [CB], grant_types: ['authorization_code', 'client_credentials'], ...wrong }
      expectRefusal(await call(`${as.origin}/register`, { json }), 400, 'invalid_client_metadata')
    }
    const plain = await register({ grant_types: ['authorization_code'] })
    await connect(plain)
    expectRefusal(await byItself(plain), 400, 'unauthorized_client')
  })

  it('UMA FedAuthz 1.3: who registers for it later has to be allowed anew; what an owner allowed ends with the connection', async () => {
    const client = await register({ grant_types: ['authorization_code'] })
    await connect(client)
    const { metadata } = client
    const { registration_access_token, registration_client_uri, client_secret_expires_at, client_id_issued_at, ...known } = metadata
    const put = (grant_types: string[]) =>
      call(String(registration_client_uri), {
        method: 'PUT',
        bearer: String(registration_access_token),
        json: { ...known, grant_types },
      })
    expectStatus(await put(['authorization_code', 'client_credentials']), 200, 'PUT')
    expectRefusal(await byItself(client), 400, 'unauthorized_client')
    expect((await consentOf(client)).text).toContain('By itself')
    const { json } = expectStatus(await connect(client), 200, 'allowed')
    expectStatus(await byItself(client), 200, 'client credentials')
    const wallet = await connectWallet(as, alice)
    const { items } = (await wallet.call('/owner/connections')).json as { items: Json[] }
    const found = items.find(({ client_id }) => client_id === client.id)
    expectStatus(await wallet.call(`/owner/connections/${found?.id}`, { method: 'DELETE' }), 204, 'disconnect')
    expectRefusal(await byItself(client), 400, 'unauthorized_client')
    expect((await call(`${as.origin}/uma/resource`, { bearer: String(json.access_token) })).status).toBe(401)
  })

  it('UMA FedAuthz 1.3: one client acts for one owner, until that owner disconnects it; nobody comes in between', async () => {
    const [client, olga] = [await register(), await signIn(as)]
    // Two owners have said yes before anybody traded a code: the first one has it.
    const [hers, his] = await Promise.all(
      [alice, olga].map((by) => authorize(as, by, { clientId: client.id, redirectUri: CB, scope: SCOPE })),
    )
    expectStatus(await trade(client, hers?.params ?? new URLSearchParams(), hers?.verifier ?? ''), 200, 'first')
    expectRefusal(await trade(client, his?.params ?? new URLSearchParams(), his?.verifier ?? ''), 400, 'invalid_grant')
    expect(new URL((await consentOf(client, olga)).url).searchParams.get('error')).toBe('unauthorized_client')
    const made = await call(`${as.origin}/uma/resource`, {
      bearer: String((await byItself(client)).json.access_token),
      json: { resource_scopes: ['view'] },
    })
    const wallets = { alice: await connectWallet(as, alice), olga: await connectWallet(as, olga) }
    const idsOf = async (by: 'alice' | 'olga'): Promise<unknown[]> =>
      ((await wallets[by].call('/owner/resources')).json.items as Json[]).map(({ id }) => id)
    expect([(await idsOf('alice')).includes(made.json._id), await idsOf('olga')]).toEqual([true, []])
    const { items } = (await wallets.alice.call('/owner/connections')).json as { items: Json[] }
    await wallets.alice.call(`/owner/connections/${items.find(({ client_id }) => client_id === client.id)?.id}`, { method: 'DELETE' })
    expectStatus(await connect(client, olga), 200, 'after')
    expectStatus(await byItself(client), 200, 'for the other one')
  })
})

// openid-client (npm) against this server, as its documentation says: it knows OAuth and OpenID Connect and has never heard of UMA.
// Discovery, registration, the uma-ticket grant as a generic grant, need_info as the members of its error, DPoP; and the service's and the
// wallet's side by the authorization code flow.
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { beforeAll, describe, expect, it } from 'vitest'
import { gatherByMail, share, UMA_TICKET } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Credential, obtainCredential, pushed } from '../support/proofs.ts'
import { sharedAs } from '../support/server.ts'

// Plain HTTP, since the server is on this machine.
const local = { execute: [client.allowInsecureRequests] }

describe('UMA Grant: openid-client', () => {
  let s: Stage
  let origin: string
  let credential: Credential
  const uma2 = () => new URL(`${origin}/.well-known/uma2-configuration`)
  beforeAll(async () => {
    s = await stage(await sharedAs())
    ;({ origin } = s.server)
    credential = await obtainCredential(s.server, await s.guest(), s.app, await s.ticket())
  })

  /** The error with which a generic grant was refused; `cause` holds all members of the answer. */
  const refusal = async (grant: Promise<unknown>): Promise<client.ResponseBodyError> => {
    const error = await grant.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof client.ResponseBodyError)) throw new Error(`not refused with members, but ${error}`)
    return error
  }
  const registered = (metadata: Partial<client.ClientMetadata> = {}, auth?: client.ClientAuth) =>
    client.dynamicClientRegistration(
      uma2(),
      { client_name: 'An app', grant_types: [UMA_TICKET], claims_redirect_uris: ['https://app.example/claims'], ...metadata },
      auth,
      local,
    )

  it.each(['/.well-known/uma2-configuration', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    'UMA Grant 2: discovery at %s',
    async (path) => {
      const config = await client.discovery(new URL(origin + path), 'someone', undefined, client.None(), local)
      expect(config.serverMetadata()).toMatchObject({
        issuer: origin,
        token_endpoint: `${origin}/token`,
        claims_interaction_endpoint: `${origin}/uma/claims`,
        permission_endpoint: `${origin}/uma/permission`,
        resource_registration_endpoint: `${origin}/uma/resource`,
      })
      expect(config.serverMetadata().grant_types_supported).toContain(UMA_TICKET)
      expect(config.serverMetadata().supportsPKCE()).toBe(true)
    },
  )

  it.each(['oidc', 'oauth2'] as const)('RFC 8414 3: discovery by the issuer alone (%s)', async (algorithm) => {
    const config = await client.discovery(new URL(origin), 'someone', undefined, client.None(), { ...local, algorithm })
    expect(config.serverMetadata().issuer).toBe(origin)
  })

  it.each([
    ['client_secret_post, its default', undefined, 'client_secret_post'],
    ['client_secret_basic', 'basic', 'client_secret_basic'],
  ] as const)('RFC 7591 3.2.1: registration, and the secret by %s', async (_what, kind, method) => {
    const config = await registered({ token_endpoint_auth_method: method })
    const { client_id, client_secret } = config.clientMetadata()
    const secret = String(client_secret)
    const auth = kind === 'basic' ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret)
    const again = await client.discovery(uma2(), client_id, undefined, auth, local)
    const error = await refusal(client.genericGrantRequest(again, UMA_TICKET, { ticket: await s.ticket() }))
    expect(error.error).toBe('need_info')
  })

  it('UMA Grant 3.3.6: need_info arrives as the members of the error, and a pushed proof brings the token', async () => {
    const config = await registered()
    const ticket = await s.ticket()
    const error = await refusal(client.genericGrantRequest(config, UMA_TICKET, { ticket }))
    expect({ error: error.error, status: error.status }).toEqual({ error: 'need_info', status: 403 })
    expect(error.cause).toMatchObject({
      ticket: expect.stringMatching(/^[\w-]{40,}$/),
      required_claims: [
        { name: 'email', friendly_name: 'E-mail address', claim_token_format: expect.arrayContaining(['dc+sd-jwt']) as unknown },
      ],
      redirect_user: config.serverMetadata().claims_interaction_endpoint,
    })
    const next = String(error.cause.ticket)
    expect(next).not.toBe(ticket)
    const tokens = await client.genericGrantRequest(config, UMA_TICKET, { ticket: next, ...(await pushed(credential, next)) })
    expect(tokens).toMatchObject({ token_type: 'bearer', resource_server: s.service.origin })
    expect(tokens.expiresIn()).toBeGreaterThan(3000)
    expect(await s.service.introspect(tokens.access_token)).toMatchObject({
      active: true,
      client_id: config.clientMetadata().client_id,
      permissions: [{ resource_id: s.resource, resource_scopes: ['view'] }],
    })
    // Both tickets are spent.
    for (const old of [ticket, next]) {
      const again = await refusal(client.genericGrantRequest(config, UMA_TICKET, { ticket: old }))
      expect({ error: again.error, status: again.status }).toEqual({ error: 'invalid_grant', status: 400 })
    }
  })

  it('RFC 9449 5: a public client with DPoP', async () => {
    const config = await registered({ token_endpoint_auth_method: 'none' }, client.None())
    expect(config.clientMetadata().client_secret).toBeUndefined()
    const keys = await client.randomDPoPKeyPair()
    const DPoP = client.getDPoPHandle(config, keys)
    const ticket = await s.ticket()
    const without = await refusal(client.genericGrantRequest(config, UMA_TICKET, { ticket }))
    expect(without.error).toBe('invalid_dpop_proof')
    const tokens = await client.genericGrantRequest(config, UMA_TICKET, { ticket, ...(await pushed(credential, ticket)) }, { DPoP })
    expect(tokens.token_type).toBe('dpop')
    const jkt = await DPoP.calculateThumbprint()
    expect(await s.service.introspect(tokens.access_token)).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt } })
  })

  it('UMA Grant 3.3.2, 3.3.3: the person is sent to redirect_user, and what comes back is redeemed', async () => {
    const guest = await s.guest()
    const config = await registered()
    const error = await refusal(client.genericGrantRequest(config, UMA_TICKET, { ticket: await s.ticket() }))
    const app = { ...s.app, client: { id: config.clientMetadata().client_id, metadata: {} } }
    const back = await gatherByMail(s.server, guest, app, String(error.cause.ticket))
    const tokens = await client.genericGrantRequest(config, UMA_TICKET, { ticket: back })
    expect((await s.service.introspect(tokens.access_token)).active).toBe(true)
    await client.tokenRevocation(config, tokens.access_token)
    expect(await s.service.introspect(tokens.access_token)).toEqual({ active: false })
  })

  it('UMA Grant 3.3.6: request_denied and invalid_scope arrive as errors', async () => {
    const config = await registered()
    const resource = await s.service.register({ resource_scopes: ['view'] })
    await share(s.wallet, resource, 'somebody.else@example.net')
    const ticket = await s.service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    const denied = await refusal(client.genericGrantRequest(config, UMA_TICKET, { ticket, ...(await pushed(credential, ticket)) }))
    expect(denied.error).toBe('request_denied')
    expect(denied.status).toBe(403)
    const scope = await refusal(client.genericGrantRequest(config, UMA_TICKET, { ticket: await s.ticket(), scope: 'destroy' }))
    expect(scope.error).toBe('invalid_scope')
  })

  /** The authorization code flow as the documentation writes it down; Alice says yes. */
  const authorized = async (config: client.Configuration, scope: string, redirect_uri: string, options?: client.DPoPOptions) => {
    const code_verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri,
      scope,
      state,
      code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
    })
    const isBack = (address: string): boolean => address.startsWith(redirect_uri)
    const { browser } = s.alice
    const page = await browser.submit(await browser.open(url.href, isBack), { decision: 'allow' }, isBack)
    const checks = { pkceCodeVerifier: code_verifier, expectedState: state, ...(scope.includes('openid') && { idTokenExpected: true }) }
    return client.authorizationCodeGrant(config, new URL(page.url), checks, undefined, options)
  }

  it('UMA FedAuthz 1.4: a service signs its owner in, keeps things and asks about tokens', async () => {
    const redirect_uri = 'https://shelf.example/connected'
    const config = await client.dynamicClientRegistration(
      uma2(),
      { client_name: 'A shelf', redirect_uris: [redirect_uri], grant_types: ['authorization_code', 'refresh_token'] },
      undefined,
      local,
    )
    const tokens = await authorized(config, 'openid uma_protection', redirect_uri)
    expect(tokens.claims()?.iss).toBe(origin)
    expect(tokens.claims()?.aud).toBe(config.clientMetadata().client_id)
    const json = new Headers({ 'content-type': 'application/json' })
    const call = (token: string, endpoint: unknown, method: string, body: string, headers = json) =>
      client.fetchProtectedResource(config, token, new URL(String(endpoint)), method, body, headers)
    const { resource_registration_endpoint, permission_endpoint, introspection_endpoint } = config.serverMetadata()
    const made = await call(tokens.access_token, resource_registration_endpoint, 'POST', JSON.stringify({ resource_scopes: ['view'] }))
    expect(made.status).toBe(201)
    const { _id } = (await made.json()) as { _id: string }
    const refreshed = await client.refreshTokenGrant(config, String(tokens.refresh_token))
    const asked = JSON.stringify({ resource_id: _id, resource_scopes: ['view'] })
    const { ticket } = (await (await call(refreshed.access_token, permission_endpoint, 'POST', asked)).json()) as { ticket: string }
    expect(ticket).toMatch(/^[\w-]{40,}$/)
    const form = new Headers({ 'content-type': 'application/x-www-form-urlencoded' })
    const answer = await call(refreshed.access_token, introspection_endpoint, 'POST', `token=${'x'.repeat(40)}`, form)
    expect(await answer.json()).toEqual({ active: false })
  })

  it('DESIGN 4: a wallet gets its token for the owner API, bound to its key', async () => {
    const redirect_uri = 'https://wallet.example/connected'
    const metadata = { client_name: 'A wallet', redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' }
    const config = await client.dynamicClientRegistration(
      uma2(),
      { ...metadata, grant_types: ['authorization_code', 'refresh_token'], dpop_bound_access_tokens: true },
      client.None(),
      local,
    )
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const tokens = await authorized(config, 'uma_owner', redirect_uri, { DPoP })
    const me = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      new URL(`${origin}/owner/me`),
      'GET',
      undefined,
      undefined,
      { DPoP },
    )
    expect(me.status).toBe(200)
    expect(await me.json()).toMatchObject({ label_key: { kty: 'EC' } })
    const refreshed = await client.refreshTokenGrant(config, String(tokens.refresh_token), undefined, { DPoP })
    expect(refreshed.token_type).toBe('dpop')
  })

  it.each(['ES256', 'Ed25519', 'PS256'])('RFC 7523, RFC 9126: a service that signs with %s and pushes its request', async (alg) => {
    const redirect_uri = 'https://signer.example/connected'
    const keys = await generateKeyPair(alg, { extractable: true })
    const auth = client.PrivateKeyJwt(keys.privateKey)
    const config = await client.dynamicClientRegistration(
      uma2(),
      {
        client_name: 'A signer',
        redirect_uris: [redirect_uri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'private_key_jwt',
        require_pushed_authorization_requests: true,
        jwks: { keys: [await exportJWK(keys.publicKey)] },
      } as Partial<client.ClientMetadata>,
      auth,
      local,
    )
    const code_verifier = client.randomPKCECodeVerifier()
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri,
      scope: 'uma_protection',
      code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
    })
    expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
    const isBack = (address: string): boolean => address.startsWith(redirect_uri)
    const { browser } = s.alice
    const page = await browser.submit(await browser.open(url.href, isBack), { decision: 'allow' }, isBack)
    const tokens = await client.authorizationCodeGrant(config, new URL(page.url), { pkceCodeVerifier: code_verifier })
    expect((await client.refreshTokenGrant(config, String(tokens.refresh_token))).access_token).toBeTruthy()
    await client.tokenRevocation(config, tokens.access_token)
  })
})

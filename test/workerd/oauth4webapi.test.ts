// oauth4webapi (npm) against this server, written as its documentation writes its examples: discovery, registration, pushed authorization
// request, code with PKCE and DPoP, refresh, introspection, revocation, and the uma-ticket grant as one that it does not know.
import * as oauth from 'oauth4webapi'
import { beforeAll, describe, expect, it } from 'vitest'
import { UMA_TICKET } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Credential, obtainCredential, pushed } from '../support/proofs.ts'
import { sharedAs } from '../support/server.ts'

// Plain HTTP, since the server is on this machine.
const local = { [oauth.allowInsecureRequests]: true }

describe('RFC 6749: oauth4webapi', () => {
  let s: Stage
  let as: oauth.AuthorizationServer
  let credential: Credential
  beforeAll(async () => {
    s = await stage(await sharedAs())
    const issuer = new URL(s.server.origin)
    as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...local }))
    credential = await obtainCredential(s.server, await s.guest(), s.app, await s.ticket())
  })

  const register = async (metadata: Partial<oauth.Client>): Promise<oauth.Client> =>
    oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, metadata, local))
  const secretOf = (client: oauth.Client) => oauth.ClientSecretBasic(String(client.client_secret))
  const refusal = async (work: Promise<unknown>): Promise<oauth.ResponseBodyError> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof oauth.ResponseBodyError)) throw new Error(`not refused with members, but ${error}`)
    return error
  }

  /** Pushed request, Alice's yes, code, tokens: with PKCE, `iss`, and DPoP where a handle is given. */
  const signedIn = async (client: oauth.Client, auth: oauth.ClientAuth, redirect_uri: string, scope: string, DPoP?: oauth.DPoPHandle) => {
    const code_verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const isOpenid = scope.includes('openid')
    const parameters = {
      redirect_uri,
      scope,
      state,
      response_type: 'code',
      code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
      ...(isOpenid && { nonce }),
    }
    const proved = { ...local, ...(DPoP !== undefined && { DPoP }) }
    const { request_uri } = await oauth.processPushedAuthorizationResponse(
      as,
      client,
      await oauth.pushedAuthorizationRequest(as, client, auth, parameters, proved),
    )
    const url = new URL(String(as.authorization_endpoint))
    url.search = String(new URLSearchParams({ client_id: client.client_id, request_uri }))
    const isBack = (address: string): boolean => address.startsWith(redirect_uri)
    const { browser } = s.alice
    const page = await browser.submit(await browser.open(url.href, isBack), { decision: 'allow' }, isBack)
    const callback = oauth.validateAuthResponse(as, client, new URL(page.url), state)
    const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, callback, redirect_uri, code_verifier, proved)
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, {
      ...(isOpenid && { expectedNonce: nonce, requireIdToken: true }),
    })
    if (isOpenid) await oauth.validateApplicationLevelSignature(as, answer, local)
    return tokens
  }

  it('RFC 8414 3.3, UMA Grant 2: the document is taken, and says what this server can do', () => {
    expect(as).toMatchObject({
      issuer: s.server.origin,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      pushed_authorization_request_endpoint: `${s.server.origin}/par`,
    })
    expect(as.grant_types_supported).toContain(UMA_TICKET)
    expect(as.dpop_signing_alg_values_supported).toContain('ES256')
  })

  it('UMA FedAuthz 1.3, 5: a service: pushed request, code, ID token, refresh, introspection plain and signed, revocation', async () => {
    const redirect_uri = 'https://shelf4.example/connected'
    const client = await register({
      client_name: 'A shelf',
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
    } as Partial<oauth.Client>)
    const auth = secretOf(client)
    const tokens = await signedIn(client, auth, redirect_uri, 'openid uma_protection')
    expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({ iss: s.server.origin, aud: client.client_id })
    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, auth, String(tokens.refresh_token), local),
    )
    expect(refreshed.token_type).toBe('bearer')
    const call = (url: string, body: object) =>
      oauth.protectedResourceRequest(
        refreshed.access_token,
        'POST',
        new URL(url),
        new Headers({ 'content-type': 'application/json' }),
        JSON.stringify(body),
        local,
      )
    expect((await call(String(as.resource_registration_endpoint), { resource_scopes: ['view'] })).status).toBe(201)
    // UMA FedAuthz 5.1: introspection is for the PAT, which takes the place of client authentication.
    const headers = { authorization: `Bearer ${refreshed.access_token}` }
    const asPat: oauth.ClientAuth = (_as, _client, _body, sent) => sent.set('authorization', headers.authorization)
    for (const requestJwtResponse of [false, true]) {
      const answer = await oauth.introspectionRequest(as, client, asPat, 'x'.repeat(43), { ...local, requestJwtResponse })
      expect(await oauth.processIntrospectionResponse(as, client, answer)).toEqual({ active: false })
      if (requestJwtResponse) await oauth.validateApplicationLevelSignature(as, answer, local)
    }
    const ended = await oauth.revocationRequest(as, client, auth, String(tokens.refresh_token), local)
    expect(await oauth.processRevocationResponse(ended)).toBeUndefined()
    const again = oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, auth, String(tokens.refresh_token), local),
    )
    expect(await refusal(again)).toMatchObject({ error: 'invalid_grant', status: 400 })
  })

  it('RFC 9449 5, 7: a wallet without a secret: everything is bound to its key', async () => {
    const redirect_uri = 'https://wallet4.example/connected'
    const client = await register({
      client_name: 'A wallet',
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      dpop_bound_access_tokens: true,
    } as Partial<oauth.Client>)
    const keys = await oauth.generateKeyPair('ES256')
    const DPoP = oauth.DPoP(client, keys)
    const tokens = await signedIn(client, oauth.None(), redirect_uri, 'uma_owner', DPoP)
    expect(tokens.token_type).toBe('dpop')
    const refresh = (proof: oauth.DPoPHandle) =>
      oauth.refreshTokenGrantRequest(as, client, oauth.None(), String(tokens.refresh_token), { ...local, DPoP: proof })
    const refreshed = await oauth.processRefreshTokenResponse(as, client, await refresh(DPoP))
    const me = await oauth.protectedResourceRequest(
      refreshed.access_token,
      'GET',
      new URL(`${s.server.origin}/owner/me`),
      undefined,
      undefined,
      { ...local, DPoP },
    )
    expect(me.status).toBe(200)
    const stranger = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    expect(await refusal(oauth.processRefreshTokenResponse(as, client, await refresh(stranger)))).toMatchObject({ error: 'invalid_grant' })
  })

  it('UMA Grant 3.3.1, 3.3.6, 3.6, 3.7: the uma-ticket grant: need_info, proof, RPT, refresh, revocation', async () => {
    const client = await register({
      client_name: 'An app',
      grant_types: [UMA_TICKET, 'refresh_token'],
      claims_redirect_uris: ['https://app4.example/claims'],
      token_endpoint_auth_method: 'none',
    } as Partial<oauth.Client>)
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    const proved = { ...local, DPoP }
    const redeem = async (parameters: Record<string, string>) =>
      oauth.processGenericTokenEndpointResponse(
        as,
        client,
        await oauth.genericTokenEndpointRequest(as, client, oauth.None(), UMA_TICKET, parameters, proved),
      )
    const asked = await refusal(redeem({ ticket: await s.ticket() }))
    expect({ error: asked.error, status: asked.status }).toEqual({ error: 'need_info', status: 403 })
    expect(asked.cause).toMatchObject({ required_claims: [{ name: 'email' }], redirect_user: as.claims_interaction_endpoint })
    const ticket = String(asked.cause.ticket)
    const tokens = await redeem({ ticket, ...(await pushed(credential, ticket)) })
    expect(tokens).toMatchObject({ token_type: 'dpop', resource_server: s.service.origin })
    const introspected = await s.service.introspect(tokens.access_token)
    expect(introspected).toMatchObject({ active: true, permissions: [{ resource_id: s.resource, resource_scopes: ['view'] }] })
    expect(introspected.cnf).toEqual({ jkt: await DPoP.calculateThumbprint() })
    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, oauth.None(), String(tokens.refresh_token), proved),
    )
    expect((await s.service.introspect(refreshed.access_token)).active).toBe(true)
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), refreshed.access_token, local))
    expect(await s.service.introspect(refreshed.access_token)).toEqual({ active: false })
    expect(await refusal(redeem({ ticket }))).toMatchObject({ error: 'invalid_grant', status: 400 })
  })
})

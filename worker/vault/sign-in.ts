// Signing an owner in at the server of their choice: discovery, registration, authorization code with PKCE, state, nonce and iss
// (RFC 6749 4.1, RFC 7636, RFC 9207, OpenID Connect Core 3.1). The access token that comes out is the vault's PAT (UMA FedAuthz 1.3).
import * as oauth from 'oauth4webapi'
import { randomText } from '../../shared/base64url.ts'
import { authenticateClient, type ClientIdentity } from '../../shared/client-authentication.ts'
import { isIssuer } from '../../shared/discovery.ts'
import { codeChallengeOf, makeCodeVerifier } from '../../shared/pkce.ts'
import type { Pat } from '../../shared/protection-api.ts'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { FLOW_LIFETIME, type Flow } from './cookies.ts'
import { type Env, nowOf, outboundOf, randomBytes } from './env.ts'
import { judgeAddress, parseDevOrigins } from './guard.ts'
import type { Keyring } from './keyring.ts'
import { authorizationServerOf } from './names.ts'
import type { TextKey } from './texts/index.ts'

export type SignInProblem = { kind: 'problem'; key: TextKey; values?: Record<string, string> }
const problem = (key: TextKey, values: Record<string, string> = {}): SignInProblem => ({ kind: 'problem', key, values })

/** What somebody typed as an issuer: `share.example` means https. A path is kept, a trailing slash after nothing is not. */
export function readIssuer(typed: string): string | undefined {
  const text = typed.trim()
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`
  if (text === '' || text.length > 512 || !isIssuer(address)) return undefined
  const url = new URL(address)
  return url.pathname === '/' ? url.origin : `${url.origin}${url.pathname.replace(/\/$/, '')}`
}

const redirectUriOf = (origin: string): string => `${origin}/signed-in`

type Connection = { kind: 'connected'; metadata: oauth.AuthorizationServer; client: ClientIdentity }

async function connect(env: Env, keyring: Keyring, issuer: string, origin: string): Promise<Connection | SignInProblem> {
  const host = new URL(issuer).host
  if (judgeAddress(issuer, parseDevOrigins(env.DEV_ORIGINS)).kind === 'refused') return problem('sign_in.not_contacted')
  const server = await authorizationServerOf(env, keyring, issuer)
  const connected = await server.clientAt(issuer, 'service', origin)
  if (connected.kind === 'unreachable') return problem('sign_in.unreachable', { host })
  if (connected.kind === 'unusable') return problem('sign_in.unusable', { host, reason: connected.reason })
  return { kind: 'connected', metadata: JSON.parse(connected.metadata) as oauth.AuthorizationServer, client: connected.client }
}

/**
 * Has the server forgotten our registration? It can only be told by trying: a code that is none, with our secret. Every server
 * answers `invalid_client` for a stranger and `invalid_grant` for a client (RFC 6749 5.2).
 */
async function isForgotten(env: Env, connection: Connection, origin: string): Promise<boolean> {
  const { metadata, client } = connection
  if (client.clientSecret === undefined || metadata.token_endpoint === undefined) return false
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: 'none',
    redirect_uri: redirectUriOf(origin),
    code_verifier: makeCodeVerifier(randomBytes),
  })
  const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' })
  authenticateClient(client, headers, form)
  const response = await outboundOf(env)(metadata.token_endpoint, { method: 'POST', headers, body: form.toString() })
  return response.status === 401 || /"invalid_client"/.test((await response.text()).slice(0, 4096))
}

/** Begins a sign-in: where to send the browser, and what it must bring back. */
export async function beginSignIn(
  env: Env,
  keyring: Keyring,
  request: { issuer: string; origin: string; moving?: string },
): Promise<{ kind: 'redirect'; url: string; flow: Flow } | SignInProblem> {
  const { issuer, origin, moving } = request
  let connection = await connect(env, keyring, issuer, origin)
  if (connection.kind === 'problem') return connection
  if (await isForgotten(env, connection, origin).catch(() => false)) {
    await (await authorizationServerOf(env, keyring, issuer)).forget('service')
    connection = await connect(env, keyring, issuer, origin)
    if (connection.kind === 'problem') return connection
  }
  const { metadata, client } = connection
  if (metadata.authorization_endpoint === undefined)
    return problem('sign_in.unusable', { host: new URL(issuer).host, reason: 'it has no sign-in' })
  const [state, nonce, verifier] = [randomText(randomBytes), randomText(randomBytes), makeCodeVerifier(randomBytes)]
  const url = new URL(metadata.authorization_endpoint)
  const query = {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUriOf(origin),
    scope: `openid ${PROTECTION_SCOPE}`,
    state,
    nonce,
    code_challenge: await codeChallengeOf(verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  const flow = { issuer, state, nonce, verifier, expires: nowOf() + FLOW_LIFETIME, ...(moving === undefined ? {} : { moving }) }
  return { kind: 'redirect', url: url.href, flow }
}

export type SignedIn = { kind: 'signed_in'; subject: string; client: ClientIdentity; pat: Pat }

/**
 * Finishes a sign-in with what came back on the redirect URI. All of state, iss, PKCE, ID token (signature, iss, aud, nonce, times)
 * is checked by oauth4webapi; an ID token without all that is a failure, not a sign-in.
 */
export async function finishSignIn(env: Env, keyring: Keyring, flow: Flow, url: URL, origin: string): Promise<SignedIn | SignInProblem> {
  const connection = await connect(env, keyring, flow.issuer, origin)
  if (connection.kind === 'problem') return connection
  const { metadata, client } = connection
  const party: oauth.Client = { client_id: client.clientId }
  const authentication = client.clientSecret === undefined ? oauth.None() : oauth.ClientSecretBasic(client.clientSecret)
  const options = {
    [oauth.customFetch]: (input: string, { method, headers, body }: oauth.CustomFetchOptions<string, URLSearchParams | undefined>) =>
      outboundOf(env)(input, { method, headers, ...(body === undefined ? {} : { body: body.toString() }) }),
    // The guard decides which plain-HTTP origins exist at all: only those of DEV_ORIGINS.
    [oauth.allowInsecureRequests]: true,
  }
  try {
    const parameters = oauth.validateAuthResponse(metadata, party, url, flow.state)
    const redirectUri = redirectUriOf(origin)
    const response = await oauth.authorizationCodeGrantRequest(
      metadata,
      party,
      authentication,
      parameters,
      redirectUri,
      flow.verifier,
      options,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(metadata, party, response, {
      expectedNonce: flow.nonce,
      requireIdToken: true,
    })
    // OpenID Connect Core 3.1.3.7 allows to trust TLS instead; (iss, sub) is the key to an account here, so the signature is checked too.
    await oauth.validateApplicationLevelSignature(metadata, response, options)
    const claims = oauth.getValidatedIdTokenClaims(tokens)
    if (claims === undefined) return problem('sign_in.failed')
    if (tokens.scope !== undefined && !tokens.scope.split(' ').includes(PROTECTION_SCOPE)) {
      return problem('sign_in.no_share', { host: new URL(flow.issuer).host })
    }
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn = 300 } = tokens
    const pat = { accessToken, expiresAt: nowOf() + expiresIn, ...(refreshToken === undefined ? {} : { refreshToken }) }
    return { kind: 'signed_in', subject: claims.sub, client, pat }
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError)
      return problem(error.error === 'access_denied' ? 'sign_in.cancelled' : 'sign_in.failed')
    // Whatever else is wrong with an answer of another server ends here: nobody is signed in by it.
    return problem('sign_in.failed')
  }
}

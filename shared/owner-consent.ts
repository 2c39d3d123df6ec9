// How a resource server gets a PAT (UMA FedAuthz 1.3): its owner is sent to the authorization server and says yes (RFC 6749 4.1 with
// PKCE, RFC 7636). The program keeps what is pending where this person's session is, and sends the person's browser.
import * as v from 'valibot'
import { type Random, randomText } from './base64url.ts'
import { authenticateClient, type ClientIdentity } from './client-authentication.ts'
import type { Fetch } from './discovery.ts'
import { readJson } from './limited-body.ts'
import { codeChallengeOf, makeCodeVerifier } from './pkce.ts'
import type { Pat } from './protection-api.ts'
import { authorizationResponse, oauthError, PROTECTION_SCOPE, tokenResponse } from './protocol/oauth.ts'
import type { UmaMetadata } from './protocol/uma-federation.ts'

/** Kept with the owner's session until the browser is back (RFC 6749 10.12). The verifier is a secret. */
export type PendingConsent = { state: string; verifier: string; redirectUri: string }

export type Consent = { kind: 'consented'; pat: Pat } | { kind: 'failed'; reason: string }

const ANSWER_LIMIT = 131_072

/**
 * Where to send the owner's browser (RFC 6749 4.1.1, RFC 7636 4.3).
 * @param request.redirectUri registered with the server; `request.scope` besides `uma_protection`, if more is wanted
 * @returns nothing when the server names no authorization endpoint
 */
export async function consentUrl(
  metadata: UmaMetadata,
  client: ClientIdentity,
  request: { redirectUri: string; scope?: string },
  random: Random,
): Promise<{ url: string; pending: PendingConsent } | undefined> {
  if (metadata.authorization_endpoint === undefined) return undefined
  const { redirectUri, scope } = request
  const pending: PendingConsent = { state: randomText(random), verifier: makeCodeVerifier(random), redirectUri }
  const url = new URL(metadata.authorization_endpoint)
  const query = {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: scope === undefined ? PROTECTION_SCOPE : `${scope} ${PROTECTION_SCOPE}`,
    state: pending.state,
    code_challenge: await codeChallengeOf(pending.verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return { url: url.href, pending }
}

const failed = (reason: string): Consent => ({ kind: 'failed', reason })

/** RFC 6749 4.1.2, RFC 9207 2.4: the code, or why there is none. */
function codeIn(query: URLSearchParams, pending: PendingConsent, metadata: UmaMetadata): { code: string } | { reason: string } {
  const names = [...query.keys()]
  const parsed = v.safeParse(authorizationResponse, Object.fromEntries(query))
  if (new Set(names).size !== names.length || !parsed.success) return { reason: 'the answer is malformed' }
  const { code, state, iss, error, error_description: description } = parsed.output
  if (state !== pending.state) return { reason: 'state is not the one that was sent' }
  const issRequired = metadata.authorization_response_iss_parameter_supported === true
  if (iss === undefined ? issRequired : iss !== metadata.issuer) return { reason: 'iss is another server' }
  return code === undefined || error !== undefined ? { reason: description ?? error ?? 'there is no code' } : { code }
}

/**
 * Makes a PAT of what came back on the redirect URI (RFC 6749 4.1.3).
 * @param pending of this person's session; NOT checked: that it is
 * @param deps.now seconds since 1970; the PAT's end is reckoned from it
 * @returns `failed` with a sentence for the log: the owner said no, the state is another one, the server refuses. Rejects as `fetch` does.
 */
export async function patFromAnswer(
  metadata: UmaMetadata,
  client: ClientIdentity,
  pending: PendingConsent,
  query: URLSearchParams,
  deps: { fetch: Fetch; now: () => number },
): Promise<Consent> {
  const answer = codeIn(query, pending, metadata)
  if ('reason' in answer) return failed(answer.reason)
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' })
  const { redirectUri, verifier } = pending
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: answer.code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  })
  authenticateClient(client, headers, form)
  const { fetch: send, now } = deps
  const response = await send(metadata.token_endpoint, { method: 'POST', headers, body: form.toString(), redirect: 'manual' })
  const body = await readJson(response, ANSWER_LIMIT)
  const parsed = v.safeParse(tokenResponse, body)
  if (response.status !== 200 || !parsed.success) {
    const refusal = v.safeParse(oauthError, body)
    return failed(refusal.success ? (refusal.output.error_description ?? refusal.output.error) : `status ${response.status}`)
  }
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn = 300, scope } = parsed.output
  // RFC 6749 5.1: `scope` is there when less was given than asked for.
  if (scope !== undefined && !scope.split(' ').includes(PROTECTION_SCOPE)) return failed('the token is no PAT')
  return { kind: 'consented', pat: { accessToken, expiresAt: now() + expiresIn, ...(refreshToken === undefined ? {} : { refreshToken }) } }
}

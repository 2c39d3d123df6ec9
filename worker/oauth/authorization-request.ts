// What an authorization request asks for (RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1, RFC 9449 10, RFC 8707 2): read and judged in
// the same way at the authorization endpoint and where it is pushed (RFC 9126). Pure.
import * as v from 'valibot'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { LABEL_JWK_PARAM } from '../../shared/protocol/wallet.ts'
import { type Params, paramsOf } from '../http/form.ts'
import type { Client } from '../store/clients.ts'

/** The parameters of a request, `resource` apart: it may be there more than once (RFC 8707 2). */
export type Asked = { params: Params; resources: string[] }

/** Throws OAuthError `invalid_request` if anything else is there twice. */
export const askedIn = (search: URLSearchParams): Asked => ({
  params: paramsOf(search, ['resource']),
  resources: search.getAll('resource').filter((uri) => uri !== ''),
})

export type AuthorizationRequest = {
  client_id: string
  redirect_uri: string
  state?: string
  scope: string
  code_challenge: string
  nonce?: string
  dpop_jkt?: string
  label_jwk?: JsonWebKey
}

/** The redirect URI that is asked for, if the client registered it: exact match (RFC 9700 2.1), loopback ports excepted (RFC 8252 7.3). */
export function registeredRedirect(client: Client, uri: string | undefined): string | undefined {
  const registered = client.metadata.redirect_uris ?? []
  const asked = uri ?? (registered.length === 1 ? registered[0] : undefined)
  if (asked === undefined || !URL.canParse(asked)) return undefined
  return registered.some((one) => one === asked || isSameLoopback(one, asked)) ? asked : undefined
}

function isSameLoopback(registered: string, asked: string): boolean {
  const pattern = /^http:\/\/(127\.0\.0\.1|\[::1\])(:\d{1,5})?(\/[^#]*)?$/
  const [a, b] = [pattern.exec(registered), pattern.exec(asked)]
  return a !== null && b !== null && a[1] === b[1] && (a[3] ?? '/') === (b[3] ?? '/')
}

/** RFC 8707 2: tokens that are asked for here are good at this server and nowhere else. */
export const isOwnResource = (text: string, issuer: string): boolean =>
  !text.includes('#') && URL.parse(text)?.origin === new URL(issuer).origin

export type Refusal = { error: string; error_description: string }
const refuse = (error: string, error_description: string): Refusal => ({ error, error_description })
/** The longest that is carried through sign-in and consent, in characters. */
const LIMITS = { state: 4096, nonce: 512 } as const

/** The request as it will be carried through sign-in and consent, or the refusal that goes to the redirect URI. */
export function parseRequest(asked: Asked, client: Client, redirectUri: string, issuer: string): AuthorizationRequest | Refusal {
  const { params, resources } = asked
  const [code_challenge, dpop_jkt, label, state, nonce] = ['code_challenge', 'dpop_jkt', LABEL_JWK_PARAM, 'state', 'nonce'].map((name) =>
    params.get(name),
  )
  const unsupported = unsupportedForm(params, client)
  if (unsupported !== undefined) return unsupported
  // RFC 7636 4.4.1; S256 only.
  if (code_challenge === undefined || !/^[\w-]{43}$/.test(code_challenge)) return refuse('invalid_request', 'send a code_challenge (PKCE)')
  if (params.get('code_challenge_method') !== 'S256') return refuse('invalid_request', 'code_challenge_method must be S256')
  const scopes = [...new Set((params.get('scope') ?? '').split(' ').filter((one) => one !== ''))]
  const roles: string[] = scopes.filter((one) => one === PROTECTION_SCOPE || one === OWNER_SCOPE)
  if (roles.length !== 1 || scopes.some((one) => one !== 'openid' && !roles.includes(one))) {
    return refuse('invalid_scope', `ask for one of ${PROTECTION_SCOPE} and ${OWNER_SCOPE}, with or without openid`)
  }
  if (dpop_jkt !== undefined && !/^[\w-]{43}$/.test(dpop_jkt)) return refuse('invalid_request', 'dpop_jkt must be a thumbprint (RFC 7638)')
  if (!resources.every((one) => isOwnResource(one, issuer))) return refuse('invalid_target', 'resource is not at this server')
  const label_jwk = label === undefined ? undefined : parseLabelJwk(label)
  if (label !== undefined && label_jwk === undefined) return refuse('invalid_request', `${LABEL_JWK_PARAM} must be a P-256 public key`)
  return {
    client_id: client.id,
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    code_challenge,
    ...(state === undefined ? {} : { state }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(dpop_jkt === undefined ? {} : { dpop_jkt }),
    ...(label_jwk === undefined ? {} : { label_jwk }),
  }
}

/** OpenID Connect Core 3.1.2.1: what a client may ask the server to ask the owner. */
export const PROMPTS = ['none', 'login', 'consent', 'select_account'] as const

/** Those that a new sign-in answers: with another address somebody chooses another account. */
const SIGN_IN_PROMPTS: readonly string[] = ['login', 'select_account']
export const wantsSignIn = (prompts: readonly string[]): boolean => prompts.some((one) => SIGN_IN_PROMPTS.includes(one))

/** What is in `prompt`, one by one. */
export const promptsOf = (params: Params): string[] => (params.get('prompt') ?? '').split(' ').filter((one) => one !== '')

/** What signing in has obeyed is gone from the request: it would ask for ever. What else was asked for stays. */
export function signedInFor(search: URLSearchParams): URLSearchParams {
  const left = new URLSearchParams(search)
  left.delete('max_age')
  left.delete('prompt')
  const prompts = (search.get('prompt') ?? '').split(' ').filter((one) => one !== '' && !SIGN_IN_PROMPTS.includes(one))
  if (prompts.length > 0) left.set('prompt', prompts.join(' '))
  return left
}

/** Requests of a form that this server does not speak; to answer them as if nothing were said would mean something else. */
function unsupportedForm(params: Params, client: Client): Refusal | undefined {
  if (!(client.metadata.grant_types ?? []).includes('authorization_code'))
    return refuse('unauthorized_client', 'the client did not register for this')
  // OpenID Connect Core 3.1.2.6, 6: nothing is fetched.
  if (params.get('request') !== undefined) return refuse('request_not_supported', 'send plain parameters')
  if (params.get('request_uri') !== undefined) return refuse('request_uri_not_supported', 'push the request, or send plain parameters')
  if (params.get('response_type') === undefined) return refuse('invalid_request', 'response_type is missing')
  if (params.get('response_type') !== 'code') return refuse('unsupported_response_type', 'response_type must be code')
  if ((params.get('response_mode') ?? 'query') !== 'query') return refuse('invalid_request', 'response_mode must be query')
  const prompts = promptsOf(params)
  if (prompts.includes('none') && prompts.length > 1) return refuse('invalid_request', 'prompt is none or something else')
  // OpenID Connect Prompt Create 4.1: what is not declared is refused.
  if (!prompts.every((one) => (PROMPTS as readonly string[]).includes(one)))
    return refuse('invalid_request', `prompt is ${PROMPTS.join(', ')}`)
  if (!/^\d{0,10}$/.test(params.get('max_age') ?? '')) return refuse('invalid_request', 'max_age must be a number of seconds')
  const long = Object.entries(LIMITS).find(([name, limit]) => (params.get(name) ?? '').length > limit)
  return long === undefined ? undefined : refuse('invalid_request', `${long[0]} is longer than ${long[1]} characters`)
}

const publicJwk = v.object({
  kty: v.literal('EC'),
  crv: v.literal('P-256'),
  x: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
  y: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
})

function parseLabelJwk(text: string): JsonWebKey | undefined {
  try {
    const parsed = v.safeParse(publicJwk, JSON.parse(atob(text.replace(/-/g, '+').replace(/_/g, '/'))))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined // not base64url or not JSON
  }
}

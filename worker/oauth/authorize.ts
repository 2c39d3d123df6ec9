// The authorization endpoint (RFC 6749 4.1, PKCE, RFC 9207): check, sign in, consent, code. Services ask for a PAT, wallets for the owner API.
// Nothing is sent to a redirect URI before it was found among those that the client registered (RFC 9700 2.1).
import { Hono } from 'hono'
import * as v from 'valibot'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { LABEL_JWK_PARAM } from '../../shared/protocol/wallet.ts'
import { type AppContext, type AppEnv, type OwnerSession, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { type Params, paramsOf, readForm, required } from '../http/form.ts'
import { allowFormTarget } from '../http/headers.ts'
import { pageContext } from '../http/page.ts'
import { responseUri } from '../http/redirect.ts'
import { checkCsrf, csrfToken, readNames, readSession, requireSession, sameOrigin } from '../http/session.ts'
import { ConsentPage } from '../pages/consent.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import { type Client, clientName } from '../store/clients.ts'
import { wrapLabelKey } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { clientById, hostOfClient } from './clients.ts'

/** What a code stands for, sealed into it; its jti is spent at the owner's object. */
export type CodeGrant = {
  owner: string
  client_id: string
  redirect_uri: string
  code_challenge: string
  scope: string
  nonce?: string
  dpop_jkt?: string
  /** The owner's label key, wrapped to the wallet's own key. */
  wrapped_label_key?: string
  auth_time: number
  jti: string
  exp: number
}
/** RFC 9700: a code lives a minute. */
const CODE_LIFETIME = 60

type AuthorizationRequest = {
  client_id: string
  redirect_uri: string
  state?: string
  scope: string
  code_challenge: string
  nonce?: string
  dpop_jkt?: string
  label_jwk?: JsonWebKey
}

export const authorize = new Hono<AppEnv>()
  .get('/', async (c) => {
    const params = pageParams(new URL(c.req.url).searchParams)
    const { client, redirectUri } = await trustedRedirect(c, params)
    const request = parseRequest(params, client, redirectUri)
    if ('error' in request) return back(c, redirectUri, { ...request, state: params.get('state') })
    const prompts = (params.get('prompt') ?? '').split(' ')
    const refuse = (error: string) => back(c, redirectUri, { error, error_description: 'the owner has to be asked', state: request.state })
    const session = await readSession(c)
    if (session === undefined || isTooOld(session, prompts, params.get('max_age'), seconds(c.var.deps))) {
      return prompts.includes('none') ? refuse('login_required') : toSignIn(c, session !== undefined)
    }
    if (!prompts.includes('consent') && (await isConnected(c, session, client, request))) return issueCode(c, session, request)
    return prompts.includes('none') ? refuse('consent_required') : askOwner(c, session, client, request)
  })
  .post('/consent', sameOrigin(), async (c) => {
    const { deps } = c.var
    const params = await readForm(c)
    const session = await requireSession(c)
    await checkCsrf(deps, session, params)
    const request = (await deps.keyring.open('consent', required(params, 'request'))) as
      | (AuthorizationRequest & { sid: string; exp: number })
      | undefined
    if (request === undefined || request.sid !== session.sid || request.exp <= seconds(deps))
      throw new PageError('expired', 'consent_expired')
    if (params.get('decision') !== 'allow') {
      return back(c, request.redirect_uri, { error: 'access_denied', error_description: 'the owner said no', state: request.state })
    }
    return issueCode(c, session, request)
  })

/** OpenID Connect Core 3.1.2.1: `prompt=login` and `max_age` want an owner who has just signed in; the ID token says when that was. */
function isTooOld(session: OwnerSession, prompts: readonly string[], maxAge: string | undefined, now: number): boolean {
  return prompts.includes('login') || (maxAge !== undefined && now - session.since > Number(maxAge))
}

function toSignIn(c: AppContext, again: boolean): Response {
  const next = new URL(c.req.url)
  // What asked for this sign-in would ask for ever.
  if (again) for (const name of ['prompt', 'max_age']) next.searchParams.delete(name)
  return c.redirect(`${paths.signIn}?${again ? 'again=1&' : ''}next=${encodeURIComponent(next.pathname + next.search)}`, 303)
}

async function askOwner(c: AppContext, session: OwnerSession, client: Client, request: AuthorizationRequest): Promise<Response> {
  const { deps } = c.var
  const here = new URL(c.req.url)
  allowFormTarget(c, request.redirect_uri)
  return c.html(
    render(ConsentPage, {
      page: pageContext(c),
      csrf: await csrfToken(deps, session),
      kind: request.scope.split(' ').includes(OWNER_SCOPE) ? 'wallet' : 'service',
      // Where the code will go: a client can call itself anything, `client_uri` too (RFC 7591 5).
      client: { name: clientName(client), host: hostOfClient(client, request.redirect_uri) },
      action: paths.consent,
      // Sealed: what was checked above is what is consented to; the form cannot change it.
      fields: { request: await deps.keyring.seal('consent', { ...request, sid: session.sid, exp: seconds(deps) + 1800 }) },
      notYou: `${paths.signIn}?again=1&next=${encodeURIComponent(here.pathname + here.search)}`,
    }),
  )
}

/** A query with a repeated parameter is shown to the person, since nothing in it can be trusted yet. */
function pageParams(search: URLSearchParams): Params {
  try {
    return paramsOf(search)
  } catch {
    throw new PageError('bad_request', 'invalid_request')
  }
}

/** The client and a redirect URI that it registered: exact match (RFC 9700 2.1), loopback ports excepted (RFC 8252 7.3). */
async function trustedRedirect(c: AppContext, params: Params): Promise<{ client: Client; redirectUri: string }> {
  const id = params.get('client_id')
  const client = id === undefined ? undefined : await clientById(c, id)
  if (client === undefined) throw new PageError('unknown_app', 'unauthorized_client')
  const registered = client.metadata.redirect_uris ?? []
  const asked = params.get('redirect_uri') ?? (registered.length === 1 ? registered[0] : undefined)
  if (asked === undefined || !URL.canParse(asked) || !registered.some((uri) => uri === asked || isSameLoopback(uri, asked)))
    throw new PageError('unknown_app', 'invalid_redirect_uri')
  return { client, redirectUri: asked }
}

function isSameLoopback(registered: string, asked: string): boolean {
  const pattern = /^http:\/\/(127\.0\.0\.1|\[::1\])(:\d{1,5})?(\/[^#]*)?$/
  const [a, b] = [pattern.exec(registered), pattern.exec(asked)]
  return a !== null && b !== null && a[1] === b[1] && (a[3] ?? '/') === (b[3] ?? '/')
}

type Refusal = { error: string; error_description: string }
const refuse = (error: string, error_description: string): Refusal => ({ error, error_description })
/** The longest that is carried through sign-in and consent, in characters. */
const LIMITS = { state: 4096, nonce: 512 } as const

function parseRequest(params: Params, client: Client, redirectUri: string): AuthorizationRequest | Refusal {
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

/** Requests of a form that this server does not speak; to answer them as if nothing were said would mean something else. */
function unsupportedForm(params: Params, client: Client): Refusal | undefined {
  if (!(client.metadata.grant_types ?? []).includes('authorization_code'))
    return refuse('unauthorized_client', 'the client did not register for this')
  // OpenID Connect Core 3.1.2.6, 6: nothing is fetched.
  if (params.get('request') !== undefined) return refuse('request_not_supported', 'send plain parameters')
  if (params.get('request_uri') !== undefined) return refuse('request_uri_not_supported', 'send plain parameters')
  if (params.get('response_type') === undefined) return refuse('invalid_request', 'response_type is missing')
  if (params.get('response_type') !== 'code') return refuse('unsupported_response_type', 'response_type must be code')
  if ((params.get('response_mode') ?? 'query') !== 'query') return refuse('invalid_request', 'response_mode must be query')
  const prompts = (params.get('prompt') ?? '').split(' ')
  if (prompts.includes('none') && prompts.length > 1) return refuse('invalid_request', 'prompt is none or something else')
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

/** Signing in again at a service that is connected already needs no new yes; only for clients that can prove themselves. */
async function isConnected(c: AppContext, session: OwnerSession, client: Client, request: AuthorizationRequest): Promise<boolean> {
  if (client.metadata.token_endpoint_auth_method === 'none' || request.scope.split(' ').includes(OWNER_SCOPE)) return false
  const listed = await ownerObject(c.env, session.owner).list({ sid: session.sid }, { now: seconds(c.var.deps) }, 'connections')
  return listed.kind === 'ok' && (listed.connections ?? []).some((one) => one.client_id === client.id && one.scope === request.scope)
}

async function issueCode(c: AppContext, session: OwnerSession, request: AuthorizationRequest): Promise<Response> {
  const { deps } = c.var
  const names = request.label_jwk === undefined ? undefined : await readNames(c, session.owner)
  const grant: CodeGrant = {
    owner: session.owner,
    client_id: request.client_id,
    redirect_uri: request.redirect_uri,
    code_challenge: request.code_challenge,
    scope: request.scope,
    ...(request.nonce === undefined ? {} : { nonce: request.nonce }),
    ...(request.dpop_jkt === undefined ? {} : { dpop_jkt: request.dpop_jkt }),
    ...(names === undefined || request.label_jwk === undefined
      ? {}
      : { wrapped_label_key: await wrapLabelKey(names.private_jwk, request.label_jwk) }),
    auth_time: session.since,
    jti: randomSecret(16),
    exp: seconds(deps) + CODE_LIFETIME,
  }
  return back(c, request.redirect_uri, { code: await deps.keyring.seal('code', grant), state: request.state })
}

/** The authorization response, with `iss` (RFC 9207), errors too. 303: a POST must not be repeated at the client. */
function back(c: AppContext, redirectUri: string, members: Record<string, string | undefined>): Response {
  const location = responseUri(redirectUri, { ...members, iss: c.var.deps.issuer })
  return new Response(null, { status: 303, headers: { Location: location, 'Cache-Control': 'no-store' } })
}

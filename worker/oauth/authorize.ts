// The authorization endpoint (RFC 6749 4.1, PKCE, RFC 9207): check, sign in, consent, code. Services ask for a PAT, wallets for the owner API.
// Nothing is sent to a redirect URI before it was found among those that the client registered (RFC 9700 2.1).
import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { LABEL_JWK_PARAM } from '../../shared/protocol/wallet.ts'
import { type AppContext, type AppEnv, type OwnerSession, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { type Params, paramsOf, readForm, required } from '../http/form.ts'
import { allowFormTarget } from '../http/headers.ts'
import { checkCsrf, csrfToken, readNames, readSession, requireSession, sameOrigin } from '../http/session.ts'
import { ConsentPage } from '../pages/consent.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import { type Client, clientById, clientName, originOf } from '../store/clients.ts'
import { wrapLabelKey } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { pageContext } from '../http/page.ts'

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
    const request = parseRequest(params, redirectUri)
    if ('error' in request) return back(c, redirectUri, { ...request, ...stateOf(params) })
    const session = await readSession(c)
    if (session === undefined) {
      const next = new URL(c.req.url)
      return c.redirect(`${paths.signIn}?next=${encodeURIComponent(next.pathname + next.search)}`, 303)
    }
    if (await isConnected(c, session, client, request)) return issueCode(c, session, request)
    const page = pageContext(c)
    const host = originOf(client)
    allowFormTarget(c, request.redirect_uri)
    return c.html(
      render(ConsentPage, {
        page,
        csrf: await csrfToken(c.var.deps, session),
        kind: request.scope.split(' ').includes(OWNER_SCOPE) ? 'wallet' : 'service',
        client: { name: clientName(client), host: host === undefined ? new URL(request.redirect_uri).host : new URL(host).host },
        action: paths.consent,
        // Sealed: what was checked above is what is consented to; the form cannot change it.
        fields: { request: await c.var.deps.keyring.seal('consent', { ...request, sid: session.sid, exp: seconds(c.var.deps) + 1800 }) },
        notYou: `${paths.signIn}?again=1&next=${encodeURIComponent(new URL(c.req.url).pathname + new URL(c.req.url).search)}`,
      }),
    )
  })
  .post('/consent', sameOrigin(), async (c) => {
    const { deps } = c.var
    const params = await readForm(c)
    const session = await requireSession(c)
    await checkCsrf(deps, session, params)
    const request = (await deps.keyring.open('consent', required(params, 'request'))) as (AuthorizationRequest & { sid: string; exp: number }) | undefined
    if (request === undefined || request.sid !== session.sid || request.exp <= seconds(deps)) throw new PageError('expired', 'consent_expired')
    const state = request.state === undefined ? {} : { state: request.state }
    if (params.get('decision') !== 'allow') return back(c, request.redirect_uri, { error: 'access_denied', error_description: 'the owner said no', ...state })
    return issueCode(c, session, request)
  })

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
  const client = id === undefined ? undefined : await clientById(c.env.DB, id)
  if (client === undefined) throw new PageError('unknown_app', 'unauthorized_client')
  const registered = client.metadata.redirect_uris ?? []
  const asked = params.get('redirect_uri') ?? (registered.length === 1 ? registered[0] : undefined)
  if (asked === undefined || !registered.some((uri) => uri === asked || isSameLoopback(uri, asked))) throw new PageError('unknown_app', 'invalid_redirect_uri')
  return { client, redirectUri: asked }
}

function isSameLoopback(registered: string, asked: string): boolean {
  const pattern = /^http:\/\/(127\.0\.0\.1|\[::1\])(:\d{1,5})?(\/[^#]*)?$/
  const [a, b] = [pattern.exec(registered), pattern.exec(asked)]
  return a !== null && b !== null && a[1] === b[1] && (a[3] ?? '/') === (b[3] ?? '/')
}

function parseRequest(params: Params, redirectUri: string): AuthorizationRequest | { error: string; error_description: string } {
  const refuse = (error: string, error_description: string) => ({ error, error_description })
  if (params.get('response_type') !== 'code') return refuse('unsupported_response_type', 'response_type must be "code"')
  const code_challenge = params.get('code_challenge')
  // RFC 7636 4.4.1; S256 only.
  if (code_challenge === undefined || !/^[\w-]{43}$/.test(code_challenge)) return refuse('invalid_request', 'send a code_challenge (PKCE)')
  if (params.get('code_challenge_method') !== 'S256') return refuse('invalid_request', 'code_challenge_method must be S256')
  const scopes = [...new Set((params.get('scope') ?? '').split(' ').filter((one) => one !== ''))]
  const roles: string[] = scopes.filter((one) => one === 'uma_protection' || one === OWNER_SCOPE)
  if (roles.length !== 1 || scopes.some((one) => one !== 'openid' && !roles.includes(one))) {
    return refuse('invalid_scope', `ask for one of uma_protection and ${OWNER_SCOPE}, with or without openid`)
  }
  const prompt = params.get('prompt')
  if (prompt === 'none') return refuse('interaction_required', 'the owner has to be asked')
  const dpop_jkt = params.get('dpop_jkt')
  const label = params.get(LABEL_JWK_PARAM)
  const label_jwk = label === undefined ? undefined : parseLabelJwk(label)
  if (label !== undefined && label_jwk === undefined) return refuse('invalid_request', `${LABEL_JWK_PARAM} must be a P-256 public key`)
  return {
    client_id: params.get('client_id') as string,
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    code_challenge,
    ...stateOf(params),
    ...(params.get('nonce') === undefined ? {} : { nonce: params.get('nonce') as string }),
    ...(dpop_jkt === undefined ? {} : { dpop_jkt }),
    ...(label_jwk === undefined ? {} : { label_jwk }),
  }
}

const publicJwk = v.object({ kty: v.literal('EC'), crv: v.literal('P-256'), x: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)), y: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)) })

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
    ...(names === undefined || request.label_jwk === undefined ? {} : { wrapped_label_key: await wrapLabelKey(names.private_jwk, request.label_jwk) }),
    auth_time: session.since,
    jti: randomSecret(16),
    exp: seconds(deps) + CODE_LIFETIME,
  }
  return back(c, request.redirect_uri, { code: await deps.keyring.seal('code', grant), ...(request.state === undefined ? {} : { state: request.state }) })
}

const stateOf = (params: Params): { state?: string } => (params.get('state') === undefined ? {} : { state: params.get('state') as string })

/** The authorization response, with `iss` (RFC 9207), errors too. 303: a POST must not be repeated at the client. */
function back(c: Context<AppEnv>, redirectUri: string, members: Record<string, string>): Response {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(members)) url.searchParams.append(name, value)
  url.searchParams.append('iss', c.var.deps.issuer)
  return new Response(null, { status: 303, headers: { Location: url.href, 'Cache-Control': 'no-store' } })
}


// The authorization endpoint (RFC 6749 4.1, PKCE, RFC 9207): check, sign in, consent, code. Services ask for a PAT, wallets for the owner API.
// Nothing is sent to a redirect URI before it was found among those that the client registered (RFC 9700 2.1).
import { Hono } from 'hono'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { type AppContext, type AppEnv, callOf, type OwnerSession, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { readForm, required } from '../http/form.ts'
import { allowFormTarget } from '../http/headers.ts'
import { pageContext } from '../http/page.ts'
import { responseUri } from '../http/redirect.ts'
import { checkCsrf, csrfToken, readNames, readSession, requireSession, sameOrigin } from '../http/session.ts'
import { ConsentPage } from '../pages/consent.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import type { Client } from '../store/clients.ts'
import { wrapLabelKey } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import {
  type Asked,
  type AuthorizationRequest,
  askedIn,
  parseRequest,
  promptsOf,
  registeredRedirect,
  signedInFor,
  wantsSignIn,
} from './authorization-request.ts'
import { partyOf } from './client-known.ts'
import { clientById, hostOfClient } from './clients.ts'
import { actsFor, wouldActByItself } from './organisation.ts'
import { isTaken, keepPushed, type Pushed, pushedRequest } from './pushed-request.ts'

/** What a code stands for, sealed into it; its jti is spent at the owner's object. */
export type CodeGrant = {
  owner: string
  client_id: string
  redirect_uri: string
  code_challenge: string
  scope: string
  nonce?: string
  dpop_jkt?: string
  /** The owner allows the client to get its tokens by itself from now on (organisation.ts). */
  standing?: true
  /** The owner's label key, wrapped to the wallet's own key. */
  wrapped_label_key?: string
  auth_time: number
  jti: string
  exp: number
}
/** What was asked for, and whether the client would get its tokens by itself afterwards. */
type Wanted = AuthorizationRequest & Pick<CodeGrant, 'standing'>
/** RFC 9700: a code lives a minute. */
const CODE_LIFETIME = 60

export const authorize = new Hono<AppEnv>()
  .get('/', async (c) => {
    const { pushed, ...asked } = await requestOf(c)
    const { params } = asked
    const { client, redirectUri } = await trustedRedirect(c, asked)
    const request = parseRequest(asked, client, redirectUri, c.var.deps.issuer)
    if ('error' in request) return back(c, redirectUri, { ...request, state: params.get('state') }, pushed)
    if (pushed === undefined && client.metadata.require_pushed_authorization_requests === true)
      return back(c, redirectUri, { error: 'invalid_request', error_description: 'push the request first', state: request.state })
    const prompts = promptsOf(params)
    const refuse = (error: string) =>
      back(c, redirectUri, { error, error_description: 'the owner has to be asked', state: request.state }, pushed)
    const session = await readSession(c)
    if (session === undefined || isTooOld(session, prompts, params.get('max_age'), seconds(c.var.deps))) {
      return prompts.includes('none') ? refuse('login_required') : toSignIn(c, session !== undefined, pushed)
    }
    const acts = wouldActByItself(client, request.scope) ? (await actsFor(c.env, client.id, session.owner)).whom : undefined
    if (acts === 'foreign') {
      const error_description = 'the client acts for another owner already'
      return back(c, redirectUri, { error: 'unauthorized_client', error_description, state: request.state }, pushed)
    }
    const wanted = acts === undefined ? request : { ...request, standing: true as const }
    if (!prompts.includes('consent') && acts !== 'nobody' && (await isConnected(c, session, client, request)))
      return issueCode(c, session, wanted, pushed)
    return prompts.includes('none') ? refuse('consent_required') : askOwner(c, session, client, wanted, pushed)
  })
  .post('/consent', sameOrigin(), async (c) => {
    const { deps } = c.var
    const params = await readForm(c)
    const session = await requireSession(c)
    await checkCsrf(deps, session, params)
    const request = (await deps.keyring.open('consent', required(params, 'request'))) as
      | (Wanted & { sid: string; exp: number; pushed?: Pushed })
      | undefined
    if (request === undefined || request.sid !== session.sid || request.exp <= seconds(deps))
      throw new PageError('expired', 'consent_expired')
    c.set('client', request.client_id)
    if (params.get('decision') !== 'allow') {
      return back(
        c,
        request.redirect_uri,
        { error: 'access_denied', error_description: 'the owner said no', state: request.state },
        request.pushed,
      )
    }
    return issueCode(c, session, request, request.pushed)
  })

/** OpenID Connect Core 3.1.2.1: `prompt=login`, `select_account` and `max_age` want an owner who has just signed in; the ID token says when that was. */
function isTooOld(session: OwnerSession, prompts: readonly string[], maxAge: string | undefined, now: number): boolean {
  return wantsSignIn(prompts) || (maxAge !== undefined && now - session.since > Number(maxAge))
}

async function toSignIn(c: AppContext, again: boolean, pushed: Pushed | undefined): Promise<Response> {
  const next = new URL(c.req.url)
  next.search = String(signedInFor(next.searchParams))
  if (pushed !== undefined) next.searchParams.set('request_uri', await keepPushed(c, pushed))
  return c.redirect(`${paths.signIn}?${again ? 'again=1&' : ''}next=${encodeURIComponent(next.pathname + next.search)}`, 303)
}

async function askOwner(
  c: AppContext,
  session: OwnerSession,
  client: Client,
  request: Wanted,
  pushed: Pushed | undefined,
): Promise<Response> {
  const { deps } = c.var
  const here = new URL(c.req.url)
  allowFormTarget(c, request.redirect_uri)
  return c.html(
    render(ConsentPage, {
      page: pageContext(c),
      csrf: await csrfToken(deps, session),
      kind: request.scope.split(' ').includes(OWNER_SCOPE) ? 'wallet' : 'service',
      // Where the code will go: a client can call itself anything, `client_uri` too (RFC 7591 5).
      client: partyOf(c.env, client, hostOfClient(client, request.redirect_uri)),
      standing: request.standing === true,
      action: paths.consent,
      // Sealed: what was checked above is what is consented to; the form cannot change it.
      fields: { request: await deps.keyring.seal('consent', { ...request, pushed, sid: session.sid, exp: seconds(deps) + 1800 }) },
      notYou: `${paths.signIn}?again=1&next=${encodeURIComponent(here.pathname + here.search)}`,
    }),
  )
}

/** What is asked for: in the query, or pushed before. A query with a repeated parameter is shown to the person: nothing in it can be trusted. */
async function requestOf(c: AppContext): Promise<Asked & { pushed?: Pushed }> {
  try {
    const asked = askedIn(new URL(c.req.url).searchParams)
    return (await pushedRequest(c, asked.params)) ?? asked
  } catch (error) {
    throw error instanceof PageError ? error : new PageError('bad_request', 'invalid_request')
  }
}

/** The client and a redirect URI that it registered. */
async function trustedRedirect(c: AppContext, { params }: Asked): Promise<{ client: Client; redirectUri: string }> {
  const id = params.get('client_id')
  const client = id === undefined ? undefined : await clientById(callOf(c), id)
  if (client === undefined) throw new PageError('unknown_app', 'unauthorized_client')
  const redirectUri = registeredRedirect(client, params.get('redirect_uri'))
  if (redirectUri === undefined) throw new PageError('unknown_app', 'invalid_redirect_uri')
  // SPECS S0-2
  c.set('client', client.id)
  return { client, redirectUri }
}

/** Signing in again at a service that is connected already needs no new yes; only for clients that can prove themselves. */
async function isConnected(c: AppContext, session: OwnerSession, client: Client, request: AuthorizationRequest): Promise<boolean> {
  if (client.metadata.token_endpoint_auth_method === 'none' || request.scope.split(' ').includes(OWNER_SCOPE)) return false
  const listed = await ownerObject(c.env, session.owner).list({ sid: session.sid }, { now: seconds(c.var.deps) }, 'connections')
  return listed.kind === 'ok' && (listed.connections ?? []).some((one) => one.client_id === client.id && one.scope === request.scope)
}

async function issueCode(c: AppContext, session: OwnerSession, request: Wanted, pushed: Pushed | undefined): Promise<Response> {
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
    ...(request.standing === true ? { standing: true as const } : {}),
    ...(names === undefined || request.label_jwk === undefined
      ? {}
      : { wrapped_label_key: await wrapLabelKey(names.private_jwk, request.label_jwk) }),
    auth_time: session.since,
    jti: randomSecret(16),
    exp: seconds(deps) + CODE_LIFETIME,
  }
  return back(c, request.redirect_uri, { code: await deps.keyring.seal('code', grant), state: request.state }, pushed)
}

/** The authorization response, with `iss` (RFC 9207), errors too; one to a pushed request. 303: a POST must not be repeated at the client. */
async function back(c: AppContext, redirectUri: string, members: Record<string, string | undefined>, pushed?: Pushed): Promise<Response> {
  if (pushed !== undefined && !(await isTaken(c, pushed))) throw new PageError('used_link', 'invalid_request_uri')
  const location = responseUri(redirectUri, { ...members, iss: c.var.deps.issuer })
  return new Response(null, { status: 303, headers: { Location: location, 'Cache-Control': 'no-store' } })
}

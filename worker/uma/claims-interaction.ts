// The claims interaction endpoint (UMA Grant 3.3.2, 3.3.3): a client sends the requesting party's browser here with a ticket. This file
// checks the request and spends the ticket; the steps are claims-code.ts, claims-wallet.ts and claims-leave.ts.
import { Hono } from 'hono'
import { type AppContext, type AppEnv, callOf, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { type Params, paramsOf } from '../http/form.ts'
import { responseUri } from '../http/redirect.ts'
import { clientById } from '../oauth/clients.ts'
import type { Client } from '../store/clients.ts'
import { sha256 } from '../tokens/opaque.ts'
import { openTicket, type Ticket } from '../tokens/ticket.ts'
import { claimsAsk } from './claims-ask.ts'
import { claimsCode } from './claims-code.ts'
import { claimsLeave } from './claims-leave.ts'
import { claimsSelf } from './claims-self.ts'
import { dropOldSessions, readSession, SESSION_LIFETIME, sealSession, sessionPath, setSession } from './claims-session.ts'
import { showSession } from './claims-view.ts'
import { claimsWallet } from './claims-wallet.ts'

const MAX_STATE = 4096

export const claimsInteraction = new Hono<AppEnv>()
  .get('/', begin)
  .get('/:sid', async (c) => {
    const session = await readSession(c)
    return showSession(c, session, { start: c.req.query('again') !== undefined, resent: c.req.query('resent') !== undefined })
  })
  .route('/:sid', claimsCode)
  .route('/:sid', claimsWallet)
  .route('/:sid', claimsAsk)
  .route('/:sid', claimsSelf)
  .route('/:sid', claimsLeave)

/** Spends the ticket and moves on to a page without it in the address bar. PageError if client or redirect URI cannot be trusted. */
async function begin(c: AppContext): Promise<Response> {
  // Looking ahead must not use the ticket up: a browser that prefetches, or a program that only asks for headers, gets nothing.
  if (c.req.raw.method !== 'GET' || /prefetch|prerender/.test(c.req.header('sec-purpose') ?? '')) {
    return c.body(null, 503, { 'Cache-Control': 'no-store' })
  }
  const { deps } = c.var
  const now = seconds(deps)
  const params = pageParams(c)
  const { client, redirectUri } = await trustedRedirect(c, params)
  const state = params.get('state')
  // SPECS G-39: from here on the client may be told; no ticket goes back, the process is over.
  const refuse = () => c.redirect(asHeader(responseUri(redirectUri, { error: 'invalid_request', state, iss: deps.issuer })), 303)
  const text = params.get('ticket')
  const ticket = text === undefined ? undefined : await openTicket(deps.keyring, text, now)
  if (text === undefined || ticket === undefined || !isBoundTo(ticket, client) || (state?.length ?? 0) > MAX_STATE) return refuse()
  const session = {
    // The id costs nothing: an object comes to be at the first POST.
    sid: c.env.NEGOTIATION.newUniqueId().toString(),
    until: now + SESSION_LIFETIME,
    ticket,
    ticket_hash: await sha256(text),
    client_id: client.id,
    redirect_uri: redirectUri,
    ...(state === undefined ? {} : { state }),
  }
  const pieces = await sealSession(c, { ...session, address: 'a'.repeat(254) })
  if (pieces === undefined) return refuse()
  // > The authorization server MUST invalidate the ticket when it is presented at the claims interaction endpoint. (UMA Grant 5.5)
  if (!(await ownerObject(c.env, ticket.owner).spend({ jti: ticket.jti, exp: ticket.exp, now }))) return refuse()
  dropOldSessions(c)
  setSession(c, session, (await sealSession(c, session)) ?? pieces)
  return c.redirect(sessionPath(session), 303)
}

/** SPECS G-27: a process belongs to the first client that presented its ticket. A foreign client does not use it up. */
const isBoundTo = (ticket: Ticket, client: Client): boolean => ticket.client === undefined || ticket.client === client.id

function pageParams(c: AppContext): Params {
  try {
    return paramsOf(new URL(c.req.url).searchParams)
  } catch {
    throw new PageError('bad_request', 'invalid_request') // a repeated parameter: nothing in the query can be trusted
  }
}

/** SPECS G-30 to G-33, G-38: a registered client and one of its claims redirect URIs, to the letter; for public and other clients alike. */
async function trustedRedirect(c: AppContext, params: Params): Promise<{ client: Client; redirectUri: string }> {
  const id = params.get('client_id')
  const client = id === undefined ? undefined : await clientById(callOf(c), id)
  if (client === undefined) throw new PageError('unknown_app', 'unauthorized_client')
  const registered = client.metadata.claims_redirect_uris ?? []
  const redirectUri = params.get('claims_redirect_uri') ?? (registered.length === 1 ? registered[0] : undefined)
  if (redirectUri === undefined || !registered.includes(redirectUri) || !isWebOrApp(redirectUri)) {
    throw new PageError('unknown_app', 'invalid_claims_redirect_uri')
  }
  // SPECS S0-2
  c.set('client', client.id)
  return { client, redirectUri }
}

// Absolute, without a fragment (UMA Grant 3.3.2); a private scheme holds a dot (RFC 8252 7.1), which javascript: and data: do not.
function isWebOrApp(uri: string): boolean {
  const url = URL.parse(uri)
  return url !== null && !uri.includes('#') && (/^https?:$/.test(url.protocol) || url.protocol.includes('.'))
}

/** A header is ASCII; the URL parser encodes the rest. */
const asHeader = (url: string): string => new URL(url).href

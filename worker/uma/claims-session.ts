// A claims interaction as the requesting party's browser carries it: sealed, in a cookie of its own, so that a stranger's GET leaves
// nothing behind on the server (DESIGN 3). What must be remembered once a POST came is the negotiation object's.
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { type AppContext, callOf, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { pageContext } from '../http/page.ts'
import { csrfToken } from '../http/session.ts'
import { partyOf } from '../oauth/client-known.ts'
import { clientById, hostOfClient } from '../oauth/clients.ts'
import type { Party } from '../pages/parts.tsx'
import { type Client, originOf } from '../store/clients.ts'
import type { Ticket } from '../tokens/ticket.ts'

/** Half an hour for mail to arrive. */
export const SESSION_LIFETIME = 1800

export type ClaimsSession = {
  /** Id of the negotiation object, should there ever be one; also names cookie and path. */
  sid: string
  /** Seconds since 1970. */
  until: number
  /** The ticket that was spent to come here. */
  ticket: Ticket
  /** base64url(SHA-256) of the ticket as the client sent it: what a wallet signs over. */
  ticket_hash: string
  client_id: string
  /** Registered, or the session would not exist. */
  redirect_uri: string
  state?: string
  /** Something was posted: the negotiation object may know more. */
  begun?: true
  /** The guest lets this client skip the question from now on (UMA Grant 3.3.3). */
  skip?: boolean
  /** The address that was typed or shown; it is kept here and nowhere else. */
  address?: string
}

/** Name of the box, never ticked by us, with which a guest lets a client skip the question. */
export const SKIP = 'skip'

export const sessionPath = (session: Pick<ClaimsSession, 'sid'>): string => `/uma/claims/${session.sid}`

// Lax: the browser comes here from the client's site. One cookie per interaction, so that two tabs do not mix.
const COOKIE = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const
/** Browsers keep 4096 octets a cookie, name and attributes included; a long `state` or many permissions need several. */
const PIECE = 3600
const MAX_PIECES = 4
/** Older interactions of this browser are dropped, so that the cookie header stays bounded. */
const MAX_SESSIONS = 4

/** The session as cookie text, or undefined if it is too large to be carried. */
export async function sealSession(c: AppContext, session: ClaimsSession): Promise<string[] | undefined> {
  const text = await c.var.deps.keyring.seal('claims-session', session, session.sid)
  const pieces = text.match(new RegExp(`.{1,${PIECE}}`, 'g')) ?? []
  return pieces.length <= MAX_PIECES ? pieces : undefined
}

export function setSession(c: AppContext, session: Pick<ClaimsSession, 'sid' | 'until'>, pieces: readonly string[]): void {
  const maxAge = Math.max(1, session.until - seconds(c.var.deps))
  for (const [index, piece] of pieces.entries()) {
    setCookie(c, pieceName(session.sid, index), index === 0 ? `${pieces.length}.${piece}` : piece, { ...COOKIE, maxAge })
  }
}

/** Writes the session with changes back to the browser. A change never makes it too large: there is room for an address. */
export async function updateSession(c: AppContext, session: ClaimsSession, changes: Partial<ClaimsSession>): Promise<void> {
  const changed = { ...session, ...changes }
  const pieces = await sealSession(c, changed)
  if (pieces === undefined) throw new PageError('bad_request', 'session_too_large')
  setSession(c, changed, pieces)
}

/** The session of the path's `sid` that this browser carries; PageError `expired` if there is none (any more). */
export async function readSession(c: AppContext): Promise<ClaimsSession> {
  const sid = c.req.param('sid') ?? ''
  const first = /^([1-4])\.([\w-]+)$/.exec(getCookie(c, pieceName(sid, 0), 'host') ?? '')
  if (first === null) throw new PageError('expired', 'no_claims_session')
  const rest = Array.from({ length: Number(first[1]) - 1 }, (_, index) => getCookie(c, pieceName(sid, index + 1), 'host') ?? '')
  const session = (await c.var.deps.keyring.open('claims-session', [first[2], ...rest].join(''), sid)) as ClaimsSession | undefined
  if (session === undefined || session.until <= seconds(c.var.deps)) throw new PageError('expired', 'no_claims_session')
  c.set('client', session.client_id)
  return session
}

/** The interaction is over: the browser forgets it, the address included. */
export function dropSession(c: AppContext, sid: string): void {
  for (let index = 0; index < MAX_PIECES; index++) {
    if (getCookie(c, pieceName(sid, index), 'host') !== undefined) deleteCookie(c, pieceName(sid, index), COOKIE)
  }
}

/** Drops all but the newest interactions; browsers send older cookies first (RFC 6265 5.4). */
export function dropOldSessions(c: AppContext): void {
  const sids = Object.keys(getCookie(c)).flatMap((name) => /^__Host-cg-([0-9a-f]{64})$/.exec(name)?.[1] ?? [])
  for (const sid of sids.slice(0, Math.max(0, sids.length - MAX_SESSIONS + 1))) dropSession(c, sid)
}

const pieceName = (sid: string, index: number): string => (index === 0 ? `cg-${sid}` : `cg-${sid}-${index}`)

/** Who asks and who keeps the item, as their registrations say. The app's host is where the person really goes on to. */
export async function parties(
  c: AppContext,
  session: ClaimsSession,
): Promise<{ client: Client; clientParty: Party; serviceParty: Party; serviceOrigin?: string }> {
  const service = await ownerObject(c.env, session.ticket.owner).service(session.ticket.connection)
  const [client, keeper] = await Promise.all([
    clientById(callOf(c), session.client_id),
    service === undefined ? undefined : clientById(callOf(c), service.client_id),
  ])
  if (client === undefined) throw new PageError('unknown_app', 'unauthorized_client')
  // The service was disconnected meanwhile: its tickets lead nowhere.
  if (keeper === undefined) throw new PageError('expired', 'service_gone')
  const serviceOrigin = originOf(keeper)
  return {
    client,
    clientParty: partyOf(c.env, client, hostOfClient(client, session.redirect_uri)),
    serviceParty: partyOf(c.env, keeper, serviceOrigin === undefined ? keeper.id : hostOf(serviceOrigin)),
    ...(serviceOrigin === undefined ? {} : { serviceOrigin }),
  }
}

/** Host of a web address; the scheme of an app's private one (RFC 8252 7.1). */
export function hostOf(uri: string): string {
  const url = new URL(uri)
  return url.host === '' ? url.protocol : url.host
}

/** What every view of this session needs. */
export async function viewBase(c: AppContext, session: ClaimsSession) {
  return { page: pageContext(c), csrf: await csrfToken(c.var.deps, session), session: sessionPath(session) }
}

// The owner's browser session: a sealed cookie that names owner and session, good only while the owner's object knows the session.
// Also what protects page POSTs from other sites, and the cookie that lets this browser read the owner's labels.
import type { MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { randomSecret } from '../tokens/opaque.ts'
import { type AppContext, type AppEnv, type Deps, type OwnerSession, ownerObject, seconds } from './context.ts'
import { PageError } from './errors.ts'
import type { Params } from './form.ts'

export const SESSION_LIFETIME = 30 * 86_400
/** The longest that browsers keep a cookie (RFC 6265bis 5.5). */
export const NAMES_LIFETIME = 400 * 86_400

/** Lax: the session must be there when an app sends the owner to /authorize. */
const COOKIE = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const

/** Begins a session after a sign-in; a session of before is ended, so that its id never survives a sign-in. */
export async function openSession(c: AppContext, owner: string): Promise<OwnerSession> {
  const { deps } = c.var
  await closeSession(c)
  const session: OwnerSession = { owner, sid: randomSecret(16), since: seconds(deps) }
  await ownerObject(deps.env, owner).openSession({ sid: session.sid, now: session.since })
  setCookie(c, 'session', await deps.keyring.seal('session', session), { ...COOKIE, maxAge: SESSION_LIFETIME })
  return session
}

/** Who is signed in with this browser, if anybody; asks the owner's object, so that sign-out and deletion count at once. */
export async function readSession(c: AppContext): Promise<OwnerSession | undefined> {
  const session = await cookieSession(c)
  if (session === undefined) return undefined
  return (await ownerObject(c.env, session.owner).hasSession({ sid: session.sid })) ? session : undefined
}

/** As `readSession`, for pages that need an owner; PageError `signed_out` (401) otherwise. */
export async function requireSession(c: AppContext): Promise<OwnerSession> {
  const session = await readSession(c)
  if (session === undefined) throw new PageError('signed_out', 'no_session', 401)
  return session
}

/** Ends the session here and at the owner's object. */
export async function closeSession(c: AppContext): Promise<void> {
  const session = await cookieSession(c)
  if (session !== undefined) await ownerObject(c.env, session.owner).closeSession({ sid: session.sid })
  deleteCookie(c, 'session', COOKIE)
}

async function cookieSession(c: AppContext): Promise<OwnerSession | undefined> {
  const text = getCookie(c, 'session', 'host')
  if (text === undefined) return undefined
  const session = (await c.var.deps.keyring.open('session', text)) as OwnerSession | undefined
  return session !== undefined && session.since + SESSION_LIFETIME > seconds(c.var.deps) ? session : undefined
}

/** The hidden field `csrf` of every form of a signed-in owner. */
export const csrfToken = (deps: Pick<Deps, 'keyring'>, session: Pick<OwnerSession, 'sid'>): Promise<string> =>
  deps.keyring.mac('csrf', session.sid)

/** Compares the form's `csrf`, or a script's header `x-csrf`, with the session's; PageError `bad_request` (403) otherwise. */
export async function checkCsrf(
  deps: Pick<Deps, 'keyring'>,
  session: Pick<OwnerSession, 'sid'>,
  sent: Params | string | undefined,
): Promise<void> {
  const given = await deps.keyring.mac('csrf', (typeof sent === 'object' ? sent.get('csrf') : sent) ?? '')
  // Both sides hashed once more: how long the comparison takes then says nothing about the token.
  if (given !== (await deps.keyring.mac('csrf', await csrfToken(deps, session)))) throw new PageError('bad_request', 'csrf', 403)
}

/**
 * For every POST of a page (UMA Grant 5.1): the request must come from a page of this origin. Our pages send no referrer, so browsers send
 * `Origin: null` with their forms; then, and only then, Sec-Fetch-Site alone decides. PageError `bad_request` (403) otherwise.
 */
export function sameOrigin(): MiddlewareHandler<AppEnv> {
  return async function onlyFromHere(c, next) {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const origin = c.req.header('origin')
      const site = c.req.header('sec-fetch-site')
      const fromHere = origin === c.var.deps.issuer || (site === 'same-origin' && (origin === undefined || origin === 'null'))
      if (!fromHere || (site !== undefined && site !== 'same-origin')) throw new PageError('bad_request', 'cross_site', 403)
    }
    await next()
  }
}

/** What a browser needs to read the owner's labels: the private half of the owner's label key. */
export type NamesKey = { owner: string; private_jwk: JsonWebKey }

/** Keeps the label key for this browser, sealed: the server can open it only while the browser shows it. */
export async function setNames(c: AppContext, names: NamesKey): Promise<void> {
  setCookie(c, 'names', await c.var.deps.keyring.seal('names', names), { ...COOKIE, maxAge: NAMES_LIFETIME })
}

/** The label key of `owner`, if this browser has it. */
export async function readNames(c: AppContext, owner: string): Promise<NamesKey | undefined> {
  const text = getCookie(c, 'names', 'host')
  const names = text === undefined ? undefined : ((await c.var.deps.keyring.open('names', text)) as NamesKey | undefined)
  if (text === undefined || names?.owner !== owner) return undefined
  // The cookie outlives keys that seal: it is sealed anew once they have changed, and is good for its whole time again.
  if (!c.var.deps.keyring.isCurrent(text)) await setNames(c, names)
  return names
}

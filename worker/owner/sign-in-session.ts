// A sign-in on its way, as the browser carries it: sealed in one cookie, gone when somebody is signed in. Also: where to go afterwards.
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { type AppContext, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { paths } from '../pages/paths.ts'

const LIFETIME = 1800
const COOKIE = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const

export type SignInSession = {
  /** Id of the negotiation object, should a code be mailed. */
  sid: string
  /** Seconds since 1970. */
  until: number
  /** What was typed; kept here and nowhere else. */
  address?: string
}

/** The sign-in of this browser; begins one if there is none. */
export async function beginSignIn(c: AppContext): Promise<SignInSession> {
  const known = await knownSignIn(c)
  if (known !== undefined) return known
  const session = { sid: c.env.NEGOTIATION.newUniqueId().toString(), until: seconds(c.var.deps) + LIFETIME }
  await writeSignIn(c, session)
  return session
}

/** The sign-in that this browser began; PageError `expired` otherwise. */
export async function readSignIn(c: AppContext): Promise<SignInSession> {
  const session = await knownSignIn(c)
  if (session === undefined) throw new PageError('expired', 'no_sign_in')
  return session
}

export async function writeSignIn(c: AppContext, session: SignInSession): Promise<void> {
  const maxAge = Math.max(1, session.until - seconds(c.var.deps))
  setCookie(c, 'sign-in', await c.var.deps.keyring.seal('address', session, 'sign-in'), { ...COOKIE, maxAge })
}

export function dropSignIn(c: AppContext): void {
  deleteCookie(c, 'sign-in', COOKIE)
}

async function knownSignIn(c: AppContext): Promise<SignInSession | undefined> {
  const text = getCookie(c, 'sign-in', 'host')
  const session =
    text === undefined ? undefined : ((await c.var.deps.keyring.open('address', text, 'sign-in')) as SignInSession | undefined)
  return session !== undefined && session.until > seconds(c.var.deps) ? session : undefined
}

/** Where to go after signing in: the pages `/`, /account and /admin, or an authorization request of this server, and nowhere else (RFC 9700 4.11). */
export function nextPath(c: AppContext, wanted: string | undefined): string {
  if (wanted === undefined || wanted.length > 8192 || !wanted.startsWith('/') || wanted.startsWith('//')) return paths.home
  const url = URL.parse(wanted, c.var.deps.issuer)
  if (url === null || url.origin !== c.var.deps.issuer) return paths.home
  return ['/authorize', paths.home, paths.admin, paths.account].includes(url.pathname) ? url.pathname + url.search : paths.home
}

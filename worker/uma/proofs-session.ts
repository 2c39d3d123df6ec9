// A guest's browser session on "Your proofs": sealed in one cookie of its own. First a code is on its way; then it names the address, and is
// good only while the guest's object knows it.
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { claimValue } from '../claims/address.ts'
import { type AppContext, guestObject, seconds } from '../http/context.ts'
import { randomSecret } from '../tokens/opaque.ts'

/** Half an hour for mail to arrive; an hour to look around. */
const ASKING = 1800
const LOOKING = 3600
const COOKIE = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const

export type ProofsSession = {
  /** Of the negotiation object while a code is on its way; a random one afterwards. */
  sid: string
  until: number
  /** Typed, and proved once `value` is there. Kept here and nowhere else. */
  address?: string
  /** Claim value of the proved address. */
  value?: string
}
export type ProvedSession = Required<ProofsSession>

/** The session of this browser, proved or not; begins one if there is none. */
export async function guestSession(c: AppContext): Promise<ProofsSession> {
  const text = getCookie(c, 'guest', 'host')
  const known = text === undefined ? undefined : ((await c.var.deps.keyring.open('guest-session', text)) as ProofsSession | undefined)
  if (known !== undefined && known.until > seconds(c.var.deps)) return known
  const session = { sid: c.env.NEGOTIATION.newUniqueId().toString(), until: seconds(c.var.deps) + ASKING }
  await writeGuest(c, session)
  return session
}

export const isProved = (session: ProofsSession): session is ProvedSession => session.value !== undefined

export async function writeGuest(c: AppContext, session: ProofsSession): Promise<void> {
  const maxAge = Math.max(1, session.until - seconds(c.var.deps))
  setCookie(c, 'guest', await c.var.deps.keyring.seal('guest-session', session), { ...COOKIE, maxAge })
}

/** After the right code: a session with an id that was never seen before. */
export async function openGuest(c: AppContext, address: string): Promise<void> {
  const { deps } = c.var
  const value = await claimValue(deps.keyring, address)
  const session: ProvedSession = { sid: randomSecret(16), until: seconds(deps) + LOOKING, address, value }
  await (await guestObject(deps, value)).openSession({ sid: session.sid, exp: session.until })
  await writeGuest(c, session)
}

/** Ends the session here and at the guest's object. */
export async function closeGuest(c: AppContext, session: ProofsSession): Promise<void> {
  if (isProved(session)) await (await guestObject(c.var.deps, session.value)).closeSession({ sid: session.sid })
  deleteCookie(c, 'guest', COOKIE)
}

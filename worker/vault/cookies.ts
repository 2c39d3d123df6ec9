// The vault's three cookies, each sealed, `__Host-` and out of reach of scripts: an owner's session, a sign-in on its way, a guest.
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import * as v from 'valibot'
import { randomText } from '../../shared/base64url.ts'
import { nowOf, randomBytes } from './env.ts'
import type { VaultContext } from './http.ts'
import { hashText, openJson, sealJson } from './keyring.ts'
import { accountOf } from './names.ts'

/** Lax: people come back from their server's page by a link of that page. */
const OPTIONS = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const

const SESSION_LIFETIME = 30 * 86_400
export const GUEST_LIFETIME = 86_400
/** Seconds for a sign-in, or for a guest at the claims page. */
export const FLOW_LIFETIME = 3600

const read = async <T>(c: VaultContext, name: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> => {
  const cookie = getCookie(c, name, 'host')
  const opened = cookie === undefined || cookie.length > 4096 ? undefined : await openJson(c.var.keyring, `cookie ${name}`, cookie)
  const parsed = v.safeParse(schema, opened)
  return parsed.success ? parsed.output : undefined
}

const write = async (c: VaultContext, name: string, value: unknown, maxAge: number): Promise<void> => {
  setCookie(c, name, await sealJson(c.var.keyring, `cookie ${name}`, value), { ...OPTIONS, maxAge })
}

const sessionSchema = v.object({ account: v.string(), secret: v.string() })
export type Session = { account: string; hash: string }

const hashOf = (c: VaultContext, secret: string): Promise<string> => hashText(c.var.keyring, 'session', secret)

/** A fresh session: what the account must know, and how the browser gets it once the account does. */
export async function newSession(c: VaultContext) {
  const secret = randomText(randomBytes)
  const hash = await hashOf(c, secret)
  const give = (account: string): Promise<void> => write(c, 'session', { account, secret }, SESSION_LIFETIME)
  return { hash, expires: nowOf() + SESSION_LIFETIME, give }
}

/** The owner who is signed in with this browser; the account is asked, so that signing out counts at once. */
export async function readSession(c: VaultContext): Promise<Session | undefined> {
  const cookie = await read(c, 'session', sessionSchema)
  if (cookie === undefined) return undefined
  const hash = await hashOf(c, cookie.secret)
  return (await accountOf(c.env, cookie.account).hasSession(hash)) ? { account: cookie.account, hash } : undefined
}

export const dropSession = (c: VaultContext): void => {
  deleteCookie(c, 'session', OPTIONS)
}

const flowSchema = v.object({
  issuer: v.string(),
  state: v.string(),
  nonce: v.string(),
  verifier: v.string(),
  expires: v.number(),
  /** Account that moves to this server, if the sign-in is for that. */
  moving: v.optional(v.string()),
})
export type Flow = v.InferOutput<typeof flowSchema>

export const writeFlow = (c: VaultContext, flow: Flow): Promise<void> => write(c, 'flow', flow, FLOW_LIFETIME)

/** The sign-in that this browser began; taken away with the answer, so that it is used once. */
export async function takeFlow(c: VaultContext): Promise<Flow | undefined> {
  const flow = await read(c, 'flow', flowSchema)
  deleteCookie(c, 'flow', OPTIONS)
  return flow !== undefined && flow.expires > nowOf() ? flow : undefined
}

const guestSchema = v.object({ id: v.string() })

/** The guest that this browser is, if it is one. */
export const readGuest = async (c: VaultContext): Promise<string | undefined> => (await read(c, 'guest', guestSchema))?.id

/** The same, or a new guest. */
export async function ensureGuest(c: VaultContext): Promise<string> {
  const id = (await readGuest(c)) ?? randomText(randomBytes)
  await write(c, 'guest', { id }, GUEST_LIFETIME)
  return id
}

// What every request of the vault goes through: its own origin, the language, headers of pages, and that a change comes from here.
import type { Context, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Session } from './cookies.ts'
import { type Env, originOf, startProblem } from './env.ts'
import { type Keyring, keyringOf } from './keyring.ts'
import { chooseLanguage, type Language, type Say, sayIn, TEXTS } from './texts/index.ts'

export type VaultEnv = {
  Bindings: Env
  Variables: { origin: string; lang: Language; say: Say; keyring: Keyring /** Behind `ownerOnly`. */; session: Session }
}
export type VaultContext = Context<VaultEnv>

/** RFC 9110 10.1: a message for people; protocol errors of the JSON interface have codes (`problem`). */
export const problem = (c: VaultContext, status: ContentfulStatusCode, error: string, description: string): Response =>
  c.json({ error, error_description: description }, status, { 'Cache-Control': 'no-store' })

/** Language, origin and keys of the request. Refuses everything when a development setting stands on a public vault. */
export const prepare: MiddlewareHandler<VaultEnv> = async function prepare(c, next) {
  const origin = originOf(c.env, c.req.raw)
  const refusal = startProblem(c.env, origin)
  if (refusal !== undefined) return c.text(`${refusal}\n`, 503)
  const lang = chooseLanguage(c.req.header('accept-language'))
  c.set('origin', origin)
  c.set('lang', lang)
  c.set('say', sayIn(TEXTS[lang]))
  c.set('keyring', await keyringOf(c.env))
  await next()
  return undefined
}

export type PagePolicy = {
  /** Origin that a form of the page may lead on to by a redirect. */
  formTarget?: string
}

/** Headers of a page of the vault's own. Forms that are answered by a redirect need its origin named (CSP 3, form-action). */
export function pageHeaders({ formTarget }: PagePolicy = {}): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self'",
    "connect-src 'self'",
    "frame-src 'self'",
    `form-action 'self'${formTarget === undefined ? '' : ` ${formTarget}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    // Not `no-referrer`: a form would then carry `Origin: null` and could not be told from a foreign one.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  }
}

/**
 * Does this change come from a page of the vault? (UMA Grant 5.1 for guests, CSRF in general.)
 * A browser tells by Sec-Fetch-Site or Origin; a request that tells nothing is refused.
 */
export function isOwnRequest(headers: Headers, origin: string): boolean {
  const [site, from] = [headers.get('sec-fetch-site'), headers.get('origin')]
  if (site !== null && site !== 'same-origin') return false
  return from === null ? site === 'same-origin' : from === origin
}

/** For every method that changes something. */
export const ownRequestsOnly: MiddlewareHandler<VaultEnv> = async function ownRequestsOnly(c, next) {
  if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method) && !isOwnRequest(c.req.raw.headers, c.var.origin)) {
    return problem(c, 403, 'foreign_request', c.var.say('error.foreign'))
  }
  await next()
  return undefined
}

/** Does a person's browser want a page (and not a program the file)? */
export const wantsPage = (headers: Headers): boolean => /\btext\/html\b/.test(headers.get('accept') ?? '')

/** Host of a server as people know it. */
export const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).host : address)

// Response headers: strict ones for pages, long-lived ones for assets, open ones for endpoints that programs call from any origin.
import type { MiddlewareHandler } from 'hono'
import type { AppContext, AppEnv } from './context.ts'

// No 'unsafe-inline', no third party. Forms stay here: the way back to an app is a link (CLAIMS 2.3), but for `allowFormTarget`.
const contentSecurityPolicy = (formTargets: readonly string[] = []): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    ["form-action 'self'", ...formTargets].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')

const PAGE_HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Security-Policy', contentSecurityPolicy()],
  ['X-Frame-Options', 'DENY'],
  ['X-Content-Type-Options', 'nosniff'],
  // Tickets and codes stand in query strings: no page tells where it came from.
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  [
    'Permissions-Policy',
    'digital-credentials-get=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()',
  ],
  ['Cache-Control', 'no-store'],
]

/** Every page, and every refusal that a page's route answers with. A header that the route set itself stays. */
export function pageHeaders(): MiddlewareHandler<AppEnv> {
  return async function setPageHeaders(c, next) {
    await next()
    for (const [name, value] of PAGE_HEADERS) if (!c.res.headers.has(name)) c.header(name, value)
    if (c.var.deps.issuer.startsWith('https:')) c.header('Strict-Transport-Security', 'max-age=31536000')
  }
}

/**
 * Browsers apply `form-action` to the redirects that answer a form, too (CLAIMS 2.3): a page whose form ends in an authorization response
 * names the origin of that redirect URI. The caller has checked that the client registered it.
 */
export function allowFormTarget(c: AppContext, redirectUri: string): void {
  const url = new URL(redirectUri)
  // A private scheme (RFC 8252 7.1) has no origin; its name with the colon is a source.
  c.header('Content-Security-Policy', contentSecurityPolicy([url.origin === 'null' ? url.protocol : url.origin]))
}

/** Style sheets, drawings and scripts: cached for an hour, good for this origin only. */
export function assetHeaders(): MiddlewareHandler<AppEnv> {
  return async function setAssetHeaders(c, next) {
    await next()
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('Cross-Origin-Resource-Policy', 'same-origin')
    c.header('Cache-Control', c.res.ok ? 'public, max-age=3600' : 'no-store')
    // An SVG opened by itself is a document.
    c.header('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
  }
}

/** What every answer to a program carries: any origin may read it, never with credentials (DESIGN 4); nobody guesses what it is. */
const OPEN_HEADERS: readonly (readonly [string, string])[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Expose-Headers', 'WWW-Authenticate, ETag, DPoP-Nonce, Link, Location, Retry-After, X-Request-Id'],
  ['X-Content-Type-Options', 'nosniff'],
]

/** These and an endpoint's own, to be made once: to copy all of them costs less than to set one. */
export function apiHeaders(own: Record<string, string>): Headers {
  const headers = new Headers(own)
  for (const [name, value] of OPEN_HEADERS) headers.set(name, value)
  return headers
}

/**
 * CORS for API endpoints: any origin, never credentials (DESIGN 4). Answers the preflight itself.
 * Does NOT make anything readable that a cookie protects: these endpoints look at no cookie.
 */
export function openCors(): MiddlewareHandler<AppEnv> {
  return async function answerAnyOrigin(c, next) {
    if (c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined) {
      return c.body(null, 204, {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'Access-Control-Allow-Headers': 'Authorization, Content-Type, DPoP, Idempotency-Key, If-Match, If-None-Match, Prefer',
        'Access-Control-Max-Age': '7200',
      })
    }
    // Set before the answer is made: a finished response would be copied once for each header, and a WebSocket's cannot be.
    for (const [name, value] of OPEN_HEADERS) c.header(name, value)
    await next()
    return undefined
  }
}

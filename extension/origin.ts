// From what a person types to an issuer, and from an issuer to the host permission that the wallet needs. Pure; used by views and background.

const LOOPBACK = new Set(['localhost', '127.0.0.1'])

export type Address = { kind: 'issuer'; issuer: string } | { kind: 'no_address' } | { kind: 'insecure' }

const isLoopback = (url: URL): boolean => LOOPBACK.has(url.hostname)
const isHostOfServer = (url: URL): boolean => url.hostname.includes('.') || isLoopback(url)

/** What was typed as a URL; without a scheme it is https, on this machine http. */
const urlOf = (typed: string): URL | undefined => {
  const isLocal = /^(localhost|127\.0\.0\.1)(:\d+)?(\/|$)/.test(typed)
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `${isLocal ? 'http' : 'https'}://${typed}`
  return /\s/.test(text) || !URL.canParse(text) ? undefined : new URL(text)
}

/**
 * "share.example" -> https://share.example. RFC 8414 2: an issuer is https and has neither query nor fragment; http is taken for this
 * machine only. A path is kept, since one host may run several servers.
 */
export const issuerOf = (typed: string): Address => {
  const url = urlOf(typed.trim())
  if (url?.username !== '' || url.password !== '' || !isHostOfServer(url)) return { kind: 'no_address' }
  if (url.protocol === 'http:' && !isLoopback(url)) return { kind: 'insecure' }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { kind: 'no_address' }
  return { kind: 'issuer', issuer: `${url.origin}${url.pathname.replace(/\/+$/, '')}` }
}

/** The same for an origin that a browser told, as it is. */
export const isAllowedOrigin = (origin: string): boolean => {
  const address = issuerOf(origin)
  return address.kind === 'issuer' && address.issuer === origin && new URL(origin).origin === origin
}

/** Set by the build: Firefox knows no ports in match patterns, so there a pattern covers all ports of a host. */
declare const __PORTS__: boolean | undefined
const hasPorts = typeof __PORTS__ === 'undefined' || __PORTS__ !== false

/**
 * Match pattern of an origin's pages: for `permissions.request` and for the content script. Where it is wider than the origin, the
 * background still answers the approved origin only.
 */
export const patternOf = (origin: string): string => {
  const url = new URL(origin)
  return hasPorts ? `${url.origin}/*` : `${url.protocol}//${url.hostname}/*`
}

export const hostOf = (uri: string): string => (URL.canParse(uri) ? new URL(uri).host : uri)

/** What to ask the browser for when a person typed this address. */
export const hostPattern = (
  typed: string,
): { kind: 'pattern'; pattern: string; host: string } | { kind: 'no_address' } | { kind: 'insecure' } => {
  const address = issuerOf(typed)
  return address.kind === 'issuer' ? { kind: 'pattern', pattern: patternOf(address.issuer), host: hostOf(address.issuer) } : address
}

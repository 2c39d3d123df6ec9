// Responses that travel in a redirect URI (RFC 6749 4.1.2, UMA Grant 3.3.3). Whether the URI may be used is decided before. Pure.

/**
 * The URI with these members in its query. What the client registered stays as it is, letter by letter (RFC 6749 3.1.2, UMA Grant 3.3.2, SPECS G-31):
 * a URL parser would write its query anew. Members that are undefined are left out.
 */
export function responseUri(redirectUri: string, members: Record<string, string | undefined>): string {
  const added = Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${encoded(value)}`))
  const separator = redirectUri.includes('?') ? (/[?&]$/.test(redirectUri) ? '' : '&') : '?'
  return `${redirectUri}${separator}${added.join('&')}`
}

/** A lone surrogate, which has no UTF-8, must not end in an error. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())

// Which addresses of the world this server may call (DESIGN 7 I8): hosts of public-host.ts, by https. Pure.
import { isPublicHost } from '../../shared/public-host.ts'

/** The origins of a configured list, separated by blanks or commas. */
export const originsOf = (list: string | undefined): string[] => (list ?? '').split(/[\s,]+/).filter((one) => one !== '')

/**
 * The URL if this server may call it: https, default port, no user name, no fragment, a public name or address; or any URL of an origin
 * that `devOrigins` lists to the letter. Undefined otherwise.
 */
export function publicUrl(text: string, devOrigins: readonly string[] = []): URL | undefined {
  const url = URL.parse(text)
  // RFC 3986 2: a URI is ASCII; what a parser would drop or turn into something else is not in it.
  if (url === null || !/^[\x21-\x7e]+$/.test(text) || text.includes('\\') || text.includes('#')) return undefined
  if (url.username !== '' || url.password !== '' || !/^https?:\/\/[^/?]/i.test(text)) return undefined
  if (devOrigins.includes(url.origin)) return url
  if (url.protocol !== 'https:' || url.port !== '') return undefined
  return isPublicHost(url.hostname) ? url : undefined
}

// Which addresses of the world this server may call (DESIGN 7 I8): hosts of public-host.ts, by https. Pure.
import { isPublicHost } from '../../shared/public-host.ts'

/** The origins of a configured list, separated by blanks or commas. */
export const originsOf = (list: string | undefined): string[] => (list ?? '').split(/[\s,]+/).filter((one) => one !== '')

/** Ports from 1024 on where something else listens than a web server (Fetch 2.9, "bad port"). */
const OTHER_PORTS: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
])

/** CIMD 3: a client id may have a port. Choice: not one of the system (RFC 6335 6) but 443: mail, names and directories answer there, no pages. */
function isWebPort(port: string): boolean {
  const number = Number(port)
  return port === '' || (number >= 1024 && !OTHER_PORTS.has(number))
}

/**
 * The URL if this server may call it: https, a port of web servers, no user name, no fragment, a public name or address; or any URL of an
 * origin that `devOrigins` lists to the letter. Undefined otherwise.
 */
export function publicUrl(text: string, devOrigins: readonly string[] = []): URL | undefined {
  const url = URL.parse(text)
  // RFC 3986 2: a URI is ASCII; what a parser would drop or turn into something else is not in it.
  if (url === null || !/^[\x21-\x7e]+$/.test(text) || text.includes('\\') || text.includes('#')) return undefined
  if (url.username !== '' || url.password !== '' || !/^https?:\/\/[^/?]/i.test(text)) return undefined
  if (devOrigins.includes(url.origin)) return url
  if (url.protocol !== 'https:' || !isWebPort(url.port)) return undefined
  return isPublicHost(url.hostname) ? url : undefined
}

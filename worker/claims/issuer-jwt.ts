// A JWT of a registered issuer, strictly (DESIGN decision 2, RFC 8725): algorithm allow-list, media type, issuer, times, then what the format
// adds, then the signature by a key of that issuer. What the token itself says about keys is never looked at, let alone fetched (CT-13).
import { compactVerify, decodeProtectedHeader } from 'jose'
import type { ClaimIssuer } from './issuer.ts'
import { bytesOf, isObject } from './jws.ts'

const MAX_TOKEN = 16_384
const MAX_ISSUER = 255
/** How far clocks may differ, in seconds. */
const SKEW = 60
/** Choice: RS256 is here, because it is what OpenID Connect Core 15.1 makes every issuer offer. Nothing symmetric, never `none`. */
const ALGS: readonly string[] = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256']
/** Header members by which a token would bring its own key along, or that change how it is read (RFC 7515 4.1.11). */
const UNKNOWN = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64']

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

export type IssuerToken = { issuer: ClaimIssuer; payload: Record<string, unknown>; iat: number; exp: number }

export type WantedToken = {
  token: string
  format: string
  /** Seconds since 1970; how old the token may be, in seconds. */
  now: number
  maxAge: number
  /** The issuer, if somebody registered it who counts here. */
  issuerOf: (iss: string) => Promise<ClaimIssuer | undefined>
  /** What the format demands of the payload besides; a word that says what is wrong. Asked before any key is fetched. */
  check: (payload: Record<string, unknown>, issuer: ClaimIssuer) => string | undefined
}

/** The verified token, or a word that says what is wrong, for logs and tests only. Rejects only if `issuerOf` does. */
export async function verifyIssuerToken(wanted: WantedToken): Promise<IssuerToken | string> {
  const { token, now } = wanted
  if (token.length > MAX_TOKEN) return 'size'
  const read = readToken(token)
  if (typeof read === 'string') return read
  const { header, payload } = read
  const { iss } = payload
  if (typeof iss !== 'string' || iss.length > MAX_ISSUER) return 'iss'
  const times = timesOf(payload, now, wanted.maxAge)
  if (typeof times === 'string') return times
  const issuer = await wanted.issuerOf(iss)
  if (issuer === undefined || issuer.issuer !== iss || !issuer.formats.includes(wanted.format)) return 'issuer'
  const wrong = wanted.check(payload, issuer)
  if (wrong !== undefined) return wrong
  return (await isSigned(token, header, issuer)) ? { issuer, payload, ...times } : 'signature'
}

type Header = { alg: string; kid?: string }

function readToken(token: string): { header: Header; payload: Record<string, unknown> } | string {
  const parts = token.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return 'form'
  try {
    const header = decodeProtectedHeader(token)
    const { alg, kid, typ } = header
    if (alg === undefined || !ALGS.includes(alg)) return 'alg'
    // RFC 8725 3.11: access tokens, logout tokens, DPoP proofs and the like say what they are.
    if (typ !== undefined && typ !== 'JWT') return 'typ'
    if (UNKNOWN.some((name) => name in header) || (kid !== undefined && typeof kid !== 'string')) return 'header'
    const payload: unknown = JSON.parse(decoder.decode(bytesOf(parts[1] as string)))
    return isObject(payload) ? { header: { alg, ...(kid === undefined ? {} : { kid }) }, payload } : 'form'
  } catch {
    return 'form' // no base64url, no UTF-8 or no JSON
  }
}

/** RFC 7519 4.1.4 to 4.1.6. Both ends must be there: a token that never ends is not taken. */
function timesOf({ iat, nbf, exp }: Record<string, unknown>, now: number, maxAge: number): { iat: number; exp: number } | string {
  if (typeof iat !== 'number' || typeof exp !== 'number' || !Number.isFinite(iat) || !Number.isFinite(exp)) return 'time'
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > now + SKEW)) return 'nbf'
  if (iat > now + SKEW) return 'iat'
  if (exp <= now - SKEW) return 'exp'
  return iat < now - maxAge - SKEW ? 'age' : { iat: Math.floor(Math.min(iat, now)), exp: Math.floor(exp) }
}

async function isSigned(token: string, header: Header, issuer: ClaimIssuer): Promise<boolean> {
  for (const again of [false, true]) {
    for (const key of await issuer.keys(header, again)) {
      try {
        await compactVerify(token, key, { algorithms: [header.alg] })
        return true
      } catch {
        // Another key may have made it.
      }
    }
  }
  return false
}

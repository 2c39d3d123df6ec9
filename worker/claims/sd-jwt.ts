// SD-JWT with key binding (RFC 9901), strictly: the one shape of every proof here (DESIGN decision 3). Own verifier on jose, because the
// libraries leave the audience, the age and foreign types to the caller (CLAIMS 3). Whom to believe is the caller's `keyOf`.
import { calculateJwkThumbprint, type JWK } from 'jose'
import { withDisclosures } from './disclosures.ts'
import { isObject, isPublicKey, isSignedBy, readPart } from './jws.ts'
import { sha256 } from './keys.ts'

const MAX_TOKEN = 32_768
/** How old a key binding may be, and how far clocks may differ, in seconds. */
const MAX_AGE = 300
const LEEWAY = 60

export type Expected = {
  /** Exactly what the key binding must say: the issuer, or `origin:<issuer>` for a presentation over the Digital Credentials API. */
  aud: string
  nonce: string
  /** Seconds since 1970. */
  now: number
  /** Transaction data of the request, base64url as sent (OpenID4VP B.3.3.1); absent: the proof must not speak of any. */
  transactionData?: readonly string[]
  /** The key of an issuer that is believed; undefined for every other issuer or key. */
  keyOf(iss: string, kid: string | undefined, alg: string): JWK | undefined | Promise<JWK | undefined>
}

export type Presentation = {
  iss: string
  /** Issuer's payload with the disclosed claims in place. */
  claims: Record<string, unknown>
  /** Thumbprint of the holder's key. */
  holder: string
  /** Seconds since 1970: when the holder signed, and when the credential ends. */
  presentedAt: number
  exp: number
}

export type PresentationVerdict = { kind: 'ok'; presentation: Presentation } | { kind: 'rejected'; reason: string }

/**
 * Verifies `<credential>~<disclosures>~<key binding>`: typ `dc+sd-jwt`, signature of a believed issuer, times, disclosures, then the key
 * binding with audience, nonce, age, `sd_hash` and transaction data. Never throws. Does NOT check `vct`, does NOT remember the nonce, and
 * does NOT ask for a status: our credentials are short-lived and carry none; one that names a status is refused.
 */
export async function verifyPresentation(token: string, expected: Expected): Promise<PresentationVerdict> {
  try {
    const found = await verify(token, expected)
    return typeof found === 'string' ? { kind: 'rejected', reason: found } : { kind: 'ok', presentation: found }
  } catch {
    return { kind: 'rejected', reason: 'form' } // nothing above throws on purpose: whatever it was, it is no proof
  }
}

async function verify(token: string, expected: Expected): Promise<Presentation | string> {
  if (token.length > MAX_TOKEN) return 'size'
  const parts = token.split('~')
  const binding = parts.pop()
  const [credential, ...disclosures] = parts
  // A presentation without key binding ends with "~": whoever found it could use it (CT-14).
  if (credential === undefined || binding === undefined || binding === '') return 'key_binding'
  const issued = await verifyCredential(credential, expected)
  if (typeof issued === 'string') return `credential:${issued}`
  const claims = await withDisclosures(issued.payload, disclosures)
  if (typeof claims === 'string') return `disclosure:${claims}`
  const signed = token.slice(0, token.length - binding.length)
  const presentedAt = await verifyBinding(binding, signed, issued.holder, expected)
  if (typeof presentedAt === 'string') return `kb_jwt:${presentedAt}`
  return { iss: issued.iss, claims, holder: await calculateJwkThumbprint(issued.holder), presentedAt, exp: issued.exp }
}

type Credential = { payload: Record<string, unknown>; iss: string; exp: number; holder: JWK }

// RFC 9901 7.1, 2; SD-JWT VC 3.5
async function verifyCredential(jws: string, expected: Expected): Promise<Credential | string> {
  const issued = readPart(jws, 'dc+sd-jwt')
  if (typeof issued === 'string') return issued
  const { payload, header } = issued
  const { iss, exp, cnf } = payload
  if (typeof iss !== 'string') return 'iss'
  const key = await expected.keyOf(iss, header.kid, header.alg)
  if (key === undefined) return 'issuer'
  if (!(await isSignedBy(jws, header.alg, key))) return 'signature'
  if (typeof exp !== 'number' || !isCurrent(payload, expected.now)) return 'time'
  if (payload.status !== undefined) return 'status'
  const holder = isObject(cnf) ? cnf.jwk : undefined
  return isPublicKey(holder) ? { payload, iss, exp, holder } : 'cnf'
}

// RFC 9901 7.3
async function verifyBinding(jws: string, signed: string, holder: JWK, expected: Expected): Promise<number | string> {
  const binding = readPart(jws, 'kb+jwt')
  if (typeof binding === 'string') return binding
  if (!(await isSignedBy(jws, binding.header.alg, holder))) return 'signature'
  const { aud, nonce, iat, sd_hash } = binding.payload
  // A single string (RFC 9901 4.3); a list could name two places at once.
  if (aud !== expected.aud) return 'aud'
  if (nonce !== expected.nonce) return 'nonce'
  if (typeof iat !== 'number' || iat < expected.now - MAX_AGE || !isCurrent(binding.payload, expected.now)) return 'iat'
  if (sd_hash !== (await sha256(signed))) return 'sd_hash'
  return (await bindsTransaction(binding.payload, expected.transactionData)) ? Math.min(iat, expected.now) : 'transaction_data'
}

// OpenID4VP 1.0, B.3.3.1
async function bindsTransaction(payload: Record<string, unknown>, expected: readonly string[] | undefined): Promise<boolean> {
  const { transaction_data_hashes: hashes, transaction_data_hashes_alg: alg } = payload
  if (expected === undefined) return hashes === undefined
  if (!Array.isArray(hashes) || hashes.length !== expected.length || (alg !== undefined && alg !== 'sha-256')) return false
  const wanted = await Promise.all(expected.map(sha256))
  return wanted.every((hash, index) => hashes[index] === hash)
}

/** Times of a JWT (RFC 7519 4.1.4 to 4.1.6), each only if present, but then as a number. */
function isCurrent({ iat, nbf, exp }: Record<string, unknown>, now: number): boolean {
  const begun = [iat, nbf].every((time) => time === undefined || (typeof time === 'number' && time <= now + LEEWAY))
  return begun && (exp === undefined || (typeof exp === 'number' && exp > now))
}

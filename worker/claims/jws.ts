// One signed part of a proof: algorithm allow-list, media type, signature, JSON object. Used for credentials and for key bindings.
import { base64url, compactVerify, decodeProtectedHeader, type JWK } from 'jose'

/** Ed25519 is the RFC 9864 name of what EdDSA means here: browsers send one, issuers the other (CLAIMS 2.1). */
export const PROOF_ALGS: readonly string[] = ['ES256', 'EdDSA', 'Ed25519']

export type SignedPart = { header: { alg: string; kid?: string }; payload: Record<string, unknown> }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Header and payload of a compact JWS with one of our algorithms and exactly this `typ`; a word that says what is wrong otherwise. Does NOT check the signature. */
export function readPart(jws: string, typ: string): SignedPart | string {
  const parts = jws.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return 'form'
  try {
    const header = decodeProtectedHeader(jws)
    // Choice: exact, no "application/" prefix: a token of another kind must never pass as this one.
    if (header.typ !== typ) return 'typ'
    // `none` and every symmetric algorithm are not in the list; no extension of JWS is understood here (RFC 7515 4.1.11).
    if (header.alg === undefined || !PROOF_ALGS.includes(header.alg)) return 'alg'
    if (header.crit !== undefined || header.b64 !== undefined) return 'crit'
    const payload: unknown = JSON.parse(decoder.decode(bytesOf(parts[1] as string)))
    if (!isObject(payload)) return 'payload'
    return { header: { alg: header.alg, ...(typeof header.kid === 'string' ? { kid: header.kid } : {}) }, payload }
  } catch {
    return 'form' // no JSON, no UTF-8
  }
}

/** Whether `key` made the signature. A key of another type than `alg` needs never did. */
export async function isSignedBy(jws: string, alg: string, key: JWK): Promise<boolean> {
  if (!fits(alg, key)) return false
  try {
    const { kty, crv, x, y } = key
    await compactVerify(jws, (kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }) as JWK, { algorithms: [alg] })
    return true
  } catch {
    return false // jose says why; nobody is told
  }
}

/** Whether this is a public key for one of our algorithms, without any private part. */
export function isPublicKey(key: unknown): key is JWK {
  if (!isObject(key) || typeof key.x !== 'string') return false
  if (['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth'].some((member) => member in key)) return false
  return (key.kty === 'EC' && key.crv === 'P-256' && typeof key.y === 'string') || (key.kty === 'OKP' && key.crv === 'Ed25519')
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const fits = (alg: string, key: JWK): boolean =>
  alg === 'ES256' ? key.kty === 'EC' && key.crv === 'P-256' : key.kty === 'OKP' && key.crv === 'Ed25519'

/** Strict base64url: what would decode to the same bytes in another spelling is refused (throws). */
export function bytesOf(text: string): Uint8Array {
  const bytes = base64url.decode(text)
  if (base64url.encode(bytes) !== text) throw new TypeError('not canonical base64url')
  return bytes
}

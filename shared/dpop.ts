// DPoP (RFC 9449): making proofs as a client, checking them as a resource server or token endpoint.
// Freshness of `jti` is the caller's: `isFresh` must remember it in one place for the whole window, else a replay passes.
import {
  calculateJwkThumbprint,
  EmbeddedJWK,
  errors,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose'
import { sha256Base64url } from './base64url.ts'

/** A key of which tokens are proved (RFC 9449 4.2): the private half to sign with, the public one for the proof, its thumbprint (RFC 7638 3). */
export type DpopKey = { privateKey: CryptoKey; publicJwk: JWK; jkt: string }

/**
 * Makes a key for proofs (RFC 9449 4.2).
 * @returns a P-256 key whose private half cannot be taken out. Rejects only where the platform has no P-256.
 */
export async function makeDpopKey(): Promise<DpopKey> {
  return dpopKeyOf(await generateKeyPair('ES256', { extractable: false }))
}

/**
 * A kept key pair as DpopKey.
 * @param pair of which only the public half is read
 * @returns the pair with its thumbprint (RFC 7638 3). Rejects with an Error unless it is P-256.
 */
export async function dpopKeyOf(pair: { privateKey: CryptoKey; publicKey: CryptoKey }): Promise<DpopKey> {
  const { kty, crv, x, y } = await exportJWK(pair.publicKey)
  if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) throw new Error('a DPoP key must be a P-256 key')
  const publicJwk = { kty, crv, x, y }
  return { privateKey: pair.privateKey, publicJwk, jkt: await calculateJwkThumbprint(publicJwk) }
}

/** RFC 9449 4.2: `htu` without query and fragment. */
function targetOf(url: string): string {
  const target = new URL(url)
  return `${target.origin}${target.pathname}`
}

/**
 * Makes the value of the `DPoP` header for one request (RFC 9449 4.2).
 * @param request.url query and fragment are left out of the proof; `request.now` seconds since 1970
 * @param request.jti at least 96 random bits, never used before with this key (RFC 9449 4.2)
 * @param request.accessToken given when the proof accompanies a token: adds `ath`
 * @param request.nonce the one the server gave out, if it did (RFC 9449 8, 9). Throws a TypeError when `request.url` is no URL.
 */
export async function makeDpopProof(
  key: DpopKey,
  request: { method: string; url: string; now: number; jti: string; accessToken?: string; nonce?: string },
): Promise<string> {
  const claims: Record<string, string> = { htm: request.method, htu: targetOf(request.url) }
  if (request.accessToken !== undefined) claims.ath = await sha256Base64url(request.accessToken)
  if (request.nonce !== undefined) claims.nonce = request.nonce
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.publicJwk })
    .setJti(request.jti)
    .setIssuedAt(request.now)
    .sign(key.privateKey)
}

/** RFC 9449 5.1: signature algorithms that are taken in a proof; all of them asymmetric. */
export const DPOP_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256'] as const

const MOST_PROOFS = 100_000

/**
 * Remembers the proofs that one process has seen (RFC 9449 11.1), for `isFresh`. Several processes need one memory between them instead:
 * a store with "insert if absent". A full memory refuses; it never lets a replay pass.
 * @param now seconds since 1970
 * @returns a function of a proof's `jti` and of the seconds for which it counts: true once, false for one that was seen, or when full
 */
export function rememberProofs(now: () => number = () => Math.floor(Date.now() / 1000)): (jti: string, seconds: number) => boolean {
  const seen = new Map<string, number>()
  return function isFresh(jti, seconds) {
    // All live equally long, so those that are over stand first.
    for (const [old, until] of seen) {
      if (until > now()) break
      seen.delete(old)
    }
    if (seen.has(jti) || seen.size >= MOST_PROOFS) return false
    seen.set(jti, now() + seconds)
    return true
  }
}

/** Seconds that `iat` may lie in the past or in the future (RFC 9449 11.1). */
export const DPOP_WINDOW = 60

export type DpopExpectation = {
  method: string
  /** The URL of the request as the public sees it, never made from the `Host` header. */
  url: string
  now: number
  /** Token that the proof accompanies; then `ath` is required (RFC 9449 7). */
  accessToken?: string
  /** `cnf.jkt` of the token (RFC 9449 6). */
  jkt?: string
  /** Nonce that was given out, if one was. */
  nonce?: string
  /** Takes `jti` for `seconds`; false when it was taken before. Called last, once all else holds. */
  isFresh: (jti: string, seconds: number) => boolean | Promise<boolean>
}

export type DpopVerdict = { kind: 'valid'; jkt: string; jti: string } | { kind: 'rejected'; reason: string }

const rejected = (reason: string): DpopVerdict => ({ kind: 'rejected', reason })

/** RFC 9449 4.3 point 9: compare after RFC 3986 normalisation, which the URL parser does. */
const sameTarget = (htu: unknown, url: string): boolean => typeof htu === 'string' && URL.canParse(htu) && targetOf(htu) === targetOf(url)

/** What is wrong with the signed content, RFC 9449 4.3 points 3, 7 to 11; nothing when all is well. */
function flawOf(payload: JWTPayload, jwk: JWK, expected: DpopExpectation): string | undefined {
  if (['d', 'p', 'q', 'k'].some((member) => member in jwk)) return 'the proof carries a private key'
  if (payload.htm !== expected.method) return 'htm is another method'
  if (!sameTarget(payload.htu, expected.url)) return 'htu is another address'
  if (typeof payload.iat !== 'number' || Math.abs(expected.now - payload.iat) > DPOP_WINDOW) return 'iat is outside the window'
  if (typeof payload.jti !== 'string' || payload.jti.length < 1 || payload.jti.length > 256) return 'jti is not usable'
  return expected.nonce !== undefined && payload.nonce !== expected.nonce ? 'nonce is not the one given' : undefined
}

/** RFC 9449 4.3 points 2, 4 to 6: the JWT itself, signed by the key that it carries. */
const readProof = (proof: string, now: number) =>
  jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: [...DPOP_ALGORITHMS],
    currentDate: new Date(now * 1000),
    requiredClaims: ['jti', 'htm', 'htu', 'iat'],
  })

/** A key or a token that is not well formed, which is the sender's doing. */
const isSendersFault = (error: unknown): error is Error =>
  error instanceof errors.JOSEError || error instanceof TypeError || (error instanceof Error && error.name === 'DataError')

/**
 * Checks a DPoP proof, RFC 9449 4.3. Never throws for a bad proof.
 * NOT checked: that the access token itself is valid, and that the token's scheme was `DPoP` and not `Bearer`.
 */
export async function verifyDpopProof(proof: string | null | undefined, expected: DpopExpectation): Promise<DpopVerdict> {
  if (!proof) return rejected('no proof')
  // RFC 9449 4.3 point 1: one header field; two are joined with a comma, which no JWT contains.
  if (proof.length > 4096 || proof.includes(',')) return rejected('not one proof')
  try {
    const { payload, protectedHeader } = await readProof(proof, expected.now)
    const { jwk } = protectedHeader
    const flaw = jwk === undefined ? 'the proof carries no key' : flawOf(payload, jwk, expected)
    if (jwk === undefined || flaw !== undefined) return rejected(flaw ?? 'the proof carries no key')
    const { accessToken } = expected
    if (accessToken !== undefined && payload.ath !== (await sha256Base64url(accessToken))) return rejected('ath is of another token')
    const [jkt, jti] = [await calculateJwkThumbprint(jwk), String(payload.jti)]
    if (expected.jkt !== undefined && jkt !== expected.jkt) return rejected('the key is not the one the token is bound to')
    // RFC 9449 11.1: last, so that a proof which fails cannot use up a jti.
    return (await expected.isFresh(`${jkt}.${jti}`, 2 * DPOP_WINDOW)) ? { kind: 'valid', jkt, jti } : rejected('jti was used before')
  } catch (error) {
    if (isSendersFault(error)) return rejected(error.message)
    throw error
  }
}

// Public keys of clients (RFC 7591 2: `jwks` or `jwks_uri`): which ones a registration may carry, and which ones fit a signature. A key set
// at an address is fetched when it is needed, through the guard, every time anew whether it may be (TESTS CR-13).
import type { JWK } from 'jose'
import type { ClientMetadata } from '../../shared/protocol/oauth.ts'
import type { Deps } from '../http/context.ts'
import { guardedJson } from '../http/guarded-fetch.ts'

/**
 * Signatures that are taken from clients. Choice: FAPI 2.0's list (5.4.1); no RS256, whose padding is older than its analysis, and nothing
 * symmetric. Ed25519 is the RFC 9864 name of what EdDSA means here.
 */
export const CLIENT_ALGS: readonly string[] = ['ES256', 'EdDSA', 'Ed25519', 'PS256']

const MAX_KEYS = 16
/** Characters of a modulus of 2048 and of 8192 bits. */
const MODULUS = { min: 342, max: 1366 } as const
const PRIVATE = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth']

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keys of a key set, or undefined if it is none or tells a secret (RFC 7517 5, 9.2). Keys of unknown kinds are let be. */
export function publicKeys(jwks: unknown): JWK[] | undefined {
  const keys = isObject(jwks) ? jwks.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) return undefined
  return keys.every((key) => isObject(key) && typeof key.kty === 'string' && !PRIVATE.some((name) => name in key))
    ? (keys as JWK[])
    : undefined
}

/** Whether this key can have made a signature of this kind. */
export function fitsAlg(key: JWK, alg: string): boolean {
  if ((key.use !== undefined && key.use !== 'sig') || (key.key_ops !== undefined && !key.key_ops.includes('verify'))) return false
  // RFC 8725 3.1: one key, one algorithm.
  if (key.alg !== undefined && key.alg !== alg && !(isEd25519(key.alg) && isEd25519(alg))) return false
  if (alg === 'ES256') return key.kty === 'EC' && key.crv === 'P-256'
  if (isEd25519(alg)) return key.kty === 'OKP' && key.crv === 'Ed25519'
  const length = key.n?.length ?? 0
  return (alg === 'PS256' || alg === 'RS256') && key.kty === 'RSA' && length >= MODULUS.min && length <= MODULUS.max
}

const isEd25519 = (alg: string): boolean => alg === 'EdDSA' || alg === 'Ed25519'

/** Keys of a client for a signature with this header; none if it has none. `again` asks its address once more (at most once a minute). */
export async function keysOf(
  deps: Deps,
  metadata: Pick<ClientMetadata, 'jwks' | 'jwks_uri'>,
  header: { alg: string; kid?: string | undefined },
  again = false,
): Promise<JWK[]> {
  const isGood = (value: unknown) => publicKeys(value) !== undefined
  const { jwks, jwks_uri } = metadata
  const found = jwks ?? (jwks_uri === undefined ? undefined : await guardedJson(deps, jwks_uri, { again, isGood }))
  const keys = (publicKeys(found) ?? []).filter((key) => fitsAlg(key, header.alg))
  // A `kid` that is named is the one; a key set may leave it out (RFC 7515 4.1.4).
  return header.kid === undefined ? keys : keys.filter((key) => key.kid === undefined || key.kid === header.kid)
}

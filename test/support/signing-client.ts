// A client that authenticates with a key of its own (private_key_jwt), and everything that can be wrong about it.
import { randomUUID } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export type SigningKey = { alg: string; privateKey: CryptoKey; privateJwk: JWK; jwk: JWK }

export const newSigningKey = async (alg = 'ES256', kid?: string): Promise<SigningKey> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const named = kid === undefined ? {} : { kid }
  return { alg, privateKey, privateJwk: { ...(await exportJWK(privateKey)), ...named }, jwk: { ...(await exportJWK(publicKey)), ...named } }
}

/** An assertion (RFC 7523 3); undefined leaves a claim out. */
export const assertion = (
  key: { alg: string; privateKey: CryptoKey | Uint8Array },
  clientId: string,
  issuer: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> => {
  const now = Math.floor(Date.now() / 1000)
  const all = { iss: clientId, sub: clientId, aud: issuer, iat: now, exp: now + 60, jti: randomUUID(), ...claims }
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWTPayload
  return new SignJWT(payload).setProtectedHeader({ alg: key.alg, ...header }).sign(key.privateKey)
}

/** The form members that carry it. */
export const assertionForm = (text: string): Record<string, string> => ({ client_assertion_type: ASSERTION, client_assertion: text })

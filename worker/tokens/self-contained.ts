// RPTs that a resource server can read by itself (RFC 9068, DESIGN decision 1): a signed copy, good for a minute, of what a stored RPT permits
// at this moment. It names that RPT in a sealed member, so that this server knows it again.
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose'
import type { Keyring } from './keyring.ts'

/** Seconds: how late a withdrawal may reach a resource server that does not ask. */
export const SELF_CONTAINED_LIFETIME = 60
const TYPE = 'at+jwt'
const MAX_LENGTH = 16_384

export type SelfContained = {
  issuer: string
  /** The resource server. */
  audience: string
  client_id: string
  jkt: string | null
  permissions: { resource_id: string; resource_scopes: string[]; exp: number }[]
  /** New each time. */
  jti: string
  /** Seconds since 1970. */
  now: number
  exp: number
  /** The stored RPT. */
  rpt: { owner: string; hash: string }
}

/** The token (RFC 9068 2). It says nothing of the requesting party: its subject is the client. */
export async function signSelfContained(keyring: Keyring, input: SelfContained): Promise<string> {
  const { kid, privateKey } = keyring.signing
  return new SignJWT({
    client_id: input.client_id,
    permissions: input.permissions,
    ...(input.jkt === null ? {} : { cnf: { jkt: input.jkt } }),
    ref: await keyring.seal('ref', input.rpt, TYPE),
  })
    .setProtectedHeader({ typ: TYPE, alg: 'ES256', kid })
    .setIssuer(input.issuer)
    .setAudience(input.audience)
    .setSubject(input.client_id)
    .setJti(input.jti)
    .setIssuedAt(input.now)
    .setExpirationTime(input.exp)
    .sign(privateKey)
}

/** The stored RPT behind a token of this server that has not expired; undefined for anything else. */
export async function readSelfContained(keyring: Keyring, token: string): Promise<SelfContained['rpt'] | undefined> {
  if (token.length > MAX_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return undefined
  try {
    const keys = createLocalJWKSet({ keys: keyring.publicJwks })
    const { payload } = await jwtVerify(token, keys, { typ: TYPE, algorithms: ['ES256'], currentDate: new Date(), requiredClaims: ['exp'] })
    return (await keyring.open('ref', String(payload.ref), TYPE)) as SelfContained['rpt'] | undefined
  } catch {
    return undefined // not signed by this server, of another kind, too old
  }
}

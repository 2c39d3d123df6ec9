// The claims page's request to a wallet: OpenID4VP 1.0 over the Digital Credentials API, signed by this server (did:web) and answered
// encrypted to a key of this one session (CLAIMS 6, steps 2 to 4). Transport is the page's affair.
import { base64url, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { DC_SD_JWT, EMAIL_CREDENTIAL, emailVct, type TransactionData } from '../../shared/protocol/wallet.ts'
import { PROOF_ALGS } from './jws.ts'
import { randomSecret, type Sealing, type Signing } from './keys.ts'

/** Life of a request in seconds. */
export const REQUEST_LIFETIME = 300

/** What the server keeps until the answer comes; the private half only sealed. */
export type PendingRequest = {
  nonce: string
  /** Private decryption key, sealed for one negotiation. */
  key: string
  /** As in the request, base64url. */
  transaction: string
  /** Seconds since 1970. */
  exp: number
}

/** did:web of an issuer (W3C CCG did:web, 3.1: a port is percent-encoded). */
export const didOf = (issuer: string): string => `did:web:${new URL(issuer).host.replace(':', '%3A')}`

/** OpenID4VP 1.0, 5.9.3 `decentralized_identifier`. */
export const verifierId = (issuer: string): string => `decentralized_identifier:${didOf(issuer)}`

/** DID document of this server: its signing keys, newest last. */
export function didDocument(issuer: string, publicJwks: readonly JWK[]): Record<string, unknown> {
  const did = didOf(issuer)
  const methods = publicJwks.map((key) => ({ id: `${did}#${key.kid}`, type: 'JsonWebKey', controller: did, publicKeyJwk: key }))
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/jwk/v1'],
    id: did,
    verificationMethod: methods,
    authentication: methods.map((method) => method.id),
    assertionMethod: methods.map((method) => method.id),
  }
}

/**
 * A request for the e-mail proof and what must be remembered of it. `negotiation` binds the sealed key to its object; `now` in seconds.
 * The request names who asks and what for (`transaction`): the wallet shows it, the key binding signs it.
 */
export async function makeVpRequest(
  keyring: Pick<Sealing, 'seal'> & Signing,
  input: { issuer: string; negotiation: string; transaction: TransactionData; now: number },
): Promise<{ request: string; pending: PendingRequest }> {
  const { issuer, now } = input
  const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const pending: PendingRequest = {
    nonce: randomSecret(),
    key: await keyring.seal('negotiation', await exportJWK(pair.privateKey), input.negotiation),
    transaction: base64url.encode(JSON.stringify(input.transaction)),
    exp: now + REQUEST_LIFETIME,
  }
  const request = await new SignJWT({
    iss: verifierId(issuer),
    aud: 'https://self-issued.me/v2',
    response_type: 'vp_token',
    response_mode: 'dc_api.jwt',
    client_id: verifierId(issuer),
    expected_origins: [issuer],
    nonce: pending.nonce,
    dcql_query: emailQuery(issuer),
    client_metadata: clientMetadata({ ...(await exportJWK(pair.publicKey)), kid: randomSecret(9), use: 'enc', alg: 'ECDH-ES' }),
    transaction_data: [pending.transaction],
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: `${didOf(issuer)}#${keyring.signing.kid}` })
    .setIssuedAt(now)
    .setExpirationTime(pending.exp)
    .sign(keyring.signing.privateKey)
  return { request, pending }
}

// Only what is needed: one credential, one claim (CLAIMS 11 #17).
const emailQuery = (issuer: string) => ({
  credentials: [{ id: EMAIL_CREDENTIAL, format: DC_SD_JWT, meta: { vct_values: [emailVct(issuer)] }, claims: [{ path: ['email'] }] }],
})

const clientMetadata = (encryptionKey: JWK) => ({
  jwks: { keys: [encryptionKey] },
  encrypted_response_enc_values_supported: ['A256GCM'],
  vp_formats_supported: { [DC_SD_JWT]: { 'sd-jwt_alg_values': PROOF_ALGS, 'kb-jwt_alg_values': PROOF_ALGS } },
})

// Issuing the e-mail credential (OpenID4VCI 1.0): metadata, nonce, a batch of credentials for as many keys. And the documents with the
// keys that verify what this server signs: did:web for its requests to wallets, jwt-vc-issuer for its credentials.

import { Hono } from 'hono'
import { decodeProtectedHeader, EmbeddedJWK, type JWK, jwtVerify } from 'jose'
import { credentialRequest } from '../../shared/protocol/credential.ts'
import { DC_SD_JWT, EMAIL_CREDENTIAL, emailVct } from '../../shared/protocol/wallet.ts'
import type { CredentialToken } from '../claims/credential-offer.ts'
import { issueEmailCredential } from '../claims/email-credential.ts'
import { isPublicKey, PROOF_ALGS } from '../claims/jws.ts'
import { didDocument } from '../claims/vp-request.ts'
import { type AppContext, type AppEnv, type Deps, oneTimeObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { DPOP_ALGS, verifyDpop } from '../tokens/dpop.ts'

const BATCH = 20
const NONCE_LIFETIME = 300
/** Requests with one token: a wallet may have to come again with a fresh nonce. */
const TOKEN_USES = [{ max: 4, window: 300 }]

export const credential = new Hono<AppEnv>()
  .get('/.well-known/openid-credential-issuer', (c) => c.json(issuerMetadata(c.var.deps.issuer)))
  .get('/.well-known/jwt-vc-issuer', (c) => c.json({ issuer: c.var.deps.issuer, jwks: { keys: c.var.deps.keyring.publicJwks } }))
  .get('/.well-known/did.json', (c) => c.json(didDocument(c.var.deps.issuer, c.var.deps.keyring.publicJwks)))
  // OpenID4VCI 1.0, 7: a nonce that proves its own age; nothing is stored for who asks.
  .post('/nonce', async (c) => {
    const { deps } = c.var
    const c_nonce = await deps.keyring.seal('nonce', { exp: seconds(deps) + NONCE_LIFETIME })
    return c.json({ c_nonce }, 200, { 'Cache-Control': 'no-store' })
  })
  .post('/credential', async (c) => {
    const { deps } = c.var
    const token = await credentialToken(c)
    const request = await readJson(c, credentialRequest, 'invalid_credential_request')
    if (request.credential_configuration_id !== EMAIL_CREDENTIAL || request.credential_identifier !== undefined) {
      throw new OAuthError('unknown_credential_configuration', `the credential_configuration_id is "${EMAIL_CREDENTIAL}"`)
    }
    const proofs = request.proofs.jwt
    if (proofs.length > BATCH) throw new OAuthError('invalid_credential_request', `send at most ${BATCH} proofs`)
    const holders = await Promise.all(proofs.map((proof) => holderOf(proof, deps)))
    // CLAIMS 6: one credential a key, or two presentations could be linked by it.
    if (new Set(holders.map((key) => key.x)).size !== holders.length) throw invalidProof('use a key of its own for each proof')
    const used = await oneTimeObject(c.env, `credential ${token.jti}`).count({ limits: TOKEN_USES, now: seconds(deps) })
    if (used.kind === 'full') throw invalidToken()
    const credentials = await Promise.all(
      holders.map(async (holder) => ({
        credential: await issueEmailCredential(deps.keyring, {
          issuer: deps.issuer,
          email: token.email,
          controlledAt: token.controlled_at,
          holder,
          now: seconds(deps),
        }),
      })),
    )
    return c.json({ credentials }, 200, { 'Cache-Control': 'no-store' })
  })

/** The DPoP-bound token of the request (RFC 9449 7); OAuthError 401 otherwise. */
async function credentialToken(c: AppContext): Promise<CredentialToken> {
  const { deps } = c.var
  const text = /^DPoP +([\w-]+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
  if (text === undefined) throw invalidToken()
  const token = (await deps.keyring.open('credential-token', text)) as CredentialToken | undefined
  if (token === undefined || token.exp <= seconds(deps)) throw invalidToken()
  const proof = await verifyDpop({
    header: c.req.header('dpop'),
    method: 'POST',
    url: `${deps.issuer}/credential`,
    accessToken: text,
    now: seconds(deps),
  })
  if (proof.kind !== 'ok' || proof.jkt !== token.jkt) throw invalidToken('invalid_dpop_proof')
  if (token.client_id !== undefined) c.set('client', token.client_id)
  return token
}

// OpenID4VCI 1.0, F.1: proof of possession of one holder key.
async function holderOf(proof: string, deps: Deps): Promise<JWK> {
  let nonce: unknown
  let jwk: JWK | undefined
  try {
    jwk = decodeProtectedHeader(proof).jwk
    const { payload } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'openid4vci-proof+jwt',
      algorithms: [...PROOF_ALGS],
      audience: deps.issuer,
      currentDate: new Date(deps.now()),
      maxTokenAge: NONCE_LIFETIME,
      clockTolerance: 60,
    })
    nonce = payload.nonce
  } catch {
    throw invalidProof('sign each proof with the key in its header, for this issuer, now')
  }
  if (!isPublicKey(jwk)) throw invalidProof('put a public P-256 or Ed25519 key into the header of each proof')
  const known = typeof nonce === 'string' ? ((await deps.keyring.open('nonce', nonce)) as { exp: number } | undefined) : undefined
  if (known === undefined || known.exp <= seconds(deps))
    throw new OAuthError('invalid_nonce', 'get a fresh c_nonce from the nonce endpoint')
  return jwk
}

const invalidProof = (description: string) => new OAuthError('invalid_proof', description)

function invalidToken(error = 'invalid_token'): OAuthError {
  return new OAuthError(error, 'the access token is not valid here; keep the proof again from the page', {
    status: 401,
    headers: { 'WWW-Authenticate': `DPoP error="${error}", algs="${DPOP_ALGS.join(' ')}"` },
  })
}

// OpenID4VCI 1.0, 12.2
const issuerMetadata = (issuer: string) => ({
  credential_issuer: issuer,
  credential_endpoint: `${issuer}/credential`,
  nonce_endpoint: `${issuer}/nonce`,
  batch_credential_issuance: { batch_size: BATCH },
  credential_configurations_supported: {
    [EMAIL_CREDENTIAL]: {
      format: DC_SD_JWT,
      vct: emailVct(issuer),
      scope: 'email_vc',
      cryptographic_binding_methods_supported: ['jwk'],
      credential_signing_alg_values_supported: ['ES256'],
      proof_types_supported: { jwt: { proof_signing_alg_values_supported: PROOF_ALGS } },
      credential_metadata: {
        display: [{ name: 'E-mail address', locale: 'en' }],
        claims: [{ path: ['email'] }, { path: ['email_domain'] }, { path: ['email_verified'] }],
      },
    },
  },
})

// Getting proofs to keep: OpenID4VCI 1.0, pre-authorized code, in two steps that can be resumed between them. Every credential gets a key
// of its own; the access token is bound to a key made for this one offer, so that issuer and owner's wallet cannot be linked by it.
import { calculateJwkThumbprint, createLocalJWKSet, type JSONWebKeySet, type JWK, jwtVerify, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import * as v from 'valibot'
import { DC_SD_JWT, EMAIL_CREDENTIAL, emailVct } from '../../shared/protocol/wallet.ts'
import { WalletError } from '../errors.ts'
import type { Credential } from '../wallet/credentials.ts'
import { keyPairFor, makeSigningKeys, publicJwk } from '../wallet/keys.ts'
import { asWalletError, discover, options, serverFetch, withNonceRetry } from './oauth.ts'
import { claimsOf, parseSdJwt } from './sd-jwt.ts'

const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
const BATCH = 10

const offerSchema = v.object({
  credential_issuer: v.string(),
  credential_configuration_ids: v.array(v.string()),
  grants: v.object({ [PRE_AUTHORIZED]: v.object({ 'pre-authorized_code': v.string(), tx_code: v.optional(v.unknown()) }) }),
})

const issuerMetadata = v.object({
  credential_issuer: v.string(),
  credential_endpoint: v.string(),
  nonce_endpoint: v.string(),
  batch_credential_issuance: v.optional(v.object({ batch_size: v.number() })),
})

const publishedKeys = v.object({ issuer: v.string(), jwks: v.object({ keys: v.array(v.looseObject({ kty: v.string() })) }) })

/** Nobody is registered for the pre-authorized code (OpenID4VCI 1.0 6.1: anonymous access), so no client_id is sent. */
const anonymous: oauth.Client = { client_id: 'anonymous' }
const noClient: oauth.ClientAuth = () => undefined

export type Offer = { issuer: string; code: string }

/** Reads an offer. Throws `refused` unless it is for our kind of credential, by the server whose page made it, without a second secret. */
export const readOffer = (offer: unknown, origin: string): Offer => {
  const parsed = v.safeParse(offerSchema, offer)
  if (!parsed.success) throw new WalletError('refused', 'credential offer')
  const { credential_issuer: issuer, credential_configuration_ids: ids, grants } = parsed.output
  const grant = grants[PRE_AUTHORIZED]
  // DESIGN decision 10: one issuer per origin, so the issuer is the origin that the browser vouches for.
  if (issuer !== origin) throw new WalletError('refused', 'another server issues this')
  if (!ids.includes(EMAIL_CREDENTIAL) || grant.tx_code !== undefined) throw new WalletError('refused', 'credential offer')
  return { issuer, code: grant['pre-authorized_code'] }
}

const json = async <T>(url: string, schema: v.GenericSchema<unknown, T>, init?: RequestInit): Promise<T> => {
  const response = await serverFetch(url, init)
  const parsed = v.safeParse(schema, response.ok ? await response.json().catch(() => undefined) : undefined)
  if (!parsed.success) throw new WalletError('no_server', `${new URL(url).pathname}: status ${response.status}`)
  return parsed.output
}

/** RFC 8414 3, OpenID4VCI 1.0 12.2.2: the well-known path goes between host and path. */
const wellKnown = (issuer: string, name: string): string => {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/${name}${pathname === '/' ? '' : pathname}`
}

const metadataOf = async (issuer: string): Promise<v.InferOutput<typeof issuerMetadata>> => {
  const metadata = await json(wellKnown(issuer, 'openid-credential-issuer'), issuerMetadata)
  const { origin } = new URL(issuer)
  const isOwn = [metadata.credential_endpoint, metadata.nonce_endpoint].every((url) => URL.canParse(url) && new URL(url).origin === origin)
  if (metadata.credential_issuer !== issuer || !isOwn) throw new WalletError('no_server', 'credential issuer metadata')
  return metadata
}

const keysOf = (visit: string): Promise<CryptoKeyPair> => keyPairFor('dpop', `visit:${visit}`)

/** First step, spends the code (OpenID4VCI 1.0 6): answers the access token. Throws `ended` when the code is spent or too old. */
export const redeemOffer = async ({ issuer, code }: Offer, visit: string): Promise<string> => {
  const metadata = await discover(issuer)
  try {
    const DPoP = oauth.DPoP(anonymous, await keysOf(visit))
    const answer = await withNonceRetry(async () =>
      oauth.processGenericTokenEndpointResponse(
        metadata,
        anonymous,
        await oauth.genericTokenEndpointRequest(
          metadata,
          anonymous,
          noClient,
          PRE_AUTHORIZED,
          { 'pre-authorized_code': code },
          {
            ...options(issuer),
            DPoP,
          },
        ),
      ),
    )
    return answer.access_token
  } catch (error) {
    throw asWalletError(error)
  }
}

/** OpenID4VCI 1.0 F.1: proof of possession of one key. */
const proofOf = async (keys: CryptoKeyPair, issuer: string, nonce: string, now: number): Promise<string> =>
  new SignJWT({ nonce })
    .setProtectedHeader({ alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk: await publicJwk(keys.publicKey) })
    .setAudience(issuer)
    .setIssuedAt(now)
    .sign(keys.privateKey)

const seal = (jwk: JWK): Promise<string> => calculateJwkThumbprint(jwk)

/** Checks one issued credential before it is kept: signature, type, issuer, and that it is bound to one of our keys. */
const accept = async (text: string, issuer: string, keys: Map<string, CryptoKeyPair>, published: JSONWebKeySet): Promise<Credential> => {
  const sdJwt = await parseSdJwt(text)
  const { payload } = await jwtVerify(sdJwt.jwt, createLocalJWKSet(published), {
    issuer,
    typ: DC_SD_JWT,
    algorithms: ['ES256'],
    requiredClaims: ['exp', 'vct', 'cnf'],
  })
  const { email, vct, verification } = claimsOf(sdJwt)
  const holder = await seal((payload.cnf as { jwk: JWK }).jwk)
  const mine = keys.get(holder)
  if (!mine || typeof email !== 'string' || vct !== emailVct(issuer) || payload.exp === undefined)
    throw new WalletError('no_server', 'issued credential')
  keys.delete(holder)
  const controlled = typeof verification === 'object' && verification !== null ? Reflect.get(verification, 'controlled_at') : undefined
  return {
    id: crypto.randomUUID(),
    issuer,
    email,
    vct,
    sd_jwt: text,
    keys: mine,
    expires_at: payload.exp,
    ...(typeof controlled === 'number' ? { controlled_at: controlled } : {}),
  }
}

const credentialAnswer = v.object({ credentials: v.pipe(v.array(v.object({ credential: v.string() })), v.minLength(1)) })

/**
 * Second step (OpenID4VCI 1.0 7, 8): a nonce, proofs for a batch of fresh keys, and the credentials, each checked.
 * Throws `ended` when the access token is no longer good, `no_server` when an answer is not sound.
 */
export const fetchCredentials = async (issuer: string, accessToken: string, visit: string, now: number): Promise<Credential[]> => {
  const metadata = await metadataOf(issuer)
  const { c_nonce } = await json(metadata.nonce_endpoint, v.object({ c_nonce: v.string() }), { method: 'POST' })
  const size = Math.min(BATCH, Math.max(1, metadata.batch_credential_issuance?.batch_size ?? 1))
  const pairs = await Promise.all(Array.from({ length: size }, makeSigningKeys))
  const keys = new Map(await Promise.all(pairs.map(async (pair) => [await seal(await publicJwk(pair.publicKey)), pair] as const)))
  const body = JSON.stringify({
    credential_configuration_id: EMAIL_CREDENTIAL,
    proofs: { jwt: await Promise.all(pairs.map((pair) => proofOf(pair, issuer, c_nonce, now))) },
  })
  try {
    const DPoP = oauth.DPoP(anonymous, await keysOf(visit))
    const response = await withNonceRetry(() =>
      oauth.protectedResourceRequest(
        accessToken,
        'POST',
        new URL(metadata.credential_endpoint),
        new Headers({ 'content-type': 'application/json' }),
        body,
        {
          ...options(issuer),
          DPoP,
        },
      ),
    )
    const parsed = v.safeParse(credentialAnswer, response.ok ? await response.json() : undefined)
    if (!parsed.success) throw new WalletError('no_server', `credential endpoint: status ${response.status}`)
    const published = await json(wellKnown(issuer, 'jwt-vc-issuer'), publishedKeys)
    if (published.issuer !== issuer) throw new WalletError('no_server', 'jwt-vc-issuer')
    const accepted: Credential[] = []
    for (const { credential } of parsed.output.credentials)
      accepted.push(await accept(credential, issuer, keys, published.jwks as JSONWebKeySet))
    return accepted
  } catch (error) {
    throw asWalletError(error)
  }
}

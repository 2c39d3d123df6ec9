// Is a page's question sound? OpenID4VP 1.0 over the Digital Credentials API: the signed request of an authorization server, checked before
// a person sees anything. Pure: the did.json that the background fetched comes in, a verdict goes out.
import { DcqlQuery } from 'dcql'
import { decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose'
import * as v from 'valibot'
import { fromBase64url, sha256Base64url } from '../../shared/base64url.ts'
import { DC_SD_JWT, type TransactionData, transactionData } from '../../shared/protocol/wallet.ts'

/** The only claims that this wallet tells anybody; a question for more is refused (CLAIMS 11, threat 17). */
const TELLABLE = ['email', 'email_domain'] as const
export type Tellable = (typeof TELLABLE)[number]

const MOST_LIFETIME = 600
const CLOCK_TOLERANCE = 60

const encryptionKey = v.looseObject({
  kty: v.literal('EC'),
  crv: v.literal('P-256'),
  x: v.string(),
  y: v.string(),
  kid: v.string(),
  alg: v.optional(v.literal('ECDH-ES')),
  use: v.optional(v.literal('enc')),
})

const requestObject = v.looseObject({
  response_type: v.literal('vp_token'),
  response_mode: v.literal('dc_api.jwt'),
  client_id: v.string(),
  expected_origins: v.pipe(v.array(v.string()), v.minLength(1)),
  // OpenID4VP 1.0 5.2: fresh for every request; 128 bit and more.
  nonce: v.pipe(v.string(), v.minLength(22), v.maxLength(512)),
  dcql_query: v.record(v.string(), v.unknown()),
  client_metadata: v.looseObject({
    jwks: v.object({ keys: v.pipe(v.array(v.unknown()), v.minLength(1)) }),
    encrypted_response_enc_values_supported: v.optional(v.array(v.string())),
  }),
  transaction_data: v.pipe(v.array(v.string()), v.length(1)),
  iat: v.number(),
  exp: v.number(),
})

const didDocument = v.looseObject({
  id: v.string(),
  verificationMethod: v.array(
    v.looseObject({ id: v.string(), controller: v.optional(v.string()), publicKeyJwk: v.optional(v.looseObject({ kty: v.string() })) }),
  ),
})

/** What the wallet has to do for a sound request. */
export type Request = {
  nonce: string
  credential_id: string
  tells: Tellable
  query: DcqlQuery
  transaction: TransactionData
  transaction_data_hashes: string[]
  encryption: { key: JWK; kid: string }
}
export type Verdict = { kind: 'sound'; request: Request } | { kind: 'refused'; reason: string }

/** did:web of an origin (did:web method, 3.2): the port's colon is percent-encoded. */
export const didOf = (origin: string): string => `did:web:${encodeURIComponent(new URL(origin).host)}`

class Refusal extends Error {}
const refuse = (reason: string): never => {
  throw new Refusal(reason)
}

const signatureKey = async (jar: string, document: unknown, did: string): Promise<CryptoKey | Uint8Array> => {
  const { alg, typ, kid } = decodeProtectedHeader(jar)
  // RFC 9101 10.8: explicit typing, so that no other signed thing of the server passes for a request.
  if (alg !== 'ES256' || typ !== 'oauth-authz-req+jwt' || kid === undefined) return refuse('header')
  const parsed = v.safeParse(didDocument, document)
  if (!parsed.success || parsed.output.id !== did || !kid.startsWith(`${did}#`)) return refuse('did')
  const method = parsed.output.verificationMethod.find(({ id }) => id === kid || `${did}${id}` === kid)
  return method?.publicKeyJwk ? importJWK(method.publicKeyJwk as JWK, 'ES256') : refuse('kid')
}

const transactionOf = async (encoded: string): Promise<{ transaction: TransactionData; hash: string }> => {
  const bytes = fromBase64url(encoded)
  const json: unknown = bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes))
  // OpenID4VP 1.0 8.4: a wallet must refuse a transaction data type that it does not know; the schema knows one.
  const parsed = v.safeParse(transactionData, json)
  return parsed.success ? { transaction: parsed.output, hash: await sha256Base64url(encoded) } : refuse('transaction data')
}

/** Exactly one credential with exactly one claim that may be told. Anything wider is refused, not narrowed. */
const queryOf = (input: Record<string, unknown>): { query: DcqlQuery; id: string; tells: Tellable } => {
  const query = DcqlQuery.parse(input as DcqlQuery.Input)
  DcqlQuery.validate(query)
  const [credential] = query.credentials
  if (query.credentials.length !== 1 || !credential || credential.format !== DC_SD_JWT || credential.multiple) return refuse('query')
  const [claim] = credential.claims ?? []
  const name = TELLABLE.find((tellable) => claim && 'path' in claim && claim.path?.length === 1 && claim.path[0] === tellable)
  if (credential.claims?.length !== 1 || name === undefined) return refuse('asks for more than an address')
  return { query, id: credential.id, tells: name }
}

const encryptionOf = (metadata: v.InferOutput<typeof requestObject>['client_metadata']): Request['encryption'] => {
  // OpenID4VP 1.0 8.3: A128GCM is the default; this wallet answers with A256GCM only.
  if (!metadata.encrypted_response_enc_values_supported?.includes('A256GCM')) return refuse('encryption')
  for (const candidate of metadata.jwks.keys) {
    const key = v.safeParse(encryptionKey, candidate)
    if (key.success) return { key: key.output as JWK, kid: key.output.kid }
  }
  return refuse('encryption key')
}

const check = async (jar: string, origin: string, document: unknown, now: number): Promise<Request> => {
  const did = didOf(origin)
  const key = await signatureKey(jar, document, did)
  const { payload } = await jwtVerify(jar, key, {
    algorithms: ['ES256'],
    currentDate: new Date(now * 1000),
    clockTolerance: CLOCK_TOLERANCE,
  })
  const parsed = v.safeParse(requestObject, payload)
  if (!parsed.success) return refuse(`member ${v.getDotPath(parsed.issues[0]) ?? ''}`)
  const request = parsed.output
  if (request.exp <= now || request.iat > now + CLOCK_TOLERANCE || request.exp - request.iat > MOST_LIFETIME) return refuse('time')
  if (request.client_id !== `decentralized_identifier:${did}`) return refuse('client_id')
  // OpenID4VP 1.0 A.2: the origin that the browser vouches for must be among those that the verifier signed.
  if (!request.expected_origins.includes(origin)) return refuse('expected_origins')
  const { query, id, tells } = queryOf(request.dcql_query)
  const { transaction, hash } = await transactionOf(request.transaction_data[0] ?? '')
  if (transaction.credential_ids.length !== 1 || transaction.credential_ids[0] !== id) return refuse('transaction credential_ids')
  return {
    nonce: request.nonce,
    credential_id: id,
    tells,
    query,
    transaction,
    transaction_data_hashes: [hash],
    encryption: encryptionOf(request.client_metadata),
  }
}

/**
 * Judges one signed request.
 * @param jar compact JWS as the page handed it over
 * @param origin of the asking page, as the browser told it
 * @param document the did.json that the background itself fetched from that origin
 * @param now seconds since 1970
 * NOT checked: whether the nonce was seen before (the server spends it) and whether this wallet holds a fitting proof.
 */
export const verifyRequest = async (jar: string, origin: string, document: unknown, now: number): Promise<Verdict> => {
  try {
    return { kind: 'sound', request: await check(jar, origin, document, now) }
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : 'unreadable' }
  }
}

/** Does a credential with this type and these claims answer the query? */
export const fits = (query: DcqlQuery, vct: string, claims: Record<string, unknown>): boolean =>
  DcqlQuery.query(query, [
    { credential_format: DC_SD_JWT, vct, claims: claims as Record<string, string>, cryptographic_holder_binding: true },
  ]).can_be_satisfied

// Messages between an authorization server's page and the wallet (page script <-> content script), and what a wallet adds to OAuth.
// Transport: the page posts `PageHello` to its own window with `targetOrigin` = its own origin and transfers one MessagePort; the
// content script (registered only on origins that the person approved) answers on that port and on nothing else.
import * as v from 'valibot'
import { clientKnown } from './oauth.ts'

/** `data.latchkey` of the one message that a page posts to its window; the rest goes over the transferred port. */
export const WALLET_CHANNEL = 'latchkey:1'

const requestId = v.pipe(v.string(), v.minLength(16), v.maxLength(64))

/** page -> wallet */
export const pageMessage = v.variant('kind', [
  /** Is a wallet here? Answered at once with `here`. */
  v.strictObject({ latchkey: v.literal(WALLET_CHANNEL), kind: v.literal('hello'), id: requestId }),
  /** Present a proof: OpenID4VP over the DC API request entries, as the server made them. Opens the consent window. */
  v.strictObject({
    latchkey: v.literal(WALLET_CHANNEL),
    kind: v.literal('present'),
    id: requestId,
    requests: v.pipe(
      v.array(
        v.strictObject({
          protocol: v.literal('openid4vp-v1-signed'),
          data: v.strictObject({ request: v.pipe(v.string(), v.maxLength(32_768)) }),
        }),
      ),
      v.minLength(1),
      v.maxLength(4),
    ),
  }),
  /** Keep a proof: an OpenID4VCI credential offer (by value) with a pre-authorized code. */
  v.strictObject({
    latchkey: v.literal(WALLET_CHANNEL),
    kind: v.literal('keep'),
    id: requestId,
    credential_offer: v.record(v.string(), v.unknown()),
  }),
  /** The page gave up (closed, other way chosen). */
  v.strictObject({ latchkey: v.literal(WALLET_CHANNEL), kind: v.literal('cancel'), id: requestId }),
])
export type PageMessage = v.InferOutput<typeof pageMessage>

/** wallet -> page, on the port */
export const walletMessage = v.variant('kind', [
  v.strictObject({ kind: v.literal('here'), id: requestId, has_proofs: v.boolean() }),
  /** `response` is the compact JWE (`dc_api.jwt`) for POST .../response. The page cannot read it. */
  v.strictObject({ kind: v.literal('presented'), id: requestId, response: v.string() }),
  v.strictObject({ kind: v.literal('kept'), id: requestId, count: v.number() }),
  /** `declined`: the person said no or closed the window; `no_proof`: nothing fits; `refused`: the request is not sound. */
  v.strictObject({ kind: v.literal('failed'), id: requestId, reason: v.picklist(['declined', 'no_proof', 'refused', 'error']) }),
])
export type WalletMessage = v.InferOutput<typeof walletMessage>

/** Authorization request parameter of a wallet: base64url(JSON) of its own public P-256 ECDH JWK, to which the label key is wrapped. */
export const LABEL_JWK_PARAM = 'label_jwk'

/** `vct` of the e-mail credential of an issuer (CLAIMS 8). */
export const emailVct = (issuer: string): string => `${issuer}/vct/email`
export const EMAIL_CREDENTIAL = 'email'
export const DC_SD_JWT = 'dc+sd-jwt'

/** `type` of the transaction data entry of a claims page request. */
export const CLAIMS_TRANSACTION = 'urn:latchkey:uma-claims-gathering:1'

/** OpenID4VP transaction data (base64url JSON in the request): what the person is shown and what the key binding signs. */
export const transactionData = v.object({
  type: v.literal(CLAIMS_TRANSACTION),
  credential_ids: v.array(v.string()),
  /** base64url(SHA-256(ASCII(ticket as the client sent it))) */
  ticket_hash: v.string(),
  client_id: v.string(),
  client_name: v.string(),
  /** How the server came to know the app. */
  client_known: v.optional(clientKnown),
  /** Where the person goes on to. */
  claims_redirect_uri: v.string(),
  /** Name of the service that keeps the thing, as it registered; and its origin. */
  service_name: v.string(),
  service_origin: v.optional(v.string()),
  /** Only if the owner shows names to strangers. */
  resource_label: v.optional(v.string()),
  resource_scopes: v.array(v.string()),
  /** What scopes that are addresses say of themselves (UMA FedAuthz 3.1.1), by scope; unverified. */
  scope_names: v.optional(v.record(v.string(), v.string())),
})
export type TransactionData = v.InferOutput<typeof transactionData>

// Wire schemas of the UMA 2.0 Grant: token request, token answer, need_info, request_submitted, request_denied, claims interaction, metadata.
// What an answer means for a client is negotiation.ts; what it grants is the server's business.
import * as v from 'valibot'
import { authorizationServerMetadata, tokenResponse } from './oauth.ts'

/** UMA Grant 3.3.1 */
export const UMA_TICKET_GRANT = 'urn:ietf:params:oauth:grant-type:uma-ticket'
/** RFC 7009 hint for a persisted claims token (UMA Grant 3.7, 7). */
export const PCT_HINT = 'pct'
/** UMA Grant 2: appended to the issuer, after its path. */
export const UMA_CONFIGURATION_PATH = '/.well-known/uma2-configuration'

/** Claim token formats for what an issuer says (UMA Grant 3.3.1): an ID token, and a JWT made for one ticket (SPECS X-COR-1). */
export const ID_TOKEN_FORMAT = 'http://openid.net/specs/openid-connect-core-1_0.html#IDToken'
export const JWT_FORMAT = 'urn:ietf:params:oauth:token-type:jwt'

/** UMA Grant 3.3.6: what the token endpoint may answer besides the errors of RFC 6749 5.2. All three are 403. */
export const UMA_GRANT_ERRORS = ['need_info', 'request_denied', 'request_submitted'] as const
export type UmaGrantError = (typeof UMA_GRANT_ERRORS)[number]

const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))

/** A permission ticket as a client handles it: opaque. */
export const permissionTicket = text(8192)

/** UMA Grant 3.3.1: form body of the token endpoint. `claim_token` and `claim_token_format` come together or not at all. */
export const ticketGrantRequest = v.pipe(
  v.object({
    grant_type: v.literal(UMA_TICKET_GRANT),
    ticket: permissionTicket,
    claim_token: v.optional(text(65_536)),
    claim_token_format: v.optional(text(512)),
    pct: v.optional(text(8192)),
    rpt: v.optional(text(16_384)),
    scope: v.optional(text(4096)),
    resource: v.optional(text(2048)),
    /** Extensions: what the requesting party wants it for; the secret part of a link that opens a thing for whoever has it. */
    purpose: v.optional(text(256)),
    link: v.optional(text(128)),
    client_id: v.optional(text(2048)),
    client_secret: v.optional(text(1024)),
  }),
  // UMA Grant 3.3.1: each of the two is used only together with the other.
  v.check(
    (request) => (request.claim_token === undefined) === (request.claim_token_format === undefined),
    'claim_token and claim_token_format come together',
  ),
)
export type TicketGrantRequest = v.InferOutput<typeof ticketGrantRequest>

/** UMA Grant 3.3.5 with the extension member `resource_server`: the resource server that the RPT is good for (closes ticket relay). */
export const rptResponse = v.object({
  ...tokenResponse.entries,
  pct: v.optional(text(8192)),
  // UMA Grant 3.3.5: absent means false; the client then assumes that the permissions of its old RPT are not in the new one.
  upgraded: v.optional(v.boolean()),
  /** Origin (or URI) of the resource server. A client sends the RPT nowhere else. */
  resource_server: v.optional(v.pipe(v.string(), v.maxLength(2048), v.url())),
})
export type RptResponse = v.InferOutput<typeof rptResponse>

/** UMA Grant 3.3.6: one wanted claim; every member is optional, of an array any one member suffices. */
export const requiredClaim = v.object({
  claim_token_format: v.optional(v.array(v.string())),
  claim_type: v.optional(v.string()),
  friendly_name: v.optional(v.string()),
  issuer: v.optional(v.array(v.string())),
  name: v.optional(v.string()),
})
export type RequiredClaim = v.InferOutput<typeof requiredClaim>

const refusal = { error_description: v.optional(v.string()), error_uri: v.optional(v.string()) }

/** UMA Grant 3.3.6: new ticket and at least one of `required_claims`, `redirect_user`. */
export const needInfo = v.pipe(
  v.object({
    ...refusal,
    error: v.literal('need_info'),
    ticket: permissionTicket,
    required_claims: v.optional(v.array(requiredClaim)),
    redirect_user: v.optional(v.pipe(v.string(), v.maxLength(4096), v.url())),
  }),
  v.check((body) => body.required_claims !== undefined || body.redirect_user !== undefined, 'required_claims or redirect_user is needed'),
)
export type NeedInfo = v.InferOutput<typeof needInfo>

/** UMA Grant 3.3.6: the owner was asked; poll with the new ticket, not faster than `interval` seconds. */
export const requestSubmitted = v.object({
  ...refusal,
  error: v.literal('request_submitted'),
  ticket: permissionTicket,
  interval: v.optional(v.pipe(v.number(), v.minValue(0))),
})
export type RequestSubmitted = v.InferOutput<typeof requestSubmitted>

/** UMA Grant 3.3.6: final, carries no ticket. */
export const requestDenied = v.object({ ...refusal, error: v.literal('request_denied') })
export type RequestDenied = v.InferOutput<typeof requestDenied>

/** UMA Grant 3.3.2: query of the claims interaction endpoint. */
export const claimsInteractionRequest = v.object({
  client_id: text(2048),
  ticket: permissionTicket,
  claims_redirect_uri: v.optional(text(2048)),
  state: v.optional(text(4096)),
})
export type ClaimsInteractionRequest = v.InferOutput<typeof claimsInteractionRequest>

/** UMA Grant 3.3.3, RFC 9207: what comes back on the claims redirect URI. Unknown members are dropped (UMA Grant 3.3.3). */
export const claimsInteractionResponse = v.object({
  ticket: v.optional(permissionTicket),
  state: v.optional(text(4096)),
  iss: v.optional(text(2048)),
  error: v.optional(text(256)),
  error_description: v.optional(v.string()),
})
export type ClaimsInteractionResponse = v.InferOutput<typeof claimsInteractionResponse>

/** Members that UMA Grant 2 adds to RFC 8414 metadata. */
export const umaGrantMetadata = {
  claims_interaction_endpoint: v.optional(v.pipe(v.string(), v.url())),
  uma_profiles_supported: v.optional(v.array(v.string())),
  /** Extension: what a client may register as `rpt_upgrade`; the first is what it gets otherwise (UMA Grant 3.3.5.1 wants this documented). */
  rpt_upgrades_supported: v.optional(v.array(v.string())),
  /** Extension: what a client may register as `uma_partial`; the first is what it gets otherwise. */
  uma_partial_values_supported: v.optional(v.array(v.boolean())),
  /** Extension: what a resource server may register as `rpt_format`; the first is what it gets otherwise. */
  rpt_formats_supported: v.optional(v.array(v.string())),
}

/** UMA Grant 2: the discovery document as a client reads it; here the token endpoint must be named. */
export const umaClientMetadata = v.looseObject({
  ...authorizationServerMetadata.entries,
  ...umaGrantMetadata,
  token_endpoint: v.pipe(v.string(), v.url()),
})
export type UmaClientMetadata = v.InferOutput<typeof umaClientMetadata>

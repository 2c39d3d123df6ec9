// Wire schemas and error codes of OAuth: RFC 6749, 7009, 7591, 7592, 7662, 8414, 9126, 9207, 9449. Member names are those on the wire.
// Schemas say what a message looks like, not whether it is allowed: no secret is compared, no URI is matched here.
import * as v from 'valibot'

/** OAuth scope of a protection API access token (UMA FedAuthz 1.3). */
export const PROTECTION_SCOPE = 'uma_protection'

const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))
const uri = v.pipe(v.string(), v.maxLength(2048), v.url())
/** Seconds since 1970 (RFC 7519 NumericDate); a fraction is allowed there. */
const instant = v.pipe(v.number(), v.minValue(0), v.maxValue(253_402_300_799))
const scope = v.pipe(v.string(), v.maxLength(4096), v.regex(/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/))

/** RFC 6749 5.2, RFC 7009 2.2.1, RFC 8707 2, RFC 9449 5: errors of the token endpoint and its neighbours. */
export const TOKEN_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'unsupported_token_type',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
] as const
export type TokenError = (typeof TOKEN_ERRORS)[number]

/** RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6: errors that travel in the redirect of an authorization response. */
export const AUTHORIZATION_ERRORS = [
  'invalid_request',
  'unauthorized_client',
  'access_denied',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
  'login_required',
  'consent_required',
  'interaction_required',
] as const
export type AuthorizationError = (typeof AUTHORIZATION_ERRORS)[number]

/** RFC 6750 3.1: errors of a protected endpoint. */
export const BEARER_ERRORS = ['invalid_request', 'invalid_token', 'insufficient_scope'] as const
export type BearerError = (typeof BEARER_ERRORS)[number]

/** RFC 7591 3.2.2: errors of the registration endpoint. */
export const REGISTRATION_ERRORS = [
  'invalid_redirect_uri',
  'invalid_client_metadata',
  'invalid_software_statement',
  'unapproved_software_statement',
] as const
export type RegistrationError = (typeof REGISTRATION_ERRORS)[number]

/** RFC 6749 5.2: body of every refusal. The code is left open: a receiver must survive codes it does not know. */
export const oauthError = v.object({
  error: text(256),
  error_description: v.optional(v.string()),
  error_uri: v.optional(v.string()),
})
export type OAuthErrorBody = v.InferOutput<typeof oauthError>

/** RFC 7636 4.1, 4.2 */
export const codeVerifier = v.pipe(v.string(), v.regex(/^[\w.~-]{43,128}$/))
export const codeChallenge = v.pipe(v.string(), v.regex(/^[\w-]{43}$/))
/** RFC 7638: base64url SHA-256 thumbprint of a key. */
export const jwkThumbprint = v.pipe(v.string(), v.regex(/^[\w-]{43}$/))

/** RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1, RFC 9449 10: query of the authorization endpoint or body of PAR. */
export const authorizationRequest = v.object({
  response_type: text(64),
  client_id: text(2048),
  redirect_uri: v.optional(text(2048)),
  scope: v.optional(scope),
  state: v.optional(text(4096)),
  code_challenge: v.optional(codeChallenge),
  code_challenge_method: v.optional(text(16)),
  nonce: v.optional(text(1024)),
  prompt: v.optional(text(64)),
  login_hint: v.optional(text(320)),
  ui_locales: v.optional(text(256)),
  resource: v.optional(uri),
  dpop_jkt: v.optional(jwkThumbprint),
  label_jwk: v.optional(text(2048)),
})
export type AuthorizationRequest = v.InferOutput<typeof authorizationRequest>

/** RFC 6749 4.1.2, RFC 9207 2: what comes back on the redirect URI. Unknown members are dropped. */
export const authorizationResponse = v.object({
  code: v.optional(text(4096)),
  state: v.optional(text(4096)),
  iss: v.optional(text(2048)),
  error: v.optional(text(256)),
  error_description: v.optional(v.string()),
})
export type AuthorizationResponse = v.InferOutput<typeof authorizationResponse>

/** RFC 6749 2.3.1: credentials in the body; with `client_secret_basic` both are absent, a public client sends `client_id` only. */
const clientCredentials = { client_id: v.optional(text(2048)), client_secret: v.optional(text(1024)) }

/** RFC 6749 4.1.3, RFC 7636 4.5 */
export const authorizationCodeRequest = v.object({
  ...clientCredentials,
  grant_type: v.literal('authorization_code'),
  code: text(4096),
  redirect_uri: v.optional(text(2048)),
  code_verifier: v.optional(codeVerifier),
})
export type AuthorizationCodeRequest = v.InferOutput<typeof authorizationCodeRequest>

/** RFC 6749 6 */
export const refreshTokenRequest = v.object({
  ...clientCredentials,
  grant_type: v.literal('refresh_token'),
  refresh_token: text(4096),
  scope: v.optional(scope),
})
export type RefreshTokenRequest = v.InferOutput<typeof refreshTokenRequest>

/** RFC 6749 4.4.2 */
export const clientCredentialsRequest = v.object({
  ...clientCredentials,
  grant_type: v.literal('client_credentials'),
  scope: v.optional(scope),
})
export type ClientCredentialsRequest = v.InferOutput<typeof clientCredentialsRequest>

/** RFC 6749 5.1 */
export const tokenResponse = v.object({
  access_token: text(16_384),
  /** Compared without regard to case (RFC 6749 5.1). */
  token_type: text(64),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(0))),
  refresh_token: v.optional(text(16_384)),
  scope: v.optional(v.string()),
  id_token: v.optional(text(16_384)),
})
export type TokenResponse = v.InferOutput<typeof tokenResponse>

/** RFC 7009 2.1; hint `pct` is UMA Grant 3.7. A hint that is not known is ignored, so it is no picklist. */
export const revocationRequest = v.object({ ...clientCredentials, token: text(16_384), token_type_hint: v.optional(text(64)) })
export type RevocationRequest = v.InferOutput<typeof revocationRequest>

/** RFC 7662 2.1 */
export const introspectionRequest = v.object({ ...clientCredentials, token: text(16_384), token_type_hint: v.optional(text(64)) })
export type IntrospectionRequest = v.InferOutput<typeof introspectionRequest>

/** RFC 7662 2.2, RFC 9449 6.2 (`cnf.jkt`) and RFC 8705 3.1 leave `cnf` open. */
export const introspectedToken = {
  client_id: v.optional(v.string()),
  token_type: v.optional(v.string()),
  exp: v.optional(instant),
  iat: v.optional(instant),
  nbf: v.optional(instant),
  sub: v.optional(v.string()),
  aud: v.optional(v.union([v.string(), v.array(v.string())])),
  iss: v.optional(v.string()),
  jti: v.optional(v.string()),
  cnf: v.optional(v.looseObject({ jkt: v.optional(jwkThumbprint) })),
}
/** RFC 7662 2.2: plain form; the form that an UMA resource server gets is `rptIntrospection` in uma-federation.ts. */
export const introspectionResponse = v.variant('active', [
  v.object({ active: v.literal(false) }),
  v.object({ active: v.literal(true), scope: v.optional(v.string()), username: v.optional(v.string()), ...introspectedToken }),
])
export type IntrospectionResponse = v.InferOutput<typeof introspectionResponse>

const jwks = v.looseObject({ keys: v.pipe(v.array(v.record(v.string(), v.unknown())), v.minLength(1), v.maxLength(16)) })
/** Redirect URIs may have a private scheme or a loopback host: judged by the server, not by the schema. */
const redirectUris = v.pipe(v.array(text(2048)), v.minLength(1), v.maxLength(16))

/** What a client may register as `rpt_upgrade` and as `rpt_format`; the first is what it gets without a word. */
export const RPT_UPGRADES = ['new_string', 'same_string'] as const
export const RPT_FORMATS = ['reference', 'at+jwt'] as const

/** RFC 7591 2, UMA Grant 2 (`claims_redirect_uris`), RFC 9449 5.2 (`dpop_bound_access_tokens`). Other members are kept, `name#lang` too. */
export const clientMetadata = v.looseObject({
  redirect_uris: v.optional(redirectUris),
  claims_redirect_uris: v.optional(redirectUris),
  token_endpoint_auth_method: v.optional(text(64)),
  grant_types: v.optional(v.pipe(v.array(text(128)), v.maxLength(16))),
  response_types: v.optional(v.pipe(v.array(text(64)), v.maxLength(16))),
  client_name: v.optional(text(256)),
  client_uri: v.optional(uri),
  logo_uri: v.optional(uri),
  tos_uri: v.optional(uri),
  policy_uri: v.optional(uri),
  contacts: v.optional(v.pipe(v.array(text(320)), v.maxLength(16))),
  scope: v.optional(scope),
  /** RFC 7591 does not name it, OpenID Connect Registration 2 does. */
  token_endpoint_auth_signing_alg: v.optional(text(16)),
  /** RFC 9701 6 */
  introspection_signed_response_alg: v.optional(text(16)),
  jwks_uri: v.optional(uri),
  jwks: v.optional(jwks),
  software_id: v.optional(text(256)),
  software_version: v.optional(text(64)),
  software_statement: v.optional(text(16_384)),
  application_type: v.optional(v.picklist(['web', 'native'])),
  dpop_bound_access_tokens: v.optional(v.boolean()),
  /** RFC 9126 6 */
  require_pushed_authorization_requests: v.optional(v.boolean()),
  /** Extension: what an RPT that is upgraded becomes (UMA Grant 3.3.5.1); a new string unless the client says otherwise. */
  rpt_upgrade: v.optional(v.picklist(RPT_UPGRADES)),
  /** Extension: false if an RPT for less than the ticket asks for is of no use to the client (UMA Grant 3.3.4); it gets all or nothing. */
  uma_partial: v.optional(v.boolean()),
  /** Extension, of a resource server: RPTs that it introspects, or those that it reads itself (RFC 9068) and that live a minute at most. */
  rpt_format: v.optional(v.picklist(RPT_FORMATS)),
})
export type ClientMetadata = v.InferOutput<typeof clientMetadata>

/** RFC 7591 3.2.1, RFC 7592 3 */
export const clientRegistration = v.looseObject({
  ...clientMetadata.entries,
  client_id: text(2048),
  client_secret: v.optional(text(1024)),
  client_id_issued_at: v.optional(instant),
  /** REQUIRED with a secret; 0 = never. */
  client_secret_expires_at: v.optional(instant),
  registration_access_token: v.optional(text(4096)),
  registration_client_uri: v.optional(uri),
})
export type ClientRegistration = v.InferOutput<typeof clientRegistration>

/** RFC 9126 2.2 */
export const pushedAuthorizationResponse = v.object({ request_uri: text(2048), expires_in: v.pipe(v.number(), v.minValue(1)) })
export type PushedAuthorizationResponse = v.InferOutput<typeof pushedAuthorizationResponse>

const texts = v.optional(v.array(v.string()))

/** RFC 8414 2, with RFC 9126 5, 9207 3, 9449 5.1 and OpenID Connect Discovery 3. Other members are kept. */
export const authorizationServerMetadata = v.looseObject({
  issuer: uri,
  authorization_endpoint: v.optional(uri),
  token_endpoint: v.optional(uri),
  jwks_uri: v.optional(uri),
  registration_endpoint: v.optional(uri),
  revocation_endpoint: v.optional(uri),
  introspection_endpoint: v.optional(uri),
  pushed_authorization_request_endpoint: v.optional(uri),
  userinfo_endpoint: v.optional(uri),
  scopes_supported: texts,
  response_types_supported: texts,
  response_modes_supported: texts,
  grant_types_supported: texts,
  token_endpoint_auth_methods_supported: texts,
  token_endpoint_auth_signing_alg_values_supported: texts,
  code_challenge_methods_supported: texts,
  /** OpenID Connect Prompt Create 1.0 4.1 */
  prompt_values_supported: texts,
  authorization_response_iss_parameter_supported: v.optional(v.boolean()),
  dpop_signing_alg_values_supported: texts,
  client_id_metadata_document_supported: v.optional(v.boolean()),
  subject_types_supported: texts,
  id_token_signing_alg_values_supported: texts,
  service_documentation: v.optional(v.string()),
})
export type AuthorizationServerMetadata = v.InferOutput<typeof authorizationServerMetadata>

/**
 * What an authorization server knows of a client, for whoever decides about it. `push`: it registered itself (RFC 7591); `document`: its id is
 * the address of a document at `host`; `statement`: `issuer`, whom the operator of the server has named, vouches for its name (RFC 7591 2.3).
 */
export const clientKnown = v.object({
  by: v.picklist(['push', 'document', 'statement']),
  /** When it registered. */
  since: v.optional(instant),
  host: v.optional(text(256)),
  issuer: v.optional(text(2048)),
  /** The page that it names as its own, if that lies where its answers go. */
  uri: v.optional(text(2048)),
})
export type ClientKnown = v.InferOutput<typeof clientKnown>

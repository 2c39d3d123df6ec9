// The discovery document (RFC 8414, UMA Grant 2, UMA FedAuthz 2); the same under each well-known name. Only what works is named.
import { Hono } from 'hono'
import { RPT_FORMATS, RPT_UPGRADES } from '../../shared/protocol/oauth.ts'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { UMA_TICKET_GRANT } from '../../shared/protocol/uma-grant.ts'
import { CLAIM_TOKEN_FORMATS } from '../claims/formats.ts'
import type { AppEnv } from '../http/context.ts'
import { JWKS_CACHE } from '../keys/schedule.ts'
import { DPOP_ALGS } from '../tokens/dpop.ts'
import { PROMPTS } from './authorization-request.ts'
import { AUTH_METHODS, CLIENT_ALGS } from './client-auth.ts'
import { INTROSPECTION_ALGS } from './introspection-jwt.ts'

export const PRE_AUTHORIZED_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** Both forms of discovery give this. */
export function serverMetadata(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    // RFC 9126 5: each client may ask for it for itself.
    require_pushed_authorization_requests: false,
    jwks_uri: `${issuer}/jwks`,
    registration_endpoint: `${issuer}/register`,
    revocation_endpoint: `${issuer}/revoke`,
    introspection_endpoint: `${issuer}/introspect`,
    permission_endpoint: `${issuer}/uma/permission`,
    resource_registration_endpoint: `${issuer}/uma/resource`,
    claims_interaction_endpoint: `${issuer}/uma/claims`,
    scopes_supported: ['openid', 'uma_protection', OWNER_SCOPE],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials', UMA_TICKET_GRANT, PRE_AUTHORIZED_CODE_GRANT],
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGS,
    client_id_metadata_document_supported: true,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ALGS,
    introspection_signing_alg_values_supported: INTROSPECTION_ALGS,
    // Extensions: what a client, or a resource server, may register as `rpt_upgrade` (SPECS G-59), `uma_partial` and `rpt_format`.
    rpt_upgrades_supported: RPT_UPGRADES,
    uma_partial_values_supported: [true, false],
    rpt_formats_supported: RPT_FORMATS,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    dpop_signing_alg_values_supported: DPOP_ALGS,
    // OpenID Connect Discovery 3: without a word the second one would count as supported.
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['ES256'],
    // OpenID Connect Prompt Create 4.1
    prompt_values_supported: PROMPTS,
    // SPECS X-CTP-1: claim token formats that a client may push.
    claim_token_profiles_supported: CLAIM_TOKEN_FORMATS,
    // UMA Grant 2, 4: those of them that are URIs.
    uma_profiles_supported: CLAIM_TOKEN_FORMATS.filter((one) => one.includes(':')),
    service_documentation: `${issuer}/`,
  }
}

export const metadata = new Hono<AppEnv>().get('/', (c) =>
  c.json(serverMetadata(c.var.deps.issuer), 200, { 'Cache-Control': 'public, max-age=300' }),
)

/** Public halves of the signing keys (RFC 7517). */
export const jwks = new Hono<AppEnv>().get('/', (c) =>
  c.json({ keys: c.var.deps.keyring.publicJwks }, 200, { 'Cache-Control': `public, max-age=${JWKS_CACHE}` }),
)

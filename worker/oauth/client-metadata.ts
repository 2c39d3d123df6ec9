// What a client may say of itself (RFC 7591 2): which members are kept, which values are refused, which defaults fill the gaps. The same
// rules for whoever registers and whoever changes a registration. Nothing in it is verified but its form.
import type { ClientMetadata } from '../../shared/protocol/oauth.ts'
import { UMA_TICKET_GRANT } from '../../shared/protocol/uma-grant.ts'
import type { Deps } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { callableUrl } from '../http/guarded-fetch.ts'
import { CLIENT_ALGS, fitsAlg, publicKeys } from './client-keys.ts'
import { INTROSPECTION_ALGS } from './introspection-jwt.ts'

export const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

const GRANTS = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  UMA_TICKET_GRANT,
  'urn:ietf:params:oauth:grant-type:pre-authorized_code',
]
/** Members that are kept and echoed; the rest of the request is ignored (RFC 7591 2). */
const KEPT = [
  'redirect_uris',
  'claims_redirect_uris',
  'token_endpoint_auth_method',
  'token_endpoint_auth_signing_alg',
  'introspection_signed_response_alg',
  'jwks',
  'jwks_uri',
  'grant_types',
  'response_types',
  'client_name',
  'client_uri',
  'logo_uri',
  'tos_uri',
  'policy_uri',
  'contacts',
  'scope',
  'software_id',
  'software_version',
  'software_statement',
  'application_type',
  'dpop_bound_access_tokens',
  'require_pushed_authorization_requests',
  'rpt_upgrade',
  'uma_partial',
  'rpt_format',
] as const

type Surroundings = Pick<Deps, 'fetch' | 'now' | 'issuer' | 'env'>

/**
 * The metadata as it will be kept: known members only, defaults filled in.
 * @throws OAuthError `invalid_client_metadata` or `invalid_redirect_uri` (RFC 7591 3.2.2)
 */
export function validMetadata(deps: Surroundings, asked: ClientMetadata): ClientMetadata {
  const kept = Object.entries(asked).filter(
    ([name, value]) => value !== undefined && ((KEPT as readonly string[]).includes(name) || isTranslation(name)),
  )
  const metadata = Object.fromEntries(kept) as ClientMetadata
  const method = metadata.token_endpoint_auth_method ?? 'client_secret_basic'
  if (!(AUTH_METHODS as readonly string[]).includes(method))
    throw refuse(`token_endpoint_auth_method must be one of ${AUTH_METHODS.join(', ')}`)
  // Choice: who does not say gets refresh tokens as well (RFC 7591 3.2.1 lets the server choose): a service works while its owner is away.
  const grants = metadata.grant_types ?? ['authorization_code', 'refresh_token']
  if (!grants.every((grant) => GRANTS.includes(grant))) throw refuse('a grant type is not supported here')
  // RFC 6749 4.4, and an owner has to allow it once (organisation.ts).
  if (grants.includes('client_credentials') && (method === 'none' || !grants.includes('authorization_code')))
    throw refuse('client_credentials is for clients that can prove themselves, beside authorization_code')
  // RFC 7591 2.1: response types belong to the grants.
  const responses = metadata.response_types ?? (grants.includes('authorization_code') ? ['code'] : [])
  if (responses.some((type) => type !== 'code')) throw refuse('the only response type is code')
  checkUris(metadata, grants)
  checkKeys(deps, metadata, method)
  const signed = metadata.introspection_signed_response_alg
  if (signed !== undefined && !INTROSPECTION_ALGS.includes(signed)) throw refuse('introspection answers are signed with ES256')
  for (const [name, value] of kept) if (name === 'client_name' || isTranslation(name)) checkName(value)
  return { ...metadata, token_endpoint_auth_method: method, grant_types: grants, response_types: responses }
}

/**
 * As `validMetadata`, for a client id metadata document (CIMD 4.1), which everybody can read: no method with a shared secret. Choice: who does
 * not name a method has none, since the default of RFC 7591 is such a one.
 */
export function documentMetadata(deps: Surroundings, said: ClientMetadata): ClientMetadata {
  const method = said.token_endpoint_auth_method ?? 'none'
  if (method !== 'none' && method !== 'private_key_jwt') throw refuse('a document has no method with a shared secret')
  // RFC 7591 2.3 speaks of registration: nobody has verified a statement in a document.
  return validMetadata(deps, { ...said, token_endpoint_auth_method: method, software_statement: undefined })
}

const refuse = (description: string, code = 'invalid_client_metadata') => new OAuthError(code, description)
const isTranslation = (name: string): boolean => /^client_name#[\w-]{1,35}$/.test(name)

function checkUris(metadata: ClientMetadata, grants: readonly string[]): void {
  for (const uri of [...(metadata.redirect_uris ?? []), ...(metadata.claims_redirect_uris ?? [])]) {
    if (!isRedirectUri(uri)) {
      throw refuse(
        'redirect URIs are absolute https URIs, http on loopback, or a private scheme with a dot; no fragment, no user name',
        'invalid_redirect_uri',
      )
    }
  }
  if (grants.includes('authorization_code') && metadata.redirect_uris === undefined) {
    throw refuse('the authorization_code grant needs redirect_uris', 'invalid_redirect_uri')
  }
  const links = [metadata.client_uri, metadata.logo_uri, metadata.tos_uri, metadata.policy_uri].filter((uri) => uri !== undefined)
  if (!links.every((uri) => /^https?:$/.test(URL.parse(uri)?.protocol ?? ''))) throw refuse('links of a client are http or https URIs')
}

/** RFC 7591 2: `jwks` or `jwks_uri`, public keys only, at an address that the server may call; needed by who signs. */
function checkKeys(deps: Surroundings, metadata: ClientMetadata, method: string): void {
  const { jwks, jwks_uri, token_endpoint_auth_signing_alg: alg } = metadata
  if (jwks !== undefined && jwks_uri !== undefined) throw refuse('jwks and jwks_uri exclude each other')
  if (jwks_uri !== undefined && callableUrl(deps, jwks_uri) === undefined)
    throw refuse('jwks_uri must be a public https address with a port where web servers listen')
  const keys = jwks === undefined ? undefined : publicKeys(jwks)
  if (jwks !== undefined && keys === undefined) throw refuse('jwks must hold public keys only')
  if (alg !== undefined && !CLIENT_ALGS.includes(alg))
    throw refuse(`token_endpoint_auth_signing_alg must be one of ${CLIENT_ALGS.join(', ')}`)
  if (method !== 'private_key_jwt') return
  if (jwks === undefined && jwks_uri === undefined) throw refuse('private_key_jwt needs jwks or jwks_uri')
  const algs = alg === undefined ? CLIENT_ALGS : [alg]
  if (keys !== undefined && !keys.some((key) => algs.some((one) => fitsAlg(key, one))))
    throw refuse('no key in jwks fits a supported algorithm')
}

// Controls and marks that turn the direction of writing: they make one name look like another.
const DECEIVING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** Names are shown to people, as text that nobody has verified. */
function checkName(name: unknown): void {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 256 || DECEIVING.test(name)) {
    throw refuse('client_name is a text of at most 256 characters without control characters')
  }
}

/** RFC 9700 2.1, RFC 8252 7: https anywhere, http on loopback, private schemes named by a reversed domain. */
function isRedirectUri(text: string): boolean {
  const url = URL.parse(text)
  // RFC 3986 2: a URI is ASCII; it is compared and sent letter by letter.
  if (url === null || !/^[\x21-\x7e]+$/.test(text) || /[#\\]/.test(text) || url.username !== '' || url.password !== '') return false
  // Browsers read `https:/x` and `https:x` as `https://x`; whoever compares by eye does not.
  if (/^https?:/i.test(text) && !/^https?:\/\/[^/?]/i.test(text)) return false
  if (url.protocol === 'https:') return /^([\w.-]+|\[[\da-f:.]+\])$/.test(url.hostname)
  if (url.protocol === 'http:') return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol)
}

// Wire schema of OAuth 2.0 protected resource metadata (RFC 9728 2). Where they lie and how they are served is resource-metadata.ts.
import * as v from 'valibot'

/** RFC 9728 3: put between the host and the path of the resource. */
export const PROTECTED_RESOURCE_PATH = '/.well-known/oauth-protected-resource'
/** RFC 9728 5.1: parameter of a challenge in `WWW-Authenticate`. */
export const RESOURCE_METADATA = 'resource_metadata'

const address = v.pipe(v.string(), v.maxLength(2048), v.url())
const texts = v.array(v.string())

/** RFC 9728 2: only `resource` must be there; members that are not known are ignored. */
export const protectedResourceMetadata = v.looseObject({
  resource: address,
  authorization_servers: v.optional(v.array(address)),
  jwks_uri: v.optional(address),
  scopes_supported: v.optional(texts),
  bearer_methods_supported: v.optional(v.array(v.picklist(['header', 'body', 'query']))),
  resource_signing_alg_values_supported: v.optional(texts),
  resource_name: v.optional(v.string()),
  resource_documentation: v.optional(address),
  resource_policy_uri: v.optional(address),
  resource_tos_uri: v.optional(address),
  authorization_details_types_supported: v.optional(texts),
  dpop_signing_alg_values_supported: v.optional(texts),
  dpop_bound_access_tokens_required: v.optional(v.boolean()),
})
export type ProtectedResourceMetadata = v.InferOutput<typeof protectedResourceMetadata>

// Wire schemas of the credential endpoints (OpenID4VCI 1.0).
import * as v from 'valibot'

/** OpenID4VCI 1.0, 8.2 */
export const credentialRequest = v.object({
  credential_configuration_id: v.optional(v.string()),
  credential_identifier: v.optional(v.string()),
  proofs: v.object({ jwt: v.pipe(v.array(v.pipe(v.string(), v.maxLength(4096))), v.minLength(1)) }),
})

/** OpenID4VCI 1.0, 6.1 */
export const preAuthorizedCodeRequest = v.object({
  grant_type: v.literal('urn:ietf:params:oauth:grant-type:pre-authorized_code'),
  'pre-authorized_code': v.pipe(v.string(), v.minLength(1), v.maxLength(8192)),
})
/** OpenID4VCI 1.0, 8.3 */
export const credentialResponse = v.object({ credentials: v.array(v.object({ credential: v.string() })) })
/** OpenID4VCI 1.0, 7.2 */
export const nonceResponse = v.object({ c_nonce: v.string() })
/** OpenID4VCI 1.0, 12.2 */
export const issuerMetadata = v.looseObject({
  credential_issuer: v.pipe(v.string(), v.url()),
  credential_endpoint: v.pipe(v.string(), v.url()),
  nonce_endpoint: v.optional(v.pipe(v.string(), v.url())),
  credential_configurations_supported: v.record(v.string(), v.looseObject({ format: v.string() })),
})

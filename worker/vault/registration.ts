// The vault as two OAuth parties (DESIGN 4): what each of them says about itself when it registers. Pure.
import { type ClientMetadata, PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { UMA_TICKET_GRANT } from '../../shared/protocol/uma-grant.ts'

/** The vault's part: it registers things and signs their owner in, or it carries a guest to the proof. */
export type Role = 'service' | 'guest'

/** RFC 7591 2: what the vault says about itself; `origin` decides where people are sent back to. */
export function registrationOf(role: Role, origin: string): ClientMetadata {
  const common = { client_name: 'Vault', client_uri: origin, token_endpoint_auth_method: 'client_secret_basic' }
  return role === 'service'
    ? {
        ...common,
        redirect_uris: [`${origin}/signed-in`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        scope: `openid ${PROTECTION_SCOPE}`,
      }
    : // UMA Grant 2: claims redirect URIs are registered apart from redirect URIs. UMA Grant 3.3.4: a scope can only be asked for if registered.
      { ...common, claims_redirect_uris: [`${origin}/claims/back`], grant_types: [UMA_TICKET_GRANT], scope: 'view download' }
}

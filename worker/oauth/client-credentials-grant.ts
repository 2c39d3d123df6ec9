// The client credentials grant (RFC 6749 4.4): a PAT for the organisation that has allowed the client to act for it (organisation.ts). No
// refresh token comes with it (4.4.3): the client's own credentials are one.
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { scopeOf } from '../http/form.ts'
import { ownerActedFor } from '../store/organisations.ts'
import { connectionKeyOf, newConnectionKey, wrapKey } from '../tokens/connection-key.ts'
import { mintToken } from '../tokens/opaque.ts'
import { ACCESS_LIFETIME } from './authorization-code-grant.ts'
import { isOwnResource } from './authorization-request.ts'
import type { GrantInput } from './token.ts'

/**
 * @returns the JSON of RFC 6749 5.1
 * @throws OAuthError `unauthorized_client` for a client without credentials, or for which no owner has allowed this (any more)
 */
export async function clientCredentialsGrant({
  call,
  params,
  resources,
  client,
  jkt,
  proof,
}: GrantInput): Promise<Record<string, unknown>> {
  const { deps } = call
  const refused = (why: string) => new OAuthError('unauthorized_client', why)
  // > The client credentials grant type MUST only be used by confidential clients. (RFC 6749 4.4)
  if (client.isPublic) throw refused('this grant is for clients that can prove themselves')
  if (!resources.every((one) => isOwnResource(one, deps.issuer))) throw new OAuthError('invalid_target', 'resource is not at this server')
  if (scopeOf(params).some((one) => one !== PROTECTION_SCOPE)) throw new OAuthError('invalid_scope', `ask for ${PROTECTION_SCOPE}`)
  const nobody = () => refused('no owner has allowed this client to act by itself; connect it with the authorization code grant')
  const owner = await ownerActedFor(call.deps.env.DB, client.id)
  if (owner === undefined) throw nobody()
  const access = await mintToken(deps.keyring, 'p', owner)
  // Choice: who signs has no secret to derive a key from, and reads what it wrote with the same token only.
  const key = client.secret === undefined ? newConnectionKey() : await connectionKeyOf(client.secret, owner)
  const now = seconds(deps)
  const done = await ownerObject(call.deps.env, owner).tokenByItself({
    client_id: client.id,
    token: {
      hash: access.hash,
      kind: 'p',
      scope: PROTECTION_SCOPE,
      jkt: jkt ?? null,
      keep: await wrapKey(key, access.token),
      exp: now + ACCESS_LIFETIME,
    },
    ...(proof === undefined ? {} : { proof }),
    now,
  })
  if (done === 'replayed') throw new OAuthError('invalid_dpop_proof', 'this DPoP proof was used before; send a fresh one')
  if (done === 'gone') throw nobody()
  return {
    access_token: access.token,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: ACCESS_LIFETIME,
    scope: PROTECTION_SCOPE,
  }
}

// Refresh (RFC 6749 6) of a PAT or a wallet's token. Refresh tokens do not rotate: they are bound to a client secret or to a DPoP key
// (RFC 9700 2.2.2 asks for one of the two). No assessment happens here; what was disconnected gets nothing.
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { required, scopeOf } from '../http/form.ts'
import { rewrap } from '../tokens/connection-key.ts'
import { mintToken, type ReadToken, readToken, type TokenKind } from '../tokens/opaque.ts'
import { ACCESS_LIFETIME } from './authorization-code-grant.ts'
import { isOwnResource } from './authorization-request.ts'
import type { Grant, GrantInput } from './token.ts'

/** A refresh of another kind of token: what was presented has been read, not found. */
export type Refresh = (input: GrantInput, presented: ReadToken) => Promise<Record<string, unknown>>

/** The grant; `others` are the kinds of refresh tokens that are not OAuth's own. */
export function refreshTokenGrant(others: Partial<Record<TokenKind, Refresh>>): Grant {
  return async function refreshToken(input) {
    const text = required(input.params, 'refresh_token')
    const presented = await readToken(input.call.deps.keyring, text)
    if (presented === undefined) throw refused()
    return presented.kind === 'f' ? refresh(input, text, presented) : (others[presented.kind] ?? refuse)(input, presented)
  }
}

const refused = () => new OAuthError('invalid_grant', 'the refresh token is not valid for this client and key; connect again')
const refuse: Refresh = () => Promise.reject(refused())

async function refresh(
  { call, params, resources, client, jkt, proof }: GrantInput,
  text: string,
  presented: ReadToken,
): Promise<Record<string, unknown>> {
  const { deps } = call
  if (!resources.every((one) => isOwnResource(one, deps.issuer))) throw new OAuthError('invalid_target', 'resource is not at this server')
  const asked = scopeOf(params)
  const now = seconds(deps)
  const owner = ownerObject(call.deps.env, presented.owner)
  const row = await owner.refreshRow({ hash: presented.hash, client_id: client.id, jkt: client.isPublic ? (jkt ?? null) : null, now })
  if (row === undefined) throw refused()
  const granted = row.scope.split(' ')
  if (!asked.every((one) => granted.includes(one))) throw new OAuthError('invalid_scope', 'ask for no more than was consented to')
  // RFC 6749 6: what is asked for, or all of it; the refresh token itself stays as it is.
  const scope = asked.length === 0 ? row.scope : asked.join(' ')
  const kind = granted.includes(PROTECTION_SCOPE) ? 'p' : 'w'
  const access = await mintToken(deps.keyring, kind, presented.owner)
  const token = {
    hash: access.hash,
    kind,
    scope,
    jkt: jkt ?? null,
    keep: row.keep === null ? null : await rewrap(row.keep, text, access.token),
    exp: now + ACCESS_LIFETIME,
  } as const
  const done = await owner.refreshed({ hash: presented.hash, token, ...(proof === undefined ? {} : { proof }), now })
  if (done === 'replayed') throw new OAuthError('invalid_dpop_proof', 'this DPoP proof was used before; send a fresh one')
  if (done === 'gone') throw refused()
  return { access_token: access.token, token_type: jkt === undefined ? 'Bearer' : 'DPoP', expires_in: ACCESS_LIFETIME, scope }
}

// The authorization code grant (RFC 6749 4.1.3, RFC 7636): a PAT with an ID token for a service, an owner token for a wallet.
// The code is spent by the owner's object in the turn that stores the tokens; a second use ends them (RFC 6749 4.1.2).
import { SignJWT } from 'jose'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { unavailable } from '../http/bearer.ts'
import { type Deps, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { required } from '../http/form.ts'
import { isFull, quotaExceeded } from '../http/quota.ts'
import type { NewToken } from '../objects/owner-tokens.ts'
import { connectionKeyOf, newConnectionKey, wrapKey } from '../tokens/connection-key.ts'
import { mintToken, randomSecret, sha256 } from '../tokens/opaque.ts'
import { isOwnResource } from './authorization-request.ts'
import type { CodeGrant } from './authorize.ts'
import { willActFor } from './organisation.ts'
import type { GrantInput } from './token.ts'

/** Seconds. Refresh tokens live half a year after the last connection. */
export const ACCESS_LIFETIME = 3600
export const REFRESH_LIFETIME = 180 * 86_400

export async function authorizationCodeGrant({ call, params, resources, client, jkt }: GrantInput): Promise<Record<string, unknown>> {
  const { deps } = call
  const now = seconds(deps)
  if (!resources.every((one) => isOwnResource(one, deps.issuer))) throw new OAuthError('invalid_target', 'resource is not at this server')
  const refused = (why: string) => new OAuthError('invalid_grant', why)
  const code = (await deps.keyring.open('code', required(params, 'code'))) as CodeGrant | undefined
  if (code === undefined || code.client_id !== client.id) throw refused('the code is not valid for this client')
  // RFC 7636 4.6: always demanded, since every code was issued with a challenge.
  const verifier = params.get('code_verifier')
  if (verifier === undefined || !/^[\w.~-]{43,128}$/.test(verifier) || (await sha256(verifier)) !== code.code_challenge)
    throw refused('the code_verifier does not match')
  const redirectUri = params.get('redirect_uri')
  if (redirectUri !== undefined && redirectUri !== code.redirect_uri) throw refused('redirect_uri differs from the authorization request')
  if (code.dpop_jkt !== undefined && code.dpop_jkt !== jkt) throw refused('the DPoP key differs from the authorization request')
  // RFC 9449 5, RFC 9700 2.2.2: what a public client gets is bound to its key.
  if (client.isPublic && jkt === undefined) throw new OAuthError('invalid_dpop_proof', 'a public client must send a DPoP proof')

  const isStanding = code.standing === true && !client.isPublic
  if (isStanding && !(await willActFor(call.deps.env, client.id, code.owner))) throw refused('the client acts for another owner already')
  const isWallet = code.scope.split(' ').includes(OWNER_SCOPE)
  const kind = isWallet ? 'w' : 'p'
  // RFC 7591 2: who did not register for refresh tokens could not use one.
  const isRefreshable = (client.metadata.grant_types ?? []).includes('refresh_token')
  const [access, refresh, key] = [
    await mintToken(deps.keyring, kind, code.owner),
    await mintToken(deps.keyring, 'f', code.owner),
    client.secret === undefined ? newConnectionKey() : await connectionKeyOf(client.secret, code.owner),
  ]
  const common = { scope: code.scope, jkt: jkt ?? null }
  const keep = async (token: string) => (isWallet ? null : wrapKey(key, token))
  const tokens: NewToken[] = [{ ...common, kind, hash: access.hash, keep: await keep(access.token), exp: now + ACCESS_LIFETIME }]
  if (isRefreshable) {
    // A confidential client's refresh token is bound to its secret, not to the key of the day.
    const bound = client.isPublic ? (jkt ?? null) : null
    tokens.push({ ...common, kind: 'f', jkt: bound, hash: refresh.hash, keep: await keep(refresh.token), exp: now + REFRESH_LIFETIME })
  }
  const done = await ownerObject(call.deps.env, code.owner).connectClient({
    now,
    code: { jti: code.jti, exp: now + 86_400 },
    connection: {
      id: randomSecret(12),
      kind: isWallet ? 'wallet' : 'service',
      client_id: client.id,
      scope: code.scope,
      wrapped_label_key: code.wrapped_label_key ?? null,
    },
    // An expired code is still presented: if it was used before, its tokens end.
    tokens: code.exp > now ? tokens : [],
    expired: code.exp <= now,
    standing: isStanding,
  })
  if (done.kind === 'unavailable') throw unavailable()
  if (done.kind === 'refused' && isFull(done.reason)) throw quotaExceeded(done.reason)
  if (done.kind !== 'done') throw refused('the code was used before or is too old')
  return {
    access_token: access.token,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: ACCESS_LIFETIME,
    ...(isRefreshable ? { refresh_token: refresh.token } : {}),
    scope: code.scope,
    ...(code.scope.split(' ').includes('openid')
      ? { id_token: await idToken(deps, code, client.id, new URL(code.redirect_uri).host) }
      : {}),
  }
}

/** OpenID Connect Core 2. The subject is pairwise: another service cannot tell that it is the same owner. */
async function idToken(deps: Deps, code: CodeGrant, clientId: string, sector: string): Promise<string> {
  const now = seconds(deps)
  const { kid, privateKey } = deps.keyring.signing
  return new SignJWT({ ...(code.nonce === undefined ? {} : { nonce: code.nonce }), auth_time: code.auth_time })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer(deps.issuer)
    .setSubject(await deps.keyring.mac('subject', `${sector}\0${code.owner}`))
    .setAudience(clientId)
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(privateKey)
}

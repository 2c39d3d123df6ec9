// Becoming an owner's wallet at a server: dynamic registration (RFC 7591), authorization code with PKCE (RFC 7636), DPoP (RFC 9449) and
// `iss` (RFC 9207). Network only; background/connect.ts keeps the state between the steps.
import * as oauth from 'oauth4webapi'
import { toBase64url } from '../../shared/base64url.ts'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { LABEL_JWK_PARAM } from '../../shared/protocol/wallet.ts'
import { WalletError } from '../errors.ts'
import { keyPairFor, publicJwk } from '../wallet/keys.ts'
import { asWalletError, type Metadata, options, withNonceRetry } from './oauth.ts'

export const WALLET_NAME = 'Latchkey wallet'
export const WALLET_SCOPE = `openid ${OWNER_SCOPE}`

/** Tokens of RFC 6749 5.1 as the wallet keeps them; the time in seconds since 1970. */
export type Tokens = { access_token: string; access_expires_at: number; refresh_token?: string }

const seconds = (): number => Math.floor(Date.now() / 1000)

const tokensOf = (answer: oauth.TokenEndpointResponse): Tokens => ({
  access_token: answer.access_token,
  access_expires_at: seconds() + (answer.expires_in ?? 300),
  ...(answer.refresh_token === undefined ? {} : { refresh_token: answer.refresh_token }),
})

/** RFC 7591: registers this wallet as a public client and answers its client_id. Throws `rejected`, `unreachable`. */
export const register = async (metadata: Metadata, redirectUri: string): Promise<string> => {
  try {
    const response = await oauth.dynamicClientRegistrationRequest(
      metadata,
      {
        client_name: WALLET_NAME,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        scope: WALLET_SCOPE,
        dpop_bound_access_tokens: true,
        id_token_signed_response_alg: 'ES256',
        application_type: 'native',
      },
      options(metadata.issuer),
    )
    return (await oauth.processDynamicClientRegistrationResponse(response)).client_id
  } catch (error) {
    throw asWalletError(error)
  }
}

export type Secrets = { verifier: string; state: string; nonce: string }

export const makeSecrets = (): Secrets => ({
  verifier: oauth.generateRandomCodeVerifier(),
  state: oauth.generateRandomState(),
  nonce: oauth.generateRandomNonce(),
})

/** RFC 6749 4.1.1: where to send the person. Carries the device key, to which the server's page wraps the owner's label key. */
export const authorizationUrl = async (metadata: Metadata, clientId: string, redirectUri: string, secrets: Secrets): Promise<string> => {
  if (typeof metadata.authorization_endpoint !== 'string') throw new WalletError('no_server', 'no authorization_endpoint')
  const device = await publicJwk((await keyPairFor('device', metadata.issuer)).publicKey)
  const url = new URL(metadata.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: WALLET_SCOPE,
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(secrets.verifier),
    code_challenge_method: 'S256',
    [LABEL_JWK_PARAM]: toBase64url(new TextEncoder().encode(JSON.stringify(device))),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

const dpopFor = async (client: oauth.Client, issuer: string): Promise<oauth.DPoPHandle> =>
  oauth.DPoP(client, await keyPairFor('dpop', issuer))

/**
 * RFC 6749 4.1.2-4.1.4, RFC 9207 2.4: checks the redirect (state, iss, error) and redeems the code with PKCE and DPoP.
 * Throws `declined` when the person or the server said no, `ended` when the code is spent or too old, `no_server` when an answer is not sound.
 */
export const redeem = async (
  metadata: Metadata,
  clientId: string,
  redirectUri: string,
  secrets: Secrets,
  redirect: string,
): Promise<Tokens> => {
  const client: oauth.Client = { client_id: clientId, id_token_signed_response_alg: 'ES256' }
  try {
    const parameters = oauth.validateAuthResponse(metadata, client, new URL(redirect), secrets.state)
    const DPoP = await dpopFor(client, metadata.issuer)
    const answer = await withNonceRetry(async () =>
      oauth.processAuthorizationCodeResponse(
        metadata,
        client,
        await oauth.authorizationCodeGrantRequest(metadata, client, oauth.None(), parameters, redirectUri, secrets.verifier, {
          ...options(metadata.issuer),
          DPoP,
        }),
        { expectedNonce: secrets.nonce, requireIdToken: true },
      ),
    )
    return tokensOf(answer)
  } catch (error) {
    throw asWalletError(error)
  }
}

/** RFC 6749 6, RFC 9449 5: new access token for the DPoP-bound refresh token. Throws `ended` when the server no longer takes it. */
export const refresh = async (metadata: Metadata, clientId: string, refreshToken: string): Promise<Tokens> => {
  const client: oauth.Client = { client_id: clientId, id_token_signed_response_alg: 'ES256' }
  try {
    const DPoP = await dpopFor(client, metadata.issuer)
    const answer = await withNonceRetry(async () =>
      oauth.processRefreshTokenResponse(
        metadata,
        client,
        await oauth.refreshTokenGrantRequest(metadata, client, oauth.None(), refreshToken, { ...options(metadata.issuer), DPoP }),
      ),
    )
    return tokensOf(answer)
  } catch (error) {
    throw asWalletError(error)
  }
}

/** RFC 7009: tells the server that the wallet forgets this token. A server that does not answer does not stop the forgetting. */
export const revoke = async (metadata: Metadata, clientId: string, token: string): Promise<void> => {
  if (typeof metadata.revocation_endpoint !== 'string') return
  const client: oauth.Client = { client_id: clientId }
  try {
    await oauth.processRevocationResponse(await oauth.revocationRequest(metadata, client, oauth.None(), token, options(metadata.issuer)))
  } catch {
    // The connection can still be ended on the server's own page; keeping the wallet connected here would help nobody.
  }
}

// The pre-authorized code grant (OpenID4VCI 1.0, 6): an offer from the claims page becomes a short token for the credential endpoint.
// No client is authenticated: the code came out of this person's browser, once, and the token is bound to the wallet's key.
import { CREDENTIAL_TOKEN_LIFETIME, type CredentialToken, type Offer } from '../claims/credential-offer.ts'
import { type Call, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Params, required } from '../http/form.ts'
import { negotiationObject } from '../http/mailed-code.ts'

/**
 * @returns the JSON of RFC 6749 5.1.
 * @throws OAuthError `invalid_dpop_proof` without a key, `invalid_grant` for a code that is not ours, expired or taken
 */
export async function preAuthorizedCodeGrant({
  call,
  params,
  jkt,
}: {
  call: Call
  params: Params
  jkt: string | undefined
}): Promise<Record<string, unknown>> {
  const code = required(params, 'pre-authorized_code')
  // A code that was seen on its way (CLAIMS 11 #31) is worth nothing without the key that comes with it first.
  if (jkt === undefined) throw new OAuthError('invalid_dpop_proof', 'send a DPoP proof: the token is bound to the key of the wallet')
  const { deps } = call
  const now = seconds(deps)
  const offer = (await deps.keyring.open('offer', code)) as Offer | undefined
  if (offer === undefined || offer.exp <= now) throw invalidCode()
  if (offer.client_id !== undefined) call.client = offer.client_id
  const token: CredentialToken = {
    email: offer.email,
    controlled_at: offer.controlled_at,
    jti: offer.jti,
    exp: now + CREDENTIAL_TOKEN_LIFETIME,
    ...(offer.client_id === undefined ? {} : { client_id: offer.client_id }),
    jkt,
  }
  const access_token = await deps.keyring.seal('credential-token', token)
  if (!(await negotiationObject(deps.env, offer.negotiation).takeOffer({ jti: offer.jti }))) throw invalidCode()
  return { access_token, token_type: 'DPoP', expires_in: CREDENTIAL_TOKEN_LIFETIME }
}

const invalidCode = () =>
  new OAuthError('invalid_grant', 'the pre-authorized code is expired or was used; keep the proof again from the page')

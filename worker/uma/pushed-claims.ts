// What a client pushed with a token request (UMA Grant 3.3.1): the verifiers of worker/claims, and what they ask of the surroundings.
import { verifyClaimToken } from '../claims/formats.ts'
import { type Call, oneTimeObject, seconds } from '../http/context.ts'
import type { Params } from '../http/form.ts'
import { trustedIssuer } from '../oauth/trusted-issuer.ts'
import type { Evidence } from '../policy/evidence.ts'
import { sha256 } from '../tokens/opaque.ts'

/** Seconds that a `jti` is remembered beyond the end of its token: as long as clocks may differ, and one more. */
const REMEMBERED = 61

/**
 * What the claim token in a request shows: a token that is no good counts as none, and the answer is need_info, not an error (UMA Grant
 * 3.3.6). `jkt`: the key that the request proves. @throws OAuthError 503 if it cannot be looked up now who may vouch, 429 for a network that
 * makes this server ask for keys too often; nothing is spent then
 */
export async function pushedEvidence(
  call: Call,
  request: { params: Params; ticket: string; owner: string; client: string; jkt: string | undefined },
): Promise<Evidence[]> {
  const { deps } = call
  const { params, ticket, owner, client, jkt } = request
  const [token, format] = [params.get('claim_token'), params.get('claim_token_format')]
  if (token === undefined || format === undefined) return []
  const now = seconds(deps)
  const verdict = await verifyClaimToken(deps.keyring, {
    token,
    format,
    ticket,
    issuer: deps.issuer,
    client,
    ...(jkt === undefined ? {} : { jkt }),
    now,
    issuerOf: (iss) => trustedIssuer(call, owner, iss),
    takeOnce: async ({ issuer, jti, exp }) => {
      // Each owner believes an issuer for herself: what another one's registration brings uses nothing up here.
      const once = oneTimeObject(call.deps.env, await deps.keyring.mac('limit', `claim-token\0${owner}\0${issuer}`))
      return once.take({ key: await sha256(jti.toWellFormed()), exp: exp + REMEMBERED, now })
    },
  })
  return verdict.kind === 'evidence' ? verdict.evidence : []
}

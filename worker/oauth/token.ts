// The token endpoint (RFC 6749 3.2): authenticates the client, checks a DPoP proof if there is one, hands over to the grant.
// Grants come from the table that app.ts gives, so that OAuth knows nothing of UMA.
import { type Call, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { fieldsIn, type Params, paramsOf, required } from '../http/form.ts'
import { countNetwork, refuseResting } from '../http/network-limits.ts'
import { answerTokens, type Endpoint } from '../http/straight.ts'
import type { Proof } from '../objects/owner-tokens.ts'
import { verifyDpop } from '../tokens/dpop.ts'
import { type AuthenticatedClient, authenticateClient } from './client-auth.ts'

/** `resources` are what the client named with `resource` (RFC 8707); `jkt` is the key that the request proves (RFC 9449 5), `proof` the proof for those who must see that it is new. */
export type GrantInput = {
  call: Call
  params: Params
  resources: string[]
  client: AuthenticatedClient
  jkt: string | undefined
  proof?: Proof
}
/** A grant returns the JSON of RFC 6749 5.1 or throws OAuthError. */
export type Grant = (input: GrantInput) => Promise<Record<string, unknown>>
/** Grants that have no client but the holder of a code and a key (OpenID4VCI). */
export type ClientlessGrant = (input: Omit<GrantInput, 'client' | 'proof' | 'resources'>) => Promise<Record<string, unknown>>

/** Refusals of which a network may have only so many: those that somebody who guesses would get. */
const COUNTED = ['invalid_client', 'invalid_grant']

/** The endpoint, with its grants by `grant_type`. */
export function token(grants: Record<string, Grant>, clientless: Record<string, ClientlessGrant>): Endpoint {
  return async (call) => {
    refuseResting(call)
    try {
      return answerTokens(await answer(call))
    } catch (error) {
      if (error instanceof OAuthError && COUNTED.includes(error.code)) await countNetwork(call, 'refusal')
      throw error
    }
  }

  async function answer(call: Call): Promise<Record<string, unknown>> {
    const fields = await fieldsIn(call.request)
    // RFC 8707 2: the one parameter that may be there more than once.
    const params = paramsOf(fields, ['resource'])
    const resources = fields.flatMap(([name, value]) => (name === 'resource' && value !== '' ? [value] : []))
    const type = required(params, 'grant_type')
    const bare = Object.hasOwn(clientless, type) ? clientless[type] : undefined
    const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
    const proof = grant === undefined && bare === undefined ? undefined : await dpopProof(call)
    const jkt = proof?.jkt
    if (bare !== undefined) return bare({ call, params, jkt })
    if (grant === undefined) throw new OAuthError('unsupported_grant_type', 'this grant type is not supported; see grant_types_supported')
    const client = await authenticateClient(call, params)
    if (!(client.metadata.grant_types ?? []).includes(type))
      throw new OAuthError('unauthorized_client', 'the client did not register for this grant type')
    if (client.metadata.dpop_bound_access_tokens === true && jkt === undefined)
      throw new OAuthError('invalid_dpop_proof', 'the client registered for DPoP: send a proof')
    return grant({ call, params, resources, client, jkt, ...(proof === undefined ? {} : { proof }) })
  }
}

/** RFC 9449 5: the proof that the request carries, if any. Codes and tickets are spent, and their proofs with them. */
async function dpopProof({ request, deps }: Call): Promise<Proof | undefined> {
  const header = request.headers.get('dpop')
  if (header === null) return undefined
  const verdict = await verifyDpop({ header, method: 'POST', url: `${deps.issuer}/token`, now: seconds(deps) })
  if (verdict.kind === 'invalid') throw new OAuthError('invalid_dpop_proof', 'send a fresh DPoP proof for this endpoint')
  return verdict.kind === 'ok' ? { jkt: verdict.jkt, jti: verdict.jti, iat: verdict.iat } : undefined
}

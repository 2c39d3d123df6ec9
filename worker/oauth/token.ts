// The token endpoint (RFC 6749 3.2): authenticates the client, checks a DPoP proof if there is one, hands over to the grant.
// Grants come from the table that app.ts gives, so that OAuth knows nothing of UMA.
import { Hono } from 'hono'
import { type AppContext, type AppEnv, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Params, readForm, required } from '../http/form.ts'
import { verifyDpop } from '../tokens/dpop.ts'
import { type AuthenticatedClient, authenticateClient } from './client-auth.ts'

export type GrantInput = { c: AppContext; params: Params; client: AuthenticatedClient; jkt: string | undefined }
/** A grant returns the JSON of RFC 6749 5.1 or throws OAuthError. */
export type Grant = (input: GrantInput) => Promise<Record<string, unknown>>
/** Grants that have no client but the holder of a code and a key (OpenID4VCI). */
export type ClientlessGrant = (input: Omit<GrantInput, 'client'>) => Promise<Record<string, unknown>>

export function token(grants: Record<string, Grant>, clientless: Record<string, ClientlessGrant>) {
  return new Hono<AppEnv>().post('/', async (c) => {
    const params = await readForm(c, ['resource'])
    const type = required(params, 'grant_type')
    const bare = Object.hasOwn(clientless, type) ? clientless[type] : undefined
    const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
    if (grant === undefined && bare === undefined) throw new OAuthError('unsupported_grant_type', 'this grant type is not supported; see grant_types_supported')
    const jkt = await dpopKey(c)
    let body: Record<string, unknown>
    if (bare !== undefined) body = await bare({ c, params, jkt })
    else {
      const client = await authenticateClient(c, params)
      if (!(client.metadata.grant_types ?? []).includes(type)) throw new OAuthError('unauthorized_client', 'the client did not register for this grant type')
      if (client.metadata.dpop_bound_access_tokens === true && jkt === undefined) throw new OAuthError('invalid_dpop_proof', 'the client registered for DPoP: send a proof')
      body = await (grant as Grant)({ c, params, client, jkt })
    }
    // RFC 6749 5.1
    return c.json(body, 200, { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
  })
}

/** RFC 9449 5: thumbprint of the key that the request proves, if it carries a proof. Codes and tickets are spent, so is the proof. */
async function dpopKey(c: AppContext): Promise<string | undefined> {
  const { deps } = c.var
  const verdict = await verifyDpop({ header: c.req.header('dpop'), method: 'POST', url: `${deps.issuer}/token`, now: seconds(deps) })
  if (verdict.kind === 'invalid') throw new OAuthError('invalid_dpop_proof', 'send a fresh DPoP proof for this endpoint')
  return verdict.kind === 'ok' ? verdict.jkt : undefined
}

// How far a client is known, for rules that ask for it (POLICY 2, `client_trust`).
import type { Call } from '../http/context.ts'
import type { ClientTrust } from '../policy/policy.ts'
import type { Client } from '../store/clients.ts'
import { isVouchedFor } from './software-statement.ts'

/**
 * What the client has shown of itself: registered by itself, or known by the document at its address; vouched for by a software statement;
 * holding a key of this installation (WG 2011-02-24: instances of software).
 */
export function clientTrust({ deps }: Call, client: Client, jkt: string | undefined): ClientTrust[] {
  return [
    client.id.startsWith('https://') ? 'pulled' : 'pushed',
    ...(isVouchedFor(deps.env, client) ? ['attested' as const] : []),
    ...(jkt === undefined ? [] : ['instance_key' as const]),
  ]
}

/** The same of a client that is not here, as it usually comes. DESIGN decision 12: a public one always proves a key. */
export const usualTrust = (call: Call, client: Client): ClientTrust[] => {
  const { token_endpoint_auth_method, dpop_bound_access_tokens } = client.metadata
  const provesKey = token_endpoint_auth_method === 'none' || dpop_bound_access_tokens === true
  return clientTrust(call, client, provesKey ? client.id : undefined)
}

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

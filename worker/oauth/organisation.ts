// Clients that act for an organisation (UMA FedAuthz 1.3, RFC 6749 4.4): the owner, signed in, allows once that the client gets its tokens by
// itself from then on. One client acts for one owner, the first who allows it, until that owner disconnects it: so nobody can come in between
// and be taken for the owner whose things the client keeps.
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { ownerObject } from '../http/context.ts'
import type { Client } from '../store/clients.ts'
import { noteActsFor, ownerActedFor } from '../store/organisations.ts'

export const CLIENT_CREDENTIALS = 'client_credentials'

/** Whether connecting this client with this scope means that it will get tokens by itself. */
export const wouldActByItself = (client: Client, scope: string): boolean =>
  (client.metadata.grant_types ?? []).includes(CLIENT_CREDENTIALS) && scope.split(' ').includes(PROTECTION_SCOPE)

/** `own`: it acts for this owner; `foreign`: for another; `nobody`: for none, or for one who has disconnected it. */
export async function actsFor(env: Env, clientId: string, owner: string): Promise<{ whom: 'own' | 'foreign' | 'nobody'; known?: string }> {
  const known = await ownerActedFor(env.DB, clientId)
  if (known === undefined || !(await ownerObject(env, known).actsByItself({ client_id: clientId }))) {
    return { whom: 'nobody', ...(known === undefined ? {} : { known }) }
  }
  return { whom: known === owner ? 'own' : 'foreign', known }
}

/** Notes, before it is connected, that a client will act for this owner; false if it acts for another one. */
export async function willActFor(env: Env, clientId: string, owner: string): Promise<boolean> {
  const { whom, known } = await actsFor(env, clientId, owner)
  return whom !== 'foreign' && (await noteActsFor(env.DB, clientId, owner, known))
}

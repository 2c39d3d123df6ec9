// What a decision rests on besides proofs (worker/objects/owner-world.ts): how the client is known, what the requesting party wants it for,
// what the resource server said when it asked for the ticket.

import { policyMac } from '../claims/address.ts'
import { LINK, linkValue } from '../claims/types.ts'
import type { Call } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import type { Params } from '../http/form.ts'
import { clientTrust } from '../oauth/client-trust.ts'
import type { Circumstances } from '../objects/owner-world.ts'
import type { Client } from '../store/clients.ts'
import type { Ticket } from '../tokens/ticket.ts'

const MAX_PURPOSE = 256
const MAX_LINKS = 4

/** The extension parameter `purpose` of a token request; said once, it stays for the whole process. OAuthError if it is none. */
export function purposeOf(params: Params, ticket: Ticket): string | undefined {
  const said = params.get('purpose')
  if (said === undefined || said === '') return ticket.purpose
  if (said.length > MAX_PURPOSE || /\p{C}/u.test(said))
    throw new OAuthError('invalid_request', "'purpose' is a short text without controls")
  return said
}

/**
 * The extension parameter `link` of a token request: the secret part of a link that opens a thing for whoever has it. What it stands for
 * in this owner's rules stays for the whole process, the secret itself goes nowhere. OAuthError if it is none.
 */
export async function linksOf(call: Call, params: Params, ticket: Ticket): Promise<readonly string[] | undefined> {
  const said = params.get('link')
  if (said === undefined || said === '') return ticket.links
  if (!LINK.test(said)) throw new OAuthError('invalid_request', "'link' is 22 to 128 characters of base64url")
  const { keyring } = call.deps
  const mac = await policyMac(keyring, ticket.owner, await linkValue(said))
  return [...new Set([...(ticket.links ?? []), mac])].slice(-MAX_LINKS)
}

export const circumstances = (
  call: Call,
  client: Client,
  jkt: string | undefined,
  ticket: Pick<Ticket, 'purpose' | 'links' | 'context'>,
): Circumstances => ({
  client_id: client.id,
  client_trust: clientTrust(call, client, jkt),
  ...(ticket.purpose === undefined ? {} : { purpose: ticket.purpose }),
  ...(ticket.links === undefined ? {} : { links: ticket.links }),
  ...(ticket.context === undefined ? {} : { context: ticket.context }),
})

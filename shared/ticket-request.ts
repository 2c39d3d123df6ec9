// One token request with a permission ticket (UMA Grant 3.3.1), sent and read.
import { randomText } from './base64url.ts'
import { authenticateClient, type ClientIdentity } from './client-authentication.ts'
import { type DpopKey, makeDpopProof } from './dpop.ts'
import { readJson } from './limited-body.ts'
import { afterTokenAnswer, type Negotiation, type NextStep } from './negotiation.ts'
import type { UmaClientMetadata } from './protocol/uma-grant.ts'
import { type UmaClientDeps, withDefaults } from './uma-options.ts'

const ANSWER_LIMIT = 131_072

/**
 * Sends one token request (UMA Grant 3.3.1).
 * @param metadata of the server, from `discoverForClient`
 * @param identity the client, which authenticates as it registered
 * @param form of `ticketGrantForm`; the client's authentication is added to it
 * @param dpop key for a bound RPT, and the server's `nonce` if it asked for one (RFC 9449 8)
 * @param deps.now seconds since 1970; the clock of the machine unless given
 * @returns the answer unread; `processTicketGrantResponse` reads it. Rejects as `fetch` does.
 */
export async function ticketGrantRequest(
  metadata: UmaClientMetadata,
  identity: ClientIdentity,
  form: URLSearchParams,
  deps: Pick<UmaClientDeps, 'fetch' | 'now' | 'random'>,
  dpop?: { key: DpopKey; nonce?: string },
): Promise<Response> {
  const { fetch: send, now, random } = withDefaults(deps)
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' })
  const body = new URLSearchParams(form)
  authenticateClient(identity, headers, body)
  if (dpop !== undefined) {
    const { key, nonce } = dpop
    const proof = { method: 'POST', url: metadata.token_endpoint, now: now(), jti: randomText(random, 16) }
    headers.set('dpop', await makeDpopProof(key, nonce === undefined ? proof : { ...proof, nonce }))
  }
  return send(metadata.token_endpoint, { method: 'POST', headers, body: body.toString(), redirect: 'manual' })
}

/**
 * Reads the answer to `ticketGrantRequest`.
 * @param negotiation as it stood when the request was sent
 * @param response whose body nobody has read
 * @returns which step comes next (UMA Grant 3.3.5, 3.3.6); a bad answer is `failed`, nothing is thrown for it
 */
export async function processTicketGrantResponse(negotiation: Negotiation, response: Response): Promise<NextStep> {
  return afterTokenAnswer(negotiation, response.status, await readJson(response, ANSWER_LIMIT))
}

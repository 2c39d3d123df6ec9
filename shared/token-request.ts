// Requests of a client to the token endpoint, as one authorization process needs them (UMA Grant 3.3.1, 3.6): with the newest DPoP nonce,
// and again when the server has no time right now.
import * as v from 'valibot'
import type { ClientIdentity } from './client-authentication.ts'
import { readJson } from './limited-body.ts'
import { afterTokenAnswer, mayPresent, type Negotiation, type NextStep, ticketGrantForm } from './negotiation.ts'
import { oauthError } from './protocol/oauth.ts'
import { type RptResponse, rptResponse, type UmaClientMetadata } from './protocol/uma-grant.ts'
import { patiently } from './retry-after.ts'
import { ticketGrantRequest } from './ticket-request.ts'
import type { ClaimToken, UmaClientDeps, UmaClientOptions } from './uma-options.ts'

/** A client at one server, during one process. */
export type Process = {
  /** The resource (or the origin) that sent the challenge. */
  address: string
  metadata: UmaClientMetadata
  identity: ClientIdentity
  options: UmaClientOptions
  deps: Required<UmaClientDeps>
  /** RFC 9449 8.2: the newest nonce of this server. */
  nonce: { newest?: string }
  /** An RPT of this server for this resource server, for the server to upgrade (UMA Grant 3.3.1). */
  rpt?: string
}

type Answered = { status: number; body: unknown }

const ANSWER_LIMIT = 131_072

const errorOf = (body: unknown): string | undefined => {
  const parsed = v.safeParse(oauthError, body)
  return parsed.success ? parsed.output.error : undefined
}

/** One request to the token endpoint, repeated once when the server wants another nonce (RFC 9449 8). No answer is an Error, unless aborted. */
async function ask(form: URLSearchParams, { metadata, identity, options, deps, nonce }: Process): Promise<Answered | Error> {
  const { dpopKey: key } = options
  const send = () => {
    const { newest } = nonce
    const dpop = key && { key, ...(newest === undefined ? {} : { nonce: newest }) }
    return ticketGrantRequest(metadata, identity, form, deps, dpop)
  }
  const once = async (): Promise<Answered> => {
    const response = await patiently(send, options, deps)
    const newest = response.headers.get('dpop-nonce')
    if (newest !== null) nonce.newest = newest
    return { status: response.status, body: await readJson(response, ANSWER_LIMIT) }
  }
  try {
    const used = nonce.newest
    const first = await once()
    return errorOf(first.body) === 'use_dpop_nonce' && nonce.newest !== used ? await once() : first
  } catch (error) {
    options.signal?.throwIfAborted()
    return error instanceof Error ? error : new Error('no answer')
  }
}

/**
 * Presents the newest ticket with all that this client has for that server: PCT, an RPT to upgrade, a claim token (UMA Grant 3.3.1).
 * @returns the next step; no answer is `failed`. Rejects only with the reason of `options.signal`, or as the store does.
 */
export async function requestToken(negotiation: Negotiation, process: Process, claimToken?: ClaimToken): Promise<NextStep> {
  const { options, rpt } = process
  // UMA Grant 3.3.1: a PCT goes with the ticket; a server that does not know it (any more) goes on without.
  const pct = await options.store?.read(`pct ${negotiation.asUri}`)
  const extra = { ...(pct !== undefined && { pct }), ...(rpt !== undefined && { rpt }), ...(claimToken !== undefined && { claimToken }) }
  const answer = await ask(ticketGrantForm(negotiation, extra), process)
  if (answer instanceof Error) return { kind: 'failed', error: 'server_error', description: answer.message }
  // UMA Grant 3.3.1 lets an RPT be sent that has run out; some servers refuse the whole request then, before they look at the ticket.
  if (rpt !== undefined && errorOf(answer.body) === 'invalid_rpt') {
    delete process.rpt
    return requestToken(negotiation, process, claimToken)
  }
  return afterTokenAnswer(negotiation, answer.status, answer.body)
}

/** Why this client may not use an RPT: its type is not known (RFC 6749 7.1), or its key is missing (RFC 9449 5). Undefined when it may. */
export function flawOfType({ token_type: type }: RptResponse, { dpopKey }: Pick<UmaClientOptions, 'dpopKey'>): string | undefined {
  if (!['bearer', 'dpop'].includes(type.toLowerCase())) return `the RPT is of a type that is not known: ${type}`
  return type.toLowerCase() === 'dpop' && dpopKey === undefined ? 'the RPT is bound to a key that this client does not have' : undefined
}

/** `over`: the refresh token is no good any more. `failed`: it may be another time. */
export type Refreshed = { kind: 'renewed'; rpt: RptResponse } | { kind: 'over' } | { kind: 'failed' }

/**
 * Gets a new RPT for one that has run out (UMA Grant 3.6, RFC 6749 6): without a new assessment, so with no more than the old one had.
 * @param old its refresh token is spent; what the answer leaves out (refresh token, resource server) stays as it was
 * @returns `renewed` only with a token that may be sent to the address of the process. Rejects only with the reason of `options.signal`.
 */
export async function refreshRpt(old: RptResponse, process: Process): Promise<Refreshed> {
  const { refresh_token: token, resource_server: server } = old
  if (token === undefined) return { kind: 'over' }
  const answer = await ask(new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }), process)
  if (answer instanceof Error) return { kind: 'failed' }
  const parsed = v.safeParse(rptResponse, answer.body)
  if (answer.status === 200 && parsed.success) {
    const rpt = { refresh_token: token, ...(server !== undefined && { resource_server: server }), ...parsed.output }
    const isGood = flawOfType(rpt, process.options) === undefined
    const { trustUnnamed } = process.options
    return isGood && mayPresent(rpt, new URL(process.address).origin, trustUnnamed) ? { kind: 'renewed', rpt } : { kind: 'over' }
  }
  return answer.status >= 400 && answer.status < 500 && answer.status !== 429 ? { kind: 'over' } : { kind: 'failed' }
}

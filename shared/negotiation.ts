// The client's side of one UMA authorization process (UMA Grant 1.3.1) as a pure machine: answers of the authorization server in,
// next step out. It sends nothing and keeps no clock; uma-client.ts and the vault drive it.
import * as v from 'valibot'
import { oauthError } from './protocol/oauth.ts'
import {
  claimsInteractionResponse,
  needInfo,
  type RequiredClaim,
  type RptResponse,
  requestSubmitted,
  rptResponse,
  UMA_TICKET_GRANT,
} from './protocol/uma-grant.ts'

/** One process. `ticket` is the most recent one (UMA Grant 3.3.1); `spent` are those before it, oldest first. */
export type Negotiation = { asUri: string; ticket: string; spent: readonly string[] }

/** What a client does next. Only `granted` ends well; `denied`, `failed` end the process, which starts anew at the resource server. */
export type NextStep =
  | { kind: 'granted'; rpt: RptResponse }
  | { kind: 'give_info'; negotiation: Negotiation; requiredClaims: readonly RequiredClaim[]; redirectUser?: string }
  | { kind: 'wait'; negotiation: Negotiation; interval: number }
  | { kind: 'request'; negotiation: Negotiation }
  | { kind: 'denied' }
  | { kind: 'cancelled' }
  | { kind: 'failed'; error: string; description?: string }

/** Rounds after which a client stops: a server that always wants one thing more would keep it busy for ever. */
const MAX_ROUNDS = 16
/** RFC 8628 3.5 uses the same default; UMA Grant 3.3.6 names none. */
const DEFAULT_INTERVAL = 5

/**
 * Begins with a challenge (UMA Grant 3.2.1).
 * @param challenge its ticket and `as_uri`
 * @returns where the process stands: plain JSON, for the next token request. Never fails.
 */
export const beginNegotiation = (challenge: { asUri: string; ticket: string }): Negotiation => ({ ...challenge, spent: [] })

const failed = (error: string, description?: string): NextStep => ({
  kind: 'failed',
  error,
  ...(description === undefined ? {} : { description }),
})

/** Takes the new ticket, or nothing when it cannot be a new one. */
function withTicket(negotiation: Negotiation, ticket: string): Negotiation | undefined {
  const spent = [...negotiation.spent, negotiation.ticket]
  // UMA Grant 5.5: the client checks that each returned ticket differs from those that it sent.
  return spent.includes(ticket) || spent.length > MAX_ROUNDS ? undefined : { asUri: negotiation.asUri, ticket, spent }
}

/**
 * Form body of the token request (UMA Grant 3.3.1), without client authentication.
 * @param negotiation whose ticket is sent
 * @param extra.claimToken goes together with its format; `pct` and `rpt` of earlier processes, `scope` beyond the ticket
 * @returns the form, for `ticketGrantRequest` or for a request of your own. Never fails.
 */
export function ticketGrantForm(
  negotiation: Negotiation,
  extra: { claimToken?: { token: string; format: string }; pct?: string; rpt?: string; scope?: string } = {},
): URLSearchParams {
  const form = new URLSearchParams({ grant_type: UMA_TICKET_GRANT, ticket: negotiation.ticket })
  if (extra.claimToken !== undefined) {
    form.set('claim_token', extra.claimToken.token)
    form.set('claim_token_format', extra.claimToken.format)
  }
  for (const name of ['pct', 'rpt', 'scope'] as const) {
    const value = extra[name]
    if (value !== undefined) form.set(name, value)
  }
  return form
}

function afterNeedInfo(negotiation: Negotiation, body: unknown): NextStep {
  const info = v.safeParse(needInfo, body)
  const next = info.success ? withTicket(negotiation, info.output.ticket) : undefined
  if (!info.success || next === undefined) return failed('server_error', 'need_info without a new ticket or without a way to go on')
  const { redirect_user: redirectUser, required_claims: requiredClaims = [] } = info.output
  return { kind: 'give_info', negotiation: next, requiredClaims, ...(redirectUser === undefined ? {} : { redirectUser }) }
}

function afterSubmitted(negotiation: Negotiation, body: unknown): NextStep {
  const submitted = v.safeParse(requestSubmitted, body)
  const next = submitted.success ? withTicket(negotiation, submitted.output.ticket) : undefined
  if (!submitted.success || next === undefined) return failed('server_error', 'request_submitted without a new ticket')
  // Choice: waiting is no round without progress; the tickets of earlier polls are forgotten.
  return { kind: 'wait', negotiation: { ...next, spent: next.spent.slice(-2) }, interval: submitted.output.interval ?? DEFAULT_INTERVAL }
}

/**
 * Reads the answer to a token request (UMA Grant 3.3.5, 3.3.6).
 * An answer that fits no schema is `failed` with `server_error`; `granted` is NOT checked for the resource server it is good for.
 * @param negotiation as it stood when the request was sent
 * @param status of the HTTP answer
 * @param body parsed JSON, or `undefined` if it was none
 * @returns what to do next: present the RPT, show something, wait (`interval` in seconds), or stop
 */
export function afterTokenAnswer(negotiation: Negotiation, status: number, body: unknown): NextStep {
  if (status === 200) {
    const rpt = v.safeParse(rptResponse, body)
    return rpt.success ? { kind: 'granted', rpt: rpt.output } : failed('server_error', 'the token answer is not well formed')
  }
  const refusal = v.safeParse(oauthError, body)
  if (!refusal.success) return failed('server_error', `the token endpoint answered ${status}`)
  switch (refusal.output.error) {
    case 'need_info':
      return afterNeedInfo(negotiation, body)
    case 'request_submitted':
      return afterSubmitted(negotiation, body)
    case 'request_denied':
      return { kind: 'denied' }
    default:
      return failed(refusal.output.error, refusal.output.error_description)
  }
}

/**
 * Address of the claims interaction endpoint for a person's browser (UMA Grant 3.3.2); an existing query is kept.
 * @param endpoint `redirect_user` of need_info, or `claims_interaction_endpoint` of the metadata
 * @param negotiation whose ticket goes along
 * @param request.state unguessable and bound to the person's session (UMA Grant 5.1)
 * @returns an absolute address. Throws a TypeError if `endpoint` is none.
 */
export function claimsInteractionUrl(
  endpoint: string,
  negotiation: Negotiation,
  request: { clientId: string; claimsRedirectUri: string; state: string },
): string {
  const url = new URL(endpoint)
  url.searchParams.set('client_id', request.clientId)
  url.searchParams.set('ticket', negotiation.ticket)
  url.searchParams.set('claims_redirect_uri', request.claimsRedirectUri)
  url.searchParams.set('state', request.state)
  return url.href
}

/**
 * Reads what came back on the claims redirect URI (UMA Grant 3.3.3).
 * @param negotiation as it stood when the person left
 * @param expected.state the value that this person's session sent; another one is an error (UMA Grant 5.1)
 * @param expected.issRequired metadata member `authorization_response_iss_parameter_supported` (RFC 9207 2.4)
 * @param query repeated parameters count as malformed
 * @returns what to do next, with the new ticket; `failed` for an answer that is not of this server, this session, or well formed
 */
export function afterRedirect(
  negotiation: Negotiation,
  query: URLSearchParams,
  expected: { state: string; issRequired: boolean },
): NextStep {
  const names = [...query.keys()]
  const parsed = new Set(names).size === names.length ? v.safeParse(claimsInteractionResponse, Object.fromEntries(query)) : undefined
  if (parsed?.success !== true) return failed('invalid_response', 'the answer of the claims page is malformed')
  const answer = parsed.output
  if (answer.state !== expected.state) return failed('invalid_state', 'state is not the one that was sent')
  // RFC 9207 2.4: simple string comparison; when the server announces `iss`, it must be there.
  if (answer.iss === undefined ? expected.issRequired : answer.iss !== negotiation.asUri)
    return failed('invalid_issuer', 'iss is another server')
  if (answer.error === 'access_denied') return { kind: 'cancelled' }
  if (answer.error !== undefined) return failed(answer.error, answer.error_description)
  const next = answer.ticket === undefined ? undefined : withTicket(negotiation, answer.ticket)
  return next === undefined ? failed('invalid_response', 'the claims page gave no new ticket') : { kind: 'request', negotiation: next }
}

/**
 * May this RPT be sent to the resource server that challenged? Closes ticket relay (DESIGN decision 12): a hostile site shows a
 * ticket of an honest resource server and would be handed a token for that server.
 * @param rpt the token answer
 * @param challenger origin that sent the challenge
 * @param trustUnnamed send a bearer token although its answer names no resource server
 * @returns false: keep it to yourself
 */
export function mayPresent(rpt: RptResponse, challenger: string, trustUnnamed = false): boolean {
  if (rpt.resource_server !== undefined) return new URL(rpt.resource_server).origin === challenger
  // RFC 9449: a proof names the address it was made for, so a thief at another address gains nothing.
  return trustUnnamed || rpt.token_type.toLowerCase() === 'dpop'
}

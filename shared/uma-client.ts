// Package export `./client`: a `fetch` that answers UMA challenges (UMA Grant 3.1 to 3.4). It drives negotiation.ts, proves a DPoP key,
// and hands an RPT to nobody but the resource server it is good for. It keeps tokens in memory only and shows nothing to anybody.
import { type Random, randomText } from './base64url.ts'
import { findUmaChallenges, type UmaChallenge } from './challenge.ts'
import { authenticateClient, type ClientIdentity } from './client-authentication.ts'
import { discoverForClient, type Fetch } from './discovery.ts'
import { type DpopKey, makeDpopProof } from './dpop.ts'
import { discard, readJson } from './limited-body.ts'
import {
  afterRedirect,
  afterTokenAnswer,
  beginNegotiation,
  claimsInteractionUrl,
  mayPresent,
  type Negotiation,
  type NextStep,
  ticketGrantForm,
} from './negotiation.ts'
import type { RequiredClaim, RptResponse, UmaClientMetadata } from './protocol/uma-grant.ts'

export { findUmaChallenges, type UmaChallenge } from './challenge.ts'
export { discoverForClient } from './discovery.ts'
export { dpopKeyOf, makeDpopKey } from './dpop.ts'
export * from './negotiation.ts'

export type UmaClientDeps = {
  fetch: Fetch
  /** Seconds since 1970. */
  now: () => number
  random: Random
  /** Resolves after so many seconds; used between polls. */
  wait: (seconds: number) => Promise<void>
}

export type ClaimToken = { token: string; format: string }

export type UmaClientOptions = {
  /** May this server be contacted for a challenge of that origin? `as_uri` is chosen by whoever answered. */
  approves: (asUri: string, challenger: string) => boolean | Promise<boolean>
  /** The client's registration at that server. */
  identity: (metadata: UmaClientMetadata) => Promise<ClientIdentity>
  /** Binds tokens to a key; without it a bearer RPT is used only if the answer names its resource server, or `trustUnnamed`. */
  dpopKey?: DpopKey
  trustUnnamed?: boolean
  /** A claim token for what is wanted, or nothing. Called after need_info; the ticket is the one the token will go with. */
  claimToken?: (wanted: readonly RequiredClaim[], ticket: string, asUri: string) => Promise<ClaimToken | undefined>
  /** Sends the person to `url` and resolves with the query that came back on `claimsRedirectUri`. */
  redirect?: (url: string) => Promise<URLSearchParams>
  claimsRedirectUri?: string
  /** Longest time to wait for an owner's answer (request_submitted), in seconds; 0 = do not wait. */
  patience?: number
}

/** Why no access came out; the 401 itself is then the answer of `fetch`. */
export type UmaOutcome =
  | { kind: 'granted'; rpt: RptResponse }
  | { kind: 'refused'; reason: 'not_approved' | 'denied' | 'cancelled' | 'needs_person' | 'still_waiting' | 'wrong_resource_server' }
  | { kind: 'failed'; reason: string }

const ANSWER_LIMIT = 131_072

/** Sends one token request (UMA Grant 3.3.1) and returns the answer unread; `processTicketGrantResponse` reads it. */
export async function ticketGrantRequest(
  metadata: UmaClientMetadata,
  identity: ClientIdentity,
  form: URLSearchParams,
  deps: Pick<UmaClientDeps, 'fetch' | 'now' | 'random'>,
  dpop?: { key: DpopKey; nonce?: string },
): Promise<Response> {
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' })
  const body = new URLSearchParams(form)
  authenticateClient(identity, headers, body)
  if (dpop !== undefined) {
    const { key, nonce } = dpop
    const proof = { method: 'POST', url: metadata.token_endpoint, now: deps.now(), jti: randomText(deps.random, 16) }
    headers.set('dpop', await makeDpopProof(key, nonce === undefined ? proof : { ...proof, nonce }))
  }
  return deps.fetch(metadata.token_endpoint, { method: 'POST', headers, body: body.toString(), redirect: 'manual' })
}

/** Reads the answer to `ticketGrantRequest`: which step comes next. */
export async function processTicketGrantResponse(negotiation: Negotiation, response: Response): Promise<NextStep> {
  return afterTokenAnswer(negotiation, response.status, await readJson(response, ANSWER_LIMIT))
}

type Context = { metadata: UmaClientMetadata; identity: ClientIdentity; options: UmaClientOptions; deps: UmaClientDeps }

/** One token request with one repetition when the server wants a DPoP nonce (RFC 9449 8). */
async function requestToken(negotiation: Negotiation, context: Context, extra: Parameters<typeof ticketGrantForm>[1]): Promise<NextStep> {
  const { metadata, identity, options, deps } = context
  const form = ticketGrantForm(negotiation, extra)
  const send = (nonce?: string) =>
    ticketGrantRequest(
      metadata,
      identity,
      form,
      deps,
      options.dpopKey && { key: options.dpopKey, ...(nonce === undefined ? {} : { nonce }) },
    )
  const first = await send()
  const nonce = first.headers.get('dpop-nonce')
  const step = await processTicketGrantResponse(negotiation, first)
  if (step.kind !== 'failed' || step.error !== 'use_dpop_nonce' || nonce === null) return step
  return processTicketGrantResponse(negotiation, await send(nonce))
}

/** Sends the person to the claims page; what came back decides. Nothing when this client cannot. */
async function throughClaimsPage(step: Extract<NextStep, { kind: 'give_info' }>, context: Context): Promise<NextStep | undefined> {
  const { metadata, identity, options, deps } = context
  const endpoint = step.redirectUser ?? metadata.claims_interaction_endpoint
  if (endpoint === undefined || options.redirect === undefined || options.claimsRedirectUri === undefined) return undefined
  const state = randomText(deps.random)
  const url = claimsInteractionUrl(endpoint, step.negotiation, {
    clientId: identity.clientId,
    claimsRedirectUri: options.claimsRedirectUri,
    state,
  })
  const issRequired = metadata.authorization_response_iss_parameter_supported === true
  return afterRedirect(step.negotiation, await options.redirect(url), { state, issRequired })
}

/** Pushes a claim token if there is one and none was pushed yet; else the claims page can tell the person what is missing. */
async function giveInfo(step: Extract<NextStep, { kind: 'give_info' }>, context: Context, mayPush: boolean): Promise<NextStep | undefined> {
  const { negotiation, requiredClaims } = step
  const claimToken = mayPush ? await context.options.claimToken?.(requiredClaims, negotiation.ticket, negotiation.asUri) : undefined
  return claimToken === undefined ? throughClaimsPage(step, context) : requestToken(negotiation, context, { claimToken })
}

/** Goes from step to step until the process is over (UMA Grant 1.3.1). */
async function carryOn(
  challenge: UmaChallenge,
  context: Context,
): Promise<Exclude<NextStep, { kind: 'request' | 'give_info' }> | undefined> {
  const { options, deps } = context
  const until = deps.now() + (options.patience ?? 0)
  let mayPush = true
  let step: NextStep | undefined = { kind: 'request', negotiation: beginNegotiation(challenge) }
  while (step !== undefined) {
    if (step.kind === 'request') {
      step = await requestToken(step.negotiation, context, {})
    } else if (step.kind === 'give_info') {
      step = await giveInfo(step, context, mayPush)
      mayPush = false
    } else if (step.kind === 'wait' && deps.now() + step.interval <= until) {
      await deps.wait(step.interval)
      step = { kind: 'request', negotiation: step.negotiation }
    } else {
      return step
    }
  }
  return undefined
}

/**
 * Carries one process from challenge to RPT (UMA Grant 3.3). Does not present the RPT.
 * @returns `granted` only with a token that may be sent to `challenger`; every other end says why
 */
export async function negotiate(
  challenge: UmaChallenge,
  challenger: string,
  options: UmaClientOptions,
  deps: UmaClientDeps,
): Promise<UmaOutcome> {
  if (!(await options.approves(challenge.asUri, challenger))) return { kind: 'refused', reason: 'not_approved' }
  const discovery = await discoverForClient(challenge.asUri, deps.fetch)
  if (discovery.kind !== 'found') return { kind: 'failed', reason: discovery.reason }
  const { metadata } = discovery
  const end = await carryOn(challenge, { metadata, identity: await options.identity(metadata), options, deps })
  switch (end?.kind) {
    case undefined:
      return { kind: 'refused', reason: 'needs_person' }
    case 'granted':
      return mayPresent(end.rpt, challenger, options.trustUnnamed) ? end : { kind: 'refused', reason: 'wrong_resource_server' }
    case 'wait':
      return { kind: 'refused', reason: 'still_waiting' }
    case 'denied':
    case 'cancelled':
      return { kind: 'refused', reason: end.kind }
    case 'failed':
      return { kind: 'failed', reason: end.description ?? end.error }
    default:
      return end satisfies never
  }
}

type HeldRpt = { rpt: RptResponse; expires: number }

/**
 * A `fetch` for resources under UMA: on 401 with a UMA challenge it negotiates and asks once more with the RPT.
 * Requests with a body are repeated only if the body is not a stream. Returns the first answer when no access comes out; `onOutcome` says why.
 */
export function createUmaFetch(options: UmaClientOptions & { onOutcome?: (outcome: UmaOutcome) => void }, deps: UmaClientDeps): Fetch {
  // One RPT for an address without its query; it is presented at that address and nowhere else.
  const held = new Map<string, HeldRpt>()

  const present = async (url: URL, init: RequestInit, rpt: RptResponse): Promise<Response> => {
    const headers = new Headers(init.headers)
    const isBound = rpt.token_type.toLowerCase() === 'dpop'
    if (isBound && options.dpopKey === undefined) throw new Error('the RPT is bound to a key that this client does not have')
    headers.set('authorization', `${isBound ? 'DPoP' : 'Bearer'} ${rpt.access_token}`)
    if (isBound && options.dpopKey !== undefined) {
      const request = { method: init.method ?? 'GET', url: url.href, now: deps.now(), jti: randomText(deps.random, 16) }
      headers.set('dpop', await makeDpopProof(options.dpopKey, { ...request, accessToken: rpt.access_token }))
    }
    // UMA Grant 5.2: the RPT goes to the resource server only, so a redirect is not followed with it.
    return deps.fetch(url, { ...init, headers, redirect: 'manual' })
  }

  return async (input, init = {}) => {
    const asked = new URL(input)
    const kept = held.get(`${asked.origin}${asked.pathname}`)
    const first = kept !== undefined && kept.expires > deps.now() ? await present(asked, init, kept.rpt) : await deps.fetch(asked, init)
    const challenge = first.status === 401 ? findUmaChallenges(first.headers.get('www-authenticate'))[0] : undefined
    if (challenge === undefined || init.body instanceof ReadableStream) return first
    // After a redirect another origin challenges: the token is for that one, and the first address gets nothing.
    const url = first.url === '' ? asked : new URL(first.url)
    const key = `${url.origin}${url.pathname}`
    held.delete(key)
    const outcome = await negotiate(challenge, url.origin, options, deps)
    options.onOutcome?.(outcome)
    if (outcome.kind !== 'granted') return first
    await discard(first)
    held.set(key, { rpt: outcome.rpt, expires: deps.now() + (outcome.rpt.expires_in ?? 60) })
    return present(url, init, outcome.rpt)
  }
}

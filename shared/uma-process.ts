// One UMA authorization process of a client, from challenge to RPT (UMA Grant 3.3): drives the machine of negotiation.ts with token
// requests, proofs, the claims page and waiting. It does not present the RPT; uma-client.ts does.
import { randomText } from './base64url.ts'
import type { UmaChallenge } from './challenge.ts'
import { discoverForClient, type Fetch } from './discovery.ts'
import { afterRedirect, beginNegotiation, claimsInteractionUrl, mayPresent, type NextStep } from './negotiation.ts'
import type { UmaClientMetadata } from './protocol/uma-grant.ts'
import { patiently } from './retry-after.ts'
import { flawOfType, type Process, requestToken } from './token-request.ts'
import { orAborted, type Pending, type UmaClientDeps, type UmaClientOptions, type UmaOutcome, withDefaults } from './uma-options.ts'

/** UMA Grant 3.3.6 lets `interval` be 0; a client that asks without a pause is a nuisance. */
const SHORTEST_INTERVAL = 1

/** `rpt`: an RPT of the challenging server's authorization server that is to be upgraded (UMA Grant 3.3.1); perhaps run out, but never another server's. */
export type NegotiateOptions = UmaClientOptions & { rpt?: string }
type NeedsPerson = Extract<UmaOutcome, { reason: 'needs_person' }>
type GiveInfo = Extract<NextStep, { kind: 'give_info' }>
type Going = Exclude<NextStep, { kind: 'give_info' }>

/** The process under a new registration, if the server has forgotten this client and registers it anew (RFC 6749 5.2, RFC 7591 3). */
async function underNewIdentity(process: Process): Promise<Process | undefined> {
  const { identity, metadata, options } = process
  const renewed = await options.identity(metadata, { again: true }).catch(() => undefined)
  return renewed === undefined || renewed.clientId === identity.clientId ? undefined : { ...process, identity: renewed }
}

/** What the claims page needs to be opened (UMA Grant 3.3.2); nothing when this client cannot send anybody there. */
function pendingRedirect({ redirectUser, negotiation }: GiveInfo, process: Process): Extract<Pending, { kind: 'redirect' }> | undefined {
  const { metadata, identity, options, deps, address } = process
  const endpoint = redirectUser ?? metadata.claims_interaction_endpoint
  const { claimsRedirectUri } = options
  if (endpoint === undefined || claimsRedirectUri === undefined) return undefined
  const state = randomText(deps.random)
  const url = claimsInteractionUrl(endpoint, negotiation, { clientId: identity.clientId, claimsRedirectUri, state })
  return { kind: 'redirect', address, url, state, negotiation }
}

/** UMA Grant 3.3.3: what came back from the claims page. */
const returned = (pending: Extract<Pending, { kind: 'redirect' }>, query: URLSearchParams, metadata: UmaClientMetadata): NextStep =>
  afterRedirect(pending.negotiation, query, {
    state: pending.state,
    issRequired: metadata.authorization_response_iss_parameter_supported === true,
  })

/** Pushes a claim token if the handler has one, else sends the person to the claims page; an outcome when neither can be done. */
async function giveInfo(step: GiveInfo, process: Process, tried: Set<string>): Promise<NextStep | NeedsPerson> {
  const { options } = process
  const wanted = JSON.stringify(step.requiredClaims)
  const { ticket, asUri } = step.negotiation
  const claimToken = tried.has(wanted) ? undefined : await options.claimToken?.(step.requiredClaims, ticket, asUri)
  tried.add(wanted)
  if (claimToken !== undefined) return requestToken(step.negotiation, process, claimToken)
  const pending = pendingRedirect(step, process)
  if (pending !== undefined && options.redirect !== undefined) {
    return returned(pending, await orAborted(options.redirect(pending.url, options.signal), options.signal), process.metadata)
  }
  const { requiredClaims } = step
  return { kind: 'refused', reason: 'needs_person', requiredClaims, ...(pending === undefined ? {} : { pending }) }
}

/** What the end of a process means for this client: a granted RPT may still be for somebody else. */
async function outcomeOf(end: Exclude<Going, { kind: 'request' }>, process: Process, asUri: string): Promise<UmaOutcome> {
  const { address, options } = process
  const flaw = end.kind === 'granted' ? flawOfType(end.rpt, options) : undefined
  if (flaw !== undefined) return { kind: 'failed', reason: flaw }
  switch (end.kind) {
    case 'granted':
      if (end.rpt.pct !== undefined) await options.store?.write(`pct ${asUri}`, end.rpt.pct)
      return mayPresent(end.rpt, new URL(address).origin, options.trustUnnamed) ? end : { kind: 'refused', reason: 'wrong_resource_server' }
    case 'wait':
      return { kind: 'refused', reason: 'still_waiting', pending: { ...end, address } }
    case 'denied':
    case 'cancelled':
      return { kind: 'refused', reason: end.kind }
    case 'failed':
      return { kind: 'failed', reason: end.description ?? end.error }
    default:
      return end satisfies never
  }
}

/** UMA Grant 3.3.6: not faster than the server wants. */
async function pause(seconds: number, options: UmaClientOptions, deps: Process['deps'], asUri: string): Promise<void> {
  options.onWaiting?.(seconds, asUri)
  await orAborted(deps.wait(seconds, options.signal), options.signal)
}

/** A server looks at the client before the ticket, so the first ticket is still good for a client that it did not know. */
async function firstStep(begin: NextStep, process: Process): Promise<{ step: NextStep; process: Process }> {
  if (begin.kind !== 'request') return { step: begin, process }
  const step = await requestToken(begin.negotiation, process)
  const isUnknown = step.kind === 'failed' && step.error === 'invalid_client'
  const renewed = isUnknown ? await underNewIdentity(process) : undefined
  return renewed === undefined ? { step, process } : { step: await requestToken(begin.negotiation, renewed), process: renewed }
}

/** Goes from step to step until the process is over (UMA Grant 1.3.1) or cannot go on without the caller. */
async function carryOn(begin: NextStep, known: Process, asUri: string): Promise<UmaOutcome> {
  const { options, deps } = known
  const until = deps.now() + (options.patience ?? 0)
  const tried = new Set<string>()
  const first = await firstStep(begin, known)
  const { process } = first
  let { step } = first
  while (true) {
    options.signal?.throwIfAborted()
    if (step.kind === 'request') {
      step = await requestToken(step.negotiation, process)
    } else if (step.kind === 'give_info') {
      const next = await giveInfo(step, process, tried)
      if (next.kind === 'refused') return next
      step = next
    } else if (step.kind === 'wait' && deps.now() + Math.max(step.interval, SHORTEST_INTERVAL) <= until) {
      await pause(Math.max(step.interval, SHORTEST_INTERVAL), options, deps, asUri)
      step = { kind: 'request', negotiation: step.negotiation }
    } else {
      return outcomeOf(step, process, asUri)
    }
  }
}

export type Begun = { kind: 'ready'; process: Process } | { kind: 'refused'; reason: 'not_approved' } | { kind: 'failed'; reason: string }

/**
 * Asks for leave, reads the server's metadata (UMA Grant 2), and gets the client's registration there: what each process begins with.
 * @param rpt goes along with the ticket, for the server to upgrade (UMA Grant 3.3.1)
 * @returns `ready`, or why not. Rejects only with the reason of `options.signal`, or with what `approves` threw.
 */
export async function beginProcess(
  asUri: string,
  address: string,
  { rpt, ...options }: NegotiateOptions,
  deps: UmaClientDeps,
): Promise<Begun> {
  const whole = withDefaults(deps)
  const { signal } = options
  signal?.throwIfAborted()
  const send: Fetch = signal === undefined ? whole.fetch : (input, init) => whole.fetch(input, { ...init, signal })
  if (!(await options.approves(asUri, new URL(address).origin))) return { kind: 'refused', reason: 'not_approved' }
  const discovery = await discoverForClient(asUri, (input, init) => patiently(() => send(input, init), options, whole))
  signal?.throwIfAborted()
  if (discovery.kind !== 'found') return { kind: 'failed', reason: discovery.reason }
  const { metadata } = discovery
  try {
    const identity = await options.identity(metadata)
    const process: Process = { address, metadata, identity, options, deps: { ...whole, fetch: send }, nonce: {} }
    return { kind: 'ready', process: rpt === undefined ? process : { ...process, rpt } }
  } catch (error) {
    // A server that does not register this client cannot be used by it; another challenge may name one that does.
    signal?.throwIfAborted()
    return { kind: 'failed', reason: error instanceof Error ? error.message : 'this client has no registration there' }
  }
}

/**
 * Carries one process from challenge to RPT (UMA Grant 3.3). Does not present the RPT. Times are seconds.
 * @param challenge one of `findUmaChallenges`
 * @param address the resource (or the origin) that sent the challenge
 * @param deps.now seconds since 1970; the clock of the machine unless given
 * @returns `granted` only with a token that may be sent to `address`; every other end says why. Rejects only with the reason of `options.signal`,
 * or with what a handler of `options` threw.
 */
export async function negotiate(
  challenge: UmaChallenge,
  address: string,
  options: NegotiateOptions,
  deps: UmaClientDeps,
): Promise<UmaOutcome> {
  const begun = await beginProcess(challenge.asUri, address, options, deps)
  if (begun.kind !== 'ready') return begun
  const { asUri, ticket } = challenge
  return carryOn({ kind: 'request', negotiation: beginNegotiation({ asUri, ticket }) }, begun.process, asUri)
}

/**
 * Goes on with a process that had to stop: the person is back from the claims page (UMA Grant 3.3.3), or time has passed (3.3.6).
 * @param pending of the outcome; NOT checked: that it is this person's, so it must come from that person's session (UMA Grant 5.1)
 * @param query what came back on the claims redirect URI; left out after a wait
 * @param options as for `negotiate`
 * @param deps.now seconds since 1970; the clock of the machine unless given
 * @returns as `negotiate`; a state that is not the one that was sent, or another `iss`, is `failed`
 */
export async function resumeNegotiation(
  pending: Pending,
  query: URLSearchParams | undefined,
  options: NegotiateOptions,
  deps: UmaClientDeps,
): Promise<UmaOutcome> {
  const { negotiation, address } = pending
  const begun = await beginProcess(negotiation.asUri, address, options, deps)
  if (begun.kind !== 'ready') return begun
  const step: NextStep =
    pending.kind === 'wait' ? { kind: 'request', negotiation } : returned(pending, query ?? new URLSearchParams(), begun.process.metadata)
  return carryOn(step, begun.process, negotiation.asUri)
}

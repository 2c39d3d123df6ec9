// Package export `./client`: a `fetch` that answers UMA challenges (UMA Grant 3.1 to 3.4). It runs the process of uma-process.ts, proves a
// DPoP key, and hands an RPT to nobody but the resource server it is good for. Unless a store is given, it keeps tokens in memory only.
import { randomText } from './base64url.ts'
import { findUmaChallenges, parseChallenges, type UmaChallenge } from './challenge.ts'
import { makeDpopProof } from './dpop.ts'
import { discard } from './limited-body.ts'
import type { RptResponse } from './protocol/uma-grant.ts'
import { memoryStore, readKept } from './text-store.ts'
import { orAborted, type Pending, type UmaClientDeps, type UmaClientOptions, type UmaOutcome, withDefaults } from './uma-options.ts'
import { negotiate, resumeNegotiation } from './uma-process.ts'

export { findUmaChallenges, type UmaChallenge } from './challenge.ts'
export type { ClientIdentity } from './client-authentication.ts'
export { registerOnce } from './client-registration.ts'
export { discoverForClient, type Fetch } from './discovery.ts'
export { type DpopKey, dpopKeyOf, makeDpopKey } from './dpop.ts'
export * from './negotiation.ts'
export { memoryStore, type TextStore } from './text-store.ts'
export { processTicketGrantResponse, ticketGrantRequest } from './ticket-request.ts'
export type { ClaimToken, Pending, UmaClientDeps, UmaClientOptions, UmaOutcome } from './uma-options.ts'
export { negotiate, resumeNegotiation } from './uma-process.ts'

/** One answer names a handful of servers at most; the rest is somebody's joke. */
const MOST_CHALLENGES = 4
/** Seconds that an RPT without `expires_in` is used without asking. */
const DEFAULT_LIFETIME = 60

type HeldRpt = { rpt: RptResponse; expires: number }
type Deps = Required<UmaClientDeps>
export type UmaFetchOptions = UmaClientOptions & { onOutcome?: (outcome: UmaOutcome, challenge: { asUri: string }) => void }

/** A `fetch`, with a way to go on after a page was left. */
export type UmaFetch = ((input: string | URL | Request, init?: RequestInit) => Promise<Response>) & {
  /** As `resumeNegotiation`; an RPT that comes of it is used by the next request to that address. */
  resume: (pending: Pending, query?: URLSearchParams) => Promise<UmaOutcome>
}

/** A request that can be sent twice: address and the rest. The body of a `Request` is read into memory. */
async function repeatable(input: string | URL | Request, init: RequestInit): Promise<{ url: URL; init: RequestInit }> {
  // Asked by its members: a server framework may have put a Request of its own in place of the platform's.
  if (typeof input === 'string' || 'href' in input) return { url: new URL(input), init }
  const { method, headers, signal } = input
  const copied: RequestInit = { method, headers, signal }
  if (input.body !== null) copied.body = await input.arrayBuffer()
  for (const name of ['credentials', 'cache', 'referrerPolicy', 'integrity', 'keepalive'] as const) {
    // Not every runtime has all of them.
    const value: unknown = Reflect.get(input, name)
    if (value !== undefined) Object.assign(copied, { [name]: value })
  }
  return { url: new URL(input.url), init: { ...copied, ...init } }
}

/** RFC 9449 9: the nonce that a resource server wants in the proof, if that is what its 401 says. */
function wantedNonce(response: Response): string | undefined {
  if (response.status !== 401) return undefined
  const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '')
  const wants = challenges.some(({ scheme, parameters }) => scheme.toLowerCase() === 'dpop' && parameters.get('error') === 'use_dpop_nonce')
  return wants ? (response.headers.get('dpop-nonce') ?? undefined) : undefined
}

/** Fetch 2.2.1: the method as it goes out; `patch` stays in small letters. */
const sentMethod = (method = 'GET'): string => (/^(delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method)

/** Sends a request with an RPT (UMA Grant 3.4): bearer (RFC 6750 2.1), or with a proof of the key it is bound to (RFC 9449 7.1). */
async function present(url: URL, init: RequestInit, rpt: RptResponse, options: UmaClientOptions, deps: Deps): Promise<Response> {
  const { dpopKey } = options
  const isBound = rpt.token_type.toLowerCase() === 'dpop'
  const send = async (nonce?: string): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `${isBound ? 'DPoP' : 'Bearer'} ${rpt.access_token}`)
    if (isBound && dpopKey !== undefined) {
      const request = {
        method: sentMethod(init.method),
        url: url.href,
        now: deps.now(),
        jti: randomText(deps.random, 16),
        accessToken: rpt.access_token,
      }
      headers.set('dpop', await makeDpopProof(dpopKey, nonce === undefined ? request : { ...request, nonce }))
    }
    // UMA Grant 5.2: the RPT goes to the resource server only, so a redirect is not followed with it.
    return deps.fetch(url, { ...init, headers, redirect: 'manual' })
  }
  const first = await send()
  const nonce = isBound ? wantedNonce(first) : undefined
  if (nonce === undefined) return first
  await discard(first)
  return send(nonce)
}

/** Lets tasks of one address run one after the other, so that a person is not sent to two claims pages for one thing. */
function createTurns(): <T>(address: string, task: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return (address, task) => {
    const running = (last.get(address) ?? Promise.resolve()).then(task)
    const over = running
      .catch(() => undefined)
      .then(() => {
        if (last.get(address) === over) last.delete(address)
      })
    last.set(address, over)
    return running
  }
}

/** One RPT for an address without its query; it is presented at that address and nowhere else. */
const addressOf = (url: URL): string => `${url.origin}${url.pathname}`

/** RPTs and how they come into the store. */
function createHolder(options: UmaClientOptions, deps: Deps) {
  const store = options.store ?? memoryStore()
  return {
    store,
    find: async (address: string): Promise<RptResponse | undefined> => {
      const kept = await readKept<HeldRpt>(store, `rpt ${address}`)
      // A token of an earlier run whose key is gone is of no use (RFC 9449 7).
      const isUsable = kept?.rpt.token_type.toLowerCase() !== 'dpop' || options.dpopKey !== undefined
      return kept !== undefined && kept.expires > deps.now() && isUsable ? kept.rpt : undefined
    },
    keep: async (address: string, outcome: UmaOutcome): Promise<void> => {
      if (outcome.kind !== 'granted') return
      const { rpt } = outcome
      await store.write(`rpt ${address}`, JSON.stringify({ rpt, expires: deps.now() + (rpt.expires_in ?? DEFAULT_LIFETIME) }))
    },
    forget: (address: string) => store.write(`rpt ${address}`, undefined),
  }
}

/** Is there anything left to try with the next challenge? What the person or the token itself decided holds for all of them. */
const isFinal = (outcome: UmaOutcome): boolean =>
  outcome.kind === 'granted' || (outcome.kind === 'refused' && ['cancelled', 'wrong_resource_server'].includes(outcome.reason))

/** Is this a 401 with a UMA challenge, to a request that can be sent again as it was? */
function mayAnswer(first: Response, init: RequestInit): boolean {
  if (first.status !== 401 || findUmaChallenges(first.headers.get('www-authenticate')).length === 0) return false
  // Fetch 4.4: a redirect may have made a GET of it; what would be sent again is not what was refused.
  const isChanged = first.redirected && !['GET', 'HEAD'].includes(sentMethod(init.method))
  const isStream = typeof init.body === 'object' && init.body !== null && 'getReader' in init.body
  return !isChanged && !isStream
}

/**
 * A `fetch` for resources under UMA: on 401 with UMA challenges it negotiates (UMA Grant 3.3) with the servers that are named, in their
 * order, until one grants, and asks once more with the RPT. One such fetch serves one person (UMA Grant 3.3.1, `pct`) and, in a Worker,
 * one request. Requests for one address wait for each other while a process is under way.
 * @returns the first answer when no access comes out, `onOutcome` says why for each server; with an RPT, a redirect is returned, not followed.
 * Rejects as `fetch` does, and with the reason of `init.signal` when that aborts, also while the owner is being waited for.
 * A request whose body is a stream is not repeated: its 401 is returned.
 */
export function createUmaFetch(options: UmaFetchOptions, deps: UmaClientDeps): UmaFetch {
  const whole = withDefaults(deps)
  const held = createHolder(options, whole)
  const inTurn = createTurns()

  const negotiateAll = async (
    challenges: readonly UmaChallenge[],
    address: string,
    told: UmaClientOptions,
  ): Promise<UmaOutcome | undefined> => {
    for (const challenge of challenges.slice(0, MOST_CHALLENGES)) {
      const outcome = await negotiate(challenge, address, told, whole)
      await held.keep(address, outcome)
      options.onOutcome?.(outcome, { asUri: challenge.asUri })
      if (isFinal(outcome)) return outcome
    }
    return undefined
  }

  /** Called in turn with a 401: an RPT that came meanwhile is tried, then the challenges are answered. */
  const answerChallenge = async (first: Response, used: RptResponse | undefined, url: URL, init: RequestInit): Promise<Response> => {
    const address = addressOf(url)
    init.signal?.throwIfAborted()
    const meanwhile = await held.find(address)
    if (meanwhile !== undefined && meanwhile.access_token !== used?.access_token) {
      await discard(first)
      const second = await present(url, init, meanwhile, options, whole)
      return second.status === 401 ? answerChallenge(second, meanwhile, url, init) : second
    }
    await held.forget(address)
    const signals = [options.signal, init.signal].filter((signal) => signal !== undefined && signal !== null)
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
    const told = { ...options, store: held.store, ...(signal === undefined ? {} : { signal }) }
    const outcome = await negotiateAll(findUmaChallenges(first.headers.get('www-authenticate')), address, told)
    if (outcome?.kind !== 'granted') return first
    await discard(first)
    return present(url, init, outcome.rpt, options, whole)
  }

  const umaFetch = async (input: string | URL | Request, more: RequestInit = {}): Promise<Response> => {
    const { url: asked, init } = await repeatable(input, more)
    const kept = await held.find(addressOf(asked))
    const first = await (kept === undefined ? whole.fetch(asked, init) : present(asked, init, kept, options, whole))
    if (!mayAnswer(first, init)) return first
    // After a redirect another origin challenges: the token is for that one, and the first address gets nothing.
    const url = first.url === '' ? asked : new URL(first.url)
    return orAborted(
      inTurn(addressOf(url), () => answerChallenge(first, kept, url, init)),
      init.signal ?? undefined,
    )
  }

  const resume = async (pending: Pending, query?: URLSearchParams): Promise<UmaOutcome> => {
    const outcome = await resumeNegotiation(pending, query, { ...options, store: held.store }, whole)
    await held.keep(pending.address, outcome)
    options.onOutcome?.(outcome, pending.negotiation)
    return outcome
  }
  return Object.assign(umaFetch, { resume })
}

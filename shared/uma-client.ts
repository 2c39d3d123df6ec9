// Package export `./client`: a `fetch` that answers UMA challenges (UMA Grant 3.1 to 3.4). It runs the process of uma-process.ts, proves a
// DPoP key, and hands an RPT to nobody but the resource server it is good for. Unless a store is given, it keeps tokens in memory only.
import { findUmaChallenges, type UmaChallenge } from './challenge.ts'
import { type HeldRpts, heldRptsIn } from './held-rpts.ts'
import { discard } from './limited-body.ts'
import { present, sentMethod } from './present-rpt.ts'
import type { RptResponse } from './protocol/uma-grant.ts'
import { refreshRpt } from './token-request.ts'
import { orAborted, type Pending, type UmaClientDeps, type UmaClientOptions, type UmaOutcome, withDefaults } from './uma-options.ts'
import { beginProcess, negotiate, resumeNegotiation } from './uma-process.ts'

export { findUmaChallenges, type UmaChallenge } from './challenge.ts'
export type { ClientIdentity } from './client-authentication.ts'
export { registerOnce } from './client-registration.ts'
export { discoverForClient, type Fetch } from './discovery.ts'
export { type DpopKey, dpopKeyOf, makeDpopKey } from './dpop.ts'
export * from './negotiation.ts'
export { memoryStore, type TextStore } from './text-store.ts'
export { processTicketGrantResponse, ticketGrantRequest } from './ticket-request.ts'
export type { ClaimToken, Pending, UmaClientDeps, UmaClientOptions, UmaOutcome } from './uma-options.ts'
export { type NegotiateOptions, negotiate, resumeNegotiation } from './uma-process.ts'

/** One answer names a handful of servers at most; the rest is somebody's joke. */
const MOST_CHALLENGES = 4
/** `onOutcome` hears how the process with each server ended, whichever way (UMA Grant 3.3.5, 3.3.6). */
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

/** Is there anything left to try with the next challenge? What the person or the token itself decided holds for all of them. */
const isFinal = (outcome: UmaOutcome): boolean =>
  outcome.kind === 'granted' || (outcome.kind === 'refused' && ['cancelled', 'wrong_resource_server'].includes(outcome.reason))

/** UMA Grant 3.2.1 says 401; a server that holds on to UMA 1.0 says 403 to a token that is good for too little (SPECS U-6). */
const CHALLENGING: readonly number[] = [401, 403]

/** Is this a 401 or 403 with a UMA challenge, to a request that can be sent again as it was? */
function mayAnswer(first: Response, init: RequestInit): boolean {
  if (!CHALLENGING.includes(first.status) || findUmaChallenges(first.headers.get('www-authenticate')).length === 0) return false
  // Fetch 4.4: a redirect may have made a GET of it; what would be sent again is not what was refused.
  const isChanged = first.redirected && !['GET', 'HEAD'].includes(sentMethod(init.method))
  const isStream = typeof init.body === 'object' && init.body !== null && 'getReader' in init.body
  return !isChanged && !isStream
}

/** The options with the store in use, and with one signal for the whole client and for this request. */
function toldFor(options: UmaClientOptions, held: HeldRpts, init: RequestInit = {}): UmaClientOptions {
  const signals = [options.signal, init.signal].filter((signal) => signal !== undefined && signal !== null)
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
  return { ...options, store: held.store, ...(signal === undefined ? {} : { signal }) }
}

/** The RPT to begin with at an address. One that has run out is refreshed (UMA Grant 3.6) if the server gave a refresh token. */
function createStart(held: HeldRpts, deps: Required<UmaClientDeps>) {
  const inTurn = createTurns()
  return async (address: string, told: UmaClientOptions): Promise<RptResponse | undefined> => {
    const old = await held.renewable(address)
    if (old === undefined) return held.find(address)
    // By token, not by address: several addresses may have it, and it may be good only once.
    return inTurn(`${old.rpt.refresh_token}`, async () => {
      const meanwhile = await held.find(address)
      if (meanwhile !== undefined) return meanwhile
      const begun = await beginProcess(old.asUri, address, told, deps)
      const refreshed = begun.kind === 'ready' ? await refreshRpt(old.rpt, begun.process) : undefined
      if (refreshed?.kind === 'over') await held.forget(address)
      if (refreshed?.kind !== 'renewed') return undefined
      await held.keep(address, old.asUri, refreshed.rpt, old.rpt.access_token)
      return refreshed.rpt
    })
  }
}

/**
 * A `fetch` for resources under UMA: on 401 or 403 with UMA challenges it negotiates (UMA Grant 3.3) with the servers that are named, in
 * their order, until one grants, and asks once more with the RPT; a challenge to that one is the answer. One such fetch serves one person (UMA Grant 3.3.1, `pct`) and, in a Worker,
 * one request. Requests for one address wait for each other while a process is under way.
 * An RPT that it holds for the same resource server goes along with a new ticket, to be upgraded (3.3.5.1); one that has run out is
 * refreshed if the server gave a refresh token (3.6).
 * @param options who the client is, what it does for a person, and what it keeps
 * @param deps.now seconds since 1970, `deps.wait` takes seconds; the clock of the machine unless given
 * @returns the first answer when no access comes out, `onOutcome` says why for each server; with an RPT, a redirect is returned, not followed.
 * Rejects as `fetch` does, and with the reason of `init.signal` when that aborts, also while the owner is being waited for.
 * A request whose body is a stream is not repeated: its 401 or 403 is returned.
 */
export function createUmaFetch(options: UmaFetchOptions, deps: UmaClientDeps): UmaFetch {
  const whole = { ...withDefaults(deps), nonces: new Map<string, string>() }
  const held = heldRptsIn(options.store, options.dpopKey !== undefined, whole)
  const inTurn = createTurns()
  const startAt = createStart(held, whole)

  /** Runs one process with the RPT that may be upgraded, and keeps what comes of it. */
  const withUpgrade = async (asUri: string, address: string, run: (rpt: { rpt?: string }) => Promise<UmaOutcome>): Promise<UmaOutcome> => {
    const rpt = await held.upgradable(address, asUri)
    const outcome = await run(rpt === undefined ? {} : { rpt })
    if (outcome.kind === 'granted') await held.keep(address, asUri, outcome.rpt, outcome.rpt.upgraded === true ? rpt : undefined)
    options.onOutcome?.(outcome, { asUri })
    return outcome
  }

  const negotiateAll = async (
    challenges: readonly UmaChallenge[],
    address: string,
    told: UmaClientOptions,
  ): Promise<UmaOutcome | undefined> => {
    for (const challenge of challenges.slice(0, MOST_CHALLENGES)) {
      const outcome = await withUpgrade(challenge.asUri, address, (rpt) => negotiate(challenge, address, { ...told, ...rpt }, whole))
      if (isFinal(outcome)) return outcome
    }
    return undefined
  }

  /** Called in turn with a challenge: an RPT that came meanwhile is tried, then the challenges are answered. */
  const answerChallenge = async (first: Response, used: RptResponse | undefined, url: URL, init: RequestInit): Promise<Response> => {
    const address = addressOf(url)
    init.signal?.throwIfAborted()
    const meanwhile = await held.find(address)
    if (meanwhile !== undefined && meanwhile.access_token !== used?.access_token) {
      await discard(first)
      const second = await present(url, init, meanwhile, options, whole)
      return mayAnswer(second, init) ? answerChallenge(second, meanwhile, url, init) : second
    }
    // What was refused stays: it may do for another method here, and the server may make it more.
    const challenges = findUmaChallenges(first.headers.get('www-authenticate'))
    const outcome = await negotiateAll(challenges, address, toldFor(options, held, init))
    if (outcome?.kind !== 'granted') return first
    await discard(first)
    return present(url, init, outcome.rpt, options, whole)
  }

  const umaFetch = async (input: string | URL | Request, more: RequestInit = {}): Promise<Response> => {
    const { url: asked, init } = await repeatable(input, more)
    // Somebody else's request may be refreshing the same token; giving up does not wait for it.
    const start = await orAborted(startAt(addressOf(asked), toldFor(options, held, init)), init.signal ?? undefined)
    const first = await (start === undefined ? whole.fetch(asked, init) : present(asked, init, start, options, whole))
    if (!mayAnswer(first, init)) return first
    // After a redirect another origin challenges: the token is for that one, and the first address gets nothing.
    const url = first.url === '' ? asked : new URL(first.url)
    return orAborted(
      inTurn(addressOf(url), () => answerChallenge(first, start, url, init)),
      init.signal ?? undefined,
    )
  }

  const resume = (pending: Pending, query?: URLSearchParams): Promise<UmaOutcome> =>
    withUpgrade(pending.negotiation.asUri, pending.address, (rpt) =>
      resumeNegotiation(pending, query, { ...toldFor(options, held), ...rpt }, whole),
    )
  return Object.assign(umaFetch, { resume })
}

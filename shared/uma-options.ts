// What a UMA client is told by the program that uses it, and what it answers: types, the machine's own clock and timer as defaults.
import type { Random } from './base64url.ts'
import type { ClientIdentity } from './client-authentication.ts'
import type { Fetch } from './discovery.ts'
import type { DpopKey } from './dpop.ts'
import type { Negotiation } from './negotiation.ts'
import type { RequiredClaim, RptResponse, UmaClientMetadata } from './protocol/uma-grant.ts'
import type { TextStore } from './text-store.ts'

/** What the client kit takes from outside; only `fetch` must be given. */
export type UmaClientDeps = {
  fetch: Fetch
  /** Seconds since 1970; the machine's clock unless given. */
  now?: () => number
  /** Random bytes; `crypto.getRandomValues` unless given. */
  random?: Random
  /** Resolves after so many seconds, rejects when the signal aborts; a timer unless given. Used between polls. */
  wait?: (seconds: number, signal?: AbortSignal) => Promise<void>
}

/** A claim token and its format (UMA Grant 3.3.1), encoded as the format says. */
export type ClaimToken = { token: string; format: string }

/** What a client is told once, for all processes of one person. Times are seconds. */
export type UmaClientOptions = {
  /** May this server be contacted for a challenge of that origin? `as_uri` is chosen by whoever answered. */
  approves: (asUri: string, challenger: string) => boolean | Promise<boolean>
  /** The client's registration at that server, for instance by `registerOnce`; `again` when the server did not know the last one. */
  identity: (metadata: UmaClientMetadata, wanted?: { again: boolean }) => Promise<ClientIdentity>
  /** Binds tokens to a key; without it a bearer RPT is used only if the answer names its resource server, or `trustUnnamed`. */
  dpopKey?: DpopKey
  trustUnnamed?: boolean
  /**
   * A claim token for what is wanted, or nothing. Called after need_info; the ticket is the one the token will go with.
   * Not called again when the server wants the very same once more: what was pushed did not do.
   */
  claimToken?: (wanted: readonly RequiredClaim[], ticket: string, asUri: string) => Promise<ClaimToken | undefined>
  /** Sends the person to `url` and resolves with the query that came back on `claimsRedirectUri`. */
  redirect?: (url: string, signal?: AbortSignal) => Promise<URLSearchParams>
  claimsRedirectUri?: string
  /** Longest time to wait for an owner's answer (request_submitted), in seconds; 0 = do not wait. */
  patience?: number
  /**
   * Longest time to wait, at one request, for an authorization server that has no time and says when it will (429 or 503 with
   * Retry-After), in seconds; 10 unless given, 0 = do not wait.
   */
  retryWithin?: number
  /** Called before each wait of so many seconds, so that the person can be told that the owner was asked. */
  onWaiting?: (seconds: number, asUri: string) => void
  /** Ends the process: the call rejects with the signal's reason. */
  signal?: AbortSignal
  /**
   * Keeps RPTs (`rpt <address>`, and which of them belong together, `rpts <origin> <as_uri>`) and persisted claims tokens (`pct <as_uri>`).
   * UMA Grant 3.3.1: a PCT is used for the person it was issued for, so one store belongs to one person.
   */
  store?: TextStore
}

/** A process that goes on later, perhaps after a page was left: plain JSON. It holds a ticket, so it is kept where the person's session is. */
export type Pending =
  | { kind: 'redirect'; address: string; url: string; state: string; negotiation: Negotiation }
  | { kind: 'wait'; address: string; interval: number; negotiation: Negotiation }

/** Why no access came out; the challenge itself (401, or 403) is then the answer of `fetch`. */
export type UmaOutcome =
  | { kind: 'granted'; rpt: RptResponse }
  | { kind: 'refused'; reason: 'not_approved' | 'denied' | 'cancelled' | 'wrong_resource_server' }
  /** `pending` is there when the client has a claims redirect URI: send the person to its `url`, then `resumeNegotiation`. */
  | { kind: 'refused'; reason: 'needs_person'; requiredClaims: readonly RequiredClaim[]; pending?: Extract<Pending, { kind: 'redirect' }> }
  /** The owner was asked and has not answered; `resumeNegotiation` asks again, not before `interval` seconds. */
  | { kind: 'refused'; reason: 'still_waiting'; pending: Extract<Pending, { kind: 'wait' }> }
  | { kind: 'failed'; reason: string }

const wait = (seconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, seconds * 1000)
    signal?.addEventListener('abort', onAbort, { once: true })
  })

/** Fills in the machine's clock (seconds), randomness (RFC 6749 10.10) and timer. `fetch` is taken out of its object: browsers refuse it as another's method. */
export function withDefaults(deps: UmaClientDeps): Required<UmaClientDeps> {
  const { fetch: send } = deps
  return {
    fetch: (input, init) => send(input, init),
    now: deps.now ?? (() => Math.floor(Date.now() / 1000)),
    random: deps.random ?? ((bytes) => crypto.getRandomValues(new Uint8Array(bytes))),
    wait: deps.wait ?? wait,
  }
}

/** The promise, or a rejection with the signal's reason if that comes first (DOM 3.2, Fetch 4.6). Aborted before: rejects at once. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  // How it ends is of no interest any more, so nobody is told of its failure either.
  if (signal.aborted) promise.catch(() => undefined)
  signal.throwIfAborted()
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}

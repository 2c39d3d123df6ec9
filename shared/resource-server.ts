// Package export `./resource-server`: puts a route under UMA (UMA Grant 3.2, 3.5; UMA FedAuthz 4, 5). `admit` decides on data alone,
// `protect` wraps a plain `Request -> Response`, `umaMiddleware` fits Hono. It may only refuse more than the owner's server does.
import { formatChallenge, formatUmaChallenge } from './challenge.ts'
import { DPOP_ALGORITHMS, verifyDpopProof } from './dpop.ts'
import type { CachedIntrospect } from './introspection-cache.ts'
import type { Answer, ProtectionApi } from './protection-api.ts'
import { RESOURCE_METADATA } from './protocol/protected-resource.ts'
import { AS_UNREACHABLE_WARNING, type Permission, type RptIntrospection } from './protocol/uma-federation.ts'

export { openToBrowsers } from './browser-access.ts'
export type { ClientIdentity } from './client-authentication.ts'
export { registerOnce } from './client-registration.ts'
export { discoverForResourceServer, type Fetch } from './discovery.ts'
export { rememberProofs } from './dpop.ts'
export { cacheIntrospection, LONGEST_CACHE } from './introspection-cache.ts'
export { connectOwner, type OwnerConnection, type OwnerConnectionOptions } from './owner-connection.ts'
export type { PendingConsent } from './owner-consent.ts'
export { type Answer, createProtectionApi, type Pat, type ProtectionApi, type ProtectionContext } from './protection-api.ts'
export type { ProtectedResourceMetadata } from './protocol/protected-resource.ts'
export type { Permission, ResourceDescription } from './protocol/uma-federation.ts'
export { resourceMetadataResponse, resourceMetadataUrl, resourceOfMetadataUrl } from './resource-metadata.ts'
export {
  createResourceRegistry,
  minimalDescription,
  type Registration,
  type RegistrationStore,
  type ResourceRegistry,
  registrationsIn,
} from './resource-registry.ts'
export { memoryStore, type TextStore } from './text-store.ts'

/** A token that is good now (UMA FedAuthz 5.1.1): its permissions, times in seconds since 1970, the key that it is bound to (RFC 9449 6). */
export type ActiveRpt = Extract<RptIntrospection, { active: true }>

/** What is asked of the owner's server for one request. */
export type Protection = {
  api: Pick<ProtectionApi, 'requestTicket'> & { introspect: CachedIntrospect }
  /** Issuer of the owner's authorization server, unchanged: it is the `as_uri` of the challenge. */
  asUri: string
  realm?: string
  /** All of these are needed to go on. */
  needed: readonly Permission[]
  /** What a ticket asks for, if it is more than what is needed (UMA Grant 3.2: a set that is reasonable for the request). */
  ticketFor?: readonly Permission[]
  /** The server does not know a resource any more: registers it again and answers what is needed then. */
  reregister?: () => Promise<Protection>
  /** Where the metadata of this resource lie, if they are served (RFC 9728 5.1): a second challenge says so. */
  resourceMetadata?: string | undefined
}

/** The parts of a request that decide. `url` is the public address, never made from the `Host` header. */
export type Presented = { method: string; url: string; authorization: string | null; dpop: string | null }

/** What a decision rests on besides the request and the server. `now` is seconds since 1970. */
export type AdmissionDeps = {
  now: number
  /** Remembers `jti` of a DPoP proof; false when it was seen (RFC 9449 11.1). Without it DPoP-bound tokens are refused. */
  isFresh?: (jti: string, seconds: number) => boolean | Promise<boolean>
}

/** What becomes of a request (UMA Grant 3.2, 3.5). */
export type Admission =
  | { kind: 'allowed'; rpt: ActiveRpt }
  /** 401. `why` is for the resource server's own record; the wire says nothing of it (UMA Grant 3.5). */
  | { kind: 'challenge'; asUri: string; ticket: string; header: string; why: 'no_token' | 'inactive' | 'insufficient' | 'proof' }
  /** 403 with `Warning`: the authorization server cannot be asked, or the owner is not connected any more. */
  | { kind: 'unreachable'; reason: string }

/** RFC 6750 2.1, RFC 9449 7.1 */
function presentedToken(authorization: string | null): { scheme: 'bearer' | 'dpop'; token: string } | undefined {
  const match = /^(bearer|dpop) +([\w.~+/-]+=*)$/i.exec(authorization ?? '')
  const [, scheme, token] = match ?? []
  return scheme === undefined || token === undefined ? undefined : { scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token }
}

/** UMA FedAuthz 5.1.1: times of the token and of the permission both count, the narrower wins. */
const isCurrent = (times: { exp?: number | undefined; nbf?: number | undefined }, now: number): boolean =>
  (times.exp === undefined || times.exp > now) && (times.nbf === undefined || times.nbf <= now)

/**
 * Does an introspected token hold every needed permission now, in seconds since 1970 (UMA FedAuthz 5.1.1)? Pure.
 * A permission without scopes needs at least an entry for its resource; several entries of one resource add up.
 * @param rpt the introspection answer
 * @param needed all of them must be there; where nothing is needed nothing is allowed
 * @returns false in doubt; `now` is compared with every time in the answer
 */
export function covers(rpt: RptIntrospection, needed: readonly Permission[], now: number): boolean {
  if (!rpt.active || !isCurrent(rpt, now) || needed.length === 0) return false
  return needed.every((permission) => {
    const entries = rpt.permissions.filter((entry) => entry.resource_id === permission.resource_id && isCurrent(entry, now))
    const scopes = new Set(entries.flatMap((entry) => entry.resource_scopes))
    return entries.length > 0 && permission.resource_scopes.every((scope) => scopes.has(scope))
  })
}

/** RFC 9449 6, 7: a bound token needs a proof of its key and the DPoP scheme; an unbound one may not pose as bound. */
async function isProved(
  rpt: ActiveRpt,
  scheme: 'bearer' | 'dpop',
  token: string,
  presented: Presented,
  deps: AdmissionDeps,
): Promise<boolean> {
  const jkt = rpt.cnf?.jkt
  // Another confirmation method than `jkt` is one that is not checked here, so it does not count as confirmed.
  if (jkt === undefined) return rpt.cnf === undefined && scheme === 'bearer'
  if (scheme !== 'dpop' || deps.isFresh === undefined) return false
  const { method, url } = presented
  const verdict = await verifyDpopProof(presented.dpop, { method, url, now: deps.now, accessToken: token, jkt, isFresh: deps.isFresh })
  return verdict.kind === 'valid'
}

type Judgement = Exclude<Admission, { kind: 'challenge' }> | { kind: 'unfit'; why: Extract<Admission, { kind: 'challenge' }>['why'] }

/** What the presented token is worth for this request. */
async function judge(presented: Presented, protection: Protection, deps: AdmissionDeps): Promise<Judgement> {
  const given = presentedToken(presented.authorization)
  if (given === undefined) return { kind: 'unfit', why: 'no_token' }
  const answer = await protection.api.introspect(given.token, (rpt) => covers(rpt, protection.needed, deps.now))
  if (answer.kind === 'disconnected' || answer.kind === 'unreachable') return { kind: 'unreachable', reason: answer.kind }
  const rpt = answer.kind === 'ok' ? answer.value : { active: false as const }
  if (!rpt.active) return { kind: 'unfit', why: 'inactive' }
  if (!covers(rpt, protection.needed, deps.now)) return { kind: 'unfit', why: 'insufficient' }
  return (await isProved(rpt, given.scheme, given.token, presented, deps)) ? { kind: 'allowed', rpt } : { kind: 'unfit', why: 'proof' }
}

/**
 * A permission ticket for what `protection` needs (UMA FedAuthz 4.1), for a program that is its own client; else see `admit`.
 * A resource that the server has forgotten is registered again, once, and the ticket asked for anew (UMA FedAuthz 4.3).
 * @returns the ticket, or why there is none; rejects only with what `reregister` threw
 */
export async function requestTicketFor(protection: Protection): Promise<Answer<string>> {
  const ask = ({ api, needed, ticketFor: wanted = needed }: Protection) => api.requestTicket(wanted)
  const answer = await ask(protection)
  const isForgotten = answer.kind === 'refused' && answer.error === 'invalid_resource_id'
  return isForgotten && protection.reregister !== undefined ? ask(await protection.reregister()) : answer
}

/**
 * Decides on one request: introspects a presented token or gets a permission ticket.
 * UMA Grant 3.5: an invalid token and one that permits too little are answered exactly like none, with a new ticket.
 * @param presented the request; what it needs, and of whom, is `protection`
 * @param deps.now seconds since 1970
 * @returns `allowed` only when the owner's server said so for every needed permission and the proof fits; a server that cannot be asked is
 * `unreachable` (UMA Grant 3.2.2). Rejects only with what `isFresh` or `reregister` threw.
 */
export async function admit(presented: Presented, protection: Protection, deps: AdmissionDeps): Promise<Admission> {
  const judgement = await judge(presented, protection, deps)
  if (judgement.kind !== 'unfit') return judgement
  const { asUri, realm, resourceMetadata } = protection
  const ticket = await requestTicketFor(protection)
  // UMA Grant 3.2.2: whatever the reason, without a ticket the client cannot go on.
  if (ticket.kind !== 'ok') return { kind: 'unreachable', reason: ticket.kind }
  const uma = formatUmaChallenge({ asUri, ticket: ticket.value, ...(realm === undefined ? {} : { realm }) })
  const { why } = judgement
  // UMA comes first: there are clients that read the first challenge only.
  const challenges = [
    uma,
    ...(why === 'proof' ? [formatChallenge('DPoP', { error: 'invalid_dpop_proof', algs: DPOP_ALGORITHMS.join(' ') })] : []),
    ...(resourceMetadata === undefined ? [] : [formatChallenge('Bearer', { [RESOURCE_METADATA]: resourceMetadata })]),
  ]
  const header = challenges.join(', ')
  return { kind: 'challenge', asUri, ticket: ticket.value, header, why }
}

/**
 * The answer to a request that was not allowed: what `admit` came to (`admission`), and what people see (`body`; else a sentence in English).
 * @returns 401 with the challenge (UMA Grant 3.2.1), or 403 with `Warning` where none could be had (3.2.2); for no cache. Never fails.
 */
export function refusalResponse(
  admission: Exclude<Admission, { kind: 'allowed' }>,
  body?: { text: string; contentType: string },
): Response {
  const headers = new Headers({
    'cache-control': 'no-store',
    vary: 'Authorization',
    'content-type': body?.contentType ?? 'text/plain; charset=utf-8',
  })
  if (admission.kind === 'challenge') {
    headers.set('www-authenticate', admission.header)
    return new Response(body?.text ?? 'Permission of the owner is needed. The challenge says where to get it.\n', { status: 401, headers })
  }
  headers.set('warning', AS_UNREACHABLE_WARNING)
  return new Response(body?.text ?? 'The server that knows who may see this cannot be asked right now.\n', { status: 403, headers })
}

/** What is protected, and what a decision needs of the program around it. */
export type ProtectOptions<Context = undefined> = {
  /**
   * Maps a request to its owner's server, resource and scopes (UMA Grant 3.2: from the request alone); nothing = not protected.
   * The second argument is Hono's context, with its route parameters.
   */
  protectionOf: (request: Request, context: Context) => Protection | undefined | Promise<Protection | undefined>
  /** Seconds since 1970; the machine's clock unless given. */
  now?: () => number
  isFresh?: AdmissionDeps['isFresh']
  /** Public address of a request, where a proxy stands before the server; else the request's own. */
  publicUrl?: (request: Request) => string
  /** Where the metadata of what is asked for lie, for instance by `resourceMetadataUrl`; nothing = they are not served (RFC 9728 5.1). */
  resourceMetadata?: (request: Request) => string | undefined
}

async function admitRequest<Context>(request: Request, context: Context, options: ProtectOptions<Context>): Promise<Admission | undefined> {
  const protection = await options.protectionOf(request, context)
  if (protection === undefined) return undefined
  const url = options.publicUrl?.(request) ?? request.url
  const { headers, method } = request
  const presented = { method, url, authorization: headers.get('authorization'), dpop: headers.get('dpop') }
  const now = options.now?.() ?? Math.floor(Date.now() / 1000)
  const resourceMetadata = protection.resourceMetadata ?? options.resourceMetadata?.(request)
  return admit(
    presented,
    { ...protection, resourceMetadata },
    { now, ...(options.isFresh === undefined ? {} : { isFresh: options.isFresh }) },
  )
}

/**
 * Puts a handler under UMA. What `protectionOf` and `handler` throw is thrown on.
 * @param options what each request needs, with clock and memory of proofs
 * @returns a handler that answers 401 with a UMA challenge (UMA Grant 3.2.1), 403 with `Warning` when no ticket can be had (3.2.2), or the
 * handler's own answer; the handler is given the introspected RPT, or nothing where nothing is protected
 */
export function protect(options: ProtectOptions, handler: (request: Request, rpt: ActiveRpt | undefined) => Response | Promise<Response>) {
  return async function umaProtected(request: Request): Promise<Response> {
    const admission = await admitRequest(request, undefined, options)
    if (admission === undefined) return handler(request, undefined)
    return admission.kind === 'allowed' ? handler(request, admission.rpt) : refusalResponse(admission)
  }
}

/**
 * The same as Hono middleware (UMA Grant 3.2.1, 3.2.2, 3.5): answers refusals itself, else calls `next`. Only `c.req.raw` is read, so
 * nothing of Hono is needed here.
 * @param options.onAllowed is given the introspected RPT, to put it where the route finds it
 * @returns middleware; what `protectionOf` and `next` throw is thrown on
 */
export function umaMiddleware<Context extends { req: { raw: Request } }>(
  options: ProtectOptions<Context> & { onAllowed?: (rpt: ActiveRpt, context: Context) => void },
) {
  return async function umaProtected(c: Context, next: () => Promise<void>): Promise<Response | undefined> {
    const admission = await admitRequest(c.req.raw, c, options)
    if (admission !== undefined && admission.kind !== 'allowed') return refusalResponse(admission)
    if (admission !== undefined) options.onAllowed?.(admission.rpt, c)
    await next()
    return undefined
  }
}

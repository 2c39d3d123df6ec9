// A resource server's side of the protection API (UMA FedAuthz 3, 4, 5): resources, permission tickets, introspection, all with a PAT
// that renews itself. Nothing is cached: every introspection asks the authorization server.
import * as v from 'valibot'
import { authenticateClient, type ClientIdentity } from './client-authentication.ts'
import type { Fetch } from './discovery.ts'
import { discard, readJson } from './limited-body.ts'
import { oauthError, tokenResponse } from './protocol/oauth.ts'
import {
  type Permission,
  permissionResponse,
  type ReadResource,
  type RegisteredResource,
  type ResourceDescription,
  type RptIntrospection,
  readResource,
  registeredResource,
  resourceList,
  rptIntrospection,
  type UmaMetadata,
} from './protocol/uma-federation.ts'

/** Protection API access token of one owner (UMA FedAuthz 1.3). `expiresAt` in seconds since 1970. */
export type Pat = { accessToken: string; refreshToken?: string; expiresAt: number }

/**
 * `disconnected`: there is no PAT any more, the owner must connect again. `unreachable`: no answer, a 5xx, one that it has no time (429), or
 * one that is not the protocol's. `refused`: the server's own error (UMA FedAuthz 4.3, 6).
 */
export type Answer<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'refused'; status: number; error: string }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'disconnected' }

/** The server, this resource server's registration there, and the owner's PAT (UMA FedAuthz 1.3). */
export type ProtectionContext = {
  metadata: UmaMetadata
  client: ClientIdentity
  /** Where the PAT is kept, sealed at best. `write(undefined)` forgets it. */
  pat: { read: () => Promise<Pat | undefined>; write: (pat: Pat | undefined) => Promise<void> }
  /** The server does not know this client any more: it must register anew before the owner is asked again. */
  onUnknownClient?: () => Promise<void>
}

/** The protection API of one owner (UMA FedAuthz 1.3). Nothing here rejects for what the server does: see `Answer`. */
export type ProtectionApi = {
  /** UMA FedAuthz 3.2.1 */
  registerResource: (description: ResourceDescription) => Promise<Answer<RegisteredResource>>
  /** UMA FedAuthz 3.2.2 */
  readResource: (id: string) => Promise<Answer<ReadResource>>
  /** UMA FedAuthz 3.2.3: replaces the whole description */
  updateResource: (id: string, description: ResourceDescription) => Promise<Answer<RegisteredResource>>
  /** UMA FedAuthz 3.2.4; a resource that is gone already counts as deleted */
  deleteResource: (id: string) => Promise<Answer<undefined>>
  /** UMA FedAuthz 3.2.5 */
  listResources: () => Promise<Answer<string[]>>
  /** UMA FedAuthz 4.1: one ticket for all of them */
  requestTicket: (permissions: readonly Permission[]) => Promise<Answer<string>>
  /** UMA FedAuthz 5.1 */
  introspect: (token: string) => Promise<Answer<RptIntrospection>>
}

/** Seconds before its end at which a PAT is renewed. */
const RENEW_BEFORE = 30
const ANSWER_LIMIT = 262_144

const unreachable = (reason: string): { kind: 'unreachable'; reason: string } => ({ kind: 'unreachable', reason })

/** Renews a PAT (RFC 6749 6). `invalid_grant` and `invalid_client` mean that the connection is over. */
async function renewPat(context: ProtectionContext, pat: Pat, deps: { fetch: Fetch; now: () => number }): Promise<Answer<Pat>> {
  if (pat.refreshToken === undefined) return { kind: 'disconnected' }
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' })
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: pat.refreshToken })
  authenticateClient(context.client, headers, form)
  const response = await deps.fetch(context.metadata.token_endpoint, { method: 'POST', headers, body: form.toString(), redirect: 'manual' })
  const body = await readJson(response, ANSWER_LIMIT)
  const refusal = v.safeParse(oauthError, body)
  if (response.status >= 400 && response.status < 500 && refusal.success) {
    if (refusal.output.error === 'invalid_client') await context.onUnknownClient?.()
    return ['invalid_grant', 'invalid_client', 'unauthorized_client'].includes(refusal.output.error)
      ? { kind: 'disconnected' }
      : { kind: 'refused', status: response.status, error: refusal.output.error }
  }
  const renewed = v.safeParse(tokenResponse, body)
  if (response.status !== 200 || !renewed.success) return unreachable(`the token endpoint answered ${response.status}`)
  const { access_token: accessToken, refresh_token: refreshToken = pat.refreshToken, expires_in: expiresIn = 300 } = renewed.output
  return { kind: 'ok', value: { accessToken, refreshToken, expiresAt: deps.now() + expiresIn } }
}

/** Reads an answer of the protection API: the wanted status with a body that fits, or why not. */
async function readAnswer<T>(response: Response, statuses: readonly number[], schema: v.GenericSchema<unknown, T>): Promise<Answer<T>> {
  const body = await readJson(response, ANSWER_LIMIT)
  if (statuses.includes(response.status)) {
    const parsed = v.safeParse(schema, body)
    return parsed.success ? { kind: 'ok', value: parsed.output } : unreachable('the answer is not well formed')
  }
  // RFC 6585 4: too many requests is no word on what was asked; a token is not refused for it.
  if (response.status >= 500 || response.status === 429) return unreachable(`the server answered ${response.status}`)
  const refusal = v.safeParse(oauthError, body)
  return { kind: 'refused', status: response.status, error: refusal.success ? refusal.output.error : 'unknown' }
}

type NoAnswer = Exclude<Answer<never>, { kind: 'ok' }>

/** One renewal at a time: calls that come meanwhile wait for it, since a refresh token may be good only once. */
function createRenewal(context: ProtectionContext, deps: { fetch: Fetch; now: () => number }): (pat: Pat) => Promise<Answer<Pat>> {
  let running: Promise<Answer<Pat>> | undefined
  /** The PAT that is kept now, if it is another one: somebody renewed it, or the owner connected again. */
  const newerThan = async (pat: Pat): Promise<Pat | undefined> => {
    const kept = await context.pat.read()
    return kept?.accessToken === pat.accessToken ? undefined : kept
  }
  const renew = async (pat: Pat): Promise<Answer<Pat>> => {
    // A call that was under way when the PAT was renewed must not spend the old refresh token once more.
    const before = await newerThan(pat)
    if (before !== undefined) return { kind: 'ok', value: before }
    const renewed = await renewPat(context, pat, deps)
    const meanwhile = await newerThan(pat)
    if (meanwhile !== undefined) return { kind: 'ok', value: meanwhile }
    if (renewed.kind === 'ok') await context.pat.write(renewed.value)
    if (renewed.kind === 'disconnected') await context.pat.write(undefined)
    return renewed
  }
  return (pat) => {
    running ??= renew(pat).finally(() => {
      running = undefined
    })
    return running
  }
}

/** Sends requests with the PAT: renewed when it is about to end, and once when the server does not take it any more. */
function createCaller(context: ProtectionContext, deps: { fetch: Fetch; now: () => number }) {
  const renew = createRenewal(context, deps)

  const send = (url: string, init: RequestInit, pat: Pat): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('accept', 'application/json')
    headers.set('authorization', `Bearer ${pat.accessToken}`)
    return deps.fetch(url, { ...init, headers, redirect: 'manual' })
  }

  const currentPat = async (): Promise<Answer<Pat>> => {
    const kept = await context.pat.read()
    if (kept === undefined) return { kind: 'disconnected' }
    const isEnding = kept.expiresAt - RENEW_BEFORE <= deps.now() && kept.refreshToken !== undefined
    return isEnding ? renew(kept) : { kind: 'ok', value: kept }
  }

  const attempt = async (url: string, init: RequestInit): Promise<Response | NoAnswer> => {
    const current = await currentPat()
    if (current.kind !== 'ok') return current
    const response = await send(url, init, current.value)
    // RFC 6750 3.1: the PAT was revoked or ended early.
    if (response.status !== 401) return response
    await discard(response)
    const renewed = await renew(current.value)
    if (renewed.kind !== 'ok') return renewed
    const again = await send(url, init, renewed.value)
    if (again.status !== 401) return again
    await discard(again)
    return { kind: 'disconnected' }
  }

  return async function call<T>(url: string, init: RequestInit, readIt: (response: Response) => Promise<Answer<T>>): Promise<Answer<T>> {
    try {
      const outcome = await attempt(url, init)
      // Asked by its members: a server framework may have put a Response of its own in place of the platform's.
      return 'kind' in outcome ? outcome : await readIt(outcome)
    } catch (error) {
      return unreachable(error instanceof Error ? error.message : 'no answer')
    }
  }
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

async function afterDelete(response: Response): Promise<Answer<undefined>> {
  if (![200, 204, 404].includes(response.status)) return readAnswer(response, [], v.undefined())
  await discard(response)
  return { kind: 'ok', value: undefined }
}

async function afterPermission(response: Response): Promise<Answer<string>> {
  const answer = await readAnswer(response, [201, 200], permissionResponse)
  return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.ticket } : answer
}

/**
 * The protection API of one owner at one authorization server (UMA FedAuthz 3, 4, 5).
 * The PAT is renewed when it is about to expire and once after a 401; concurrent calls share one renewal. No call rejects for what the
 * server does or does not do: that is in the answer.
 * @param context the server's metadata, and where the PAT comes from
 * @param deps.now seconds since 1970
 * @returns the calls, each of which answers `ok`, `refused`, `unreachable` or `disconnected`
 */
export function createProtectionApi(context: ProtectionContext, deps: { fetch: Fetch; now: () => number }): ProtectionApi {
  // Taken out of its object: browsers and Workers refuse a `fetch` that is called as another's method.
  const { fetch: send, now } = deps
  const call = createCaller(context, { fetch: (input, init) => send(input, init), now })
  const { resource_registration_endpoint: registration, permission_endpoint, introspection_endpoint } = context.metadata
  const resourceUrl = (id: string): string => `${registration.replace(/\/$/, '')}/${encodeURIComponent(id)}`
  return {
    registerResource: (description) => call(registration, json('POST', description), (r) => readAnswer(r, [201, 200], registeredResource)),
    readResource: (id) => call(resourceUrl(id), { method: 'GET' }, (r) => readAnswer(r, [200], readResource)),
    updateResource: (id, description) => call(resourceUrl(id), json('PUT', description), (r) => readAnswer(r, [200], registeredResource)),
    deleteResource: (id) => call(resourceUrl(id), { method: 'DELETE' }, afterDelete),
    listResources: () => call(registration, { method: 'GET' }, (r) => readAnswer(r, [200], resourceList)),
    // UMA FedAuthz 4.1: a single object or an array; one is sent as an object, which every server knows.
    requestTicket: (permissions) =>
      call(permission_endpoint, json('POST', permissions.length === 1 ? permissions[0] : permissions), afterPermission),
    introspect: (token) => {
      if (introspection_endpoint === undefined) return Promise.resolve(unreachable('the server has no introspection endpoint'))
      // UMA FedAuthz 5.1: the hint, if any, is `access_token`.
      const body = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      return call(introspection_endpoint, { method: 'POST', headers, body }, (r) => readAnswer(r, [200], rptIntrospection))
    },
  }
}

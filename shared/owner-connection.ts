// One owner's authorization server as a resource server sees it: found when it is first needed, connected once, its things registered.
// All state lies in the store that is handed in, so that a restart changes nothing. While the server is away, nobody gets in.
import type { ClientIdentity } from './client-authentication.ts'
import { discoverForResourceServer, type Fetch } from './discovery.ts'
import { cacheIntrospection } from './introspection-cache.ts'
import { consentUrl, type PendingConsent, patFromAnswer } from './owner-consent.ts'
import { type Answer, createProtectionApi, type Pat, type ProtectionApi } from './protection-api.ts'
import type { Permission, ResourceDescription, UmaMetadata } from './protocol/uma-federation.ts'
import { createResourceRegistry, type RegistrationStore, registrationsIn } from './resource-registry.ts'
import type { Protection } from './resource-server.ts'
import { readKept, type TextStore } from './text-store.ts'

/** Which server an owner has, and where what it gave is kept. */
export type OwnerConnectionOptions = {
  /** Issuer of the owner's authorization server, unchanged. */
  asUri: string
  /** This resource server's registration there, for instance by `registerOnce`; `again` when the server did not know the last one. */
  identity: (metadata: UmaMetadata, wanted?: { again: boolean }) => Promise<ClientIdentity>
  /** Keeps the PAT (`pat`) and what is registered (`resource <key>`). One store for one owner. */
  store: TextStore
  /** Keeps what is registered, for a program with a table of its things; in `store` unless given. */
  registrations?: RegistrationStore
  /** The server's metadata, checked, from a program that keeps them for several owners; they are fetched unless given. Nothing = away. */
  metadata?: () => Promise<UmaMetadata | undefined>
  realm?: string
  /** Seconds, at most 5, that a permission may be believed without asking; 0, the default, asks at each request. */
  cacheSeconds?: number
}

/** One owner's server, for as long as the program runs; all that must outlive it is in the store. */
export type OwnerConnection = {
  asUri: string
  /** UMA FedAuthz 3, 4, 5, with the kept PAT. */
  api: ProtectionApi
  /** Where to send the owner's browser to be connected; `pending` is kept in that person's session. */
  askOwner: (request: { redirectUri: string; scope?: string }) => Promise<Answer<{ url: string; pending: PendingConsent }>>
  /** The owner is back on `redirectUri`: keeps the PAT. `failed` says why there is none. */
  ownerAnswered: (pending: PendingConsent, query: URLSearchParams) => Promise<{ kind: 'connected' } | { kind: 'failed'; reason: string }>
  /** Registers a thing, or updates it when its description has changed; answers its `_id` (UMA FedAuthz 3.2.1, 3.2.3). */
  register: (key: string, description: ResourceDescription) => Promise<Answer<string>>
  /** Ends a registration (UMA FedAuthz 3.2.4). */
  unregister: (key: string) => Promise<Answer<undefined>>
  /** Forgets which of these things the server does not know any more, by its own list, and answers them (UMA FedAuthz 3.2.5). */
  reconcile: (keys: readonly string[]) => Promise<Answer<string[]>>
  /**
   * What a request for the thing `key` needs, for `admit`, `protect` and `umaMiddleware`. Registers the thing if it is not, and again when
   * the server has forgotten it. A server that cannot be asked yields a protection that lets nobody in (UMA Grant 3.2.2).
   * @param scopes all of them are needed; `ticketScopes` are asked for in the ticket, if more is reasonable (UMA Grant 3.2)
   */
  protect: (key: string, description: ResourceDescription, scopes: string[], ticketScopes?: string[]) => Promise<Protection>
}

/** Seconds after which the server's metadata are read again. */
const METADATA_LIFETIME = 3600
/** Seconds after which a server that does not answer counts as away. */
const TIMEOUT = 10
/** Key of a mark: the server has said that it does not know this client. */
const FORGOTTEN = 'client forgotten'

type Party = { metadata: UmaMetadata; client: ClientIdentity; api: ProtectionApi; until: number }

/** Finds the server and this program's registration there when they are needed, and keeps them for an hour. */
function createFinder(options: OwnerConnectionOptions, deps: { fetch: Fetch; now: () => number }): () => Promise<Answer<Party>> {
  const { asUri, identity, store } = options
  const pat = {
    read: () => readKept<Pat>(store, 'pat'),
    write: async (renewed: Pat | undefined) => store.write('pat', renewed && JSON.stringify(renewed)),
  }
  /** What it gives to know about itself, or why there is nothing. */
  const read = async (): Promise<UmaMetadata | string> => {
    if (options.metadata !== undefined) return (await options.metadata()) ?? 'no metadata'
    const discovery = await discoverForResourceServer(asUri, deps.fetch)
    return discovery.kind === 'found' ? discovery.metadata : discovery.reason
  }
  let kept: Party | undefined
  let running: Promise<Answer<Party>> | undefined
  const onUnknownClient = async (): Promise<void> => {
    kept = undefined
    await store.write(FORGOTTEN, 'yes')
  }
  const find = async (): Promise<Answer<Party>> => {
    const metadata = await read()
    if (typeof metadata === 'string') return { kind: 'unreachable', reason: metadata }
    try {
      const client = await identity(metadata, { again: (await store.read(FORGOTTEN)) !== undefined })
      await store.write(FORGOTTEN, undefined)
      kept = {
        metadata,
        client,
        api: createProtectionApi({ metadata, client, pat, onUnknownClient }, deps),
        until: deps.now() + METADATA_LIFETIME,
      }
      return { kind: 'ok', value: kept }
    } catch (error) {
      return { kind: 'unreachable', reason: error instanceof Error ? error.message : 'no registration' }
    }
  }
  return () => {
    if (kept !== undefined && kept.until > deps.now()) return Promise.resolve({ kind: 'ok', value: kept })
    running ??= find().finally(() => {
      running = undefined
    })
    return running
  }
}

/** The protection API of a server that has yet to be found. */
function lateApi(find: () => Promise<Answer<Party>>): ProtectionApi {
  const call = async <T>(use: (api: ProtectionApi) => Promise<Answer<T>>): Promise<Answer<T>> => {
    const found = await find()
    return found.kind === 'ok' ? use(found.value.api) : found
  }
  return {
    registerResource: (description) => call((api) => api.registerResource(description)),
    readResource: (id) => call((api) => api.readResource(id)),
    updateResource: (id, description) => call((api) => api.updateResource(id, description)),
    deleteResource: (id) => call((api) => api.deleteResource(id)),
    listResources: () => call((api) => api.listResources()),
    requestTicket: (permissions) => call((api) => api.requestTicket(permissions)),
    introspect: (token) => call((api) => api.introspect(token)),
  }
}

/** `fetch` that gives up: a server that is silent must not keep requests open. Taken out of its object, as browsers want it. */
const withTimeout =
  (send: Fetch): Fetch =>
  (input, init) =>
    send(input, { ...init, signal: AbortSignal.timeout(TIMEOUT * 1000) })

/**
 * Connects a resource server with one owner's authorization server. Nothing is sent before it is needed. Times are seconds.
 * @param options the server, who the resource server is there, and where it keeps what it was given
 * @param deps.now seconds since 1970; the clock of the machine unless given
 * @returns the protection API of that owner, and what connects and disconnects. Throws a RangeError for `cacheSeconds` over 5. Answers of a
 * server that is away are `unreachable`, never exceptions (UMA Grant 3.2.2).
 */
export function connectOwner(options: OwnerConnectionOptions, deps: { fetch: Fetch; now?: () => number }): OwnerConnection {
  const { asUri, realm, store, registrations = registrationsIn(store), cacheSeconds = 0 } = options
  const whole = { fetch: withTimeout(deps.fetch), now: deps.now ?? (() => Math.floor(Date.now() / 1000)) }
  const find = createFinder(options, whole)
  const api = lateApi(find)
  const asking = { requestTicket: api.requestTicket, ...cacheIntrospection(api, { seconds: cacheSeconds, now: whole.now }) }
  const askingApi = cacheSeconds > 0 ? asking : api
  const registry = createResourceRegistry(api, registrations)

  const protectionFor = (answer: Answer<string>, scopes: string[], ticketScopes: string[] | undefined): Protection => {
    const frame = { asUri, ...(realm === undefined ? {} : { realm }) }
    if (answer.kind !== 'ok') {
      const noAnswer = async () => answer
      return { ...frame, api: { introspect: noAnswer, requestTicket: noAnswer }, needed: [] }
    }
    const permission = (resource_scopes: string[]): Permission => ({ resource_id: answer.value, resource_scopes })
    const ticketFor = ticketScopes === undefined ? {} : { ticketFor: [permission(ticketScopes)] }
    return { ...frame, api: askingApi, needed: [permission(scopes)], ...ticketFor }
  }

  return {
    asUri,
    api,
    askOwner: async (request) => {
      const found = await find()
      if (found.kind !== 'ok') return found
      const { metadata, client } = found.value
      const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))
      const asked = await consentUrl(metadata, client, request, random)
      return asked === undefined
        ? { kind: 'unreachable', reason: 'the server has no authorization endpoint' }
        : { kind: 'ok', value: asked }
    },
    ownerAnswered: async (pending, query) => {
      const found = await find()
      if (found.kind !== 'ok') return { kind: 'failed', reason: 'the server cannot be asked' }
      const consent = await patFromAnswer(found.value.metadata, found.value.client, pending, query, whole)
      if (consent.kind !== 'consented') return consent
      await store.write('pat', JSON.stringify(consent.pat))
      return { kind: 'connected' }
    },
    register: (key, description) => registry.ensure(key, description),
    unregister: (key) => registry.remove(key),
    reconcile: (keys) => registry.reconcile(keys),
    protect: async (key, description, scopes, ticketScopes) => {
      const answer = await registry.ensure(key, description)
      const protection = protectionFor(answer, scopes, ticketScopes)
      if (answer.kind !== 'ok') return protection
      const reregister = async () => protectionFor(await registry.again(key, description, answer.value), scopes, ticketScopes)
      return { ...protection, reregister }
    },
  }
}

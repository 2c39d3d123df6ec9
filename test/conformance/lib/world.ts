// What a case acts with: resource servers that hold a PAT, clients, requesting parties, things that are shared. Each thing is a new
// resource, so that cases can run side by side; what a case would spoil for others (`fresh...`) is its own.
import type {
  Adapter,
  Client,
  Environment,
  Feature,
  Features,
  Json,
  OwnerName,
  Pat,
  Person,
  Policy,
  Profile,
  ServiceName,
} from '../contract.ts'
import { openBrowser } from './browser.ts'
import { granted, NotOffered, needInfo, ok, same, status } from './check.ts'
import { type Answer, type Call, type DpopKey, newDpopKey, random } from './http.ts'

export const UMA_TICKET = 'urn:ietf:params:oauth:grant-type:uma-ticket'
export const CLAIMS_REDIRECT = 'https://app.example/claims'
export const REDIRECT = 'https://app.example/connected'

export type Permission = { resource_id: string; resource_scopes: string[] }

export type Rs = {
  owner: OwnerName
  service: ServiceName
  pat: Pat
  /** A call with the PAT, to any address. */
  call: (url: string, options?: Call) => Promise<Answer>
  resourceUrl: (id?: string) => string
  create: (description: Json) => Promise<Answer>
  register: (description: Json) => Promise<string>
  askPermission: (permissions: unknown) => Promise<Answer>
  ticket: (permissions: Permission | Permission[]) => Promise<string>
  introspect: (token: string, more?: Record<string, string>) => Promise<Json>
}

export type App = {
  client: Client
  key: DpopKey | undefined
  /** A token request with a ticket (UMA Grant 3.3.1). */
  token: (ticket: string, more?: Record<string, string>) => Promise<Answer>
  /** Any token request of this client. */
  request: (form: Record<string, string> | [string, string][], url?: string) => Promise<Answer>
}

export type Thing = { id: string; rs: Rs; ticket: (scopes?: string[]) => Promise<string> }
type ThingOptions = { owner?: OwnerName; service?: ServiceName; rs?: Rs; description?: Json }

type Lifetimes = NonNullable<Profile['lifetimes']>

export type World = Environment & {
  features: Features
  lifetimes: Lifetimes
  adapter: Adapter
  offers: (feature: Feature) => boolean
  endpoint: (name: string) => string
  rs: (owner?: OwnerName, service?: ServiceName) => Promise<Rs>
  freshRs: (owner?: OwnerName) => Promise<Rs>
  app: (which?: 'main' | 'other' | 'public') => Promise<App>
  newApp: (kind: 'public' | 'confidential', metadata?: Json) => Promise<App>
  newClient: (kind: 'public' | 'confidential', metadata?: Json) => Promise<Client>
  bob: () => Promise<Person>
  carol: () => Promise<Person>
  thing: (scopes?: string[], options?: ThingOptions) => Promise<Thing>
  share: (thing: Thing, person: Person, scopes?: string[], until?: number) => Promise<Policy>
  /** Presents a ticket with what this person can show; by pushing if the server takes claim tokens, else by interaction. */
  present: (app: App, ticket: string, person: Person, more?: Record<string, string>) => Promise<Answer>
  /** A thing that is shared with Bob and opened by the main app. */
  opened: (scopes?: string[], options?: ThingOptions) => Promise<Opened>
}
export type Opened = { thing: Thing; policy: Policy; rpt: string; app: App; person: Person; answer: Answer }

/** The first call makes it, later ones share it. */
const once = <T>(kept: Map<string, Promise<unknown>>, key: string, make: () => Promise<T>): Promise<T> => {
  const found = kept.get(key) ?? make()
  kept.set(key, found)
  return found as Promise<T>
}

const makeRs = (world: World, owner: OwnerName, service: ServiceName, pat: Pat): Rs => {
  const registration = world.endpoint('resource_registration_endpoint')
  const call: Rs['call'] = (url, options = {}) =>
    world.http.call(url, { bearer: pat.token, ...(pat.dpop && { dpop: pat.dpop }), ...options })
  const rs: Rs = {
    owner,
    service,
    pat,
    call,
    resourceUrl: (id) => (id === undefined ? registration : `${registration.replace(/\/$/, '')}/${encodeURIComponent(id)}`),
    create: (description) => call(registration, { json: description }),
    register: async (description) => String(status(await rs.create(description), 201, 'registering a resource').json._id),
    askPermission: (json) => call(world.endpoint('permission_endpoint'), { json }),
    ticket: async (permissions) => String(status(await rs.askPermission(permissions), 201, 'asking for a ticket').json.ticket),
    introspect: async (token, more = {}) =>
      status(await call(world.endpoint('introspection_endpoint'), { form: { token, ...more } }), 200, 'introspection').json,
  }
  return rs
}

const makeApp = (world: World, client: Client, key: DpopKey | undefined): App => {
  const request: App['request'] = (form, url = world.endpoint('token_endpoint')) => {
    const fields: [string, string][] = Array.isArray(form) ? form : Object.entries(form)
    const isNamed = fields.some(([name]) => name === 'client_id')
    return world.http.call(url, {
      form: client.secret === undefined && !isNamed ? [...fields, ['client_id', client.id]] : fields,
      ...(client.secret !== undefined && { basic: { id: client.id, secret: client.secret } }),
      ...(key && { dpop: key }),
    })
  }
  return { client, key, request, token: (ticket, more = {}) => request({ grant_type: UMA_TICKET, ticket, ...more }) }
}

const newClient = async (world: World, kind: 'public' | 'confidential', metadata: Json): Promise<Client> => {
  const whole = { client_name: 'A client', token_endpoint_auth_method: kind === 'public' ? 'none' : 'client_secret_basic', ...metadata }
  if (!world.offers('registration')) {
    if (world.adapter.client === undefined) throw new NotOffered('no dynamic registration, and the profile has no client for this')
    return world.adapter.client({ kind, metadata: whole })
  }
  const answer = await world.http.call(world.endpoint('registration_endpoint'), { json: whole })
  const { json } = status(answer, 201, 'registering a client')
  return { id: String(json.client_id), ...(json.client_secret !== undefined && { secret: String(json.client_secret) }), metadata: json }
}

const presentFor = async (world: World, app: App, ticket: string, person: Person, more: Record<string, string>): Promise<Answer> => {
  const { claimToken, interact } = world.adapter
  if (world.offers('pushedClaims') && claimToken)
    return app.token(ticket, { ...(await claimToken({ person, client: app.client, ticket })), ...more })
  if (!interact) throw new NotOffered('a requesting party can show nothing')
  const ended = await interact({
    url: claimsUrl(world, { client_id: app.client.id, ticket, claims_redirect_uri: CLAIMS_REDIRECT, state: random(8) }),
    person,
    browser: openBrowser(),
    isBack: (url) => url.startsWith(CLAIMS_REDIRECT),
  })
  return app.token(ended.back?.searchParams.get('ticket') ?? '', more)
}

/** An address at the claims interaction endpoint (UMA Grant 3.3.2). */
export const claimsUrl = (world: World, params: Record<string, string | undefined>): string => {
  const url = new URL(world.endpoint('claims_interaction_endpoint'))
  for (const [name, value] of Object.entries(params)) if (value !== undefined) url.searchParams.append(name, value)
  return url.href
}

/** Puts together what cases act with. */
export const makeWorld = (environment: Environment, features: Features, adapter: Adapter, lifetimes: Lifetimes): World => {
  const kept = new Map<string, Promise<unknown>>()
  const world: World = {
    ...environment,
    features,
    lifetimes,
    adapter,
    offers: (feature) => features[feature] === true,
    endpoint: (name) => {
      const url = environment.metadata[name]
      if (typeof url !== 'string') throw new NotOffered(`the discovery document names no ${name}`)
      return url
    },
    rs: (owner = 'alice', service = 'first') =>
      once(kept, `rs ${owner} ${service}`, async () => makeRs(world, owner, service, await adapter.protectionToken({ owner, service }))),
    freshRs: async (owner = 'alice') =>
      makeRs(world, owner, 'first', await adapter.protectionToken({ owner, service: 'first', fresh: true })),
    app: (which = 'main') => once(kept, `app ${which}`, () => world.newApp(which === 'public' ? 'public' : 'confidential')),
    newApp: async (kind, metadata = {}) => {
      const client = await newClient(world, kind, {
        client_name: 'An app',
        grant_types: world.offers('rptRefresh') ? [UMA_TICKET, 'refresh_token'] : [UMA_TICKET],
        claims_redirect_uris: [CLAIMS_REDIRECT],
        ...metadata,
      })
      return makeApp(world, client, kind === 'public' && world.offers('dpop') ? await newDpopKey() : undefined)
    },
    newClient: (kind, metadata = {}) => newClient(world, kind, metadata),
    bob: () => once(kept, 'bob', adapter.person),
    carol: () => once(kept, 'carol', adapter.person),
    thing: async (scopes = ['view'], { owner, service, rs, description } = {}) => {
      const keeper = rs ?? (await world.rs(owner, service))
      const id = await keeper.register({ resource_scopes: scopes, name: `thing ${random(6)}`, ...description })
      return { id, rs: keeper, ticket: (asked = scopes) => keeper.ticket({ resource_id: id, resource_scopes: asked }) }
    },
    share: ({ id, rs: { owner, service } }, person, scopes = ['view'], until) =>
      adapter.allow({ owner, service, resource: id, scopes, person, ...(until !== undefined && { until }) }),
    present: (app, ticket, person, more = {}) => presentFor(world, app, ticket, person, more),
    opened: async (scopes = ['view'], options = {}) => {
      const [thing, app, person] = await Promise.all([world.thing(scopes, options), world.app(), world.bob()])
      const policy = await world.share(thing, person, scopes)
      const answer = await world.present(app, await thing.ticket(), person)
      return { thing, policy, app, person, answer, rpt: granted(answer, 'a shared thing is opened') }
    },
  }
  return world
}

/** The permissions of an introspection answer as `id: scopes`, in order. */
export const cellsOf = (introspected: Json): string[] =>
  ((introspected.permissions ?? []) as Permission[]).map((one) => `${one.resource_id}: ${[...one.resource_scopes].sort().join(' ')}`).sort()

/** The RPT is active and has exactly these permissions. */
export const hasExactly = async (rs: Rs, rpt: string, expected: readonly Permission[], what: string): Promise<Json> => {
  const found = await rs.introspect(rpt)
  same(found.active, true, `${what}: active`)
  same(cellsOf(found), cellsOf({ permissions: expected }), `${what}: permissions`)
  return found
}

/** The RPT no longer opens this resource: it is inactive, or the permission is gone. */
export const opensNot = async (rs: Rs, rpt: string, id: string, what: string): Promise<void> => {
  const found = await rs.introspect(rpt)
  const left = ((found.permissions ?? []) as Permission[]).filter((one) => one.resource_id === id && one.resource_scopes.length > 0)
  ok(found.active === false || left.length === 0, `${what}: the resource server is still told ${JSON.stringify(left)}`)
}

/** A ticket that this app has presented without any claim: what need_info brought. */
export const askedForInfo = async (thing: Thing, app: App): Promise<{ first: string; next: string; answer: Answer }> => {
  const first = await thing.ticket()
  const answer = await app.token(first)
  return { first, answer, next: needInfo(answer, first, 'a ticket without claims') }
}

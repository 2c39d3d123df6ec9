// A second UMA 2.0 server for the conformance suite: as small as the two specifications allow, written from them and from nothing of ours.
// Owners, clients and policies are told to it by hand (`/by-hand`); guests show claims by pushing a JWT. All or nothing is granted.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { freePort } from './runtime.ts'
import { ISSUER_OF_CLAIMS, JWT, openClaims } from './small-server-claims.ts'
import {
  type Description,
  describedBy,
  type Fields,
  formOf,
  jsonOf,
  known,
  now,
  type Permission,
  permissionsIn,
  Refused,
  type Reply,
} from './small-server-requests.ts'

type Keeper = { owner: string; service: string }
type Resource = Keeper & { description: Description }
type Policy = { owner: string; resource: string; scopes: string[]; person: string }
type Ticket = Keeper & { permissions: Permission[]; client?: string; rounds: number }
type Rpt = Keeper & { client: string; iat: number; exp: number; permissions: (Permission & { policies: string[] })[] }

export type SmallServer = {
  issuer: string
  /** A mistake that a test lets it make: a ticket counts as often as it is presented (against UMA Grant 5.5). */
  habits: { ticketsLast: boolean }
  stop: () => Promise<void>
}

const UMA_TICKET = 'urn:ietf:params:oauth:grant-type:uma-ticket'
const LIFETIME = 3600
/** need_info so often without progress, and the process is over. */
const MOST_ROUNDS = 5

/** Starts it on http://localhost:<port>/small. */
export const startSmallServer = async (): Promise<SmallServer> => {
  const port = await freePort()
  const issuer = `http://localhost:${port}/small`
  const habits = { ticketsLast: false }
  const claims = await openClaims(issuer)
  const clients = new Map<string, string>()
  const pats = new Map<string, Keeper>()
  const resources = new Map<string, Resource>()
  const policies = new Map<string, Policy>()
  const tickets = new Map<string, Ticket>()
  const rpts = new Map<string, Rpt>()
  const keep = <T>(table: Map<string, T>, value: T): string => {
    const id = randomUUID()
    table.set(id, value)
    return id
  }

  const metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    permission_endpoint: `${issuer}/permission`,
    resource_registration_endpoint: `${issuer}/resource`,
    jwks_uri: `${issuer}/jwks`,
    grant_types_supported: [UMA_TICKET],
    response_types_supported: ['none'],
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
    claim_token_profiles_supported: [JWT],
    scopes_supported: ['uma_protection'],
  }

  /** RFC 6749 2.3.1 */
  const clientOf = (request: IncomingMessage, form: Map<string, string>): string => {
    const refused = new Refused(401, 'invalid_client', {}, { 'www-authenticate': 'Basic realm="small"' })
    const credentials = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (credentials === undefined) throw refused
    const [, id = '', secret = ''] = /^([^:]*):(.*)$/.exec(Buffer.from(credentials, 'base64').toString()) ?? []
    if (secret === '' || clients.get(id) !== secret) throw refused
    if (form.has('client_secret') || (form.get('client_id') ?? id) !== id) throw new Refused(400, 'invalid_request')
    return id
  }

  /** RFC 6750 3 */
  const keeperOf = (request: IncomingMessage): Keeper => {
    const token = /^bearer +([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
    const challenge = (error: string) => ({ 'www-authenticate': `Bearer realm="small"${error}` })
    if (token === undefined) throw new Refused(401, 'unauthorized', {}, challenge(''))
    const keeper = pats.get(token)
    if (keeper === undefined) throw new Refused(401, 'invalid_token', {}, challenge(', error="invalid_token"'))
    return keeper
  }
  const isKeptBy = (one: Keeper | undefined, keeper: Keeper): boolean => one?.owner === keeper.owner && one.service === keeper.service

  const policiesFor = (id: string, scope: string, person?: string): string[] =>
    [...policies].flatMap(([key, one]) =>
      one.resource === id && one.scopes.includes(scope) && (person === undefined || one.person === person) ? [key] : [],
    )

  /** UMA Grant 3.3 */
  const token = async (request: IncomingMessage): Promise<Reply> => {
    const form = await formOf(request)
    const client = clientOf(request, form)
    const [grant, text] = [form.get('grant_type'), form.get('ticket')]
    if (grant !== undefined && grant !== UMA_TICKET) throw new Refused(400, 'unsupported_grant_type')
    if (grant === undefined || text === undefined) throw new Refused(400, 'invalid_request')
    if (form.has('claim_token') !== form.has('claim_token_format')) throw new Refused(400, 'invalid_request')
    const ticket = tickets.get(text)
    if (ticket === undefined || (ticket.client ?? client) !== client) throw new Refused(400, 'invalid_grant')
    // UMA Grant 5.5: spent, whatever comes of it, before anything is waited for.
    if (!habits.ticketsLast) tickets.delete(text)
    const person = await claims.shownBy(form, client)
    const described = ticket.permissions.map(({ resource_id }) => resources.get(resource_id)?.description.resource_scopes ?? [])
    const asked = (form.get('scope') ?? '').split(' ').filter((one) => one !== '')
    if (asked.some((scope) => !described.flat().includes(scope))) throw new Refused(400, 'invalid_scope')
    const cells = ticket.permissions.flatMap(({ resource_id: id, resource_scopes }) => resource_scopes.map((scope) => ({ id, scope })))
    const isThere = ({ id, scope }: (typeof cells)[number]) => resources.get(id)?.description.resource_scopes.includes(scope) === true
    const all = cells.map((cell) => (isThere(cell) ? policiesFor(cell.id, cell.scope) : []))
    // UMA Grant 5.6: where nothing is said nothing is permitted, whoever asks.
    if (cells.length === 0 || all.some((found) => found.length === 0) || ticket.rounds >= MOST_ROUNDS)
      throw new Refused(403, 'request_denied')
    if (person === undefined) {
      const next = keep(tickets, { ...ticket, client, rounds: ticket.rounds + 1 })
      const required_claims = [{ name: 'email', claim_token_format: [JWT], issuer: [ISSUER_OF_CLAIMS] }]
      throw new Refused(403, 'need_info', { ticket: next, required_claims })
    }
    const permissions = ticket.permissions.map((one) => ({
      ...one,
      policies: one.resource_scopes.flatMap((scope) => policiesFor(one.resource_id, scope, person)),
    }))
    if (cells.some(({ id, scope }) => policiesFor(id, scope, person).length === 0)) throw new Refused(403, 'request_denied')
    const { owner, service } = ticket
    const rpt = keep(rpts, { owner, service, client, iat: now(), exp: now() + LIFETIME, permissions })
    return { status: 200, body: { access_token: rpt, token_type: 'Bearer', expires_in: LIFETIME } }
  }

  /** UMA FedAuthz 5.1.1: what stands of it now. */
  const introspect = async (request: IncomingMessage): Promise<Reply> => {
    const keeper = keeperOf(request)
    const text = (await formOf(request)).get('token')
    if (text === undefined) throw new Refused(400, 'invalid_request')
    const rpt = rpts.get(text)
    const permissions = (rpt?.permissions ?? []).flatMap(({ resource_id, resource_scopes, policies: resting }) => {
      const there = resources.get(resource_id)?.description.resource_scopes ?? []
      const given = resting.flatMap((key) => policies.get(key)?.scopes ?? [])
      const left = resource_scopes.filter((scope) => there.includes(scope) && given.includes(scope))
      return left.length === 0 ? [] : [{ resource_id, resource_scopes: left }]
    })
    if (rpt === undefined || !isKeptBy(rpt, keeper) || rpt.exp <= now() || permissions.length === 0)
      return { status: 200, body: { active: false } }
    const { client, iat, exp } = rpt
    return { status: 200, body: { active: true, client_id: client, iss: issuer, iat, exp, permissions } }
  }

  /** UMA FedAuthz 4 */
  const permission = async (request: IncomingMessage): Promise<Reply> => {
    const keeper = keeperOf(request)
    const permissions = permissionsIn(await jsonOf(request))
    const found = permissions.map(({ resource_id }) => resources.get(resource_id))
    if (found.some((one) => !isKeptBy(one, keeper))) throw new Refused(400, 'invalid_resource_id')
    const isOffered = (scope: string, at: number): boolean => found[at]?.description.resource_scopes.includes(scope) === true
    if (permissions.some(({ resource_scopes }, at) => resource_scopes.some((scope) => !isOffered(scope, at))))
      throw new Refused(400, 'invalid_scope')
    return { status: 201, body: { ticket: keep(tickets, { ...keeper, permissions, rounds: 0 }) } }
  }

  /** UMA FedAuthz 3.2 */
  const resource = async (request: IncomingMessage, id: string): Promise<Reply> => {
    const keeper = keeperOf(request)
    const { method } = request
    const methods = id === '' ? ['GET', 'POST'] : ['GET', 'PUT', 'DELETE']
    if (!methods.includes(method ?? '')) throw new Refused(405, 'unsupported_method_type', {}, { allow: methods.join(', ') })
    if (method === 'POST') {
      const _id = keep(resources, { ...keeper, description: describedBy(await jsonOf(request)) })
      return { status: 201, body: { _id }, headers: { location: `${issuer}/resource/${_id}` } }
    }
    if (id === '') return { status: 200, body: [...resources].flatMap(([key, one]) => (isKeptBy(one, keeper) ? [key] : [])) }
    const found = resources.get(id)
    if (found === undefined || !isKeptBy(found, keeper)) throw new Refused(404, 'not_found')
    if (method === 'GET') return { status: 200, body: { ...found.description, _id: id } }
    if (method === 'PUT') found.description = describedBy(await jsonOf(request))
    else resources.delete(id)
    return method === 'PUT' ? { status: 200, body: { _id: id } } : { status: 204 }
  }

  /** What no specification says how to do; the profile does it here. */
  const byHand = async (request: IncomingMessage): Promise<Reply> => {
    const wanted = (await jsonOf(request)) as Fields & { do: string }
    const [owner, person] = [String(wanted.owner), known(String(wanted.person))]
    if (wanted.do === 'client') {
      const secret = randomUUID()
      return { status: 200, body: { id: keep(clients, secret), secret } }
    }
    if (wanted.do === 'pat') return { status: 200, body: { token: keep(pats, { owner, service: String(wanted.service) }) } }
    if (wanted.do === 'allow') {
      const id = String(wanted.resource)
      if (resources.get(id)?.owner !== owner) throw new Refused(404, 'not_found')
      return { status: 200, body: { id: keep(policies, { owner, resource: id, scopes: wanted.scopes as string[], person }) } }
    }
    if (wanted.do === 'withdraw') return { status: policies.delete(String(wanted.id)) ? 200 : 404, body: {} }
    return { status: 200, body: await claims.make(wanted) }
  }

  const only = (request: IncomingMessage, method: string, work: () => Reply | Promise<Reply>): Reply | Promise<Reply> => {
    if (request.method !== method) throw new Refused(405, 'invalid_request', {}, { allow: method })
    return work()
  }

  const answer = (request: IncomingMessage): Reply | Promise<Reply> => {
    // As it came: no other spelling of a path is that path.
    const [path = ''] = (request.url ?? '').split('?')
    const [, id] = /^\/small\/resource(?:\/([\w-]*))?$/.exec(path) ?? []
    if (/^\/small\/resource(\/[\w-]*)?$/.test(path)) return resource(request, id ?? '')
    switch (path) {
      case '/small/.well-known/uma2-configuration':
      case '/.well-known/oauth-authorization-server/small':
        return only(request, 'GET', () => ({ status: 200, body: metadata }))
      case '/small/jwks':
        return only(request, 'GET', () => ({ status: 200, body: { keys: [claims.jwk] } }))
      case '/small/token':
        return only(request, 'POST', () => token(request))
      case '/small/introspect':
        return only(request, 'POST', () => introspect(request))
      case '/small/permission':
        return only(request, 'POST', () => permission(request))
      case '/small/by-hand':
        return only(request, 'POST', () => byHand(request))
      default:
        throw new Refused(404, 'not_found')
    }
  }

  const http = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const failed = (error: unknown): Reply => (error instanceof Refused ? error.reply : { status: 500, body: { error: 'server_error' } })
    const reply = await Promise.resolve()
      .then(() => answer(request))
      .catch(failed)
    const type = reply.body === undefined ? {} : { 'content-type': 'application/json' }
    response.writeHead(reply.status, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...type, ...reply.headers })
    response.end(reply.body === undefined ? '' : JSON.stringify(reply.body))
    request.resume()
  })
  await new Promise<void>((done) => http.listen(port, '127.0.0.1', done))
  const stop = (): Promise<void> =>
    new Promise((done) => {
      http.close(() => done())
      http.closeAllConnections()
    })
  return { issuer, habits, stop }
}

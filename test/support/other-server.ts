// Another authorization server than ours, small and with habits of its own, all within the specifications: an issuer with a path, ID
// tokens by RS256, access tokens of seconds, refresh tokens used up at once, no `iss`, no `resource_server`, no `redirect_user`,
// scopes that it takes only from the ticket. For the promise that the vault works with any server.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { freePort } from './runtime.ts'

type Fields = Record<string, string>
type Reply = { status?: number; body?: unknown; location?: string }
/** What the next decision about a guest is. */
export type Decision = 'claims' | 'submitted' | 'granted' | 'denied'

export type OtherServer = {
  issuer: string
  /** Changed by a test. */
  habits: { decision: Decision; namesIssuer?: string; idToken: 'good' | 'nonce' | 'audience' | 'signature' | 'none' }
  clients: Map<string, { secret: string; metadata: Fields }>
  resources: Map<string, unknown>
  /** Paths of requests, oldest first. */
  asked: string[]
  /** Descriptions of what a client did that the specification does not allow. */
  complaints: string[]
  stop: () => Promise<void>
}

const read = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

/** Starts it on http://localhost:<port>/tenant. */
export const startOtherServer = async (): Promise<OtherServer> => {
  const port = await freePort()
  const issuer = `http://localhost:${port}/tenant`
  const keys = await generateKeyPair('RS256', { extractable: true })
  const strangers = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }
  const server: Omit<OtherServer, 'stop'> = {
    issuer,
    habits: { decision: 'claims', idToken: 'good' },
    clients: new Map(),
    resources: new Map(),
    asked: [],
    complaints: [],
  }
  const { clients, resources, habits, complaints } = server
  const codes = new Map<string, Fields>()
  const refreshTokens = new Set<string>()
  const pats = new Map<string, number>()
  const tickets = new Set<string>()
  const rpts = new Map<string, string>()
  const newTicket = (): string => {
    const ticket = randomUUID()
    tickets.add(ticket)
    return ticket
  }

  const clientOf = (request: IncomingMessage): string | undefined => {
    const [id = '', secret = ''] = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
      .map(decodeURIComponent)
    return clients.get(id)?.secret === secret ? id : undefined
  }

  const pat = (): Reply => {
    const [access_token, refresh_token] = [randomUUID(), randomUUID()]
    pats.set(access_token, Date.now() + 2000)
    refreshTokens.add(refresh_token)
    // RFC 6749 5.1: the type is compared without regard to case; `scope` may be left out when it is what was asked for.
    return { body: { access_token, refresh_token, token_type: 'bearer', expires_in: 2 } }
  }

  const idToken = (client: string, nonce: string): Promise<string> =>
    new SignJWT({ nonce: habits.idToken === 'nonce' ? 'another' : nonce })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(issuer)
      .setSubject('alice')
      .setAudience(habits.idToken === 'audience' ? 'another' : client)
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(habits.idToken === 'signature' ? strangers.privateKey : keys.privateKey)

  const token = async (request: IncomingMessage, form: Fields): Promise<Reply> => {
    const client = clientOf(request)
    if (client === undefined) return { status: 401, body: { error: 'invalid_client' } }
    if (form.grant_type === 'refresh_token')
      return refreshTokens.delete(form.refresh_token ?? '') ? pat() : { status: 400, body: { error: 'invalid_grant' } }
    if (form.grant_type === 'authorization_code') {
      const code = codes.get(form.code ?? '')
      codes.delete(form.code ?? '')
      if (code === undefined || code.client_id !== client) return { status: 400, body: { error: 'invalid_grant' } }
      const { body } = pat() as { body: object }
      return { body: { ...body, ...(habits.idToken !== 'none' && { id_token: await idToken(client, code.nonce ?? '') }) } }
    }
    // UMA Grant 5.5: presented is spent, whatever comes of it.
    if (!tickets.delete(form.ticket ?? '')) return { status: 400, body: { error: 'invalid_grant' } }
    if (form.scope !== undefined) return { status: 400, body: { error: 'invalid_scope' } }
    if (habits.decision === 'claims')
      return { status: 403, body: { error: 'need_info', ticket: newTicket(), required_claims: [{ name: 'email' }] } }
    if (habits.decision === 'submitted') return { status: 403, body: { error: 'request_submitted', ticket: newTicket(), interval: 1 } }
    if (habits.decision === 'denied') return { status: 403, body: { error: 'request_denied' } }
    const rpt = randomUUID()
    rpts.set(rpt, client)
    return { body: { access_token: rpt, token_type: 'Bearer', expires_in: 60 } }
  }

  const authorize = (query: Fields): Reply => {
    const code = randomUUID()
    codes.set(code, query)
    if (query.code_challenge_method !== 'S256') complaints.push('no PKCE')
    return { status: 303, location: `${query.redirect_uri}?${new URLSearchParams({ code, state: query.state ?? '' })}` }
  }

  const claims = (query: Fields): Reply => {
    if (!tickets.delete(query.ticket ?? '')) return { status: 400 }
    habits.decision = 'granted'
    return {
      status: 303,
      location: `${query.claims_redirect_uri}?${new URLSearchParams({ ticket: newTicket(), state: query.state ?? '' })}`,
    }
  }

  const protection = (request: IncomingMessage, path: string, body: string): Reply => {
    const until = pats.get((request.headers.authorization ?? '').replace(/^Bearer /, '')) ?? 0
    if (until < Date.now()) return { status: 401, body: { error: 'invalid_token' } }
    const [, , kind, id = ''] = path.split('/')
    if (kind === 'permission') {
      const { resource_id } = JSON.parse(body) as { resource_id: string }
      return resources.has(resource_id)
        ? { status: 201, body: { ticket: newTicket() } }
        : { status: 400, body: { error: 'invalid_resource_id' } }
    }
    if (kind === 'introspect') {
      const rpt = new URLSearchParams(body).get('token') ?? ''
      const permissions = [...resources.keys()].map((resource_id) => ({ resource_id, resource_scopes: ['view'] }))
      return { body: rpts.has(rpt) && habits.decision === 'granted' ? { active: true, permissions } : { active: false } }
    }
    if (request.method === 'GET') return { body: [...resources.keys()] }
    if (request.method === 'PUT') {
      if (!resources.has(id)) return { status: 404, body: { error: 'not_found' } }
      resources.set(id, JSON.parse(body))
      return { body: { _id: id } }
    }
    if (request.method === 'DELETE') return { status: resources.delete(id) ? 204 : 404 }
    const _id = randomUUID()
    resources.set(_id, JSON.parse(body))
    return { status: 201, body: { _id } }
  }

  const register = (body: string): Reply => {
    const [client_id, client_secret] = [`client:${randomUUID()}`, `secret/${randomUUID()}`]
    clients.set(client_id, { secret: client_secret, metadata: JSON.parse(body) as Fields })
    return { status: 201, body: { ...JSON.parse(body), client_id, client_secret, client_secret_expires_at: 0 } }
  }

  const metadata = (): Reply => ({
    body: {
      issuer: habits.namesIssuer ?? issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      registration_endpoint: `${issuer}/register`,
      resource_registration_endpoint: `${issuer}/resource/`,
      permission_endpoint: `${issuer}/permission`,
      introspection_endpoint: `${issuer}/introspect`,
      claims_interaction_endpoint: `${issuer}/claims`,
      something_of_its_own: { x: 1 },
    },
  })

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const url = new URL(request.url ?? '/', issuer)
    const path = url.pathname
    const query = Object.fromEntries(url.searchParams)
    server.asked.push(`${request.method} ${path.replace('/tenant', '')}`)
    const body = await read(request)
    if (path === '/tenant/.well-known/uma2-configuration') return metadata()
    if (path === '/tenant/jwks') return { body: { keys: [jwk] } }
    if (path === '/tenant/register') return register(body)
    if (path === '/tenant/authorize') return authorize(query)
    if (path === '/tenant/token') return token(request, Object.fromEntries(new URLSearchParams(body)))
    if (path === '/tenant/claims') return claims(query)
    return /^\/tenant\/(resource|permission|introspect)(\/|$)/.test(path) ? protection(request, path, body) : { status: 404 }
  }

  const http = createServer((request: IncomingMessage, response: ServerResponse) => {
    void answer(request).then(({ status = 200, body, location }) => {
      response.writeHead(status, { 'content-type': 'application/json', ...(location !== undefined && { location }) })
      response.end(body === undefined ? '' : JSON.stringify(body))
    })
  })
  await new Promise<void>((done) => http.listen(port, '127.0.0.1', done))
  const stop = (): Promise<void> =>
    new Promise((done) => {
      http.close(() => done())
      http.closeAllConnections()
    })
  return { ...server, stop }
}

// A client reads, replaces and deletes its own registration (RFC 7592) with the token that it got when it registered. Each change is judged
// whole, as a new registration would be. A client that an operator has disabled is unknown here like everywhere.
import { Hono } from 'hono'
import { type ClientMetadata, clientMetadata } from '../../shared/protocol/oauth.ts'
import { type AppContext, type AppEnv, callOf, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { countNetwork } from '../http/network-limits.ts'
import { type Client, endClient, managedClient, replaceClient } from '../store/clients.ts'
import { randomSecret, sha256 } from '../tokens/opaque.ts'
import { validMetadata } from './client-metadata.ts'
import { withStatement } from './software-statement.ts'

/** RFC 7592 2.2: what the server alone decides. */
const NOT_FOR_CLIENTS = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at']

/** Whether clients that registered like this have a secret. */
export const hasSecret = (metadata: ClientMetadata): boolean =>
  ['client_secret_basic', 'client_secret_post'].includes(metadata.token_endpoint_auth_method ?? 'client_secret_basic')

export const clientManagement = new Hono<AppEnv>()
  .get('/:id', async (c) => {
    const { client, token } = await authorized(c)
    return registrationAnswer(c, client, { token }, 200)
  })
  .put('/:id', async (c) => {
    await countNetwork(callOf(c), 'registration')
    const { client, token } = await authorized(c)
    const asked = await readJson(c, clientMetadata, 'invalid_client_metadata')
    if (asked.client_id !== client.id) throw new OAuthError('invalid_client_metadata', 'client_id must be the one of this registration')
    const foreign = NOT_FOR_CLIENTS.find((name) => name in asked)
    if (foreign !== undefined) throw new OAuthError('invalid_client_metadata', `leave ${foreign} out`)
    // > If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued client secret
    if (asked.client_secret !== undefined && (await sha256(String(asked.client_secret))) !== client.secretHash)
      throw new OAuthError('invalid_client_metadata', 'client_secret is not the present one; leave it out')
    // RFC 7592 2.2: what is left out is gone; what stays is judged again.
    const metadata = validMetadata(c.var.deps, await withStatement(c.var.deps, asked))
    const secret = hasSecret(metadata) && client.secretHash === undefined ? randomSecret() : undefined
    const secretHash = !hasSecret(metadata) ? undefined : secret === undefined ? client.secretHash : await sha256(secret)
    const changed: Client = { id: client.id, metadata, createdAt: client.createdAt, ...(secretHash === undefined ? {} : { secretHash }) }
    if (!(await replaceClient(c.env.DB, changed, await sha256(token)))) throw invalidToken()
    return registrationAnswer(c, changed, { token, secret }, 200)
  })
  .delete('/:id', async (c) => {
    const { client } = await authorized(c, true)
    const now = seconds(c.var.deps)
    // From here on nobody can use it.
    await endClient(c.env.DB, client.id, now)
    // RFC 7592 2.3: its tokens end with every owner who connected it or granted it something. 202: some have not heard of it yet, but will.
    const { done } = await c.env.CLIENT.get(c.env.CLIENT.idFromName(client.id)).end({ client_id: client.id, now })
    return c.body(null, done ? 204 : 202, { 'Cache-Control': 'no-store' })
  })

/** RFC 7591 3.2.1, RFC 7592 3: the registration with what the client needs to use and to manage it. A secret is told once. */
export function registrationAnswer(
  c: AppContext,
  client: Client,
  keys: { token: string; secret?: string | undefined },
  status: 200 | 201,
): Response {
  return c.json(
    {
      ...client.metadata,
      client_id: client.id,
      client_id_issued_at: client.createdAt,
      // RFC 7591 3.2.1: REQUIRED with a secret, 0 = never.
      ...(keys.secret === undefined ? {} : { client_secret: keys.secret, client_secret_expires_at: 0 }),
      registration_access_token: keys.token,
      registration_client_uri: `${c.var.deps.issuer}/register/${client.id}`,
    },
    status,
    { 'Cache-Control': 'no-store' },
  )
}

/**
 * The client whose registration access token this is, read from the record and not from memory.
 * @throws OAuthError 401: no token, another's, or the client is gone (RFC 7592 2.1: no difference between unknown and not allowed)
 */
async function authorized(c: AppContext, isDeleting = false): Promise<{ client: Client; token: string }> {
  const header = c.req.header('authorization')
  const token = /^Bearer +([\w-]{43})$/i.exec(header ?? '')?.[1]
  if (token === undefined) throw invalidToken(header !== undefined)
  const client = await managedClient(c.env.DB, c.req.param('id') ?? '', await sha256(token), isDeleting)
  if (client === undefined) throw invalidToken()
  c.set('client', client.id)
  return { client, token }
}

const invalidToken = (isNamed = true): OAuthError =>
  new OAuthError('invalid_token', 'send the registration access token of this client as Bearer', {
    status: 401,
    headers: { 'WWW-Authenticate': `Bearer realm="registration"${isNamed ? ', error="invalid_token"' : ''}` },
  })

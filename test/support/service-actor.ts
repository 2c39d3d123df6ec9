// Programs that Alice connects, over HTTP: a service that keeps her things (resource server, holds a PAT) and her wallet (owner API).
import { type Answer, type Call, call, type DpopKey, expectStatus, type Json, newDpopKey, random } from './http.ts'
import { type Alice, authorize, type Registered, registerClient, type Server } from './owner-actor.ts'

export type Service = {
  client: Registered
  origin: string
  pat: string
  tokens: Json
  /** A call with the PAT. */
  call: (path: string, options?: Call) => Promise<Answer>
  /** FedAuthz 3.2.1; answers the id. */
  register: (description: Json) => Promise<string>
  /** FedAuthz 4: a ticket. */
  ticket: (permissions: Json | Json[]) => Promise<string>
  /** FedAuthz 5. */
  introspect: (rpt: string) => Promise<Json>
}

/** Registers a service, lets Alice connect it and holds her PAT. */
export const connectService = async (
  server: Server,
  alice: Alice,
  name = 'A shelf',
  origin = `https://${random(6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')}.example`,
): Promise<Service> => {
  const redirectUri = `${origin}/connected`
  const client = await registerClient(server, {
    client_name: name,
    client_uri: origin,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const { params, verifier } = await authorize(server, alice, { clientId: client.id, redirectUri, scope: 'openid uma_protection' })
  const answer = await call(`${server.origin}/token`, {
    form: { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier },
    basic: { id: client.id, secret: client.secret ?? '' },
  })
  const tokens = expectStatus(answer, 200, 'PAT').json
  const pat = String(tokens.access_token)
  const withPat = (path: string, options: Call = {}): Promise<Answer> => call(`${server.origin}${path}`, { bearer: pat, ...options })
  return {
    client,
    origin,
    pat,
    tokens,
    call: withPat,
    register: async (description) =>
      String(expectStatus(await withPat('/uma/resource', { json: description }), 201, 'resource registration').json._id),
    ticket: async (permissions) =>
      String(expectStatus(await withPat('/uma/permission', { json: permissions }), 201, 'permission').json.ticket),
    introspect: async (token) => expectStatus(await withPat('/introspect', { form: { token } }), 200, 'introspection').json,
  }
}

// Alice's wallet, as far as it is a program that calls the owner API.

export type WalletApi = { client: Registered; key: DpopKey; tokens: Json; call: (path: string, options?: Call) => Promise<Answer> }

/** Connects a wallet (public client, DPoP) and holds its token for the owner API. */
export const connectWallet = async (server: Server, alice: Alice): Promise<WalletApi> => {
  const key = await newDpopKey()
  const redirectUri = 'https://abcdefghijklmnopabcdefghijklmnop.chromiumapp.org/connected'
  const client = await registerClient(server, {
    client_name: 'A wallet',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  })
  const { params, verifier } = await authorize(server, alice, {
    clientId: client.id,
    redirectUri,
    scope: 'uma_owner',
    more: { dpop_jkt: key.jkt },
  })
  const answer = await call(`${server.origin}/token`, {
    form: {
      grant_type: 'authorization_code',
      client_id: client.id,
      code: params.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    },
    dpop: key,
  })
  const tokens = expectStatus(answer, 200, 'owner token').json
  return {
    client,
    key,
    tokens,
    call: (path, options = {}) => call(`${server.origin}${path}`, { bearer: String(tokens.access_token), dpop: key, ...options }),
  }
}

/** Shares a thing with an address; answers the share's id. */
export const share = async (wallet: WalletApi, resource: string, email: string, more: Json = {}): Promise<string> => {
  const json = { resource_id: resource, person: { email }, resource_scopes: ['view'], ...more }
  return String(expectStatus(await wallet.call('/owner/policies', { json }), 201, 'sharing').json.id)
}

/** Stops one share. */
export const stopSharing = async (wallet: WalletApi, id: string): Promise<void> => {
  expectStatus(await wallet.call(`/owner/policies/${id}`, { method: 'DELETE' }), 204, 'stop sharing')
}

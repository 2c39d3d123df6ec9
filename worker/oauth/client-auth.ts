// Client authentication at the token, introspection and revocation endpoints (RFC 6749 2.3): none, client_secret_basic, client_secret_post,
// private_key_jwt (client-assertion.ts).
// Runs before anything else is looked at, so that a caller who is nobody can spend nothing (SPECS G-26).
import { base64url } from 'jose'
import type { Call } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import type { Params } from '../http/form.ts'
import type { Client } from '../store/clients.ts'
import { sha256 } from '../tokens/opaque.ts'
import { assertionIn, isAssertedBy, subjectOf } from './client-assertion.ts'
import { clientById } from './clients.ts'

export { CLIENT_ALGS } from './client-keys.ts'
export { AUTH_METHODS } from './client-metadata.ts'
/** `secret`: what the client showed, for the length of the request; it is stored nowhere. */
export type AuthenticatedClient = Client & { isPublic: boolean; secret?: string }

/** The client that sent this request. Throws OAuthError invalid_client (401) or invalid_request (two methods at once). */
export async function authenticateClient(call: Call, params: Params): Promise<AuthenticatedClient> {
  const client = await provedClient(call, params)
  call.client = client.id
  return client
}

async function provedClient(call: Call, params: Params): Promise<AuthenticatedClient> {
  const header = call.request.headers.get('authorization') ?? undefined
  const assertion = assertionIn(params)
  if (assertion !== undefined) return assertedClient(call, params, assertion)
  const basic = header === undefined ? undefined : basicCredentials(header)
  const posted = params.get('client_secret')
  // > The client MUST NOT use more than one authentication method in each request. (RFC 6749 2.3)
  if (header !== undefined && posted !== undefined) throw new OAuthError('invalid_request', 'authenticate in one way only')
  if (header !== undefined && basic === undefined) throw invalidClient(true)
  const id = basic?.id ?? params.get('client_id')
  if (id === undefined) throw invalidClient(header !== undefined)
  if (basic !== undefined && params.get('client_id') !== undefined && params.get('client_id') !== basic.id) {
    throw new OAuthError('invalid_request', 'client_id differs from the Authorization header')
  }
  const client = await clientById(call, id)
  if (client === undefined) throw invalidClient(header !== undefined)
  const method = client.metadata.token_endpoint_auth_method ?? 'client_secret_basic'
  const secret = basic?.secret ?? posted
  const used = basic !== undefined ? 'client_secret_basic' : posted !== undefined ? 'client_secret_post' : 'none'
  if (method === 'none') {
    if (used !== 'none') throw invalidClient(header !== undefined)
    return { ...client, isPublic: true }
  }
  // Choice: basic and post are the same secret over the same channel; a client registered for one may use the other.
  if (secret === undefined || client.secretHash === undefined || !(await isSame(await sha256(secret), client.secretHash))) {
    throw invalidClient(header !== undefined)
  }
  return { ...client, isPublic: false, secret }
}

/** RFC 7521 4.2: `client_id` is not needed beside an assertion, but must not say something else. */
async function assertedClient(call: Call, params: Params, assertion: string): Promise<AuthenticatedClient> {
  if (call.request.headers.has('authorization') || params.get('client_secret') !== undefined)
    throw new OAuthError('invalid_request', 'authenticate in one way only')
  const id = subjectOf(assertion)
  if (id === undefined || (params.get('client_id') ?? id) !== id) throw invalidClient(false)
  const client = await clientById(call, id)
  if (client === undefined || !(await isAssertedBy(call, client, assertion))) throw invalidClient(false)
  return { ...client, isPublic: false }
}

/** RFC 6749 2.3.1: id and secret are form-urlencoded before base64. */
function basicCredentials(header: string): { id: string; secret: string } | undefined {
  const match = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header)
  if (match === null) return undefined
  try {
    const text = decoder.decode(base64url.decode((match[1] as string).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')))
    const colon = text.indexOf(':')
    if (colon < 1) return undefined
    const decode = (part: string) => (/[%+]/.test(part) ? decodeURIComponent(part.replace(/\+/g, ' ')) : part)
    return { id: decode(text.slice(0, colon)), secret: decode(text.slice(colon + 1)) }
  } catch {
    return undefined // not UTF-8 or a broken escape: no credentials
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
async function isSame(a: string, b: string): Promise<boolean> {
  const [x, y] = [encoder.encode(a), encoder.encode(b)]
  return x.byteLength === y.byteLength && crypto.subtle.timingSafeEqual(x, y)
}

function invalidClient(usedHeader: boolean): OAuthError {
  return new OAuthError('invalid_client', 'the client is unknown or did not authenticate as it registered', {
    status: 401,
    headers: usedHeader ? { 'WWW-Authenticate': 'Basic realm="token endpoint"' } : {},
  })
}

// Dynamic registration of a client (RFC 7591) at each server that it meets, once, for the client kit and the resource server kit.
import * as v from 'valibot'
import type { ClientIdentity } from './client-authentication.ts'
import { readJson } from './limited-body.ts'
import { type ClientMetadata, clientRegistration, oauthError } from './protocol/oauth.ts'
import { patiently } from './retry-after.ts'
import { memoryStore, readKept, type TextStore } from './text-store.ts'
import { type UmaClientDeps, withDefaults } from './uma-options.ts'

type Kept = ClientIdentity & { expires?: number }
type Registrar = { issuer: string; registration_endpoint?: string | undefined }

const ANSWER_LIMIT = 65_536
const METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const

/** RFC 7591 3.1, 3.2. Throws an Error with the server's own words when it refuses. */
async function register(server: Registrar, metadata: ClientMetadata, deps: Required<UmaClientDeps>): Promise<Kept> {
  const { registration_endpoint: endpoint } = server
  if (endpoint === undefined) throw new Error(`${server.issuer} registers no clients by itself`)
  const headers = { accept: 'application/json', 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(metadata), redirect: 'manual' as const }
  const response = await patiently(() => deps.fetch(endpoint, init), {}, deps)
  const body = await readJson(response, ANSWER_LIMIT)
  const parsed = v.safeParse(clientRegistration, body)
  if (response.status >= 400 || !parsed.success) {
    const refusal = v.safeParse(oauthError, body)
    const why = refusal.success ? (refusal.output.error_description ?? refusal.output.error) : `status ${response.status}`
    throw new Error(`registration at ${server.issuer} failed: ${why}`)
  }
  const { client_id: clientId, client_secret: clientSecret, client_secret_expires_at: expires, token_endpoint_auth_method } = parsed.output
  const method = METHODS.find((name) => name === token_endpoint_auth_method)
  return {
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(method === undefined ? {} : { method }),
    // RFC 7591 3.2.1: 0 = never.
    ...(expires ? { expires } : {}),
  }
}

/**
 * Registers at a server when it is first met, and keeps what came of it under `client <issuer>` in `store` (seconds as time unit).
 * A server that has no time (429, 503 with Retry-After) is asked again within ten seconds. A secret that has expired, or a registration
 * that the server does not know any more (`again`), is replaced by a new one.
 * @param metadata RFC 7591 2; a client with `token_endpoint_auth_method: 'none'` is public
 * @param deps.now seconds since 1970; the clock of the machine unless given
 * @returns a function for `identity` of either kit; it rejects with an Error when the server has no registration or refuses (RFC 7591 3.2.2)
 */
export function registerOnce(
  metadata: ClientMetadata,
  deps: Pick<UmaClientDeps, 'fetch' | 'now' | 'wait'>,
  store: TextStore = memoryStore(),
): (server: Registrar, wanted?: { again: boolean }) => Promise<ClientIdentity> {
  const whole = withDefaults(deps)
  return async function identity(server, wanted) {
    const key = `client ${server.issuer}`
    const kept = await readKept<Kept>(store, key)
    if (kept !== undefined && wanted?.again !== true && (kept.expires === undefined || kept.expires > whole.now())) return kept
    const registered = await register(server, metadata, whole)
    await store.write(key, JSON.stringify(registered))
    return registered
  }
}

// One authorization server as the vault knows it: its metadata and the vault's two registrations there, as the service that keeps
// things and as the client that a guest uses. One object per server, so that two first visitors do not register twice.
import { DurableObject } from 'cloudflare:workers'
import * as v from 'valibot'
import type { ClientIdentity } from '../../../shared/client-authentication.ts'
import { discoverForResourceServer } from '../../../shared/discovery.ts'
import { readJson } from '../../../shared/limited-body.ts'
import { clientRegistration, oauthError } from '../../../shared/protocol/oauth.ts'
import type { UmaMetadata } from '../../../shared/protocol/uma-federation.ts'
import { type Env, nowOf, outboundOf } from '../env.ts'
import { keyringOf, openJson, sealJson } from '../keyring.ts'
import { type Role, registrationOf } from '../registration.ts'

export type Connected =
  | { kind: 'connected' /** JSON of UmaMetadata */; metadata: string; client: ClientIdentity }
  /** Try again later. */
  | { kind: 'unreachable'; reason: string }
  /** It is no authorization server that the vault can work with. */
  | { kind: 'unusable'; reason: string }

const METADATA_LIFETIME = 300

const registrationSchema = v.object({ origin: v.string(), clientId: v.string(), clientSecret: v.optional(v.string()), expires: v.number() })

export class AuthorizationServerObject extends DurableObject<Env> {
  #metadata: { value: UmaMetadata; until: number } | undefined
  readonly #registering = new Map<Role, Promise<ClientIdentity | string>>()

  /** Metadata of `issuer` and the vault's client there, registered on first use (RFC 7591 3). */
  async clientAt(issuer: string, role: Role, origin: string): Promise<Connected> {
    const discovery = await this.#discover(issuer)
    if (discovery.kind !== 'found') return { kind: discovery.kind === 'invalid' ? 'unusable' : 'unreachable', reason: discovery.reason }
    const client = (await this.#kept(role, origin)) ?? (await this.#registerOnce(discovery.metadata, role, origin))
    if (typeof client === 'string') return { kind: 'unusable', reason: client }
    return { kind: 'connected', metadata: JSON.stringify(discovery.metadata), client }
  }

  /** JSON of UmaMetadata; nothing when the server gives none. */
  async metadata(issuer: string): Promise<string | undefined> {
    const discovery = await this.#discover(issuer)
    return discovery.kind === 'found' ? JSON.stringify(discovery.metadata) : undefined
  }

  /** The server does not know this client any more: the next `clientAt` registers anew. */
  forget(role: Role): void {
    this.ctx.storage.kv.delete(role)
  }

  async #discover(issuer: string) {
    if (this.#metadata !== undefined && this.#metadata.until > nowOf()) return { kind: 'found' as const, metadata: this.#metadata.value }
    const discovery = await discoverForResourceServer(issuer, outboundOf(this.env))
    if (discovery.kind === 'found') this.#metadata = { value: discovery.metadata, until: nowOf() + METADATA_LIFETIME }
    return discovery
  }

  async #kept(role: Role, origin: string): Promise<ClientIdentity | undefined> {
    const sealed = this.ctx.storage.kv.get<string>(role)
    const opened = sealed === undefined ? undefined : await openJson(await keyringOf(this.env), `registration ${role}`, sealed)
    const parsed = v.safeParse(registrationSchema, opened)
    if (!parsed.success || parsed.output.origin !== origin) return undefined
    const { clientId, clientSecret, expires } = parsed.output
    // RFC 7591 3.2.1: 0 means that the secret does not end.
    if (expires !== 0 && expires <= nowOf() + 60) return undefined
    return { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) }
  }

  #registerOnce(metadata: UmaMetadata, role: Role, origin: string): Promise<ClientIdentity | string> {
    const running = this.#registering.get(role)
    if (running !== undefined) return running
    const started = this.#register(metadata, role, origin).finally(() => this.#registering.delete(role))
    this.#registering.set(role, started)
    return started
  }

  /** A sentence instead of a client when the server does not take the vault. */
  async #register(metadata: UmaMetadata, role: Role, origin: string): Promise<ClientIdentity | string> {
    if (metadata.registration_endpoint === undefined) return 'it does not let services register themselves'
    try {
      const response = await outboundOf(this.env)(metadata.registration_endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(registrationOf(role, origin)),
      })
      const body = await readJson(response, 65_536)
      const registered = v.safeParse(clientRegistration, body)
      if ((response.status !== 201 && response.status !== 200) || !registered.success) {
        const refusal = v.safeParse(oauthError, body)
        return `it refused the vault (${refusal.success ? refusal.output.error : response.status})`
      }
      const { client_id: clientId, client_secret: clientSecret, client_secret_expires_at: expires = 0 } = registered.output
      const sealed = await sealJson(await keyringOf(this.env), `registration ${role}`, { origin, clientId, clientSecret, expires })
      this.ctx.storage.kv.put(role, sealed)
      return { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) }
    } catch (error) {
      return error instanceof Error ? error.message : 'it gave no answer'
    }
  }
}

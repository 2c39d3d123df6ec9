// One authorization server as the vault knows it: its metadata and the vault's two registrations there, as the service that keeps
// things and as the client that a guest uses. One object per server, so that two first visitors do not register twice.
import { DurableObject } from 'cloudflare:workers'
import * as v from 'valibot'
import type { ClientIdentity } from '../../../shared/client-authentication.ts'
import { registerOnce } from '../../../shared/client-registration.ts'
import { discoverForResourceServer } from '../../../shared/discovery.ts'
import type { UmaMetadata } from '../../../shared/protocol/uma-federation.ts'
import type { TextStore } from '../../../shared/text-store.ts'
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

const registeredSchema = v.object({ clientId: v.string(), clientSecret: v.optional(v.string()), expires: v.optional(v.number()) })

export class AuthorizationServerObject extends DurableObject<Env> {
  #metadata: { value: UmaMetadata; until: number } | undefined
  readonly #registering = new Map<string, Promise<ClientIdentity | string>>()

  /** Metadata of `issuer` and the vault's client there, registered on first use (RFC 7591 3). */
  async clientAt(issuer: string, role: Role, origin: string): Promise<Connected> {
    const discovery = await this.#discover(issuer)
    if (discovery.kind !== 'found') return { kind: discovery.kind === 'invalid' ? 'unusable' : 'unreachable', reason: discovery.reason }
    const client = await this.#clientOnce(discovery.metadata, role, origin)
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

  /** Two first visitors register once. */
  #clientOnce(metadata: UmaMetadata, role: Role, origin: string): Promise<ClientIdentity | string> {
    const key = `${role} ${origin}`
    const running = this.#registering.get(key)
    if (running !== undefined) return running
    const started = this.#client(metadata, role, origin).finally(() => this.#registering.delete(key))
    this.#registering.set(key, started)
    return started
  }

  /** The client that is kept, or a new one, by the kit (RFC 7591 3); a sentence when the server does not take the vault. */
  async #client(metadata: UmaMetadata, role: Role, origin: string): Promise<ClientIdentity | string> {
    if (metadata.registration_endpoint === undefined) return 'it does not let services register themselves'
    const deps = { fetch: outboundOf(this.env), now: nowOf }
    try {
      const { clientId, clientSecret } = await registerOnce(registrationOf(role, origin), deps, this.#storeOf(role, origin))(metadata)
      return { clientId, ...(clientSecret === undefined ? {} : { clientSecret }) }
    } catch {
      // What a stranger's server says is not for the vault's pages.
      return 'it did not register the vault'
    }
  }

  /** Where the kit keeps the client of a role: sealed, and good for one address of the vault. */
  #storeOf(role: Role, origin: string): TextStore {
    const label = `registration ${role}`
    return {
      read: async () => {
        const sealed = this.ctx.storage.kv.get<string>(role)
        const opened = sealed === undefined ? undefined : await openJson(await keyringOf(this.env), label, sealed)
        const parsed = v.safeParse(registrationSchema, opened)
        if (!parsed.success || parsed.output.origin !== origin) return undefined
        const { clientId, clientSecret, expires } = parsed.output
        // RFC 7591 3.2.1: 0 means that the secret does not end. One that is about to end counts as ended.
        return JSON.stringify({ clientId, clientSecret, ...(expires === 0 ? {} : { expires: expires - 60 }) })
      },
      write: async (_key, text) => {
        const { clientId, clientSecret, expires = 0 } = v.parse(registeredSchema, JSON.parse(text ?? '{}'))
        this.ctx.storage.kv.put(role, await sealJson(await keyringOf(this.env), label, { origin, clientId, clientSecret, expires }))
      },
    }
  }
}

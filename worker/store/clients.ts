// Registered OAuth clients (RFC 7591). Rows never change here once written, so an isolate may remember them for a minute.
import type { ClientMetadata } from '../../shared/protocol/oauth.ts'

export type Client = {
  id: string
  /** SHA-256 of the secret; absent for public clients. */
  secretHash?: string
  metadata: ClientMetadata
  createdAt: number
}

const CACHE_MS = 60_000
const CACHE_SIZE = 1000
const cache = new Map<string, { at: number; client: Client }>()

/** A live client by its id, or undefined. Disabled clients are as if they were not there, at most a minute late. */
export async function clientById(db: D1Database, id: string): Promise<Client | undefined> {
  const now = Date.now()
  const known = cache.get(id)
  if (known !== undefined && Math.abs(now - known.at) < CACHE_MS) return known.client
  const row = await db
    .prepare('SELECT id, secret_hash, metadata, created_at FROM client WHERE id = ?1 AND disabled_at IS NULL')
    .bind(id)
    .first<{ id: string; secret_hash: string | null; metadata: string; created_at: number }>()
  if (row === null) {
    cache.delete(id)
    return undefined
  }
  const client: Client = {
    id: row.id,
    ...(row.secret_hash === null ? {} : { secretHash: row.secret_hash }),
    metadata: JSON.parse(row.metadata) as ClientMetadata,
    createdAt: row.created_at,
  }
  if (cache.size >= CACHE_SIZE) cache.clear()
  cache.set(id, { at: now, client })
  return client
}

/** Several clients at once, for lists; unknown ids are left out. */
export async function clientsById(db: D1Database, ids: readonly string[]): Promise<Map<string, Client>> {
  const found = await Promise.all([...new Set(ids)].map((id) => clientById(db, id)))
  return new Map(found.filter((client) => client !== undefined).map((client) => [client.id, client]))
}

export async function insertClient(db: D1Database, client: Client): Promise<void> {
  await db
    .prepare('INSERT INTO client (id, secret_hash, metadata, created_at) VALUES (?1, ?2, ?3, ?4)')
    .bind(client.id, client.secretHash ?? null, JSON.stringify(client.metadata), client.createdAt)
    .run()
}

/** How a client calls itself (unverified), or where it lives, or its id. */
export const clientName = (client: Client): string => client.metadata.client_name ?? originOf(client) ?? client.id

/** The origin that the client registered as its own: `client_uri`, else that of its first redirect URI. */
export function originOf(client: Client): string | undefined {
  for (const text of [
    client.metadata.client_uri,
    ...(client.metadata.redirect_uris ?? []),
    ...(client.metadata.claims_redirect_uris ?? []),
  ]) {
    const url = text === undefined ? null : URL.parse(text)
    if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url.origin
  }
  return undefined
}

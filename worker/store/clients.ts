// Registered OAuth clients (RFC 7591, 7592). Rows change rarely, so an isolate may remember them for a minute. It shows where a registration
// was changed through another isolate: a name, a secret, a redirect URI of before may count for that long. Whoever was deleted or blocked gets
// no token in that time: the owners' objects are told at once, and look into the record before the first grant to a client (owner-clients.ts).
import type { ClientMetadata } from '../../shared/protocol/oauth.ts'

export type Client = {
  id: string
  /** SHA-256 of the secret; absent for public clients. */
  secretHash?: string
  metadata: ClientMetadata
  createdAt: number
}

type StoredClient = { id: string; secret_hash: string | null; metadata: string; created_at: number }

const COLUMNS = 'id, secret_hash, metadata, created_at'
const fromStored = (row: StoredClient): Client => ({
  id: row.id,
  ...(row.secret_hash === null ? {} : { secretHash: row.secret_hash }),
  metadata: JSON.parse(row.metadata) as ClientMetadata,
  createdAt: row.created_at,
})

const CACHE_MS = 60_000
const CACHE_SIZE = 1000
const cache = new Map<string, { at: number; client: Client }>()

/** A live client by its id, or undefined. Disabled clients are as if they were not there, at most a minute late. */
export async function registeredClient(db: D1Database, id: string): Promise<Client | undefined> {
  const now = Date.now()
  const known = cache.get(id)
  if (known !== undefined && Math.abs(now - known.at) < CACHE_MS) return known.client
  const row = await db.prepare(`SELECT ${COLUMNS} FROM client WHERE id = ?1 AND disabled_at IS NULL`).bind(id).first<StoredClient>()
  if (row === null) {
    cache.delete(id)
    return undefined
  }
  const client = fromStored(row)
  if (cache.size >= CACHE_SIZE) cache.clear()
  cache.set(id, { at: now, client })
  return client
}

const disabled = new Map<string, { at: number; isDisabled: boolean }>()

/** Whether an operator has disabled a client that has no registration; a row with its id says so. At most a minute late. */
export async function isDisabled(db: D1Database, id: string): Promise<boolean> {
  const now = Date.now()
  const known = disabled.get(id)
  if (known !== undefined && Math.abs(now - known.at) < CACHE_MS) return known.isDisabled
  const row = await db.prepare('SELECT 1 AS found FROM client WHERE id = ?1 AND disabled_at IS NOT NULL').bind(id).first()
  if (disabled.size >= CACHE_SIZE) disabled.clear()
  disabled.set(id, { at: now, isDisabled: row !== null })
  return row !== null
}

/** `registrationHash`: SHA-256 of the registration access token (RFC 7592). */
export async function insertClient(db: D1Database, client: Client, registrationHash?: string): Promise<void> {
  await db
    .prepare('INSERT INTO client (id, secret_hash, metadata, created_at, registration_hash) VALUES (?1, ?2, ?3, ?4, ?5)')
    .bind(client.id, client.secretHash ?? null, JSON.stringify(client.metadata), client.createdAt, registrationHash ?? null)
    .run()
}

/** Metadata of a client that is on its way out (`endClient`); no registration looks like this. */
const ENDED = '{}'

/**
 * The live client whose registration access token has this hash, as the record has it now. With `isDeleting` also one whose deletion has
 * begun. Undefined for any other, disabled ones too.
 */
export async function managedClient(
  db: D1Database,
  id: string,
  registrationHash: string,
  isDeleting: boolean,
): Promise<Client | undefined> {
  const row = await db
    .prepare(
      `SELECT ${COLUMNS} FROM client WHERE id = ?1 AND registration_hash = ?2 AND (disabled_at IS NULL OR (?3 = 1 AND metadata = ?4))`,
    )
    .bind(id, registrationHash, isDeleting ? 1 : 0, ENDED)
    .first<StoredClient>()
  return row === null ? undefined : fromStored(row)
}

/** Replaces secret and metadata; false if the client is no longer there for this registration access token. */
export async function replaceClient(db: D1Database, client: Client, registrationHash: string): Promise<boolean> {
  const written = await db
    .prepare('UPDATE client SET secret_hash = ?3, metadata = ?4 WHERE id = ?1 AND registration_hash = ?2 AND disabled_at IS NULL')
    .bind(client.id, registrationHash, client.secretHash ?? null, JSON.stringify(client.metadata))
    .run()
  cache.delete(client.id)
  return written.meta.changes === 1
}

/** Nobody is this client any more; the row stays until every owner knows (objects/client.ts), so that what is left to do can be begun again. */
export async function endClient(db: D1Database, id: string, now: number): Promise<void> {
  await db
    .prepare('UPDATE client SET disabled_at = ?2, secret_hash = NULL, metadata = ?3 WHERE id = ?1 AND disabled_at IS NULL')
    .bind(id, now, ENDED)
    .run()
  cache.delete(id)
}

/** How a client calls itself (unverified), or where it lives, or its id. */
export const clientName = (client: Client): string => client.metadata.client_name ?? originOf(client) ?? client.id

/** The origin that the client registered as its own: `client_uri`, else that of its first redirect URI. */
export function originOf(client: Client): string | undefined {
  if (!origins.has(client)) origins.set(client, originIn(client))
  return origins.get(client)
}

/** Looked at for every token; a client is read once a minute. */
const origins = new WeakMap<Client, string | undefined>()

function originIn(client: Client): string | undefined {
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

// What operators see of the record: how much there is, and clients. Never labels, things, people or shares.
import type { ClientMetadata } from '../../shared/protocol/oauth.ts'

export type Totals = { owners: number; clients: number; connections: number }

export async function totals(db: D1Database): Promise<Totals> {
  const row = await db
    .prepare(
      `SELECT (SELECT COUNT(*) FROM owner) AS owners, (SELECT COUNT(*) FROM client WHERE disabled_at IS NULL) AS clients,
         (SELECT COUNT(*) FROM connection) AS connections`,
    )
    .first<Totals>()
  return row ?? { owners: 0, clients: 0, connections: 0 }
}

/** A client whether it is blocked or not. One without a registration has an id that is an address, and no metadata. */
export type KnownClient = { id: string; metadata: ClientMetadata; createdAt: number; blockedAt: number | null }

type StoredClient = { id: string; metadata: string; created_at: number; disabled_at: number | null }

const COLUMNS = 'id, metadata, created_at, disabled_at'
/** Not those that have deleted themselves (RFC 7592). */
const THERE = "(metadata <> '{}' OR id LIKE 'https://%')"
const fromStored = (row: StoredClient): KnownClient => ({
  id: row.id,
  metadata: JSON.parse(row.metadata) as ClientMetadata,
  createdAt: row.created_at,
  blockedAt: row.disabled_at,
})

export async function knownClient(db: D1Database, id: string): Promise<KnownClient | undefined> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM client WHERE id = ?1 AND ${THERE}`).bind(id).first<StoredClient>()
  return row === null ? undefined : fromStored(row)
}

/** The last that were registered; rows are never moved, so that their own order is that of time. */
export async function newestClients(db: D1Database, limit: number): Promise<KnownClient[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM client WHERE disabled_at IS NULL ORDER BY rowid DESC LIMIT ?1`)
    .bind(limit)
    .all<StoredClient>()
  return results.map(fromStored)
}

/** Last blocked first. */
export async function blockedClients(db: D1Database, limit: number): Promise<KnownClient[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM client WHERE disabled_at IS NOT NULL AND ${THERE} ORDER BY disabled_at DESC, id LIMIT ?1`)
    .bind(limit)
    .all<StoredClient>()
  return results.map(fromStored)
}

// Whom an operator has invited: keyed hashes of addresses, so that nobody who reads the table learns one. Written and read by
// administration, used up by the first sign-in.

export type Invitation = { id: string; created_at: number; exp: number; used_at: number | null }

/** One that lives; of several for an address the last one counts. */
export async function insertInvitation(
  db: D1Database,
  row: { id: string; address_mac: string; created_at: number; exp: number },
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO invitation (id, address_mac, created_at, exp) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (address_mac) DO UPDATE SET id = ?1, created_at = ?3, exp = ?4, used_at = NULL`,
    )
    .bind(row.id, row.address_mac, row.created_at, row.exp)
    .run()
}

/** Whether an address is invited at this moment. */
export async function isInvited(db: D1Database, addressMac: string, now: number): Promise<boolean> {
  const row = await db.prepare('SELECT 1 FROM invitation WHERE address_mac = ?1 AND exp > ?2').bind(addressMac, now).first()
  return row !== null
}

export async function useInvitation(db: D1Database, addressMac: string, now: number): Promise<void> {
  await db.prepare('UPDATE invitation SET used_at = ?2 WHERE address_mac = ?1 AND used_at IS NULL').bind(addressMac, now).run()
}

/** Newest first. */
export async function listInvitations(db: D1Database, limit: number): Promise<Invitation[]> {
  const { results } = await db
    .prepare('SELECT id, created_at, exp, used_at FROM invitation ORDER BY created_at DESC, id LIMIT ?1')
    .bind(limit)
    .all<Invitation>()
  return results
}

/** False if there is none with this id. */
export async function revokeInvitation(db: D1Database, id: string): Promise<boolean> {
  const written = await db.prepare('DELETE FROM invitation WHERE id = ?1').bind(id).run()
  return written.meta.changes === 1
}

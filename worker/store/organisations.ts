// The owner for whom a client acts by itself (RFC 6749 4.4). A row is where to ask, not an answer: what counts is what the owner's object
// says (worker/objects/owner-connections.ts).

/** The owner to be asked, if anybody ever allowed it. */
export async function ownerActedFor(db: D1Database, clientId: string): Promise<string | undefined> {
  const row = await db.prepare('SELECT owner FROM organisation WHERE client_id = ?1').bind(clientId).first<{ owner: string }>()
  return row?.owner
}

/** Writes the owner down; false if there is another one than `before`. */
export async function noteActsFor(db: D1Database, clientId: string, owner: string, before: string | undefined): Promise<boolean> {
  const written = await db
    .prepare(
      `INSERT INTO organisation (client_id, owner) VALUES (?1, ?2)
       ON CONFLICT (client_id) DO UPDATE SET owner = ?2 WHERE owner = ?2 OR owner = ?3`,
    )
    .bind(clientId, owner, before ?? owner)
    .run()
  return written.meta.changes === 1
}

// The record in D1 of issuers whose word counts: the operator's own rows, and who relies on which issuer. Writing here is for the objects
// that carry such facts to the owners; an owner's own rows go through record.ts.

/** Where the operator's rows stand: an owner that is none. */
export const OPERATOR = ''

/** Statements that write down that an owner relies on an issuer, and then read whether the operator has blocked it. Safe to repeat. */
export const issuerRelianceStatements = (db: D1Database, owner: string, issuer: string): D1PreparedStatement[] => [
  db.prepare('INSERT OR IGNORE INTO issuer_reliance (issuer, owner) VALUES (?1, ?2)').bind(issuer, owner),
  db.prepare('SELECT disabled_at FROM claim_issuer WHERE owner = ?1 AND id = ?2').bind(OPERATOR, issuer),
]

/** Owners who registered an issuer or relied on its word, in order, after `cursor`. */
export async function ownersTrusting(db: D1Database, issuer: string, cursor: string, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT owner FROM (SELECT owner FROM issuer_reliance WHERE issuer = ?1 UNION SELECT owner FROM claim_issuer WHERE issuer = ?1 AND owner <> '')
       WHERE owner > ?2 ORDER BY owner LIMIT ?3`,
    )
    .bind(issuer, cursor, limit)
    .all<{ owner: string }>()
  return results.map((row) => row.owner)
}

/** Blocks or unblocks an issuer for everybody. One that the operator never registered is a row while it is blocked. */
export async function setIssuerBlocked(db: D1Database, issuer: string, blocked: boolean, now: number): Promise<void> {
  const statements = blocked
    ? [
        db
          .prepare(
            `INSERT INTO claim_issuer (owner, id, issuer, formats, claims, audiences, created_at, disabled_at)
             VALUES (?1, ?2, ?2, '[]', '[]', '{}', ?3, ?3) ON CONFLICT (owner, id) DO UPDATE SET disabled_at = ?3`,
          )
          .bind(OPERATOR, issuer, now),
      ]
    : [
        db.prepare("DELETE FROM claim_issuer WHERE owner = ?1 AND id = ?2 AND formats = '[]'").bind(OPERATOR, issuer),
        db.prepare('UPDATE claim_issuer SET disabled_at = NULL WHERE owner = ?1 AND id = ?2').bind(OPERATOR, issuer),
      ]
  await db.batch(statements)
}

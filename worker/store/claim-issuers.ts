// Issuers that the operator registered for everybody (rows of the owner '' in the record). An owner's own are her object's.

/** What is stored of a registration; lists are JSON. */
export type IssuerColumns = {
  issuer: string
  jwks_uri: string | null
  /** A key set; one of the two is there. */
  jwks: string | null
  formats: string
  claims: string
  email_domains: string | null
  /** Client id here -> client ids there. */
  audiences: string
}

export type OperatorIssuer = IssuerColumns & { created_at: number; disabled_at: number | null }

const COLUMNS = 'issuer, jwks_uri, jwks, formats, claims, email_domains, audiences, created_at, disabled_at'

const CACHE_MS = 60_000
const CACHE_SIZE = 200
const cache = new Map<string, { at: number; row: OperatorIssuer }>()

/**
 * The operator's row of an issuer, blocked or not; at most a minute late. That a block is in force is the owners' objects' affair, who are
 * told of it.
 */
export async function operatorIssuer(db: D1Database, issuer: string): Promise<OperatorIssuer | undefined> {
  const now = Date.now()
  const known = cache.get(issuer)
  if (known !== undefined && Math.abs(now - known.at) < CACHE_MS) return known.row
  const row = await db.prepare(`SELECT ${COLUMNS} FROM claim_issuer WHERE owner = '' AND id = ?1`).bind(issuer).first<OperatorIssuer>()
  cache.delete(issuer)
  if (row === null) return undefined
  if (cache.size >= CACHE_SIZE) cache.clear()
  cache.set(issuer, { at: now, row })
  return row
}

/** All of them, by name. */
export async function operatorIssuers(db: D1Database, limit: number): Promise<OperatorIssuer[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM claim_issuer WHERE owner = '' ORDER BY id LIMIT ?1`)
    .bind(limit)
    .all<OperatorIssuer>()
  return results
}

/** Writes an issuer or what is new about it; one that is blocked stays so. */
export async function putOperatorIssuer(db: D1Database, row: Omit<OperatorIssuer, 'disabled_at'>): Promise<void> {
  await db
    .prepare(
      `INSERT INTO claim_issuer (owner, id, issuer, jwks_uri, jwks, formats, claims, email_domains, audiences, created_at)
       VALUES ('', ?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (owner, id) DO UPDATE
       SET jwks_uri = ?2, jwks = ?3, formats = ?4, claims = ?5, email_domains = ?6, audiences = ?7`,
    )
    .bind(row.issuer, row.jwks_uri, row.jwks, row.formats, row.claims, row.email_domains, row.audiences, row.created_at)
    .run()
  cache.delete(row.issuer)
}

// The storage version of the record, as its migrations wrote it (storage/version.ts has the rule), and which migrations it has: several
// belong to one version.

/** Files of store/migrations that this code needs. A record that has more of them is a later server's. */
export const MIGRATIONS = [
  '0001_initial.sql',
  '0002_client_management.sql',
  '0002_version.sql',
  '0003_administration.sql',
  '0004_claim_issuers.sql',
  '0004_organisation.sql',
  '0005_rules.sql',
  '0006_upper_rules.sql',
] as const

/** The version of the record; 1 is the record of before any migration said so. */
export async function recordVersion(db: D1Database): Promise<number> {
  try {
    const row = await db.prepare("SELECT v FROM meta WHERE k = 'version'").first<{ v: string }>()
    return Number(row?.v ?? '1')
  } catch (error) {
    if (error instanceof Error && error.message.includes('no such table: meta')) return 1
    throw error
  }
}

/** Migrations that were not applied, as wrangler's book says (`d1_migrations`). Rejects while D1 does not answer, or if there is no book. */
export async function missingMigrations(db: D1Database): Promise<string[]> {
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map(({ name }) => name))
  return MIGRATIONS.filter((name) => !applied.has(name))
}

// The storage version of the record, as its migrations wrote it (storage/version.ts has the rule).

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

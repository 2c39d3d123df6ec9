// Rules of the platform in the record (POLICY 2: they forbid and demand, for everybody). Operators write them; objects/client.ts carries a
// change to every owner. Reading here is for that, for new owners, and for /admin.
import type { Policy } from '../policy/policy.ts'
import { within } from './record.ts'

/** Name of the object that carries them. */
export const PLATFORM_RULES = 'platform rules'
const MOST = 512

export type PlatformRuleRow = { id: string; doc: string; label: string; rev: number; created_at: number; updated_at: number }

export async function platformRuleRows(db: D1Database): Promise<PlatformRuleRow[]> {
  const { results } = await db
    .prepare('SELECT id, doc, label, rev, created_at, updated_at FROM platform_rule ORDER BY id LIMIT ?1')
    .bind(MOST)
    .all<PlatformRuleRow>()
  return results
}

/** As the engine reads them; undefined if the record does not answer. */
export async function readPlatformRules(db: D1Database): Promise<Policy[] | undefined> {
  try {
    return (await within(platformRuleRows(db))).map(({ doc }) => JSON.parse(doc) as Policy)
  } catch {
    return undefined // asked again by the alarm
  }
}

/** Writes a rule, new or changed; false if somebody else has changed it meanwhile (`expectedRev`, 0: there is none). */
export async function putPlatformRule(
  db: D1Database,
  rule: { policy: Policy; label: string; now: number },
  expectedRev: number,
): Promise<boolean> {
  const { policy, label, now } = rule
  const doc = JSON.stringify({ ...policy, tier: 'platform', rev: expectedRev + 1 } satisfies Policy)
  const statement =
    expectedRev === 0
      ? db
          .prepare(
            'INSERT INTO platform_rule (id, doc, label, rev, created_at, updated_at) VALUES (?1, ?2, ?3, 1, ?4, ?4) ON CONFLICT (id) DO NOTHING',
          )
          .bind(policy.id, doc, label, now)
      : db
          .prepare('UPDATE platform_rule SET doc = ?2, label = ?3, rev = rev + 1, updated_at = ?4 WHERE id = ?1 AND rev = ?5')
          .bind(policy.id, doc, label, now, expectedRev)
  return (await statement.run()).meta.changes === 1
}

export async function dropPlatformRule(db: D1Database, id: string): Promise<void> {
  await db.prepare('DELETE FROM platform_rule WHERE id = ?1').bind(id).run()
}

/** Every owner, in order, after `cursor`. */
export async function allOwners(db: D1Database, _of: string, cursor: string, limit: number): Promise<string[]> {
  const { results } = await db.prepare('SELECT id FROM owner WHERE id > ?1 ORDER BY id LIMIT ?2').bind(cursor, limit).all<{ id: string }>()
  return results.map((row) => row.id)
}

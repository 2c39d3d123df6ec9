// What a restored server must not believe, because it may have been taken back after the backup was taken: every share and permit becomes
// something of the past that its owner can bring back, tokens and grants go, passkeys go, the record is made equal to the objects.
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { d1File, objectFiles, type Row } from './state-files.ts'

/** The server's own list of tables and columns. Read as data: its types are those of another runtime, which tools do not see. */
const { RECORD_COLUMNS } = (await import(new URL('../../worker/objects/record.ts', import.meta.url).href)) as {
  RECORD_COLUMNS: Readonly<Record<string, readonly string[]>>
}

/** Tables of an owner's object whose rows let somebody in, or rest on guests' objects, of which a backup has none. */
const LETS_IN = [
  'token',
  'rpt',
  'renewal',
  'renewed',
  'session',
  'request',
  'spent',
  'standing',
  'approval',
  'join_code',
  'fence',
  'outbox',
  'guest_reliance',
  'brought',
  'brought_pct',
]

const has = (database: DatabaseSync, table: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined

const insert = (database: DatabaseSync, table: string, row: Row): void => {
  const names = Object.keys(row)
  database
    .prepare(`INSERT OR REPLACE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
    .run(...Object.values(row))
}

/** Moves rows to what is over; the owner brings them back with "undo". */
const endRows = (database: DatabaseSync, table: 'policy' | 'rule', where: string, now: number): number => {
  const columns = RECORD_COLUMNS[table]?.join(', ')
  const rows = database.prepare(`SELECT ${columns} FROM ${table} WHERE ${where}`).all() as Row[]
  for (const row of rows) {
    const rev = Number(row.rev ?? 1)
    insert(database, 'rule_past', {
      id: `${row.id}.${rev}.${now}`,
      rule_id: String(row.id),
      kind: table,
      rev,
      row: JSON.stringify(row),
      ended_at: now,
    })
  }
  database.exec(`DELETE FROM ${table} WHERE ${where}`)
  return rows.length
}

const holdOwner = (file: string, record: DatabaseSync, now: number): number => {
  const database = new DatabaseSync(file)
  try {
    if (!has(database, 'meta')) return 0
    const owner = (database.prepare("SELECT v FROM meta WHERE k = 'owner'").get() as { v: string } | undefined)?.v
    if (owner === undefined) return 0
    database.exec('BEGIN')
    for (const table of LETS_IN) if (has(database, table)) database.exec(`DELETE FROM ${table}`)
    const held = endRows(database, 'policy', '1', now) + endRows(database, 'rule', "effect = 'permit'", now)
    if (has(database, 'rule_target')) database.exec('DELETE FROM rule_target WHERE policy_id NOT IN (SELECT id FROM rule) AND cuts = 0')
    // Entries that the record does not have are copied to it again.
    database.exec('UPDATE activity SET recorded = 0')
    database.exec("UPDATE meta SET v = CAST(v AS INTEGER) + 1 WHERE k = 'revision'")
    for (const [table, columns] of Object.entries(RECORD_COLUMNS)) {
      record.prepare(`DELETE FROM ${table} WHERE owner = ?`).run(owner)
      const rows = database.prepare(`SELECT ${columns.join(', ')} FROM ${table}`).all() as Row[]
      for (const row of rows) insert(record, table, { owner, ...row })
    }
    const writer = (database.prepare("SELECT v FROM meta WHERE k = 'writer'").get() as { v: string } | undefined)?.v
    if (writer !== undefined) record.prepare('UPDATE owner SET writer = ? WHERE id = ?').run(Number(writer), owner)
    database.exec('COMMIT')
    return held
  } finally {
    database.close()
  }
}

/**
 * Works on the state folder of an authorization server that does not run.
 * @param now seconds since 1970
 * @returns how many owners there are, and how many shares and permits are held back
 */
export const holdBack = (state: string, now: number): { owners: number; held: number } => {
  const file = d1File(state)
  if (file === undefined || !existsSync(file)) throw new Error(`There is no database in ${state}.`)
  const record = new DatabaseSync(file)
  try {
    record.exec('BEGIN')
    // A passkey of a device that was lost since must not open anything: owners sign in with a code by mail, and add passkeys again.
    record.exec('DELETE FROM passkey')
    const held = objectFiles(state, 'OwnerObject').reduce((sum, one) => sum + holdOwner(one, record, now), 0)
    const { owners } = record.prepare('SELECT COUNT(*) AS owners FROM owner').get() as { owners: number }
    record.exec('COMMIT')
    return { owners, held }
  } finally {
    record.close()
  }
}

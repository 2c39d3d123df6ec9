// What a restored server must not believe, because it may have been taken back after the backup was taken: every share and permit becomes
// something of the past that its owner can bring back, and so does who was in a group; counted uses count as used up; issuers are trusted anew;
// tokens and grants go, passkeys go, the record is made equal to the objects.
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

/** A document in which nothing that is counted is left: how much of it was used since nobody knows here. Whoever wants more says how much. */
const usedUp = (doc: string): string =>
  JSON.stringify(JSON.parse(doc), (key, value: unknown) => (key === 'uses' && typeof value === 'object' ? { ...value, max: 0 } : value))

const COUNTED = `%"uses":%`
const useUp = (database: DatabaseSync, now: number): number => {
  const rows = database.prepare('SELECT id, doc, rev FROM rule WHERE doc LIKE ?').all(COUNTED) as Row[]
  for (const { id, doc, rev } of rows) {
    const next = Number(rev) + 1
    const used = JSON.stringify({ ...(JSON.parse(usedUp(String(doc))) as object), rev: next })
    database.prepare('UPDATE rule SET doc = ?, rev = ?, updated_at = ? WHERE id = ?').run(used, next, now, String(id))
  }
  const over = database.prepare("SELECT id, row FROM rule_past WHERE kind = 'rule' AND row LIKE '%uses%'").all() as Row[]
  for (const { id, row } of over) {
    const rule = JSON.parse(String(row)) as { doc: string }
    database.prepare('UPDATE rule_past SET row = ? WHERE id = ?').run(JSON.stringify({ ...rule, doc: usedUp(rule.doc) }), String(id))
  }
  if (has(database, 'upper_rule')) {
    const upper = database.prepare('SELECT id, doc FROM upper_rule WHERE doc LIKE ?').all(COUNTED) as Row[]
    for (const { id, doc } of upper) database.prepare('UPDATE upper_rule SET doc = ? WHERE id = ?').run(usedUp(String(doc)), String(id))
  }
  return rows.length
}

/** What a group or type was, as the server remembers it (worker/objects/owner-undo.ts). */
const endPart = (database: DatabaseSync, kind: 'group' | 'type', before: Row, since: object, now: number): { head: Row; at: number } => {
  const [name, rev] = [`${kind}/${before.id}`, Number(before.updated_at)]
  const head = { id: `${name}.${rev}.${now}`, rule_id: name, kind, rev, row: JSON.stringify({ before, ...since }), ended_at: now }
  insert(database, 'rule_past', head)
  return { head, at: Math.max(now, rev + 1) }
}

/** Who was in a group may have been taken out since: its owner brings them back with "undo". Members in one row as the server keeps them. */
const emptyGroups = (database: DatabaseSync, now: number): number => {
  let emptied = 0
  for (const group of database.prepare('SELECT id, label, created_at, updated_at FROM person_group').all() as Row[]) {
    const members = database
      .prepare('SELECT id, group_id, mac, label, created_at FROM group_member WHERE group_id = ?')
      .all(String(group.id)) as Row[]
    if (members.length === 0) continue
    const { head, at } = endPart(database, 'group', group, { came: [], went: members.length }, now)
    for (let from = 0; from < members.length; from += 200) {
      const row = JSON.stringify(members.slice(from, from + 200))
      insert(database, 'rule_past', { ...head, id: `${head.id}.${from}`, rule_id: String(head.id), kind: 'people', row })
    }
    database.prepare('DELETE FROM group_member WHERE group_id = ?').run(String(group.id))
    database.prepare('UPDATE person_group SET updated_at = ? WHERE id = ?').run(at, String(group.id))
    emptied += 1
  }
  return emptied
}

/** Where the organisation's permit was enough, the owner may have wanted a say since: both have to permit it. */
const wantBoth = (database: DatabaseSync, now: number): void => {
  for (const type of database.prepare('SELECT id, doc, created_at, updated_at FROM thing_type').all() as Row[]) {
    const doc = JSON.parse(String(type.doc)) as { authority: string }
    if (doc.authority !== 'org' && doc.authority !== 'either') continue
    const { at } = endPart(database, 'type', type, {}, now)
    const both = JSON.stringify({ ...doc, authority: 'both' })
    database.prepare('UPDATE thing_type SET doc = ?, updated_at = ? WHERE id = ?').run(both, at, String(type.id))
  }
}

/** What others let in by here: the organisations send what they still want. What they forbid and demand stays. */
const endUpper = (database: DatabaseSync): void => {
  if (!has(database, 'upper_rule')) return
  database.exec("DELETE FROM upper_rule WHERE json_extract(doc, '$.effect') = 'permit'")
  database.exec('DELETE FROM upper_member')
}

/** An issuer whose word the owner took; one that she refuses stays refused. */
const endIssuers = (database: DatabaseSync): number =>
  has(database, 'claim_issuer') ? Number(database.prepare("DELETE FROM claim_issuer WHERE formats <> '[]'").run().changes) : 0

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

/** How many shares and permits, groups and issuers wait for their owners. */
export type Held = { held: number; groups: number; issuers: number }
const NOTHING: Held = { held: 0, groups: 0, issuers: 0 }

const holdOwner = (file: string, record: DatabaseSync, now: number): Held => {
  const database = new DatabaseSync(file)
  try {
    if (!has(database, 'meta')) return NOTHING
    const owner = (database.prepare("SELECT v FROM meta WHERE k = 'owner'").get() as { v: string } | undefined)?.v
    if (owner === undefined) return NOTHING
    database.exec('BEGIN')
    for (const table of LETS_IN) if (has(database, table)) database.exec(`DELETE FROM ${table}`)
    const held = endRows(database, 'policy', '1', now) + endRows(database, 'rule', "effect = 'permit'", now)
    useUp(database, now)
    endUpper(database)
    const groups = emptyGroups(database, now)
    const issuers = endIssuers(database)
    wantBoth(database, now)
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
    return { held, groups, issuers }
  } finally {
    database.close()
  }
}

/**
 * Works on the state folder of an authorization server that does not run.
 * @param now seconds since 1970
 * @returns how many owners there are, and how much is held back
 */
export const holdBack = (state: string, now: number): Held & { owners: number } => {
  const file = d1File(state)
  if (file === undefined || !existsSync(file)) throw new Error(`There is no database in ${state}.`)
  const record = new DatabaseSync(file)
  try {
    record.exec('BEGIN')
    // A passkey of a device that was lost since must not open anything: owners sign in with a code by mail, and add passkeys again.
    record.exec('DELETE FROM passkey')
    // An issuer that the operator has blocked since: each is allowed again at /admin.
    const blocked = record.prepare("UPDATE claim_issuer SET disabled_at = ? WHERE owner = '' AND disabled_at IS NULL").run(now)
    const all = { ...NOTHING, issuers: Number(blocked.changes) }
    for (const one of objectFiles(state, 'OwnerObject')) {
      const { held, groups, issuers } = holdOwner(one, record, now)
      all.held += held
      all.groups += groups
      all.issuers += issuers
    }
    const { owners } = record.prepare('SELECT COUNT(*) AS owners FROM owner').get() as { owners: number }
    record.exec('COMMIT')
    return { owners, ...all }
  } finally {
    record.close()
  }
}

// Tables of one account and their statements. Names, types, tokens and the connection are sealed before they come here.
// Who reads: the account object only. When rows die is said beside each table.

import type { Registration } from '../../../shared/resource-registry.ts'

export const TABLES = `
-- One row per setting: 'connection', 'pat', 'alias', 'codes', all sealed; 'names' is 'hidden' or not there. They live as long as the account.
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Signed-in browsers by the hash of their secret. A row dies at sign-out or at expires.
CREATE TABLE IF NOT EXISTS session (hash TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
-- label: sealed {name, type}. state: uploading, stored, deleting (dies once the server and R2 have forgotten it).
-- described: hash of what the owner's server was told of it, as resource_id.
CREATE TABLE IF NOT EXISTS file (
  id TEXT PRIMARY KEY, label TEXT NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL, created INTEGER NOT NULL,
  object_key TEXT NOT NULL, etag TEXT, resource_id TEXT, policy_uri TEXT, tries INTEGER NOT NULL DEFAULT 0, due INTEGER, problem TEXT,
  described TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS file_due ON file (due) WHERE due IS NOT NULL;
-- An upload on its way: upload_id is R2's, sealed. A row dies with completion, or after seven days without a part.
CREATE TABLE IF NOT EXISTS upload (
  file TEXT PRIMARY KEY, upload_id TEXT, fingerprint TEXT NOT NULL, touched INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part (
  file TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (file, number)) WITHOUT ROWID;
-- Visits, without any person. The newest 100 of a file are kept, for 90 days.
CREATE TABLE IF NOT EXISTS visit (seq INTEGER PRIMARY KEY, file TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS visit_file ON visit (file, at);
-- Hashes of DPoP proofs seen; rows die at expires.
CREATE TABLE IF NOT EXISTS proof (hash TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
`

export type FileRow = {
  id: string
  label: string
  size: number
  state: 'uploading' | 'stored' | 'deleting'
  created: number
  object_key: string
  etag: string | null
  resource_id: string | null
  policy_uri: string | null
  tries: number
  due: number | null
  problem: string | null
  described: string | null
}
export type UploadRow = { file: string; upload_id: string | null; fingerprint: string; touched: number }
export type PartRow = { number: number; etag: string; size: number }
export type VisitRow = { at: number; kind: string }

const FILE_COLUMNS = 'id, label, size, state, created, object_key, etag, resource_id, policy_uri, tries, due, problem, described'

/** An account that is older than a column gets it; a vault of before does not mind that it is there. */
export const addColumns = (sql: SqlStorage): void => {
  const names = sql.exec<{ name: string }>('SELECT name FROM pragma_table_info(?1)', 'file').toArray()
  if (names.length > 0 && !names.some(({ name }) => name === 'described')) sql.exec('ALTER TABLE file ADD COLUMN described TEXT')
}

export const readSetting = (sql: SqlStorage, name: string): string | undefined =>
  sql.exec<{ value: string }>('SELECT value FROM setting WHERE name = ?1', name).toArray()[0]?.value

export const writeSetting = (sql: SqlStorage, name: string, value: string | undefined): void => {
  if (value === undefined) sql.exec('DELETE FROM setting WHERE name = ?1', name)
  else sql.exec('INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)', name, value)
}

export const addSession = (sql: SqlStorage, hash: string, expires: number, now: number): void => {
  sql.exec('DELETE FROM session WHERE expires <= ?1', now)
  sql.exec('INSERT OR REPLACE INTO session (hash, expires) VALUES (?1, ?2)', hash, expires)
}

export const hasSession = (sql: SqlStorage, hash: string, now: number): boolean =>
  sql.exec('SELECT 1 FROM session WHERE hash = ?1 AND expires > ?2', hash, now).toArray().length > 0

export const dropSession = (sql: SqlStorage, hash: string): void => {
  sql.exec('DELETE FROM session WHERE hash = ?1', hash)
}

export const readFile = (sql: SqlStorage, id: string): FileRow | undefined =>
  sql.exec<FileRow>(`SELECT ${FILE_COLUMNS} FROM file WHERE id = ?1`, id).toArray()[0]

export const listFiles = (sql: SqlStorage, state: FileRow['state']): FileRow[] =>
  sql.exec<FileRow>(`SELECT ${FILE_COLUMNS} FROM file WHERE state = ?1 ORDER BY created DESC, id`, state).toArray()

export const insertFile = (sql: SqlStorage, file: Pick<FileRow, 'id' | 'label' | 'size' | 'created' | 'object_key'>): void => {
  sql.exec(
    "INSERT INTO file (id, label, size, state, created, object_key) VALUES (?1, ?2, ?3, 'uploading', ?4, ?5)",
    file.id,
    file.label,
    file.size,
    file.created,
    file.object_key,
  )
}

/** The bytes are complete; registration is due at once. */
export const storeFile = (sql: SqlStorage, id: string, etag: string, now: number): void => {
  sql.exec("UPDATE file SET state = 'stored', etag = ?2, due = ?3, tries = 0, created = ?3 WHERE id = ?1", id, etag, now)
  sql.exec('DELETE FROM upload WHERE file = ?1', id)
  sql.exec('DELETE FROM part WHERE file = ?1', id)
}

export const setState = (sql: SqlStorage, id: string, state: FileRow['state'], due: number | null): void => {
  sql.exec('UPDATE file SET state = ?2, due = ?3, tries = 0 WHERE id = ?1', id, state, due)
}

export const setRegistered = (sql: SqlStorage, id: string, { id: resource, hash, policyUri }: Registration): void => {
  const set = 'UPDATE file SET resource_id = ?2, described = ?3, policy_uri = ?4, tries = 0 WHERE id = ?1'
  sql.exec(set, id, resource, hash, policyUri ?? null)
  setDone(sql, id)
}

/** The owner's server does not know it (any more): a file that is kept is due at once. */
export const forgetRegistered = (sql: SqlStorage, id: string, now: number): void => {
  sql.exec('UPDATE file SET resource_id = NULL, described = NULL, policy_uri = NULL WHERE id = ?1', id)
  sql.exec("UPDATE file SET due = ?2, tries = 0 WHERE id = ?1 AND state = 'stored'", id, now)
}

/** The server knows it as it is; a deletion that came meanwhile keeps its due time. */
export const setDone = (sql: SqlStorage, id: string): void => {
  sql.exec("UPDATE file SET due = NULL, problem = NULL, tries = 0 WHERE id = ?1 AND state = 'stored'", id)
}

export const setPostponed = (sql: SqlStorage, id: string, due: number, problem: string): void => {
  sql.exec('UPDATE file SET due = ?2, problem = ?3, tries = tries + 1 WHERE id = ?1', id, due, problem)
}

/** The account moved to another server: everything is registered again there. */
export const unregisterAll = (sql: SqlStorage, now: number): void => {
  sql.exec("UPDATE file SET resource_id = NULL, policy_uri = NULL, problem = NULL, tries = 0, due = ?1 WHERE state = 'stored'", now)
}

/** What the server is told of files has changed: it is told again. */
export const describeAgain = (sql: SqlStorage, now: number): void => {
  sql.exec("UPDATE file SET due = ?1, tries = 0 WHERE state = 'stored'", now)
}

/** A new connection to the same server: what waited is tried at once. */
export const retryAll = (sql: SqlStorage, now: number): void => {
  sql.exec("UPDATE file SET due = ?1, tries = 0 WHERE due IS NOT NULL AND state = 'stored'", now)
}

export const removeFile = (sql: SqlStorage, id: string): void => {
  for (const [table, column] of [
    ['visit', 'file'],
    ['part', 'file'],
    ['upload', 'file'],
    ['file', 'id'],
  ] as const) {
    sql.exec(`DELETE FROM ${table} WHERE ${column} = ?1`, id)
  }
}

export const dueFiles = (sql: SqlStorage, now: number): FileRow[] =>
  sql.exec<FileRow>(`SELECT ${FILE_COLUMNS} FROM file WHERE due <= ?1 ORDER BY due LIMIT 20`, now).toArray()

export const nextDue = (sql: SqlStorage): number | undefined =>
  sql.exec<{ due: number | null }>('SELECT min(due) AS due FROM file').toArray()[0]?.due ?? undefined

export const insertUpload = (sql: SqlStorage, upload: UploadRow): void => {
  sql.exec(
    'INSERT INTO upload (file, upload_id, fingerprint, touched) VALUES (?1, ?2, ?3, ?4)',
    upload.file,
    upload.upload_id,
    upload.fingerprint,
    upload.touched,
  )
}

export const readUpload = (sql: SqlStorage, file: string): UploadRow | undefined =>
  sql.exec<UploadRow>('SELECT file, upload_id, fingerprint, touched FROM upload WHERE file = ?1', file).toArray()[0]

export const findUpload = (sql: SqlStorage, fingerprint: string): UploadRow | undefined =>
  sql.exec<UploadRow>('SELECT file, upload_id, fingerprint, touched FROM upload WHERE fingerprint = ?1', fingerprint).toArray()[0]

export const listUploads = (sql: SqlStorage): UploadRow[] =>
  sql.exec<UploadRow>('SELECT file, upload_id, fingerprint, touched FROM upload ORDER BY touched').toArray()

export const addPart = (sql: SqlStorage, file: string, part: PartRow, now: number): void => {
  sql.exec('INSERT OR REPLACE INTO part (file, number, etag, size) VALUES (?1, ?2, ?3, ?4)', file, part.number, part.etag, part.size)
  sql.exec('UPDATE upload SET touched = ?2 WHERE file = ?1', file, now)
}

export const listParts = (sql: SqlStorage, file: string): PartRow[] =>
  sql.exec<PartRow>('SELECT number, etag, size FROM part WHERE file = ?1 ORDER BY number', file).toArray()

const VISIT_LIFETIME = 90 * 86_400

/** Strangers can knock as often as they like; a minute of refusals is one line. */
const isRepeated = (sql: SqlStorage, file: string, at: number, kind: string): boolean =>
  kind === 'refused' && sql.exec('SELECT 1 FROM visit WHERE file = ?1 AND kind = ?2 AND at > ?3', file, kind, at - 60).toArray().length > 0

export const addVisit = (sql: SqlStorage, file: string, at: number, kind: string): void => {
  if (isRepeated(sql, file, at, kind)) return
  sql.exec('INSERT INTO visit (file, at, kind) VALUES (?1, ?2, ?3)', file, at, kind)
  sql.exec('DELETE FROM visit WHERE at < ?1', at - VISIT_LIFETIME)
  sql.exec('DELETE FROM visit WHERE file = ?1 AND seq NOT IN (SELECT seq FROM visit WHERE file = ?1 ORDER BY seq DESC LIMIT 100)', file)
}

export const listVisits = (sql: SqlStorage, file: string, limit: number): VisitRow[] =>
  sql.exec<VisitRow>('SELECT at, kind FROM visit WHERE file = ?1 ORDER BY seq DESC LIMIT ?2', file, limit).toArray()

/** RFC 9449 11.1: false when the proof was seen before. */
export const takeProof = (sql: SqlStorage, hash: string, expires: number, now: number): boolean => {
  sql.exec('DELETE FROM proof WHERE expires <= ?1', now)
  return (
    sql.exec('INSERT INTO proof (hash, expires) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING hash', hash, expires).toArray().length > 0
  )
}

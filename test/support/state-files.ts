// Reads the databases of a state folder from outside: each is copied with its write-ahead log first, so that nothing here touches what
// the runtime holds open. Meant for a runtime that is idle or dead; a copy that was torn by a checkpoint is taken again.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Row = Record<string, string | number | null>

/** Opens a copy, hands it to `read` and throws the copy away. */
export const withCopy = <T>(file: string, read: (database: DatabaseSync) => T): T => {
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-copy-'))
    try {
      const copy = join(folder, basename(file))
      if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`)
      copyFileSync(file, copy)
      const database = new DatabaseSync(copy)
      try {
        return read(database)
      } finally {
        database.close()
      }
    } catch (error) {
      if (attempt === 5 || !/malformed|disk image|not a database|ENOENT/.test(String(error))) throw error
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const databasesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.sqlite') && name !== 'metadata.sqlite')
        .map((name) => join(folder, name))
        .sort()
    : []

/** The D1 database of a worker's state folder. */
export const d1File = (state: string): string | undefined => databasesIn(join(state, 'd1/miniflare-D1DatabaseObject'))[0]

/** The databases of all objects of a class, by object id. */
export const objectFiles = (state: string, className: string): string[] => {
  const all = join(state, 'do')
  if (!existsSync(all)) return []
  return readdirSync(all)
    .filter((name) => name.endsWith(`-${className}`))
    .flatMap((name) => databasesIn(join(all, name)))
}

export const tablesOf = (database: DatabaseSync): string[] =>
  (database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as { name: string }[]).map(
    ({ name }) => name,
  )

export const rowsOf = (database: DatabaseSync, sql: string, ...values: (string | number)[]): Row[] =>
  database.prepare(sql).all(...values) as Row[]

/** When an object's alarm will ring, in milliseconds since 1970; Infinity if none is set. Workerd keeps it beside the object's own tables. */
export const alarmOf = (file: string): number =>
  withCopy(file, (database) => {
    const nanoseconds = rowsOf(database, 'SELECT CAST(value AS TEXT) AS value FROM _cf_METADATA WHERE key = 1')[0]?.value
    return nanoseconds === undefined || nanoseconds === null ? Number.POSITIVE_INFINITY : Number(BigInt(nanoseconds) / 1_000_000n)
  })

// Backup and restore of a state folder (`as/`, `vault/`): D1, Durable Objects, R2. A backup is taken while the workers run: every database
// is copied with its log, checked, and written out whole. A restored server trusts nothing that may have been taken back since: shares,
// permits, tokens, sessions, passkeys and remembered proofs do not come back by themselves (DESIGN 3, 7 I4).
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Held, holdBack } from './hold-back.ts'
import { withCopy } from './state-files.ts'

export type Manifest = { version: 1; taken_at: number; files: Record<string, string> }
export const MANIFEST = 'manifest.json'

/** Folders of a state that are worth keeping, in the order in which they are copied: the record before the objects that lead it. */
const PARTS = ['as/d1', 'as/do', 'vault/do', 'vault/r2'] as const
/** Objects that live for minutes, or that a restored server must not believe. */
const LEFT_OUT = [/^as\/do\/latchkey-(Negotiation|OneTime|Guest|Meter)Object\//, /^vault\/do\/latchkey-vault-GuestObject\//]
const ATTEMPTS = 5

const filesIn = (folder: string, below = ''): string[] =>
  existsSync(join(folder, below))
    ? readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? filesIn(folder, join(below, entry.name)) : [join(below, entry.name)],
      )
    : []

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')
const isDatabase = (file: string): boolean => file.endsWith('.sqlite')
const isLog = (file: string): boolean => /\.sqlite-(wal|shm)$/.test(file)

/** One database as one file; taken again if the runtime wrote its main file meanwhile. */
const copyDatabase = (from: string, to: string): void => {
  for (let attempt = 1; ; attempt++) {
    const before = statSync(from)
    rmSync(to, { force: true })
    const verdict = withCopy(from, (database) => {
      database.exec(`VACUUM INTO '${to.replaceAll("'", "''")}'`)
      return (database.prepare('PRAGMA integrity_check').get() as { integrity_check: string }).integrity_check
    })
    const after = statSync(from)
    if (verdict === 'ok' && before.mtimeMs === after.mtimeMs && before.size === after.size) return
    if (attempt === ATTEMPTS) throw new Error(`${from} changes faster than it can be copied; try again when less happens.`)
  }
}

/** Files of R2 that the copied index names and that are not there. */
const missingBlobs = (folder: string): string[] =>
  filesIn(folder, 'vault/r2')
    .filter((file) => isDatabase(file) && !file.endsWith('metadata.sqlite'))
    .flatMap((file) => {
      const database = new DatabaseSync(join(folder, file), { readOnly: true })
      try {
        const blobs = new Set(filesIn(folder, 'vault/r2').map((one) => one.split('/').at(-1)))
        const rows = ['_mf_objects', '_mf_multipart_parts'].flatMap((table) =>
          database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(table) === undefined
            ? []
            : (database.prepare(`SELECT blob_id FROM ${table} WHERE blob_id IS NOT NULL`).all() as { blob_id: string }[]),
        )
        return rows.map(({ blob_id }) => blob_id).filter((id) => !blobs.has(id))
      } finally {
        database.close()
      }
    })

const copyPlain = (state: string, to: string, part: string): void => {
  for (const file of filesIn(state, part)) {
    if (isDatabase(file) || isLog(file) || existsSync(join(to, file))) continue
    mkdirSync(dirname(join(to, file)), { recursive: true })
    if (existsSync(join(state, file))) copyFileSync(join(state, file), join(to, file))
  }
}

/**
 * Takes a backup of the state folder into a new folder that only this account can read.
 * @param now seconds since 1970
 * @returns what it holds; throws if the folder is there already, or if there is nothing to back up
 */
export const takeBackup = (state: string, to: string, now: number): Manifest => {
  if (existsSync(to)) throw new Error(`${to} is there already; name a new folder.`)
  if (!PARTS.some((part) => existsSync(join(state, part)))) throw new Error(`There is no state in ${state}.`)
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (let attempt = 1; ; attempt++) {
    for (const part of PARTS) {
      copyPlain(state, to, part)
      for (const file of filesIn(state, part).filter((one) => isDatabase(one) && !LEFT_OUT.some((left) => left.test(one)))) {
        mkdirSync(dirname(join(to, file)), { recursive: true })
        copyDatabase(join(state, file), join(to, file))
      }
      copyPlain(state, to, part) // what was stored while the index was copied
    }
    if (missingBlobs(to).length === 0) break
    if (attempt === ATTEMPTS) throw new Error('Files change faster than they can be copied; try again when less happens.')
  }
  const files = filesIn(to)
  for (const file of files) chmodSync(join(to, file), 0o600) // private keys are among them
  const manifest: Manifest = {
    version: 1,
    taken_at: now,
    files: Object.fromEntries(files.sort().map((file) => [file, digest(join(to, file))])),
  }
  writeFileSync(join(to, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 })
  return manifest
}

/** Reads a backup's list and compares every file with it; throws with the names of those that are missing, changed or too many. */
export const checkBackup = (from: string): Manifest => {
  if (!existsSync(join(from, MANIFEST))) throw new Error(`${from} is no backup: there is no ${MANIFEST} in it.`)
  const manifest = JSON.parse(readFileSync(join(from, MANIFEST), 'utf8')) as Manifest
  const there = filesIn(from).filter((file) => file !== MANIFEST)
  const wrong = [
    ...Object.entries(manifest.files).flatMap(([file, hash]) =>
      existsSync(join(from, file)) && digest(join(from, file)) === hash ? [] : [file],
    ),
    ...there.filter((file) => manifest.files[file] === undefined),
  ]
  if (manifest.version !== 1 || wrong.length > 0) throw new Error(`The backup is not whole: ${wrong.slice(0, 5).join(', ') || MANIFEST}`)
  return manifest
}

export type Restored = Held & { taken_at: number; owners: number; aside: string | undefined }

/**
 * Puts a backup in place of a state folder whose workers do not run. What was there is moved aside, not deleted.
 * @param now seconds since 1970
 * @returns how many owners there are, how many shares and permits wait for their owners to bring them back, and where the old state lies
 */
export const restoreBackup = (from: string, state: string, now: number): Restored => {
  const { taken_at } = checkBackup(from)
  const fresh = `${state}.restoring`
  rmSync(fresh, { recursive: true, force: true })
  for (const file of filesIn(from)) {
    if (file === MANIFEST) continue
    mkdirSync(dirname(join(fresh, file)), { recursive: true, mode: 0o700 })
    copyFileSync(join(from, file), join(fresh, file))
  }
  // Before the folder has its name: a restore that is interrupted has restored nothing.
  const held = holdBack(join(fresh, 'as'), now)
  const aside = existsSync(state) ? `${state}.before-${now}` : undefined
  if (aside !== undefined) renameSync(state, aside)
  renameSync(fresh, state)
  return { taken_at, ...held, aside }
}

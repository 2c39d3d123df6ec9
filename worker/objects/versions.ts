// Brings what objects store to this code's version when they start, and refuses to run on what is too new (storage/version.ts has the
// rule). The steps of each kind of object are here.
import type { StoredKeys } from '../keys/schedule.ts'
import {
  broughtForward,
  judge,
  STORAGE_VERSION,
  stamped,
  stepsFrom,
  type ValueStep,
  type Versioned,
  WRITTEN_NOW,
} from '../storage/version.ts'

/** What brings the tables of an owner's object one version forward; it runs after the schema, and is safe to repeat. */
const OWNER_STEPS: Readonly<Record<number, (sql: SqlStorage) => void>> = {
  // Whoever was relied on before is written into the record by the alarm.
  1: (sql) => {
    sql.exec('INSERT OR IGNORE INTO reliance (client_id, told) SELECT client_id, 0 FROM connection UNION SELECT client_id, 0 FROM rpt')
  },
  2: addColumns,
}

/** Columns that tables did not have from their beginning. */
const LATER_COLUMNS = { resource: ['parent', 'labels'], rpt: ['grounds'], renewal: ['grounds'], request: ['asks'] } as const

function addColumns(sql: SqlStorage): void {
  for (const [table, columns] of Object.entries(LATER_COLUMNS)) {
    const known = new Set(
      sql
        .exec<{ name: string }>('SELECT name FROM pragma_table_info(?)', table)
        .toArray()
        .map(({ name }) => name),
    )
    for (const column of columns) if (!known.has(column)) sql.exec(`ALTER TABLE ${table} ADD COLUMN ${column} TEXT`)
  }
  sql.exec('CREATE INDEX IF NOT EXISTS resource_parent ON resource (parent) WHERE parent IS NOT NULL')
}

/** Keys of version 1 had no beginning: they are in use since ever. */
export const KEYS_STEPS: Readonly<Record<number, ValueStep<StoredKeys & Versioned>>> = {
  1: (keys) => ({
    ...keys,
    signing: keys.signing.map((key) => ({ from: 0, ...key })),
    seal: keys.seal.map((key) => ({ from: 0, ...key })),
  }),
}

/** Stored state that a server two or more versions ahead has written. */
export class StorageTooNew extends Error {
  constructor(what: string, found: number) {
    super(`${what} has storage version ${found}, this server knows ${STORAGE_VERSION}`)
    this.name = 'StorageTooNew'
  }
}

/** One line for the operator, then the refusal: nothing has been read or written. */
export function refuseTooNew(what: string, found: number): never {
  console.error(JSON.stringify({ event: 'storage_too_new', what, found, known: STORAGE_VERSION }))
  throw new StorageTooNew(what, found)
}

/** A stored value in this version's form; `store` is called if that is another one. Throws StorageTooNew. */
export function opened<T extends Versioned>(
  what: string,
  value: T,
  steps: Readonly<Record<number, ValueStep<T>>>,
  store: (value: T) => void,
): T {
  const forward = broughtForward(value, steps)
  if (forward === undefined) refuseTooNew(what, value.version?.newest ?? 1)
  if (forward.isNew) store(forward.value)
  return forward.value
}

/** Brings an owner's tables forward. Does nothing for an object that has no owner yet: `beginOwner` follows when it has. Throws StorageTooNew. */
export function openOwner(sql: SqlStorage): void {
  const meta = new Map(
    sql
      .exec<{ k: string; v: string }>("SELECT k, v FROM meta WHERE k IN ('owner', 'version', 'version_last')")
      .toArray()
      .map(({ k, v }) => [k, v]),
  )
  if (!meta.has('owner')) return
  const stored = { newest: Number(meta.get('version') ?? '1'), last: Number(meta.get('version_last') ?? '1') }
  const verdict = judge(stored)
  if (verdict.kind === 'current') return
  if (verdict.kind === 'too_new') refuseTooNew('owner', verdict.found)
  if (verdict.kind === 'forward') for (const step of stepsFrom(OWNER_STEPS, verdict.from)) step(sql)
  stampOwner(sql, stored)
}

/** The tables of an object that was there before it had an owner may be those of an older version. */
export function beginOwner(sql: SqlStorage): void {
  addColumns(sql)
  stampOwner(sql)
}

/**
 * The owner holds rules that take away, of which the version before knows nothing: run by that server, the object would give more. From
 * now on it is too new for it.
 */
export function shutOutVersionBefore(sql: SqlStorage): void {
  sql.exec("UPDATE meta SET v = ? WHERE k = 'version' AND CAST(v AS INTEGER) <= ?", String(STORAGE_VERSION + 1), STORAGE_VERSION)
}

/** Writes down which version has written. */
function stampOwner(sql: SqlStorage, stored = WRITTEN_NOW): void {
  const { newest, last } = stamped(stored)
  sql.exec("INSERT OR REPLACE INTO meta (k, v) VALUES ('version', ?), ('version_last', ?)", String(newest), String(last))
}

// Versions of what the wallet keeps in storage.local. Pure: the old record in, the new record out. A migration stays until no installed
// wallet can be that old; its line says since when. Write one for every change of a schema in storage.ts.

/** The whole of storage.local, as an earlier version of the wallet left it. */
export type Stored = Record<string, unknown>
export type Migration = (stored: Stored) => Stored

/** The migration at index n leads from version n to n + 1. Version 1 is the first that was shipped: nothing to move. */
export const MIGRATIONS: readonly Migration[] = [(stored) => stored]

/**
 * Brings a stored record to the newest version. An empty record is a new wallet. A record from a newer wallet is not touched:
 * the answer is `newer`, and the wallet must not write.
 */
export const migrate = (
  stored: Stored,
  migrations: readonly Migration[] = MIGRATIONS,
): { kind: 'current' } | { kind: 'changed'; stored: Stored } | { kind: 'newer' } => {
  const version = typeof stored.version === 'number' ? stored.version : 0
  if (version > migrations.length) return { kind: 'newer' }
  if (version === migrations.length) return { kind: 'current' }
  const moved = migrations.slice(version).reduce((record, migration) => migration(record), { ...stored })
  return { kind: 'changed', stored: { ...moved, version: migrations.length } }
}

// Rows of owners. Written once, at the first sign-in; the owner's object counts `writer` up. Holds no readable address.

export type OwnerRow = {
  id: string
  address_mac: string
  /** keyring.seal('address', address, id) */
  address_sealed: string
  label_public: JsonWebKey
  /** Private half of the label key, wrapped with the recovery code (tokens/recovery-code.ts). */
  label_recovery: string
}

type StoredRow = Omit<OwnerRow, 'label_public'> & { label_public: string }

const COLUMNS = 'id, address_mac, address_sealed, label_public, label_recovery'
const fromStored = (row: StoredRow): OwnerRow => ({ ...row, label_public: JSON.parse(row.label_public) as JsonWebKey })

/** The owner who signs in with an address. */
export async function ownerByAddress(db: D1Database, addressMac: string): Promise<OwnerRow | undefined> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM owner WHERE address_mac = ?1`).bind(addressMac).first<StoredRow>()
  return row === null ? undefined : fromStored(row)
}

export async function ownerById(db: D1Database, id: string): Promise<OwnerRow | undefined> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM owner WHERE id = ?1`).bind(id).first<StoredRow>()
  return row === null ? undefined : fromStored(row)
}

/** Seals an owner's address anew; does nothing if somebody else has done so. */
export async function resealAddress(db: D1Database, owner: Pick<OwnerRow, 'id' | 'address_sealed'>, sealed: string): Promise<void> {
  await db
    .prepare('UPDATE owner SET address_sealed = ?3 WHERE id = ?1 AND address_sealed = ?2')
    .bind(owner.id, owner.address_sealed, sealed)
    .run()
}

/** Another label key for an owner whose recovery code nobody has seen (owner/new-owner.ts); does nothing if somebody else has done so. */
export async function replaceLabelKey(
  db: D1Database,
  owner: Pick<OwnerRow, 'id' | 'label_recovery'>,
  made: Pick<OwnerRow, 'label_public' | 'label_recovery'>,
): Promise<boolean> {
  const written = await db
    .prepare('UPDATE owner SET label_public = ?3, label_recovery = ?4 WHERE id = ?1 AND label_recovery = ?2')
    .bind(owner.id, owner.label_recovery, JSON.stringify(made.label_public), made.label_recovery)
    .run()
  return written.meta.changes === 1
}

/** When an owner came to be, in seconds since 1970. */
export async function ownerSince(db: D1Database, id: string): Promise<number | undefined> {
  const row = await db.prepare('SELECT created_at FROM owner WHERE id = ?1').bind(id).first<{ created_at: number }>()
  return row?.created_at
}

/** Writes a new owner; false if the address has one already or, with `onlyFirst`, if there is any owner. One statement, so no race. */
export async function insertOwner(db: D1Database, owner: OwnerRow, createdAt: number, onlyFirst: boolean): Promise<boolean> {
  const written = await db
    .prepare(
      `INSERT INTO owner (${COLUMNS}, created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6
       WHERE ?7 = 0 OR NOT EXISTS (SELECT 1 FROM owner) ON CONFLICT (address_mac) DO NOTHING`,
    )
    .bind(
      owner.id,
      owner.address_mac,
      owner.address_sealed,
      JSON.stringify(owner.label_public),
      owner.label_recovery,
      createdAt,
      onlyFirst ? 1 : 0,
    )
    .run()
  return written.meta.changes === 1
}

// Passkeys of owners (WebAuthn). Read at sign-in; the counter and the last use are the only things that change.

export type Passkey = {
  /** Credential id, base64url. */
  id: string
  owner: string
  /** COSE key, base64url. */
  public_key: string
  counter: number
  transports: string[]
}

type StoredPasskey = Omit<Passkey, 'transports'> & { transports: string }

const COLUMNS = 'id, owner, public_key, counter, transports'
const fromStored = (row: StoredPasskey): Passkey => ({ ...row, transports: JSON.parse(row.transports) as string[] })

export async function passkeyById(db: D1Database, id: string): Promise<Passkey | undefined> {
  const row = await db.prepare(`SELECT ${COLUMNS} FROM passkey WHERE id = ?1`).bind(id).first<StoredPasskey>()
  return row === null ? undefined : fromStored(row)
}

/** All passkeys of an owner, oldest first. */
export async function passkeysOf(db: D1Database, owner: string): Promise<Passkey[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM passkey WHERE owner = ?1 ORDER BY created_at`)
    .bind(owner)
    .all<StoredPasskey>()
  return results.map(fromStored)
}

/** False if the id is known already, whoever owns it. */
export async function insertPasskey(db: D1Database, passkey: Passkey, createdAt: number): Promise<boolean> {
  const written = await db
    .prepare(`INSERT INTO passkey (${COLUMNS}, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING`)
    .bind(passkey.id, passkey.owner, passkey.public_key, passkey.counter, JSON.stringify(passkey.transports), createdAt)
    .run()
  return written.meta.changes === 1
}

/** After a sign-in with it. */
export async function passkeyUsed(db: D1Database, id: string, counter: number, now: number): Promise<void> {
  await db.prepare('UPDATE passkey SET counter = ?2, last_used_at = ?3 WHERE id = ?1').bind(id, counter, now).run()
}

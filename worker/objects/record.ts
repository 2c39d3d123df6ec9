// The record in D1 of what an owner's object holds live: the same columns in both places, and the guarded statements that write them.
// Only the owner's object calls the writers. Reading here is for recovery and administration, never for a decision.

/** Where an owner's rows live; one database today, a shard by owner later without touching a caller. */
export const dbFor = (env: Pick<Env, 'DB'>, _owner: string): D1Database => env.DB

/** Milliseconds that D1 is waited for. */
const PATIENCE = 3000

/** D1 did not answer in time: whether it does what it was asked is unknown, and may stay so for a while. */
export class Silence extends Error {}

/** What D1 answers; rejects with `Silence` when it takes longer than `patience` milliseconds. */
export async function within<T>(answer: Promise<T>, patience = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Silence('D1 does not answer')), patience)
  })
  try {
    return await Promise.race([answer, silence])
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}

export type ConnectionRow = {
  id: string
  kind: 'service' | 'wallet'
  client_id: string
  scope: string
  wrapped_label_key: string | null
  created_at: number
}
export type ResourceRow = {
  id: string
  connection_id: string
  label: string | null
  description: string
  type: string | null
  scopes: string
  created_at: number
  /** The thing that it lies in, of the same service. */
  parent?: string | null
  /** JSON array of words that rules can speak of; null if there are none. */
  labels?: string | null
}
export type PersonRow = { id: string; mac: string; label: string; created_at: number }
export type PolicyRow = {
  id: string
  resource_id: string
  person_id: string
  mac: string
  scopes: string
  valid_from: number | null
  valid_until: number | null
  time_zone: string | null
  created_at: number
}
/** A rule of any kind (worker/policy/policy.ts); a plain share with a person is a PolicyRow. */
export type RuleRow = {
  id: string
  /** `block`: made from somebody's address, to shut that address out. */
  kind: 'rule' | 'block'
  tier: string
  effect: string
  /** JSON: Policy */
  doc: string
  label: string | null
  rev: number
  created_at: number
  updated_at: number
}
/** What a share or a rule, a group or a type of things was before it was changed or taken away. */
export type PastRow = {
  id: string
  /** Of groups and types: `group/<id>`, `type/<type>`; of `people` the row that they belong to. */
  rule_id: string
  kind: 'policy' | 'rule' | 'group' | 'type' | 'people'
  rev: number
  /** JSON: PolicyRow or RuleRow; for groups and types as in owner-undo.ts */
  row: string
  ended_at: number
}
export type GroupRow = { id: string; label: string; created_at: number; updated_at: number }
/** `id` is made of group and MAC: nobody is in a group twice. */
export type MemberRow = { id: string; group_id: string; mac: string; label: string; created_at: number }
/** `id` is the type itself; `doc` JSON: ThingType. */
export type ThingTypeRow = { id: string; doc: string; created_at: number; updated_at: number }
/** An issuer whose word the owner takes (store/migrations: claim_issuer). */
export type ClaimIssuerRow = {
  id: string
  issuer: string
  jwks_uri: string | null
  /** JSON: a key set; one of the two is there. */
  jwks: string | null
  /** JSON arrays. */
  formats: string
  claims: string
  email_domains: string | null
  /** JSON: client id here -> array of client ids there. */
  audiences: string
  created_at: number
}
/** In an organisation's record: `id` is the member. */
export type OrgMemberRow = { id: string; joined_at: number }
/** In a member's record: `id` is the organisation. */
export type MembershipRow = { id: string; name: string; joined_at: number }
export type RecordRows = {
  connection: ConnectionRow
  resource: ResourceRow
  person: PersonRow
  policy: PolicyRow
  rule: RuleRow
  rule_past: PastRow
  person_group: GroupRow
  group_member: MemberRow
  thing_type: ThingTypeRow
  org_member: OrgMemberRow
  membership: MembershipRow
  claim_issuer: ClaimIssuerRow
}
export type RecordTable = keyof RecordRows

/** One row to write whole. */
export type Put = { [T in RecordTable]: { table: T; row: RecordRows[T] } }[RecordTable]
/** One change of the record: rows to write whole and rows to drop. */
export type Change = { put?: Put[]; drop?: { table: RecordTable; id: string }[] }

export const RECORD_COLUMNS: { [T in RecordTable]: readonly (keyof RecordRows[T] & string)[] } = {
  connection: ['id', 'kind', 'client_id', 'scope', 'wrapped_label_key', 'created_at'],
  resource: ['id', 'connection_id', 'label', 'description', 'type', 'scopes', 'created_at', 'parent', 'labels'],
  person: ['id', 'mac', 'label', 'created_at'],
  policy: ['id', 'resource_id', 'person_id', 'mac', 'scopes', 'valid_from', 'valid_until', 'time_zone', 'created_at'],
  rule: ['id', 'kind', 'tier', 'effect', 'doc', 'label', 'rev', 'created_at', 'updated_at'],
  rule_past: ['id', 'rule_id', 'kind', 'rev', 'row', 'ended_at'],
  person_group: ['id', 'label', 'created_at', 'updated_at'],
  group_member: ['id', 'group_id', 'mac', 'label', 'created_at'],
  thing_type: ['id', 'doc', 'created_at', 'updated_at'],
  org_member: ['id', 'joined_at'],
  membership: ['id', 'name', 'joined_at'],
  claim_issuer: ['id', 'issuer', 'jwks_uri', 'jwks', 'formats', 'claims', 'email_domains', 'audiences', 'created_at'],
}

/** The values of a row in the order of RECORD_COLUMNS. */
export function rowValues(put: Put): (string | number | null)[] {
  const row = put.row as unknown as Record<string, string | number | null>
  return RECORD_COLUMNS[put.table].map((column) => row[column] ?? null)
}

const GUARD = 'EXISTS (SELECT 1 FROM owner WHERE id = ?1 AND writer = ?2)'

/**
 * Statements for one batch. The first one changes exactly one row if `writer` still is this owner's writer; check that before
 * believing the rest (which then did nothing either).
 */
export function recordStatements(db: D1Database, owner: string, writer: number, change: Change): D1PreparedStatement[] {
  const puts = [...Map.groupBy(change.put ?? [], ({ table }) => table)].flatMap(([table, some]) =>
    some.length <= FEW ? some.map((put) => putOne(db, owner, writer, put)) : putMany(db, owner, writer, { table, puts: some }),
  )
  const drops = [...Map.groupBy(change.drop ?? [], ({ table }) => table)].flatMap(([table, some]) => {
    const ids = some.map(({ id }) => id)
    if (ids.length <= FEW)
      return ids.map((id) => db.prepare(`DELETE FROM ${table} WHERE owner = ?1 AND id = ?3 AND ${GUARD}`).bind(owner, writer, id))
    return chunks(ids.map((id) => JSON.stringify(id))).map((list) =>
      db
        .prepare(`DELETE FROM ${table} WHERE owner = ?1 AND id IN (SELECT value FROM json_each(?3)) AND ${GUARD}`)
        .bind(owner, writer, list),
    )
  })
  return [writerCheck(db, owner, writer), ...puts, ...drops]
}

/** So many rows of one table are a statement each; more are handed over as lists, since D1 counts statements. */
const FEW = 16
/** Characters of one list: D1 takes two million bytes as one value. */
const LIST = 400_000

/** JSON arrays of these JSON texts, none longer than LIST unless a single text is. */
function chunks(texts: readonly string[]): string[] {
  const lists: string[] = []
  let list: string[] = []
  let size = 0
  for (const text of texts) {
    if (size + text.length > LIST && list.length > 0) {
      lists.push(`[${list.join()}]`)
      list = []
      size = 0
    }
    list.push(text)
    size += text.length + 1
  }
  return list.length === 0 ? lists : [...lists, `[${list.join()}]`]
}

function putOne(db: D1Database, owner: string, writer: number, put: Put): D1PreparedStatement {
  const columns = RECORD_COLUMNS[put.table]
  const marks = columns.map((_, i) => `?${i + 3}`).join(', ')
  return db
    .prepare(`INSERT OR REPLACE INTO ${put.table} (owner, ${columns.join(', ')}) SELECT ?1, ${marks} WHERE ${GUARD}`)
    .bind(owner, writer, ...rowValues(put))
}

function putMany(
  db: D1Database,
  owner: string,
  writer: number,
  { table, puts }: { table: RecordTable; puts: readonly Put[] },
): D1PreparedStatement[] {
  const columns = RECORD_COLUMNS[table]
  const values = columns.map((_, i) => `value ->> '$[${i}]'`).join(', ')
  return chunks(puts.map((put) => JSON.stringify(rowValues(put)))).map((list) =>
    db
      .prepare(`INSERT OR REPLACE INTO ${table} (owner, ${columns.join(', ')}) SELECT ?1, ${values} FROM json_each(?3) WHERE ${GUARD}`)
      .bind(owner, writer, list),
  )
}

const writerCheck = (db: D1Database, owner: string, writer: number): D1PreparedStatement =>
  db.prepare('UPDATE owner SET writer = writer WHERE id = ?1 AND writer = ?2').bind(owner, writer)

/** True if the batch was written by the rightful writer. */
export const wasWritten = (results: D1Result[]): boolean => results[0]?.meta.changes === 1

/** Takes the next writer number: whatever an earlier instance still sends is void from now on. */
export async function takeWriter(db: D1Database, owner: string): Promise<number | undefined> {
  const row = await within(
    db.prepare('UPDATE owner SET writer = writer + 1 WHERE id = ?1 RETURNING writer').bind(owner).first<{ writer: number }>(),
  )
  return row?.writer
}

/** Rows of one table of the record as they stand, in no order; those that are not there are left out. */
export async function readRecordRows(db: D1Database, owner: string, table: RecordTable, ids: readonly string[]): Promise<Put[]> {
  const found: Put[] = []
  for (let at = 0; at < ids.length; at += ROWS) {
    const { results } = await within(
      db
        .prepare(`SELECT ${RECORD_COLUMNS[table].join(', ')} FROM ${table} WHERE owner = ?1 AND id IN (SELECT value FROM json_each(?2))`)
        .bind(owner, JSON.stringify(ids.slice(at, at + ROWS)))
        .all<RecordRows[RecordTable]>(),
    )
    found.push(...results.map((row) => ({ table, row }) as Put))
  }
  return found
}

/** Rows that are read at once. */
const ROWS = 200

export type ActivityRow = {
  seq: number
  at: number
  event: string
  salt: string | null
  fields: string | null
  fields_hash: string
  previous: string
  hash: string
}

/** Statements that copy activity entries to the record; safe to repeat. */
export function activityStatements(db: D1Database, owner: string, writer: number, rows: ActivityRow[]): D1PreparedStatement[] {
  return [
    writerCheck(db, owner, writer),
    ...rows.map((row) =>
      db
        .prepare(
          `INSERT OR REPLACE INTO activity (owner, seq, at, event, salt, fields, fields_hash, previous, hash)
           SELECT ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE ${GUARD}`,
        )
        .bind(owner, writer, row.seq, row.at, row.event, row.salt, row.fields, row.fields_hash, row.previous, row.hash),
    ),
  ]
}

/** Older activity of an owner, newest first, before `before`. */
export async function readActivity(db: D1Database, owner: string, before: number, limit: number): Promise<ActivityRow[]> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, event, salt, fields, fields_hash, previous, hash FROM activity
       WHERE owner = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3`,
    )
    .bind(owner, before, limit)
    .all<ActivityRow>()
  return results
}

export type VisitRow = { seq: number; at: number; event: string; fields: string }

/** What of an owner's activity tells of things given and refused: entries above `floor` and before `before`, since then, newest first. */
export async function readVisits(
  db: D1Database,
  owner: string,
  { before, floor, since, limit }: { before: number; floor: number; since: number; limit: number },
): Promise<VisitRow[]> {
  const { results } = await db
    .prepare(
      `SELECT seq, at, event, fields FROM activity WHERE owner = ?1 AND seq < ?2 AND seq > ?3 AND at > ?4
       AND event IN ('access_granted', 'glass_broken', 'access_denied') AND fields IS NOT NULL ORDER BY seq DESC LIMIT ?5`,
    )
    .bind(owner, before, floor, since, limit)
    .all<VisitRow>()
  return results
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Whether any owner's address is sealed with the key of this slot: the slot is the first byte of what it sealed. */
export async function sealedWith(db: D1Database, slot: number): Promise<boolean> {
  // Of two characters of base64url the second one holds four bits of the next byte, whatever that is.
  const begins = Array.from({ length: 16 }, (_, next) => `${BASE64URL[slot >> 2]}${BASE64URL[((slot & 3) << 4) | next]}`)
  const row = await db
    .prepare('SELECT 1 FROM owner WHERE substr(address_sealed, 1, 2) IN (SELECT value FROM json_each(?1)) LIMIT 1')
    .bind(JSON.stringify(begins))
    .first()
  return row !== null
}

/** Statements that write down that an owner relies on a client, and then read whether it is blocked. Safe to repeat. */
export const relianceStatements = (db: D1Database, owner: string, clientId: string): D1PreparedStatement[] => [
  db.prepare('INSERT OR IGNORE INTO reliance (client_id, owner) VALUES (?1, ?2)').bind(clientId, owner),
  db.prepare('SELECT disabled_at FROM client WHERE id = ?1').bind(clientId),
]

/** Owners who rely on a client, connected it or granted it something, in order, after `cursor`. */
export async function ownersRelyingOn(db: D1Database, clientId: string, cursor: string, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT owner FROM (SELECT owner FROM reliance WHERE client_id = ?1 UNION SELECT owner FROM connection WHERE client_id = ?1)
       WHERE owner > ?2 ORDER BY owner LIMIT ?3`,
    )
    .bind(clientId, cursor, limit)
    .all<{ owner: string }>()
  return results.map((row) => row.owner)
}

/**
 * Blocks or unblocks a client. One without a registration (its id is the address of its metadata) is a row while it is blocked. One that
 * has deleted itself (RFC 7592) stays as it is.
 */
export async function setClientBlocked(db: D1Database, clientId: string, blocked: boolean, now: number): Promise<void> {
  const isUrl = clientId.startsWith('https://')
  const statement = blocked
    ? isUrl
      ? db
          .prepare(
            "INSERT INTO client (id, metadata, created_at, disabled_at) VALUES (?1, '{}', ?2, ?2) ON CONFLICT (id) DO UPDATE SET disabled_at = ?2",
          )
          .bind(clientId, now)
      : db.prepare('UPDATE client SET disabled_at = ?2 WHERE id = ?1 AND disabled_at IS NULL').bind(clientId, now)
    : isUrl
      ? db.prepare('DELETE FROM client WHERE id = ?1').bind(clientId)
      : db.prepare("UPDATE client SET disabled_at = NULL WHERE id = ?1 AND metadata <> '{}'").bind(clientId)
  await statement.run()
}

/** The last of a client that has ended, when all who relied on it know. Ids are random and never come again (RFC 7591 5). */
export async function forgetClient(db: D1Database, clientId: string): Promise<void> {
  const ends = ['organisation WHERE client_id', 'reliance WHERE client_id', 'client WHERE id']
  await db.batch(ends.map((of) => db.prepare(`DELETE FROM ${of} = ?1`).bind(clientId)))
}

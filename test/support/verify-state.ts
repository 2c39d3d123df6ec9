// Compares each owner object's rows with the record in D1, row by row (DESIGN 3, "One writer"). A row that a fence names may be either
// way until the object has looked; what the outbox holds has still to be told to D1. Everything else has to be the same. Written
// against the tables and not with the server's own code, so that one mistake is not made twice.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { d1File, objectFiles, type Row, rowsOf, tablesOf, withCopy } from './state-files.ts'

const TABLES = [
  'connection',
  'resource',
  'person',
  'policy',
  'rule',
  'rule_past',
  'person_group',
  'group_member',
  'thing_type',
  'org_member',
  'membership',
  'claim_issuer',
] as const
type Table = (typeof TABLES)[number]
type Tables = Record<Table, Map<string, Row>>
type Change = { put?: { table: Table; row: Row }[]; drop?: { table: Table; id: string }[] }

type Copy = {
  object: string
  owner: string | undefined
  writer: number
  rows: Tables
  activity: Row[]
  fenced: Set<string>
  outbox: Change[]
}

export type OwnerReport = { owner: string; summary: string; differences: string[] }

const byId = (rows: readonly Row[]): Map<string, Row> => new Map(rows.map(({ owner: _, ...row }) => [String(row.id), row]))

/** All tables of one copy; what an older version did not have yet is empty. */
const readTables = (database: DatabaseSync, owner?: string): Tables => {
  const known = new Set(tablesOf(database))
  const read = (table: Table): Row[] => {
    if (!known.has(table)) return []
    return owner === undefined
      ? rowsOf(database, `SELECT * FROM ${table}`)
      : rowsOf(database, `SELECT * FROM ${table} WHERE owner = ?`, owner)
  }
  return Object.fromEntries(TABLES.map((table) => [table, byId(read(table))])) as Tables
}

const readObject = (file: string): Copy | undefined =>
  withCopy(file, (database) => {
    if (!tablesOf(database).includes('meta')) return undefined
    const meta = new Map(rowsOf(database, 'SELECT k, v FROM meta').map(({ k, v }) => [k, v]))
    const fences = rowsOf(database, 'SELECT rows FROM fence').flatMap(
      ({ rows }) => JSON.parse(String(rows)) as { table: Table; id: string }[],
    )
    return {
      object: basename(file, '.sqlite'),
      owner: meta.has('owner') ? String(meta.get('owner')) : undefined,
      writer: Number(meta.get('writer') ?? 1),
      rows: readTables(database),
      activity: rowsOf(database, 'SELECT * FROM activity ORDER BY seq'),
      fenced: new Set(fences.map(({ table, id }) => `${table}/${id}`)),
      outbox: rowsOf(database, 'SELECT change FROM outbox ORDER BY seq').map(({ change }) => JSON.parse(String(change)) as Change),
    }
  })

type Recorded = { writer: number; rows: Tables; activity: Row[] }

const readRecord = (file: string): Map<string, Recorded> =>
  withCopy(file, (database) => {
    const owners = rowsOf(database, 'SELECT id, writer FROM owner')
    return new Map(
      owners.map(({ id, writer }) => {
        const owner = String(id)
        const rows = readTables(database, owner)
        return [
          owner,
          { writer: Number(writer), rows, activity: rowsOf(database, 'SELECT * FROM activity WHERE owner = ? ORDER BY seq', owner) },
        ]
      }),
    )
  })

/** Both rows as text with members in one order; what is absent in one and null in the other is the same. */
const plain = (row: Row): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([, value]) => value !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

const namedInOutbox = (outbox: readonly Change[]): Set<string> =>
  new Set(
    outbox.flatMap((change) => [
      ...(change.put ?? []).map(({ table, row }) => `${table}/${row.id}`),
      ...(change.drop ?? []).map(({ table, id }) => `${table}/${id}`),
    ]),
  )

/** The record as it will be when D1 has been told what the outbox holds. */
const afterOutbox = (rows: Tables, outbox: readonly Change[]): Tables => {
  const later = Object.fromEntries(TABLES.map((table) => [table, new Map(rows[table])])) as Tables
  for (const change of outbox) {
    for (const { table, row } of change.put ?? []) later[table].set(String(row.id), row)
    for (const { table, id } of change.drop ?? []) later[table].delete(id)
  }
  return later
}

const compareRows = (copy: Copy, record: Recorded): string[] => {
  const later = afterOutbox(record.rows, copy.outbox)
  const told = namedInOutbox(copy.outbox)
  return TABLES.flatMap((table) => {
    const ids = new Set([...copy.rows[table].keys(), ...later[table].keys()])
    return [...ids].flatMap((id) => {
      const name = `${table}/${id}`
      if (copy.fenced.has(name) && !told.has(name)) return []
      const [live, recorded] = [copy.rows[table].get(id), later[table].get(id)]
      if (!live) return [`${name} is in D1 only`]
      if (!recorded) return [`${name} is in the object only`]
      return plain(live) === plain(recorded) ? [] : [`${name} differs: object ${plain(live)}, D1 ${plain(recorded)}`]
    })
  })
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

const compareActivity = (copy: Copy, record: Recorded): string[] => {
  const found: string[] = []
  const recorded = new Map(record.activity.map(({ owner: _, ...row }) => [Number(row.seq), row]))
  const whole = new Map(recorded)
  for (const { recorded: isRecorded, ...row } of copy.activity) {
    const seq = Number(row.seq)
    const other = recorded.get(seq)
    if (!other && isRecorded) found.push(`activity/${seq} counts as recorded, but is not in D1`)
    if (other && plain(other) !== plain(row)) found.push(`activity/${seq} differs`)
    whole.set(seq, row)
  }
  const last = Number(copy.activity.at(-1)?.seq ?? 0)
  for (const seq of recorded.keys()) if (seq > last) found.push(`activity/${seq} is in D1 only`)
  let previous: Row | undefined
  for (const [seq, row] of [...whole].sort(([a], [b]) => a - b)) {
    if (previous && (Number(previous.seq) !== seq - 1 || row.previous !== previous.hash))
      found.push(`activity/${seq} does not follow ${previous.seq}`)
    if (row.fields !== null && row.fields_hash !== digest(`${row.salt}\n${row.fields}`))
      found.push(`activity/${seq}: its fields are not those that were hashed`)
    if (row.hash !== digest([row.previous, seq, row.at, row.event, row.fields_hash].join('\n')))
      found.push(`activity/${seq}: its hash is wrong`)
    previous = row
  }
  return found
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const summaryOf = (copy: Copy): string => {
  const rows = copy.rows
  return [
    counted(rows.connection.size, 'connection', 'connections'),
    counted(rows.resource.size, 'resource', 'resources'),
    counted(rows.person.size, 'person', 'people'),
    counted(rows.policy.size, 'policy', 'policies'),
    ...(rows.rule.size > 0 ? [counted(rows.rule.size, 'rule', 'rules')] : []),
    ...(rows.person_group.size > 0 ? [counted(rows.person_group.size, 'group', 'groups')] : []),
    counted(copy.activity.length, 'activity entry', 'activity entries'),
    ...(copy.fenced.size > 0 ? [`${counted(copy.fenced.size, 'row', 'rows')} behind a fence`] : []),
    ...(copy.outbox.length > 0 ? [`${counted(copy.outbox.length, 'change', 'changes')} on the way to D1`] : []),
  ].join(', ')
}

const compare = (copy: Copy, owner: string, record: Recorded | undefined): OwnerReport => {
  if (!record) return { owner, summary: summaryOf(copy), differences: ['has an object, but no row in D1'] }
  const differences = [...compareRows(copy, record), ...compareActivity(copy, record)]
  const isPending = copy.fenced.size > 0 || copy.outbox.length > 0
  if (copy.writer > record.writer || (copy.writer < record.writer && !isPending))
    differences.push(`writer ${copy.writer} in the object, ${record.writer} in D1`)
  return { owner, summary: summaryOf(copy), differences }
}

const rowCount = (rows: Tables): number => TABLES.reduce((sum, table) => sum + rows[table].size, 0)

const look = (state: string, file: string): OwnerReport[] => {
  // Objects first: what is on the way to D1 now may have arrived a moment later, but never the other way round.
  const copies = objectFiles(state, 'OwnerObject').map(readObject)
  const records = readRecord(file)
  const reports: OwnerReport[] = []
  const seen = new Set<string>()
  for (const copy of copies) {
    if (!copy) continue
    if (copy.owner === undefined) {
      // Somebody asked for an owner who does not exist; nothing may have been stored for that.
      if (rowCount(copy.rows) > 0)
        reports.push({ owner: copy.object, summary: summaryOf(copy), differences: ['has rows, but belongs to nobody'] })
      continue
    }
    seen.add(copy.owner)
    reports.push(compare(copy, copy.owner, records.get(copy.owner)))
  }
  for (const [owner, record] of records) {
    if (seen.has(owner)) continue
    const differences = rowCount(record.rows) > 0 ? ['has rows in D1, but no object'] : []
    reports.push({ owner, summary: 'no object yet', differences })
  }
  return reports
}

/** An edit may be between its two places while we look; a real difference is there at every look. */
const LOOKS = 3

/**
 * Reads a server's state folder and compares.
 * @returns one report per owner; throws if there is no database to read
 */
export const verifyState = (state: string): OwnerReport[] => {
  const file = d1File(state)
  if (!file) throw new Error(`There is no database in ${state}.`)
  let reports = look(state, file)
  for (let looks = 1; looks < LOOKS && reports.some(({ differences }) => differences.length > 0); looks++) reports = look(state, file)
  return reports
}

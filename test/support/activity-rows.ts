// An owner's activity as it lies in the state folder, D1 and object together, and its chain as the server's own code makes it.
import { chainHash, fieldsHash } from '../../worker/objects/owner-activity.ts'
import { d1File, objectFiles, type Row, rowsOf, tablesOf, withCopy } from './state-files.ts'

export type Entry = { seq: number; event: string; fields: Row }

/** All entries of the one owner of a state folder, oldest first. Throws if the chain is broken. */
export const activityIn = (state: string): Entry[] => {
  const bySeq = new Map<number, Row>()
  const columns = 'seq, at, event, salt, fields, fields_hash, previous, hash'
  const add = (rows: Row[]): void => {
    for (const row of rows) bySeq.set(Number(row.seq), row)
  }
  withCopy(d1File(state) ?? '', (db) => add(rowsOf(db, `SELECT ${columns} FROM activity`)))
  for (const file of objectFiles(state, 'OwnerObject')) {
    withCopy(file, (db) => {
      if (tablesOf(db).includes('activity')) add(rowsOf(db, `SELECT ${columns} FROM activity`))
    })
  }
  let previous = ''
  return [...bySeq]
    .sort(([a], [b]) => a - b)
    .map(([seq, row], index) => {
      const { at, event, salt, fields, fields_hash, hash } = row
      const isWhole =
        seq === index + 1 &&
        row.previous === previous &&
        fields_hash === fieldsHash(String(salt), String(fields)) &&
        hash === chainHash(previous, seq, Number(at), String(event), String(fields_hash))
      if (!isWhole) throw new Error(`the chain of the activity is broken at ${seq}`)
      previous = String(hash)
      return { seq, event: String(event), fields: JSON.parse(String(fields)) as Row }
    })
}

/** How often each event was told of each thing named by `member`. */
export const countOf = (entries: readonly Entry[], event: string, member: string): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const entry of entries) {
    if (entry.event !== event) continue
    const id = String(entry.fields[member])
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

// Makes one owner large while the runtime stands still: rows are copied from one that the server wrote itself, in the object and in the
// record alike, so that both go on agreeing.
import { DatabaseSync } from 'node:sqlite'
import { d1File, objectFiles, type Row } from './state-files.ts'

export type Size = { resources: number; policies: number; spent: number }

const copyRow = (database: DatabaseSync, table: string, row: Row, changes: (index: number) => Row, count: number): void => {
  const columns = Object.keys(row)
  const insert = database.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
  for (let index = 0; index < count; index++) {
    const next = { ...row, ...changes(index) }
    insert.run(...columns.map((column) => next[column] ?? null))
  }
}

const grow = (database: DatabaseSync, resource: Row, policy: Row, size: Size): void => {
  const name = (kind: string, index: number): string => `${kind}-${String(index).padStart(9, '0')}`
  copyRow(database, 'resource', resource, (index) => ({ id: name('resource', index) }), size.resources)
  copyRow(database, 'policy', policy, (index) => ({ id: name('policy', index), resource_id: name('resource', index) }), size.policies)
}

/** Adds so many rows to the owner that has the given resource and policy. Only while no runtime has the folder open. */
export const seedOwner = (state: string, resourceId: string, size: Size): void => {
  const record = new DatabaseSync(d1File(state) ?? '')
  const own = record.prepare('SELECT * FROM resource WHERE id = ?').get(resourceId) as Row
  const policy = record.prepare('SELECT * FROM policy WHERE resource_id = ? LIMIT 1').get(resourceId) as Row
  record.exec('BEGIN')
  grow(record, own, policy, size)
  record.exec('COMMIT')
  record.close()
  for (const file of objectFiles(state, 'OwnerObject')) {
    const object = new DatabaseSync(file)
    const resource = object.prepare('SELECT * FROM resource WHERE id = ?').get(resourceId) as Row | undefined
    if (resource) {
      object.exec('BEGIN')
      grow(object, resource, object.prepare('SELECT * FROM policy WHERE resource_id = ? LIMIT 1').get(resourceId) as Row, size)
      const spend = object.prepare('INSERT INTO spent (jti, exp) VALUES (?, ?)')
      for (let index = 0; index < size.spent; index++) spend.run(`spent-${index}`, Math.floor(Date.now() / 1000) + 3600)
      object.exec('COMMIT')
    }
    object.close()
  }
}

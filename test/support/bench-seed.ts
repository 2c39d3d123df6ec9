// Makes one owner large while the runtime stands still: rows are copied from one that the server wrote itself, in the object and in the
// record alike, so that both go on agreeing.
import { DatabaseSync } from 'node:sqlite'
import { d1File, objectFiles, type Row } from './state-files.ts'

export type Size = { resources: number; policies: number; rules: number; spent: number }

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

const ruleId = (index: number): string => `rule-${String(index).padStart(9, '0')}`
const mac = (index: number): string => `mac-${index}`
const target = (index: number): string => `resource-${String(index).padStart(9, '0')}`

/** Rules of other people for other things; every hundredth one forbids. */
const ruleAt = (index: number): Row => {
  const effect = index % 100 === 0 ? 'forbid' : 'permit'
  const when = { all: [{ claim: 'email', eq: mac(index) }, { before: 4_000_000_000 }] }
  const doc = { v: 1, id: ruleId(index), rev: 1, tier: 'owner', effect, target: { resources: [target(index)] }, scopes: '*', when }
  const times = { created_at: 1, updated_at: 1 }
  return { id: ruleId(index), kind: 'rule', tier: 'owner', effect, doc: JSON.stringify(doc), label: null, rev: 1, ...times }
}

const addRules = (database: DatabaseSync, owner: Row, count: number, isIndexed: boolean): void => {
  for (let index = 0; index < count; index++) {
    const row: Row = { ...owner, ...ruleAt(index) }
    const columns = Object.keys(row)
    database
      .prepare(`INSERT INTO rule (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
      .run(...columns.map((column) => row[column] ?? null))
    if (!isIndexed) continue
    const isCut = row.effect === 'forbid'
    database
      .prepare("INSERT INTO rule_target (kind, key, cuts, who, policy_id) VALUES ('res', ?, ?, ?, ?)")
      .run(target(index), isCut ? 1 : 0, isCut ? '' : mac(index), ruleId(index))
  }
}

/** Adds so many rows to the owner that has the given resource and policy. Only while no runtime has the folder open. */
export const seedOwner = (state: string, resourceId: string, size: Size): void => {
  const record = new DatabaseSync(d1File(state) ?? '')
  const own = record.prepare('SELECT * FROM resource WHERE id = ?').get(resourceId) as Row
  const policy = record.prepare('SELECT * FROM policy WHERE resource_id = ? LIMIT 1').get(resourceId) as Row
  record.exec('BEGIN')
  grow(record, own, policy, size)
  addRules(record, { owner: own.owner ?? null }, size.rules, false)
  record.exec('COMMIT')
  record.close()
  for (const file of objectFiles(state, 'OwnerObject')) {
    const object = new DatabaseSync(file)
    const resource = object.prepare('SELECT * FROM resource WHERE id = ?').get(resourceId) as Row | undefined
    if (resource) {
      object.exec('BEGIN')
      grow(object, resource, object.prepare('SELECT * FROM policy WHERE resource_id = ? LIMIT 1').get(resourceId) as Row, size)
      addRules(object, {}, size.rules, true)
      const spend = object.prepare('INSERT INTO spent (jti, exp) VALUES (?, ?)')
      for (let index = 0; index < size.spent; index++) spend.run(`spent-${index}`, Math.floor(Date.now() / 1000) + 3600)
      object.exec('COMMIT')
    }
    object.close()
  }
}

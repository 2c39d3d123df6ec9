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

const [TYPES, LABELS, GROUPS] = [50, 25, 20]
const typeAt = (index: number): string => `https://bench.example/type/${index % TYPES}`
const labelAt = (index: number): string => `label-${index % LABELS}`
const groupAt = (index: number): string => `group-${index % GROUPS}`
/** What every seeded thing is, the one that is measured too: some rules of each kind speak of it. */
const KIND: Row = { type: typeAt(0), labels: JSON.stringify([labelAt(0)]) }

type Looked = { kind: 'res' | 'tree' | 'type' | 'label' | 'all'; key: string }
type Seeded = { target: object; looked: Looked; when: object; who: string; effect: 'permit' | 'forbid' }

/**
 * What a large owner's rules are like, of each hundred: one forbids an app for a type, 20 speak of a type, 10 of a label, one of everything,
 * 8 of what lies in a thing; all others of one thing. Some are for a group, the rest for somebody by address.
 */
const seededAt = (index: number): Seeded => {
  const [of, round] = [index % 100, Math.floor(index / 100)]
  const isBefore = { before: 4_000_000_000 }
  const person = { when: { all: [{ claim: 'email', eq: mac(index) }, isBefore] }, who: mac(index), effect: 'permit' } as const
  const group = { when: { all: [{ claim: 'email', group: groupAt(round) }, isBefore] }, who: '', effect: 'permit' } as const
  const [type, label] = [typeAt(round + of), labelAt(round + of)]
  const ofType = { target: { types: [type] }, looked: { kind: 'type', key: type } } as const
  if (of === 0) return { ...ofType, when: { client: [`https://bad.example/${index}`] }, who: '', effect: 'forbid' }
  if (of <= 2) return { ...group, ...ofType }
  if (of <= 20) return { ...person, ...ofType }
  if (of <= 30) return { ...(of === 21 ? group : person), target: { labels: [label] }, looked: { kind: 'label', key: label } }
  if (of === 31) return { ...person, target: { all: true }, looked: { kind: 'all', key: '' } }
  const key = target(index)
  if (of <= 39) return { ...person, target: { resources: [key], descend: true }, looked: { kind: 'tree', key } }
  return { ...(of <= 45 ? group : person), target: { resources: [key] }, looked: { kind: 'res', key } }
}

const ruleAt = (index: number): Row => {
  const { effect, target, when } = seededAt(index)
  const doc = { v: 1, id: ruleId(index), rev: 1, tier: 'owner', effect, target, scopes: '*', when }
  const times = { created_at: 1, updated_at: 1 }
  return { id: ruleId(index), kind: 'rule', tier: 'owner', effect, doc: JSON.stringify(doc), label: null, rev: 1, ...times }
}

const insertRow = (database: DatabaseSync, table: string, row: Row): void => {
  const columns = Object.keys(row)
  database
    .prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
    .run(...columns.map((column) => row[column] ?? null))
}

const addRules = (database: DatabaseSync, owner: Row, count: number, isIndexed: boolean): void => {
  for (let index = 0; index < GROUPS; index++) {
    const times = { created_at: 1, updated_at: 1 }
    insertRow(database, 'person_group', { ...owner, id: groupAt(index), label: 'x', ...times })
    const member = { id: `${groupAt(index)}.${mac(index)}`, group_id: groupAt(index), mac: mac(index), label: 'x', created_at: 1 }
    insertRow(database, 'group_member', { ...owner, ...member })
  }
  for (let index = 0; index < count; index++) {
    insertRow(database, 'rule', { ...owner, ...ruleAt(index) })
    const { looked, who, effect } = seededAt(index)
    if (isIndexed) insertRow(database, 'rule_target', { ...looked, cuts: effect === 'forbid' ? 1 : 0, who, policy_id: ruleId(index) })
  }
}

const described = (database: DatabaseSync, resourceId: string): void => {
  database.prepare('UPDATE resource SET type = ?, labels = ? WHERE id = ?').run(KIND.type ?? null, KIND.labels ?? null, resourceId)
}

/** Adds so many rows to the owner that has the given resource and policy. Only while no runtime has the folder open. */
export const seedOwner = (state: string, resourceId: string, size: Size): void => {
  const record = new DatabaseSync(d1File(state) ?? '')
  const own = { ...(record.prepare('SELECT * FROM resource WHERE id = ?').get(resourceId) as Row), ...KIND }
  const policy = record.prepare('SELECT * FROM policy WHERE resource_id = ? LIMIT 1').get(resourceId) as Row
  record.exec('BEGIN')
  described(record, resourceId)
  grow(record, own, policy, size)
  addRules(record, { owner: own.owner ?? null }, size.rules, false)
  record.exec('COMMIT')
  record.close()
  for (const file of objectFiles(state, 'OwnerObject')) {
    const object = new DatabaseSync(file)
    const resource = object.prepare('SELECT * FROM resource WHERE id = ?').get(resourceId) as Row | undefined
    if (resource) {
      object.exec('BEGIN')
      described(object, resourceId)
      grow(
        object,
        { ...resource, ...KIND },
        object.prepare('SELECT * FROM policy WHERE resource_id = ? LIMIT 1').get(resourceId) as Row,
        size,
      )
      addRules(object, {}, size.rules, true)
      const spend = object.prepare('INSERT INTO spent (jti, exp) VALUES (?, ?)')
      for (let index = 0; index < size.spent; index++) spend.run(`spent-${index}`, Math.floor(Date.now() / 1000) + 3600)
      object.exec('COMMIT')
    }
    object.close()
  }
}

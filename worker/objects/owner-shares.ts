// What the owner sees and decides: things, people, shares, connections. Sharing widens (D1 first); stopping narrows (at once).
// Reads rows and writes changes; who may call is decided before (owner.ts).
import type { ActivityEntry } from '../../shared/protocol/owner-api.ts'
import type { OwnerGrants } from './owner-grants.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import type { OwnerRules } from './owner-rules.ts'
import type { OwnerTokens } from './owner-tokens.ts'
import { TYPE_IN_FORCE } from './owner-upper.ts'
import type { Change, ConnectionRow, PersonRow, PolicyRow, Put, ResourceRow } from './record.ts'

/** Rows of one page of a list. */
export const PAGE = 200
/** How many rows one outbox entry may name. */
const CHUNK = 200

export type ListedResource = ResourceRow & { client_id: string; share_count: number }
export type ListedPerson = PersonRow & { share_count: number; last_seen_at: number | null }
/** `type_doc`: JSON of the type of the thing, if it has one that is described. */
export type ListedPolicy = PolicyRow & { last_used_at: number | null; type_doc: string | null }
/** `standing` is 1 for a service that gets its tokens by itself. */
export type ListedConnection = ConnectionRow & { last_used_at: number | null; standing: number }

export type NewPolicy = {
  id: string
  resource_id: string
  scopes: string[]
  valid_from: number | null
  valid_until: number | null
  time_zone: string | null
  /** Either a person known already, or a policy MAC and a label for a new one. */
  person: { id: string } | { new_id: string; mac: string; label: string }
}

export class OwnerShares {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants

  readonly #rules: OwnerRules

  constructor(ctx: DurableObjectState, record: OwnerRecord, tokens: OwnerTokens, grants: OwnerGrants, rules: OwnerRules) {
    this.#grants = grants
    this.#rules = rules
    this.#sql = ctx.storage.sql
    this.#record = record
    this.#tokens = tokens
  }

  connections(): ListedConnection[] {
    return this.#sql
      .exec<ListedConnection>(
        `SELECT c.*, s.at AS last_used_at, EXISTS (SELECT 1 FROM standing t WHERE t.connection_id = c.id) AS standing
         FROM connection c LEFT JOIN seen s ON s.id = c.id ORDER BY c.created_at, c.id`,
      )
      .toArray()
  }

  resources(cursor: string, now: number): ListedResource[] {
    return this.#sql
      .exec<ListedResource>(
        `SELECT r.*, c.client_id,
           (SELECT COUNT(*) FROM policy p WHERE p.resource_id = r.id AND (p.valid_until IS NULL OR p.valid_until > ?)) AS share_count
         FROM resource r JOIN connection c ON c.id = r.connection_id WHERE r.id > ? ORDER BY r.id LIMIT ?`,
        now,
        cursor,
        PAGE,
      )
      .toArray()
  }

  people(cursor: string, now: number): ListedPerson[] {
    return this.#sql
      .exec<ListedPerson>(
        `SELECT p.*, s.at AS last_seen_at,
           (SELECT COUNT(*) FROM policy q WHERE q.person_id = p.id AND (q.valid_until IS NULL OR q.valid_until > ?)) AS share_count
         FROM person p LEFT JOIN seen s ON s.id = p.id WHERE p.id > ? ORDER BY p.id LIMIT ?`,
        now,
        cursor,
        PAGE,
      )
      .toArray()
  }

  person(id: string): PersonRow | undefined {
    return this.#sql.exec<PersonRow>('SELECT * FROM person WHERE id = ?', id).toArray()[0]
  }

  personWith(mac: string): PersonRow | undefined {
    return this.#sql.exec<PersonRow>('SELECT * FROM person WHERE mac = ?', mac).toArray()[0]
  }

  policies(cursor: string, filter: { resource_id?: string; person_id?: string; id?: string }): ListedPolicy[] {
    return this.#sql
      .exec<ListedPolicy>(
        `SELECT p.*, s.at AS last_used_at, (SELECT ${TYPE_IN_FORCE} FROM (SELECT type AS wanted FROM resource WHERE id = p.resource_id)) AS type_doc
         FROM policy p LEFT JOIN seen s ON s.id = p.id
         WHERE p.id > ?1 AND (?2 IS NULL OR p.resource_id = ?2) AND (?3 IS NULL OR p.person_id = ?3) AND (?4 IS NULL OR p.id = ?4)
         ORDER BY p.id LIMIT ?5`,
        cursor,
        filter.resource_id ?? null,
        filter.person_id ?? null,
        filter.id ?? null,
        PAGE,
      )
      .toArray()
  }

  /**
   * Shares a thing. Refused with `no_resource`, `no_scope`, `no_person`, or what `still` names, also if that comes up while the record is
   * written; the share counts when this has answered.
   */
  share(
    asked: NewPolicy,
    now: number,
    note: (fields: Pick<ActivityEntry, 'resource_id' | 'person_id' | 'policy_id' | 'resource_scopes'>) => void,
    still: () => string | undefined = () => undefined,
  ): Promise<Widened<ListedPolicy>> {
    const check = () => {
      const resource = this.#sql.exec<ResourceRow>('SELECT * FROM resource WHERE id = ?', asked.resource_id).toArray()[0]
      if (resource === undefined) return 'no_resource'
      const offered = JSON.parse(resource.scopes) as string[]
      return asked.scopes.every((scope) => offered.includes(scope)) ? still() : 'no_scope'
    }
    return this.#record.widen(() => {
      // Looked up in the queue: a share before this one may have made the person.
      const person = this.#person(asked, now)
      if (person === undefined) return 'no_person'
      if (this.#record.isFull('policy')) return 'full_policies'
      if (person.isNew && this.#record.isFull('person')) return 'full_people'
      const refused = check()
      if (refused !== undefined) return refused
      const row: PolicyRow = {
        id: asked.id,
        resource_id: asked.resource_id,
        person_id: person.row.id,
        mac: person.row.mac,
        scopes: JSON.stringify(asked.scopes),
        valid_from: asked.valid_from,
        valid_until: asked.valid_until,
        time_zone: asked.time_zone,
        created_at: now,
      }
      const finish = () => {
        note({ resource_id: row.resource_id, person_id: row.person_id, policy_id: row.id, resource_scopes: asked.scopes })
        const [made] = this.policies('', { id: row.id })
        return made ?? { ...row, last_used_at: null, type_doc: null }
      }
      const put: Put[] = [...(person.isNew ? [{ table: 'person' as const, row: person.row }] : []), { table: 'policy', row }]
      return { change: { put }, check, finish }
    })
  }

  /** Stops shares: in force when the turn ends, also while D1 is away. Returns what was stopped; it can be brought back. */
  stop(filter: { id: string } | { resource_id: string }, now: number): PolicyRow[] {
    const rows =
      'id' in filter
        ? this.#sql.exec<PolicyRow>('SELECT * FROM policy WHERE id = ?', filter.id).toArray()
        : this.#sql.exec<PolicyRow>('SELECT * FROM policy WHERE resource_id = ?', filter.resource_id).toArray()
    for (let at = 0; at < rows.length; at += CHUNK) {
      const some = rows.slice(at, at + CHUNK)
      this.#record.narrow({
        put: some.flatMap((row) => this.#rules.pastOf('policy', row, now)),
        drop: some.map((row) => ({ table: 'policy', id: row.id })),
      })
    }
    return rows
  }

  /** Ends a connection: its tokens, and for a service its things, their shares and every RPT for them. */
  disconnect(id: string): ConnectionRow | undefined {
    const row = this.#sql.exec<ConnectionRow>('SELECT * FROM connection WHERE id = ?', id).toArray()[0]
    if (row === undefined) return undefined
    const resources = this.#sql.exec<{ id: string }>('SELECT id FROM resource WHERE connection_id = ?', id).toArray()
    const policies = this.#sql
      .exec<{ id: string }>('SELECT p.id FROM policy p JOIN resource r ON r.id = p.resource_id WHERE r.connection_id = ?', id)
      .toArray()
    this.#tokens.dropConnection(id)
    this.#grants.dropConnection(id)
    const rules = this.#rules.onlyAbout(resources.map((resource) => resource.id))
    this.#drop([
      { table: 'connection', id },
      ...rules.map((rule) => ({ table: 'rule' as const, id: rule })),
      ...policies.map((policy) => ({ table: 'policy' as const, id: policy.id })),
      ...resources.map((resource) => ({ table: 'resource' as const, id: resource.id })),
    ])
    return row
  }

  /** Deregisters a thing with its shares (UMA FedAuthz 3.2.4). */
  dropResource(id: string): void {
    const policies = this.#sql.exec<{ id: string }>('SELECT id FROM policy WHERE resource_id = ?', id).toArray()
    const rules = this.#rules.onlyAbout([id])
    this.#drop([
      { table: 'resource', id },
      ...policies.map((policy) => ({ table: 'policy' as const, id: policy.id })),
      ...rules.map((rule) => ({ table: 'rule' as const, id: rule })),
    ])
  }

  #drop(rows: NonNullable<Change['drop']>): void {
    for (let at = 0; at < rows.length; at += CHUNK) this.#record.narrow({ drop: rows.slice(at, at + CHUNK) })
  }

  #person(asked: NewPolicy, now: number): { row: PersonRow; isNew: boolean } | undefined {
    if ('id' in asked.person) {
      const row = this.#sql.exec<PersonRow>('SELECT * FROM person WHERE id = ?', asked.person.id).toArray()[0]
      return row === undefined ? undefined : { row, isNew: false }
    }
    const known = this.#sql.exec<PersonRow>('SELECT * FROM person WHERE mac = ?', asked.person.mac).toArray()[0]
    if (known !== undefined) return { row: known, isNew: false }
    return { row: { id: asked.person.new_id, mac: asked.person.mac, label: asked.person.label, created_at: now }, isNew: true }
  }
}

// What was given and refused lately, for "what if" (POLICY 4): the newest entries of the activity, those here and those that are in D1 only,
// and of each visit what it showed, as far as a grant still keeps it. Reads only; a D1 that does not answer leaves the past incomplete.
import type { GrantedCell } from '../policy/assess.ts'
import type { Permission } from '../policy/scopes.ts'
import { ACTIVITY_DAYS } from './owner-activity.ts'
import type { GrantEvidence } from './owner-tables.ts'
import { type Grounds, readGrounds } from './owner-world.ts'
import { dbFor, readVisits, type VisitRow, within } from './record.ts'

/** Visits that are looked at, newest first; entries of any kind that are gone through for them. */
const MOST_VISITS = 2000
const MOST_ENTRIES = 20_000
/** Seconds for which what D1 said is remembered: an owner who tries out rules asks again and again. */
const REMEMBERED = 60
/** Grants whose evidence is looked through. */
const MOST_GRANTS = 4000

/** `mac`: the address by which a known person came. `evidence`, `grounds`: where a grant of that visit is still kept. */
export type Visit = {
  seq: number
  at: number
  isGranted: boolean
  cells: readonly Permission[]
  client_id: string
  connection_id: string
  mac?: string
  evidence?: readonly GrantEvidence[]
  grounds?: Grounds
}
/** `isWhole`: false if there is more than was looked at, or D1 did not answer. */
export type Past = { visits: readonly Visit[]; isWhole: boolean }

type Fields = {
  resource_id?: string
  resource_scopes?: string[]
  person_id?: string
  client_id?: string
  connection_id?: string
  cells?: Permission[]
}
type Grant = { cells: readonly GrantedCell[]; evidence: readonly GrantEvidence[]; grounds: Grounds; created_at: number | null }

export class OwnerPast {
  readonly #sql: SqlStorage
  readonly #env: Env
  #older: { read_at: number; before: number; rows: readonly VisitRow[]; isWhole: boolean } | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    this.#sql = ctx.storage.sql
    this.#env = env
  }

  /** The visits of the last 400 days, newest first, at most 2 000. `now` in seconds. Never throws. */
  async read(owner: string | undefined, now: number): Promise<Past> {
    const { n: oldest } = this.#sql.exec<{ n: number | null }>('SELECT MIN(seq) AS n FROM activity').one()
    const older = owner === undefined || oldest === null ? { rows: [], isWhole: true } : await this.#beyond(owner, oldest, now)
    const here = this.#sql
      .exec<VisitRow>(
        `SELECT seq, at, event, fields FROM activity WHERE event IN ('access_granted', 'glass_broken', 'access_denied') AND fields IS NOT NULL
         ORDER BY seq DESC LIMIT ?`,
        MOST_VISITS,
      )
      .toArray()
    const last = here.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER
    const rows = [...here, ...older.rows.filter(({ seq }) => seq < last)]
    return { visits: this.#visits(rows.slice(0, MOST_VISITS)), isWhole: older.isWhole && rows.length <= MOST_VISITS }
  }

  /** What is no longer here. */
  async #beyond(owner: string, before: number, now: number): Promise<{ rows: readonly VisitRow[]; isWhole: boolean }> {
    if (before <= 1) return { rows: [], isWhole: true }
    const known = this.#older
    // What was copied away since then would be missing in between.
    if (known !== undefined && now - known.read_at < REMEMBERED && known.before === before) return known
    try {
      const floor = Math.max(0, before - MOST_ENTRIES)
      const since = now - ACTIVITY_DAYS * 86_400
      const rows = await within(readVisits(dbFor(this.#env, owner), owner, { before, floor, since, limit: MOST_VISITS }))
      this.#older = { read_at: now, before, rows, isWhole: rows.length < MOST_VISITS && floor === 0 }
      return this.#older
    } catch {
      return { rows: [], isWhole: false }
    }
  }

  #visits(rows: readonly VisitRow[]): Visit[] {
    const grants = this.#grants()
    return rows.map((row) => {
      const fields = JSON.parse(row.fields) as Fields
      const { client_id = '', connection_id = '', resource_id, resource_scopes = [] } = fields
      const one = resource_id === undefined ? [] : [{ resource_id, resource_scopes }]
      const cells = (fields.cells ?? one).map((cell) => ({ resource_id: cell.resource_id, resource_scopes: cell.resource_scopes }))
      const mac = fields.person_id === undefined ? undefined : this.#macOf(fields.person_id)
      const isGranted = row.event !== 'access_denied'
      const visit: Visit = { seq: row.seq, at: row.at, isGranted, cells, client_id, connection_id, ...(mac === undefined ? {} : { mac }) }
      const kept = isGranted ? grantOf(visit, grants.get(keyOf(client_id, connection_id)) ?? []) : undefined
      return kept === undefined ? visit : { ...visit, evidence: kept.evidence, grounds: kept.grounds }
    })
  }

  /** Grants that are kept, and refresh tokens, which are kept for longer, by app and service. */
  #grants(): Map<string, Grant[]> {
    const rows = this.#sql
      .exec<{ client_id: string; connection_id: string; permissions: string; evidence: string; grounds: string | null; at: number | null }>(
        `SELECT client_id, connection_id, permissions, evidence, grounds, created_at AS at FROM rpt UNION ALL
         SELECT client_id, connection_id, permissions, evidence, grounds, NULL FROM renewal LIMIT ?`,
        MOST_GRANTS,
      )
      .toArray()
    const grants = new Map<string, Grant[]>()
    for (const row of rows) {
      const key = keyOf(row.client_id, row.connection_id)
      const grant: Grant = {
        cells: JSON.parse(row.permissions) as GrantedCell[],
        evidence: JSON.parse(row.evidence) as GrantEvidence[],
        grounds: readGrounds(row.grounds),
        created_at: row.at,
      }
      const same = grants.get(key)
      if (same === undefined) grants.set(key, [grant])
      else same.push(grant)
    }
    return grants
  }

  #macOf(personId: string): string | undefined {
    return this.#sql.exec<{ mac: string }>('SELECT mac FROM person WHERE id = ?', personId).toArray()[0]?.mac
  }
}

const keyOf = (clientId: string, connectionId: string): string => JSON.stringify([clientId, connectionId])

/** The grant that came of a visit: made at its time, or of the same person for the same things. */
function grantOf({ at, cells, mac }: Visit, grants: readonly Grant[]): Grant | undefined {
  const isAbout = (grant: Grant): boolean => cells.some((cell) => grant.cells.some(({ resource_id }) => resource_id === cell.resource_id))
  const isHers = (grant: Grant): boolean => mac === undefined || grant.evidence.some((one) => one.mac === mac)
  const fitting = grants.filter((grant) => isAbout(grant) && isHers(grant))
  return fitting.find(({ created_at }) => created_at === at) ?? (mac === undefined ? undefined : fitting[0])
}

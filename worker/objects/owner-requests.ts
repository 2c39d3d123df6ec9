// Waiting requests (DESIGN decision 6, CLAIMS 7): somebody proved an address with which a thing is not shared, and asks. The row holds the
// address only sealed to the owner's label key. Allowing once opens it for one RPT, whose permissions rest on the row; nothing here may wait.
import type { GrantedCell } from '../policy/assess.ts'
import type { Policy } from '../policy/policy.ts'
import type { Permission } from '../policy/scopes.ts'
import type { Cell } from '../policy/world.ts'
import { ONCE } from './once-rules.ts'
import type { RequestAnswers } from './owner-decisions.ts'
import { type OwnerGrants, RPT_LIFETIME } from './owner-grants.ts'
import { type Answers, UNANSWERED } from './owner-world.ts'
import type { Quotas } from './quotas.ts'

/** A request waits seven days; answered ones are listed for a month more. */
const WAITS = 7 * 86_400
const LISTED = 30 * 86_400
/** Seconds for which a request is kept. */
export const LONGEST_REQUEST = WAITS + LISTED
/** How long a no to a rule that asks counts, in seconds. */
const NO_LASTS = 86_400
/** UMA Grant 3.3.6, SPECS G-65d: seconds between two polls, what too fast a poll adds, and the most it comes to. */
export const INTERVAL = 5
const MAX_INTERVAL = 60

export type RequestState = 'waiting' | 'allowed' | 'used' | 'kept' | 'denied' | 'withdrawn'
export type RequestRow = {
  id: string
  mac: string
  client_id: string
  connection_id: string
  /** JSON: Permission[]; what was asked for, and after an answer what was given. */
  permissions: string
  label: string
  line: string | null
  method: string
  state: RequestState
  created_at: number
  exp: number
  answered_at: number | null
  used_at: number | null
  polled_at: number | null
  interval: number
  /** JSON: what rules ask about (`ask`); null if somebody asks with whom nothing is shared. */
  asks: string | null
}
/** Rules that wait for the owner's answer, and for what. */
export type Asks = { keys: readonly string[]; cells: readonly Cell[] }
type StoredAsks = { keys: string[]; permissions: Permission[] }
export type Asking = Pick<RequestRow, 'id' | 'mac' | 'client_id' | 'connection_id' | 'label' | 'line' | 'method'> & {
  permissions: Permission[]
  asks?: Asks
  now: number
}
/** Who may have asked: one of these addresses, with this client, for these permissions. */
export type Asker = { macs: readonly string[]; client_id: string; connection: string; permissions: readonly Permission[]; now: number }

type Pending = { mac: string; client_id: string; connection: string; cells: readonly Cell[]; now: number }

export class OwnerRequests {
  readonly #sql: SqlStorage
  readonly #grants: OwnerGrants
  readonly #quotas: Quotas

  constructor(ctx: DurableObjectState, grants: OwnerGrants, quotas: Quotas) {
    this.#sql = ctx.storage.sql
    this.#grants = grants
    this.#quotas = quotas
  }

  /** For decisions (owner-decisions.ts). */
  get answers(): RequestAnswers {
    return {
      ofAsker: (asker, used) => this.#ofAsker(asker, used),
      ofGrant: (requests, now) => (requests.length === 0 ? UNANSWERED : this.#ofGrant(requests, now)),
      onceRules: (ids) => ids.filter((id) => id.startsWith(ONCE)).flatMap((id) => this.#usedRules(id.slice(ONCE.length))),
    }
  }

  /** Owner setting, on unless said otherwise. */
  get letsAsk(): boolean {
    return this.#sql.exec<{ v: string }>("SELECT v FROM meta WHERE k = 'lets_ask'").toArray()[0]?.v !== 'no'
  }

  set letsAsk(isOn: boolean) {
    this.#sql.exec("INSERT OR REPLACE INTO meta (k, v) VALUES ('lets_ask', ?)", isOn ? 'yes' : 'no')
  }

  /** Keeps a request; one that waits already for the same is the same. `isNew` tells whether the owner has to hear of it. */
  ask(input: Asking): { kind: 'waiting'; isNew: boolean } | { kind: 'closed' } | { kind: 'too_many' } {
    const wanted = (input.asks === undefined ? input.permissions : permissionsOf(input.asks.cells))
      .map(({ resource_id, resource_scopes }) => {
        const offered = this.#grants.offered(resource_id, input.connection_id) ?? []
        return { resource_id, resource_scopes: resource_scopes.filter((scope) => offered.includes(scope)) }
      })
      .filter(({ resource_scopes }) => resource_scopes.length > 0)
    // A rule that asks was made by the owner: she wants to be asked.
    if ((!this.letsAsk && input.asks === undefined) || wanted.length === 0) return { kind: 'closed' }
    const { now, mac, client_id, connection_id: connection } = input
    const isWaiting =
      input.asks === undefined
        ? this.find({ macs: [mac], client_id, connection, permissions: wanted, now })?.state === 'waiting'
        : this.waiting({ mac, client_id, connection, cells: input.asks.cells, now }) !== undefined
    if (isWaiting) return { kind: 'waiting', isNew: false }
    const count = (where: string, ...values: (string | number)[]): number =>
      this.#sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM request WHERE ${where}`, ...values).one().n
    const isFull =
      count("mac = ? AND state = 'waiting' AND exp > ?", input.mac, now) >= this.#quotas.questions_per_guest ||
      count('mac = ? AND created_at > ?', input.mac, now - 86_400) >= this.#quotas.questions_per_guest_day ||
      count("state = 'waiting' AND exp > ?", now) >= this.#quotas.questions_per_owner
    if (isFull) return { kind: 'too_many' }
    this.#sql.exec(
      `INSERT INTO request (id, mac, client_id, connection_id, permissions, label, line, method, state, created_at, exp, asks)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)`,
      input.id,
      input.mac,
      input.client_id,
      input.connection_id,
      JSON.stringify(wanted),
      input.label,
      input.line,
      input.method,
      now,
      now + WAITS,
      input.asks === undefined ? null : JSON.stringify({ keys: [...input.asks.keys], permissions: wanted } satisfies StoredAsks),
    )
    return { kind: 'waiting', isNew: true }
  }

  /** The request of this asker that waits or was allowed and not used yet, if what is wanted now is part of what was asked for. */
  find({ macs, client_id, connection, permissions, now }: Asker): RequestRow | undefined {
    return this.#sql
      .exec<RequestRow>(
        `SELECT * FROM request WHERE mac IN (SELECT value FROM json_each(?)) AND client_id = ? AND connection_id = ? AND asks IS NULL
         AND state IN ('waiting', 'allowed') AND exp > ? ORDER BY state, created_at DESC, rowid DESC`,
        JSON.stringify(macs),
        client_id,
        connection,
        now,
      )
      .toArray()
      .find((row) =>
        row.state === 'allowed' ? this.once(row, permissions).length > 0 : isPart(permissions, JSON.parse(row.permissions) as Permission[]),
      )
  }

  /** The request that waits because rules ask about one of these cells. */
  waiting(by: Pending): RequestRow | undefined {
    return this.pending(by, ['waiting'])
  }

  /** The newest request in one of these states because of rules that ask about one of these cells. */
  pending(by: Pending, states: readonly RequestState[]): RequestRow | undefined {
    return this.#asking([by.mac], by.client_id, by.connection).find((row) => {
      const { permissions } = JSON.parse(row.asks ?? '{}') as StoredAsks
      return states.includes(row.state) && row.exp > by.now && by.cells.some((cell) => has(permissions, cell))
    })
  }

  #asking(macs: readonly string[], clientId: string, connection: string): RequestRow[] {
    return this.#sql
      .exec<RequestRow>(
        `SELECT * FROM request WHERE mac IN (SELECT value FROM json_each(?)) AND client_id = ? AND connection_id = ? AND asks IS NOT NULL
         AND state IN ('waiting', 'allowed', 'denied', 'kept') ORDER BY created_at DESC, rowid DESC`,
        JSON.stringify(macs),
        clientId,
        connection,
      )
      .toArray()
  }

  /**
   * Answers to rules that ask: the last one counts. Allowed is for one time and until the request runs out; a no counts for a day, and so
   * does a share or an offer that was made instead.
   */
  #ofAsker({ macs, client_id, connection, now }: Parameters<RequestAnswers['ofAsker']>[0], used: Set<string>): Answers {
    let rows: RequestRow[] | undefined
    return (key, cell) => {
      rows ??= this.#asking(macs, client_id, connection)
      const row = rows.find((one) => isAbout(one, key, cell) && lastsUntil(one) > now)
      if (row === undefined || row.state === 'waiting') return undefined
      if (row.state !== 'allowed') return { given: false, until: lastsUntil(row) }
      const given = has(JSON.parse(row.permissions) as Permission[], cell)
      if (given) used.add(row.id)
      return { given, until: now + RPT_LIFETIME }
    }
  }

  /** What a grant rests on: for an hour, and not once the answer was taken back. */
  #ofGrant(requests: readonly string[], now: number): Answers {
    const rows = requests.flatMap((id) => this.get(id) ?? [])
    return (key, cell) => {
      const row = rows.find(
        (one) => isAbout(one, key, cell) && one.state === 'used' && has(JSON.parse(one.permissions) as Permission[], cell),
      )
      const until = (row?.used_at ?? 0) + RPT_LIFETIME
      return row !== undefined && until > now ? { given: true, until } : { given: false, until: Number.POSITIVE_INFINITY }
    }
  }

  /** UMA Grant 3.3.6: true if the client may ask now. Too early, and it has to wait longer from now on (SPECS G-65d). */
  poll(id: string, clientId: string, now: number): { kind: 'ok' } | { kind: 'withdrawn' } | { kind: 'early'; interval: number } {
    const row = this.get(id)
    if (row === undefined || row.client_id !== clientId || row.exp <= now) return { kind: 'ok' }
    const isEarly = row.polled_at !== null && now - row.polled_at < row.interval
    const interval = isEarly ? Math.min(row.interval + INTERVAL, MAX_INTERVAL) : row.interval
    this.#sql.exec('UPDATE request SET polled_at = ?, interval = ? WHERE id = ?', now, interval, id)
    return isEarly ? { kind: 'early', interval } : { kind: row.state === 'withdrawn' ? 'withdrawn' : 'ok' }
  }

  /** From now on the next poll has to wait for the interval. */
  polled(row: RequestRow, now: number): number {
    this.#sql.exec('UPDATE request SET polled_at = ? WHERE id = ?', now, row.id)
    return row.interval
  }

  /** What a request that was allowed once gives for these permissions. */
  once(row: RequestRow, permissions: readonly Permission[]): GrantedCell[] {
    const given = JSON.parse(row.permissions) as Permission[]
    return permissions.flatMap(({ resource_id, resource_scopes }) => {
      const allowed = given.find((one) => one.resource_id === resource_id)?.resource_scopes ?? []
      const offered = this.#grants.offered(resource_id, row.connection_id) ?? []
      const scopes = resource_scopes.filter((scope) => allowed.includes(scope) && offered.includes(scope))
      return scopes.length === 0
        ? []
        : [{ resource_id, resource_scopes: scopes, policies: [`${ONCE}${row.id}`], until: Number.POSITIVE_INFINITY }]
    })
  }

  /** The one use of a request that was allowed once. */
  use(id: string, now: number): void {
    this.#sql.exec("UPDATE request SET state = 'used', used_at = ? WHERE id = ?", now, id)
  }

  get(id: string): RequestRow | undefined {
    return this.#sql.exec<RequestRow>('SELECT * FROM request WHERE id = ?', id).toArray()[0]
  }

  /** Newest first: those that wait, and those that were answered. */
  list(now: number): RequestRow[] {
    return this.#sql
      .exec<RequestRow>(
        "SELECT * FROM request WHERE state <> 'withdrawn' AND (state <> 'waiting' OR exp > ?) ORDER BY created_at DESC, rowid DESC LIMIT 200",
        now,
      )
      .toArray()
  }

  /** An answer, or the guest's second thought. `permissions`: what is given. What rested on an answer of before is looked at again. */
  settle(id: string, state: RequestState, now: number, permissions?: Permission[]): void {
    this.#sql.exec(
      'UPDATE request SET state = ?, answered_at = ?, permissions = coalesce(?, permissions) WHERE id = ?',
      state,
      now,
      permissions === undefined ? null : JSON.stringify(permissions),
      id,
    )
    this.#grants.forgetDecisions()
  }

  /** Requests of an address that wait for an answer. */
  waitingOf(mac: string): string[] {
    return this.#sql
      .exec<{ id: string }>("SELECT id FROM request WHERE mac = ? AND state = 'waiting'", mac)
      .toArray()
      .map(({ id }) => id)
  }

  /** Stop sharing a thing: what was allowed once for it ends too. */
  stopResource(resourceId: string, now: number): void {
    for (const row of this.#sql.exec<RequestRow>("SELECT * FROM request WHERE state IN ('allowed', 'used')").toArray()) {
      const named = (JSON.parse(row.permissions) as Permission[]).some((one) => one.resource_id === resourceId)
      if (named) this.settle(row.id, 'denied', now)
    }
  }

  /** A guest let this server forget a proof. */
  forgetGuest(mac: string, clientId: string | null): void {
    this.#sql.exec('DELETE FROM request WHERE mac = ?1 AND (?2 IS NULL OR client_id = ?2)', mac, clientId)
    this.#grants.forgetDecisions()
  }

  sweep(now: number): void {
    this.#sql.exec('DELETE FROM request WHERE exp <= ?', now - LISTED)
  }

  /** What a request that was allowed gives, as rules for this one time. */
  onceRules(row: RequestRow): Policy[] {
    return this.#ruleFor(row, [])
  }

  /** What an RPT rests on that came of it: nothing after an hour, nothing once the answer was taken back. */
  #usedRules(id: string): Policy[] {
    const row = this.get(id)
    if (row === undefined || row.state !== 'used' || row.used_at === null || row.asks !== null) return []
    return this.#ruleFor(row, [{ before: row.used_at + RPT_LIFETIME }])
  }

  #ruleFor(row: RequestRow, more: { before: number }[]): Policy[] {
    const when = { all: [{ claim: 'email', eq: row.mac }, ...more] }
    return (JSON.parse(row.permissions) as Permission[]).map(({ resource_id, resource_scopes }) => ({
      v: 1,
      id: `${ONCE}${row.id}`,
      rev: 1,
      tier: 'owner',
      effect: 'permit',
      target: { resources: [resource_id] },
      scopes: resource_scopes,
      when,
    }))
  }
}

const has = (permissions: readonly Permission[], { resource_id, scope }: Cell): boolean =>
  permissions.some((one) => one.resource_id === resource_id && one.resource_scopes.includes(scope))

/** How long a request waits, or its answer counts. */
const lastsUntil = (row: RequestRow): number =>
  row.state === 'waiting' || row.state === 'allowed' ? row.exp : (row.answered_at ?? 0) + NO_LASTS

/** Whether a rule asked about a cell with this request. */
function isAbout(row: RequestRow, key: string, cell: Cell): boolean {
  const { keys, permissions } = JSON.parse(row.asks ?? '{"keys":[],"permissions":[]}') as StoredAsks
  return keys.includes(key) && has(permissions, cell)
}

function permissionsOf(cells: readonly Cell[]): Permission[] {
  const byId = new Map<string, string[]>()
  for (const { resource_id, scope } of cells) byId.set(resource_id, [...(byId.get(resource_id) ?? []), scope])
  return [...byId].map(([resource_id, resource_scopes]) => ({ resource_id, resource_scopes }))
}

const isPart = (wanted: readonly Permission[], asked: readonly Permission[]): boolean =>
  wanted.every(({ resource_id, resource_scopes }) => {
    const scopes = asked.find((one) => one.resource_id === resource_id)?.resource_scopes
    return scopes !== undefined && resource_scopes.every((scope) => scopes.includes(scope))
  })

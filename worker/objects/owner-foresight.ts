// What the token endpoint would answer to somebody who came now (AuthZEN, POLICY 5): the same assessment, the same answers of the owner. Reads
// only: nothing is counted, spent or asked of anybody. The work of one question is bounded.
import type { Outcome } from '../policy/assess.ts'
import type { Thing } from '../policy/policy.ts'
import type { Cell, Fact } from '../policy/world.ts'
import type { Assessing, OwnerDecisions } from './owner-decisions.ts'
import type { OwnerGrants } from './owner-grants.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import { factFor, PAGE, type Supposed } from './owner-questions.ts'
import type { OwnerRequests } from './owner-requests.ts'

/** `service`: only things of this connection are there. */
export type Searched = { cursor?: string; most?: number; service?: string | undefined }
/** Things by their type (`NO_TYPE` for those without), and what they would be opened for. */
export type Wanted = { scope?: string; type?: string }
export type Opened = { resource_id: string; resource_scopes: string[] }
type Page<T> = { items: T[]; next?: string }
type Coming = Omit<Assessing, 'evidence'> & { facts: readonly Fact[] }

/** How a search calls the type of a thing that its service gave none. */
export const NO_TYPE = 'resource'
const typeOf = ({ type = NO_TYPE }: Thing): string => type

const DENIED: Outcome = { kind: 'denied' }
const EMAIL: Outcome = { kind: 'need_info', needs: [{ kind: 'claim', claim: 'email' }], alternatives: [], granted: [] }
const WAITS: Outcome = { kind: 'ask', keys: [], cells: [], granted: [] }

type Parts = { lookup: OwnerLookup; decisions: OwnerDecisions; grants: OwnerGrants; requests: OwnerRequests }

export class OwnerForesight {
  readonly #sql: SqlStorage
  readonly #lookup: OwnerLookup
  readonly #decisions: OwnerDecisions
  readonly #grants: OwnerGrants
  readonly #requests: OwnerRequests

  constructor(ctx: DurableObjectState, parts: Parts) {
    this.#sql = ctx.storage.sql
    this.#lookup = parts.lookup
    this.#decisions = parts.decisions
    this.#grants = parts.grants
    this.#requests = parts.requests
  }

  /** One cell alone, as a ticket for it would be answered (owner-redeem.ts). */
  outcome({ resource_id, scope }: Cell, by: Supposed, service?: string): Outcome {
    const connection = this.#lookup.known(resource_id)?.connection_id
    if (connection === undefined || (service !== undefined && service !== connection)) return DENIED
    const { client_id = '', noClient = false } = by
    if (noClient || [client_id, this.#lookup.connection(connection)?.client_id ?? ''].some((id) => this.#grants.isBlocked(id)))
      return DENIED
    const permissions = [{ resource_id, resource_scopes: [scope] }]
    const coming = { ...by, client_id, connection, permissions, registered_scopes: [], requested_scopes: [] }
    const decided = this.#decisions.assessFacts(coming)
    if (decided.kind === 'ask') return this.#asking(coming, decided)
    if (decided.kind === 'denied') return this.#answered(coming)
    return decided.kind === 'invalid_scope' ? DENIED : decided
  }

  /** Only the owner's answer is missing: she would be asked about somebody whom she can tell, or was already. */
  #asking(coming: Coming, decided: Extract<Outcome, { kind: 'ask' }>): Outcome {
    const mac = addressesIn(coming).at(-1)
    if (mac === undefined) return EMAIL
    if (this.#requests.waiting({ ...coming, mac, cells: decided.cells }) !== undefined) return decided
    if (this.#lookup.labelOf(mac) === undefined) return EMAIL
    return this.#lookup.isShutOut(mac) ? DENIED : decided
  }

  /** No rule fits: perhaps the owner was asked by this guest, and has allowed it once. */
  #answered(coming: Coming): Outcome {
    const asked = this.#requests.find({ ...coming, macs: addressesIn(coming) })
    if (asked === undefined) return DENIED
    if (asked.state === 'waiting') return WAITS
    const once = this.#decisions.assessFacts(coming, this.#requests.onceRules(asked))
    return once.kind === 'granted' ? once : DENIED
  }

  /** Things that would be opened now, a page; what of each. */
  things(by: Supposed, { cursor = '', most = PAGE, service, scope, type }: Searched & Wanted = {}): Page<Opened> {
    return this.#page(this.#resources(cursor, service), most, (id) => {
      const thing = this.#lookup.known(id)?.thing
      if (thing === undefined || (type !== undefined && typeOf(thing) !== type)) return undefined
      const resource_scopes = thing.scopes.filter((one) => (scope ?? one) === one && this.#isGiven({ resource_id: id, scope: one }, by))
      return resource_scopes.length === 0 ? undefined : { resource_id: id, resource_scopes }
    })
  }

  /** What of one thing would be given now. */
  scopes(id: string, by: Supposed, service?: string): string[] {
    const scopes = this.#lookup.known(id)?.thing.scopes ?? []
    return scopes.filter((scope) => this.#isGiven({ resource_id: id, scope }, by, service))
  }

  /** Known people to whom a cell would be given for the address that they are known by. `said`: how much the asker's word counts. */
  people(
    cell: Cell,
    by: Omit<Supposed, 'facts'> & { issuer: string },
    said: (facts: readonly Fact[]) => readonly Fact[],
    { cursor = '', most = PAGE, service }: Searched = {},
  ): Page<string> {
    const macs = this.#people(cursor)
    return this.#page([...macs.keys()], most, (id) => {
      const facts = said([factFor(macs.get(id) ?? '', by)])
      return this.#isGiven(cell, { ...by, facts }, service) ? id : undefined
    })
  }

  #isGiven(cell: Cell, by: Supposed, service?: string): boolean {
    return this.outcome(cell, by, service).kind === 'granted'
  }

  /** What is found of these, at most so many; where to go on if not all were looked at, or there may be more than these. */
  #page<T>(ids: readonly string[], most: number, find: (id: string) => T | undefined): Page<T> {
    const items: T[] = []
    for (const [at, id] of ids.entries()) {
      const found = find(id)
      if (found !== undefined) items.push(found)
      const isEnd = at === ids.length - 1
      if (isEnd ? ids.length === PAGE : items.length === most) return { items, next: id }
    }
    return { items }
  }

  #resources(cursor: string, service: string | undefined): string[] {
    return this.#sql
      .exec<{ id: string }>(
        'SELECT id FROM resource WHERE id > ?1 AND (?2 IS NULL OR connection_id = ?2) ORDER BY id LIMIT ?3',
        cursor,
        service ?? null,
        PAGE,
      )
      .toArray()
      .map(({ id }) => id)
  }

  #people(cursor: string): ReadonlyMap<string, string> {
    const rows = this.#sql.exec<{ id: string; mac: string }>('SELECT id, mac FROM person WHERE id > ? ORDER BY id LIMIT ?', cursor, PAGE)
    return new Map(rows.toArray().map(({ id, mac }) => [id, mac]))
  }
}

/** Addresses that were proved, the last one at the end. What somebody only says of another one is no proof. */
const addressesIn = ({ facts, now }: Coming): string[] =>
  facts.filter((one) => one.claim === 'email' && one.exp > now && one.named !== true && one.names === undefined).map((one) => one.mac)

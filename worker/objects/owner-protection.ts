// The protection API's side of the owner's object (UMA FedAuthz 3 to 5): everything here is asked with a PAT and answers only about the
// service that holds it. Foreign ids answer like unknown ids (DESIGN decision 8).
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import type { Permission } from '../policy/scopes.ts'
import type { IntrospectedPermission, OwnerGrants } from './owner-grants.ts'
import { MOST_ANCESTORS } from './owner-lookup.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import type { OwnerRepeats, Repeatable } from './owner-repeats.ts'
import type { OwnerShares } from './owner-shares.ts'
import { compact, NOT_FOUND, type NotFound, type RptRow, type TokenRow, UNAUTHORIZED, type Unauthorized } from './owner-tables.ts'
import type { Caller, OwnerTokens } from './owner-tokens.ts'
import { MinuteCounts } from './quotas.ts'
import type { ResourceRow } from './record.ts'

export type PutResource = {
  id: string
  create: boolean
  row: Omit<ResourceRow, 'id' | 'connection_id' | 'created_at'>
  now: number
  /** Of a creation: the same one may come again. */
  repeat?: Repeatable
}
/** A token that an earlier step of the same request has shown with its proof. */
export type CheckedCaller = { hash: string; checked: true }

/** Nothing of this service's by that id. */
type Missing = NotFound & { client_id: string }

export type Permitted =
  | { kind: 'ok'; connection: string; client_id: string; organisations?: readonly string[] }
  | Unauthorized
  | { kind: 'invalid_resource_id'; client_id: string }
  | { kind: 'invalid_scope'; client_id: string }
  | { kind: 'too_many'; wait: number; client_id: string }

export type Introspected =
  | {
      kind: 'active'
      service: string
      permissions: IntrospectedPermission[]
      exp: number
      iat: number
      client_id: string
      jkt: string | null
    }
  | { kind: 'inactive'; service: string }
  | Unauthorized

export class OwnerProtection {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants
  readonly #shares: OwnerShares
  readonly #notices: OwnerNotices
  readonly #repeats: OwnerRepeats
  readonly #tickets: MinuteCounts

  constructor(
    ctx: DurableObjectState,
    record: OwnerRecord,
    tokens: OwnerTokens,
    grants: OwnerGrants,
    shares: OwnerShares,
    notices: OwnerNotices,
    repeats: OwnerRepeats,
  ) {
    this.#repeats = repeats
    this.#sql = ctx.storage.sql
    this.#record = record
    this.#tokens = tokens
    this.#grants = grants
    this.#shares = shares
    this.#notices = notices
    this.#tickets = new MinuteCounts(record.quotas.tickets_per_service_minute)
  }

  /** FedAuthz 3.2.1 and 3.2.3: writes a description whole. */
  async put(caller: Caller | CheckedCaller, input: PutResource): Promise<Widened<{ id: string }> | Unauthorized | Missing> {
    const who = 'checked' in caller ? this.#checked(caller, input.now) : this.#pat(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const pat = who.token
    if (!input.create && this.#resource(input.id)?.connection_id !== pat.connection_id) return { ...NOT_FOUND, client_id: pat.client_id }
    const check = () => {
      if (this.#grants.connection(pat.connection_id) === undefined) return 'disconnected'
      if (!input.create && this.#resource(input.id) === undefined) return 'deleted'
      return this.#fits(input.id, input.row.parent ?? null, pat.connection_id) ? undefined : 'bad_parent'
    }
    const { repeat } = input
    let id = input.id
    const done = await this.#record.widen(() => {
      const refused = check()
      if (refused !== undefined) return refused
      const known = repeat === undefined ? undefined : this.#repeats.find(pat.connection_id, repeat, input.now)
      if (known !== undefined && known.print !== repeat?.print) return 'repeated_otherwise'
      id = known?.resource_id ?? input.id
      if (known !== undefined && this.#resource(id) !== undefined) return 'repeated'
      if (input.create && (this.#record.isFull('resource') || this.#record.isFull('resource', pat.connection_id))) return 'full_resources'
      if (repeat !== undefined) this.#repeats.keep(pat.connection_id, repeat, id, input.now)
      const created_at = this.#resource(id)?.created_at ?? input.now
      const row: ResourceRow = { ...input.row, id, connection_id: pat.connection_id, created_at }
      const finish = () => {
        if (input.create) this.#notices.note('resource_registered', { resource_id: row.id, connection_id: row.connection_id }, input.now)
        return { id: row.id }
      }
      return { change: { put: [{ table: 'resource', row }] }, check, finish }
    })
    if (done.kind === 'refused' && done.reason === 'repeated') return { kind: 'done', value: { id } }
    if (done.kind !== 'done' && repeat !== undefined && this.#resource(id) === undefined) this.#repeats.forget(id)
    return done
  }

  /** Whether a thing may lie in `parent`: one of the same service, not in the thing itself, not deeper than rules are followed. */
  #fits(id: string, parent: string | null, connectionId: string): boolean {
    let depth = 0
    for (let next = parent; next !== null; depth++) {
      const row = next === id || depth === MOST_ANCESTORS ? undefined : this.#resource(next)
      // What was deleted above is no place any more; the parent itself must be there.
      if (row === undefined) return depth > 0 && next !== id && depth < MOST_ANCESTORS
      if (row.connection_id !== connectionId) return false
      next = row.parent ?? null
    }
    return true
  }

  /** The PAT's `keep` (wrapped key of its connection) and, if asked for and its own, a resource. */
  view(
    caller: Caller,
    input: { id?: string; now: number; isChange?: boolean },
  ): { kind: 'ok'; client_id: string; keep: string | null; label_public: JsonWebKey; resource?: ResourceRow } | Unauthorized | Missing {
    const who = this.#pat(caller, input.now, input.isChange)
    if (who.kind !== 'ok') return who
    const pat = who.token
    const label_public = this.#record.labelPublic
    if (input.id === undefined) return { kind: 'ok', client_id: pat.client_id, keep: pat.keep, label_public }
    const resource = this.#resource(input.id)
    if (resource?.connection_id !== pat.connection_id) return { ...NOT_FOUND, client_id: pat.client_id }
    return { kind: 'ok', client_id: pat.client_id, keep: pat.keep, label_public, resource }
  }

  /** FedAuthz 3.2.5, limited to what this PAT's service registered (SPECS F-22). */
  list(caller: Caller, input: { now: number }): { kind: 'ok'; client_id: string; ids: string[] } | Unauthorized {
    const who = this.#pat(caller, input.now)
    if (who.kind !== 'ok') return who
    const pat = who.token
    const rows = this.#sql.exec<{ id: string }>('SELECT id FROM resource WHERE connection_id = ? ORDER BY id', pat.connection_id).toArray()
    return { kind: 'ok', client_id: pat.client_id, ids: rows.map((row) => row.id) }
  }

  /** FedAuthz 3.2.4: in force when this answers, with all shares of the thing. */
  drop(caller: Caller, input: { id: string; now: number }): { kind: 'ok'; client_id: string } | Unauthorized | Missing {
    const who = this.#pat(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const pat = who.token
    if (this.#resource(input.id)?.connection_id !== pat.connection_id) return { ...NOT_FOUND, client_id: pat.client_id }
    this.#shares.dropResource(input.id)
    this.#repeats.forget(input.id)
    this.#notices.note('resource_deleted', { resource_id: input.id, connection_id: pat.connection_id }, input.now)
    this.#notices.follow()
    return { kind: 'ok', client_id: pat.client_id }
  }

  /** FedAuthz 4: may this service ask for these permissions? No write; the ticket is sealed by the caller. */
  permission(caller: Caller, input: { permissions: Permission[]; now: number }): Permitted {
    const who = this.#pat(caller, input.now)
    if (who.kind !== 'ok') return who
    const pat = who.token
    let isScopeUnknown = false
    for (const { resource_id, resource_scopes } of input.permissions) {
      const offered = this.#grants.offered(resource_id, pat.connection_id)
      if (offered === undefined) return { kind: 'invalid_resource_id', client_id: pat.client_id }
      if (resource_scopes.some((scope) => !offered.includes(scope))) isScopeUnknown = true
    }
    if (isScopeUnknown) return { kind: 'invalid_scope', client_id: pat.client_id }
    const wait = this.#tickets.take(pat.connection_id, input.now)
    if (wait !== undefined) return { kind: 'too_many', wait, client_id: pat.client_id }
    const organisations = this.#grants.organisations()
    const { connection_id: connection, client_id } = pat
    return { kind: 'ok', connection, client_id, ...(organisations.length === 0 ? {} : { organisations }) }
  }

  /** FedAuthz 5: the RPT as it stands at this moment, for the service that it was made for and nobody else. */
  introspect(caller: Caller, input: { rpt?: string; now: number }): Introspected {
    const who = this.#pat(caller, input.now)
    if (who.kind !== 'ok') return who
    const pat = who.token
    const rpt = input.rpt === undefined ? undefined : this.#grants.rpt(input.rpt, input.now)
    if (rpt === undefined || rpt.connection_id !== pat.connection_id) return { kind: 'inactive', service: pat.client_id }
    const permissions = this.#grants.permissionsNow(rpt, this.#record.revision, input.now)
    if (permissions.length === 0) return { kind: 'inactive', service: pat.client_id }
    this.#noteUse(rpt, input.now)
    return {
      kind: 'active',
      service: pat.client_id,
      permissions,
      exp: rpt.exp,
      iat: rpt.created_at,
      client_id: rpt.client_id,
      jkt: rpt.jkt,
    }
  }

  /** As `introspect`, without a caller and without a trace. */
  rptNow(
    hash: string,
    now: number,
  ): { permissions: IntrospectedPermission[]; exp: number; client_id: string; jkt: string | null } | undefined {
    const rpt = this.#grants.rpt(hash, now)
    const permissions = rpt === undefined ? [] : this.#grants.permissionsNow(rpt, this.#record.revision, now)
    if (rpt === undefined || permissions.length === 0) return undefined
    return { permissions, exp: rpt.exp, client_id: rpt.client_id, jkt: rpt.jkt }
  }

  #noteUse(rpt: RptRow, now: number): void {
    const use = this.#grants.noteUse(rpt, now)
    if (use === 'known') return
    this.#grants.noteSeen(rpt.connection_id, now)
    const first = (JSON.parse(rpt.permissions) as { resource_id: string; policies: string[] }[])[0]
    const [policy_id, resource_id] = [first?.policies[0], first?.resource_id]
    const person_id = this.#grants.personOf(policy_id)
    if (person_id !== undefined) this.#grants.noteSeen(person_id, now)
    if (use === 'first') {
      this.#notices.note(
        'access_used',
        compact({ resource_id, person_id, policy_id, client_id: rpt.client_id, connection_id: rpt.connection_id }),
        now,
      )
    }
  }

  #pat(caller: Caller, now: number, isChange = false): { kind: 'ok'; token: TokenRow } | Unauthorized {
    return this.#tokens.authorize(caller, PROTECTION_SCOPE, now, isChange)
  }

  #checked(caller: CheckedCaller, now: number): { kind: 'ok'; token: TokenRow } | Unauthorized {
    const token = this.#tokens.find(caller.hash, now)
    return token?.kind === 'p' && token.scope.split(' ').includes(PROTECTION_SCOPE) ? { kind: 'ok', token } : UNAUTHORIZED
  }

  #resource(id: string): ResourceRow | undefined {
    return this.#sql.exec<ResourceRow>('SELECT * FROM resource WHERE id = ?', id).toArray()[0]
  }
}

// The owner's object: one per owner, the live authority (DESIGN 3). Its methods are the RPC surface: each checks its caller, lets
// the parts beside it read and write in one turn, and returns a union. It never throws on purpose and asks no clock.
import { DurableObject } from 'cloudflare:workers'
import type { ActivityEntry, LiveNotice } from '../../shared/protocol/owner-api.ts'
import type { Assessment } from '../policy/assess.ts'
import type { Permission } from '../policy/scopes.ts'
import type { ConnectionRow, ResourceRow } from '../store/record.ts'
import { type ActivityEvent, type ActivityFields, OwnerActivity } from './owner-activity.ts'
import { type IntrospectedPermission, OwnerGrants, type OwnerEvidence, type Redeemed, type Redemption } from './owner-grants.ts'
import { OwnerRecord, type Widened } from './owner-record.ts'
import { type ListedConnection, type ListedPerson, type ListedPolicy, type ListedResource, type NewPolicy, OwnerShares } from './owner-shares.ts'
import { SCHEMA, type TokenRow } from './owner-tables.ts'
import { type Caller, type NewToken, OwnerTokens } from './owner-tokens.ts'

const UNAUTHORIZED = { kind: 'unauthorized' } as const
const NOT_FOUND = { kind: 'not_found' } as const
type Unauthorized = typeof UNAUTHORIZED
type NotFound = typeof NOT_FOUND

/** How the owner comes: with a wallet's token, or with a browser session that the server has opened. */
export type OwnerCaller = Caller | { sid: string }

export type Connecting = {
  now: number
  /** The code: its jti is spent here; a second use takes the tokens of the first along (RFC 6749 4.1.2). */
  code: { jti: string; exp: number }
  connection: Omit<ConnectionRow, 'created_at'>
  tokens: NewToken[]
  /** Nothing is connected, but a code that was used before still ends its tokens. */
  expired: boolean
}

export class OwnerObject extends DurableObject<Env> {
  readonly #record: OwnerRecord
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants
  readonly #shares: OwnerShares
  readonly #activity: OwnerActivity
  #alarmAt: number | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(SCHEMA)
    this.#record = new OwnerRecord(ctx, env)
    this.#tokens = new OwnerTokens(ctx)
    this.#grants = new OwnerGrants(ctx)
    this.#shares = new OwnerShares(ctx, this.#record, this.#tokens)
    this.#activity = new OwnerActivity(ctx, env, this.#record)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm()
      // A fence at the start means that the instance before died in the middle of a change.
      if (this.#record.isPending && !(await this.#record.settle())) await this.#wake(1)
    })
  }

  /** After the owner's row was written to D1. Idempotent. */
  init(input: { id: string; label_public: JsonWebKey }): void {
    if (this.#record.owner !== undefined) return
    this.#record.setMeta('owner', input.id)
    this.#record.setMeta('label_public', JSON.stringify(input.label_public))
    this.#record.setMeta('writer', '1')
  }

  openSession(input: { sid: string; now: number }): void {
    this.#tokens.openSession(input.sid, input.now)
    this.#note('signed_in', {}, input.now)
  }

  hasSession(input: { sid: string }): boolean {
    return this.#record.owner !== undefined && this.#tokens.hasSession(input.sid)
  }

  closeSession(input: { sid: string }): void {
    this.#tokens.closeSession(input.sid)
  }

  /** Exchanges a code for a connection with tokens; the connection of the same client and kind is kept. */
  async connectClient(input: Connecting): Promise<Widened<{ connection_id: string }> | { kind: 'spent' }> {
    if (this.#tokens.isSpent(input.code.jti)) {
      this.#tokens.dropOrigin(input.code.jti)
      return { kind: 'spent' }
    }
    if (input.expired) return { kind: 'refused', reason: 'expired' }
    const known = this.#shares.connections().find((c) => c.client_id === input.connection.client_id && c.kind === input.connection.kind)
    const row: ConnectionRow = {
      ...input.connection,
      id: known?.id ?? input.connection.id,
      created_at: known?.created_at ?? input.now,
      wrapped_label_key: input.connection.wrapped_label_key ?? known?.wrapped_label_key ?? null,
    }
    const check = () => (this.#record.owner === undefined ? 'no_owner' : this.#tokens.isSpent(input.code.jti) ? 'spent' : undefined)
    const done = await this.#record.widen({ put: [{ table: 'connection', row }] }, check, () => {
      this.#tokens.spend(input.code.jti, input.code.exp)
      for (const token of input.tokens) this.#tokens.insert(token, row.id, row.client_id, input.code.jti)
      this.#note(row.kind === 'service' ? 'service_connected' : 'wallet_connected', { connection_id: row.id, client_id: row.client_id }, input.now)
      return { connection_id: row.id }
    })
    return done.kind === 'refused' && done.reason === 'spent' ? { kind: 'spent' } : done
  }

  /** The refresh token's row, for re-wrapping what it keeps; then `refreshed` stores the new token. */
  refreshRow(input: { hash: string; client_id: string; jkt: string | null; now: number }): TokenRow | undefined {
    const row = this.#tokens.find(input.hash, input.now)
    // RFC 9449 5: a public client's refresh token is good only with the key it was bound to.
    return row?.kind === 'f' && row.client_id === input.client_id && row.jkt === input.jkt ? row : undefined
  }

  refreshed(input: { hash: string; token: NewToken; now: number }): boolean {
    const row = this.#tokens.find(input.hash, input.now)
    if (row === undefined || this.#grants.connection(row.connection_id) === undefined) return false
    this.#tokens.insert(input.token, row.connection_id, row.client_id, row.origin)
    return true
  }

  /** RFC 7009: a client ends one of its own tokens; a refresh token takes the access tokens of its code along. */
  revoke(input: { hash: string; client_id: string; now: number }): void {
    const token = this.#tokens.find(input.hash, input.now)
    if (token?.client_id === input.client_id) {
      if (token.kind === 'f' && token.origin !== null) this.#tokens.dropOrigin(token.origin)
      this.#tokens.drop(token.hash)
    }
    const rpt = this.#grants.rpt(input.hash, input.now)
    if (rpt?.client_id === input.client_id) this.ctx.storage.sql.exec('DELETE FROM rpt WHERE hash = ?', input.hash)
  }

  // ── Protection API (UMA FedAuthz) ────────────────────────────────────────────────────────────────────────────────────────

  /** FedAuthz 3.2.1 and 3.2.3: writes a description. `keep` is the PAT's, for sealing and reading descriptions. */
  async putResource(
    caller: Caller | { hash: string; checked: true },
    input: { id: string; create: boolean; row: Omit<ResourceRow, 'id' | 'connection_id' | 'created_at'>; now: number },
  ): Promise<Widened<{ id: string }> | Unauthorized | NotFound> {
    // `checked`: the same request has shown this token to patView, where its proof was used up.
    const pat = 'checked' in caller ? this.#tokens.find(caller.hash, input.now) : this.#pat(caller, input.now)
    if (pat?.kind !== 'p') return UNAUTHORIZED
    const known = this.#resource(input.id)
    if (!input.create && known?.connection_id !== pat.connection_id) return NOT_FOUND
    const row: ResourceRow = { ...input.row, id: input.id, connection_id: pat.connection_id, created_at: known?.created_at ?? input.now }
    const check = () =>
      this.#grants.connection(pat.connection_id) === undefined
        ? 'disconnected'
        : !input.create && this.#resource(input.id) === undefined
          ? 'deleted'
          : undefined
    return this.#record.widen({ put: [{ table: 'resource', row }] }, check, () => {
      if (input.create) this.#note('resource_registered', { resource_id: row.id, connection_id: row.connection_id }, input.now)
      return { id: row.id }
    })
  }

  /** The PAT's `keep` (wrapped key of its connection) and, if asked for and its own, a resource. */
  patView(caller: Caller, input: { id?: string; now: number }): { kind: 'ok'; keep: string | null; label_public: JsonWebKey; resource?: ResourceRow } | Unauthorized | NotFound {
    const pat = this.#pat(caller, input.now)
    if (pat === undefined) return UNAUTHORIZED
    const label_public = this.labelPublic()
    if (input.id === undefined) return { kind: 'ok', keep: pat.keep, label_public }
    const resource = this.#resource(input.id)
    if (resource?.connection_id !== pat.connection_id) return NOT_FOUND
    return { kind: 'ok', keep: pat.keep, label_public, resource }
  }

  /** FedAuthz 3.2.5, limited to what this PAT's service registered. */
  listResources(caller: Caller, input: { now: number }): { kind: 'ok'; ids: string[] } | Unauthorized {
    const pat = this.#pat(caller, input.now)
    if (pat === undefined) return UNAUTHORIZED
    const rows = this.ctx.storage.sql.exec<{ id: string }>('SELECT id FROM resource WHERE connection_id = ? ORDER BY id', pat.connection_id).toArray()
    return { kind: 'ok', ids: rows.map((row) => row.id) }
  }

  async deleteResource(caller: Caller, input: { id: string; now: number }): Promise<{ kind: 'ok' } | Unauthorized | NotFound> {
    const pat = this.#pat(caller, input.now)
    if (pat === undefined) return UNAUTHORIZED
    if (this.#resource(input.id)?.connection_id !== pat.connection_id) return NOT_FOUND
    this.#shares.dropResource(input.id)
    this.#note('resource_deleted', { resource_id: input.id, connection_id: pat.connection_id }, input.now)
    this.#follow()
    return { kind: 'ok' }
  }

  /** FedAuthz 4: may this service ask for these permissions? No write; the ticket is sealed by the caller. */
  permission(caller: Caller, input: { permissions: Permission[]; now: number }): { kind: 'ok'; connection: string } | Unauthorized | { kind: 'invalid_resource_id' } | { kind: 'invalid_scope' } {
    const pat = this.#pat(caller, input.now)
    if (pat === undefined) return UNAUTHORIZED
    let unknownScope = false
    for (const { resource_id, resource_scopes } of input.permissions) {
      const row = this.#resource(resource_id)
      // Foreign ids answer like unknown ids (DESIGN decision 8).
      if (row?.connection_id !== pat.connection_id) return { kind: 'invalid_resource_id' }
      const offered = JSON.parse(row.scopes) as string[]
      if (resource_scopes.some((scope) => !offered.includes(scope))) unknownScope = true
    }
    return unknownScope ? { kind: 'invalid_scope' } : { kind: 'ok', connection: pat.connection_id }
  }

  /** FedAuthz 5: the RPT as it stands at this moment, for the service that it was made for and nobody else. */
  introspect(caller: Caller, input: { rpt?: string; now: number }): { kind: 'active'; permissions: IntrospectedPermission[]; exp: number; iat: number; client_id: string; jkt: string | null } | { kind: 'inactive' } | Unauthorized {
    const pat = this.#pat(caller, input.now)
    if (pat === undefined) return UNAUTHORIZED
    const rpt = input.rpt === undefined ? undefined : this.#grants.rpt(input.rpt, input.now)
    if (rpt === undefined || rpt.connection_id !== pat.connection_id) return { kind: 'inactive' }
    const permissions = this.#grants.permissionsNow(rpt, this.#record.revision, input.now)
    if (permissions.length === 0) return { kind: 'inactive' }
    const use = this.#grants.noteUse(rpt, input.now)
    if (use !== 'known') {
      this.#grants.noteSeen(pat.connection_id, input.now)
      const first = (JSON.parse(rpt.permissions) as { resource_id: string; policies: string[] }[])[0]
      const person_id = this.#grants.personOf(first?.policies[0])
      if (person_id !== undefined) this.#grants.noteSeen(person_id, input.now)
      if (use === 'first') this.#note('access_used', compact({ resource_id: first?.resource_id, person_id, policy_id: first?.policies[0], client_id: rpt.client_id, connection_id: rpt.connection_id }), input.now)
    }
    return { kind: 'active', permissions, exp: rpt.exp, iat: rpt.created_at, client_id: rpt.client_id, jkt: rpt.jkt }
  }

  // ── The grant (UMA Grant 3.3) ────────────────────────────────────────────────────────────────────────────────────────────

  /** Spends the ticket for whatever comes of it, assesses, grants: one turn, nothing awaited (UMA Grant 5.5). */
  redeem(input: Redemption): Redeemed {
    if (!this.#tokens.spend(input.jti, input.exp)) {
      this.#note('ticket_replayed', { client_id: input.client_id, connection_id: input.connection }, input.now)
      return { kind: 'spent' }
    }
    const service = this.#grants.connection(input.connection)
    if (service === undefined) return { kind: 'denied' }
    const decided = this.#grants.assess(input)
    if (decided.kind === 'invalid_scope' || decided.kind === 'need_info') return decided
    const first = decided.kind === 'granted' ? decided.cells[0] : undefined
    const about = compact({
      resource_id: first?.resource_id ?? input.permissions[0]?.resource_id,
      person_id: this.#grants.personOf(first?.policies[0]),
      policy_id: first?.policies[0],
      client_id: input.client_id,
      connection_id: input.connection,
      resource_scopes: first?.resource_scopes ?? input.permissions[0]?.resource_scopes,
      method: input.evidence.at(-1)?.method,
    })
    if (decided.kind === 'denied') {
      this.#note('access_denied', about, input.now)
      return { kind: 'denied' }
    }
    const exp = this.#grants.grant(input, decided.cells)
    this.#note('access_granted', about, input.now)
    return { kind: 'granted', exp, service_client_id: service.client_id, cells: decided.cells }
  }

  /** Spends a jti at the claims page; false if it was spent before. */
  spend(input: { jti: string; exp: number; now: number }): boolean {
    if (this.#record.owner === undefined) return false
    const fresh = this.#tokens.spend(input.jti, input.exp)
    this.#wakeLater(input.now)
    return fresh
  }

  /** What the evidence would bring, for the claims page. Reads only. */
  assess(input: { connection: string; permissions: Permission[]; evidence: OwnerEvidence[]; now: number }): Assessment {
    const decided = this.#grants.assess({ ...input, registered_scopes: [], requested_scopes: [] })
    return decided.kind === 'invalid_scope' ? { kind: 'denied' } : decided
  }

  /** Public half of the label key: no secret. */
  labelPublic(): JsonWebKey {
    return JSON.parse(this.#record.meta('label_public') ?? '{}') as JsonWebKey
  }

  service(connectionId: string): { client_id: string } | undefined {
    const row = this.#grants.connection(connectionId)
    return row === undefined ? undefined : { client_id: row.client_id }
  }

  // ── The owner's own (owner API and page /) ───────────────────────────────────────────────────────────────────────────────

  me(caller: OwnerCaller, now: number): { kind: 'ok'; id: string; label_public: JsonWebKey; wrapped_label_key: string | null; revision: number; connection_id?: string } | Unauthorized {
    const who = this.#ownerCaller(caller, now)
    if (who === undefined) return UNAUTHORIZED
    const connection = who.connection_id === undefined ? undefined : this.#grants.connection(who.connection_id)
    return {
      kind: 'ok',
      id: this.#record.owner ?? '',
      label_public: this.labelPublic(),
      wrapped_label_key: connection?.wrapped_label_key ?? null,
      revision: this.#record.revision,
      ...(who.connection_id === undefined ? {} : { connection_id: who.connection_id }),
    }
  }

  /** A page of one list. Activity that has left this object is in D1: the caller reads on there. */
  list(
    caller: OwnerCaller,
    input: { now: number; cursor?: string; resource_id?: string; person_id?: string; id?: string; before?: number; limit?: number },
    what: 'connections' | 'resources' | 'people' | 'policies' | 'activity',
  ):
    | { kind: 'ok'; revision: number; connections?: ListedConnection[]; resources?: ListedResource[]; people?: ListedPerson[]; policies?: ListedPolicy[]; activity?: ActivityEntry[]; current?: string }
    | Unauthorized {
    const who = this.#ownerCaller(caller, input.now)
    if (who === undefined) return UNAUTHORIZED
    const base = { kind: 'ok' as const, revision: this.#record.revision, ...(who.connection_id === undefined ? {} : { current: who.connection_id }) }
    const cursor = input.cursor ?? ''
    switch (what) {
      case 'connections':
        return { ...base, connections: this.#shares.connections() }
      case 'resources':
        return { ...base, resources: this.#shares.resources(cursor, input.now) }
      case 'people':
        return { ...base, people: this.#shares.people(cursor, input.now) }
      case 'policies':
        return { ...base, policies: this.#shares.policies(cursor, input) }
      case 'activity':
        return { ...base, activity: this.#activity.list(input.before ?? Number.MAX_SAFE_INTEGER, input.limit ?? 50) }
    }
  }

  async share(caller: OwnerCaller, input: { policy: NewPolicy; now: number }): Promise<Widened<ListedPolicy> | Unauthorized> {
    if (this.#ownerCaller(caller, input.now) === undefined) return UNAUTHORIZED
    return this.#shares.share(input.policy, input.now, (fields) => this.#note('share_created', fields, input.now))
  }

  /** Stop sharing: in force, durably, when this answers, also while D1 is away. */
  async stop(caller: OwnerCaller, input: { filter: { id: string } | { resource_id: string }; now: number }): Promise<{ kind: 'ok'; stopped: number } | Unauthorized> {
    if (this.#ownerCaller(caller, input.now) === undefined) return UNAUTHORIZED
    const stopped = this.#shares.stop(input.filter)
    for (const row of stopped) this.#note('share_stopped', { resource_id: row.resource_id, person_id: row.person_id, policy_id: row.id }, input.now)
    this.#follow()
    return { kind: 'ok', stopped: stopped.length }
  }

  async disconnect(caller: OwnerCaller, input: { id: string; now: number }): Promise<{ kind: 'ok' } | Unauthorized | NotFound> {
    if (this.#ownerCaller(caller, input.now) === undefined) return UNAUTHORIZED
    const row = this.#shares.disconnect(input.id)
    if (row === undefined) return NOT_FOUND
    this.#note('disconnected', { connection_id: row.id, client_id: row.client_id }, input.now)
    for (const socket of this.ctx.getWebSockets(row.id)) socket.close(4001, 'disconnected')
    this.#follow()
    return { kind: 'ok' }
  }

  // ── Live notices ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The one HTTP handler: RPC cannot carry a WebSocket. Reached only with a live code that the server has opened. */
  override async fetch(request: Request): Promise<Response> {
    const { jti, exp, connection, now } = JSON.parse(request.headers.get('x-latchkey-live') ?? '{}') as { jti: string; exp: number; connection: string; now: number }
    if (!this.#tokens.spend(jti, exp) || this.#grants.connection(connection) === undefined) return new Response(null, { status: 401 })
    this.#wakeLater(now)
    const pair = new WebSocketPair()
    this.ctx.acceptWebSocket(pair[1], [connection])
    return new Response(null, { status: 101, webSocket: pair[0] })
  }

  override webSocketMessage(): void {
    // Nothing is said on this socket but by the server; pings are answered by the runtime.
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close()
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null
    // An alarm is the object's own: it has no caller whose clock it could use.
    const now = Math.floor(Date.now() / 1000)
    this.#tokens.sweep(now)
    const settled = await this.#record.settle()
    const moved = await this.#activity.move()
    if (!settled || !moved) await this.#wake(5)
    else if (this.#hasMortals()) await this.#wake(3600)
  }

  // ── Within ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #pat(caller: Caller, now: number): TokenRow | undefined {
    const token = this.#tokens.authorize(caller, 'p', now)
    return token?.scope.split(' ').includes('uma_protection') ? token : undefined
  }

  #ownerCaller(caller: OwnerCaller, now: number): { connection_id?: string } | undefined {
    if ('sid' in caller) return this.#tokens.hasSession(caller.sid) ? {} : undefined
    const token = this.#tokens.authorize(caller, 'w', now)
    return token === undefined ? undefined : { connection_id: token.connection_id }
  }

  #resource(id: string): ResourceRow | undefined {
    return this.ctx.storage.sql.exec<ResourceRow>('SELECT * FROM resource WHERE id = ?', id).toArray()[0]
  }

  /** Writes an activity entry in the running turn and tells open wallets. */
  #note(event: ActivityEvent, fields: ActivityFields, now: number): void {
    const entry = this.#activity.append(event, fields, now)
    this.#wakeLater(now)
    const notice: LiveNotice = { kind: 'activity', revision: this.#record.revision, activity: entry }
    const text = JSON.stringify(notice)
    for (const socket of this.ctx.getWebSockets()) {
      try {
        socket.send(text)
      } catch {
        // The wallet has gone; it reads the list when it comes back.
      }
    }
  }

  /** After a narrowing change: tell D1 without making the caller wait. */
  #follow(): void {
    this.ctx.waitUntil(
      this.#record.settle().then(async (settled) => {
        if (!settled) await this.#wake(1)
      }),
    )
  }

  #wakeLater(_now: number): void {
    if (this.#alarmAt === null) this.ctx.waitUntil(this.#wake(30))
  }

  async #wake(inSeconds: number): Promise<void> {
    const at = Date.now() + inSeconds * 1000
    if (this.#alarmAt !== null && this.#alarmAt <= at) return
    this.#alarmAt = at
    await this.ctx.storage.setAlarm(at)
  }

  #hasMortals(): boolean {
    return this.ctx.storage.sql.exec('SELECT 1 FROM spent UNION ALL SELECT 1 FROM token UNION ALL SELECT 1 FROM rpt LIMIT 1').toArray().length > 0
  }
}

/** Drops absent members, so that JSON and exact optional types agree. */
function compact<T extends Record<string, unknown>>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

// The owner's object: one per owner, the live authority (DESIGN 3). Its methods are the RPC surface: each checks its caller, lets
// the parts beside it read and write in one turn, and returns a union. It never throws on purpose and trusts no other object's clock.
import { type ActivityEntry, OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import type { OwnerEvidence } from '../policy/evidence.ts'
import type { Permission } from '../policy/scopes.ts'
import { OwnerAccount, RECENT, type TakenPart } from './owner-account.ts'
import { OwnerActivity } from './owner-activity.ts'
import { type Answer, OwnerAnswers } from './owner-answers.ts'
import { type ClientChange, OwnerClients } from './owner-clients.ts'
import { type Connecting, OwnerConnections } from './owner-connections.ts'
import { type Assessed, OwnerDecisions } from './owner-decisions.ts'
import { OwnerForesight } from './owner-foresight.ts'
import { OwnerGrants } from './owner-grants.ts'
import { OwnerGroups } from './owner-groups.ts'
import { type KnownGuest, type OfGuest, OwnerGuests } from './owner-guests.ts'
import { type IssuerChange, isRefusal, OwnerIssuers } from './owner-issuers.ts'
import { OwnerKept } from './owner-kept.ts'
import { OwnerLag } from './owner-lag.ts'
import { OwnerLedger } from './owner-ledger.ts'
import { OwnerLookup } from './owner-lookup.ts'
import { OwnerNotices } from './owner-notices.ts'
import { OwnerOrganisation } from './owner-organisation.ts'
import { OwnerPace } from './owner-pace.ts'
import { type By, by, type OwnerCaller, type OwnerCalls } from './owner-policies.ts'
import { type CheckedCaller, type Introspected, OwnerProtection, type Permitted, type PutResource } from './owner-protection.ts'
import { OwnerQuestions } from './owner-questions.ts'
import { OwnerRecord, type Widened } from './owner-record.ts'
import { OwnerRedeem, type Redeemed, type Redemption } from './owner-redeem.ts'
import { OwnerRefresh, type Renewed, type Renewing } from './owner-refresh.ts'
import { OwnerRepeats } from './owner-repeats.ts'
import { OwnerReplays } from './owner-replays.ts'
import { type Asker, type Asking, OwnerRequests } from './owner-requests.ts'
import { OwnerRules } from './owner-rules.ts'
import {
  type ListedConnection,
  type ListedPerson,
  type ListedPolicy,
  type ListedResource,
  type NewPolicy,
  OwnerShares,
} from './owner-shares.ts'
import { NOT_FOUND, type NotFound, SCHEMA, UNAUTHORIZED, type Unauthorized } from './owner-tables.ts'
import { OwnerTiers } from './owner-tiers.ts'
import { type Caller, type NewToken, OwnerTokens, type Proof } from './owner-tokens.ts'
import { OwnerTypes } from './owner-types.ts'
import { OwnerUndo } from './owner-undo.ts'
import { OwnerUpper } from './owner-upper.ts'
import { type Circumstances, OwnerWorlds } from './owner-world.ts'
import type { ClaimIssuerRow } from './record.ts'
import { fromText, type TextOf, textOf } from './text.ts'
import { openOwner } from './versions.ts'

export type { OwnerCaller } from './owner-policies.ts'

/** A code for live notices, opened. */
type LiveCode = { jti: string; exp: number; connection: string; now: number }
export type ListWanted = { now: number; cursor?: string; resource_id?: string; person_id?: string; before?: number; limit?: number }
export type Listed = {
  kind: 'ok'
  revision: number
  connections?: ListedConnection[]
  resources?: ListedResource[]
  people?: ListedPerson[]
  policies?: ListedPolicy[]
  activity?: ActivityEntry[]
  /** Connection and client of the wallet that asks. */
  current?: string
  client_id?: string
}

export class OwnerObject extends OwnerTiers {
  readonly #record: OwnerRecord
  readonly #tokens: OwnerTokens
  readonly #rules: OwnerRules
  readonly #decisions: OwnerDecisions
  readonly #grants: OwnerGrants
  readonly #redeem: OwnerRedeem
  readonly #requests: OwnerRequests
  readonly #answers: OwnerAnswers
  readonly #refresh: OwnerRefresh
  readonly #repeats: OwnerRepeats
  readonly #replays: OwnerReplays
  readonly #shares: OwnerShares
  readonly #activity: OwnerActivity
  readonly #notices: OwnerNotices
  readonly #connections: OwnerConnections
  readonly #protection: OwnerProtection
  readonly #clients: OwnerClients
  readonly #guests: OwnerGuests
  readonly #kept: OwnerKept
  readonly #issuers: OwnerIssuers
  readonly #lag: OwnerLag
  readonly #account: OwnerAccount
  readonly #pace: OwnerPace

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(SCHEMA)
    openOwner(ctx.storage.sql)
    this.#record = new OwnerRecord(ctx, env)
    this.#tokens = new OwnerTokens(ctx)
    const lookup = new OwnerLookup(ctx, this.#record)
    this.#rules = new OwnerRules(ctx, this.#record)
    const undo = new OwnerUndo(ctx, this.#record)
    const groups = new OwnerGroups(ctx, this.#record, undo)
    this.#pace = new OwnerPace(this.#record.quotas)
    const upper = new OwnerUpper(ctx, this.#record)
    const worlds = new OwnerWorlds(ctx, (group, mac) => groups.isMember(group, mac) || upper.isMember(group, mac))
    this.#decisions = new OwnerDecisions(lookup, worlds)
    this.#grants = new OwnerGrants(ctx, lookup, this.#decisions)
    this.#clients = new OwnerClients(ctx, env, this.#record)
    this.#guests = new OwnerGuests(ctx, env, this.#record)
    this.#kept = new OwnerKept(ctx, lookup)
    this.#issuers = new OwnerIssuers(ctx, env, this.#record)
    this.#lag = new OwnerLag(env, this.#record)
    this.#refresh = new OwnerRefresh(ctx, this.#tokens, this.#grants)
    this.#shares = new OwnerShares(ctx, this.#record, this.#tokens, this.#grants, this.#rules)
    this.#activity = new OwnerActivity(ctx, env, this.#record)
    this.#notices = new OwnerNotices(ctx, this.#record, this.#activity)
    this.#account = new OwnerAccount(ctx, env, this.#record, this.#activity)
    this.#connections = new OwnerConnections(ctx, this.#record, this.#tokens, this.#grants, this.#notices)
    this.#repeats = new OwnerRepeats(ctx)
    this.#protection = new OwnerProtection(ctx, this.#record, this.#tokens, this.#grants, this.#shares, this.#notices, this.#repeats)
    this.#replays = new OwnerReplays(ctx, env, this.#grants, this.#refresh)
    this.#requests = new OwnerRequests(ctx, this.#grants, this.#record.quotas)
    this.#decisions.answers = this.#requests.answers
    this.#answers = new OwnerAnswers({
      lookup,
      requests: this.#requests,
      grants: this.#grants,
      shares: this.#shares,
      rules: this.#rules,
      notices: this.#notices,
    })
    const organisation = new OwnerOrganisation(ctx, env, this.#record, upper)
    this.tiers = { upper, organisation }
    this.#account.toldMembers = () => organisation.settle()
    this.parts = {
      record: this.#record,
      tokens: this.#tokens,
      rules: this.#rules,
      groups,
      types: new OwnerTypes(ctx, this.#record, undo),
      pace: this.#pace,
      ledger: new OwnerLedger(ctx, lookup),
      lookup,
      questions: new OwnerQuestions(ctx, lookup, this.#decisions, worlds),
      foresight: new OwnerForesight(ctx, { lookup, decisions: this.#decisions, grants: this.#grants, requests: this.#requests }),
      worlds,
      shares: this.#shares,
      answers: this.#answers,
      notices: this.#notices,
      authorize: (caller, now, isChange) => this.#ownerCaller(caller, now, isChange),
    }
    this.#redeem = new OwnerRedeem({
      tokens: this.#tokens,
      grants: this.#grants,
      decisions: this.#decisions,
      worlds,
      refresh: this.#refresh,
      requests: this.#requests,
      answers: this.#answers,
      notices: this.#notices,
    })
    this.#record.recovered = (rows) => this.#notices.recovered(rows)
    this.#tokens.isBlocked = this.#grants.isBlocked = (id) => this.#clients.isBlocked(id)
    this.#grants.isTrusted = (evidence) => this.#issuers.trusts(evidence)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    ctx.blockConcurrencyWhile(async () => {
      await this.#notices.begin()
      if (this.#clients.isPending) await this.#notices.wake(1)
      // A fence at the start means that the instance before died in the middle of a change. D1 is asked first, but not waited for
      // for ever: what a fence names was never acknowledged, and the live copy without it only gives less.
      if (!this.#record.isPending) return
      const isSettled = await Promise.race([this.#record.settle(), scheduler.wait(2000).then(() => false)])
      if (!isSettled) await this.#notices.wake(1)
    })
  }

  /** After the owner's row was written to D1. Idempotent. */
  init(input: { id: string; label_public: JsonWebKey }): void {
    if (this.#record.owner !== undefined) return
    this.#record.init(input.id, input.label_public)
    this.ctx.waitUntil(this.settleTiers())
  }

  /** True while nobody has seen the recovery code and nothing was sealed to the label key: then both may be made anew. */
  isUntouched(): boolean {
    if (this.#record.owner === undefined || this.#record.meta('welcomed') !== undefined) return false
    return (['connection', 'resource', 'person', 'rule', 'person_group'] as const).every((table) => this.#record.isEmpty(table))
  }

  /** The recovery code was shown. */
  welcomed(): void {
    this.#record.setMeta('welcomed', '1')
  }

  /** Takes another label key, if nothing rests on the one there is. */
  relabel(input: { label_public: JsonWebKey }): boolean {
    if (!this.isUntouched()) return false
    this.#record.setMeta('label_public', JSON.stringify(input.label_public))
    return true
  }

  /** Public half of the label key: no secret. */
  labelPublic(): JsonWebKey {
    return this.#record.labelPublic
  }

  // ── Browser sessions of the owner ────────────────────────────────────────────────────────────────────────────────────────

  openSession(input: { sid: string; now: number }): void {
    if (this.#account.isEnding) return
    this.#tokens.openSession(input.sid, input.now)
    this.#notices.note('signed_in', {}, input.now)
  }

  hasSession(input: { sid: string }): boolean {
    return this.#record.owner !== undefined && this.#tokens.hasSession(input.sid)
  }

  closeSession(input: { sid: string }): void {
    this.#tokens.closeSession(input.sid)
  }

  // ── Clients that the owner connected (owner-connections.ts) ──────────────────────────────────────────────────────────────

  async connectClient(input: Connecting) {
    const done = await this.#connections.connect(input)
    if (done.kind !== 'done') return done
    const { client_id } = input.connection
    // Somebody may have blocked or deleted it a moment ago, and an isolate may remember it: who is new here is looked up before it is answered.
    this.#clients.noteConnected(client_id)
    if (this.#clients.isPending) await this.#settleClients()
    return this.#clients.isBlocked(client_id) ? { kind: 'refused' as const, reason: 'blocked' } : done
  }

  /** An operator has blocked or unblocked a client (objects/client.ts): its tokens here are suspended, or count again. Idempotent. */
  clientChanged(change: ClientChange): { kind: 'ok' } {
    if (this.#record.owner !== undefined && this.#clients.change(change)) this.#closeSocketsOfBlocked()
    return { kind: 'ok' }
  }

  async #settleClients(): Promise<boolean> {
    const isSettled = await this.#clients.settle()
    this.#closeSocketsOfBlocked()
    if (!isSettled) await this.#notices.wake(5)
    return isSettled
  }

  #closeSocketsOfBlocked(): void {
    if (!this.#clients.hasBlocked) return
    for (const { id, client_id } of this.#shares.connections()) if (this.#clients.isBlocked(client_id)) this.#closeSockets(id)
  }

  refreshRow(input: { hash: string; client_id: string; jkt: string | null; now: number }) {
    return this.#connections.refreshRow(input)
  }

  refreshed(input: { hash: string; token: NewToken; proof?: Proof; now: number }): 'done' | 'gone' | 'replayed' {
    return this.#connections.refreshed(input)
  }

  /** Whether a client gets its tokens by itself (RFC 6749 4.4). */
  actsByItself(input: { client_id: string }): boolean {
    return this.#record.owner !== undefined && this.#connections.actsByItself(input)
  }

  tokenByItself(input: { client_id: string; token: NewToken; proof?: Proof; now: number }): 'done' | 'gone' | 'replayed' {
    return this.#record.owner === undefined ? 'gone' : this.#connections.tokenByItself(input)
  }

  revoke(input: { hash: string; client_id: string; now: number }): void {
    this.#refresh.revoke(input)
    const ended = this.#connections.revoke(input)
    if (ended !== undefined) this.#closeSockets(ended)
  }

  /** A client is no more (RFC 7592 2.3): its connections end as if the owner had ended them, and every RPT that it holds. */
  clientEnded(input: { client_id: string; now: number }): void {
    if (this.#record.owner === undefined) return
    for (const { id, client_id } of this.#shares.connections()) {
      if (client_id !== input.client_id || this.#shares.disconnect(id) === undefined) continue
      this.#notices.note('disconnected', { connection_id: id, client_id }, input.now)
      this.#closeSockets(id)
    }
    this.#grants.dropClient(input.client_id)
    // For good: an isolate that still remembers the client gets nothing for it here.
    this.#clients.change({ client_id: input.client_id, seq: Number.MAX_SAFE_INTEGER, blocked: true })
    this.#notices.follow()
  }

  // ── Protection API (owner-protection.ts) ─────────────────────────────────────────────────────────────────────────────────

  putResource(caller: Caller | CheckedCaller, input: PutResource) {
    return this.#protection.put(caller, input)
  }

  patView(caller: Caller, input: { id?: string; now: number; isChange?: boolean }) {
    return this.#protection.view(caller, input)
  }

  listResources(caller: Caller, input: { now: number }) {
    return this.#protection.list(caller, input)
  }

  deleteResource(caller: Caller, input: { id: string; now: number }) {
    return this.#protection.drop(caller, input)
  }

  permission(call: TextOf<{ caller: Caller; permissions: Permission[]; now: number }>): TextOf<Permitted> {
    const { caller, ...input } = fromText(call)
    return textOf(this.#protection.permission(caller, input))
  }

  introspect(call: TextOf<{ caller: Caller; rpt?: string; now: number }>): TextOf<Introspected> {
    const { caller, ...input } = fromText(call)
    return textOf(this.#protection.introspect(caller, input))
  }

  /** What an RPT permits at this moment; undefined if nothing. Reads only: it is no use of the RPT. */
  rptNow(input: { hash: string; now: number }) {
    return this.#protection.rptNow(input.hash, input.now)
  }

  // ── The grant (UMA Grant 3.3) ────────────────────────────────────────────────────────────────────────────────────────────

  /** Not waited for anything, but the first time that something here would rest on a client, an issuer or a guest: then these know of it first. */
  redeem(call: TextOf<Redemption>): TextOf<Redeemed> | Promise<TextOf<Redeemed>> {
    const asked = fromText(call)
    const input = this.#withEvidence(asked)
    if (this.#clients.hasBlocked && this.#isBlocked(input)) return textOf(this.#redeem.refuse(input))
    if (this.#isKnown(input)) return textOf(this.#replays.after(input, this.#redeem.redeem(input)))
    return this.#redeemFirst(asked, input).then(textOf)
  }

  /** With all that counts: what is shown now, and what the RPT that was sent along rests on, without what was forgotten since. */
  #withEvidence<T extends Parameters<OwnerKept['beside']>[1] & { evidence: OwnerEvidence[] }>(asked: T): T {
    const shown = this.#grants.remembered(asked.evidence, asked)
    const kept = asked.upgrade === undefined ? [] : this.#grants.remembered(this.#kept.beside(shown, asked), asked)
    return { ...asked, evidence: [...kept, ...shown] }
  }

  /** Whether all that something would come to rest on is recorded. */
  #isKnown(input: Redemption): boolean {
    const hasGuests = this.#guests.areRecorded(input.evidence, input.now)
    if (hasGuests && this.#clients.isRecorded(input.client_id) && this.#issuers.areRecorded(input.evidence)) return true
    const would = this.#redeem.wouldRest(input)
    return would === undefined || (would === 'question' && hasGuests)
  }

  async #redeemFirst(asked: Redemption, input: Redemption): Promise<Redeemed> {
    if (!(await this.#recordGuests(input.evidence, input.now))) return { kind: 'unavailable' }
    if (this.#redeem.wouldRest(input) === 'grant') {
      const relied = this.#clients.isRecorded(input.client_id) ? 'recorded' : await this.#clients.record(input.client_id)
      if (relied === 'unavailable' || !(await this.#issuers.record(input.evidence))) return { kind: 'unavailable' }
      if (relied === 'blocked') return this.#redeem.refuse(input)
    }
    // Who was blocked meanwhile is blocked.
    if (this.#isBlocked(input)) return this.#redeem.refuse(input)
    // And what was forgotten meanwhile is forgotten; it may have been all that was recorded.
    const last = this.#withEvidence(asked)
    return this.#isKnown(last) ? this.#replays.after(last, this.#redeem.redeem(last)) : { kind: 'unavailable' }
  }

  /** Also hears what guests let be forgotten before this owner knew them. */
  #recordGuests(guests: readonly KnownGuest[], now: number): Promise<boolean> {
    return this.#guests.record(guests, now, (mac, at) => this.#grants.noteForgotten(mac, null, at))
  }

  /** A blocked client presents the ticket, or a blocked service asked for it. */
  #isBlocked(input: Redemption): boolean {
    const service = this.#grants.connection(input.connection)?.client_id
    return this.#clients.isBlocked(input.client_id) || (service !== undefined && this.#clients.isBlocked(service))
  }

  /** A guest let this server forget a proof, for one app or for all: what rests on it ends. Idempotent. */
  forgetGuest(input: { mac: string; client_id: string | null; now: number }): { kind: 'ok' } {
    if (this.#record.owner === undefined) return { kind: 'ok' }
    if (input.client_id === null) this.#guests.forget(input.mac)
    const ended = this.#grants.forgetGuest(input.mac, input.client_id, input.now)
    this.#requests.forgetGuest(input.mac, input.client_id)
    const client = input.client_id === null ? {} : { client_id: input.client_id }
    if (ended > 0) this.#notices.note('proof_forgotten', { ...this.#grants.personWith(input.mac), ...client }, input.now)
    return { kind: 'ok' }
  }

  /** For the guest's own object only: what of a guest is here. */
  ofGuest(input: { mac: string; opened: boolean; now: number }): OfGuest {
    return this.#record.owner === undefined ? { asked: [], opened: [] } : this.#guests.here(input)
  }

  /** For the guest's own object only: the guest takes back what was asked. */
  withdrawOfGuest(input: { mac: string; id: string; now: number }): { kind: 'ok' } {
    if (this.#record.owner !== undefined) this.#answers.withdrawOf(input)
    return { kind: 'ok' }
  }

  /** UMA Grant 3.6: trades a refresh token for a new RPT. */
  renewRpt(input: Renewing): Renewed {
    this.#notices.wakeLater()
    return this.#refresh.renew(input)
  }

  /** Spends a jti at the claims page (UMA Grant 5.5); false if it was spent before. */
  spend(input: { jti: string; exp: number; now: number }): boolean {
    if (this.#record.owner === undefined) return false
    const isFresh = this.#tokens.spend(input.jti, input.exp)
    if (!isFresh) this.#replays.seenAgain(input)
    this.#notices.wakeLater()
    return isFresh
  }

  /**
   * A ticket that another client presents, or another key than before (SPECS G-27). It is spent all the same: who presents it should not
   * have it (UMA Grant 5.5). The owner is told.
   */
  misused(input: { jti: string; exp: number; connection: string; client_id: string; now: number }): void {
    if (!this.spend(input) && !this.#tokens.isFirstReplay(input.jti)) return
    this.#notices.note('ticket_replayed', { client_id: input.client_id, connection_id: input.connection }, input.now)
  }

  /** What the evidence would bring, for the claims page, and the time zone in which the owner chose the end. Reads only. */
  assess(
    input: Circumstances & {
      connection: string
      permissions: Permission[]
      evidence: OwnerEvidence[]
      now: number
      partial: boolean
    } & Partial<Pick<Redemption, 'upgrade' | 'jkt'>>,
  ): Exclude<Assessed, { kind: 'invalid_scope' }> & { time_zone?: string } {
    const known = input.upgrade === undefined ? input : this.#withEvidence({ ...input, jkt: input.jkt ?? null })
    const decided = this.#decisions.assess({ ...known, registered_scopes: [], requested_scopes: [] })
    if (decided.kind === 'invalid_scope') return { kind: 'denied', who: [], requests: [] }
    const first = decided.kind === 'granted' ? decided.cells[0]?.policies[0] : undefined
    const zone = first === undefined ? null : (this.#shares.policies('', { id: first })[0]?.time_zone ?? null)
    return { ...decided, ...(zone === null ? {} : { time_zone: zone }) }
  }

  // ── Somebody asks (owner-requests.ts, owner-answers.ts) ──────────────────────────────────────────────────────────────────

  /** For the claims page: whether people may ask, and how a request of before stands. Reads only. */
  asked(asker: Asker) {
    return this.#answers.asked(asker)
  }

  /** `guest`: name of the guest's own object, which has to know before the owner does. */
  async ask({ guest, ...input }: Asking & { guest: string }) {
    const known = [{ policy_mac: input.mac, guest }]
    const isRecorded = this.#guests.areRecorded(known, input.now) || (await this.#recordGuests(known, input.now))
    return isRecorded ? this.#answers.ask(input) : { kind: 'unavailable' as const }
  }

  withdraw(asker: Asker): void {
    this.#answers.withdraw(asker)
  }

  requests(caller: OwnerCaller, input: { now: number }) {
    const who = this.#ownerCaller(caller, input.now)
    return who.kind === 'ok' ? { kind: 'ok' as const, revision: this.#record.revision, ...this.#answers.list(input.now), ...by(who) } : who
  }

  async answer(caller: OwnerCaller, input: Answer) {
    const who = this.#ownerCaller(caller, input.now, true)
    return who.kind === 'ok' ? { ...(await this.#answers.answer(input)), ...by(who) } : who
  }

  /** Owner settings; those that are named are changed. */
  settings(caller: OwnerCaller, input: { now: number; change?: { lets_ask?: boolean; revoke_on_replay?: boolean } }) {
    const { change } = input
    const who = this.#ownerCaller(caller, input.now, change !== undefined)
    if (who.kind !== 'ok') return who
    if (change?.lets_ask !== undefined) this.#requests.letsAsk = change.lets_ask
    if (change?.revoke_on_replay !== undefined) this.#replays.isOn = change.revoke_on_replay
    const { letsAsk } = this.#requests
    return { kind: 'ok' as const, revision: this.#record.revision, lets_ask: letsAsk, revoke_on_replay: this.#replays.isOn, ...by(who) }
  }

  service(connectionId: string): { client_id: string } | undefined {
    const row = this.#grants.connection(connectionId)
    return row === undefined ? undefined : { client_id: row.client_id }
  }

  // ── The owner's own: owner API and page / ────────────────────────────────────────────────────────────────────────────────

  me(
    caller: OwnerCaller,
    now: number,
  ):
    | {
        kind: 'ok'
        id: string
        label_public: JsonWebKey
        wrapped_label_key: string | null
        revision: number
        connection_id?: string
        client_id?: string
      }
    | Unauthorized {
    const who = this.#ownerCaller(caller, now)
    if (who.kind !== 'ok') return who
    const connection = who.connection_id === undefined ? undefined : this.#grants.connection(who.connection_id)
    return {
      id: this.#record.owner ?? '',
      label_public: this.#record.labelPublic,
      wrapped_label_key: connection?.wrapped_label_key ?? null,
      revision: this.#record.revision,
      ...who,
    }
  }

  /** A page of one list. Activity that has left this object is in D1: the caller reads on there. */
  list(
    caller: OwnerCaller,
    wanted: ListWanted,
    what: 'connections' | 'resources' | 'people' | 'policies' | 'activity',
  ): Listed | Unauthorized {
    const who = this.#ownerCaller(caller, wanted.now)
    if (who.kind !== 'ok') return who
    const base = {
      kind: 'ok' as const,
      revision: this.#record.revision,
      ...(who.connection_id === undefined ? {} : { current: who.connection_id }),
      ...(who.client_id === undefined ? {} : { client_id: who.client_id }),
    }
    const cursor = wanted.cursor ?? ''
    switch (what) {
      case 'connections':
        return { ...base, connections: this.#shares.connections() }
      case 'resources':
        return { ...base, resources: this.#shares.resources(cursor, wanted.now) }
      case 'people':
        return { ...base, people: this.#shares.people(cursor, wanted.now) }
      case 'policies':
        return { ...base, policies: this.#shares.policies(cursor, wanted) }
      case 'activity':
        return { ...base, activity: this.#activity.list(wanted.before ?? Number.MAX_SAFE_INTEGER, wanted.limit ?? 50) }
    }
  }

  async share(caller: OwnerCaller, input: { policy: NewPolicy; now: number }): Promise<(Widened<ListedPolicy> & By) | Unauthorized> {
    const who = this.#ownerCaller(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const done = await this.#shares.share(input.policy, input.now, (fields) => this.#notices.note('share_created', fields, input.now))
    return { ...done, ...by(who) }
  }

  /** Stop sharing: in force, durably, when this answers, also while D1 is away. */
  stop(
    caller: OwnerCaller,
    input: { filter: { id: string } | { resource_id: string }; now: number },
  ): ({ kind: 'ok'; stopped: number } & By) | Unauthorized {
    const who = this.#ownerCaller(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const stopped = this.#shares.stop(input.filter, input.now)
    if ('resource_id' in input.filter) this.#requests.stopResource(input.filter.resource_id, input.now)
    const taken = 'resource_id' in input.filter ? this.#rules.takeOut(input.filter.resource_id, input.now) : []
    for (const { id: policy_id } of taken) {
      const event = this.#rules.get(policy_id) === undefined ? 'rule_dropped' : 'rule_saved'
      this.#notices.note(event, { policy_id, ...input.filter }, input.now)
    }
    for (const row of stopped) {
      this.#notices.note('share_stopped', { resource_id: row.resource_id, person_id: row.person_id, policy_id: row.id }, input.now)
    }
    this.#notices.follow()
    return { kind: 'ok', stopped: stopped.length, ...by(who) }
  }

  disconnect(caller: OwnerCaller, input: { id: string; now: number }): ({ kind: 'ok' } & By) | Unauthorized | (NotFound & By) {
    const who = this.#ownerCaller(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const row = this.#shares.disconnect(input.id)
    if (row === undefined) return { ...NOT_FOUND, ...by(who) }
    this.#notices.note('disconnected', { connection_id: row.id, client_id: row.client_id }, input.now)
    this.#closeSockets(row.id)
    this.#notices.follow()
    return { kind: 'ok', ...by(who) }
  }

  // ── The account as a whole (owner-account.ts) ────────────────────────────────────────────────────────────────────────────

  /** Begins to take out all that is kept for the owner: names of the lists, and what to show while they are read. */
  takeOut(caller: OwnerCaller, now: number) {
    const who = this.#ownerCaller(caller, now)
    return who.kind === 'ok' ? { kind: 'ok' as const, parts: this.#account.parts, reading: this.#account.read(now), ...by(who) } : who
  }

  /** One piece of one list; undefined if nobody began to read. */
  takeOutRows(input: { reading: string; part: TakenPart; after: string; now: number }) {
    return this.#account.isReading(input.reading, input.now) ? this.#account.rows(input.part, input.after) : undefined
  }

  /** What happened, newest first, as far as it is still here. */
  takeOutActivity(input: { reading: string; before: number; limit: number; now: number }) {
    return this.#account.isReading(input.reading, input.now) ? this.#activity.list(input.before, input.limit) : undefined
  }

  /**
   * Deletes the account, of a browser that signed in a short time ago: nothing of it works any more when this answers. `isDone` is false
   * if the record has still to follow.
   */
  async deleteAccount(caller: { sid: string }, input: { now: number }): Promise<{ kind: 'ok'; isDone: boolean } | { kind: 'sign_in' }> {
    if (!this.#tokens.isRecent(caller.sid, input.now - RECENT)) return { kind: 'sign_in' }
    this.#notices.note('account_deleted', {}, input.now)
    this.tiers.organisation.end()
    this.#account.end()
    this.#tokens.emptied()
    this.#grants.emptied()
    for (const socket of this.ctx.getWebSockets()) socket.close(4001, 'disconnected')
    await this.#notices.wake(5)
    return { kind: 'ok', isDone: await this.#account.finish() }
  }

  // ── Issuers whose word counts (owner-issuers.ts) ─────────────────────────────────────────────────────────────────────────

  /** What is known here of an issuer, for whoever verifies its tokens. */
  claimIssuer(input: { issuer: string }): { blocked: boolean; row?: ClaimIssuerRow } {
    return this.#issuers.about(input.issuer)
  }

  claimIssuers(caller: OwnerCaller, input: { now: number }) {
    const who = this.#ownerCaller(caller, input.now)
    return who.kind === 'ok' ? { kind: 'ok' as const, ...by(who), revision: this.#record.revision, items: [...this.#issuers.list()] } : who
  }

  async trustIssuer(
    caller: OwnerCaller,
    input: { row: ClaimIssuerRow; now: number },
  ): Promise<(Widened<ClaimIssuerRow> & By) | Unauthorized> {
    const who = this.#ownerCaller(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const done = await this.#issuers.add(input.row, () =>
      this.#notices.note('issuer_trusted', { claim_issuer: input.row.issuer }, input.now),
    )
    return { ...done, ...by(who) }
  }

  /** The owner does not believe an issuer of the operator's. In force, durably, when this answers, also while D1 is away. */
  refuseIssuer(caller: OwnerCaller, input: { id: string; issuer: string; now: number }): (Widened<ClaimIssuerRow> & By) | Unauthorized {
    const who = this.#ownerCaller(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const row = this.#issuers.refuse({ id: input.id, issuer: input.issuer, created_at: input.now })
    if (typeof row === 'string') return { kind: 'refused', reason: row, ...by(who) }
    this.#notices.note('issuer_distrusted', { claim_issuer: row.issuer }, input.now)
    this.#notices.follow()
    return { kind: 'done', value: row, ...by(who) }
  }

  /** Takes an issuer out, or a refusal back (owner-issuers.ts). */
  async dropIssuer(caller: OwnerCaller, input: { id: string; now: number }): Promise<(Widened<undefined> & By) | Unauthorized> {
    const who = this.#ownerCaller(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const done = await this.#issuers.drop(input.id, (row) =>
      this.#notices.note(isRefusal(row) ? 'issuer_trusted' : 'issuer_distrusted', { claim_issuer: row.issuer }, input.now),
    )
    this.#notices.follow()
    return { ...done, ...by(who) }
  }

  /** An operator has blocked or unblocked an issuer (objects/client.ts): what rests on it is suspended, or counts again. Idempotent. */
  issuerChanged(change: IssuerChange): { kind: 'ok' } {
    if (this.#record.owner !== undefined && this.#issuers.change(change)) this.#grants.forgetDecisions()
    return { kind: 'ok' }
  }

  // ── Live notices, alarm ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The one HTTP handler: RPC cannot carry a WebSocket. Reached only with a live code that the server has opened. */
  override async fetch(request: Request): Promise<Response> {
    const live = JSON.parse(request.headers.get('x-latchkey-live') ?? '{}') as LiveCode
    const wallet = this.#grants.connection(live.connection)
    // Who was blocked, or has ended its tokens, since it got the code hears nothing.
    const isConnected = wallet !== undefined && !this.#clients.isBlocked(wallet.client_id) && this.#tokens.hasTokens(wallet.id, live.now)
    if (!this.#tokens.spend(live.jti, live.exp) || !isConnected) return new Response(null, { status: 401 })
    this.#notices.wakeLater()
    const pair = new WebSocketPair()
    this.ctx.acceptWebSocket(pair[1], [live.connection])
    return new Response(null, { status: 101, webSocket: pair[0] })
  }

  override webSocketMessage(): void {
    // Nothing is said on this socket but by the server; pings are answered by the runtime.
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close()
  }

  override async alarm(): Promise<void> {
    this.#notices.woken()
    // An alarm is the object's own: it has no caller whose clock it could use.
    const now = Math.floor(Date.now() / 1000)
    if (this.#account.isEnding) {
      if (!(await this.#account.finish())) await this.#notices.wake(5)
      return
    }
    this.#tokens.sweep(now)
    this.#grants.sweep(now)
    this.#refresh.sweep(now)
    this.#requests.sweep(now)
    this.#rules.sweep(now)
    this.#guests.sweep(now)
    this.#repeats.sweep(now)
    this.#replays.sweep(now)
    const isSettled = (await this.#record.settle(true)) && (await this.#settleClients()) && (await this.settleTiers())
    const isCopied = isSettled && (await this.#activity.move())
    await this.#lag.tell(isSettled && isCopied, now)
    const isEnded = await this.#replays.settle(now)
    if (!isSettled || !isCopied || !isEnded) await this.#notices.wake(5)
    else if (this.#tokens.hasMortals) await this.#notices.wake(3600)
  }

  #closeSockets(connectionId: string): void {
    for (const socket of this.ctx.getWebSockets(connectionId)) socket.close(4001, 'disconnected')
  }

  #ownerCaller(caller: OwnerCaller, now: number, isChange = false): OwnerCalls | Unauthorized {
    if ('sid' in caller) return this.#tokens.hasSession(caller.sid) ? { kind: 'ok' } : UNAUTHORIZED
    const who = this.#tokens.authorize(caller, OWNER_SCOPE, now, isChange)
    if (who.kind !== 'ok') return who
    const { connection_id, client_id } = who.token
    const wait = this.#pace.take(isChange ? 'change' : 'read', client_id, now)
    return wait === undefined ? { kind: 'ok', connection_id, client_id } : { kind: 'unauthorized', isAlive: true, wait, client_id }
  }
}

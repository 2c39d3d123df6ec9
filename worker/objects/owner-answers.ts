// The owner hears of a request and answers it: once, or with a share that stays, or no. Who may call is decided before (owner.ts).
import { base64url } from 'jose'
import { checkPolicy } from '../policy/check.ts'
import type { Condition, GrantTerms, Policy } from '../policy/policy.ts'
import { renamed } from '../policy/renamed.ts'
import type { Permission } from '../policy/scopes.ts'
import { onceEntries, readOnce } from './once-rules.ts'
import { type OwnerGrants, RPT_LIFETIME } from './owner-grants.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { Widened } from './owner-record.ts'
import type { Asker, Asking, Asks, OwnerRequests, RequestRow, RequestState } from './owner-requests.ts'
import type { OwnerRules } from './owner-rules.ts'
import type { OwnerShares } from './owner-shares.ts'
import { NOT_FOUND, type NotFound } from './owner-tables.ts'

export type Answer = {
  id: string
  /**
   * `allow`: once. `keep`: a share that stays. `offer`: a rule that gives something else, or asks for more; whoever waits hears of it at
   * the next poll. `deny`: no. `block`: no, and nothing more for this address.
   */
  decision: 'allow' | 'keep' | 'offer' | 'deny' | 'block'
  /** Something else than was asked for. */
  resource_scopes?: string[]
  valid_until: number | null
  time_zone: string | null
  /** Of `offer`: what has to hold besides the address; an empty key of `uses` or `ask` is that of the new rule. */
  when?: readonly Condition[]
  grant?: GrantTerms
  /** The words behind the hashes in `when`, sealed to the owner. */
  label?: string | null
  now: number
}
export type ListedRequest = Omit<RequestRow, 'mac' | 'polled_at' | 'interval' | 'used_at' | 'asks'> & { person_id: string | null }
/** `failed`: things for which nothing was made, while something was for others. */
export type Answered =
  | { kind: 'ok'; request: ListedRequest; failed?: NotGiven[] }
  | NotFound
  | { kind: 'refused'; reason: string }
  | { kind: 'unavailable' }

type NotGiven = { resource_id: string; reason: string }

const newId = (): string => base64url.encode(crypto.getRandomValues(new Uint8Array(12)))

type Parts = {
  lookup: OwnerLookup
  requests: OwnerRequests
  grants: OwnerGrants
  shares: OwnerShares
  rules: OwnerRules
  notices: OwnerNotices
}
type Failed = Exclude<Answered, { kind: 'ok' }>
type Made = { resource_id: string; done: Widened<unknown> }
/** Of an answer that gives several things one after the other. */
type Giving = { still: () => string | undefined; given: () => void }
/** The guest took the question back, or let it be forgotten, while the answer was on its way. */
const TAKEN_BACK = 'taken_back'

export class OwnerAnswers {
  readonly #lookup: OwnerLookup
  readonly #requests: OwnerRequests
  readonly #grants: OwnerGrants
  readonly #shares: OwnerShares
  readonly #rules: OwnerRules
  readonly #notices: OwnerNotices
  /** Requests whose answer waits for D1. */
  readonly #answering = new Set<string>()

  constructor(parts: Parts) {
    this.#lookup = parts.lookup
    this.#requests = parts.requests
    this.#grants = parts.grants
    this.#shares = parts.shares
    this.#rules = parts.rules
    this.#notices = parts.notices
  }

  /** How it stands for who asks. `scopes` are what an answer gives at once. */
  asked(asker: Asker): { kind: 'waiting'; created_at: number } | { kind: 'allowed'; scopes: string[] } | { kind: 'none'; may: boolean } {
    const row = this.#requests.find(asker) ?? this.#pending(asker, ['waiting'])
    if (row === undefined) return { kind: 'none', may: this.#requests.letsAsk && !asker.macs.some((mac) => this.#lookup.isShutOut(mac)) }
    if (row.state === 'waiting') return { kind: 'waiting', created_at: row.created_at }
    const scopes = this.#requests.once(row, asker.permissions).flatMap((cell) => cell.resource_scopes)
    return { kind: 'allowed', scopes: [...new Set(scopes)] }
  }

  #pending({ macs, client_id, connection, permissions, now }: Asker, states: readonly RequestState[]): RequestRow | undefined {
    const cells = permissions.flatMap(({ resource_id, resource_scopes }) => resource_scopes.map((scope) => ({ resource_id, scope })))
    return macs.map((mac) => this.#requests.pending({ mac, client_id, connection, cells, now }, states)).find((row) => row !== undefined)
  }

  /** A rule asks the owner about somebody. `nameless`: she could not tell who it is. */
  askFor(
    input: Omit<Asking, 'id' | 'label' | 'line' | 'permissions'> & { asks: Asks },
  ): { kind: 'waiting'; row: RequestRow } | { kind: 'closed' } | { kind: 'too_many' } | { kind: 'nameless' } {
    const label = this.#lookup.labelOf(input.mac)
    if (label === undefined) return { kind: 'nameless' }
    const id = newId()
    const done = this.ask({ ...input, id, label, line: null, permissions: [] })
    const row = this.#requests.get(id)
    if (done.kind !== 'waiting') return done
    return row === undefined ? { kind: 'closed' } : { kind: 'waiting', row }
  }

  ask(input: Asking): { kind: 'waiting' } | { kind: 'closed' } | { kind: 'too_many' } {
    if (this.#lookup.isShutOut(input.mac)) return { kind: 'closed' }
    const done = this.#requests.ask(input)
    if (done.kind !== 'waiting') return done
    const row = done.isNew ? this.#requests.get(input.id) : undefined
    if (row !== undefined) this.#note('request_received', row, input.now)
    return { kind: 'waiting' }
  }

  /** On the claims page: the question that waits, or the yes that was not used yet. */
  withdraw(asker: Asker): void {
    const row = this.#requests.find(asker) ?? this.#pending(asker, ['waiting', 'allowed'])
    if (row !== undefined) this.withdrawOf({ mac: row.mac, id: row.id, now: asker.now })
  }

  /** On the guest's own page. Nothing happens if it is not this guest's, or over. */
  withdrawOf({ mac, id, now }: { mac: string; id: string; now: number }): void {
    const row = this.#requests.get(id)
    if (row === undefined || row.mac !== mac || row.exp <= now || (row.state !== 'waiting' && row.state !== 'allowed')) return
    this.#requests.settle(id, 'withdrawn', now)
    this.#note('request_withdrawn', row, now)
  }

  /**
   * Takes back what was allowed once, whole or for one thing (ids of once-rules.ts): what came of it ends too. Answers whether there was
   * anything to take back.
   */
  takeBack(id: string, now: number): boolean {
    const { request, resource } = readOnce(id)
    const row = this.#requests.get(request)
    if (row === undefined || onceEntries(row, now, RPT_LIFETIME).length === 0) return false
    const given = JSON.parse(row.permissions) as Permission[]
    const left = resource === undefined ? [] : given.filter((one) => one.resource_id !== resource)
    if (left.length === given.length) return false
    if (left.length === 0) this.#requests.settle(row.id, 'denied', now)
    else this.#requests.settle(row.id, row.state, now, left)
    this.#note('request_answered', row, now, 'deny')
    return true
  }

  list(now: number): { items: ListedRequest[] } {
    return { items: this.#requests.list(now).map((row) => this.#listed(row)) }
  }

  /** A later answer takes the place of the one before; only "no" may follow another one. */
  async answer(input: Answer): Promise<Answered> {
    const row = this.#requests.get(input.id)
    const { now, decision } = input
    if (row === undefined || row.state === 'withdrawn' || (row.state === 'waiting' && row.exp <= now)) return NOT_FOUND
    if (row.state !== 'waiting' && decision !== 'deny' && decision !== 'block') return { kind: 'refused', reason: 'over' }
    // What was made then stays until it is stopped itself: a no would be said and not done.
    if (row.state === 'kept' && decision === 'deny') return { kind: 'refused', reason: 'over' }
    // What another wallet has answered is on its way; only to be shut out goes before it.
    if (this.#answering.has(row.id) && decision !== 'block') return { kind: 'refused', reason: 'over' }
    this.#answering.add(row.id)
    const done = await this.#carryOut(row, input).finally(() => this.#answering.delete(row.id))
    if (!Array.isArray(done)) return done.kind === 'refused' && done.reason === TAKEN_BACK ? NOT_FOUND : done
    this.#note('request_answered', row, now, decision)
    const after = this.#requests.get(row.id)
    if (after === undefined) return NOT_FOUND
    return { kind: 'ok', request: this.#listed(after), ...(done.length === 0 ? {} : { failed: done }) }
  }

  async #carryOut(row: RequestRow, input: Answer): Promise<Failed | NotGiven[]> {
    const asked = JSON.parse(row.permissions) as Permission[]
    const { now } = input
    switch (input.decision) {
      case 'deny':
        this.#requests.settle(row.id, 'denied', now)
        return []
      case 'block':
        return this.#block(row, now)
      case 'allow': {
        // DESIGN I2: once means this ticket, and no more than it asked for.
        const given = narrowed(asked, input.resource_scopes)
        if (given.length === 0) return { kind: 'refused', reason: 'no_scope' }
        this.#requests.settle(row.id, 'allowed', now, given)
        return []
      }
      case 'keep':
        return this.#keep(row, asked, input)
      case 'offer':
        return this.#offer(row, asked, input)
    }
  }

  /**
   * The answer counts with the first thing that is given, in the turn in which that is; from then on the question cannot be taken back.
   * Whatever happens to the question before, while the record is written, goes before the answer, and nothing is given.
   */
  #giving(row: RequestRow, now: number): Giving {
    let state: RequestState = 'waiting'
    return {
      still: () => {
        const found = this.#requests.get(row.id)?.state
        return found === state ? undefined : found === undefined || found === 'withdrawn' ? TAKEN_BACK : 'over'
      },
      given: () => {
        if (state === 'waiting') this.#requests.settle(row.id, 'kept', now)
        state = 'kept'
      },
    }
  }

  /** From now on nothing of this owner is for this address; what waits for an answer has it. */
  async #block(row: RequestRow, now: number): Promise<Failed | NotGiven[]> {
    const done = await this.block({ mac: row.mac, label: row.label }, now)
    if (done.kind !== 'done') return done
    if (this.#requests.get(row.id)?.state !== 'withdrawn') this.#requests.settle(row.id, 'denied', now)
    for (const id of this.#requests.waitingOf(row.mac)) this.#requests.settle(id, 'denied', now)
    return []
  }

  /** A rule that shuts an address out; the one that is there already if there is one. */
  block(person: { mac: string; label: string }, now: number): Promise<Widened<{ id: string }>> {
    const known = this.#lookup.blockFor(person.mac)
    if (known !== undefined) return Promise.resolve({ kind: 'done', value: { id: known } })
    const policy: Policy = {
      v: 1,
      id: newId(),
      rev: 0,
      tier: 'owner',
      effect: 'forbid',
      target: { all: true },
      scopes: '*',
      when: { claim: 'email', eq: person.mac },
    }
    const people = [{ new_id: newId(), ...person }]
    return this.#rules.put({ policy, label: null, people, now }, 'block', () =>
      this.#notices.note('person_blocked', { ...this.#grants.personWith(person.mac), policy_id: policy.id }, now),
    )
  }

  /** A counter-offer: a rule for each thing that was asked for. */
  async #offer(row: RequestRow, asked: readonly Permission[], input: Answer): Promise<Failed | NotGiven[]> {
    const made: Made[] = []
    const { now } = input
    const { still, given } = this.#giving(row, now)
    for (const { resource_id, resource_scopes } of asked) {
      const offered = this.#grants.offered(resource_id, row.connection_id) ?? []
      const scopes = (input.resource_scopes ?? resource_scopes).filter((scope) => offered.includes(scope))
      if (scopes.length === 0) continue
      const policy = offerOf(row, { resource_id, resource_scopes: scopes }, input)
      const [problem] = checkPolicy(policy)
      if (problem !== undefined) return { kind: 'refused', reason: problem.code }
      const people = [{ new_id: newId(), mac: row.mac, label: row.label }]
      const note = () => {
        given()
        const about = { policy_id: policy.id, resource_id, resource_scopes: scopes, ...this.#grants.personWith(row.mac) }
        this.#notices.note('rule_saved', about, now)
      }
      const done = await this.#rules.put({ policy, label: input.label ?? null, people, now }, 'rule', note, still)
      made.push({ resource_id, done })
    }
    return outcomeOf(made)
  }

  /** A share for each thing that was asked for. */
  async #keep(row: RequestRow, asked: readonly Permission[], input: Answer): Promise<Failed | NotGiven[]> {
    const made: Made[] = []
    const { still, given } = this.#giving(row, input.now)
    for (const { resource_id, resource_scopes } of asked) {
      const offered = this.#grants.offered(resource_id, row.connection_id) ?? []
      const scopes = (input.resource_scopes ?? resource_scopes).filter((scope) => offered.includes(scope))
      if (scopes.length === 0) continue
      const policy = {
        id: newId(),
        resource_id,
        scopes,
        valid_from: null,
        valid_until: input.valid_until,
        time_zone: input.time_zone,
        person: { new_id: newId(), mac: row.mac, label: row.label },
      }
      const note: Parameters<OwnerShares['share']>[2] = (fields) => {
        given()
        this.#notices.note('share_created', fields, input.now)
      }
      made.push({ resource_id, done: await this.#shares.share(policy, input.now, note, still) })
    }
    return outcomeOf(made)
  }

  #listed({ mac, polled_at: _, interval: __, used_at: ___, asks: ____, ...row }: RequestRow): ListedRequest {
    return { ...row, person_id: this.#grants.personWith(mac).person_id ?? null }
  }

  #note(
    event: 'request_received' | 'request_answered' | 'request_withdrawn',
    row: RequestRow,
    now: number,
    decision?: Answer['decision'],
  ): void {
    const [first] = JSON.parse(row.permissions) as Permission[]
    const about = first === undefined ? {} : { resource_id: first.resource_id, resource_scopes: first.resource_scopes }
    const { client_id, connection_id, method } = row
    const said = decision === undefined ? {} : { decision }
    this.#notices.note(
      event,
      { ...about, ...this.#grants.personWith(row.mac), ...said, request_id: row.id, client_id, connection_id, method },
      now,
    )
  }
}

/** What is offered of one thing, as a rule with an id of its own. */
function offerOf(row: RequestRow, { resource_id, resource_scopes }: Permission, { valid_until, when = [], grant }: Answer): Policy {
  const id = newId()
  const until = valid_until === null ? [] : [{ before: valid_until }]
  const more = when.map((one) => renamed(one, (name) => (name === '' ? id : name)))
  return {
    v: 1,
    id,
    rev: 0,
    tier: 'owner',
    effect: 'permit',
    target: { resources: [resource_id] },
    scopes: resource_scopes,
    when: { all: [{ claim: 'email', eq: row.mac }, ...until, ...more] },
    ...(grant === undefined ? {} : { grant }),
  }
}

/** What is left of the wanted scopes. */
const narrowed = (asked: readonly Permission[], scopes: readonly string[] | undefined): Permission[] =>
  asked
    .map(({ resource_id, resource_scopes }) => ({
      resource_id,
      resource_scopes: resource_scopes.filter((one) => scopes?.includes(one) ?? true),
    }))
    .filter(({ resource_scopes }) => resource_scopes.length > 0)

/** Why nothing was made; or, if something was, for what nothing was. */
function outcomeOf(made: readonly Made[]): Failed | NotGiven[] {
  if (!made.some(({ done }) => done.kind === 'done')) {
    const all = made.map(({ done }) => done)
    if (all.some((one) => one.kind === 'unavailable')) return { kind: 'unavailable' }
    return all.find((one) => one.kind === 'refused') ?? { kind: 'refused', reason: 'no_scope' }
  }
  return made.flatMap(({ resource_id, done }) =>
    done.kind === 'done' ? [] : [{ resource_id, reason: done.kind === 'refused' ? done.reason : 'unavailable' }],
  )
}

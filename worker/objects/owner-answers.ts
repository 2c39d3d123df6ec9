// The owner hears of a request and answers it: once, or with a share that stays, or no. Who may call is decided before (owner.ts).
import { base64url } from 'jose'
import type { Permission } from '../policy/scopes.ts'
import type { OwnerGrants } from './owner-grants.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { Widened } from './owner-record.ts'
import type { Asker, Asking, OwnerRequests, RequestRow } from './owner-requests.ts'
import type { ListedPolicy, OwnerShares } from './owner-shares.ts'
import { NOT_FOUND, type NotFound } from './owner-tables.ts'

export type Answer = {
  id: string
  decision: 'allow' | 'keep' | 'deny'
  /** Something else than was asked for. */
  resource_scopes?: string[]
  valid_until: number | null
  time_zone: string | null
  now: number
}
export type ListedRequest = Omit<RequestRow, 'mac' | 'polled_at' | 'interval' | 'used_at'> & { person_id: string | null }
export type Answered = { kind: 'ok'; request: ListedRequest } | NotFound | { kind: 'refused'; reason: string } | { kind: 'unavailable' }

const newId = (): string => base64url.encode(crypto.getRandomValues(new Uint8Array(12)))

export class OwnerAnswers {
  readonly #requests: OwnerRequests
  readonly #grants: OwnerGrants
  readonly #shares: OwnerShares
  readonly #notices: OwnerNotices

  constructor(requests: OwnerRequests, grants: OwnerGrants, shares: OwnerShares, notices: OwnerNotices) {
    this.#requests = requests
    this.#grants = grants
    this.#shares = shares
    this.#notices = notices
  }

  /** How it stands for who asks. `scopes` are what an answer gives at once. */
  asked(asker: Asker): { kind: 'waiting'; created_at: number } | { kind: 'allowed'; scopes: string[] } | { kind: 'none'; may: boolean } {
    const row = this.#requests.find(asker)
    if (row === undefined) return { kind: 'none', may: this.#requests.letsAsk }
    if (row.state === 'waiting') return { kind: 'waiting', created_at: row.created_at }
    const scopes = this.#requests.once(row, asker.permissions).flatMap((cell) => cell.resource_scopes)
    return { kind: 'allowed', scopes: [...new Set(scopes)] }
  }

  ask(input: Asking): { kind: 'waiting' } | { kind: 'closed' } | { kind: 'too_many' } {
    const done = this.#requests.ask(input)
    if (done.kind !== 'waiting') return done
    const row = done.isNew ? this.#requests.get(input.id) : undefined
    if (row !== undefined) this.#note('request_received', row, input.now)
    return { kind: 'waiting' }
  }

  withdraw(asker: Asker): void {
    const row = this.#requests.find(asker)
    if (row === undefined) return
    this.#requests.settle(row.id, 'withdrawn', asker.now)
    this.#note('request_withdrawn', row, asker.now)
  }

  list(now: number): { items: ListedRequest[] } {
    return { items: this.#requests.list(now).map((row) => this.#listed(row)) }
  }

  /** A later answer takes the place of the one before; only "no" may follow another one. */
  async answer(input: Answer): Promise<Answered> {
    const row = this.#requests.get(input.id)
    const { now, decision } = input
    if (row === undefined || row.state === 'withdrawn' || (row.state === 'waiting' && row.exp <= now)) return NOT_FOUND
    if (row.state !== 'waiting' && decision !== 'deny') return { kind: 'refused', reason: 'over' }
    const asked = JSON.parse(row.permissions) as Permission[]
    if (decision === 'deny') this.#requests.settle(row.id, 'denied', now)
    else if (decision === 'allow') {
      // DESIGN I2: once means this ticket, and no more than it asked for.
      const given = asked
        .map(({ resource_id, resource_scopes }) => {
          return { resource_id, resource_scopes: resource_scopes.filter((scope) => input.resource_scopes?.includes(scope) ?? true) }
        })
        .filter(({ resource_scopes }) => resource_scopes.length > 0)
      if (given.length === 0) return { kind: 'refused', reason: 'no_scope' }
      this.#requests.settle(row.id, 'allowed', now, given)
    } else {
      const kept = await this.#keep(row, asked, input)
      if (kept !== 'done') return kept
      this.#requests.settle(row.id, 'kept', now)
    }
    this.#note('request_answered', row, now, decision)
    const after = this.#requests.get(row.id)
    return after === undefined ? NOT_FOUND : { kind: 'ok', request: this.#listed(after) }
  }

  /** A share for each thing that was asked for. */
  async #keep(row: RequestRow, asked: readonly Permission[], input: Answer): Promise<'done' | Exclude<Answered, { kind: 'ok' }>> {
    const made: Widened<ListedPolicy>[] = []
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
      made.push(await this.#shares.share(policy, input.now, (fields) => this.#notices.note('share_created', fields, input.now)))
    }
    if (made.some((one) => one.kind === 'done')) return 'done'
    if (made.some((one) => one.kind === 'unavailable')) return { kind: 'unavailable' }
    return made.find((one) => one.kind === 'refused') ?? { kind: 'refused', reason: 'no_scope' }
  }

  #listed({ mac, polled_at: _, interval: __, used_at: ___, ...row }: RequestRow): ListedRequest {
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

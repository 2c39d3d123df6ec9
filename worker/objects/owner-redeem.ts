// A ticket becomes an RPT (UMA Grant 3.3): its one use, the assessment, an upgrade and the grant are one turn. Nothing in this file may wait.
import type { GrantedCell } from '../policy/assess.ts'
import type { Need } from '../policy/value.ts'
import { keptEvidence } from './owner-facts.ts'
import type { Assessing, OwnerGrants } from './owner-grants.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { OwnerRefresh } from './owner-refresh.ts'
import type { OwnerRequests } from './owner-requests.ts'
import { compact } from './owner-tables.ts'
import type { OwnerTokens } from './owner-tokens.ts'

export type Redemption = Assessing & {
  jti: string
  exp: number
  client_id: string
  jkt: string | null
  /** Hash of the RPT that the client gets if this is granted. */
  rpt_hash: string
  /** A refresh token to go with it, and the key it is bound to (UMA Grant 3.6). */
  refresh?: { hash: string; jkt: string | null }
  /** Hash of a persisted claims token that was sent along and is not this client's, or not good any more (SPECS G-76). */
  refused_pct?: string
  /** The request that the client polls about (UMA Grant 3.3.6). */
  request?: string
  /** Hash of the RPT that the client sent along; `same`: the client keeps that string (UMA Grant 3.3.5.1). */
  upgrade?: { hash: string; same: boolean }
}
export type Redeemed =
  /** `refresh`: the refresh token was stored; `upgraded`: the old permissions are in it; `same`: the old string is the new RPT. */
  | { kind: 'granted'; exp: number; refresh: boolean; upgraded: boolean; same: boolean }
  | { kind: 'need_info'; needs: Need[] }
  /** The owner was asked and has not answered yet; `interval` in seconds. */
  | { kind: 'submitted'; request: string; interval: number }
  | { kind: 'denied' }
  | { kind: 'spent' }
  /** The record does not answer, and the client is new here: nothing was spent. */
  | { kind: 'unavailable' }
  | { kind: 'invalid_scope' }

export class OwnerRedeem {
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants
  readonly #refresh: OwnerRefresh
  readonly #requests: OwnerRequests
  readonly #notices: OwnerNotices

  constructor(tokens: OwnerTokens, grants: OwnerGrants, refresh: OwnerRefresh, requests: OwnerRequests, notices: OwnerNotices) {
    this.#tokens = tokens
    this.#grants = grants
    this.#refresh = refresh
    this.#requests = requests
    this.#notices = notices
  }

  /** Spends the ticket for whatever comes of it, assesses, grants: one turn, nothing awaited (UMA Grant 5.5). */
  redeem(input: Redemption): Redeemed {
    if (!this.#tokens.spend(input.jti, input.exp)) {
      // Told once a ticket: who holds a spent one could fill the owner's activity with it.
      if (this.#tokens.isFirstReplay(input.jti)) {
        this.#notices.note('ticket_replayed', { client_id: input.client_id, connection_id: input.connection }, input.now)
      }
      return { kind: 'spent' }
    }
    this.#notices.wakeLater()
    if (this.#grants.connection(input.connection) === undefined) return { kind: 'denied' }
    // Told once a token: it counts as absent, and who holds one could fill the owner's activity with it.
    if (input.refused_pct !== undefined && this.#tokens.isFirstReplay(input.refused_pct)) {
      this.#notices.note('proof_refused', { client_id: input.client_id, connection_id: input.connection }, input.now)
    }
    if (input.request !== undefined) {
      const poll = this.#requests.poll(input.request, input.client_id, input.now)
      // SPECS G-65d: never a grant for who does not wait.
      if (poll.kind === 'early') return { kind: 'submitted', request: input.request, interval: poll.interval }
    }
    const decided = this.#grants.assess(input)
    if (decided.kind === 'invalid_scope' || decided.kind === 'need_info') return decided
    if (decided.kind === 'denied') return this.#denied(input)
    this.#note(input, decided.cells)
    return this.#grant(input, decided.cells)
  }

  /** Spends the ticket and gives nothing, whatever the rules say. */
  refuse(input: Redemption): Redeemed {
    return { kind: this.#tokens.spend(input.jti, input.exp) ? 'denied' : 'spent' }
  }

  /** Whether the ticket would become an RPT at this moment, were it unspent. Reads only. */
  wouldGrant(input: Redemption): boolean {
    if (this.#grants.connection(input.connection) === undefined) return false
    const decided = this.#grants.assess(input)
    if (decided.kind !== 'denied') return decided.kind === 'granted'
    const asked = this.#asked(input)
    return asked !== undefined && asked.state !== 'waiting' && this.#requests.once(asked, input.permissions).length > 0
  }

  #asked(input: Redemption) {
    const addresses = input.evidence.filter((one) => one.claim === 'email' && one.exp > input.now && this.#grants.isTrusted(one))
    return this.#requests.find({ ...input, macs: addresses.map((one) => one.policy_mac) })
  }

  /** No share fits. Perhaps the owner was asked, and has answered, or has not. */
  #denied(input: Redemption): Redeemed {
    const asked = this.#asked(input)
    if (asked?.state === 'waiting') {
      return { kind: 'submitted', request: asked.id, interval: this.#requests.polled(asked, input.now) }
    }
    const cells = asked === undefined ? [] : this.#requests.once(asked, input.permissions)
    this.#note(input, cells)
    if (asked === undefined || cells.length === 0) return { kind: 'denied' }
    // Once: this RPT and no refresh of it.
    this.#requests.use(asked.id, input.now)
    const { refresh: _, ...once } = input
    return this.#grant(once, cells)
  }

  #grant(input: Redemption, asked: readonly GrantedCell[]): Redeemed {
    const { client_id, connection, jkt, now, upgrade } = input
    const fresh = { hash: input.rpt_hash, client_id, connection, jkt, evidence: keptEvidence(input.evidence), now }
    const old = upgrade === undefined ? undefined : this.#grants.upgradable(upgrade.hash, fresh)
    const same = old !== undefined && upgrade?.same === true
    const rpt = same ? { ...fresh, hash: upgrade.hash } : fresh
    const cells = merged([...asked, ...(old ?? [])])
    const exp = this.#grants.grant(rpt, cells)
    // > the authorization server SHOULD revoke the existing RPT if the upgraded one is a new string (UMA Grant 3.3.5.1)
    if (old !== undefined && upgrade !== undefined && !same) this.#grants.dropRpt(upgrade.hash)
    const refresh = input.refresh !== undefined && this.#refresh.insert(input.refresh, rpt, cells, exp)
    return { kind: 'granted', exp, refresh, upgraded: old !== undefined, same }
  }

  #note(input: Redemption, cells: readonly GrantedCell[]): void {
    const [first, wanted] = [cells[0], input.permissions[0]]
    const policy_id = first?.policies[0]
    const about = compact({
      resource_id: first?.resource_id ?? wanted?.resource_id,
      person_id: this.#grants.personOf(policy_id),
      policy_id,
      client_id: input.client_id,
      connection_id: input.connection,
      resource_scopes: first?.resource_scopes ?? wanted?.resource_scopes,
      method: input.evidence.at(-1)?.method,
    })
    this.#notices.note(first === undefined ? 'access_denied' : 'access_granted', about, input.now)
  }
}

/** One cell a resource: scopes and the policies they rest on put together. */
function merged(cells: readonly GrantedCell[]): GrantedCell[] {
  const byResource = new Map<string, GrantedCell>()
  for (const cell of cells) {
    const known = byResource.get(cell.resource_id)
    const join = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])]
    byResource.set(
      cell.resource_id,
      known === undefined
        ? cell
        : {
            resource_id: cell.resource_id,
            resource_scopes: join(known.resource_scopes, cell.resource_scopes),
            policies: join(known.policies, cell.policies),
            until: Math.max(known.until, cell.until),
          },
    )
  }
  return [...byResource.values()]
}

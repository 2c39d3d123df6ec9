// A ticket becomes an RPT (UMA Grant 3.3): its one use, the assessment, an upgrade and the grant are one turn. Nothing in this file may wait.
import type { AskedNeed, GrantedCell } from '../policy/assess.ts'
import { mergedTerms } from '../policy/decide.ts'
import { IDENTIFYING } from '../policy/evidence.ts'
import type { GrantTerms } from '../policy/policy.ts'
import { accessTold } from './access-told.ts'
import type { OwnerAnswers } from './owner-answers.ts'
import type { Assessed, Assessing, OwnerDecisions } from './owner-decisions.ts'
import { keptEvidence } from './owner-facts.ts'
import type { OwnerGrants } from './owner-grants.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { OwnerRefresh } from './owner-refresh.ts'
import type { OwnerRequests } from './owner-requests.ts'
import { compact } from './owner-tables.ts'
import type { OwnerTokens } from './owner-tokens.ts'
import type { OwnerWorlds } from './owner-world.ts'

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
  /** Hash of the persisted claims token that the client gets if this is granted, and the name of the guest's object that keeps it. */
  pct?: { hash: string; guest: string }
  /** The request that the client polls about (UMA Grant 3.3.6). */
  request?: string
  /** Hash of the RPT that the client sent along; `same`: the client keeps that string (UMA Grant 3.3.5.1). */
  upgrade?: { hash: string; same: boolean }
}
export type Redeemed =
  /**
   * `refresh`: the refresh token was stored; `upgraded`: the old permissions are in it; `same`: the old string is the new RPT; `pct`: false
   * if a rule wants nothing to be remembered; `mail`: somebody broke the glass, and the owner is to hear of it by mail, too.
   */
  | { kind: 'granted'; exp: number; refresh: boolean; upgraded: boolean; same: boolean; pct: boolean; mail: boolean }
  /** `alternatives`: other ways, cheapest first. `organisations`: those that the owner has joined by now, which a ticket of before may not know. */
  | { kind: 'need_info'; needs: AskedNeed[]; alternatives: AskedNeed[][]; organisations?: readonly string[] }
  /** The owner was asked and has not answered yet; `interval` in seconds. */
  | { kind: 'submitted'; request: string; interval: number }
  | { kind: 'denied' }
  /** The owner should be asked, and has too many questions, or too many of this guest. */
  | { kind: 'too_many' }
  | { kind: 'spent' }
  /** The record does not answer, and the client is new here: nothing was spent. */
  | { kind: 'unavailable' }
  | { kind: 'invalid_scope' }

type Outcome<K extends Assessed['kind']> = Extract<Assessed, { kind: K }>
type Parts = {
  tokens: OwnerTokens
  grants: OwnerGrants
  decisions: OwnerDecisions
  worlds: OwnerWorlds
  refresh: OwnerRefresh
  requests: OwnerRequests
  answers: OwnerAnswers
  notices: OwnerNotices
}

export class OwnerRedeem {
  readonly #tokens: OwnerTokens
  readonly #grants: OwnerGrants
  readonly #decisions: OwnerDecisions
  readonly #worlds: OwnerWorlds
  readonly #refresh: OwnerRefresh
  readonly #requests: OwnerRequests
  readonly #answers: OwnerAnswers
  readonly #notices: OwnerNotices

  constructor(parts: Parts) {
    this.#tokens = parts.tokens
    this.#grants = parts.grants
    this.#decisions = parts.decisions
    this.#worlds = parts.worlds
    this.#refresh = parts.refresh
    this.#requests = parts.requests
    this.#answers = parts.answers
    this.#notices = parts.notices
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
      // The guest took the question back: a client that polls does not ask it again.
      if (poll.kind === 'withdrawn') return { kind: 'denied' }
    }
    return this.#decide(this.#judged(input))
  }

  #decide(input: Redemption): Redeemed {
    const decided = this.#decisions.assess(input)
    switch (decided.kind) {
      case 'granted':
        return this.#grant(input, decided)
      case 'need_info':
        return { kind: 'need_info', needs: decided.needs, alternatives: decided.alternatives, organisations: this.#grants.organisations() }
      case 'ask':
        return this.#ask(input, decided)
      case 'denied':
        return this.#denied(input)
      case 'invalid_scope':
        return decided
    }
  }

  /** POLICY 2, `pct`: what was shown for an RPT of before does not meet a rule that wants nothing to be remembered. */
  #judged(asked: Redemption): Redemption {
    if (!asked.evidence.some((one) => one.kept === true)) return asked
    const decided = this.#decisions.assess(asked)
    const isAnew = decided.kind === 'granted' && decided.terms.pct === false
    return isAnew ? { ...asked, evidence: asked.evidence.filter((one) => one.kept !== true) } : asked
  }

  /** Spends the ticket and gives nothing, whatever the rules say. */
  refuse(input: Redemption): Redeemed {
    return { kind: this.#tokens.spend(input.jti, input.exp) ? 'denied' : 'spent' }
  }

  /** What would rest on the client and the guest at this moment, were the ticket unspent: a grant, or a question to the owner. Reads only. */
  wouldRest(input: Redemption): 'grant' | 'question' | undefined {
    if (this.#grants.connection(input.connection) === undefined) return undefined
    const decided = this.#decisions.assess(input)
    if (decided.kind === 'ask') return 'question'
    const isGranted = decided.kind === 'granted' || (decided.kind === 'denied' && this.#once(input)?.kind === 'granted')
    return isGranted ? 'grant' : undefined
  }

  /** Only the owner's answer is missing (POLICY 3): she is asked, by somebody whom she can tell, and the client waits. */
  #ask(input: Redemption, decided: Outcome<'ask'>): Redeemed {
    const mac = this.#addresses(input).at(-1)
    const email = { kind: 'need_info', needs: [{ kind: 'claim', claim: 'email' }], alternatives: [] } satisfies Redeemed
    if (mac === undefined) return email
    const { client_id, connection, now } = input
    const asks = { keys: decided.keys, cells: decided.cells }
    const known = this.#requests.waiting({ mac, client_id, connection, cells: asks.cells, now })
    if (known !== undefined) return { kind: 'submitted', request: known.id, interval: this.#requests.polled(known, now) }
    const asked = this.#answers.askFor({
      mac,
      client_id,
      connection_id: connection,
      method: input.evidence.at(-1)?.method ?? '',
      asks,
      now,
    })
    if (asked.kind === 'nameless') return email
    if (asked.kind !== 'waiting') return { kind: asked.kind === 'too_many' ? 'too_many' : 'denied' }
    return { kind: 'submitted', request: asked.row.id, interval: this.#requests.polled(asked.row, now) }
  }

  #addresses(input: Redemption): string[] {
    const shown = input.evidence.filter((one) => one.claim === 'email' && one.exp > input.now && this.#grants.isTrusted(one))
    return shown.map((one) => one.policy_mac)
  }

  #asked(input: Redemption) {
    return this.#requests.find({ ...input, macs: this.#addresses(input) })
  }

  /** What the ticket gives because the owner has allowed it once. All that takes away still does. */
  #once(input: Redemption): (Assessed & { request: string }) | undefined {
    const asked = this.#asked(input)
    if (asked === undefined || asked.state === 'waiting') return undefined
    return { ...this.#decisions.assess(input, this.#requests.onceRules(asked)), request: asked.id }
  }

  /** No rule fits. Perhaps the owner was asked, and has answered, or has not. */
  #denied(input: Redemption): Redeemed {
    const asked = this.#asked(input)
    if (asked?.state === 'waiting') {
      return { kind: 'submitted', request: asked.id, interval: this.#requests.polled(asked, input.now) }
    }
    const once = this.#once(input)
    if (once?.kind !== 'granted') {
      this.#note(input, [], {})
      return { kind: 'denied' }
    }
    // Once: this RPT and no refresh of it.
    this.#requests.use(once.request, input.now)
    const { refresh: _, ...only } = input
    return this.#grant(only, once)
  }

  #grant(input: Redemption, decided: Outcome<'granted'>): Redeemed {
    const { client_id, connection, jkt, now, upgrade, client_trust, purpose, links, context } = input
    const { cells: asked, uses, who, requests } = decided
    this.#note(input, asked, decided.terms)
    this.#worlds.use(uses, who)
    for (const id of requests) this.#requests.use(id, now)
    const grounds = { ...compact({ client_trust, purpose, links, context }), who, uses, requests }
    const fresh = { hash: input.rpt_hash, client_id, connection, jkt, evidence: keptEvidence(input.evidence), grounds, now }
    const old = upgrade === undefined ? undefined : this.#grants.upgradable(upgrade.hash, fresh)
    const same = old !== undefined && upgrade?.same === true
    const rpt = { ...fresh, ...(same && { hash: upgrade.hash }), ...(old !== undefined && { grounds: old.grounds }) }
    const cells = merged([...asked, ...(old?.cells ?? [])])
    const terms = old === undefined ? decided.terms : mergedTerms([decided.terms, old.terms])
    const exp = this.#grants.grant(rpt, cells, terms)
    // > the authorization server SHOULD revoke the existing RPT if the upgraded one is a new string (UMA Grant 3.3.5.1)
    if (old !== undefined && upgrade !== undefined && !same) this.#grants.dropRpt(upgrade.hash)
    // What was counted, or allowed for this time, is not made longer by a refresh token.
    const isLasting = terms.refresh !== false && (rpt.grounds.uses ?? []).length === 0 && (rpt.grounds.requests ?? []).length === 0
    const refresh = input.refresh !== undefined && isLasting && this.#refresh.insert(input.refresh, rpt, cells, exp)
    const mail = asked.some(({ emergency }) => emergency === true) && this.#grants.isTimeToMail(now)
    return { kind: 'granted', exp, refresh, upgraded: old !== undefined, same, pct: terms.pct !== false, mail }
  }

  #note(input: Redemption, cells: readonly GrantedCell[], { notify }: GrantTerms): void {
    const [first, wanted] = [cells.find(({ emergency }) => emergency === true) ?? cells[0], input.permissions[0]]
    const policy_id = first?.policies[0]
    const shown = input.evidence.findLast((one) => IDENTIFYING.includes(one.claim))
    const about = compact({
      resource_id: first?.resource_id ?? wanted?.resource_id,
      person_id: this.#grants.personOf(policy_id) ?? (shown && this.#grants.personWith(shown.policy_mac).person_id),
      policy_id,
      client_id: input.client_id,
      connection_id: input.connection,
      resource_scopes: first?.resource_scopes ?? wanted?.resource_scopes,
      // UMA Grant 6.1: the owner sees that nothing was shown this time.
      method: input.evidence.at(-1)?.kept === true ? 'rpt' : input.evidence.at(-1)?.method,
      ...accessTold(cells.length === 0 ? input.permissions : cells, input.evidence),
    })
    // POLICY 2, `notify`: everything is written down; how loudly it is told is the rule's.
    const isBroken = cells.some(({ emergency }) => emergency === true)
    const isQuiet = notify === 'never' || (notify === 'first' && policy_id !== undefined && this.#grants.wasSeen(policy_id))
    // POLICY 8d: never silent; mergedTerms lets no rule make it so.
    const event = first === undefined ? 'access_denied' : isBroken ? 'glass_broken' : 'access_granted'
    this.#notices.note(event, about, input.now, isQuiet && !isBroken)
    if (notify === 'first') for (const cell of cells) for (const id of cell.policies) this.#grants.noteSeen(id, input.now)
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
            ...((known.emergency ?? cell.emergency) === true && { emergency: true }),
          },
    )
  }
  return [...byResource.values()]
}

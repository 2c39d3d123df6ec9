// What an RPT rests on counts again when the RPT is sent along with a ticket (UMA Grant 3.3.1, POLICY 3 "Freshness"): of a dozen proofs only
// the one that has run out is asked for again. No leave to remember (UMA Grant 6.2): for the same app, key and resource server only; for more
// than before only with who shows now who they are; and no longer than an RPT lives after the proof was shown. Reads only.
import type { GrantedCell } from '../policy/assess.ts'
import { IDENTIFYING, type OwnerEvidence } from '../policy/evidence.ts'
import { RPT_LIFETIME } from './owner-grants.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import type { Redemption } from './owner-redeem.ts'
import { compact, type GrantEvidence, type RptRow } from './owner-tables.ts'

/** Seconds for which an RPT that has run out may be sent along. */
const LATE = 86_400
/** Facts that are taken over at most; the newest. */
const MOST_KEPT = 64

export class OwnerKept {
  readonly #sql: SqlStorage
  readonly #lookup: OwnerLookup

  constructor(ctx: DurableObjectState, lookup: OwnerLookup) {
    this.#sql = ctx.storage.sql
    this.#lookup = lookup
  }

  /** Facts of the RPT that was sent along, marked `kept`, beside what is shown now; none if anything about it is another's. */
  beside(shown: readonly OwnerEvidence[], asked: Pick<Redemption, 'upgrade' | 'client_id' | 'connection' | 'jkt' | 'permissions' | 'now'>) {
    const old = asked.upgrade === undefined ? undefined : this.#row(asked.upgrade.hash)
    const isSame = old?.client_id === asked.client_id && old.connection_id === asked.connection && old.jkt === asked.jkt
    if (old === undefined || !isSame || old.exp <= asked.now - LATE) return []
    const cells = JSON.parse(old.permissions) as GrantedCell[]
    const had = new Map(cells.map((cell) => [cell.resource_id, cell.resource_scopes]))
    const isMore = asked.permissions.some(({ resource_id, resource_scopes }) => {
      const scopes = had.get(resource_id)
      return scopes === undefined || !resource_scopes.every((scope) => scopes.includes(scope))
    })
    // POLICY 2, `pct`: a rule may want nothing to be remembered. POLICY 3: an emergency never is.
    const isAnew = cells.some(
      ({ emergency, policies }) => emergency === true || policies.some((id) => this.#lookup.rule(id)?.grant?.pct === false),
    )
    const facts = JSON.parse(old.evidence) as GrantEvidence[]
    const guest = guestOf(facts, shown, asked.now)
    // Choice: UMA Grant 3.3.1 leaves open what an RPT that is sent along is good for besides being upgraded.
    const counts = !isAnew && (guest === 'shown' || (guest === 'unnamed' && !isMore))
    return counts ? keptFacts(facts, shown, asked.now) : []
  }

  #row(hash: string): RptRow | undefined {
    return this.#sql.exec<RptRow>('SELECT * FROM rpt WHERE hash = ?', hash).toArray()[0]
  }
}

/**
 * UMA Grant 5.1, SPECS G-61. `shown`: all that said then who it was is shown now. `unnamed`: nothing now says otherwise; whoever it is has
 * what the RPT itself would open.
 */
function guestOf(facts: readonly GrantEvidence[], shown: readonly OwnerEvidence[], now: number): 'shown' | 'unnamed' | 'another' {
  const were = facts.filter(({ claim }) => IDENTIFYING.includes(claim)).map(({ mac }) => mac)
  const are = shown.filter(({ claim, exp }) => IDENTIFYING.includes(claim) && exp > now).map(({ policy_mac }) => policy_mac)
  if (were.length > 0 && were.every((mac) => are.includes(mac))) return 'shown'
  return are.every((mac) => were.includes(mac)) ? 'unnamed' : 'another'
}

/** Facts as they were shown, but for those that are shown anew; of an issuer its newest word counts alone (worker/negotiation/shown.ts). */
function keptFacts(facts: readonly GrantEvidence[], shown: readonly OwnerEvidence[], now: number): OwnerEvidence[] {
  return facts
    .flatMap((fact): OwnerEvidence[] => {
      const { mac, domain, iss, iat } = fact
      // Of grants of before nobody knows who vouched, nor when.
      if (iss === undefined || iat === undefined) return []
      const isReplaced = shown.some(
        (one) => one.claim === fact.claim && one.iss === iss && (one.policy_mac === mac || one.trust !== undefined),
      )
      // The word of an issuer ends an hour after it was given; what was proved to this server itself counts on here for no longer.
      const exp = fact.trust === undefined ? Math.min(fact.exp, iat + RPT_LIFETIME) : fact.exp
      // Who it was stays known when it counts no more: so that it ends when the guest lets it be forgotten, and a block still meets.
      if (isReplaced || (exp <= now && !IDENTIFYING.includes(fact.claim))) return []
      const { claim, method, level, holds, trust, also } = fact
      const known = { claim, value: '', method, iss, exp, controlled_at: iat, presented_at: iat, policy_mac: mac, kept: true as const }
      return [{ ...known, ...compact({ policy_domain: domain, level, holds, trust, also }) }]
    })
    .slice(-MOST_KEPT)
}

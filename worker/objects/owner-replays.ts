// What a ticket has brought, for owners who want it to end when the ticket is seen again (UMA Grant 5.5, SPECS G-82): whoever presents a used
// ticket should not have it, and perhaps not what came of it either. Off unless the owner says so, since anybody who once saw a ticket could
// end it. Only tickets that are used while it is on count; the rows die with their tickets.
import type { OwnerGrants } from './owner-grants.ts'
import type { Redeemed, Redemption } from './owner-redeem.ts'
import type { OwnerRefresh } from './owner-refresh.ts'
import { within } from './record.ts'

const META = 'revoke_on_replay'
/** Seconds for which the guest's object is asked again about a token that it does not know: it may be about to keep it. */
const TRIES = 60

export class OwnerReplays {
  readonly #ctx: DurableObjectState
  readonly #env: Pick<Env, 'GUEST'>
  readonly #sql: SqlStorage
  readonly #grants: OwnerGrants
  readonly #refresh: OwnerRefresh
  #isOn: boolean

  constructor(ctx: DurableObjectState, env: Pick<Env, 'GUEST'>, grants: OwnerGrants, refresh: OwnerRefresh) {
    this.#ctx = ctx
    this.#env = env
    this.#sql = ctx.storage.sql
    this.#grants = grants
    this.#refresh = refresh
    this.#isOn = this.#sql.exec('SELECT 1 FROM meta WHERE k = ? AND v = ?', META, 'yes').toArray().length > 0
  }

  get isOn(): boolean {
    return this.#isOn
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn
    this.#sql.exec('INSERT OR REPLACE INTO meta (k, v) VALUES (?, ?)', META, isOn ? 'yes' : 'no')
    if (isOn) return
    this.#sql.exec('DELETE FROM brought')
    this.#sql.exec('DELETE FROM brought_pct WHERE ending IS NULL')
  }

  /** In the turn in which the ticket was presented: remembers what it brought, or ends what it brought before. */
  after<R extends Redeemed>(input: Redemption, redeemed: R): R {
    if (redeemed.kind === 'spent') this.seenAgain(input)
    // What earlier tickets brought is in the new string now.
    if (redeemed.kind === 'granted' && redeemed.upgraded && !redeemed.same && this.#isOn) {
      this.#sql.exec('UPDATE brought SET rpt = ? WHERE rpt = ?', input.rpt_hash, input.upgrade?.hash ?? '')
    }
    if (redeemed.kind === 'granted' && this.#isOn) {
      this.#sql.exec(
        'INSERT OR REPLACE INTO brought (jti, client_id, rpt, refresh, exp) VALUES (?, ?, ?, ?, ?)',
        input.jti,
        input.client_id,
        redeemed.same ? (input.upgrade?.hash ?? input.rpt_hash) : input.rpt_hash,
        redeemed.refresh ? (input.refresh?.hash ?? null) : null,
        input.exp,
      )
      if (redeemed.pct && input.pct !== undefined) {
        this.#sql.exec(
          'INSERT OR REPLACE INTO brought_pct (jti, client_id, hash, guest, exp) VALUES (?, ?, ?, ?, ?)',
          input.jti,
          input.client_id,
          input.pct.hash,
          input.pct.guest,
          input.exp,
        )
      }
    }
    return redeemed
  }

  /** A ticket that was used before is presented, by whomever and wherever. */
  seenAgain({ jti, now }: { jti: string; now: number }): void {
    if (!this.#isOn) return
    const persisted = this.#sql.exec('UPDATE brought_pct SET ending = ? WHERE jti = ? AND ending IS NULL RETURNING jti', now + TRIES, jti)
    if (persisted.toArray().length > 0) this.#ctx.waitUntil(this.settle(now))
    const row = this.#sql
      .exec<{ client_id: string; rpt: string; refresh: string | null }>(
        'DELETE FROM brought WHERE jti = ? RETURNING client_id, rpt, refresh',
        jti,
      )
      .toArray()[0]
    if (row === undefined) return
    this.#grants.dropRpt(row.rpt)
    const { client_id } = row
    for (const hash of [...(row.refresh === null ? [] : [row.refresh]), ...this.#refresh.tokensOf(row.rpt)])
      this.#refresh.revoke({ hash, client_id, now })
  }

  /**
   * Ends persisted claims tokens where they are kept, with the guest's own object: the app asks the guest again, also for other owners. True
   * when none is left; the alarm comes again for one whose guest's object is away, or has not heard of it yet.
   */
  async settle(now: number): Promise<boolean> {
    const rows = this.#sql
      .exec<{ jti: string; client_id: string; hash: string; guest: string; ending: number }>(
        'SELECT jti, client_id, hash, guest, ending FROM brought_pct WHERE ending IS NOT NULL',
      )
      .toArray()
    const ended = await Promise.all(
      rows.map(async ({ jti, client_id, hash, guest, ending }) => {
        try {
          const isKnown = await within(this.#env.GUEST.get(this.#env.GUEST.idFromName(guest)).revoke({ hash, client_id }))
          if (!isKnown && ending > now) return false
        } catch {
          return false
        }
        this.#sql.exec('DELETE FROM brought_pct WHERE jti = ?', jti)
        return true
      }),
    )
    return ended.every(Boolean)
  }

  sweep(now: number): void {
    this.#sql.exec('DELETE FROM brought WHERE exp <= ?', now)
    this.#sql.exec('DELETE FROM brought_pct WHERE exp <= ? AND ending IS NULL', now)
  }
}

// Guests that this owner relies on (DESIGN 3, "Shared facts reach the owners"): each pair of owner and guest is with the guest's own object
// before the first grant or question that rests on the guest, so that "delete everything" finds its way here; and what of a guest is here.
import type { GrantedCell } from '../policy/assess.ts'
import type { OwnerEvidence } from '../policy/evidence.ts'
import type { Permission } from '../policy/scopes.ts'
import type { OwnerRecord } from './owner-record.ts'
import { REFRESH_LIFETIME } from './owner-refresh.ts'
import { LONGEST_REQUEST } from './owner-requests.ts'
import { within } from './record.ts'

/** Somebody as this owner's rules know them, and the name of the guest's own object. */
export type KnownGuest = Pick<OwnerEvidence, 'policy_mac' | 'guest'>

/** What an owner keeps of a guest and the guest may see: nothing of rules, of names, or of what the owner has answered. */
export type OfGuest = {
  asked: {
    id: string
    client_id: string
    /** Client id of the service that keeps the thing. */
    service: string
    resource_scopes: string[]
    created_at: number
    /** `over`: answered, used or run out. */
    state: 'waiting' | 'allowed' | 'over' | 'withdrawn'
  }[]
  opened: {
    client_id: string
    service: string
    resource_scopes: string[]
    /** What lasts longer than one access may be opened again by the app itself until then. */
    ends_at: number
    opened_at?: number
    last_used_at?: number
  }[]
}

/** Seconds after which a pair is told anew, and for which the guest's object keeps it: what came to rest on it in between has ended by then. */
const TOLD_AGAIN = 60 * 86_400
const KEPT = TOLD_AGAIN + Math.max(REFRESH_LIFETIME, LONGEST_REQUEST) + 86_400
/** Guests that an instance remembers. */
const REMEMBERED = 2000

type OpenedRow = {
  client_id: string
  service: string
  permissions: string
  exp: number
  opened_at: number | null
  last_used_at: number | null
}

export class OwnerGuests {
  readonly #sql: SqlStorage
  readonly #env: Pick<Env, 'GUEST'>
  readonly #record: OwnerRecord
  /** Until when the pair need not be told again. */
  readonly #recorded = new Map<string, number>()
  #forgotten = 0

  constructor(ctx: DurableObjectState, env: Pick<Env, 'GUEST'>, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#env = env
    this.#record = record
  }

  /** Whether all pairs are with the guests' objects for sure. */
  areRecorded(guests: readonly KnownGuest[], now: number): boolean {
    return guests.every((one) => one.guest === undefined || this.#isRecorded(one.policy_mac, now))
  }

  #isRecorded(mac: string, now: number): boolean {
    const known = this.#recorded.get(mac)
    if (known !== undefined) return known > now
    const row = this.#sql.exec<{ until: number }>('SELECT until FROM guest_reliance WHERE mac = ?', mac).toArray()[0]
    if (row !== undefined) this.#remember(mac, row.until)
    return row !== undefined && row.until > now
  }

  /**
   * Tells the guests' objects, before anything rests on them. False if one does not answer, or if somebody was forgotten meanwhile: whether that came before or after, nobody
   * knows, and nothing may rest on a pair that the guest's object has dropped. `forgotten` hears what the guest let be forgotten before.
   */
  async record(guests: readonly KnownGuest[], now: number, forgotten: (mac: string, at: number) => void): Promise<boolean> {
    const owner = this.#record.owner
    if (owner === undefined) return false
    for (const { policy_mac: mac, guest } of guests) {
      if (guest === undefined || this.#isRecorded(mac, now)) continue
      const before = this.#forgotten
      try {
        const { forgotten_at } = await within(
          this.#env.GUEST.get(this.#env.GUEST.idFromName(guest)).relied({ owner, mac, exp: now + KEPT }),
        )
        if (forgotten_at > 0) forgotten(mac, forgotten_at)
      } catch {
        return false
      }
      if (this.#forgotten !== before) return false
      const until = now + TOLD_AGAIN
      this.#sql.exec('INSERT OR REPLACE INTO guest_reliance (mac, until) VALUES (?, ?)', mac, until)
      this.#remember(mac, until)
    }
    return true
  }

  /** The guest's object has dropped the pair, for all apps: the next one tells it again. */
  forget(mac: string): void {
    this.#forgotten += 1
    this.#recorded.delete(mac)
    this.#sql.exec('DELETE FROM guest_reliance WHERE mac = ?', mac)
  }

  /** What of a guest is here. `opened`: also where something was opened. */
  here({ mac, opened, now }: { mac: string; opened: boolean; now: number }): OfGuest {
    const asked = this.#sql
      .exec<{ id: string; client_id: string; service: string; permissions: string; created_at: number; state: string; exp: number }>(
        `SELECT r.id, r.client_id, c.client_id AS service, r.permissions, r.created_at, r.state, r.exp
         FROM request r JOIN connection c ON c.id = r.connection_id WHERE r.mac = ? ORDER BY r.created_at DESC, r.id LIMIT 100`,
        mac,
      )
      .toArray()
      .map(({ permissions, state, exp, ...row }): OfGuest['asked'][number] => ({
        ...row,
        resource_scopes: scopesOf(permissions),
        state: state === 'withdrawn' ? state : exp > now && (state === 'waiting' || state === 'allowed') ? state : 'over',
      }))
    return { asked, opened: opened ? this.#opened(mac) : [] }
  }

  /** As they were given: what the owner has changed since is hers. */
  #opened(mac: string): OfGuest['opened'] {
    const rows = this.#sql.exec<OpenedRow>(
      `SELECT g.client_id, c.client_id AS service, g.permissions, g.exp, g.opened_at, g.last_used_at FROM (
         SELECT client_id, connection_id, permissions, evidence, exp, created_at AS opened_at, last_used_at FROM rpt UNION ALL
         SELECT client_id, connection_id, permissions, evidence, exp, NULL, NULL FROM renewal
       ) g JOIN connection c ON c.id = g.connection_id WHERE instr(g.evidence, ?) > 0 ORDER BY g.exp DESC LIMIT 400`,
      JSON.stringify(mac),
    )
    return rows.toArray().map(({ permissions, exp, opened_at, last_used_at, ...row }) => ({
      ...row,
      resource_scopes: scopesOf(permissions),
      ends_at: exp,
      ...(opened_at === null ? {} : { opened_at }),
      ...(last_used_at === null ? {} : { last_used_at }),
    }))
  }

  sweep(now: number): void {
    this.#sql.exec('DELETE FROM guest_reliance WHERE until <= ?', now)
  }

  #remember(mac: string, until: number): void {
    if (this.#recorded.size >= REMEMBERED) this.#recorded.clear()
    this.#recorded.set(mac, until)
  }
}

const scopesOf = (permissions: string): string[] => [
  ...new Set((JSON.parse(permissions) as (Permission | GrantedCell)[]).flatMap((one) => one.resource_scopes)),
]

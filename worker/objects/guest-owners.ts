// The owners with whom something rests on one guest (DESIGN 3, "Shared facts reach the owners"): written down before anything rests on the
// guest there, told when the guest lets something be forgotten, until they have heard, and asked when the guest wants to know.
import type { OfGuest } from './owner-guests.ts'
import { within } from './record.ts'

/** The owner whose grant or question is to rest on the guest, and the MAC by which that owner's rules know the address. */
export type Reliance = { owner: string; mac: string }
/** What owners keep of a guest; `complete`: all of them have answered. `owner` is for this server only, no page may show it. */
export type Around = { asked: (OfGuest['asked'][number] & { owner: string })[]; opened: OfGuest['opened']; complete: boolean }

/** Stands where an app stands, of what rests on the guest whatever the app. */
const ANY_APP = ''
/** How long it is known that a guest let something be forgotten: longer than any ticket and any waiting request lives, in seconds. */
export const FORGOTTEN = 31 * 86_400
/** Owners that are asked at a time, and at all, the latest first. */
const AT_ONCE = 25
const MOST_ASKED = 500

export class GuestOwners {
  readonly #tables: () => SqlStorage
  readonly #env: Pick<Env, 'OWNER'>

  constructor(tables: () => SqlStorage, env: Pick<Env, 'OWNER'>) {
    this.#tables = tables
    this.#env = env
  }

  /** Written down until `exp`, of one app's consent, or of whatever comes to rest on the guest. */
  rely({ owner, mac }: Reliance, exp: number, clientId = ANY_APP): void {
    this.#tables().exec('INSERT OR REPLACE INTO reliance (owner, client_id, mac, exp) VALUES (?, ?, ?, ?)', owner, clientId, mac, exp)
  }

  /** Whether there is anything to be forgotten anywhere. */
  get isAny(): boolean {
    return this.#tables().exec('SELECT 1 FROM reliance LIMIT 1').toArray().length > 0
  }

  /** When all was forgotten, or of one app what it had leave for, in seconds; 0 if it never was. What was shown before counts no more. */
  forgottenAt(clientId = ANY_APP): number {
    const sql = this.#tables()
    return sql.exec<{ at: number | null }>('SELECT MAX(at) AS at FROM forgotten WHERE client_id IN (?, ?)', ANY_APP, clientId).one().at ?? 0
  }

  /** Moves those who rely on an app's consent, or on anything, to the list of those to be told. */
  tell(clientId: string | null, now: number): void {
    this.#tables().exec('INSERT OR REPLACE INTO forgotten (client_id, at) VALUES (?, ?)', clientId ?? ANY_APP, now)
    this.#tables().exec(
      'INSERT INTO telling (owner, mac, client_id) SELECT DISTINCT owner, mac, ?1 FROM reliance WHERE ?1 IS NULL OR client_id = ?1',
      clientId,
    )
    // The same app with another key may still rely on its own consent.
    this.#tables().exec(
      'DELETE FROM reliance WHERE ?1 IS NULL OR (client_id = ?1 AND NOT EXISTS (SELECT 1 FROM consent WHERE client_id = ?1))',
      clientId,
    )
  }

  /** True when all owners have heard. */
  async deliver(now: number): Promise<boolean> {
    const waiting = this.#tables()
      .exec<{ seq: number; owner: string; mac: string; client_id: string | null }>('SELECT * FROM telling ORDER BY seq')
      .toArray()
    const heard = await Promise.all(
      waiting.map(async ({ seq, owner, mac, client_id }) => {
        try {
          await within(this.#owner(owner).forgetGuest({ mac, client_id, now }))
          this.#tables().exec('DELETE FROM telling WHERE seq = ?', seq)
          return true
        } catch {
          return false // told again by the alarm
        }
      }),
    )
    return heard.every(Boolean)
  }

  /** What owners keep that is the guest's: what was asked for, and, if wanted, where something was opened. */
  async around(input: { opened: boolean; now: number }): Promise<Around> {
    const owners = this.#tables()
      .exec<Reliance>('SELECT owner, mac FROM reliance GROUP BY owner, mac ORDER BY MAX(exp) DESC LIMIT ?', MOST_ASKED + 1)
      .toArray()
    const found: Around = { asked: [], opened: [], complete: owners.length <= MOST_ASKED }
    for (let from = 0; from < Math.min(owners.length, MOST_ASKED); from += AT_ONCE) {
      const some = owners.slice(from, from + AT_ONCE)
      const answers = await Promise.allSettled(some.map(({ owner, mac }) => within(this.#owner(owner).ofGuest({ mac, ...input }))))
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') {
          found.complete = false
          continue
        }
        const { owner } = some[index] as Reliance
        found.asked.push(...answer.value.asked.map((one) => ({ ...one, owner })))
        found.opened.push(...answer.value.opened)
      }
    }
    return found
  }

  /** Takes back what the guest asked an owner. Nothing happens with one who does not know the guest. @throws if the owner's object is away */
  async withdraw({ owner, id, now }: { owner: string; id: string; now: number }): Promise<void> {
    const known = this.#tables().exec<{ mac: string }>('SELECT DISTINCT mac FROM reliance WHERE owner = ?', owner).toArray()
    for (const { mac } of known) await within(this.#owner(owner).withdrawOfGuest({ mac, id, now }))
  }

  #owner(owner: string) {
    return this.#env.OWNER.get(this.#env.OWNER.idFromName(owner))
  }
}

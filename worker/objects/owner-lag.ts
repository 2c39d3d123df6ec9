// Tells the meter when this owner's object could not tell D1 everything, and when it has caught up. Only when that changes, and never in
// anybody's way.
import type { OwnerRecord } from './owner-record.ts'
import { within } from './record.ts'

const PATIENCE = 1000

export class OwnerLag {
  readonly #env: Env
  readonly #record: OwnerRecord

  constructor(env: Env, record: OwnerRecord) {
    this.#env = env
    this.#record = record
  }

  /** After each alarm: whether all was told. `now` in seconds. Never throws. */
  async tell(isCurrent: boolean, now: number): Promise<void> {
    const owner = this.#record.owner
    const isBehind = this.#record.meta('behind') === '1'
    if (owner === undefined || isCurrent !== isBehind) return
    const meter = this.#env.METER.get(this.#env.METER.idFromName('meter'))
    try {
      await within(Promise.resolve(isCurrent ? meter.caughtUp({ owner }) : meter.behind({ owner, since: now })), PATIENCE)
      this.#record.setMeta('behind', isCurrent ? '0' : '1')
    } catch {
      // The next alarm tells it.
    }
  }
}

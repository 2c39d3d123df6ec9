// How fast one owner's apps may ask and change (POLICY 5): all of them together, and each of them half of that, so that none takes the turn of
// the others. Counted in memory: who restarts the object by asking gains nothing by it. The page `/`, where the owner is herself, is not
// counted: she can always stop what an app of hers does.
import { MinuteCounts, type Quotas } from './quotas.ts'

/** `service`: a question of a service about its own things; it never takes the turn of the owner's. */
export type Pace = 'read' | 'change' | 'question' | 'service'

export class OwnerPace {
  readonly #all: Readonly<Record<Pace, MinuteCounts>>
  readonly #each: Readonly<Record<Pace, MinuteCounts>>

  constructor(quotas: Quotas) {
    const { reads_per_owner_minute, changes_per_owner_minute, questions_per_owner_minute } = quotas
    const counts = (share: number) => ({
      read: new MinuteCounts(Math.ceil(reads_per_owner_minute * share)),
      change: new MinuteCounts(Math.ceil(changes_per_owner_minute * share)),
      question: new MinuteCounts(Math.ceil(questions_per_owner_minute * share)),
      service: new MinuteCounts(Math.ceil(questions_per_owner_minute * share)),
    })
    this.#all = counts(1)
    this.#each = counts(0.5)
  }

  /** As `take`, without counting. */
  look(pace: Pace, app: string, now: number): number | undefined {
    return this.#each[pace].look(app, now) ?? this.#all[pace].look('', now)
  }

  /** Counts one more of an app; the seconds until it may come again if that is too many. `now` in seconds. */
  take(pace: Pace, app: string, now: number): number | undefined {
    return this.#each[pace].take(app, now) ?? this.#all[pace].take('', now)
  }
}

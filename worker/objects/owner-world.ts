// The world in which the engine decides (worker/policy/world.ts), of somebody who asks now and of a grant that was made before. Use counters
// are here: rows that outlive restarts, counted in the turn that grants.
import type { Counter } from '../policy/condition.ts'
import { IDENTIFYING } from '../policy/evidence.ts'
import type { ClientTrust } from '../policy/policy.ts'
import type { Cell, Fact, World } from '../policy/world.ts'

/** What a decision rests on besides rules and facts. */
export type Circumstances = {
  client_id: string
  client_trust?: readonly ClientTrust[]
  purpose?: string
  /** Keyed hashes of link secrets, as this owner's rules know them. */
  links?: readonly string[]
  /** What the resource server said when it asked for the ticket (sealed into it). */
  context?: World['context']
}

/** What is kept of that with a grant; `who`: whom its uses were counted for; `requests`: answers of the owner that it used. */
export type Grounds = Omit<Circumstances, 'client_id'> & {
  who?: readonly string[]
  uses?: readonly Counter[]
  requests?: readonly string[]
}

/** The owner's answers (owner-requests.ts). */
export type Answers = World['approved']

export class OwnerWorlds {
  readonly #sql: SqlStorage
  /** Whether an address is in a group of the owner. */
  readonly isMember: World['isMember']

  constructor(ctx: DurableObjectState, isMember: World['isMember']) {
    this.#sql = ctx.storage.sql
    this.isMember = isMember
  }

  /** Of somebody who asks now. */
  ofAsker(now: number, facts: readonly Fact[], at: Circumstances, approved: Answers): World {
    const who = whoAsks(facts, at.client_id, now)
    return this.#world(now, facts, at, { approved, used: (key, per) => this.#count(key, per === 'rqp' ? who : ['']) })
  }

  /** Of a grant: its own use is not counted against it, so that it stands as long as its limit does. */
  ofGrant(now: number, facts: readonly Fact[], client_id: string, grounds: Grounds, approved: Answers): World {
    const used = (key: string, per: Counter['per']): number => {
      const count = this.#count(key, per === 'rqp' ? (grounds.who ?? []) : [''])
      return grounds.uses?.some((one) => one.key === key && one.per === per) ? count - 1 : count
    }
    return this.#world(now, facts, { ...grounds, client_id }, { approved, used })
  }

  #world(now: number, facts: readonly Fact[], at: Circumstances, look: Pick<World, 'approved' | 'used'>): World {
    return {
      now,
      facts,
      client: { id: at.client_id, trust: at.client_trust ?? [] },
      purpose: at.purpose,
      links: at.links ?? [],
      context: at.context ?? {},
      isMember: this.isMember,
      ...look,
    }
  }

  /** Counts uses, in the turn that grants them. */
  use(counters: readonly Counter[], who: readonly string[]): void {
    for (const { key, per } of counters) {
      for (const one of per === 'rqp' ? who : ['']) {
        this.#sql.exec('INSERT INTO use_count (key, who, n) VALUES (?, ?, 1) ON CONFLICT (key, who) DO UPDATE SET n = n + 1', key, one)
      }
    }
  }

  /** How often a counter was used: by all together, and by whom how often. */
  uses(key: string): { who: string; n: number }[] {
    return this.#sql.exec<{ who: string; n: number }>('SELECT who, n FROM use_count WHERE key = ? ORDER BY n DESC LIMIT 200', key).toArray()
  }

  /** Who shows several addresses has used whatever one of them has. */
  #count(key: string, who: readonly string[]): number {
    return (
      this.#sql
        .exec<{ n: number | null }>(
          'SELECT MAX(n) AS n FROM use_count WHERE key = ? AND who IN (SELECT value FROM json_each(?))',
          key,
          JSON.stringify(who),
        )
        .one().n ?? 0
    )
  }
}

/** Whom uses are counted for: all that identifies whoever asks; of somebody unknown the app. */
export function whoAsks(facts: readonly Fact[], clientId: string, now: number): string[] {
  const known = facts.filter((fact) => IDENTIFYING.includes(fact.claim) && fact.exp > now).map((fact) => fact.mac)
  return known.length > 0 ? [...new Set(known)].sort() : [`client:${clientId}`]
}

/** As stored: nothing if there is nothing to say. */
export function storedGrounds({ client_trust, purpose, links, context, who, uses, requests }: Grounds): string | null {
  const said = {
    ...(client_trust !== undefined && client_trust.length > 0 && { client_trust }),
    ...(purpose !== undefined && { purpose }),
    ...(links !== undefined && links.length > 0 && { links }),
    ...(context !== undefined && Object.keys(context).length > 0 && { context }),
    ...(uses !== undefined && uses.length > 0 && { uses, who }),
    ...(requests !== undefined && requests.length > 0 && { requests }),
  }
  return Object.keys(said).length === 0 ? null : JSON.stringify(said)
}

/** `null`, of grants of before: nothing is known. */
export const readGrounds = (text: string | null): Grounds => (text === null ? {} : (JSON.parse(text) as Grounds))

/** What two grants together rest on: the newer one says how it came about, as far as it says anything. */
export const joinedGrounds = (newer: Grounds, older: Grounds): Grounds => ({
  ...(older.context === undefined ? {} : { context: older.context }),
  ...newer,
  ...(older.who === undefined && newer.who === undefined ? {} : { who: [...new Set([...(newer.who ?? []), ...(older.who ?? [])])] }),
  uses: [...(newer.uses ?? []), ...(older.uses ?? [])],
  requests: [...new Set([...(newer.requests ?? []), ...(older.requests ?? [])])],
})

/** No answer at all. */
export const UNANSWERED: Answers = (_key: string, _cell: Cell) => undefined

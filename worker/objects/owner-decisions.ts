// Where the engine (worker/policy) meets one owner's rows: what somebody may have now, and what still stands of a grant. Reads only, and
// nothing here may wait: who spends and stores does so in the same turn (owner-redeem.ts).
import { assessCells, type GrantedCell, type Outcome, type Rulebook } from '../policy/assess.ts'
import type { Counter } from '../policy/condition.ts'
import type { OwnerEvidence } from '../policy/evidence.ts'
import type { GrantTerms, Policy } from '../policy/policy.ts'
import { type Permission, requestedScopes } from '../policy/scopes.ts'
import type { Fact } from '../policy/world.ts'
import { factsOf, keptEvidence } from './owner-facts.ts'
import type { OwnerLookup } from './owner-lookup.ts'
import type { GrantEvidence, RptRow } from './owner-tables.ts'
import { type Answers, type Circumstances, type OwnerWorlds, readGrounds, UNANSWERED, whoAsks } from './owner-world.ts'

/** What is assessed: permissions of a ticket, the client's scopes (UMA Grant 3.3.4), what was shown, and how. */
export type Assessing = Circumstances & {
  now: number
  connection: string
  permissions: Permission[]
  /** Scopes that the client is registered for and those it asks for. */
  registered_scopes: string[]
  requested_scopes: string[]
  evidence: OwnerEvidence[]
  /** The client came back with nothing new: it gets what holds already (DESIGN decision 6). */
  settle?: boolean
  /** False: the client wants all that the ticket asks for, or nothing. */
  partial?: boolean
}
/** `who`: whom uses are counted for. `requests`: answers of the owner on which the outcome rests. */
export type Assessed = (Outcome & { who: string[]; requests: string[] }) | { kind: 'invalid_scope' }

/** The owner's answers to people who ask (owner-requests.ts). */
export type RequestAnswers = {
  /** To whoever shows these addresses with this app at this service; `used` fills with the requests that were decisive. */
  ofAsker: (asker: { macs: readonly string[]; client_id: string; connection: string; now: number }, used: Set<string>) => Answers
  /** Those that a grant rests on. */
  ofGrant: (requests: readonly string[], now: number) => Answers
  /** What was allowed once, as rules; they give nothing but what a grant names already. */
  onceRules: (ids: readonly string[]) => Policy[]
}

export type Standing = { cells: GrantedCell[]; terms: GrantTerms; uses: Counter[] }
const NOTHING: Standing = { cells: [], terms: {}, uses: [] }

export class OwnerDecisions {
  readonly #lookup: OwnerLookup
  readonly #worlds: OwnerWorlds
  /** Whether whoever vouches for this still counts here (owner-issuers.ts). */
  isTrusted: (evidence: Pick<GrantEvidence, 'claim' | 'iss' | 'trust'>) => boolean = (evidence) => evidence.trust === undefined
  answers: RequestAnswers = { ofAsker: () => UNANSWERED, ofGrant: () => UNANSWERED, onceRules: () => [] }

  constructor(lookup: OwnerLookup, worlds: OwnerWorlds) {
    this.#lookup = lookup
    this.#worlds = worlds
  }

  /** What rules are judged by. The word of an issuer that is no longer trusted is as if it had not been given. */
  facts(evidence: readonly GrantEvidence[]): Fact[] {
    return factsOf(evidence.filter((one) => this.isTrusted(one)))
  }

  /**
   * UMA Grant 3.3.4 over the rows as they are now. `more`: rules that count this time only. `invalid_scope`: asked-for scopes that no
   * resource of the ticket has.
   */
  assess(input: Assessing, more: readonly Policy[] = []): Assessed {
    return this.assessFacts({ ...input, facts: this.facts(keptEvidence(input.evidence)) }, more)
  }

  /** The same of what was made into facts before. */
  assessFacts(input: Omit<Assessing, 'evidence'> & { facts: readonly Fact[] }, more: readonly Policy[] = []): Assessed {
    const { cells, unavailable } = requestedScopes(
      input.permissions,
      (id) => this.#lookup.offered(id, input.connection) ?? [],
      input.registered_scopes,
      input.requested_scopes,
    )
    if (unavailable.length > 0) return { kind: 'invalid_scope' }
    const { now, client_id, connection, facts } = input
    const who = whoAsks(facts, client_id, now)
    const requests = new Set<string>()
    if (this.#lookup.blockOf(facts) !== undefined) return { kind: 'denied', who, requests: [] }
    const macs = facts.filter((fact) => fact.exp > now).map((fact) => fact.mac)
    const approved = this.answers.ofAsker({ macs, client_id, connection, now }, requests)
    const book = this.book((thing) => [...this.#lookup.rulesOf(thing, facts, now), ...more])
    const world = this.#worlds.ofAsker(now, facts, input, approved)
    const options = { settle: input.settle === true, partial: input.partial !== false }
    const outcome = assessCells(cells, book, world, options)
    if (outcome.kind === 'granted' && (outcome.uses.length > 0 || requests.size > 0)) {
      // What is given anyway uses nothing up: neither a counted use nor an answer that the owner gave for once.
      const free = assessCells(
        cells,
        book,
        { ...world, used: () => Number.POSITIVE_INFINITY, approved: UNANSWERED },
        { ...options, settle: true },
      )
      if (free.kind === 'granted' && isAsMuch(free.cells, outcome.cells)) return { ...free, who, requests: [] }
    }
    return { ...outcome, who, requests: [...requests] }
  }

  book(rules: Rulebook['rules']): Rulebook {
    return {
      thing: (id) => this.#lookup.known(id)?.thing,
      rules,
      type: (thing) => this.#lookup.known(thing.id)?.type,
    }
  }

  /** What still stands of a grant, under the rules it rests on, all that take away, and no others. */
  standing(grant: Pick<RptRow, 'client_id' | 'connection_id' | 'permissions' | 'evidence' | 'grounds'>, now: number): Standing {
    const facts = this.facts(JSON.parse(grant.evidence) as GrantEvidence[])
    if (this.#lookup.blockOf(facts) !== undefined) return NOTHING
    const grounds = readGrounds(grant.grounds)
    const granted = new Map((JSON.parse(grant.permissions) as GrantedCell[]).map((cell) => [cell.resource_id, cell]))
    const asked = [...granted.values()].map(({ resource_id, resource_scopes }) => {
      const offered = this.#lookup.offered(resource_id, grant.connection_id) ?? []
      const scopes = resource_scopes.filter((scope) => offered.includes(scope))
      return { resource_id, resource_scopes: scopes, fromTicket: scopes }
    })
    const book = this.book((thing) => {
      const policies = granted.get(thing.id)?.policies ?? []
      return [...this.#lookup.rulesNamed(thing, policies), ...this.answers.onceRules(policies)]
    })
    const approved = this.answers.ofGrant(grounds.requests ?? [], now)
    const world = this.#worlds.ofGrant(now, facts, grant.client_id, grounds, approved)
    const outcome = assessCells(asked, book, world, { settle: true })
    return outcome.kind === 'granted' ? { cells: outcome.cells, terms: outcome.terms, uses: outcome.uses } : NOTHING
  }
}

/** Whether some cells are all that others are. */
const isAsMuch = (some: readonly GrantedCell[], all: readonly GrantedCell[]): boolean =>
  all.every(({ resource_id, resource_scopes }) => {
    const scopes = some.find((one) => one.resource_id === resource_id)?.resource_scopes
    return scopes !== undefined && resource_scopes.every((scope) => scopes.includes(scope))
  })

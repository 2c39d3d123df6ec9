// The part of the owner's object that is asked about rules: RPC methods of OwnerObject (owner.ts), in a file of their own. Each checks its
// caller, lets the parts beside it read and write in one turn, and returns a union.
import { DurableObject } from 'cloudflare:workers'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import type { Along } from '../../shared/rule-along.ts'
import { BREAK_GLASS } from '../policy/break-glass.ts'
import { checkPolicy, type Problem } from '../policy/check.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Policy } from '../policy/policy.ts'
import type { Reason } from '../policy/why.ts'
import type { Cell, Fact } from '../policy/world.ts'
import { isOnce } from './once-rules.ts'
import type { RuleChange } from './owner-affected.ts'
import type { OwnerAnswers } from './owner-answers.ts'
import type { OwnerForesight, Searched, Wanted } from './owner-foresight.ts'
import type { OwnerGroups } from './owner-groups.ts'
import { type Ledger, type LedgerEntry, type LedgerFilter, macsOf, type OwnerLedger } from './owner-ledger.ts'
import { type OwnerLookup, policyOf } from './owner-lookup.ts'
import type { OwnerNotices } from './owner-notices.ts'
import type { OwnerPace } from './owner-pace.ts'
import { OwnerPast } from './owner-past.ts'
import type { OwnerQuestions, Supposed } from './owner-questions.ts'
import type { OwnerRecord, Widened } from './owner-record.ts'
import { type OwnerRules, type PutRule, type RuleNote, SHARE_REV } from './owner-rules.ts'
import type { OwnerShares } from './owner-shares.ts'
import { NOT_FOUND, type NotFound, type Unauthorized } from './owner-tables.ts'
import type { Caller, OwnerTokens } from './owner-tokens.ts'
import type { OwnerTypes } from './owner-types.ts'
import { type Compared, OwnerWhatIf, type PastCompared, type Told } from './owner-what-if.ts'
import type { OwnerWorlds } from './owner-world.ts'
import type { PastRow, PolicyRow, RuleRow } from './record.ts'

/** How the owner comes: with a wallet's token, or with a browser session that the server has opened. */
export type OwnerCaller = Caller | { sid: string }
/** Who calls, if it is the owner; connection and client of a wallet. */
export type OwnerCalls = { kind: 'ok'; connection_id?: string; client_id?: string }

export type PolicyParts = {
  record: OwnerRecord
  tokens: OwnerTokens
  rules: OwnerRules
  groups: OwnerGroups
  types: OwnerTypes
  pace: OwnerPace
  ledger: OwnerLedger
  lookup: OwnerLookup
  questions: OwnerQuestions
  foresight: OwnerForesight
  worlds: OwnerWorlds
  shares: OwnerShares
  answers: OwnerAnswers
  notices: OwnerNotices
  authorize: (caller: OwnerCaller, now: number, isChange?: boolean) => OwnerCalls | Unauthorized
}
/** `problems`: what the language says against the rule. */
export type RuleSaved = ((Widened<ShownEntry> | { kind: 'problems'; problems: Problem[] }) & By) | Unauthorized
/** An entry with the people whose MACs stand in it: MAC -> id. */
export type ShownEntry = LedgerEntry & { people: Record<string, string> }
/** More questions than one owner's object works on in a minute; `wait` in seconds. */
export type TooFast = { kind: 'too_fast'; wait: number } & By
type Asked<T> = ({ kind: 'ok'; revision: number } & By & T) | Unauthorized
/** What would change; `people` as in `ShownEntry`. */
export type Simulated = Told & Compared & PastCompared & { problems: Problem[]; people: Record<string, string>; along: Along[] }
/** A rule with what comes along with its scopes. */
type SpokenPolicy = Policy & { along: Along[] }
const NOTHING_CHANGES = { warnings: [], who: [], whoIsWhole: true, differences: [], isWhole: true, past: [], pastIsWhole: true }
/** The wallet or service that called, for the log. */
export type By = { client_id?: string }
export const by = ({ client_id }: By): By => (client_id === undefined ? {} : { client_id })
type At = { now: number }

/** Rules that are told to be passed, or to wait for something. */
const REASONS = 50

/** What a proof was of, who vouched, and until when it counts; never the value. */
type Proof = { claim: string; iss: string; until: number }
const proofOf = ({ claim, iss, exp }: Fact): Proof => ({ claim, iss, until: exp })
const proofsOf = ({ facts: ids, until = Number.POSITIVE_INFINITY }: Reason, facts: readonly Fact[]): Proof[] =>
  facts.filter(({ id }) => ids.includes(id)).map((fact) => ({ ...proofOf(fact), until: Math.min(fact.exp, until) }))

export abstract class OwnerPolicies extends DurableObject<Env> {
  /** Set by the constructor of OwnerObject; not reachable from outside, as it is no member of the prototype. */
  protected parts!: PolicyParts
  readonly #past = new OwnerPast(this.ctx, this.env)

  // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Saves a rule under `policy.id`, new or changed; a plain share of that id becomes a rule. `expected_rev` is what the caller has seen (0:
   * nothing); refused with `conflict` if it is another one, and with `no_resource`, `no_group`, `no_tier`, `upper`, `full_...`.
   */
  async putPolicy(caller: OwnerCaller, input: PutRule): Promise<RuleSaved> {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    // An answer of the owner is no rule; it is given and taken back.
    if (isOnce(input.policy.id)) return { kind: 'refused', reason: 'no_rule', ...by(who) }
    const problems = checkPolicy(input.policy, { isMulti: isMultiClaim })
    if (problems.length > 0) return { kind: 'problems', problems, ...by(who) }
    const done = await this.parts.rules.put(input, 'rule', this.#note(input.now))
    if (done.kind !== 'done') return { ...done, ...by(who) }
    this.parts.notices.follow()
    return { ...this.#shown(done.value.id), ...by(who) }
  }

  #shown(id: string): Widened<ShownEntry> {
    const { items, people } = this.parts.ledger.list({ id })
    const [entry] = items
    return entry === undefined ? { kind: 'refused', reason: 'no_rule' } : { kind: 'done', value: { ...entry, people } }
  }

  /** Drops a rule, stops a share or takes back what was allowed once. What takes away is dropped only when the record knows, since that gives more. */
  async dropPolicy(
    caller: OwnerCaller,
    input: At & { id: string; expected_rev?: number },
  ): Promise<(Widened<{ dropped: boolean }> & By) | Unauthorized> {
    const { id, now } = input
    const who = this.parts.authorize(caller, now, true)
    if (who.kind !== 'ok') return who
    if (isOnce(id)) {
      const dropped = this.parts.answers.takeBack(id, now)
      this.parts.notices.follow()
      return { kind: 'done', value: { dropped }, ...by(who) }
    }
    const isConflict = input.expected_rev !== undefined && this.parts.rules.share(id) !== undefined && input.expected_rev !== SHARE_REV
    if (isConflict) return { kind: 'refused', reason: 'conflict', ...by(who) }
    const stopped = this.parts.shares.stop({ id }, now)
    for (const row of stopped)
      this.parts.notices.note('share_stopped', { resource_id: row.resource_id, person_id: row.person_id, policy_id: row.id }, now)
    const done =
      stopped.length > 0
        ? ({ kind: 'done', value: { dropped: true } } as const)
        : await this.parts.rules.drop(id, now, this.#note(now), input.expected_rev)
    this.parts.notices.follow()
    return { ...done, ...by(who) }
  }

  /** Everything that opens or closes something, a page, in one list (owner-ledger.ts). */
  policies(caller: OwnerCaller, input: At & LedgerFilter): Asked<Ledger> {
    return this.#asked(caller, input.now, () => this.parts.ledger.list(input))
  }

  /** What a rule or share was, newest first; `rev`: what undoing it has to have seen. */
  policyHistory(
    caller: OwnerCaller,
    input: At & { id: string },
  ): Asked<{ rev: number; items: { entry: LedgerEntry; ended_at: number }[]; people: Record<string, string> }> {
    return this.#asked(caller, input.now, () => {
      const past = this.parts.rules.history(input.id)
      const entries = this.parts.ledger.withAlong(past.map(pastEntry))
      const items = entries.map((entry, at) => ({ entry, ended_at: past[at]?.ended_at ?? 0 }))
      const people = this.parts.ledger.people(items.map(({ entry }) => entry.policy))
      return { rev: this.parts.rules.revisionOf(input.id), items, people }
    })
  }

  /**
   * Brings back what a rule or share was last, also one that was dropped or stopped. `expected_rev`: the revision from which (`rev` of the
   * history). Refused with `no_past`, `conflict` and as `putPolicy`.
   */
  async undoPolicy(
    caller: OwnerCaller,
    input: At & { id: string; expected_rev?: number },
  ): Promise<(Widened<ShownEntry> & By) | Unauthorized> {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const done = await this.parts.rules.undo(input.id, input.now, this.#note(input.now), input.expected_rev)
    return { ...(done.kind === 'done' ? this.#shown(input.id) : done), ...by(who) }
  }

  /** How often the counter of a rule was used: by all together (`who` empty) and by whom how often. */
  policyUses(caller: OwnerCaller, input: At & { id: string }): Asked<{ items: { who: string; n: number }[] }> {
    return this.#asked(caller, input.now, () => ({ items: this.parts.worlds.uses(input.id) }))
  }

  /** Shuts a known person's address out. The rule is in the list (`kind` `block`) and can be dropped. */
  async blockPerson(
    caller: OwnerCaller,
    input: At & { person_id: string },
  ): Promise<((Widened<{ id: string }> | NotFound) & By) | Unauthorized> {
    const who = this.parts.authorize(caller, input.now, true)
    if (who.kind !== 'ok') return who
    const person = this.parts.shares.person(input.person_id)
    if (person === undefined) return { ...NOT_FOUND, ...by(who) }
    const done = await this.parts.answers.block(person, input.now)
    this.parts.notices.follow()
    return { ...done, ...by(who) }
  }

  /** In whose words somebody is known to this owner's rules, for this server's own use: MACs as `macsOf`, and organisations that she has joined. */
  knownAs(ids: readonly string[]): { macs: Record<string, string>; organisations: readonly string[] } {
    return { macs: this.macsOf(ids), organisations: this.parts.lookup.organisations() }
  }

  /** Policy MACs of people of this owner, for this server's own use; those who are not known are left out. */
  macsOf(ids: readonly string[]): Record<string, string> {
    return Object.fromEntries(
      ids.flatMap((id) => {
        const person = this.parts.shares.person(id)
        return person === undefined ? [] : [[id, person.mac]]
      }),
    )
  }

  // ── Questions (owner-questions.ts) ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * Would this be given now to who shows these facts, and because of what? `policies`: those that are named. `isWhole`: false if more rules
   * than are told are passed or wait for something.
   */
  why(caller: OwnerCaller, input: Supposed & { cell: Cell }) {
    return this.#found(caller, input.now, () => {
      const answer = this.parts.questions.why(input.cell, input)
      if (answer === undefined) return undefined
      const reasons = (all: readonly Reason[]) => all.map((one) => ({ id: one.id, waits: one.waits, proofs: proofsOf(one, input.facts) }))
      const { blocked } = answer
      const against = [
        ...reasons(answer.against),
        ...(blocked === undefined ? [] : [{ id: blocked, waits: undefined, proofs: this.#blocking(blocked, input.facts) }]),
      ]
      const [passed, open] = [reasons(answer.passed.slice(0, REASONS)), reasons(answer.open.slice(0, REASONS))]
      const permits = reasons(answer.permits)
      const isWhole = passed.length === answer.passed.length && open.length === answer.open.length
      const named = this.#named([...permits, ...against, ...passed, ...open].map(({ id }) => id))
      return { decision: answer.kind, until: answer.until, permits, against, passed, open, isWhole, ...named }
    })
  }

  /** The proofs by which somebody is shut out. */
  #blocking(id: string, facts: readonly Fact[]): Proof[] {
    const [entry] = this.parts.ledger.list({ id }).items
    const macs = entry === undefined ? [] : macsOf(entry.policy.when)
    return facts.filter(({ mac }) => macs.includes(mac)).map(proofOf)
  }

  /** All ways in which this can be given. */
  who(caller: OwnerCaller, input: At & { cell: Cell }) {
    return this.#found(caller, input.now, () => {
      const answer = this.parts.questions.who(input.cell, this.parts.ledger.onceFor(input.cell.resource_id, input.now))
      return answer && { ...answer, people: this.parts.ledger.people(answer.ways.map(({ all }) => ({ when: { all } }))) }
    })
  }

  /** What somebody can open now, a page. */
  whatCan(caller: OwnerCaller, input: Supposed & { cursor?: string }) {
    return this.#question(caller, input.now, () => this.parts.foresight.things(input, input))
  }

  /**
   * What would change if `policy` were saved (in place of `replaces`), or `replaces` dropped: for people and things as they are, for what was
   * really given and refused lately, and in words. Nothing is saved.
   */
  async simulate(
    caller: OwnerCaller,
    input: At & { policy?: Policy; replaces?: string; issuer: string },
  ): Promise<Asked<Simulated> | TooFast> {
    const who = this.parts.authorize(caller, input.now)
    if (who.kind !== 'ok') return who
    const wait = this.tooFast(input.now, who)
    if (wait !== undefined) return wait
    const change: RuleChange = {
      ...(input.policy === undefined ? {} : { rule: input.policy }),
      ...(input.replaces === undefined ? {} : { replaces: input.replaces }),
    }
    const problems = input.policy === undefined ? [] : checkPolicy(input.policy, { isMulti: isMultiClaim })
    const along = input.policy === undefined ? [] : this.parts.ledger.along(input.policy)
    const base = { kind: 'ok' as const, revision: this.parts.record.revision, ...by(who), along }
    // A rule that may not be saved is not worked out either: its limits are there because of the work.
    if (problems.length > 0) return { ...base, ...NOTHING_CHANGES, problems, people: this.#peopleIn(change, []) }
    const past = await this.#past.read(this.parts.record.owner, input.now)
    const whatIf = new OwnerWhatIf(this.ctx, this.parts)
    const told = whatIf.tell(change)
    const people = this.#peopleIn(change, told.who)
    return { ...base, problems, people, ...told, ...whatIf.compare(change, input), ...whatIf.comparePast(change, past, input) }
  }

  #peopleIn({ rule }: RuleChange, ways: Simulated['who']): Record<string, string> {
    const all = ways.flatMap(({ gained, lost }) => [...gained, ...lost]).map((way) => ({ when: { all: way.all } }))
    return this.parts.ledger.people([...(rule === undefined ? [] : [rule]), ...all])
  }

  /**
   * Decides cells as the token endpoint would, each alone; nothing is counted, spent or asked (AuthZEN). For the owner, or for a service
   * with its PAT: then only its own things are there, and what it says of people counts only for rules that name it (`pep:<client_id>`).
   */
  evaluate(caller: OwnerCaller, input: At & { questions: readonly { cell: Cell; by: Supposed }[]; isService: boolean }) {
    return this.#byEither(caller, input, (service) => ({
      items: input.questions.map(({ cell, by }) => this.parts.foresight.outcome(cell, said(by, service), service?.connection)),
    }))
  }

  /** Things of a type for which a scope would be given (AuthZEN resource search). */
  searchResources(caller: OwnerCaller, input: Supposed & Searched & Wanted & { isService: boolean }) {
    return this.#byEither(caller, input, (service) =>
      this.parts.foresight.things(said(input, service), { ...input, service: service?.connection }),
    )
  }

  /** What of one thing would be given (AuthZEN action search). */
  searchActions(caller: OwnerCaller, input: Supposed & { resource_id: string; isService: boolean }) {
    return this.#byEither(caller, input, (service) => ({
      items: this.parts.foresight.scopes(input.resource_id, said(input, service), service?.connection),
    }))
  }

  /** Known people to whom a cell would be given for their address alone (AuthZEN subject search). */
  searchPeople(caller: OwnerCaller, input: Omit<Supposed, 'facts'> & Searched & { cell: Cell; issuer: string; isService: boolean }) {
    return this.#byEither(caller, input, (service) => {
      const searched = { ...input, service: service?.connection }
      const found = this.parts.foresight.people(input.cell, input, (facts) => saidFacts(facts, service), searched)
      return { ...found, items: found.items.map((id) => ({ id, label: this.parts.shares.person(id)?.label ?? '' })) }
    })
  }

  /**
   * Whether the object knows a caller at all, before work is done for it elsewhere. Counts and spends nothing: the request itself is decided
   * by the method that it is for.
   */
  recognizes(
    caller: Caller,
    { scope, pace, now }: { scope: string; pace: 'change' | 'question'; now: number },
  ): { kind: 'ok'; client_id: string } | Unauthorized {
    const known = this.parts.tokens.recognize(caller, scope, now)
    if (known.kind !== 'ok') return known
    const { client_id } = known.token
    const wait = this.parts.pace.look(scope === PROTECTION_SCOPE ? 'service' : pace, client_id, now)
    return wait === undefined ? { kind: 'ok', client_id } : { kind: 'unauthorized', isAlive: true, wait, client_id }
  }

  // ── Callers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #asked<T extends object>(caller: OwnerCaller, now: number, read: () => T): Asked<T> {
    const who = this.parts.authorize(caller, now)
    return who.kind === 'ok' ? { kind: 'ok', revision: this.parts.record.revision, ...by(who), ...read() } : who
  }

  #question<T extends object>(caller: OwnerCaller, now: number, read: () => T): Asked<T> | TooFast {
    const who = this.parts.authorize(caller, now)
    if (who.kind !== 'ok') return who
    return this.tooFast(now, who) ?? { kind: 'ok', revision: this.parts.record.revision, ...by(who), ...read() }
  }

  #found<T extends object>(caller: OwnerCaller, now: number, read: () => T | undefined): Asked<{ answer: T }> | (NotFound & By) | TooFast {
    const who = this.parts.authorize(caller, now)
    if (who.kind !== 'ok') return who
    const wait = this.tooFast(now, who)
    if (wait !== undefined) return wait
    const answer = read()
    return answer === undefined ? { ...NOT_FOUND, ...by(who) } : { kind: 'ok', revision: this.parts.record.revision, ...by(who), answer }
  }

  /** A question costs work: of those there are fewer a minute than of what is only read (owner-pace.ts). */
  protected tooFast(now: number, who: By, pace: 'question' | 'service' = 'question'): TooFast | undefined {
    const wait = this.parts.pace.take(pace, who.client_id ?? '', now)
    return wait === undefined ? undefined : { kind: 'too_fast', wait, ...by(who) }
  }

  /** Rules by their ids, with the people in them. */
  #named(ids: readonly string[]): { policies: Record<string, SpokenPolicy>; people: Record<string, string> } {
    const found = ids.flatMap((id) =>
      this.parts.ledger.list({ id }).items.map(({ policy, along = [] }) => [id, { ...policy, along }] satisfies [string, SpokenPolicy]),
    )
    return { policies: Object.fromEntries(found), people: this.parts.ledger.people(found.map(([, policy]) => policy)) }
  }

  #byEither<T extends object>(
    caller: OwnerCaller,
    { now, isService }: { now: number; isService: boolean },
    read: (service: Service | undefined) => T,
  ): Asked<T> | TooFast {
    if (!isService || 'sid' in caller) return this.#question(caller, now, () => read(undefined))
    const who = this.parts.tokens.authorize(caller, PROTECTION_SCOPE, now)
    if (who.kind !== 'ok') return who
    const service = { connection: who.token.connection_id, client_id: who.token.client_id }
    return (
      this.tooFast(now, service, 'service') ?? {
        kind: 'ok',
        revision: this.parts.record.revision,
        client_id: service.client_id,
        ...read(service),
      }
    )
  }

  #note(now: number): RuleNote {
    return (event, { id }) => this.parts.notices.note(event, { policy_id: id }, now)
  }
}

/** A service that asks with its PAT. */
type Service = { connection: string; client_id: string }

/** POLICY 5: a service only repeats what it was told of people. */
const saidFacts = (facts: readonly Fact[], service: Service | undefined): readonly Fact[] =>
  service === undefined ? facts : facts.map((fact) => ({ ...fact, iss: `pep:${service.client_id}`, named: true }))
/** POLICY 8d: nobody breaks the glass by a question, of which the owner would not hear. */
function said(by: Supposed, service: Service | undefined): Supposed {
  const { purpose, ...others } = by
  return { ...others, facts: saidFacts(by.facts, service), ...(purpose === undefined || purpose === BREAK_GLASS ? {} : { purpose }) }
}

/** What is remembered of a share or rule, as an entry of the ledger. */
function pastEntry({ rule_id, kind, rev, row }: PastRow): LedgerEntry {
  const base = { id: rule_id, rev, last_used_at: null }
  if (kind === 'policy') {
    const share = JSON.parse(row) as PolicyRow
    const { created_at, person_id, time_zone } = share
    const zone = time_zone === null ? {} : { time_zone }
    return { ...base, kind: 'share', policy: policyOf(share), label: null, created_at, updated_at: created_at, person_id, ...zone }
  }
  const rule = JSON.parse(row) as RuleRow
  const { label, created_at, updated_at } = rule
  return { ...base, kind: rule.kind, policy: JSON.parse(rule.doc) as Policy, label, created_at, updated_at }
}

// "What if" (POLICY 4): what a change of one rule would change, for people who are known, for visits that there were, and in words. One
// comparison decides all of it (worker/policy/what-if.ts). Reads only: nothing is counted, spent or asked of anybody; the work is bounded.
import type { Blocked } from '../policy/blocked.ts'
import { applies } from '../policy/decide.ts'
import { isMultiClaim } from '../policy/multi-claims.ts'
import type { Condition, Policy } from '../policy/policy.ts'
import { difference, type Side, type Warning, type WhoChange, whatIf } from '../policy/what-if.ts'
import type { Fact, World } from '../policy/world.ts'
import { OwnerAffected, type RuleChange } from './owner-affected.ts'
import type { KnownThing, OwnerLookup } from './owner-lookup.ts'
import type { Past, Visit } from './owner-past.ts'
import { factFor, type OwnerQuestions, PAGE, type Supposed } from './owner-questions.ts'

/** Cells that one comparison decides, of people and of visits each. */
const MOST_CELLS = 4000
/** Things of which it is said who can open them, shares of each, and ways that are told. */
const [TOLD_THINGS, TOLD_SHARES, TOLD_WAYS] = [10, 200, 200]

type Kind = 'true' | 'false' | 'unknown'
/** `person_id`: null for somebody who has shown nothing; `member_id`: of somebody whom only a group knows. */
export type Difference = { person_id: string | null; member_id?: string; resource_id: string; scope: string; before: Kind; after: Kind }
/** `isWhole`: false if there were more people and things than one comparison looks at. */
export type Compared = { differences: Difference[]; isWhole: boolean }
/** Of one visit: what of it would end otherwise today. */
export type PastDifference = { seq: number; isGranted: boolean; scopes: string[]; after: Kind }
export type PastCompared = { past: PastDifference[]; pastIsWhole: boolean }
/** Who could open what besides, and who no longer; `whoIsWhole`: false if not all things or ways are told. */
export type Told = { warnings: Warning[]; who: WhoChange[]; whoIsWhole: boolean }
type By = Omit<Supposed, 'facts'> & { issuer: string }
type Changing = RuleChange & { blocked: readonly [Blocked, Blocked] }

export class OwnerWhatIf {
  readonly #affected: OwnerAffected
  readonly #lookup: OwnerLookup
  readonly #questions: OwnerQuestions

  constructor(ctx: DurableObjectState, parts: { lookup: OwnerLookup; questions: OwnerQuestions }) {
    this.#affected = new OwnerAffected(ctx, parts.lookup)
    this.#lookup = parts.lookup
    this.#questions = parts.questions
  }

  /**
   * What would change for people who are known, those first whom the rules name, and for somebody unknown: by what they could open with
   * their address and nothing else, at this moment, with no app in particular.
   */
  compare(change: RuleChange, by: By): Compared {
    const rules = this.#affected.changed(change)
    const changing = this.#changing(change)
    const things = this.#affected.things(rules)
    const people = this.#affected.people(rules)
    const compared: Compared = { differences: [], isWhole: things.length < PAGE && people.isWhole }
    let left = MOST_CELLS
    for (const { id: person_id, member_id, mac } of people.all) {
      const supposed: Supposed = { ...by, facts: mac === undefined ? [] : [factFor(mac, by)] }
      for (const id of things) {
        const found = this.#lookup.known(id)
        left -= 1 + (found?.thing.scopes.length ?? 0)
        if (left <= 0) return { ...compared, isWhole: false }
        if (found === undefined) continue
        const member = member_id === undefined ? {} : { member_id }
        for (const one of this.#differences(found, found.thing.scopes, supposed, changing))
          compared.differences.push({ person_id, ...member, resource_id: id, ...one })
      }
    }
    return compared
  }

  /** Scopes of one thing that would be decided otherwise for somebody. */
  #differences(
    { thing, type, connection_id }: KnownThing,
    scopes: readonly string[],
    supposed: Supposed,
    changing: Changing,
    world: World = this.#questions.world(supposed, connection_id),
  ): { scope: string; before: Kind; after: Kind }[] {
    const sides = sidesOf(this.#lookup.rulesOf(thing, supposed.facts, supposed.now), changing)
    return scopes.flatMap((scope) => {
      const found = difference({ resource_id: thing.id, scope }, thing, type, world, sides)
      return found === undefined ? [] : [{ scope, ...found }]
    })
  }

  #changing(change: RuleChange): Changing {
    return { ...change, blocked: [this.#questions.blocked(), this.#questions.blocked(change.replaces)] }
  }

  /**
   * Which visits of the past would end otherwise if they were made again today: with what was shown then, where a grant still keeps it, with
   * the address of a known person otherwise. What was counted or answered by the owner for a grant counts as it did then.
   */
  comparePast(change: RuleChange, past: Past, by: { issuer: string; now: number }): PastCompared {
    const rules = this.#affected.changed(change)
    const changing = this.#changing(change)
    const newAsks = asksOf(change.rule).filter((key) => !rules.some((one) => one !== change.rule && asksOf(one).includes(key)))
    const approved: World['approved'] = (key) => (newAsks.includes(key) ? undefined : { given: true, until: Number.POSITIVE_INFINITY })
    const compared: PastCompared = { past: [], pastIsWhole: past.isWhole }
    let left = MOST_CELLS
    for (const visit of past.visits) {
      for (const { resource_id, resource_scopes } of visit.cells) {
        const found = this.#lookup.known(resource_id)
        if (found === undefined || !rules.some((rule) => applies(rule, found.thing))) continue
        left -= resource_scopes.length
        if (left <= 0) return { ...compared, pastIsWhole: false }
        const supposed: Supposed = { now: by.now, facts: this.#shownAt(visit, by), client_id: visit.client_id, ...visit.grounds }
        const world = this.#questions.world(supposed, found.connection_id)
        const then: World = visit.isGranted ? { ...world, used: () => 0, approved } : world
        const different = this.#differences(found, resource_scopes, supposed, changing, then)
        for (const after of ['false', 'unknown', 'true'] as const) {
          const scopes = different.filter((one) => one.after === after && (visit.isGranted ? one.before : after) === 'true')
          if (scopes.length > 0)
            compared.past.push({ seq: visit.seq, isGranted: visit.isGranted, scopes: scopes.map(({ scope }) => scope), after })
        }
      }
    }
    return compared
  }

  /** What was shown at a visit, as if it were shown as much before now. */
  #shownAt({ at, mac, evidence }: Visit, by: { issuer: string; now: number }): readonly Fact[] {
    if (evidence === undefined) return mac === undefined ? [] : [factFor(mac, by)]
    const later = by.now - at
    return this.#questions.facts(evidence).map((fact) => ({ ...fact, iat: fact.iat + later, exp: fact.exp + later }))
  }

  /**
   * What a person should know of a change before it is saved: that nobody could ever meet the rule, that another one forbids all of it, that
   * it lets in people whom nobody knows; and the ways in that there would be besides, or no longer. Looked at for a few things.
   */
  tell(change: RuleChange): Told {
    const ids = this.#affected.things(this.#affected.changed(change))
    const changing = this.#changing(change)
    const things = ids.slice(0, TOLD_THINGS).flatMap((id) => this.#lookup.known(id)?.thing ?? [])
    const warnings = new Map<string, Warning>()
    const told: Told = { warnings: [], who: [], whoIsWhole: ids.length <= TOLD_THINGS }
    let ways = 0
    for (const thing of things) {
      const { rules, isWhole } = this.#lookup.allRulesOf(thing, TOLD_SHARES)
      if (!isWhole) {
        told.whoIsWhole = false
        continue
      }
      const [was, is] = sidesOf(rules, changing)
      const found = whatIf({
        before: was.rules,
        after: is.rules,
        things: [thing],
        type: (one) => this.#lookup.known(one.id)?.type,
        worlds: [],
        isMulti: isMultiClaim,
        blocked: [was.blocked, is.blocked],
      })
      for (const one of found.warnings) warnings.set(one.code, warnings.get(one.code) ?? one)
      for (const one of found.who) {
        ways += one.gained.length + one.lost.length
        if (ways > TOLD_WAYS || !one.complete) told.whoIsWhole = false
        else told.who.push(one)
      }
    }
    return { ...told, warnings: [...warnings.values()] }
  }
}

function sidesOf(rules: readonly Policy[], { rule, replaces, blocked }: Changing): [Side, Side] {
  const others = rules.filter((one) => one.id !== replaces && one.id !== rule?.id)
  return [
    { rules, blocked: blocked[0] },
    { rules: rule === undefined ? others : [...others, rule], blocked: blocked[1] },
  ]
}

/** Questions to the owner in a rule. */
function asksOf(rule: Policy | undefined): string[] {
  const asks = (when: Condition): string[] => {
    if ('all' in when) return when.all.flatMap(asks)
    if ('any' in when) return when.any.flatMap(asks)
    if ('seq' in when) return when.seq.flatMap(asks)
    if ('not' in when) return asks(when.not)
    if ('if' in when) return [when.if, when.then, when.else].flatMap(asks)
    return 'ask' in when ? [when.ask] : []
  }
  return rule === undefined ? [] : asks(rule.when)
}

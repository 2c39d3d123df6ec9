// The owner's rules of any kind (worker/policy/policy.ts), beside plain shares: saved, changed, dropped, and brought back. What adds a
// rule that takes away counts at once; everything that may give more is in D1 first (owner-record.ts). Who may call is decided before.
import type { Condition, Policy } from '../policy/policy.ts'
import type { OwnerRecord, Plan, Widened } from './owner-record.ts'
import type { Change, PastRow, PersonRow, PolicyRow, Put, RuleRow } from './record.ts'
import { keysOf } from './rule-targets.ts'

/** Revisions that are kept of one rule or share, and for how long, in seconds. */
const KEPT = 20
export const PAST_SECONDS = 400 * 86_400
/** Revision of a share while it stands: it never changes. */
export const SHARE_REV = 1
/** Rules looked up under one key by everybody. */
export const RULES_PER_KEY = 512
/** Rules that one organisation has for those who joined: all of them are sent, none is ever left out (owner-organisation.ts). */
export const ORGANISATION_RULES = 512

/** Somebody whom a rule names and who may be new here; used only if no person has this MAC. */
export type NamedPerson = { new_id: string; mac: string; label: string }
export type PutRule = {
  /** `rev` is not looked at. */
  policy: Policy
  label: string | null
  /** The revision that the caller has seen; 0: there must be none. Absent: whatever there is. */
  expected_rev?: number
  people?: readonly NamedPerson[]
  now: number
}
/** Refused with `conflict`, `no_rule`, `no_resource`, `no_group`, `no_tier`, `upper`, `full_...`. */
export type RuleDone = Widened<RuleRow>

type RuleOrShare = 'policy' | 'rule'
type RuleOrSharePut = Extract<Put, { table: RuleOrShare }>

/** Tells what was done, in its turn. */
export type RuleNote = (event: 'rule_saved' | 'rule_dropped' | 'rule_restored', row: Pick<RuleRow, 'id'>) => void

export class OwnerRules {
  readonly #sql: SqlStorage
  readonly #record: OwnerRecord

  constructor(ctx: DurableObjectState, record: OwnerRecord) {
    this.#sql = ctx.storage.sql
    this.#record = record
  }

  get(id: string): RuleRow | undefined {
    return this.#sql.exec<RuleRow>('SELECT * FROM rule WHERE id = ?', id).toArray()[0]
  }

  /** Saves a rule under its id. A plain share of that id becomes a rule. `still`: names what speaks against it, also while the record is written. */
  async put(input: PutRule, kind: RuleRow['kind'], note: RuleNote, still: () => string | undefined = () => undefined): Promise<RuleDone> {
    const isNewCut = input.policy.effect !== 'permit' && this.#live(input.policy.id) === undefined
    if (!isNewCut) return this.#record.widen(() => this.#plan(input, kind, note, still))
    // It only takes away: in force when this turn ends, also while D1 is away.
    const planned = this.#plan(input, kind, note, still)
    if (typeof planned === 'string') return { kind: 'refused', reason: planned }
    this.#record.narrow(planned.change)
    return { kind: 'done', value: planned.finish() }
  }

  #plan(input: PutRule, kind: RuleRow['kind'], note: RuleNote, still: () => string | undefined): Plan<RuleRow> | string {
    const { policy, now } = input
    const [rule, live] = [this.get(policy.id), this.#live(policy.id)]
    const known = live?.rev ?? 0
    const check = () => this.refusalOf(policy) ?? still()
    const isConflict = (input.expected_rev ?? known) !== known || (rule?.kind ?? kind) !== kind
    const people = this.#newPeople(input.people ?? [], now)
    const refused = check() ?? (isConflict ? 'conflict' : this.#fullFor(policy, rule === undefined, people.length > 0))
    if (refused !== undefined) return refused
    const rev = this.nextRev(policy.id)
    const row: RuleRow = {
      id: policy.id,
      kind,
      tier: policy.tier,
      effect: policy.effect,
      doc: JSON.stringify({ ...policy, rev } satisfies Policy),
      label: input.label,
      rev,
      created_at: rule?.created_at ?? now,
      updated_at: now,
    }
    const put: Put[] = [...people.map((one): Put => ({ table: 'person', row: one })), { table: 'rule', row }, ...(live?.past(now) ?? [])]
    const drop: Change['drop'] = live === undefined ? [] : this.beyond(policy.id)
    if (live?.kind === 'policy') drop.push({ table: 'policy', id: policy.id })
    const finish = () => {
      note('rule_saved', row)
      return row
    }
    return { change: { put, drop }, check, finish }
  }

  /** Drops a rule: a permit at once, what takes away only when D1 knows, since that gives more. */
  async drop(id: string, now: number, note: RuleNote, expectedRev?: number): Promise<Widened<{ dropped: boolean }>> {
    const row = this.get(id)
    if (row === undefined) return { kind: 'done', value: { dropped: false } }
    if (expectedRev !== undefined && expectedRev !== row.rev) return { kind: 'refused', reason: 'conflict' }
    const change = (of: RuleRow) => ({ put: this.pastOf('rule', of, now), drop: [{ table: 'rule' as const, id }, ...this.beyond(id)] })
    if (row.effect === 'permit') {
      this.#record.narrow(change(row))
      note('rule_dropped', row)
      return { kind: 'done', value: { dropped: true } }
    }
    return this.#record.widen(() => {
      const last = this.get(id)
      if (last === undefined) return 'no_rule'
      // Another wallet may have changed it while this waited.
      if (expectedRev !== undefined && expectedRev !== last.rev) return 'conflict'
      const finish = () => {
        note('rule_dropped', last)
        return { dropped: true }
      }
      return { change: change(last), check: () => undefined, finish }
    })
  }

  // ── What was ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The row by which a share or rule that ends now is remembered; none if as much is remembered as may be: ending must always work. */
  pastOf(kind: 'policy', row: PolicyRow, now: number): Put[]
  pastOf(kind: 'rule', row: RuleRow, now: number): Put[]
  pastOf(kind: RuleOrShare, row: PolicyRow | RuleRow, now: number): Put[] {
    if (this.#record.isFull('rule_past')) return []
    const rev = 'rev' in row ? row.rev : SHARE_REV
    // The time keeps apart what was brought back and ended again.
    const past = { id: `${row.id}.${rev}.${now}`, rule_id: row.id, kind, rev, row: JSON.stringify(row), ended_at: now }
    return [{ table: 'rule_past', row: past }]
  }

  /** What a rule or share was, newest first. */
  history(id: string): PastRow[] {
    return this.#sql
      .exec<PastRow>(
        "SELECT * FROM rule_past WHERE rule_id = ? AND kind IN ('policy', 'rule') ORDER BY ended_at DESC, rev DESC LIMIT ?",
        id,
        KEPT,
      )
      .toArray()
  }

  /** What a caller has to have seen to change it: the revision of what stands there; one more of what is gone; 0 where nothing ever was. */
  revisionOf(id: string): number {
    const live = this.#live(id)
    if (live !== undefined) return live.rev
    const [last] = this.history(id)
    return last === undefined ? 0 : last.rev + 1
  }

  /** No revision comes twice. A share is 1 while it stands and 2 when it was stopped, whatever happened to it before. */
  nextRev(id: string): number {
    return this.revisionOf(id) + (this.#live(id)?.kind === 'policy' ? 2 : 1)
  }

  /**
   * Brings back what a rule or share was last. What it is now is kept, so that this can be undone like anything else. Refused with
   * `no_past`, with `conflict` if `expectedRev` is not the revision from which it is undone, and with what speaks against it now.
   */
  undo(id: string, now: number, note: RuleNote, expectedRev?: number): Promise<Widened<{ kind: RuleOrShare }>> {
    return this.#record.widen(() => {
      const seen = this.revisionOf(id)
      const last = this.history(id)[0]
      if (last === undefined) return 'no_past'
      if (expectedRev !== undefined && expectedRev !== seen) return 'conflict'
      return this.#undoPlan(last, now, note)
    })
  }

  #undoPlan(last: PastRow, now: number, note: RuleNote): Plan<{ kind: RuleOrShare }> | string {
    const id = last.rule_id
    const [current, seen] = [this.#live(id), this.revisionOf(id)]
    const put = last.kind === 'policy' ? this.#shareAgain(last) : this.#ruleAgain(last, Math.max(last.rev, seen) + 1, now)
    if (typeof put === 'string') return put
    const kind = put.table
    const drop: Change['drop'] = [{ table: 'rule_past', id: last.id }]
    if (current !== undefined && current.kind !== kind) drop.push({ table: current.kind, id })
    const check = () => {
      if (put.table === 'policy' && !this.#hasResource(put.row.resource_id)) return 'no_resource'
      // Stopped or dropped while D1 was written.
      return this.revisionOf(id) === seen ? undefined : 'conflict'
    }
    const finish = () => {
      note('rule_restored', { id })
      return { kind }
    }
    return { change: { put: [put, ...(current?.past(now) ?? [])], drop }, check, finish }
  }

  /** What stands under this id now. */
  #live(id: string): { kind: RuleOrShare; rev: number; past: (now: number) => Put[] } | undefined {
    const rule = this.get(id)
    if (rule !== undefined) return { kind: 'rule', rev: rule.rev, past: (now) => this.pastOf('rule', rule, now) }
    const share = this.share(id)
    return share && { kind: 'policy', rev: SHARE_REV, past: (now) => this.pastOf('policy', share, now) }
  }

  #shareAgain(past: PastRow): RuleOrSharePut | string {
    const row = JSON.parse(past.row) as PolicyRow
    if (!this.#hasResource(row.resource_id)) return 'no_resource'
    return this.#record.isFull('policy') ? 'full_policies' : { table: 'policy', row }
  }

  #ruleAgain(past: PastRow, rev: number, now: number): RuleOrSharePut | string {
    const row = JSON.parse(past.row) as RuleRow
    const policy: Policy = { ...(JSON.parse(row.doc) as Policy), rev }
    const refused = this.refusalOf(policy)
    if (refused !== undefined) return refused
    if (this.#record.isFull('rule') || this.hasManyForMembers(policy)) return 'full_rules'
    return { table: 'rule', row: { ...row, doc: JSON.stringify(policy), rev, updated_at: now } }
  }

  /** Forgets what is long over. D1 follows. */
  sweep(now: number): void {
    const old = this.#sql.exec<{ id: string }>('SELECT id FROM rule_past WHERE ended_at <= ? LIMIT 200', now - PAST_SECONDS).toArray()
    if (old.length > 0) this.#record.narrow({ drop: old.map(({ id }) => ({ table: 'rule_past', id })) })
  }

  /** What of a rule's past goes when one more revision is kept. */
  beyond(id: string): NonNullable<Change['drop']> {
    return this.#sql
      .exec<{ id: string }>(
        "SELECT id FROM rule_past WHERE rule_id = ? AND kind IN ('policy', 'rule') ORDER BY ended_at DESC, rev DESC LIMIT -1 OFFSET ?",
        id,
        KEPT - 1,
      )
      .toArray()
      .map((row) => ({ table: 'rule_past', id: row.id }))
  }

  /** Permits that name a thing: it is taken out of them, at once; those about nothing else are dropped. Answers which. */
  takeOut(resourceId: string, now: number): RuleRow[] {
    const rows = this.#sql
      .exec<RuleRow>(
        "SELECT DISTINCT r.* FROM rule_target t JOIN rule r ON r.id = t.policy_id WHERE t.kind IN ('res', 'tree') AND t.key = ? AND t.cuts = 0",
        resourceId,
      )
      .toArray()
    for (const row of rows) {
      const policy = JSON.parse(row.doc) as Policy
      const left = 'resources' in policy.target ? policy.target.resources.filter((id) => id !== resourceId) : []
      const past = this.pastOf('rule', row, now)
      if (left.length === 0) this.#record.narrow({ put: past, drop: [{ table: 'rule', id: row.id }] })
      else {
        const rev = row.rev + 1
        const doc = JSON.stringify({ ...policy, rev, target: { ...policy.target, resources: left } })
        this.#record.narrow({ put: [...past, { table: 'rule', row: { ...row, doc, rev, updated_at: now } }] })
      }
    }
    return rows
  }

  /** Rules that speak of these things and of nothing that will be left. */
  onlyAbout(resourceIds: readonly string[]): string[] {
    const gone = new Set(resourceIds)
    return this.#sql
      .exec<{ id: string; doc: string }>(
        `SELECT DISTINCT r.id, r.doc FROM json_each(?) k CROSS JOIN rule_target t ON t.kind IN ('res', 'tree') AND t.key = k.value
         CROSS JOIN rule r ON r.id = t.policy_id`,
        JSON.stringify(resourceIds),
      )
      .toArray()
      .filter(({ doc }) => {
        const { target } = JSON.parse(doc) as Policy
        return 'resources' in target && target.resources.every((id) => gone.has(id) || !this.#hasResource(id))
      })
      .map(({ id }) => id)
  }

  // ── Checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is wrong with a rule here: things and groups have to be this owner's. */
  refusalOf(policy: Policy): string | undefined {
    if (policy.tier === 'platform') return 'no_tier'
    if (this.#sql.exec('SELECT 1 FROM upper_rule WHERE id = ?', policy.id).toArray().length > 0) return 'upper'
    if ('resources' in policy.target && !policy.target.resources.every((id) => this.#hasResource(id))) return 'no_resource'
    const known = (id: string) => this.#sql.exec('SELECT 1 FROM person_group WHERE id = ?', id).toArray().length === 1
    return groupsOf(policy.when).every(known) ? undefined : 'no_group'
  }

  #fullFor(policy: Policy, isNew: boolean, hasNewPeople: boolean): string | undefined {
    if ((isNew && this.#record.isFull('rule')) || this.#isCrowded(policy) || this.hasManyForMembers(policy)) return 'full_rules'
    return hasNewPeople && this.#record.isFull('person') ? 'full_people' : undefined
  }

  /** `more`: rules for members that come along. */
  hasManyForMembers({ id, tier }: Policy, more = 0): boolean {
    if (tier !== 'org') return false
    const { n } = this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM rule WHERE tier = 'org' AND id <> ?", id).one()
    return n + more >= ORGANISATION_RULES
  }

  /** Whether as many rules as are read for one thing are found under one of the keys already. */
  #isCrowded(policy: Policy): boolean {
    return this.crowd(policy).some(({ n }) => n >= RULES_PER_KEY)
  }

  /** How many other rules are read by everybody under the keys of a rule. */
  crowd(policy: Policy): { key: string; n: number }[] {
    return keysOf(policy).map(({ kind, key }) => {
      const { n } = this.#sql
        .exec<{ n: number }>(
          "SELECT COUNT(*) AS n FROM rule_target WHERE kind = ? AND key = ? AND who = '' AND policy_id <> ?",
          kind,
          key,
          policy.id,
        )
        .one()
      return { key: `${kind} ${key}`, n }
    })
  }

  #newPeople(people: readonly NamedPerson[], now: number): PersonRow[] {
    return people
      .filter(({ mac }) => this.#sql.exec('SELECT 1 FROM person WHERE mac = ?', mac).toArray().length === 0)
      .map(({ new_id, mac, label }) => ({ id: new_id, mac, label, created_at: now }))
  }

  share(id: string): PolicyRow | undefined {
    return this.#sql.exec<PolicyRow>('SELECT * FROM policy WHERE id = ?', id).toArray()[0]
  }

  #hasResource(id: string): boolean {
    return this.#sql.exec('SELECT 1 FROM resource WHERE id = ?', id).toArray().length === 1
  }
}

/** Groups that a condition speaks of. */
export function groupsOf(when: Condition): string[] {
  if ('all' in when) return when.all.flatMap(groupsOf)
  if ('any' in when) return when.any.flatMap(groupsOf)
  if ('seq' in when) return when.seq.flatMap(groupsOf)
  if ('not' in when) return groupsOf(when.not)
  if ('if' in when) return [when.if, when.then, when.else].flatMap(groupsOf)
  return 'group' in when ? [when.group] : []
}

// The part of the owner's object that keeps what rules are made of: groups of people, types of things, and all rules at once, taken out and
// in. RPC methods of OwnerObject (owner.ts), in a file of their own. Changes of what has a revision take `expected_rev`: what the caller has
// seen; absent: whatever it is.
import type { ActivityEntry } from '../../shared/protocol/owner-api.ts'
import type { ThingType } from '../policy/policy.ts'
import { type Bundle, type BundleFrom, type BundlePart, OwnerBundle } from './owner-bundle.ts'
import type { NewMember } from './owner-groups.ts'
import { type Imported, OwnerImport } from './owner-import.ts'
import { type By, by, type OwnerCaller, OwnerPolicies, type TooFast } from './owner-policies.ts'
import type { Widened } from './owner-record.ts'
import type { Unauthorized } from './owner-tables.ts'
import { OwnerWhatIf } from './owner-what-if.ts'

type At = { now: number }
type Seen = { expected_rev?: number }
type Told<T> = ({ kind: 'ok'; revision: number } & By & T) | Unauthorized
type Done<T> = (Widened<T> & By) | Unauthorized
export type ImportWarning = { code: string; rule?: string; text?: string }
/** `token`: of this bundle at this moment; whoever applies it says by it what was looked at. `names`: MAC -> id of people, for sentences. */
export type ImportLook = Imported & { token: string; warnings: ImportWarning[]; names: Record<string, string> }

/** Rules of a bundle of which it is said what a person should know of them. */
const WARNED = 20

export abstract class OwnerKeeping extends OwnerPolicies {
  // ── Groups of people (owner-groups.ts) ───────────────────────────────────────────────────────────────────────────────────

  groups(caller: OwnerCaller, input: At & { cursor?: string }) {
    return this.#asked(caller, input.now, () => ({ items: this.parts.groups.groups(input.cursor) }))
  }

  /** Makes a group or names it anew. */
  putGroup(caller: OwnerCaller, input: At & Seen & { id: string; label: string }) {
    return this.#change(caller, input.now, () =>
      this.parts.groups.putGroup(input, this.#note('group_saved', { group_id: input.id }, input)),
    )
  }

  /** Refused with `in_use` while a rule speaks of it, `no_group`. */
  dropGroup(caller: OwnerCaller, input: At & Seen & { id: string }) {
    return this.#change(caller, input.now, () =>
      this.parts.groups.dropGroup(input, this.#note('group_dropped', { group_id: input.id }, input)),
    )
  }

  members(caller: OwnerCaller, input: At & { group_id: string; cursor?: string }) {
    return this.#asked(caller, input.now, () => ({ items: this.parts.groups.members(input.group_id, input.cursor) }))
  }

  /** Refused with `no_group`, `no_person`, `full_members`. */
  addMembers(caller: OwnerCaller, input: At & Seen & { group_id: string; people: readonly NewMember[] }) {
    const { group_id: id, ...rest } = input
    return this.#change(caller, input.now, () =>
      this.parts.groups.addMembers({ ...rest, id }, this.#note('group_saved', { group_id: id }, input)),
    )
  }

  async removeMember(caller: OwnerCaller, input: At & Seen & { group_id: string; id: string }) {
    const { group_id: id, id: member, ...rest } = input
    const done = await this.#change(caller, input.now, () =>
      this.parts.groups.removeMember({ ...rest, id, member }, this.#note('group_saved', { group_id: id }, input)),
    )
    this.parts.notices.follow()
    return done
  }

  /** What a group was, newest first; `rev`: what undoing it has to have seen. */
  groupHistory(caller: OwnerCaller, input: At & { id: string }) {
    return this.#asked(caller, input.now, () => ({
      rev: this.parts.groups.revisionOf(input.id),
      items: this.parts.groups.history(input.id),
    }))
  }

  /** Takes the last change of a group back. Refused with `no_past`, `conflict`, `full_...`. */
  undoGroup(caller: OwnerCaller, input: At & Seen & { id: string }) {
    return this.#change(caller, input.now, () => this.parts.groups.undo(input, this.#note('group_restored', { group_id: input.id }, input)))
  }

  // ── Types of things (owner-types.ts) ─────────────────────────────────────────────────────────────────────────────────────

  types(caller: OwnerCaller, input: At & { cursor?: string }) {
    return this.#asked(caller, input.now, () => ({ items: this.parts.types.types(input.cursor) }))
  }

  putType(caller: OwnerCaller, input: At & Seen & { type: ThingType }) {
    const note = this.#note('type_saved', { thing_type: input.type.type }, input)
    return this.#change(caller, input.now, () => this.parts.types.putType(input, note))
  }

  dropType(caller: OwnerCaller, input: At & Seen & { type: string }) {
    return this.#change(caller, input.now, () =>
      this.parts.types.dropType(input, this.#note('type_dropped', { thing_type: input.type }, input)),
    )
  }

  typeHistory(caller: OwnerCaller, input: At & { type: string }) {
    return this.#asked(caller, input.now, () => ({
      rev: this.parts.types.revisionOf(input.type),
      items: this.parts.types.history(input.type),
    }))
  }

  undoType(caller: OwnerCaller, input: At & Seen & { type: string }) {
    return this.#change(caller, input.now, () =>
      this.parts.types.undo(input, this.#note('type_restored', { thing_type: input.type }, input)),
    )
  }

  // ── All rules at once (owner-bundle.ts, owner-import.ts) ─────────────────────────────────────────────────────────────────

  /** One part of everything that rules are made of; with `isView` rules only, and all types. */
  exportRules(caller: OwnerCaller, input: At & { from: BundleFrom; isView: boolean }): Told<BundlePart> | TooFast {
    const bundle = new OwnerBundle(this.parts)
    return this.#question(caller, input.now, () =>
      input.isView ? bundle.view(input.from.after, input.now) : bundle.takeOut(input.from, input.now),
    )
  }

  /** What a bundle would do here. `print`: of the bundle and of all that was asked with it. */
  lookAtRules(caller: OwnerCaller, input: At & { bundle: Bundle; print: string }): Told<ImportLook> | TooFast {
    const { bundle, print, now } = input
    return this.#question(caller, now, () => this.#looked(new OwnerImport(this.parts, bundle, now), print))
  }

  #token(print: string): string {
    return `${this.parts.record.revision}.${print}`
  }

  #looked(coming: OwnerImport, print: string): ImportLook {
    const { added, changed } = coming.done
    const rules = [...added, ...changed]
    const whatIf = new OwnerWhatIf(this.ctx, this.parts)
    const warnings: ImportWarning[] = rules
      .filter(({ kind }) => kind === 'rule')
      .slice(0, WARNED)
      .flatMap(({ id, policy, was }) => {
        const told = whatIf.tell({ rule: policy, ...(was === undefined ? {} : { replaces: id }) })
        return told.warnings.map(({ code, text }) => ({ code, text, rule: id }))
      })
    if (rules.length > WARNED) warnings.push({ code: 'not_all_looked_at' })
    const known = this.parts.ledger.people(rules.flatMap(({ policy, was }) => (was === undefined ? [policy] : [policy, was.policy])))
    return { ...coming.done, warnings, token: this.#token(print), names: { ...coming.names, ...known } }
  }

  /**
   * Does what `lookAtRules` told, as one change of the record. Refused with `conflict` if anything was changed since (`token`), with
   * `refused_some` if not all of it can come and the caller does not want a part of it (`isPartial`).
   */
  async importRules(
    caller: OwnerCaller,
    input: At & { bundle: Bundle; print: string; token: string; isPartial: boolean },
  ): Promise<Done<ImportLook> | TooFast> {
    const { bundle, print, now } = input
    const who = this.parts.authorize(caller, now, true)
    if (who.kind !== 'ok') return who
    const wait = this.tooFast(now, who)
    if (wait !== undefined) return wait
    const done = await this.parts.record.widen<ImportLook>(() => {
      if (input.token !== this.#token(print)) return 'conflict'
      const { revision } = this.parts.record
      const coming = new OwnerImport(this.parts, bundle, now)
      if (!coming.isWhole && !input.isPartial) return 'refused_some'
      const told = this.#looked(coming, print)
      // What somebody took away while D1 was written may be what a rule here rests on.
      const check = () => (this.parts.record.revision === revision ? undefined : 'conflict')
      const finish = () => {
        this.parts.notices.note('rules_imported', { count: told.added.length + told.changed.length }, now)
        return told
      }
      return { change: coming.change, check, finish }
    })
    this.parts.notices.follow()
    return { ...done, ...by(who) }
  }

  // ── Callers ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #asked<T extends object>(caller: OwnerCaller, now: number, read: () => T): Told<T> {
    const who = this.parts.authorize(caller, now)
    return who.kind === 'ok' ? { kind: 'ok', revision: this.parts.record.revision, ...by(who), ...read() } : who
  }

  #question<T extends object>(caller: OwnerCaller, now: number, read: () => T): Told<T> | TooFast {
    const who = this.parts.authorize(caller, now)
    if (who.kind !== 'ok') return who
    return this.tooFast(now, who) ?? { kind: 'ok', revision: this.parts.record.revision, ...by(who), ...read() }
  }

  async #change<T>(caller: OwnerCaller, now: number, change: () => Promise<Widened<T>>): Promise<Done<T>> {
    const who = this.parts.authorize(caller, now, true)
    return who.kind === 'ok' ? { ...(await change()), ...by(who) } : who
  }

  #note(event: ActivityEntry['event'], fields: { group_id: string } | { thing_type: string }, { now }: At): () => void {
    return () => void this.parts.notices.note(event, fields, now)
  }
}

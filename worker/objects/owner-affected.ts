// Whom and what a change of one rule concerns, for "what if" (owner-what-if.ts): the rule as it is, things that it speaks of, people who are known.
// Reads only; as many as one comparison looks at.
import type { Policy } from '../policy/policy.ts'
import { macsOf } from './owner-ledger.ts'
import { type OwnerLookup, policyOf } from './owner-lookup.ts'
import { PAGE } from './owner-questions.ts'
import { groupsOf } from './owner-rules.ts'
import type { PolicyRow } from './record.ts'

/** `rule` is saved in place of `replaces`, or `replaces` is dropped. */
export type RuleChange = { rule?: Policy; replaces?: string }
/** Nobody in particular if `mac` is absent; `member_id`: of somebody whom only a group knows. */
export type Somebody = { id: string | null; member_id?: string; mac?: string }

export class OwnerAffected {
  readonly #sql: SqlStorage
  readonly #lookup: OwnerLookup

  constructor(ctx: DurableObjectState, lookup: OwnerLookup) {
    this.#sql = ctx.storage.sql
    this.#lookup = lookup
  }

  /** The rule as it would be and the one that it takes the place of; a share and a rule that shuts somebody out are rules, too. */
  changed({ rule, replaces }: RuleChange): Policy[] {
    const before = [...new Set([replaces, rule?.id])].flatMap((id) => (id === undefined ? [] : (this.#now(id) ?? [])))
    return [...(rule === undefined ? [] : [rule]), ...before]
  }

  #now(id: string): Policy | undefined {
    const rule = this.#lookup.rule(id)
    if (rule !== undefined) return rule
    const block = this.#sql.exec<{ doc: string }>("SELECT doc FROM rule WHERE id = ? AND kind = 'block'", id).toArray()[0]
    if (block !== undefined) return JSON.parse(block.doc) as Policy
    const share = this.#sql.exec<PolicyRow>('SELECT * FROM policy WHERE id = ?', id).toArray()[0]
    return share && policyOf(share)
  }

  /** Somebody unknown, those whom the rules name, members of their groups, and known people besides. */
  people(rules: readonly Policy[]): { all: Somebody[]; isWhole: boolean } {
    const named = JSON.stringify(rules.flatMap(({ when }) => macsOf(when)))
    const rows = this.#sql
      .exec<{ id: string; mac: string }>(
        'SELECT id, mac FROM person ORDER BY mac IN (SELECT value FROM json_each(?)) DESC, id LIMIT ?',
        named,
        PAGE + 1,
      )
      .toArray()
    const members = this.#sql
      .exec<{ member_id: string; mac: string }>(
        `SELECT id AS member_id, mac FROM group_member WHERE group_id IN (SELECT value FROM json_each(?))
         AND mac NOT IN (SELECT mac FROM person) ORDER BY id LIMIT ?`,
        JSON.stringify(rules.flatMap(({ when }) => groupsOf(when))),
        PAGE + 1,
      )
      .toArray()
    const all: Somebody[] = [{ id: null }, ...rows.slice(0, PAGE), ...members.slice(0, PAGE).map((one) => ({ id: null, ...one }))]
    return { all, isWhole: rows.length <= PAGE && members.length <= PAGE }
  }

  /** Things of which rules speak, at most a page. */
  things(rules: readonly Policy[]): string[] {
    const ids = new Set<string>()
    for (const { target } of rules) {
      const found =
        'resources' in target
          ? target.descend === true
            ? this.#below(target.resources)
            : target.resources
          : 'types' in target
            ? this.#ids('type IN (SELECT value FROM json_each(?))', JSON.stringify(target.types))
            : 'labels' in target
              ? this.#ids(
                  "EXISTS (SELECT 1 FROM json_each(coalesce(labels, '[]')) l JOIN json_each(?) w ON w.value = l.value)",
                  JSON.stringify(target.labels),
                )
              : this.#ids('?1 IS NOT NULL', '')
      for (const id of found) ids.add(id)
    }
    return [...ids].slice(0, PAGE)
  }

  /** The things and what lies in them. */
  #below(ids: readonly string[]): string[] {
    return this.#sql
      .exec<{ id: string }>(
        `WITH RECURSIVE below (id, depth) AS (SELECT value, 0 FROM json_each(?) UNION
         SELECT r.id, b.depth + 1 FROM resource r JOIN below b ON r.parent = b.id WHERE b.depth < 16)
         SELECT DISTINCT id FROM below LIMIT ?`,
        JSON.stringify(ids),
        PAGE,
      )
      .toArray()
      .map(({ id }) => id)
  }

  #ids(where: string, value: string): string[] {
    return this.#sql
      .exec<{ id: string }>(`SELECT id FROM resource WHERE ${where} ORDER BY id LIMIT ?`, value, PAGE)
      .toArray()
      .map(({ id }) => id)
  }
}

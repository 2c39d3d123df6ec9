// Where a rule is looked up: by the thing, the things that it lies in, its type, its labels, or everywhere; and by whom, if only one or a
// few addresses can make it true. Rows of rule_target are made from the rule's document, so that no rule has to be read that cannot matter.
import type { Condition, Policy } from '../policy/policy.ts'
import type { RuleRow } from './record.ts'

/** `block` has a policy MAC as key. */
export type TargetKind = 'res' | 'tree' | 'type' | 'label' | 'all' | 'block'
/** Anybody may make the rule true. */
export const ANYBODY = ''

/** Under which keys a rule is found. */
export function keysOf({ target }: Pick<Policy, 'target'>): { kind: TargetKind; key: string }[] {
  if ('resources' in target) return target.resources.map((key) => ({ kind: target.descend === true ? 'tree' : 'res', key }))
  if ('types' in target) return target.types.map((key) => ({ kind: 'type', key }))
  if ('labels' in target) return target.labels.map((key) => ({ kind: 'label', key }))
  return [{ kind: 'all', key: '' }]
}

/**
 * The addresses (policy MACs) of which one must have been shown for the condition to hold; undefined if there is no such list. With an
 * address shown that is none of them the condition is false, whatever else is shown: only conditions without issuer and age count here.
 */
export function whoOf(when: Condition): string[] | undefined {
  if ('all' in when || 'seq' in when) {
    const parts: readonly Condition[] = 'all' in when ? when.all : when.seq
    return parts.map(whoOf).find((one) => one !== undefined)
  }
  if ('any' in when) {
    const parts = when.any.map(whoOf)
    return parts.length > 0 && parts.every((one) => one !== undefined) ? [...new Set(parts.flat())] : undefined
  }
  if (!('claim' in when) || when.claim !== 'email' || when.iss !== undefined || when.max_age !== undefined) return undefined
  if ('eq' in when) return [when.eq]
  return 'in' in when ? [...when.in] : undefined
}

/** Addresses by which one rule is looked up at most; one for more is looked up for everybody. */
const MAX_WHO = 64

/** Makes the index rows of a rule anew. */
export function indexRule(sql: SqlStorage, { id, kind, doc }: Pick<RuleRow, 'id' | 'kind' | 'doc'>): void {
  unindexRule(sql, id)
  const policy = JSON.parse(doc) as Policy
  const cuts = policy.effect === 'permit' ? 0 : 1
  const add = (by: TargetKind, key: string, who: string) =>
    sql.exec('INSERT OR IGNORE INTO rule_target (kind, key, cuts, who, policy_id) VALUES (?, ?, ?, ?, ?)', by, key, cuts, who, id)
  if (kind === 'block') for (const mac of whoOf(policy.when) ?? []) add('block', mac, ANYBODY)
  else for (const { kind: by, key } of keysOf(policy)) for (const who of shownFor(policy)) add(by, key, who)
}

/** By which addresses a rule is looked up. One that takes away must be found by everybody. */
function shownFor(policy: Policy): readonly string[] {
  const who = policy.effect === 'permit' ? (whoOf(policy.when) ?? []) : []
  return who.length > 0 && who.length <= MAX_WHO ? who : [ANYBODY]
}

export function unindexRule(sql: SqlStorage, id: string): void {
  sql.exec('DELETE FROM rule_target WHERE policy_id = ?', id)
}

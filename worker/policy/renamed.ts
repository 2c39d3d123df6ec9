// A condition under other names: its counters, its questions to the owner and its groups. Pure.
import type { Condition } from './policy.ts'

/** The same condition with every such name passed through `name`. */
export function renamed(when: Condition, name: (id: string) => string): Condition {
  const many = (list: readonly Condition[]) => list.map((one) => renamed(one, name))
  if ('all' in when) return { all: many(when.all) }
  if ('any' in when) return { any: many(when.any) }
  if ('seq' in when) return { seq: many(when.seq) }
  if ('not' in when) return { not: renamed(when.not, name) }
  if ('if' in when) return { if: renamed(when.if, name), then: renamed(when.then, name), else: renamed(when.else, name) }
  if ('uses' in when) return { uses: { ...when.uses, key: name(when.uses.key) } }
  if ('ask' in when) return { ask: name(when.ask) }
  return 'group' in when ? { ...when, group: name(when.group) } : when
}

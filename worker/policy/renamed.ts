// A condition under other names: its counters, its questions to the owner and its groups; and whose words its values are. Pure.
import type { Atom, Condition } from './policy.ts'

/** The same condition with every such name passed through `name`. */
export const renamed = (when: Condition, name: (id: string) => string): Condition =>
  withAtoms(when, (atom) => {
    if ('uses' in atom) return { uses: { ...atom.uses, key: name(atom.uses.key) } }
    if ('ask' in atom) return { ask: name(atom.ask) }
    return 'group' in atom ? { ...atom, group: name(atom.group) } : atom
  })

/** The same condition, the values in which are MACs of this organisation. */
export const inWordsOf = (when: Condition, names: string): Condition =>
  withAtoms(when, (atom) => ('claim' in atom ? { ...atom, names } : atom))

function withAtoms(when: Condition, change: (atom: Atom) => Condition): Condition {
  const many = (list: readonly Condition[]) => list.map((one) => withAtoms(one, change))
  if ('all' in when) return { all: many(when.all) }
  if ('any' in when) return { any: many(when.any) }
  if ('seq' in when) return { seq: many(when.seq) }
  if ('not' in when) return { not: withAtoms(when.not, change) }
  if ('if' in when) return { if: withAtoms(when.if, change), then: withAtoms(when.then, change), else: withAtoms(when.else, change) }
  return change(when)
}

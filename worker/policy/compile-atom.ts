// Atoms of conditions as the engine runs them (compile.ts). Every form is checked here once: a value that is none makes no atom. Pure.
import type { Condition } from './policy.ts'
import { unknown, type Value } from './value.ts'

/** What a fact says to a claim's test: 1 yes, 0 no, -1 it does not say (no domain, no level). */
export type Test =
  | { by: 'eq'; value: string }
  | { by: 'in'; values: ReadonlySet<string> }
  | { by: 'domain'; domain: string }
  | { by: 'group'; group: string }
  | { by: 'gte'; level: number }
  | { by: 'covers'; all: readonly string[] }

/** `not`: the atom is wanted false. */
export type Atom =
  | {
      op: 'claim'
      not: boolean
      claim: string
      iss: readonly string[] | undefined
      max_age: number
      names: string | undefined
      test: Test
      missing: Value
    }
  | { op: 'purpose'; not: boolean; purposes: readonly string[]; missing: Value }
  | { op: 'ask'; not: boolean; key: string; missing: Value }
  | { op: 'link'; not: boolean; link: string }
  | { op: 'after'; not: boolean; at: number }
  | { op: 'client'; not: boolean; ids: readonly string[] }
  | { op: 'client_trust'; not: boolean; any: readonly string[] }
  | { op: 'uses'; not: boolean; key: string; max: number; per: 'rqp' | 'rule' }
  | { op: 'context'; not: boolean; name: string; values: readonly (string | number | boolean)[] }
  | { op: 'anyone' }
  | { op: 'break_glass' }
  | { op: 'nobody' }
  | { op: 'broken' }

/** A condition without parts. */
export type AtomCondition = Exclude<Condition, { all: unknown } | { any: unknown } | { seq: unknown } | { not: unknown } | { if: unknown }>
/** `not`: its opposite is wanted. `anyPurpose`: another purpose than the wanted one settles it too. */
export type Wanted = { not: boolean; anyPurpose: boolean }

const isWord = (one: unknown): one is string => typeof one === 'string' && one !== ''
const isWords = (list: unknown): list is readonly string[] => Array.isArray(list) && list.length > 0 && list.every(isWord)
const isNumber = (one: unknown): one is number => Number.isFinite(one)

/** Members as they come, before they are checked. */
type Raw = Readonly<Record<string, unknown>>

/** By the member that says which form it is. */
const MAKERS: Readonly<Record<string, (raw: Raw, wanted: Wanted) => Atom | undefined>> = {
  claim: claimAtom,
  anyone: ({ anyone }, { not }) => (anyone === true ? { op: not ? 'nobody' : 'anyone' } : undefined),
  link: ({ link }, { not }) => (isWord(link) ? { op: 'link', not, link } : undefined),
  after: ({ after }, { not }) => (isNumber(after) ? { op: 'after', not, at: after } : undefined),
  // Before an instant is not after it.
  before: ({ before }, { not }) => (isNumber(before) ? { op: 'after', not: !not, at: before } : undefined),
  client: ({ client }, { not }) => (isWords(client) ? { op: 'client', not, ids: client } : undefined),
  client_trust: ({ client_trust }, { not }) => (isWords(client_trust) ? { op: 'client_trust', not, any: client_trust } : undefined),
  ask: ({ ask }, { not }) => (isWord(ask) ? { op: 'ask', not, key: ask, missing: unknown({ kind: 'ask', key: ask }) } : undefined),
  purpose: ({ purpose }, { not, anyPurpose }) =>
    isWords(purpose)
      ? { op: 'purpose', not, purposes: purpose, missing: unknown({ kind: 'purpose', purposes: anyPurpose ? [] : purpose }) }
      : undefined,
  // Its opposite is nothing that anybody could wish for: it has none.
  break_glass: ({ break_glass }, { not }) => (break_glass === true && !not ? { op: 'break_glass' } : undefined),
  uses: usesAtom,
  context: contextAtom,
}

/** The atom of a condition of exactly one form; undefined if a value in it has no meaning. */
export function atomOf(condition: AtomCondition, wanted: Wanted): Atom | undefined {
  const form = Object.keys(MAKERS).find((one) => Object.hasOwn(condition, one))
  return form === undefined ? undefined : MAKERS[form]?.(condition as Raw, wanted)
}

function usesAtom({ uses }: Raw, { not }: Wanted): Atom | undefined {
  if (typeof uses !== 'object' || uses === null) return undefined
  const { key, max, per } = uses as Raw
  return isWord(key) && isNumber(max) && (per === 'rqp' || per === 'rule') ? { op: 'uses', not, key, max, per } : undefined
}

function contextAtom(raw: Raw, { not }: Wanted): Atom | undefined {
  if (!isWord(raw.context) || 'eq' in raw === 'in' in raw) return undefined
  const values = 'eq' in raw ? [raw.eq] : raw.in
  if (!Array.isArray(values) || values.length === 0) return undefined
  return { op: 'context', not, name: raw.context, values }
}

function claimAtom(raw: Raw, { not }: Wanted): Atom | undefined {
  const { claim, iss, max_age, names } = raw
  if (!isWord(claim) || (iss !== undefined && !isWords(iss)) || (max_age !== undefined && !isNumber(max_age))) return undefined
  if (names !== undefined && !isWord(names)) return undefined
  const asked = Object.keys(TESTS).filter((by) => by in raw)
  const test = TESTS[asked[0] ?? '']?.(raw)
  if (asked.length !== 1 || test === undefined) return undefined
  const missing = unknown({ kind: 'claim', claim, ...(iss !== undefined && { iss }), ...(max_age !== undefined && { max_age }) })
  return { op: 'claim', not, claim, iss, max_age: max_age ?? Number.POSITIVE_INFINITY, names, test, missing }
}

const TESTS: Readonly<Record<string, (raw: Raw) => Test | undefined>> = {
  eq: ({ eq }) => (isWord(eq) ? { by: 'eq', value: eq } : undefined),
  in: (raw) => (isWords(raw.in) ? { by: 'in', values: new Set(raw.in) } : undefined),
  domain: ({ domain }) => (isWord(domain) ? { by: 'domain', domain } : undefined),
  group: ({ group }) => (isWord(group) ? { by: 'group', group } : undefined),
  gte: ({ gte }) => (isNumber(gte) ? { by: 'gte', level: gte } : undefined),
  covers: ({ covers }) => (isWords(covers) ? { by: 'covers', all: covers } : undefined),
}

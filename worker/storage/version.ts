// The version of what this server stores: D1, owners' objects, the Keys object, negotiations; one number for all, raised when the form of
// any of them changes. Pure: what is found and what to do about it. Who reads and writes the number is objects/versions.ts and store/version.ts.
//
// Rule: one step back still reads it. Whatever version n + 1 writes, a server of version n can run on: columns and tables are added and
// never renamed or taken away in the same step, new members of stored JSON are optional. So a deployment can be taken back, and for the
// moment between migration and upload the old server runs on the new record. Two steps back is refused, loudly, and so is one step where
// the version before would give more (objects/versions.ts). Who raises the number packs state and server of before first (test/vectors).

/**
 * What this code writes.
 * 1: as first deployed; nothing carried a number.
 * 2: numbers; keys say when they begin.
 * 3: rules of any kind, groups, types of things; what things lie in.
 */
export const STORAGE_VERSION = 3

/** The newest version that has ever written something, and the one that wrote last; they differ after a step back. */
export type Stored = { newest: number; last: number }

/** What a thing that comes to be now carries. */
export const WRITTEN_NOW: Stored = { newest: STORAGE_VERSION, last: STORAGE_VERSION }

export type Verdict =
  | { kind: 'current' }
  /** Steps from `from` on are missing. They are repeated after a step back, so that each must be safe to repeat. */
  | { kind: 'forward'; from: number }
  /** A newer version has been here; it will want to know that this one has written since. */
  | { kind: 'back' }
  | { kind: 'too_new'; found: number }

/** What to do about a stored version. */
export function judge(stored: Stored, mine = STORAGE_VERSION): Verdict {
  if (stored.newest > mine + 1) return { kind: 'too_new', found: stored.newest }
  if (stored.last < mine) return { kind: 'forward', from: stored.last }
  return stored.last > mine ? { kind: 'back' } : { kind: 'current' }
}

/** The numbers after this code has written. */
export const stamped = (stored: Stored, mine = STORAGE_VERSION): Stored => ({ newest: Math.max(stored.newest, mine), last: mine })

/** What must happen to bring something from version `from` to `mine`, in order; `steps[n]` leads from n to n + 1. */
export function stepsFrom<S>(steps: Readonly<Record<number, S>>, from: number, mine = STORAGE_VERSION): S[] {
  const due: S[] = []
  for (let version = from; version < mine; version++) {
    const step = steps[version]
    if (step !== undefined) due.push(step)
  }
  return due
}

/** A stored value that carries its version; the first version carried none. */
export type Versioned = { version?: Stored }

/** One step of a stored value: what it was, as the next version writes it. */
export type ValueStep<T> = (value: T) => T

/**
 * A stored value as this version writes it, and whether that is news to whoever stored it. Undefined if it is too new.
 * `steps` are pure and safe to repeat.
 */
export function broughtForward<T extends Versioned>(
  value: T,
  steps: Readonly<Record<number, ValueStep<T>>>,
  mine = STORAGE_VERSION,
): { value: T; isNew: boolean } | undefined {
  const stored = value.version ?? { newest: 1, last: 1 }
  const verdict = judge(stored, mine)
  if (verdict.kind === 'too_new') return undefined
  if (verdict.kind === 'current') return { value, isNew: false }
  const due = verdict.kind === 'forward' ? stepsFrom(steps, verdict.from, mine) : []
  return { value: { ...due.reduce((current, step) => step(current), value), version: stamped(stored, mine) }, isNew: true }
}

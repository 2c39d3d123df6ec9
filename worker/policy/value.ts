// Three values (POLICY 3): true until some instant, false, or unknown with the smallest sets of needs that could settle it.
// Pure. A cap on the size of the algebra fails closed.

/** What is missing: a claim that the requesting party could show. */
export type Need = { claim: 'email' }

export type Value =
  /** Holds up to and including `until - 1` (seconds since 1970); Infinity if nothing ends it. */
  | { kind: 'true'; until: number }
  | { kind: 'false' }
  /** An antichain: each set would be enough, as far as can be known now. */
  | { kind: 'unknown'; needs: Need[][] }

export const FALSE: Value = { kind: 'false' }
export const always = (until = Number.POSITIVE_INFINITY): Value => ({ kind: 'true', until })
const CAP = 256

/** Conjunction: false wins, then unknown; a true result lasts as long as its shortest part. */
export function and(a: Value, b: Value): Value {
  if (a.kind === 'false' || b.kind === 'false') return FALSE
  if (a.kind === 'true' && b.kind === 'true') return always(Math.min(a.until, b.until))
  if (a.kind === 'true') return b
  if (b.kind === 'true') return a
  if (a.needs.length * b.needs.length > 4 * CAP) return FALSE // > fails before the product is built: no policy may cost minutes
  return antichain(a.needs.flatMap((x) => b.needs.map((y) => union(x, y))))
}

/** Disjunction: true wins and lasts as long as its longest part; then unknown. */
export function or(a: Value, b: Value): Value {
  if (a.kind === 'true' && b.kind === 'true') return always(Math.max(a.until, b.until))
  if (a.kind === 'true') return a
  if (b.kind === 'true') return b
  if (a.kind === 'false') return b
  if (b.kind === 'false') return a
  return antichain([...a.needs, ...b.needs])
}

const keyOf = (need: Need): string => need.claim

function union(x: Need[], y: Need[]): Need[] {
  const known = new Set(x.map(keyOf))
  return [...x, ...y.filter((need) => !known.has(keyOf(need)))]
}

function antichain(sets: Need[][]): Value {
  const bySize = [...sets].sort((x, y) => x.length - y.length)
  const kept: { set: Need[]; keys: Set<string> }[] = []
  for (const set of bySize) {
    const keys = new Set(set.map(keyOf))
    if (!kept.some((k) => [...k.keys].every((key) => keys.has(key)))) kept.push({ set, keys })
    if (kept.length > CAP) return FALSE
  }
  return { kind: 'unknown', needs: kept.map((k) => k.set) }
}

// Three values (POLICY 3): true until some instant, false, or unknown with the smallest sets of needs that could settle it.
// Pure. Nothing is built before it is known to be small enough: what would grow too large is false, and says so (BROKEN).

/** A claim that the requesting party could show. `iss`: who may vouch (anyone trusted if absent); `max_age`: seconds since it was shown. */
export type ClaimNeed = { kind: 'claim'; claim: string; iss?: readonly string[]; max_age?: number }
/** What is missing. An empty list of purposes: any purpose would settle it. `ask`: the answer of the owner to the rule `key`. */
export type Need = ClaimNeed | { kind: 'purpose'; purposes: readonly string[] } | { kind: 'ask'; key: string }
/** Needs that together could be enough. */
export type NeedSet = readonly Need[]

export type Value =
  /** Holds up to and including `until - 1` (seconds since 1970); Infinity if nothing ends it. */
  | { kind: 'true'; until: number }
  | { kind: 'false' }
  /** An antichain: each set would be enough, as far as can be known now; none makes another superfluous. */
  | { kind: 'unknown'; needs: readonly NeedSet[] }

export const FALSE: Value = { kind: 'false' }
/** False because it could not be worked out: too large, or of a form that is not known. Equal to FALSE, told apart by identity. */
export const BROKEN: Value = { kind: 'false' }
const TRUE: Value = { kind: 'true', until: Number.POSITIVE_INFINITY }
export const always = (until = Number.POSITIVE_INFINITY): Value => (until === Number.POSITIVE_INFINITY ? TRUE : { kind: 'true', until })
export const unknown = (need: Need): Value => ({ kind: 'unknown', needs: [[need]] })

/** Sets in one value, and pairs of sets that are joined at once (POLICY 6). */
const MOST_SETS = 256
const MOST_PAIRS = 4 * MOST_SETS

/** Conjunction: false wins, then unknown; a true result lasts as long as its shortest part. */
export function and(a: Value, b: Value): Value {
  if (a.kind === 'false') return b === BROKEN ? BROKEN : a
  if (b.kind === 'false') return b
  if (a.kind === 'true') return b.kind === 'true' && a.until < b.until ? a : b
  if (b.kind === 'true') return a
  // POLICY 6: fails before the product is built; no policy may cost seconds.
  if (a.needs.length * b.needs.length > MOST_PAIRS) return BROKEN
  const needs: NeedSet[] = []
  for (const x of a.needs) {
    for (const y of b.needs) {
      const both = joined(x, y)
      if (both !== undefined) add(needs, both)
    }
  }
  if (needs.length > MOST_SETS) return BROKEN
  return needs.length === 0 ? FALSE : { kind: 'unknown', needs }
}

/** Disjunction: true wins and lasts as long as its longest part; then unknown. */
export function or(a: Value, b: Value): Value {
  if (a.kind === 'true') return b.kind === 'true' && b.until > a.until ? b : a
  if (b.kind === 'true') return b
  if (a.kind === 'false') return b.kind === 'false' && a === BROKEN ? a : b
  if (b.kind === 'false') return a
  // The usual case, many rules that ask for the same: nothing is copied.
  const fresh = b.needs.filter((set) => !a.needs.some((one) => isEnoughFor(one, set)))
  if (fresh.length === 0) return a
  const needs = [...a.needs]
  for (const set of fresh) add(needs, set)
  return needs.length > MOST_SETS ? BROKEN : { kind: 'unknown', needs }
}

/** Puts a set into an antichain. Invariant: no set in it is enough for another one. */
function add(kept: NeedSet[], set: NeedSet): void {
  for (const one of kept) if (isEnoughFor(one, set)) return
  let end = 0
  for (const one of kept) if (!isEnoughFor(set, one)) kept[end++] = one
  kept.length = end
  kept.push(set)
}

/** Whether whoever has all of `other` has all of `set` too. */
function isEnoughFor(set: NeedSet, other: NeedSet): boolean {
  if (set === other) return true
  if (set.length > other.length) return false
  for (const need of set) {
    let met = false
    for (const one of other) {
      if (!isMetBy(need, one)) continue
      met = true
      break
    }
    if (!met) return false
  }
  return true
}

const isWithin = (few: readonly string[], many: readonly string[]): boolean => few.every((one) => many.includes(one))

/** Whether what meets `other` meets `need`: the same thing, and `other` is at least as strict. */
function isMetBy(need: Need, other: Need): boolean {
  if (need === other) return true
  if (need.kind === 'claim') {
    if (other.kind !== 'claim' || need.claim !== other.claim) return false
    if (need.iss !== undefined && (other.iss === undefined || !isWithin(other.iss, need.iss))) return false
    return need.max_age === undefined || (other.max_age !== undefined && other.max_age <= need.max_age)
  }
  if (need.kind === 'ask') return other.kind === 'ask' && need.key === other.key
  if (other.kind !== 'purpose') return false
  return need.purposes.length === 0 || (other.purposes.length > 0 && isWithin(other.purposes, need.purposes))
}

/** Whether two needs are about the same: one claim, the purpose, one answer. */
function areAlike(a: Need, b: Need): boolean {
  if (a.kind === 'claim') return b.kind === 'claim' && a.claim === b.claim
  return a.kind === 'ask' ? b.kind === 'ask' && a.key === b.key : b.kind === 'purpose'
}

/** Both sets as one, or undefined if nobody can meet both: a request has one purpose. */
function joined(x: NeedSet, y: NeedSet): NeedSet | undefined {
  if (!x.some((need) => y.some((one) => areAlike(need, one)))) return [...x, ...y]
  if (isEnoughFor(x, y)) return y
  if (isEnoughFor(y, x)) return x
  let all = [...x]
  for (const need of y) {
    const same = all.filter((one) => areAlike(one, need))
    if (same.length === 0) all.push(need)
    if (same.length === 0 || need.kind === 'ask') continue
    const merged = need.kind === 'claim' ? oneProof([...same, need] as ClaimNeed[]) : onePurpose([...same, need])
    if (merged === undefined) return undefined
    all = [...all.filter((one) => !areAlike(one, need)), ...merged]
  }
  return all
}

/** What was merged into one need, so that the order of merging makes no difference. */
const partsOf = new WeakMap<Need, readonly ClaimNeed[]>()

/** The same claim is asked for once: from issuers that serve all, as fresh as the strictest one wants it. */
function oneProof(needs: readonly ClaimNeed[]): ClaimNeed[] {
  const parts: ClaimNeed[] = []
  for (const part of needs.flatMap((need) => partsOf.get(need) ?? [need])) {
    if (parts.some((one) => isMetBy(part, one))) continue
    for (let at = parts.length - 1; at >= 0; at--) if (isMetBy(parts[at] ?? part, part)) parts.splice(at, 1)
    parts.push(part)
  }
  const [first] = parts
  if (parts.length < 2 || first === undefined) return parts
  const lists = parts.flatMap(({ iss }) => (iss === undefined ? [] : [iss]))
  const iss = lists[0]?.filter((one) => lists.every((list) => list.includes(one)))
  // Choice: no issuer serves all, so several proofs of the claim are asked for. Who has them is let in; "impossible" would be untrue.
  if (iss?.length === 0) return parts
  const ages = parts.flatMap(({ max_age }) => max_age ?? [])
  const one: ClaimNeed = { kind: 'claim', claim: first.claim, ...(iss && { iss }), ...(ages.length > 0 && { max_age: Math.min(...ages) }) }
  partsOf.set(one, parts)
  return [one]
}

function onePurpose(needs: readonly Need[]): Need[] | undefined {
  const lists = needs.flatMap((need) => (need.kind === 'purpose' && need.purposes.length > 0 ? [need.purposes] : []))
  const purposes = lists[0]?.filter((one) => lists.every((list) => list.includes(one))) ?? []
  return lists.length > 0 && purposes.length === 0 ? undefined : [{ kind: 'purpose', purposes }]
}

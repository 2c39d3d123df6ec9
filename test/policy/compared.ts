// Random sets of rules, decided by the engine and by Cedar, side by side.
import fc from 'fast-check'
import {
  anyCircumstances,
  anyCondition,
  anyPerson,
  anyProofs,
  inEmergency,
  likelyCell,
  openCircumstances,
  withGlass,
} from './arbitraries.ts'
import { decided } from './engine.ts'
import { partialDecision, wholeDecision } from './oracle.ts'
import { CLAIMS, everyProof, factsOf, type Proof } from './people.ts'
import { SEED, times } from './runs.ts'

type Ours = 'true' | 'false' | 'unknown'
type Theirs = 'allow' | 'deny' | 'open'
export type Pair = `${Ours} ${Theirs}`

/** One proof of a claim at most: two have no form in Cedar. */
const onePerClaim = (proofs: readonly Proof[]): Proof[] =>
  proofs.filter((one, n) => proofs.findIndex(({ claim }) => claim === one.claim) === n)

const CASES = {
  // Whatever was shown counts for every rule, or nothing was shown: Cedar's unknown is all of a claim.
  partial: fc
    .tuple(likelyCell(anyCondition({ depth: 2, terms: false })), anyPerson, fc.subarray([...CLAIMS]), openCircumstances)
    .map(([asked, person, shown, at]) => ({ asked, at, facts: factsOf(person, onePerClaim(everyProof(shown))) })),
  // All terms; what does not count for a rule is to Cedar as to us as if it were not there.
  whole: fc
    .tuple(
      fc.oneof(likelyCell(anyCondition({ depth: 2 })), withGlass(likelyCell(anyCondition({ depth: 2 })))),
      anyPerson,
      anyProofs,
      fc.oneof(openCircumstances, anyCircumstances, inEmergency(anyCircumstances)),
      fc.nat(5),
    )
    .map(([asked, person, proofs, at, unverified]) => ({
      asked,
      at,
      facts: factsOf(person, onePerClaim(proofs)).map((one, n) => (n === unverified ? { ...one, named: true } : one)),
    })),
}

/** Cedar may leave open what we know; never may one say yes where the other says no, nor Cedar know what we do not. */
const AGREED: Readonly<Record<keyof typeof CASES, readonly Pair[]>> = {
  partial: ['true allow', 'false deny', 'unknown open', 'true open', 'false open'],
  whole: ['true allow', 'false deny', 'unknown deny'],
}

/** Tries `count` sets of rules; how often each pair of answers came, and the first few cases in which they contradict each other. */
export const compared = (how: keyof typeof CASES, count: number): { counts: Partial<Record<Pair, number>>; contradictions: string[] } => {
  const counts: Partial<Record<Pair, number>> = {}
  const contradictions: string[] = []
  for (const { asked, at, facts } of fc.sample<(typeof CASES)[typeof how] extends fc.Arbitrary<infer T> ? T : never>(CASES[how], {
    numRuns: times(count),
    seed: SEED,
  })) {
    const theirs = (how === 'whole' ? wholeDecision(asked, at, facts) : partialDecision(asked, at, facts)) ?? 'open'
    const pair: Pair = `${decided(asked, at, facts).kind} ${theirs}`
    counts[pair] = (counts[pair] ?? 0) + 1
    if (!AGREED[how].includes(pair) && contradictions.length < 3) contradictions.push(`${pair}: ${JSON.stringify({ asked, at, facts })}`)
  }
  return { counts, contradictions }
}

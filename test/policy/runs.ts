// How often a property is tried. The seed is always the same, so that a result is the same on every machine; LATCHKEY_SEED sets another.
import fc from 'fast-check'

/** Below five thousand runs a mistake once stayed unseen (POLICY 7); the algebra itself gets more. */
export const RUNS = 5_000
export const CORE = 20_000

export const SEED = Number(process.env.LATCHKEY_SEED ?? 20_261_120)
/** Looking for mistakes made on purpose (`npm run test:mutation`) takes a part of them, for each of hundreds of mistakes. */
const share = Number(process.env.LATCHKEY_SHARE_OF_RUNS ?? 1)

/** That many, or the part of them. */
export const times = (runs: number): number => Math.ceil(runs * share)

/** Tries a property; throws with the smallest counterexample. */
export const tried = <T>(property: fc.IProperty<T>, runs = RUNS): void => {
  fc.assert(property, { numRuns: times(runs), seed: SEED })
}

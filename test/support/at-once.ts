// Many of one thing at the same moment, and what came of each.
import type { Answer } from './http.ts'

/** Starts `count` of these before any can have ended; answers all results in order. */
export const atOnce = <T>(count: number, one: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => one(index)))

/** How many answers there were of each kind: the status, and the error if there is one. */
export const tally = (answers: readonly Pick<Answer, 'status' | 'json'>[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status, json } of answers) {
    const kind = typeof json.error === 'string' ? `${status} ${json.error}` : String(status)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

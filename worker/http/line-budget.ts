// How many lines of requests that went well are written in a second: a flood of requests does not become a flood of lines, which cost
// more than the requests themselves. What is left out is counted, and the counts are told. Pure; who writes is log.ts.

/** What lines that are told together have in common. */
export type Kind = { method: string; route: string; status: number; client_id?: string }
export type Counted = Kind & { count: number }

/** Kinds that are counted at the same time; one more makes all of them be told. */
const KINDS = 500

export type LineBudget = {
  /** True if this request may have a line of its own; if not, it was counted. `now` in milliseconds. */
  take(now: number, kind: () => Kind): boolean
  /** What was counted in seconds that are over, or too much of it; each time once. */
  overdue(now: number): Counted[]
}

/** `perSecond` lines; 0 is no limit. */
export function lineBudget(perSecond: number): LineBudget {
  let second = -1
  let written = 0
  const counts = new Map<string, Counted>()
  return {
    take(now, kind) {
      if (perSecond === 0) return true
      const current = Math.floor(now / 1000)
      if (current !== second) {
        second = current
        written = 0
      }
      if (written < perSecond) {
        written += 1
        return true
      }
      const one = kind()
      const key = `${one.method} ${one.route} ${one.status} ${one.client_id ?? ''}`
      const known = counts.get(key)
      if (known === undefined) counts.set(key, { ...one, count: 1 })
      else known.count += 1
      return false
    },
    overdue(now) {
      if (counts.size === 0 || (counts.size < KINDS && Math.floor(now / 1000) === second)) return []
      const told = [...counts.values()]
      counts.clear()
      return told
    },
  }
}

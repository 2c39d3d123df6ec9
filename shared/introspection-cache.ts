// An honest memory for introspection answers (RFC 7662 4): short, only of answers that permit, and never the reason for a refusal.
// Without it (the default of the kit) a withdrawal is seen at the next request; with it, at most so many seconds later.
import { sha256Base64url } from './base64url.ts'
import type { ProtectionApi } from './protection-api.ts'
import type { RptIntrospection } from './protocol/uma-federation.ts'

/** Seconds that an answer may be used at the most. */
export const LONGEST_CACHE = 5
const MOST_ANSWERS = 10_000

/** `accepts` says whether a remembered answer will do; without it any will. */
export type CachedIntrospect = (token: string, accepts?: (rpt: RptIntrospection) => boolean) => ReturnType<ProtectionApi['introspect']>

/**
 * Remembers `active` answers for `seconds`, never beyond the token's own end; inactive tokens and failures are asked about each time.
 * @param api asked when nothing is remembered
 * @param options.seconds 0 to 5; anything else throws a RangeError
 * @returns `introspect` that looks here first. An answer that `accepts` refuses is asked about anew: the token may have been given more
 * meanwhile (UMA Grant 3.3.5.1), and nobody is refused from memory. DPoP proofs are checked at each request regardless.
 */
export function cacheIntrospection(
  api: Pick<ProtectionApi, 'introspect'>,
  options: { seconds: number; now: () => number },
): { introspect: CachedIntrospect } {
  const { seconds, now } = options
  if (!(seconds >= 0 && seconds <= LONGEST_CACHE)) throw new RangeError(`introspection is cached for 0 to ${LONGEST_CACHE} seconds`)
  const kept = new Map<string, { answer: Extract<RptIntrospection, { active: true }>; until: number }>()

  const ask = async (token: string, key: string) => {
    const answer = await api.introspect(token)
    kept.delete(key)
    if (answer.kind !== 'ok' || !answer.value.active) return answer
    // Oldest first: a Map keeps the order of insertion.
    for (const [old, { until }] of kept) {
      if (until > now() && kept.size < MOST_ANSWERS) break
      kept.delete(old)
    }
    kept.set(key, { answer: answer.value, until: Math.min(now() + seconds, answer.value.exp ?? Number.POSITIVE_INFINITY) })
    return answer
  }

  return {
    introspect: async (token, accepts = () => true) => {
      const key = await sha256Base64url(token)
      const found = kept.get(key)
      return found !== undefined && found.until > now() && accepts(found.answer) ? { kind: 'ok', value: found.answer } : ask(token, key)
    },
  }
}

// A server that has no time right now and says when it will have (RFC 6585 4, RFC 9110 10.2.3, 15.6.4): the client kit comes again then,
// a few times and not for long. What a program's own requests are answered is the program's business.
import { discard } from './limited-body.ts'
import { orAborted, type UmaClientDeps, type UmaClientOptions } from './uma-options.ts'

/** Repetitions of one request. */
const MOST_REPEATS = 2
/** Seconds that are waited for one request, unless the program says otherwise. */
const DEFAULT_WITHIN = 10
/** A server that says 0 is not asked in the same instant. */
const SHORTEST = 1

/**
 * Reads when a server wants to be asked again (RFC 9110 10.2.3).
 * @param now seconds since 1970
 * @returns seconds from now; nothing when it does not say so, or when the answer is neither 429 nor 503
 */
export function retryAfter(response: Pick<Response, 'status' | 'headers'>, now: number): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined
  const text = response.headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil(date / 1000) - now)
}

/**
 * Sends a request, and again when the server says when (RFC 9110 10.2.3): twice at most, and only if all waits together stay within
 * `options.retryWithin` seconds. `send` is called anew each time, so that a proof of possession is made anew (RFC 9449 11.1).
 * @returns the first answer that is not to be repeated. Rejects as `send` does, and with the reason of `options.signal`.
 */
export async function patiently(
  send: () => Promise<Response>,
  { retryWithin = DEFAULT_WITHIN, signal }: Pick<UmaClientOptions, 'retryWithin' | 'signal'>,
  deps: Required<Pick<UmaClientDeps, 'now' | 'wait'>>,
): Promise<Response> {
  let left = retryWithin
  for (let repeats = 0; ; repeats += 1) {
    const answer = await send()
    const wanted = retryAfter(answer, deps.now())
    if (wanted === undefined || repeats >= MOST_REPEATS) return answer
    const seconds = Math.max(wanted, SHORTEST)
    if (seconds > left) return answer
    left -= seconds
    await discard(answer)
    await orAborted(deps.wait(seconds, signal), signal)
  }
}

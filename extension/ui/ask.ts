// The one way from a view to the background. Answers are values, never exceptions: a worker that died in the middle shows as `failed`
// after one more try, which is safe for everything that only reads.
import browser from 'webextension-polyfill'
import type { Answer, Answers, OwnRequest } from '../messages.ts'

const READS: ReadonlySet<OwnRequest['kind']> = new Set(['wallet', 'sharing', 'activity', 'services', 'proofs', 'consent', 'live', 'look', 'approving', 'approve'])

/** Asks the background. The answer's type follows from the request's kind. */
export const ask = async <K extends keyof Answers>(request: Extract<OwnRequest, { kind: K }>): Promise<Answer<K>> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = (await browser.runtime.sendMessage(request)) as Answer<K> | undefined
      if (answer !== undefined) return answer
    } catch (error) {
      if (attempt > 0 || !READS.has(request.kind)) return { ok: false, code: 'failed', detail: error instanceof Error ? error.message : '' }
    }
    if (attempt > 0 || !READS.has(request.kind)) return { ok: false, code: 'failed' }
  }
}

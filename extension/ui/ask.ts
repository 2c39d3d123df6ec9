// The one way from a view to the background. Answers are values, never exceptions: a worker that died in the middle shows as `failed`
// after one more try, which is safe for everything that only reads.
import browser from 'webextension-polyfill'
import type { Answer, Answers, OwnRequest } from '../messages.ts'

const NO_ANSWER = 'the background did not answer'

const READS: ReadonlySet<OwnRequest['kind']> = new Set([
  'wallet',
  'sharing',
  'activity',
  'services',
  'requests',
  'asking',
  'proofs',
  'consent',
  'live',
  'look',
  'approving',
  'approve',
])

const once = async <K extends keyof Answers>(request: OwnRequest): Promise<Answer<K>> => {
  try {
    const answer = (await browser.runtime.sendMessage(request)) as Answer<K> | undefined
    return answer ?? { ok: false, code: 'failed', detail: NO_ANSWER }
  } catch (error) {
    return { ok: false, code: 'failed', detail: error instanceof Error ? error.message : NO_ANSWER }
  }
}

/** Asks the background. The answer's type follows from the request's kind. */
export const ask = async <K extends keyof Answers>(request: Extract<OwnRequest, { kind: K }>): Promise<Answer<K>> => {
  const answer = await once<K>(request)
  return !answer.ok && answer.code === 'failed' && READS.has(request.kind) ? once<K>(request) : answer
}

// Where the vault may send a request (DESIGN, promise I8): public https addresses, and those that DEV_ORIGINS lists. Addresses come from
// people and from documents of other servers, so each is judged on its own. Pure, except `makeOutbound`.
// NOT checked: what a public name resolves to. Workers offer no look at that; their network does not route to private addresses.
import type { Fetch } from '../../shared/discovery.ts'
import { isPublicHost } from '../../shared/public-host.ts'

export type Verdict = { kind: 'allowed' } | { kind: 'refused'; reason: string }

const refused = (reason: string): Verdict => ({ kind: 'refused', reason })

/**
 * May the vault contact this address?
 * @param devOrigins exact origins that are allowed although they are not public or not https
 */
export function judgeAddress(address: string, devOrigins: readonly string[]): Verdict {
  if (!URL.canParse(address)) return refused('this is not an address')
  const url = new URL(address)
  if (url.username !== '' || url.password !== '') return refused('an address with a password in it')
  if (devOrigins.includes(url.origin)) return { kind: 'allowed' }
  if (url.protocol !== 'https:') return refused('only https is contacted')
  return isPublicHost(url.hostname) ? { kind: 'allowed' } : refused('an address of a private network')
}

/** `DEV_ORIGINS`: origins separated by spaces or commas. An entry that is no bare origin makes the vault refuse to start. */
export function parseDevOrigins(text: string | undefined): readonly string[] {
  const entries = (text ?? '').split(/[\s,]+/).filter((entry) => entry !== '')
  for (const entry of entries) {
    if (!URL.canParse(entry) || new URL(entry).origin !== entry) throw new Error(`DEV_ORIGINS: ${entry} is not an origin`)
  }
  return entries
}

/** Milliseconds that another server has for an answer. */
const PATIENCE = 10_000

/** The only `fetch` of the vault: guarded, never following a redirect, and not for ever. Rejects with an Error that says why. */
export const makeOutbound =
  (devOrigins: readonly string[]): Fetch =>
  async (input, init) => {
    const verdict = judgeAddress(String(input), devOrigins)
    if (verdict.kind === 'refused') throw new Error(`not contacted: ${verdict.reason}`)
    // A redirect could lead past the guard, so it comes back as it is and counts as a wrong answer.
    return fetch(input, { ...init, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) })
  }

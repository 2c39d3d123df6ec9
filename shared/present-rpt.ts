// One request with an RPT (UMA Grant 3.4): as bearer (RFC 6750 2.1), or with a proof of the key that it is bound to (RFC 9449 7.1).
import { randomText } from './base64url.ts'
import { parseChallenges } from './challenge.ts'
import { makeDpopProof } from './dpop.ts'
import { discard } from './limited-body.ts'
import type { RptResponse } from './protocol/uma-grant.ts'
import type { UmaClientDeps, UmaClientOptions } from './uma-options.ts'

/** RFC 9449 9: the nonce that a resource server wants in the proof, if that is what its 401 says. */
function wantedNonce(response: Response): string | undefined {
  if (response.status !== 401) return undefined
  const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '')
  const wants = challenges.some(({ scheme, parameters }) => scheme.toLowerCase() === 'dpop' && parameters.get('error') === 'use_dpop_nonce')
  return wants ? (response.headers.get('dpop-nonce') ?? undefined) : undefined
}

/** The method as it goes out (Fetch 2.2.1); `patch` stays in small letters. */
export function sentMethod(method = 'GET'): string {
  return /^(delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method
}

/**
 * Sends a request with an RPT (UMA Grant 3.4). NOT checked: that the RPT is good for that server; `mayPresent` says so.
 * @param nonces the newest nonce of each origin, read and written here (RFC 9449 8.2)
 * @returns the answer; a redirect is returned and not followed. Rejects as `fetch` does.
 */
export async function present(
  url: URL,
  init: RequestInit,
  rpt: RptResponse,
  { dpopKey }: Pick<UmaClientOptions, 'dpopKey'>,
  deps: Required<UmaClientDeps> & { nonces: Map<string, string> },
): Promise<Response> {
  const isBound = rpt.token_type.toLowerCase() === 'dpop'
  const send = async (): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `${isBound ? 'DPoP' : 'Bearer'} ${rpt.access_token}`)
    if (isBound && dpopKey !== undefined) {
      const { href, origin } = url
      const nonce = deps.nonces.get(origin)
      const jti = randomText(deps.random, 16)
      const proof = { method: sentMethod(init.method), url: href, now: deps.now(), jti, accessToken: rpt.access_token }
      headers.set('dpop', await makeDpopProof(dpopKey, nonce === undefined ? proof : { ...proof, nonce }))
    }
    // UMA Grant 5.2: the RPT goes to the resource server only, so a redirect is not followed with it.
    const answer = await deps.fetch(url, { ...init, headers, redirect: 'manual' })
    const newest = isBound ? answer.headers.get('dpop-nonce') : null
    if (newest !== null) deps.nonces.set(url.origin, newest)
    return answer
  }
  const used = deps.nonces.get(url.origin)
  const first = await send()
  const nonce = isBound ? wantedNonce(first) : undefined
  if (nonce === undefined || nonce === used) return first
  await discard(first)
  return send()
}

// How AuthZEN endpoints read and answer: strict JSON objects, the caller's token, X-Request-ID sent back, one decision as the specification has it.
import type { Context, MiddlewareHandler } from 'hono'
import type * as v from 'valibot'
import type { Decision } from '../../shared/protocol/authzen.ts'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { claimType } from '../claims/types.ts'
import { type Presented, presentedToken, recognize } from '../http/bearer.ts'
import type { AppContext } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import type { Outcome } from '../policy/assess.ts'
import { requiredClaims } from '../policy/required-claims.ts'

/** Who asks: a wallet for its owner, or a service about its own things. */
export type Asking<T> = Presented & { isService: boolean; request: T }

/** The token first, so that strangers learn nothing of what is wrong with their request; then the body. */
export async function asked<S extends v.GenericSchema>(c: AppContext, schema: S): Promise<Asking<v.InferOutput<S>>> {
  const presented = await presentedToken(c, c.req.header('authorization') === undefined ? PROTECTION_SCOPE : OWNER_SCOPE)
  // Before anybody's address is hashed.
  await recognize(c, presented, presented.kind === 'p' ? PROTECTION_SCOPE : OWNER_SCOPE, 'question')
  const request = await readJson(c, schema)
  return { ...presented, isService: presented.kind === 'p', request }
}

/** AuthZEN 10.1.3: the caller's own number for the request, if it is a plain one; whatever the answer is. */
export const echoRequestId: MiddlewareHandler = async (c, next) => {
  await next()
  const id = c.req.header('x-request-id')
  if (id !== undefined && /^[\x21-\x7e]{1,200}$/.test(id)) c.header('X-Request-ID', id)
}

export const respond = (c: Context, body: unknown): Response => c.json(body, 200, { 'Cache-Control': 'no-store' })

export const tooFast = (wait: number): OAuthError =>
  new OAuthError('temporarily_unavailable', `too many questions for this owner; wait ${wait} seconds`, {
    status: 429,
    headers: { 'Retry-After': String(wait) },
  })

/** AuthZEN 6.2: yes only for what would be granted now; what is missing stands beside the no. */
export function decisionOf(outcome: Outcome): Decision {
  if (outcome.kind === 'granted') return { decision: true }
  if (outcome.kind === 'ask') return { decision: false, context: { uma: { request_submitted: true } } }
  if (outcome.kind !== 'need_info') return { decision: false }
  const needs = outcome.needs.map((need) => (need.kind === 'purpose' ? { claim: 'purpose' } : need))
  const named = requiredClaims(needs, (claim) =>
    claim === 'purpose' ? { friendly_name: 'What it is wanted for', formats: [] } : claimType(claim),
  )
  return { decision: false, context: { uma: { need_info: named.map((one) => ({ ...one })) } } }
}

// How much one network may ask of endpoints that cost something and need no secret (TESTS CR-17, RFC 9126 2.3), counted exactly by one-time
// objects. Requests of this machine itself are not counted (limits.ts). Who is within the limits of /token waits for nothing here.
import type { Limit } from '../objects/one-time.ts'
import { quotasOf } from '../objects/quotas.ts'
import { type Call, oneTimeObject, seconds } from './context.ts'
import { OAuthError } from './errors.ts'
import { networkOf } from './limits.ts'

/** Numbers that a large service behind one address stays below, and a flood does not. */
const NETWORK_LIMITS = {
  registration: [{ max: 60, window: 60 }],
  push: [{ max: 240, window: 60 }],
  /** Refusals of the token endpoint for a bad client, code, ticket or refresh token. */
  refusal: [{ max: 120, window: 60 }],
  /** Client documents that are not remembered: each makes this server call another one. */
  document: [{ max: 60, window: 60 }],
} as const satisfies Record<string, Limit[]>
type Kind = keyof typeof NETWORK_LIMITS

/** Registrations of an hour are a quota of the deployment. */
const limitsOf = (call: Call, kind: Kind): Limit[] =>
  kind === 'registration'
    ? [...NETWORK_LIMITS[kind], { max: quotasOf(call.deps.env).registrations_per_network_hour, window: 3600 }]
    : [...NETWORK_LIMITS[kind]]

/** Networks that this isolate knows to be over the limit of refusals, and until when (seconds). */
const resting = new Map<string, number>()
const MAX_RESTING = 1000

/** Counts one more from the network of this request. Throws OAuthError 429 with Retry-After if that is too many. */
export async function countNetwork(call: Call, kind: Kind): Promise<void> {
  const network = networkOf(call.request.headers.get('cf-connecting-ip') ?? undefined)
  if (network === undefined) return
  const { deps } = call
  const now = seconds(deps)
  const once = oneTimeObject(call.deps.env, await deps.keyring.mac('limit', `network ${kind}\0${network}`))
  const counted = await once.count({ limits: limitsOf(call, kind), now })
  if (counted.kind === 'ok') return
  if (kind === 'refusal') {
    if (resting.size >= MAX_RESTING) resting.clear()
    resting.set(network, now + counted.retry_after)
  }
  throw tooMany(counted.retry_after)
}

/** Throws OAuthError 429 for a network whose requests have been refused too often. Asks nobody. */
export function refuseResting(call: Call): void {
  if (resting.size === 0) return
  const network = networkOf(call.request.headers.get('cf-connecting-ip') ?? undefined)
  const until = network === undefined ? undefined : resting.get(network)
  const now = seconds(call.deps)
  if (until !== undefined && until > now) throw tooMany(until - now)
}

/** RFC 6585 4. No specification names a code for it. */
const tooMany = (wait: number): OAuthError =>
  new OAuthError('temporarily_unavailable', `too many requests from your network; wait ${wait} seconds`, {
    status: 429,
    headers: { 'Retry-After': String(wait) },
  })

// How much one network may ask of endpoints that cost something and need no secret (TESTS CR-17, RFC 9126 2.3), counted exactly by one-time
// objects. Requests of this machine itself are not counted (limits.ts). Who is within the limits of /token waits for nothing here.
import type { Limit } from '../objects/one-time.ts'
import { type Quotas, quotasOf } from '../objects/quotas.ts'
import { type Call, oneTimeObject, seconds } from './context.ts'
import { OAuthError } from './errors.ts'
import { networkOf } from './limits.ts'

const limitsOf = {
  registration: (quotas) => [
    { max: quotas.registrations_per_network_minute, window: 60 },
    { max: quotas.registrations_per_network_hour, window: 3600 },
  ],
  push: (quotas) => [{ max: quotas.pushes_per_network_minute, window: 60 }],
  refusal: (quotas) => [{ max: quotas.refusals_per_network_minute, window: 60 }],
  document: (quotas) => [{ max: quotas.documents_per_network_minute, window: 60 }],
} as const satisfies Record<string, (quotas: Quotas) => Limit[]>
type Kind = keyof typeof limitsOf

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
  const counted = await once.count({ limits: limitsOf[kind](quotasOf(deps.env)), now })
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

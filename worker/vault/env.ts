// What the vault gets from its surroundings, and what it makes of it once per request.
import type { Fetch } from '../../shared/discovery.ts'
import { makeOutbound, parseDevOrigins } from './guard.ts'
import type { AccountObject } from './objects/account.ts'
import type { AuthorizationServerObject } from './objects/authorization-server.ts'
import type { GuestObject } from './objects/guest.ts'
import type { KeysObject } from './objects/keys.ts'
import type { RecoveryObject } from './objects/recovery.ts'

export type Env = {
  FILES: R2Bucket
  KEYS: DurableObjectNamespace<KeysObject>
  ACCOUNTS: DurableObjectNamespace<AccountObject>
  AUTHORIZATION_SERVERS: DurableObjectNamespace<AuthorizationServerObject>
  GUESTS: DurableObjectNamespace<GuestObject>
  RECOVERY: DurableObjectNamespace<RecoveryObject>
  /** Public origin; empty means the origin that the request came to. */
  ORIGIN?: string
  /** Non-public origins that may be contacted; only while the vault itself is not on https. */
  DEV_ORIGINS?: string
  /** Authorization server that the sign-in page proposes. */
  SUGGESTED_AS?: string
  /** Optional secret that is mixed into the sealing keys. */
  PEPPER?: string
}

/** Public origin of the vault. Choice: never from the `Host` header by itself; the runtime's URL or the setting decides. */
export function originOf(env: Env, request: Request): string {
  return env.ORIGIN ? new URL(env.ORIGIN).origin : new URL(request.url).origin
}

/** Sentence that stops the vault: a setting for development on a public origin would open the private network (promise I8). */
export function startProblem(env: Env, origin: string): string | undefined {
  const listed = parseDevOrigins(env.DEV_ORIGINS)
  return listed.length > 0 && origin.startsWith('https:')
    ? 'DEV_ORIGINS is set, but this vault is public. Remove it and start again.'
    : undefined
}

export const outboundOf = (env: Env): Fetch => makeOutbound(parseDevOrigins(env.DEV_ORIGINS))

/** Seconds since 1970. */
export const nowOf = (): number => Math.floor(Date.now() / 1000)

export const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count))

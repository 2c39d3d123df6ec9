// What an endpoint gets: bindings, the keyring, clock, issuer, mailer; built once per request. No rule lives here.
import type { Context } from 'hono'
import type { Keyring } from '../tokens/keyring.ts'
import type { Mailer } from './mailer.ts'

export type Deps = {
  env: Env
  /** The issuer identifier: an origin without a slash at the end. */
  issuer: string
  keyring: Keyring
  /** Milliseconds since 1970. */
  now: () => number
  mailer: Mailer
  /** Names this request in answers and logs. */
  requestId: string
  /** Outgoing HTTP, for what is not ours. */
  fetch: typeof fetch
}

/** The owner who is signed in with this browser. */
export type OwnerSession = { owner: string; sid: string; since: number }

export type AppEnv = {
  Bindings: Env
  Variables: {
    deps: Deps
    lang: 'en' | 'de' | 'pt'
    requestId: string
    /**
     * For the log (SPECS S0-2): who has authenticated, whose token was accepted, whose interaction the page belongs to, or who sent a person
     * here to come back to a place that it registered. Never who only says so.
     */
    client?: string
  }
}
export type AppContext = Context<AppEnv>

/**
 * A request as what needs no router knows it: endpoints that are mounted without middleware (straight.ts), and all that they share with
 * others. `client`: as in AppEnv. `waitUntil` finishes something after the answer.
 */
export type Call = { request: Request; deps: Deps; client?: string } & Pick<ExecutionContext, 'waitUntil'>

/** The same request for what takes a Call. Whoever authenticates by it is in the log. */
export const callOf = (c: AppContext): Call => ({
  request: c.req.raw,
  deps: c.var.deps,
  set client(id: string) {
    c.set('client', id)
  },
  waitUntil: (work) => c.executionCtx.waitUntil(work),
})

/** Seconds since 1970, as OAuth counts. */
export const seconds = (deps: Pick<Deps, 'now'>): number => Math.floor(deps.now() / 1000)

/** The object that holds an owner's live authority. */
export const ownerObject = (env: Env, owner: string) => {
  let id = ids.get(owner)
  if (id === undefined) {
    id = env.OWNER.idFromName(owner)
    if (ids.size >= 2000) ids.clear()
    ids.set(owner, id)
  }
  return env.OWNER.get(id)
}
/** An object's id is a hash of its name: computed once an isolate. */
const ids = new Map<string, DurableObjectId>()

/** The object of a proven address, by its claim value: named by a hash whose key never rotates. */
export const guestObject = async ({ env, keyring }: Pick<Deps, 'env' | 'keyring'>, value: string) =>
  env.GUEST.get(env.GUEST.idFromName(await keyring.mac('guest', value)))

/** The object that lets one named thing happen once, or at most so often; the name says what it protects. */
export const oneTimeObject = (env: Env, name: string) => env.ONE_TIME.get(env.ONE_TIME.idFromName(name))

// Builds what endpoints get (context.ts), once per request; refuses to work with a configuration that would be unsafe.
import type { MiddlewareHandler } from 'hono'
import { pickLanguage } from '../pages/messages.ts'
import { keyringOf } from '../tokens/keyring.ts'
import type { AppEnv, Deps } from './context.ts'
import { mailerOf } from './mailer.ts'
import { checkRecord } from './storage.ts'

/** Fills `c.var.deps` and `c.var.lang`. */
export function buildDeps(): MiddlewareHandler<AppEnv> {
  return async function deps(c, next) {
    c.set('deps', await depsOf(c.env, c.req.url, c.var.requestId))
    c.set('lang', pickLanguage(c.req.header('accept-language')))
    await next()
  }
}

/** What the endpoint of one request gets. Throws (500) if DEV_ORIGINS stands beside an https issuer (DESIGN 4). */
export async function depsOf(env: Env, url: string, requestId: string): Promise<Deps> {
  // Never from the Host header by itself: the URL that the runtime routed, or what the operator wrote.
  const issuer = env.ISSUER === undefined || env.ISSUER === '' ? new URL(url).origin : env.ISSUER.replace(/\/$/, '')
  if ((env.DEV_ORIGINS ?? '') !== '' && issuer.startsWith('https:')) throw new Error('DEV_ORIGINS is for loopback issuers only')
  const unchecked = checkRecord(env)
  if (unchecked !== undefined) await unchecked
  return {
    env,
    issuer,
    keyring: await keyringOf(env),
    now: () => Date.now(),
    mailer: mailerOf(env),
    requestId,
    fetch: (input, init) => fetch(input, init),
  }
}

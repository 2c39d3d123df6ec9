// Builds what endpoints get (context.ts), once per request; refuses to work with a configuration that would be unsafe.
import type { MiddlewareHandler } from 'hono'
import { pickLanguage } from '../pages/messages.ts'
import { keyringOf } from '../tokens/keyring.ts'
import type { AppEnv } from './context.ts'
import { mailerOf } from './mailer.ts'
import { checkRecord } from './storage.ts'

/** Fills `c.var.deps` and `c.var.lang`. Throws (500) if DEV_ORIGINS stands beside an https issuer (DESIGN 4). */
export function buildDeps(): MiddlewareHandler<AppEnv> {
  return async function deps(c, next) {
    // Never from the Host header by itself: the URL that the runtime routed, or what the operator wrote.
    const issuer = c.env.ISSUER === undefined || c.env.ISSUER === '' ? new URL(c.req.url).origin : c.env.ISSUER.replace(/\/$/, '')
    if ((c.env.DEV_ORIGINS ?? '') !== '' && issuer.startsWith('https:')) throw new Error('DEV_ORIGINS is for loopback issuers only')
    const unchecked = checkRecord(c.env)
    if (unchecked !== undefined) await unchecked
    c.set('deps', {
      env: c.env,
      issuer,
      keyring: await keyringOf(c.env),
      now: () => Date.now(),
      mailer: mailerOf(c.env),
      requestId: c.var.requestId,
      fetch: (input, init) => fetch(input, init),
    })
    c.set('lang', pickLanguage(c.req.header('accept-language')))
    await next()
  }
}

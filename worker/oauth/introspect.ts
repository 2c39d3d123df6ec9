// The introspection endpoint (RFC 7662) for resource servers with a PAT (UMA FedAuthz 5): one question to the owner's object, nothing else.
// What an active token's answer says besides is the describer's affair (uma/rpt-permissions.ts).
import { Hono } from 'hono'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { presentedToken } from '../http/bearer.ts'
import { type AppEnv, type Deps, ownerObject, seconds } from '../http/context.ts'
import { readForm, required } from '../http/form.ts'
import type { OwnerObject } from '../objects/owner.ts'
import { readToken } from '../tokens/opaque.ts'
import { introspectionJwt, wantsJwt } from './introspection-jwt.ts'

export type ActiveToken = Extract<Awaited<ReturnType<OwnerObject['introspect']>>, { kind: 'active' }>

export function introspect(describe: (active: ActiveToken, deps: Deps) => Record<string, unknown>) {
  return new Hono<AppEnv>().post('/', async (c) => {
    const { deps } = c.var
    const { owner, caller, refused } = await presentedToken(c, PROTECTION_SCOPE)
    const params = await readForm(c)
    const rpt = await readToken(deps.keyring, required(params, 'token'))
    // Another owner's token is like an unknown one, but a bad PAT is a bad PAT: the object is asked in any case.
    const own = rpt?.kind === 'r' && rpt.owner === owner ? { rpt: rpt.hash } : {}
    const answer = await ownerObject(c.env, owner).introspect(caller, { ...own, now: seconds(deps) })
    if (answer.kind === 'unauthorized') throw refused(answer)
    c.set('client', answer.service)
    // RFC 7662 2.2: nothing more about an inactive token.
    const body = answer.kind === 'active' ? describe(answer, deps) : { active: false }
    if (wantsJwt(c.req.header('accept'))) return introspectionJwt(c, body, answer.service)
    return c.json(body, 200, { 'Cache-Control': 'no-store' })
  })
}

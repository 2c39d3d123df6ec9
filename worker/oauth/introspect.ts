// The introspection endpoint (RFC 7662) for resource servers with a PAT (UMA FedAuthz 5): one question to the owner's object, nothing else.
// What an active token's answer says besides is the describer's affair (uma/rpt-permissions.ts).
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { presentedIn } from '../http/bearer.ts'
import { type Deps, ownerObject, seconds } from '../http/context.ts'
import { formOf, required } from '../http/form.ts'
import { answerJson, type Endpoint } from '../http/straight.ts'
import type { Introspected } from '../objects/owner-protection.ts'
import { fromText, textOf } from '../objects/text.ts'
import { readToken } from '../tokens/opaque.ts'
import { introspectionJwt, wantsJwt } from './introspection-jwt.ts'

export type ActiveToken = Extract<Introspected, { kind: 'active' }>

export function introspect(describe: (active: ActiveToken, deps: Deps) => Record<string, unknown>): Endpoint {
  return async (call) => {
    const { request, deps } = call
    const { owner, caller, refused } = await presentedIn(call, PROTECTION_SCOPE)
    const params = await formOf(request)
    const rpt = await readToken(deps.keyring, required(params, 'token'))
    // Another owner's token is like an unknown one, but a bad PAT is a bad PAT: the object is asked in any case.
    const own = rpt?.kind === 'r' && rpt.owner === owner ? { rpt: rpt.hash } : {}
    const answer = fromText(await ownerObject(deps.env, owner).introspect(textOf({ caller, ...own, now: seconds(deps) })))
    if (answer.kind === 'unauthorized') throw refused(answer)
    call.client = answer.service
    // RFC 7662 2.2: nothing more about an inactive token.
    const body = answer.kind === 'active' ? describe(answer, deps) : { active: false }
    if (wantsJwt(request.headers.get('accept'))) return introspectionJwt(call, body, answer.service)
    return answerJson(body)
  }
}

// The two ways out of the claims page (UMA Grant 3.3.3). Both answer a POST with a page that goes on by itself: a redirect would be
// blocked by `form-action 'self'` (CLAIMS 2.3), and the page says where the person is going.
import { Hono } from 'hono'
import { type AppContext, type AppEnv, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { type Params, readForm } from '../http/form.ts'
import { negotiationObject } from '../http/mailed-code.ts'
import { pageContext } from '../http/page.ts'
import { responseUri } from '../http/redirect.ts'
import { checkCsrf, sameOrigin } from '../http/session.ts'
import { GoingBackPage } from '../pages/going-back.tsx'
import { render } from '../pages/layout.tsx'
import { renewTicket } from '../tokens/ticket.ts'
import { type ClaimsSession, dropSession, parties, readSession, SKIP, sessionPath } from './claims-session.ts'

export const claimsLeave = new Hono<AppEnv>()
  .post('/continue', sameOrigin(), async (c) => {
    const { session, params } = await formSession(c)
    const { deps } = c.var
    // Once: one ticket came in, at most one goes out.
    const ended = await negotiationObject(c.env, session.sid).finish({ until: session.until, needsProof: true })
    if (ended.kind === 'over') throw new PageError('used_link', 'claims_session_over')
    if (ended.kind === 'no_proof') return c.redirect(sessionPath(session), 303)
    const evidence = ended.proof === undefined ? [] : [ended.proof]
    // > a new permission ticket value, which MUST differ from the one sent (UMA Grant 3.3.3); nothing that was shown goes along.
    // UMA Grant 3.3.3, 6.2: remembered only if the guest said so, on the page of the code or on the last one.
    // What is remembered counts for all owners: not that somebody is signed in as one.
    const isAllowed = (session.skip === true || params.get(SKIP) === 'on') && ended.proof?.method !== 'sign-in'
    const remember = isAllowed && ended.proof !== undefined ? { remember: ended.proof.value } : {}
    const ticket = await renewTicket(deps.keyring, session.ticket, { client: session.client_id, evidence, ...remember }, seconds(deps))
    return leave(c, session, { ticket })
  })
  .post('/cancel', sameOrigin(), async (c) => {
    const { session } = await formSession(c)
    await negotiationObject(c.env, session.sid).finish({ until: session.until, needsProof: false })
    return leave(c, session, { error: 'access_denied' })
  })

async function formSession(c: AppContext): Promise<{ session: ClaimsSession; params: Params }> {
  const session = await readSession(c)
  const params = await readForm(c)
  await checkCsrf(c.var.deps, session, params)
  return { session, params }
}

async function leave(c: AppContext, session: ClaimsSession, members: { ticket: string } | { error: string }): Promise<Response> {
  const { clientParty } = await parties(c, session)
  dropSession(c, session.sid)
  // UMA Grant 3.3.3: `state` comes back if and only if it was sent; `iss` is RFC 9207's.
  const url = responseUri(session.redirect_uri, { ...members, state: session.state, iss: c.var.deps.issuer })
  return c.html(render(GoingBackPage, { page: pageContext(c), client: clientParty, url }))
}

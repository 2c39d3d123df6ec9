// Claims page, the way without a wallet and without scripts: type an address, type the code from the mail (CLAIMS 7).
import { Hono } from 'hono'
import { canonicalAddress } from '../claims/address.ts'
import type { AppEnv } from '../http/context.ts'
import { PageError, tooManyCodes } from '../http/errors.ts'
import { readForm } from '../http/form.ts'
import { codeEvidence, sendCode, tryCode } from '../http/mailed-code.ts'
import { checkCsrf, sameOrigin } from '../http/session.ts'
import { hostOf, readSession, SKIP, sessionPath, updateSession } from './claims-session.ts'
import { showCode, showSession, showStart } from './claims-view.ts'

const MAX_TYPED = 320

export const claimsCode = new Hono<AppEnv>()
  .post('/address', sameOrigin(), async (c) => {
    const session = await readSession(c)
    const params = await readForm(c)
    await checkCsrf(c.var.deps, session, params)
    const typed = (params.get('address') ?? '').slice(0, MAX_TYPED)
    const address = canonicalAddress(typed)
    if (address === undefined) return showStart(c, session, { address: typed, error: 'wrong' })
    const use = { kind: 'claims', place: hostOf(session.redirect_uri) } as const
    const sent = await sendCode(c, { sid: session.sid, until: session.until, use, clientId: session.client_id }, address)
    switch (sent.kind) {
      case 'too_many':
        throw tooManyCodes(sent.wait)
      case 'over':
        throw new PageError('used_link', 'claims_session_over')
      case 'mail_failed':
        return showStart(c, session, { address: typed, error: 'mail_failed' })
      case 'sent':
        await updateSession(c, session, { begun: true, address })
        return c.redirect(`${sessionPath(session)}${sent.resent ? '?resent=1' : ''}`, 303)
    }
  })
  .post('/code', sameOrigin(), async (c) => {
    const session = await readSession(c)
    const params = await readForm(c)
    await checkCsrf(c.var.deps, session, params)
    const { address } = session
    // Without an address there is no code to be right.
    if (address === undefined) return showSession(c, session)
    const tried = await tryCode(c, session.sid, address, params.get('code') ?? '', await codeEvidence(c, address))
    const skip = params.get(SKIP) === 'on'
    if (tried.kind !== 'right') return showCode(c, session, { error: tried.kind, skip })
    await updateSession(c, session, { skip })
    return c.redirect(sessionPath(session), 303)
  })

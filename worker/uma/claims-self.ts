// Claims page, the owner is the guest (SPECS U-26, Alice to Alice): who is signed in here as the owner of the thing shows the address that she
// signed in with, by one click and without a mail. Nobody else can: another owner's address is proved like anybody's.
import { Hono } from 'hono'
import { canonicalAddress } from '../claims/address.ts'
import { type AppContext, type AppEnv, type OwnerSession, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { readForm } from '../http/form.ts'
import { codeEvidence, negotiationObject } from '../http/mailed-code.ts'
import { checkCsrf, readSession as readOwnerSession, sameOrigin } from '../http/session.ts'
import { ownerById } from '../store/owners.ts'
import { type ClaimsSession, readSession, sessionPath, updateSession } from './claims-session.ts'

/** Seconds for which being signed in counts. */
const EVIDENCE_LIFETIME = 3600

/** The owner's session, if the thing is hers and this browser is. */
export async function ownSession(c: AppContext, session: ClaimsSession): Promise<OwnerSession | undefined> {
  const owner = await readOwnerSession(c)
  return owner?.owner === session.ticket.owner ? owner : undefined
}

export const claimsSelf = new Hono<AppEnv>().post('/self', sameOrigin(), async (c) => {
  const { deps } = c.var
  const session = await readSession(c)
  await checkCsrf(deps, session, await readForm(c))
  const owner = await ownSession(c, session)
  if (owner === undefined) throw new PageError('signed_out', 'no_session', 401)
  const row = await ownerById(c.env.DB, owner.owner)
  const sealed = row === undefined ? undefined : await deps.keyring.open('address', row.address_sealed, row.id)
  const address = typeof sealed === 'string' ? canonicalAddress(sealed) : undefined
  if (address === undefined) throw new PageError('signed_out', 'no_session', 401)
  const evidence = {
    ...(await codeEvidence(c, address)),
    method: 'sign-in',
    controlled_at: owner.since,
    exp: seconds(deps) + EVIDENCE_LIFETIME,
  }
  const kept = await negotiationObject(c.env, session.sid).proved({ evidence, until: session.until })
  if (kept.kind !== 'ok') throw new PageError('used_link', 'claims_session_over')
  await updateSession(c, session, { begun: true, address })
  return c.redirect(sessionPath(session), 303)
})

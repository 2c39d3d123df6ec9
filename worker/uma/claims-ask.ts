// Claims page, the address is proved and does not fit: the guest asks the owner, waits, or takes the question back (mock-ups 06, 08).
// What the owner gets is sealed to the owner's label key here, and forgotten.
import { Hono } from 'hono'
import { claimValue, guestName, policyMac } from '../claims/address.ts'
import { unavailable } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { readForm } from '../http/form.ts'
import { negotiationObject } from '../http/mailed-code.ts'
import { QUESTIONS_AGAIN } from '../http/quota.ts'
import { checkCsrf, sameOrigin } from '../http/session.ts'
import type { Evidence } from '../policy/evidence.ts'
import { sealLabel } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { type ClaimsSession, readSession, sessionPath } from './claims-session.ts'
import { showResult, standing } from './claims-view.ts'

const MAX_LINE = 280

export const claimsAsk = new Hono<AppEnv>()
  .post('/ask', sameOrigin(), async (c) => {
    const session = await readSession(c)
    const params = await readForm(c)
    await checkCsrf(c.var.deps, session, params)
    const proof = await proofOf(c, session)
    const { address } = session
    // The address comes from the browser, the proof from the object: the owner is told one that was proved, not one only typed.
    if (address === undefined || proof?.value !== (await claimValue(c.var.deps.keyring, address)))
      return c.redirect(sessionPath(session), 303)
    const { asker, asked, decided } = await standing(c, session, proof)
    if (asked?.kind !== 'none') return c.redirect(sessionPath(session), 303)
    const object = ownerObject(c.env, session.ticket.owner)
    const labelPublic = await object.labelPublic()
    const line = lineOf(params.get('note'))
    const done = await object.ask({
      id: randomSecret(12),
      // The label and the answer are for the same address, whatever else was shown.
      mac: await policyMac(c.var.deps.keyring, session.ticket.owner, proof.value),
      client_id: session.client_id,
      connection_id: session.ticket.connection,
      permissions: session.ticket.permissions,
      ...(decided.kind === 'ask' ? { asks: { keys: decided.keys, cells: decided.cells } } : {}),
      label: await sealLabel(labelPublic, { email: address }),
      line: line === '' ? null : await sealLabel(labelPublic, { line }),
      method: proof.method,
      guest: await guestName(c.var.deps.keyring, proof.value),
      now: asker.now,
    })
    if (done.kind === 'unavailable') throw unavailable()
    if (done.kind !== 'too_many') return c.redirect(sessionPath(session), 303)
    // RFC 6585 4. The page says why; who is shut out hears nothing of it (CLAIMS 7).
    c.status(429)
    c.header('Retry-After', String(QUESTIONS_AGAIN))
    return showResult(c, session, proof, true)
  })
  .post('/withdraw', sameOrigin(), async (c) => {
    const session = await readSession(c)
    await checkCsrf(c.var.deps, session, await readForm(c))
    const proof = await proofOf(c, session)
    if (proof !== undefined) await ownerObject(c.env, session.ticket.owner).withdraw((await standing(c, session, proof)).asker)
    return c.redirect(sessionPath(session), 303)
  })
  // For the page's script: whether there is an answer. Changes nothing.
  .get('/state', async (c) => {
    const session = await readSession(c)
    const proof = await proofOf(c, session)
    const found = proof === undefined ? undefined : await standing(c, session, proof)
    const isYes = found?.decided.kind === 'granted' || found?.asked?.kind === 'allowed'
    const state = isYes ? 'yes' : found?.asked?.kind === 'waiting' ? 'waiting' : 'no'
    return c.json({ state }, 200, { 'Cache-Control': 'no-store' })
  })

async function proofOf(c: AppContext, session: ClaimsSession): Promise<Evidence | undefined> {
  const view = await negotiationObject(c.env, session.sid).view({ now: seconds(c.var.deps) })
  if (view.over) throw new PageError('used_link', 'claims_session_over')
  return view.proof
}

/** One line of text: no controls, no marks that turn the direction of writing, at most 280 characters. */
const lineOf = (text: string | undefined): string =>
  [...(text ?? '').replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+/gu, ' ').trim()].slice(0, MAX_LINE).join('')

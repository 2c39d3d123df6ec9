// Which page a claims interaction shows now: start, code, done or not shared. Facts in, view out; changes nothing.
import { forOwner } from '../claims/for-owner.ts'
import { type AppContext, callOf, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { CODE_MINUTES, negotiationObject } from '../http/mailed-code.ts'
import { scopeNames } from '../http/scope-descriptions.ts'
import { usualTrust } from '../oauth/client-trust.ts'
import { clientById } from '../oauth/clients.ts'
import { ClaimsDonePage, type ClaimsDoneProps } from '../pages/claims-done.tsx'
import { ClaimsStartPage, type ClaimsStartProps } from '../pages/claims-start.tsx'
import { ClaimsWaitingPage } from '../pages/claims-waiting.tsx'
import { CodePage, type CodeProps } from '../pages/code.tsx'
import { render } from '../pages/layout.tsx'
import { NotSharedPage } from '../pages/not-shared.tsx'
import { claimsPaths } from '../pages/paths.ts'
import type { Evidence } from '../policy/evidence.ts'
import { circumstances } from './circumstances.ts'
import { ownSession } from './claims-self.ts'
import { type ClaimsSession, parties, SKIP, sessionPath, viewBase } from './claims-session.ts'

/** A form that was not right: shown again with the reason. */
const NOT_RIGHT = 422

/** The page for where the session stands. PageError `used_link` when it is over. */
export async function showSession(
  c: AppContext,
  session: ClaimsSession,
  options: { start?: boolean; resent?: boolean } = {},
): Promise<Response> {
  const object = session.begun === true ? negotiationObject(c.env, session.sid) : undefined
  const view = await object?.view({ now: seconds(c.var.deps) })
  if (view?.over === true) throw new PageError('used_link', 'claims_session_over')
  if (options.start === true || view === undefined) return showStart(c, session)
  if (view.proof !== undefined) return showResult(c, session, view.proof)
  if (view.code && session.address !== undefined) return showCode(c, session, { resent: options.resent })
  return showStart(c, session)
}

/** First page; with `error` what was typed was not right. Names neither owner nor item: whoever gets a ticket sees this. */
export async function showStart(
  c: AppContext,
  session: ClaimsSession,
  typed: Pick<ClaimsStartProps, 'address' | 'error'> = {},
): Promise<Response> {
  const { clientParty, serviceParty } = await parties(c, session)
  const scopes = [...new Set(session.ticket.permissions.flatMap((permission) => permission.resource_scopes))]
  const [base, names, own] = await Promise.all([viewBase(c, session), scopeNames(c, scopes), ownSession(c, session)])
  return c.html(
    render(ClaimsStartPage, {
      ...base,
      client: clientParty,
      service: serviceParty,
      scopes,
      scopeNames: names,
      isOwner: own !== undefined,
      ...typed,
    }),
    typed.error === undefined ? 200 : NOT_RIGHT,
  )
}

/** Second page of the code path. */
export async function showCode(
  c: AppContext,
  session: ClaimsSession,
  { skip, ...state }: Pick<CodeProps, 'error' | 'resent'> & { skip?: boolean },
): Promise<Response> {
  const [{ page, csrf }, { clientParty }] = await Promise.all([viewBase(c, session), parties(c, session)])
  const to = claimsPaths(sessionPath(session))
  return c.html(
    render(CodePage, {
      page,
      csrf,
      address: session.address ?? '',
      minutes: CODE_MINUTES,
      action: to.code,
      resendAction: to.address,
      otherAddress: `${sessionPath(session)}?again=1`,
      skip: { name: SKIP, client: clientParty.name, checked: skip === true },
      ...state,
    }),
    state.error === undefined ? 200 : NOT_RIGHT,
  )
}

/**
 * How the owner's rules stand now for what was shown. Not a grant: that is the token endpoint's, with the ticket of the way back (SPECS
 * G-42). `macs`: the addresses as this owner's rules know them, the one shown last at the end. `part`: scopes of what is shared of all that
 * the ticket asks for, if the client takes all or nothing and so gets nothing.
 */
export async function standing(c: AppContext, session: ClaimsSession, proof: Evidence) {
  const { deps } = c.var
  const { ticket } = session
  const now = seconds(deps)
  // The page tells until when the owner shares, not when this proof ends: another one takes its place.
  const shown = proof.exp > now ? [...ticket.evidence, { ...proof, exp: Number.MAX_SAFE_INTEGER }] : ticket.evidence
  const evidence = await forOwner(deps.keyring, ticket.owner, shown, ticket.organisations)
  const object = ownerObject(c.env, ticket.owner)
  const { connection, permissions } = ticket
  const client = await clientById(callOf(c), session.client_id)
  if (client === undefined) throw new PageError('unknown_app', 'unauthorized_client')
  const beside = ticket.rpt === undefined ? {} : { upgrade: { hash: ticket.rpt, same: false }, jkt: ticket.jkt ?? null }
  // A ticket that no token request brought yet says nothing of the app's key.
  const key = ticket.jkt === undefined ? { client_trust: usualTrust(callOf(c), client) } : {}
  const asked = { connection, permissions, evidence, now, ...beside, ...circumstances(callOf(c), client, ticket.jkt, ticket), ...key }
  // POLICY 8a: as the token endpoint will do it.
  const partial = client.metadata.uma_partial !== false
  const decided = await object.assess({ ...asked, partial })
  const part = !partial && decided.kind === 'denied' ? await object.assess({ ...asked, partial: true }) : undefined
  const macs = evidence.filter((one) => one.claim === 'email').map((one) => one.policy_mac)
  const asker = { macs, client_id: session.client_id, connection, permissions, now }
  // Only who has no share can have asked.
  const request = decided.kind === 'granted' ? undefined : await object.asked(asker)
  return { decided, asker, asked: request, part: part?.kind === 'granted' ? part.cells.flatMap((cell) => cell.resource_scopes) : undefined }
}

/** `refused`: asking did not work, because there are too many requests. */
export async function showResult(c: AppContext, session: ClaimsSession, proof: Evidence, refused = false): Promise<Response> {
  const now = seconds(c.var.deps)
  const scopes = [...new Set(session.ticket.permissions.flatMap((permission) => permission.resource_scopes))]
  const [{ decided, asked, part }, { clientParty, serviceParty }, view, names] = await Promise.all([
    standing(c, session, proof),
    parties(c, session),
    viewBase(c, session),
    scopeNames(c, scopes),
  ])
  const base = { ...view, scopeNames: names }
  const isShownHere = proof.method === 'email-code' || proof.method === 'sign-in'
  const address = isShownHere ? session.address : undefined
  if (asked?.kind === 'waiting') {
    return c.html(render(ClaimsWaitingPage, { ...base, client: clientParty, address, scopes, since: { at: asked.created_at } }))
  }
  const isMoreWanted = decided.kind === 'need_info' && asked?.kind !== 'allowed'
  if (decided.kind !== 'granted' && asked?.kind !== 'allowed' && !isMoreWanted) {
    // A rule that asks was made by the owner: whether strangers may ask makes no difference.
    const ask = (asked?.may === true || decided.kind === 'ask') && session.address !== undefined ? { refused } : undefined
    const otherAddress = `${sessionPath(session)}?again=1`
    return c.html(render(NotSharedPage, { ...base, client: clientParty, address, otherAddress, ask, scopes, part }))
  }
  const cells = decided.kind === 'granted' ? decided.cells : []
  const until = Math.min(...cells.map((cell) => cell.until))
  const props: ClaimsDoneProps = {
    ...base,
    client: clientParty,
    service: serviceParty,
    scopes: asked?.kind === 'allowed' ? asked.scopes : [...new Set(cells.flatMap((cell) => cell.resource_scopes))],
    once: asked?.kind === 'allowed',
    more: isMoreWanted,
    ...(decided.kind === 'granted' && until < Number.MAX_SAFE_INTEGER ? { until: { at: until, timeZone: decided.time_zone } } : {}),
    canKeep: proof.method === 'email-code',
    // The page of the code has asked already; who is signed in need not be remembered.
    skip: isShownHere ? undefined : { name: SKIP, client: clientParty.name },
    now,
  }
  return c.html(render(ClaimsDonePage, props))
}

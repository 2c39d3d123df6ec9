// "Your proofs" (/proofs): a guest shows an address with a mailed code, sees what is remembered about it and what was asked with it, takes
// that back, and lets everything be forgotten (UMA Grant 6.2). Nothing here is anybody's but the guest's: owners are told only that what
// rested on a proof has ended or that somebody no longer asks, and nothing here tells what they decide, nor which things are one owner's.
import { Hono } from 'hono'
import { canonicalAddress, maskedAddress } from '../claims/address.ts'
import { type AppContext, type AppEnv, callOf, guestObject, seconds } from '../http/context.ts'
import { PageError, tooManyCodes } from '../http/errors.ts'
import { type Params, readForm } from '../http/form.ts'
import { CODE_MINUTES, sendCode, tryCode } from '../http/mailed-code.ts'
import { pageContext } from '../http/page.ts'
import { checkCsrf, csrfToken, sameOrigin } from '../http/session.ts'
import { knownHost } from '../oauth/client-known.ts'
import { clientsById } from '../oauth/clients.ts'
import { CodePage, type CodeProps } from '../pages/code.tsx'
import { render } from '../pages/layout.tsx'
import type { Party } from '../pages/parts.tsx'
import { paths } from '../pages/paths.ts'
import { type AskedFor, ProofsPage, type ProofsProps, ProofsStartPage, type ProofsStartProps, type Skipping } from '../pages/proofs.tsx'
import { clientName } from '../store/clients.ts'
import { closeGuest, guestSession, isProved, openGuest, type ProofsSession, type ProvedSession, writeGuest } from './proofs-session.ts'

const MAX_TYPED = 320
const NOT_RIGHT = 422

export const proofs = new Hono<AppEnv>()
  .get(paths.proofs, async (c) => {
    const session = await guestSession(c)
    const wanted = c.req.query('notice')
    const notice = wanted === 'forgotten' || wanted === 'forgetting' || wanted === 'withdrawn' ? wanted : undefined
    return isProved(session) ? showList(c, session, notice) : showStart(c, session)
  })
  .post(paths.proofs, sameOrigin(), async (c) => {
    const { session, params } = await posted(c)
    const typed = (params.get('address') ?? '').slice(0, MAX_TYPED)
    const address = canonicalAddress(typed)
    if (address === undefined) return showStart(c, session, { address: typed, error: 'wrong' })
    const sent = await sendCode(c, { sid: session.sid, until: session.until, use: { kind: 'proofs' } }, address)
    if (sent.kind === 'mail_failed') return showStart(c, session, { address: typed, error: 'mail_failed' })
    if (sent.kind !== 'sent') {
      await closeGuest(c, session) // a new start may help; the limits of address and network hold anyway
      throw sent.kind === 'too_many' ? tooManyCodes(sent.wait) : new PageError('expired', 'no_guest_session')
    }
    await writeGuest(c, { ...session, address })
    return c.redirect(`${paths.proofsCode}${sent.resent ? '?resent=1' : ''}`, 303)
  })
  .get(paths.proofsCode, async (c) => {
    const session = await guestSession(c)
    if (isProved(session) || session.address === undefined) return c.redirect(paths.proofs, 303)
    return showCode(c, session, { resent: c.req.query('resent') !== undefined })
  })
  .post(paths.proofsCode, sameOrigin(), async (c) => {
    const { session, params } = await posted(c)
    if (session.address === undefined) return c.redirect(paths.proofs, 303)
    const tried = await tryCode(c, session.sid, session.address, params.get('code') ?? '')
    if (tried.kind !== 'right') return showCode(c, session, { error: tried.kind })
    await openGuest(c, session.address)
    return c.redirect(paths.proofs, 303)
  })
  .get(paths.proofsTakeOut, async (c) => {
    const session = await guestSession(c)
    if (!isProved(session)) return c.redirect(paths.proofs, 303)
    const now = seconds(c.var.deps)
    const guest = await guestObject(c.var.deps, session.value)
    const listed = await guest.list({ sid: session.sid, now })
    const around = await guest.around({ sid: session.sid, opened: true, now })
    if (listed.kind === 'signed_out' || around.kind === 'signed_out') throw new PageError('expired', 'no_guest_session')
    const taken = {
      server: c.var.deps.issuer,
      taken_out_at: now,
      address: session.address,
      may_skip_the_question: listed.items,
      asked: newestFirst(around.asked, (one) => one.created_at).map(({ owner: _, id: __, ...one }) => one),
      opened: newestFirst(around.opened, (one) => one.opened_at ?? one.ends_at),
      complete: around.complete,
    }
    c.header('Content-Disposition', 'attachment; filename="latchkey-proofs.json"')
    return c.json(taken, 200, { 'Cache-Control': 'no-store' })
  })
  .post(paths.proofsForget, sameOrigin(), async (c) => {
    const { session, params } = await posted(c, true)
    if (!isProved(session)) return c.redirect(paths.proofs, 303)
    const id = params.get('id')
    const guest = await guestObject(c.var.deps, session.value)
    const done = await guest.forget({ sid: session.sid, ...(id === undefined ? {} : { id }), now: seconds(c.var.deps) })
    if (done.kind === 'signed_out') throw new PageError('expired', 'no_guest_session')
    return c.redirect(`${paths.proofs}?notice=${done.told ? 'forgotten' : 'forgetting'}`, 303)
  })
  .post(paths.proofsWithdraw, sameOrigin(), async (c) => {
    const { session, params } = await posted(c, true)
    if (!isProved(session)) return c.redirect(paths.proofs, 303)
    const { deps } = c.var
    const named = (await deps.keyring.open('guest-session', params.get('request') ?? '', askedAs(session))) as AskedAt | undefined
    if (named === undefined) throw new PageError('bad_request', 'invalid_request')
    const guest = await guestObject(deps, session.value)
    const done = await guest.withdraw({ sid: session.sid, ...named, now: seconds(deps) })
    if (done.kind === 'signed_out') throw new PageError('expired', 'no_guest_session')
    return c.redirect(`${paths.proofs}?notice=withdrawn`, 303)
  })
  .post(paths.proofsSignOut, sameOrigin(), async (c) => {
    const { session } = await posted(c, true)
    await closeGuest(c, session)
    return c.redirect(paths.home, 303)
  })

/** A question, where it was asked; sealed for this guest when it leaves the server, since an owner is nobody's to recognise. */
type AskedAt = { owner: string; id: string }
const askedAs = (session: ProvedSession): string => `asked ${session.value}`

/** Puts what several owners keep in one order: nothing tells what is whose. */
const newestFirst = <T>(items: readonly T[], at: (one: T) => number): T[] => items.toSorted((a, b) => at(b) - at(a))

/** The session behind a form. `proved`: of somebody who has shown an address; otherwise of somebody who has not. */
async function posted(c: AppContext, proved = false): Promise<{ session: ProofsSession; params: Params }> {
  const session = await guestSession(c)
  const params = await readForm(c)
  await checkCsrf(c.var.deps, session, params)
  // A form of before the sign-in says nothing afterwards.
  if (isProved(session) !== proved) throw new PageError('expired', 'no_guest_session')
  return { session, params }
}

async function showStart(
  c: AppContext,
  session: ProofsSession,
  typed: Pick<ProofsStartProps, 'address' | 'error'> = {},
): Promise<Response> {
  const props = { page: pageContext(c), csrf: await csrfToken(c.var.deps, session), ...typed }
  return c.html(render(ProofsStartPage, props), typed.error === undefined ? 200 : NOT_RIGHT)
}

async function showCode(c: AppContext, session: ProofsSession, state: Pick<CodeProps, 'error' | 'resent'>): Promise<Response> {
  const props: CodeProps = {
    page: pageContext(c),
    csrf: await csrfToken(c.var.deps, session),
    address: session.address ?? '',
    minutes: CODE_MINUTES,
    action: paths.proofsCode,
    resendAction: paths.proofs,
    otherAddress: paths.proofs,
    ...state,
  }
  return c.html(render(CodePage, props), state.error === undefined ? 200 : NOT_RIGHT)
}

async function showList(c: AppContext, session: ProvedSession, notice: ProofsProps['notice']): Promise<Response> {
  const { deps } = c.var
  const by = { sid: session.sid, now: seconds(deps) }
  const guest = await guestObject(deps, session.value)
  const [listed, around] = await Promise.all([guest.list(by), guest.around({ ...by, opened: false })])
  if (listed.kind === 'signed_out' || around.kind === 'signed_out') {
    await closeGuest(c, session)
    throw new PageError('expired', 'no_guest_session')
  }
  const open = newestFirst(around.asked, (one) => one.created_at).filter(({ state }) => state === 'waiting' || state === 'allowed')
  const ids = [...listed.items.map((item) => item.client_id), ...open.flatMap(({ client_id, service }) => [client_id, service])]
  const clients = await clientsById(callOf(c), [...new Set(ids)])
  const partyOf = (id: string): Party => {
    const client = clients.get(id)
    const host = (client === undefined ? undefined : knownHost(client)) ?? id
    return { name: client === undefined ? id : clientName(client), host }
  }
  const items = listed.items.map(({ id, client_id, method, created_at, exp }): Skipping => {
    const by = method === 'email-code' ? 'code' : 'wallet'
    return { id, client: partyOf(client_id), since: { at: created_at }, until: { at: exp }, by }
  })
  const asked = await Promise.all(
    open.map(async ({ owner, id, client_id, service, resource_scopes: scopes, created_at, state }): Promise<AskedFor> => {
      const request = await deps.keyring.seal('guest-session', { owner, id } satisfies AskedAt, askedAs(session))
      const since = { at: created_at }
      return { request, client: partyOf(client_id), service: partyOf(service), scopes, since, allowed: state === 'allowed' }
    }),
  )
  const base = { page: pageContext(c), csrf: await csrfToken(deps, session), address: maskedAddress(session.address) }
  return c.html(render(ProofsPage, { ...base, items, asked, used: around.isAny, some: !around.complete, notice }))
}

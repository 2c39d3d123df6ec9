// Signing in: a code by mail here, passkeys in passkeys.ts. Then welcome, once; sign out; and the recovery code that opens the names.
import { Hono } from 'hono'
import { canonicalAddress } from '../claims/address.ts'
import { type AppContext, type AppEnv, callOf, ownerObject } from '../http/context.ts'
import { PageError, tooManyCodes } from '../http/errors.ts'
import { readForm } from '../http/form.ts'
import { allowFormTarget } from '../http/headers.ts'
import { CODE_MINUTES, sendCode, tryCode } from '../http/mailed-code.ts'
import { pageContext } from '../http/page.ts'
import { checkCsrf, closeSession, csrfToken, openSession, readSession, requireSession, sameOrigin, setNames } from '../http/session.ts'
import { clientById } from '../oauth/clients.ts'
import { redirectUriOf } from '../oauth/pushed-request.ts'
import { CodePage, type CodeProps } from '../pages/code.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import { SignInPage, type SignInProps } from '../pages/sign-in.tsx'
import { WelcomePage } from '../pages/welcome.tsx'
import { type Client, clientName } from '../store/clients.ts'
import { ownerById } from '../store/owners.ts'
import { unwrapWithCode } from '../tokens/recovery-code.ts'
import { ownerOf, shownCode } from './new-owner.ts'
import { passkeys } from './passkeys.ts'
import { beginSignIn, dropSignIn, nextPath, readSignIn, type SignInSession, writeSignIn } from './sign-in-session.ts'

const MAX_TYPED = 320

export const signIn = new Hono<AppEnv>()
  .get(paths.signIn, async (c) => {
    const next = nextPath(c, c.req.query('next'))
    // `again`: somebody else wants to sign in with this browser.
    if (c.req.query('again') === undefined && (await readSession(c)) !== undefined) return c.redirect(next, 303)
    return showSignIn(c, await beginSignIn(c), next)
  })
  .post(paths.signIn, sameOrigin(), async (c) => {
    const session = await readSignIn(c)
    const params = await readForm(c)
    await checkCsrf(c.var.deps, session, params)
    const next = nextPath(c, params.get('next'))
    const typed = (params.get('address') ?? '').slice(0, MAX_TYPED)
    const address = canonicalAddress(typed)
    if (address === undefined) return showSignIn(c, session, next, { address: typed, error: 'wrong' })
    const sent = await sendCode(c, { sid: session.sid, until: session.until, use: { kind: 'sign-in' } }, address)
    if (sent.kind === 'mail_failed') return showSignIn(c, session, next, { address: typed, error: 'mail_failed' })
    if (sent.kind !== 'sent') {
      dropSignIn(c) // a new start may help; the limits of address and network hold anyway
      throw sent.kind === 'too_many' ? tooManyCodes(sent.wait) : new PageError('expired', 'no_sign_in')
    }
    await writeSignIn(c, { ...session, address })
    return c.redirect(`${paths.signInCode}?${new URLSearchParams({ next, ...(sent.resent ? { resent: '1' } : {}) })}`, 303)
  })
  .get(paths.signInCode, async (c) => {
    const next = nextPath(c, c.req.query('next'))
    const session = await readSignIn(c)
    if (session.address === undefined) return c.redirect(signInAt(next), 303)
    return showCode(c, session, next, { resent: c.req.query('resent') !== undefined })
  })
  .post(paths.signInCode, sameOrigin(), async (c) => {
    const session = await readSignIn(c)
    const params = await readForm(c)
    await checkCsrf(c.var.deps, session, params)
    const next = nextPath(c, params.get('next'))
    if (session.address === undefined) return c.redirect(signInAt(next), 303)
    const tried = await tryCode(c, session.sid, session.address, params.get('code') ?? '')
    if (tried.kind !== 'right') return showCode(c, session, next, { error: tried.kind })
    const arrived = await ownerOf(c, session.address)
    dropSignIn(c)
    if (arrived.kind === 'closed') throw new PageError('registration_closed', 'registration_closed', 403)
    await openSession(c, arrived.owner)
    return c.redirect(arrived.kind === 'new' ? `${paths.welcome}?${new URLSearchParams({ next })}` : next, 303)
  })
  .get(paths.welcome, async (c) => {
    const session = await requireSession(c)
    const next = nextPath(c, c.req.query('next'))
    const recoveryCode = await shownCode(c, session.owner)
    if (recoveryCode === undefined) return c.redirect(next, 303)
    await ownerObject(c.env, session.owner).welcomed()
    return c.html(render(WelcomePage, { page: pageContext(c), csrf: await csrfToken(c.var.deps, session), recoveryCode, next }))
  })
  .post(paths.signOut, sameOrigin(), async (c) => {
    const session = await readSession(c)
    const params = await readForm(c)
    if (session !== undefined) await checkCsrf(c.var.deps, session, params)
    await closeSession(c)
    return c.redirect(paths.home, 303)
  })
  .post(paths.unlock, sameOrigin(), async (c) => {
    const session = await requireSession(c)
    const params = await readForm(c)
    await checkCsrf(c.var.deps, session, params)
    const owner = await ownerById(c.env.DB, session.owner)
    const key = owner === undefined ? undefined : await unwrapWithCode(owner.label_recovery, params.get('recovery_code') ?? '', owner.id)
    if (key === undefined) return c.redirect(`${paths.home}?names=wrong`, 303)
    await setNames(c, { owner: session.owner, private_jwk: key })
    return c.redirect(`${paths.home}?notice=unlocked`, 303)
  })
  .route('/', passkeys)

const signInAt = (next: string): string => `${paths.signIn}?${new URLSearchParams({ next })}`

async function showSignIn(
  c: AppContext,
  session: SignInSession,
  next: string,
  typed: Pick<SignInProps, 'address' | 'error'> = {},
): Promise<Response> {
  const client = await waitingClient(c, next)
  const props = {
    page: pageContext(c),
    csrf: await csrfToken(c.var.deps, session),
    next,
    connecting: client === undefined ? undefined : clientName(client),
    ...typed,
  }
  return c.html(render(SignInPage, props), typed.error === undefined ? 200 : 422)
}

/** The app or service that waits behind an authorization request. */
async function waitingClient(c: AppContext, next: string): Promise<Client | undefined> {
  const id = new URL(next, c.var.deps.issuer).searchParams.get('client_id')
  return id === null ? undefined : clientById(callOf(c), id)
}

async function showCode(
  c: AppContext,
  session: SignInSession,
  next: string,
  state: Pick<CodeProps, 'error' | 'resent'>,
): Promise<Response> {
  // The right code may lead, by way of /authorize, straight back to a service that is connected already.
  const client = await waitingClient(c, next)
  const redirectUri = (await redirectUriOf(c, new URL(next, c.var.deps.issuer).searchParams)) ?? client?.metadata.redirect_uris?.[0]
  if (redirectUri !== undefined && client?.metadata.redirect_uris?.includes(redirectUri) === true) allowFormTarget(c, redirectUri)
  const props: CodeProps = {
    page: pageContext(c),
    csrf: await csrfToken(c.var.deps, session),
    address: session.address ?? '',
    minutes: CODE_MINUTES,
    action: paths.signInCode,
    resendAction: paths.signIn,
    otherAddress: signInAt(next),
    fields: { next },
    ...state,
  }
  return c.html(render(CodePage, props), state.error === undefined ? 200 : 422)
}

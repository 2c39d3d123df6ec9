// Pages of an owner that need no script: signing in and out, recovery codes, and the frame of the file list.
import { Hono } from 'hono'
import { dropSession, newSession, readSession, takeFlow, writeFlow } from './cookies.ts'
import type { Env } from './env.ts'
import { ensureText, formOf } from './forms.ts'
import { hostOf, pageHeaders, type VaultContext, type VaultEnv } from './http.ts'
import { openJson } from './keyring.ts'
import { accountName, accountOf, readRecoveryCode, recoveryPlaceOf } from './names.ts'
import { CodesPage, GoingPage, RecoverPage, SignInPage } from './pages/account.tsx'
import { AppPage } from './pages/app.tsx'
import { render } from './pages/layout.tsx'
import { beginSignIn, finishSignIn, readIssuer, type SignInProblem } from './sign-in.ts'

/** The first address that a development setting lists is the one that is meant, unless one is proposed. */
const suggestionOf = (env: Env): string => env.SUGGESTED_AS || (env.DEV_ORIGINS ?? '').split(/[\s,]+/)[0] || ''

const signInPage = (c: VaultContext, typed: string, problem?: SignInProblem, moving = false) => {
  const sentence = problem === undefined ? undefined : c.var.say(problem.key, problem.values)
  const page = (
    <SignInPage say={c.var.say} host={hostOf(c.var.origin)} lang={c.var.lang} server={typed} problem={sentence} moving={moving} />
  )
  return c.html(render(page), problem === undefined ? 200 : 400, pageHeaders())
}

export const accountPages = new Hono<VaultEnv>()

/** The list, one thing, or the way in. */
for (const path of ['/', '/things/:id']) {
  accountPages.get(path, async (c) => {
    const session = await readSession(c)
    if (session === undefined) return path === '/' ? signInPage(c, suggestionOf(c.env)) : c.redirect('/', 303)
    const unseen = await accountOf(c.env, session.account).unseenCodes()
    if (unseen.length > 0) return c.redirect('/codes', 303)
    return c.html(render(<AppPage say={c.var.say} host={hostOf(c.var.origin)} lang={c.var.lang} />), 200, pageHeaders())
  })
}

/** Taking the files to another server. */
accountPages.get('/connect', async (c) =>
  (await readSession(c)) === undefined ? c.redirect('/', 303) : signInPage(c, '', undefined, true),
)

/** Signing in; with `move=1` a signed-in owner takes the files to another server. */
accountPages.post('/sign-in', async (c) => {
  const form = await formOf(c)
  const typed = ensureText(form, 'server', 512)
  const issuer = readIssuer(typed)
  const session = form.get('move') === '1' ? await readSession(c) : undefined
  const isMoving = session !== undefined
  if (issuer === undefined) return signInPage(c, typed, { kind: 'problem', key: 'sign_in.not_address' }, isMoving)
  const request = { issuer, origin: c.var.origin, ...(session === undefined ? {} : { moving: session.account }) }
  const begun = await beginSignIn(c.env, c.var.keyring, request)
  if (begun.kind === 'problem') return signInPage(c, typed, begun, isMoving)
  await writeFlow(c, begun.flow)
  // A page in between: a redirect out of a form would need every server's origin in form-action.
  return c.html(render(<GoingPage say={c.var.say} host={hostOf(c.var.origin)} lang={c.var.lang} url={begun.url} />), 200, pageHeaders())
})

accountPages.get('/signed-in', async (c) => {
  const flow = await takeFlow(c)
  if (flow === undefined) return signInPage(c, suggestionOf(c.env), { kind: 'problem', key: 'sign_in.expired' })
  const outcome = await finishSignIn(c.env, c.var.keyring, flow, new URL(c.req.url), c.var.origin)
  const isMoving = flow.moving !== undefined
  if (outcome.kind === 'problem') return signInPage(c, flow.issuer, outcome, isMoving)
  const { client, pat, subject } = outcome
  const connection = {
    issuer: flow.issuer,
    subject,
    clientId: client.clientId,
    ...(client.clientSecret === undefined ? {} : { clientSecret: client.clientSecret }),
  }
  const name = await accountName(c.var.keyring, flow.issuer, subject)
  if (flow.moving !== undefined && flow.moving !== name) {
    if (!(await accountOf(c.env, name).becomeAlias(flow.moving))) {
      return signInPage(c, flow.issuer, { kind: 'problem', key: 'sign_in.taken' }, isMoving)
    }
    await accountOf(c.env, flow.moving).move(flow.moving, { connection, pat })
    return c.redirect('/', 303)
  }
  const session = await newSession(c)
  const input = { connection, pat, sessionHash: session.hash, sessionExpires: session.expires }
  const first = await accountOf(c.env, name).signIn(name, input)
  const account = first.kind === 'moved' ? first.account : name
  if (first.kind === 'moved') {
    await accountOf(c.env, account).move(account, { connection, pat })
    await accountOf(c.env, account).openSession(session.hash, session.expires)
  }
  await session.give(account)
  return c.redirect('/', 303)
})

accountPages.post('/sign-out', async (c) => {
  const session = await readSession(c)
  if (session !== undefined) await accountOf(c.env, session.account).endSession(session.hash)
  dropSession(c)
  return c.redirect('/', 303)
})

accountPages.get('/codes', async (c) => {
  const session = await readSession(c)
  const codes = session === undefined ? [] : await accountOf(c.env, session.account).unseenCodes()
  if (codes.length === 0) return c.redirect('/', 303)
  return c.html(render(<CodesPage say={c.var.say} host={hostOf(c.var.origin)} lang={c.var.lang} codes={codes} />), 200, pageHeaders())
})

accountPages.post('/codes', async (c) => {
  const session = await readSession(c)
  if (session !== undefined) await accountOf(c.env, session.account).codesKept()
  return c.redirect('/', 303)
})

const recoverPage = (c: VaultContext, problem?: string) =>
  c.html(
    render(<RecoverPage say={c.var.say} host={hostOf(c.var.origin)} lang={c.var.lang} problem={problem} />),
    problem === undefined ? 200 : 400,
    pageHeaders(),
  )

accountPages.get('/recover', (c) => recoverPage(c))

accountPages.post('/recover', async (c) => {
  const letters = readRecoveryCode(ensureText(await formOf(c), 'code', 100))
  if (letters === undefined) return recoverPage(c, c.var.say('recover.wrong'))
  const { hash, shard } = await recoveryPlaceOf(c.env, c.var.keyring, letters)
  const sealed = await shard.take(hash)
  const account = sealed === undefined ? undefined : await openJson(c.var.keyring, 'recovery', sealed)
  if (typeof account !== 'string') return recoverPage(c, c.var.say('recover.wrong'))
  const session = await newSession(c)
  await accountOf(c.env, account).openSession(session.hash, session.expires)
  await session.give(account)
  return c.redirect('/', 303)
})

// The links: /f/<link> for any UMA client and for people, /f/<link>/content for what a guest's page shows, /f/<link>/open to go on.
// Every answer with content rests on an introspection made for that very request.
import { Hono } from 'hono'
import { PROTECTED_RESOURCE_PATH } from '../../shared/protocol/protected-resource.ts'
import { resourceMetadataResponse, resourceMetadataUrl, resourceOfMetadataUrl } from '../../shared/resource-metadata.ts'
import { refusalResponse } from '../../shared/resource-server.ts'
import { isFirstLook, sendFile } from './content.ts'
import { ensureGuest, readGuest, readSession } from './cookies.ts'
import { FILE_SCOPES, type FileScope } from './domain.ts'
import { comeBack, dropRpt, type FlowEnd, heldRpt, lookAgain, openThing, type Visitor } from './guest-flow.ts'
import { hostOf, pageHeaders, type VaultContext, type VaultEnv, wantsPage } from './http.ts'
import { openLink, type ThingRef } from './keyring.ts'
import { accountOf } from './names.ts'
import type { FileAdmission } from './objects/account-guests.ts'
import { MessagePage, OpenPage, OUTCOMES, type Outcome, ThingPage, WaitingPage } from './pages/guest.tsx'
import { render } from './pages/layout.tsx'

/** Any page may ask with a token of its own; without one there is nothing to get, and cookies are not sent along (Fetch 3.2). */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Warning, ETag, Content-Range, Content-Disposition, Accept-Ranges',
}

const VARY = 'Authorization, Accept, Cookie'

const pageOf = (c: VaultContext) => ({ say: c.var.say, lang: c.var.lang, host: hostOf(c.var.origin) })

const gone = (c: VaultContext): Response => {
  const headers = { ...CORS, vary: VARY, ...pageHeaders() }
  if (!wantsPage(c.req.raw.headers)) return c.text('There is nothing under this link.\n', 404, headers)
  return c.html(render(<MessagePage {...pageOf(c)} title="guest.gone_title" text="guest.gone" />), 404, headers) as Response
}

type Refusal = Exclude<FileAdmission, { kind: 'allowed' | 'gone' }>

/** The kit's answer, with what the vault's own answers carry; for a person with a page of its own. */
function withOwnHeaders(admission: Refusal, page?: { text: string; formTarget?: string }): Response {
  const answer = refusalResponse(admission, page && { text: page.text, contentType: 'text/html; charset=utf-8' })
  const { formTarget } = page ?? {}
  const more = { ...CORS, vary: VARY, ...(page && pageHeaders(formTarget === undefined ? {} : { formTarget })) }
  for (const [name, value] of Object.entries(more)) answer.headers.set(name, value)
  return answer
}

/** What a person reads: with a ticket a page that goes on by itself (UMA Grant 3.2.1), without one that it is to be tried again (3.2.2). */
function refusalPage(c: VaultContext, link: string, admission: Refusal): { text: string; formTarget?: string } {
  if (admission.kind === 'unreachable') {
    return { text: render(<MessagePage {...pageOf(c)} title="guest.unreachable_title" text="guest.unreachable" again={`/f/${link}`} />) }
  }
  const asked = c.req.query('outcome')
  const outcome: Outcome | undefined = OUTCOMES.find((known) => known === asked)
  const page = <OpenPage {...pageOf(c)} link={link} server={hostOf(admission.asUri)} outcome={outcome} />
  // The form is answered by a redirect to the claims page, so the server's origin must stand in form-action.
  return { text: render(page), formTarget: new URL(admission.asUri).origin }
}

const refused = (c: VaultContext, link: string, admission: Exclude<FileAdmission, { kind: 'allowed' }>): Response => {
  if (admission.kind === 'gone') return gone(c)
  return withOwnHeaders(admission, wantsPage(c.req.raw.headers) ? refusalPage(c, link, admission) : undefined)
}

/** Asks the owner's server about this request. `authorization` is the request's own header, or the guest's RPT. */
function ask(c: VaultContext, ref: ThingRef, scopes: FileScope[], authorization: string | null): Promise<FileAdmission> {
  const { pathname, search } = new URL(c.req.url)
  const url = `${c.var.origin}${pathname}`
  const presented = { method: c.req.method, url, authorization, dpop: c.req.header('dpop') ?? null }
  // RFC 9728 5.1, 3.3: of the address that was asked for; what a guest's page shows has none of its own.
  const announced = pathname === `/f/${c.req.param('link')}` ? { resourceMetadata: resourceMetadataUrl(url + search) } : {}
  return accountOf(c.env, ref.account).admit(ref.file, scopes, { ...presented, ...announced })
}

const visit = (c: VaultContext, ref: ThingRef, kind: 'viewed' | 'downloaded' | 'refused'): void => {
  c.executionCtx.waitUntil(accountOf(c.env, ref.account).recordVisit(ref.file, kind))
}

const isDownload = (c: VaultContext): boolean => c.req.query('download') === '1'

/** A client with a token, or without one and not a person. */
async function serveClient(c: VaultContext, link: string, ref: ThingRef): Promise<Response> {
  const authorization = c.req.header('authorization') ?? null
  const admission = await ask(c, ref, [isDownload(c) ? 'download' : 'view'], authorization)
  if (admission.kind !== 'allowed') {
    if (admission.kind === 'challenge' && admission.why !== 'no_token') visit(c, ref, 'refused')
    return refused(c, link, admission)
  }
  if (isFirstLook(c.req.header('range')) && c.req.method === 'GET') visit(c, ref, isDownload(c) ? 'downloaded' : 'viewed')
  return sendFile(c, admission.file, isDownload(c), { ...CORS, 'cross-origin-resource-policy': 'cross-origin' })
}

/** A person with a browser: the owner, a guest who was let in, one who waits, or somebody new. */
async function servePerson(c: VaultContext, link: string, ref: ThingRef): Promise<Response> {
  const session = await readSession(c)
  if (session?.account === ref.account && !c.req.query('outcome')) return c.redirect(`/things/${ref.file}`, 303)
  const guest = await readGuest(c)
  if (guest === undefined) return serveClient(c, link, ref)
  const visitor = { c, guest, link, ref }
  const waiting = await lookAgain(visitor)
  if (waiting !== undefined && waiting.kind !== 'granted') return afterEnd(c, link, waiting)
  const token = await heldRpt(visitor)
  if (token === undefined) return serveClient(c, link, ref)
  const admission = await ask(c, ref, ['view'], `Bearer ${token}`)
  if (admission.kind !== 'allowed') {
    if (admission.kind === 'challenge') {
      await dropRpt(visitor)
      visit(c, ref, 'refused')
    }
    return refused(c, link, admission)
  }
  visit(c, ref, 'viewed')
  const { file, scopes } = admission
  const server = hostOf(await accountOf(c.env, ref.account).server())
  const page = <ThingPage {...pageOf(c)} link={link} name={file.name} type={file.type} scopes={scopes} server={server} />
  return c.html(render(page), 200, { ...pageHeaders(), vary: VARY }) as Response
}

/** Where a step of the guest's flow leaves the browser. */
function afterEnd(c: VaultContext, link: string, end: FlowEnd): Response {
  switch (end.kind) {
    case 'granted':
      return c.redirect(`/f/${link}`, 303)
    case 'redirect':
      // RFC 9700 4.12: 303, so that the form is not sent on.
      return c.redirect(end.url, 303)
    case 'waiting':
      return c.html(render(<WaitingPage {...pageOf(c)} link={link} interval={end.interval} />), 200, pageHeaders()) as Response
    case 'ended':
      return c.redirect(`/f/${link}?outcome=${end.outcome}`, 303)
    case 'gone':
      return gone(c)
    case 'unreachable':
      return refused(c, link, { kind: 'unreachable', reason: 'no ticket' })
    default:
      return end satisfies never
  }
}

/** RFC 9728 2, 3.3: `resource` is to the letter what was asked about. */
function metadataOf(c: VaultContext, more: { authorization_servers?: string[] }): Response {
  const resource = resourceOfMetadataUrl(c.req.url, c.var.origin) ?? c.var.origin
  return resourceMetadataResponse({ resource, resource_name: 'Vault', scopes_supported: [...FILE_SCOPES], ...more })
}

export const things = new Hono<VaultEnv>()

things.options('/f/:link', (c) =>
  c.body(null, 204, {
    ...CORS,
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-allow-headers': 'Authorization, DPoP, Range, If-Range',
    'access-control-max-age': '86400',
  }),
)

// Hono answers HEAD with the headers of GET.
things.get('/f/:link', async (c) => {
  const link = c.req.param('link')
  const ref = await openLink(c.var.keyring, link)
  if (ref === undefined) return gone(c)
  const isPerson = wantsPage(c.req.raw.headers) && c.req.header('authorization') === undefined
  return isPerson ? servePerson(c, link, ref) : serveClient(c, link, ref)
})

things.get('/f/:link/content', async (c) => {
  const link = c.req.param('link')
  const [ref, guest] = [await openLink(c.var.keyring, link), await readGuest(c)]
  if (ref === undefined) return gone(c)
  const token = guest === undefined ? undefined : await heldRpt({ c, guest, link, ref })
  const admission = await ask(c, ref, [isDownload(c) ? 'download' : 'view'], token === undefined ? null : `Bearer ${token}`)
  if (admission.kind !== 'allowed') return refused(c, link, admission)
  if (isDownload(c) && c.req.method === 'GET' && isFirstLook(c.req.header('range'))) visit(c, ref, 'downloaded')
  return sendFile(c, admission.file, isDownload(c), { 'cross-origin-resource-policy': 'same-origin' })
})

things.post('/f/:link/open', async (c) => {
  const link = c.req.param('link')
  const ref = await openLink(c.var.keyring, link)
  if (ref === undefined) return gone(c)
  return afterEnd(c, link, await openThing({ c, guest: await ensureGuest(c), link, ref }))
})

/** RFC 9728 2: the vault as a whole. It names no authorization server: each owner has one of his own choosing. */
things.get(PROTECTED_RESOURCE_PATH, (c) => metadataOf(c, {}))

/** RFC 9728 3: one link, with the server of its owner; a challenge of that link names the same server. */
things.get(`${PROTECTED_RESOURCE_PATH}/f/:link`, async (c) => {
  const ref = await openLink(c.var.keyring, c.req.param('link'))
  const server = ref === undefined ? '' : await accountOf(c.env, ref.account).server()
  return server === '' ? gone(c) : metadataOf(c, { authorization_servers: [server] })
})

/** Claims redirect URI (UMA Grant 3.3.3). */
things.get('/claims/back', async (c) => {
  const guest = await readGuest(c)
  const visitorOf = async (link: string): Promise<Visitor | undefined> => {
    const ref = await openLink(c.var.keyring, link)
    return ref === undefined || guest === undefined ? undefined : { c, guest, link, ref }
  }
  const back = guest === undefined ? undefined : await comeBack(c, guest, new URL(c.req.url).searchParams, visitorOf)
  if (back === undefined) {
    const page = <MessagePage {...pageOf(c)} title="guest.expired_title" text="guest.expired" />
    return c.html(render(page), 400, pageHeaders())
  }
  return afterEnd(c, back.link, back.end)
})

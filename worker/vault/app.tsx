// THE URL table of the vault, and what happens when nothing in it fits or something breaks.
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { accountPages } from './account-pages.tsx'
import { assets } from './assets.ts'
import { hostOf, ownRequestsOnly, pageHeaders, prepare, problem, type VaultContext, type VaultEnv, wantsPage } from './http.ts'
import { ownerApi } from './owner-api.ts'
import { ErrorPage } from './pages/guest.tsx'
import { render } from './pages/layout.tsx'
import { things } from './things.tsx'

type Failure = { status: 400 | 404 | 405 | 413 | 415 | 500; code: string; text: string }

const failed = (c: VaultContext, { status, code, text }: Failure): Response => {
  if (!wantsPage(c.req.raw.headers)) return problem(c, status, code, text)
  const page = <ErrorPage say={c.var.say} lang={c.var.lang} host={hostOf(c.var.origin)} text={text} detail={code} />
  return c.html(render(page), status, pageHeaders()) as Response
}

const statusOf = (status: number): Failure['status'] => (status === 405 || status === 413 || status === 415 ? status : 400)

export const app = new Hono<VaultEnv>()
  .use(prepare)
  .use(ownRequestsOnly)
  .get('/health', (c) => c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' }))
  .route('/assets', assets)
  .route('/api', ownerApi)
  .route('/', things)
  .route('/', accountPages)
  .notFound((c) => failed(c, { status: 404, code: 'not_found', text: c.var.say('error.not_found') }))
  .onError((error, c) => {
    if (error instanceof HTTPException && error.status < 500) {
      return failed(c, { status: statusOf(error.status), code: 'invalid_request', text: error.message })
    }
    // No token, ticket or address is ever part of an Error's message here; the stack is for whoever runs the vault.
    console.error(error)
    return failed(c, { status: 500, code: 'server_error', text: c.var.say('error.server') })
  })

// What becomes of an error: JSON for programs (RFC 6749 5.2), a page for people; anything unexpected denies and tells nothing.
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { ErrorPage } from '../pages/error.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import type { AppContext, AppEnv } from './context.ts'
import { OAuthError, PageError, type PageErrorKey } from './errors.ts'
import { pageContext } from './page.ts'

/** For `app.onError`. `isApi` says whether the path is one that programs call, whatever they accept. */
export function answerError(isApi: (path: string) => boolean): ErrorHandler<AppEnv> {
  return (error, c) => {
    if (error instanceof PageError) return wantsPage(c, isApi) ? page(c, error.key, error.code, error.status) : json(c, error.code, messageOf(error.key), error.status)
    if (error instanceof OAuthError) {
      if (wantsPage(c, isApi)) return page(c, error.status === 413 || error.status < 500 ? 'bad_request' : 'unavailable', error.code, error.status)
      return json(c, error.code, error.description, error.status, error.headers, error.members)
    }
    // One line, allow-listed fields: never the message, which may hold anything.
    console.error(JSON.stringify({ event: 'unexpected', request_id: c.var.deps?.requestId, name: error instanceof Error ? error.name : typeof error }))
    if (c.var.deps === undefined) return c.json({ error: 'server_error', error_description: 'the server is not configured; see its log' }, 500)
    return wantsPage(c, isApi) ? page(c, 'unexpected', 'server_error', 500) : json(c, 'server_error', 'something went wrong here; try again, and tell the operator the request id', 500)
  }
}

/** For `app.notFound`. */
export function answerNotFound(isApi: (path: string) => boolean): NotFoundHandler<AppEnv> {
  return (c) => (wantsPage(c, isApi) ? page(c, 'not_found', 'not_found', 404) : json(c, 'not_found', 'nothing is here', 404))
}

type Status = OAuthError['status']

function wantsPage(c: Context<AppEnv>, isApi: (path: string) => boolean): boolean {
  return !isApi(c.req.path) && (c.req.header('accept') ?? '').includes('text/html')
}

function json(c: AppContext, error: string, description: string, status: Status, headers: Record<string, string> = {}, members: Record<string, unknown> = {}): Response {
  // RFC 6749 5.2, UMA FedAuthz 6
  return c.json({ error, error_description: description, ...members, ...(status >= 500 ? { request_id: c.var.deps.requestId } : {}) }, status, { 'Cache-Control': 'no-store', ...headers })
}

function page(c: AppContext, kind: PageErrorKey, code: string, status: Status): Response {
  const { deps } = c.var
  const again = kind === 'unavailable' || kind === 'unexpected' ? paths.home : undefined
  return c.html(
    render(ErrorPage, { page: pageContext(c), kind, requestId: deps.requestId, at: { at: Math.floor(deps.now() / 1000) }, code, ...(again === undefined ? {} : { again }) }),
    status,
    { 'Cache-Control': 'no-store' },
  )
}

const messageOf = (key: PageErrorKey): string => key.replaceAll('_', ' ')

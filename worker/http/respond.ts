// What becomes of an error: JSON for programs (RFC 6749 5.2), a page for people; anything unexpected denies and tells nothing.
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { sentenceFor } from '../openapi/errors.ts'
import { type ErrorKind, ErrorPage } from '../pages/error.tsx'
import { render } from '../pages/layout.tsx'
import { paths } from '../pages/paths.ts'
import type { AppContext, AppEnv, Deps } from './context.ts'
import { describable, OAuthError, PageError } from './errors.ts'
import { type MountedRoute, methodsOf } from './methods.ts'
import { pageContext } from './page.ts'
import { isPassing } from './passing.ts'

/** For `app.onError`. `isApi` says whether the path is one that programs call, whatever they accept. */
export function answerError(isApi: (path: string) => boolean): ErrorHandler<AppEnv> {
  return (error, c) => {
    if (c.var.deps === undefined || !wantsPage(c, isApi)) {
      const { status, body, headers } = refusalOf(error, c.var)
      return c.json(body, status, headers)
    }
    if (error instanceof PageError) return page(c, error.key, error.code, error.status, error.headers)
    if (error instanceof OAuthError) {
      // Of what is meant for programs a page says only when to come again: a challenge would open a window of the browser's own.
      const wait = error.headers['Retry-After']
      const kind = error.status === 429 ? 'too_many' : error.status < 500 ? 'bad_request' : 'unavailable'
      return page(c, kind, error.code, error.status, wait === undefined ? {} : { 'Retry-After': wait })
    }
    if (isPassing(error)) return page(c, 'unavailable', 'temporarily_unavailable', 503, AGAIN)
    return page(c, 'unexpected', 'server_error', 500)
  }
}

const AGAIN = { 'Retry-After': '2' }

/** What a program hears instead of an answer. */
export type Refusal = { status: Status; body: Record<string, unknown>; headers: Record<string, string> }

/** The refusal that an error means for a program. Without `deps` the request did not get as far as its endpoint. */
export function refusalOf(error: unknown, { deps, requestId }: { deps?: Deps; requestId: string }): Refusal {
  if (error instanceof PageError) return refusal(requestId, error.code, messageOf(error), error.status, error.headers)
  if (error instanceof OAuthError) return refusal(requestId, error.code, error.description, error.status, error.headers, error.members)
  if (deps === undefined) {
    const said = { error: 'server_error', error_description: 'the server is not configured; see its log' }
    return { status: 500, body: said, headers: { 'Cache-Control': 'no-store' } }
  }
  if (isPassing(error)) {
    const said = 'a part of the server does not answer; nothing was granted, try again'
    return refusal(requestId, 'temporarily_unavailable', said, 503, AGAIN)
  }
  return refusal(requestId, 'server_error', 'something went wrong here; try again, and tell the operator the request id', 500)
}

/** For `app.notFound`: nothing is here, or not with this method. `routes` are those that are mounted. */
export function answerNotFound(isApi: (path: string) => boolean, routes: () => readonly MountedRoute[]): NotFoundHandler<AppEnv> {
  return (c) => {
    const methods = methodsOf(routes(), c.req.path)
    // An endpoint that has nothing by this name says so itself; its method is no mistake.
    if (methods.length === 0 || methods.includes(c.req.method))
      return wantsPage(c, isApi) ? page(c, 'not_found', 'not_found', 404) : json(c, 'not_found', 'nothing is here', 404)
    // RFC 9110 15.5.6: 405 MUST name the methods that there are.
    const headers = { Allow: [...methods, 'OPTIONS'].join(', ') }
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { 'Cache-Control': 'no-store', ...headers })
    if (wantsPage(c, isApi)) return page(c, 'not_found', 'unsupported_method_type', 405, headers)
    // UMA FedAuthz 3.2 names this error; nobody else names another.
    return json(c, 'unsupported_method_type', `use one of ${methods.join(', ')}`, 405, headers)
  }
}

type Status = OAuthError['status']

function wantsPage(c: Context<AppEnv>, isApi: (path: string) => boolean): boolean {
  return !isApi(c.req.path) && (c.req.header('accept') ?? '').includes('text/html')
}

function json(c: AppContext, error: string, description: string, status: Status, headers: Record<string, string> = {}): Response {
  const refused = refusal(c.var.requestId, error, description, status, headers)
  return c.json(refused.body, refused.status, refused.headers)
}

function refusal(
  requestId: string,
  error: string,
  description: string,
  status: Status,
  headers: Record<string, string> = {},
  members: Record<string, unknown> = {},
): Refusal {
  // RFC 6749 5.2, UMA FedAuthz 6
  return {
    status,
    body: { error, error_description: description, ...members, ...(status >= 500 ? { request_id: requestId } : {}) },
    headers: { 'Cache-Control': 'no-store', ...headers },
  }
}

function page(c: AppContext, kind: ErrorKind, code: string, status: Status, headers: Record<string, string> = {}): Response {
  const { deps } = c.var
  const again = kind === 'unavailable' || kind === 'unexpected' ? paths.home : undefined
  const wait = headers['Retry-After']
  return c.html(
    render(ErrorPage, {
      page: pageContext(c),
      kind,
      requestId: deps.requestId,
      at: { at: Math.floor(deps.now() / 1000) },
      code,
      ...(wait === undefined ? {} : { wait: Number(wait) }),
      ...(again === undefined ? {} : { again }),
    }),
    status,
    { 'Cache-Control': 'no-store', ...headers },
  )
}

/** What a program hears that calls a page. */
const messageOf = ({ key, code }: PageError): string => describable(sentenceFor(code) ?? key.replaceAll('_', ' '))

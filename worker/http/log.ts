// One JSON line for each request, and its number in the answer. What may stand in a line is listed here and nowhere else: patterns of
// routes, never a path or a query; codes of errors, never a message; no header, no body, no address. Beyond a number of lines in a second
// requests that went well are counted and told together (line-budget.ts).
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { AppContext, AppEnv } from './context.ts'
import { OAuthError, PageError } from './errors.ts'
import { type Counted, type Kind, type LineBudget, lineBudget } from './line-budget.ts'
import { countRequest, type Waiting } from './meter.ts'
import { isPassing } from './passing.ts'

type Line = Kind & {
  /** `unavailable`: a part did not answer; `unexpected`: a mistake of ours. */
  event: 'request' | 'unavailable' | 'unexpected'
  error?: string
  duration_ms: number
  request_id: string
  /** Of an error that nobody expected: its kind. */
  name?: string
}
/** Requests that went well and have no line of their own. */
type Summary = Counted & { event: 'requests' }

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const MAX_CLIENT = 200
/** Lines a second of one isolate, unless LOG_LINES says otherwise. */
const LINES = 100

let budget: LineBudget | undefined

/** First of all middleware: numbers the request (`X-Request-Id`) and writes its line when it is answered. */
export function logRequests(): MiddlewareHandler<AppEnv> {
  return async function logRequest(c, next) {
    const begin = Date.now()
    const id = newRequestId()
    c.set('requestId', id)
    // Set before the answer is made: a finished one would be copied.
    c.header('X-Request-Id', id)
    await next()
    const { status } = c.res
    // Endpoints make redirects by themselves, without what was set before.
    if (status >= 300 && status < 400 && !c.res.headers.has('X-Request-Id')) c.header('X-Request-Id', id)
    logAnswer(c.env, c.executionCtx, {
      id,
      begin,
      method: c.req.method,
      route: routeOf(c),
      status,
      client: c.get('client'),
      error: c.error,
    })
  }
}

/** The last group of a UUID is 48 random bits; nothing makes them faster. */
export const newRequestId = (): string => crypto.randomUUID().slice(-12)

/** What is known of a request when it is answered. `begin` in milliseconds; `client`: as in context.ts. */
export type Answered = {
  id: string
  begin: number
  method: string
  route: string
  status: number
  client: string | undefined
  error: unknown
}

/** Counts a request and writes its line, if it is to have one. */
export function logAnswer(env: Env, context: Waiting, answered: Answered): void {
  budget ??= lineBudget(linesOf(env.LOG_LINES))
  const now = Date.now()
  countRequest(env, context, answered.status, now)
  for (const counted of budget.overdue(now)) write({ event: 'requests', ...counted })
  if (answered.status >= 400 || budget.take(now, () => kindOf(answered)))
    write({ ...lineOf(answered), duration_ms: now - answered.begin, request_id: answered.id })
}

function write(line: Line | Summary): void {
  if (line.status >= 500) console.error(JSON.stringify(line))
  else console.log(JSON.stringify(line))
}

function kindOf({ method, route, status, client }: Answered): Kind {
  const named = METHODS.includes(method) ? method : 'other'
  return client === undefined ? { method: named, route, status } : { method: named, route, status, client_id: clientOf(client) }
}

function lineOf(answered: Answered): Omit<Line, 'duration_ms' | 'request_id'> {
  const { error } = answered
  const kind = kindOf(answered)
  if (error === undefined) return { event: 'request', ...kind }
  if (error instanceof OAuthError || error instanceof PageError) return { event: 'request', ...kind, error: wordOf(error.code) }
  const word = isPassing(error)
    ? ({ event: 'unavailable', error: 'temporarily_unavailable' } as const)
    : ({ event: 'unexpected', error: 'server_error' } as const)
  return { ...word, ...kind, name: wordOf(error instanceof Error ? error.name : 'other') }
}

/** The pattern of the endpoint that answered; `-` if none did: middleware, and what answers for a missing page, is mounted for all methods. */
function routeOf(c: AppContext): string {
  const route = matchedRoutes(c)[c.req.routeIndex]
  return route === undefined || route.method === 'ALL' ? '-' : route.path
}

/** A word of ours: codes and kinds of errors have nothing else in them. */
const wordOf = (text: string): string => (/^[\w.-]{1,64}$/.test(text) ? text : 'other')

/** An id that we gave, or the address of a client's metadata document, without what may stand in a query. */
function clientOf(id: string): string {
  const url = id.startsWith('https://') ? URL.parse(id) : null
  return (url === null ? id : url.origin + url.pathname).slice(0, MAX_CLIENT)
}

const linesOf = (setting: string | undefined): number => (/^\d{1,6}$/.test(setting ?? '') ? Number(setting) : LINES)

// One JSON line for each request, and its number in the answer. What may stand in a line is listed here and nowhere else: patterns of
// routes, never a path or a query; codes of errors, never a message; no header, no body, no address. Beyond a number of lines in a second
// requests that went well are counted and told together (line-budget.ts).
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { AppContext, AppEnv } from './context.ts'
import { OAuthError, PageError } from './errors.ts'
import { type Counted, type Kind, type LineBudget, lineBudget } from './line-budget.ts'
import { countRequest } from './meter.ts'
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
    // The last group is 48 random bits; nothing makes them faster.
    const id = crypto.randomUUID().slice(-12)
    c.set('requestId', id)
    // Set before the answer is made: a finished one would be copied.
    c.header('X-Request-Id', id)
    await next()
    const { status } = c.res
    // Endpoints make redirects by themselves, without what was set before.
    if (status >= 300 && status < 400 && !c.res.headers.has('X-Request-Id')) c.header('X-Request-Id', id)
    budget ??= lineBudget(linesOf(c.env.LOG_LINES))
    const now = Date.now()
    countRequest(c, status, now)
    for (const counted of budget.overdue(now)) write({ event: 'requests', ...counted })
    if (status >= 400 || budget.take(now, () => kindOf(c))) write({ ...lineOf(c), duration_ms: now - begin, request_id: id })
  }
}

function write(line: Line | Summary): void {
  if (line.status >= 500) console.error(JSON.stringify(line))
  else console.log(JSON.stringify(line))
}

function kindOf(c: AppContext): Kind {
  const client = c.get('client')
  return {
    method: METHODS.includes(c.req.method) ? c.req.method : 'other',
    route: routeOf(c),
    status: c.res.status,
    ...(client === undefined ? {} : { client_id: clientOf(client) }),
  }
}

function lineOf(c: AppContext): Omit<Line, 'duration_ms' | 'request_id'> {
  const { error } = c
  if (error === undefined) return { event: 'request', ...kindOf(c) }
  if (error instanceof OAuthError || error instanceof PageError) return { event: 'request', ...kindOf(c), error: wordOf(error.code) }
  const word = isPassing(error)
    ? ({ event: 'unavailable', error: 'temporarily_unavailable' } as const)
    : ({ event: 'unexpected', error: 'server_error' } as const)
  return { ...word, ...kindOf(c), name: wordOf(error.name) }
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

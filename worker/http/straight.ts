// Endpoints that every use of a thing calls. They need no router and no chain of middleware: one function does for them what the chain does
// for the others, with the same parts (number, line, keys, CORS, errors), and one response is made.
import { depsOf } from './build-deps.ts'
import type { Call } from './context.ts'
import { apiHeaders } from './headers.ts'
import { logAnswer, newRequestId } from './log.ts'
import type { Waiting } from './meter.ts'
import { refusalOf } from './respond.ts'

/** An endpoint that answers with all headers of the API (`answerJson`), or throws. */
export type Endpoint = (call: Call) => Promise<Response>
/** The endpoint with all that a request needs around it. */
export type Straight = (request: Request, env: Env, context: Waiting) => Promise<Response>

// RFC 7662 2.2, UMA FedAuthz 4.2: for nobody on the way.
const NOT_STORED = apiHeaders({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })

/** An answer that nobody stores. */
export const answerJson = (body: Record<string, unknown>, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: NOT_STORED })

// RFC 6749 5.1
const TOKENS = apiHeaders({ 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' })

/** The same for an answer with tokens in it. */
export const answerTokens = (body: Record<string, unknown>): Response => new Response(JSON.stringify(body), { headers: TOKENS })

/** `route` names the endpoint in the log. */
export function straight(route: string, endpoint: Endpoint): Straight {
  return async (request, env, context) => {
    const begin = Date.now()
    const id = newRequestId()
    let call: Call | undefined
    let error: unknown
    let answer: Response
    try {
      call = { request, deps: await depsOf(env, request.url, id), waitUntil: (work) => context.waitUntil(work) }
      answer = await endpoint(call)
    } catch (caught) {
      error = caught
      answer = refused(caught, id, call)
    }
    answer.headers.set('X-Request-Id', id)
    logAnswer(env, context, { id, begin, method: request.method, route, status: answer.status, client: call?.client, error })
    return answer
  }
}

function refused(error: unknown, requestId: string, call: Call | undefined): Response {
  const { status, body, headers } = refusalOf(error, { requestId, ...(call === undefined ? {} : { deps: call.deps }) })
  return new Response(JSON.stringify(body), { status, headers: apiHeaders({ 'Content-Type': 'application/json', ...headers }) })
}

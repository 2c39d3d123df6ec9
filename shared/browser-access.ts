// Lets programs in browsers use a protected API from any origin (Fetch 3.2, CORS): the answer to the preflight, and the headers that a
// UMA client must be able to read. Without credentials: what opens the door is the RPT in the request, never a cookie.

const EXPOSED = 'WWW-Authenticate, DPoP-Nonce, Warning'

/**
 * Wraps a plain `Request -> Response` for programs in browsers (Fetch 3.2). A preflight is answered here (204) and never reaches the handler, so it costs no permission ticket.
 * NOT for routes that a cookie opens: there a foreign page must not read the answer.
 * @param handler given the request and whatever else the runtime passes; what it throws is thrown on
 * @returns a handler of the same form, whose answers a page of any origin may read
 */
export function openToBrowsers<More extends unknown[]>(handler: (request: Request, ...more: More) => Response | Promise<Response>) {
  return async function withCors(request: Request, ...more: More): Promise<Response> {
    const wanted = request.headers.get('access-control-request-method')
    if (request.method === 'OPTIONS' && wanted !== null && request.headers.has('origin')) {
      const headers = {
        'access-control-allow-origin': '*',
        'access-control-allow-methods': wanted,
        // Fetch 3.2.3: `*` does not stand for Authorization, so what was asked for is named.
        'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? 'authorization, dpop',
        'access-control-max-age': '600',
        vary: 'Access-Control-Request-Headers, Access-Control-Request-Method',
      }
      return new Response(null, { status: 204, headers })
    }
    const answer = await handler(request, ...more)
    // A WebSocket has no CORS (RFC 6455 10.2), and its answer cannot be made anew.
    if (answer.status === 101) return answer
    const headers = new Headers(answer.headers)
    headers.set('access-control-allow-origin', '*')
    headers.append('access-control-expose-headers', EXPOSED)
    return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers })
  }
}

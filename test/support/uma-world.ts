// The outside of a UMA client in unit tests: a resource server and authorization servers that are functions; everything that was asked is kept.
import { formatUmaChallenge } from '../../shared/challenge.ts'
import { createUmaFetch, type UmaClientDeps, type UmaFetchOptions, type UmaOutcome } from '../../shared/uma-client.ts'

export const NOW = 1_800_000_000
export const RS = 'https://rs.example'

export type TokenAnswer = { status: number; body: unknown; headers?: Record<string, string> }
export type Asked = {
  url: string
  method: string
  authorization: string | null
  proof: string | null
  form: Record<string, string>
  body: string
}

export const granted = (more: Record<string, unknown> = {}): TokenAnswer => ({
  status: 200,
  body: { access_token: 'good', token_type: 'Bearer', expires_in: 300, resource_server: RS, ...more },
})
export const refused = (error: string, more: Record<string, unknown> = {}): TokenAnswer => ({ status: 403, body: { error, ...more } })
export const needInfo = (ticket: string, name = 'email'): TokenAnswer =>
  refused('need_info', { ticket, required_claims: [{ name }], redirect_user: 'https://a.example/claims' })

export type Stage = {
  /** Answers of the token endpoint by server, one after the other. */
  answers: Record<string, TokenAnswer[]>
  /** Servers that the resource server names. */
  named?: string[]
  /** Answers for the resource before the usual ones. */
  resource?: (request: Request) => Response | undefined
  wait?: UmaClientDeps['wait']
}

export const world = ({ answers, named = Object.keys(answers), resource, wait }: Stage) => {
  const asked: Asked[] = []
  let waited = 0
  const fetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted()
    const request = new Request(input, init)
    const url = new URL(request.url)
    const body = await request.text()
    const { headers, method } = request
    const form = url.pathname === '/token' ? Object.fromEntries(new URLSearchParams(body)) : {}
    asked.push({ url: request.url, method, authorization: headers.get('authorization'), proof: headers.get('dpop'), form, body })
    if (url.origin !== RS) {
      if (url.pathname === '/register') return Response.json({ client_id: `c at ${url.host}` }, { status: 201 })
      const metadata = { issuer: url.origin, token_endpoint: `${url.origin}/token`, registration_endpoint: `${url.origin}/register` }
      if (url.pathname.startsWith('/.well-known')) {
        return answers[url.origin] === undefined ? new Response(null, { status: 503 }) : Response.json(metadata)
      }
      const answer = answers[url.origin]?.shift()
      if (answer === undefined) throw new TypeError('no answer')
      return Response.json(answer.body, { status: answer.status, headers: answer.headers ?? {} })
    }
    const given = resource?.(request)
    if (given !== undefined) return given
    if (/^(Bearer|DPoP) good$/.test(headers.get('authorization') ?? '')) return new Response(`secret ${method} ${body}`.trim())
    const header = named.map((asUri, at) => formatUmaChallenge({ asUri, ticket: `t${at}` })).join(', ')
    return new Response('no', { status: 401, headers: { 'www-authenticate': `Bearer realm="x", ${header}` } })
  }
  const deps: UmaClientDeps = {
    fetch,
    now: () => NOW + waited,
    wait:
      wait ??
      (async (seconds) => {
        waited += seconds
      }),
  }
  const tickets = (): string[] => asked.flatMap(({ form }) => (form.ticket === undefined ? [] : [form.ticket]))
  /** Time goes by. */
  const pass = (seconds: number): void => {
    waited += seconds
  }
  return { deps, asked, tickets, pass, waited: () => waited }
}

export const fetchFor = (stage: ReturnType<typeof world>, options: Partial<UmaFetchOptions> = {}) => {
  const outcomes: [string, UmaOutcome][] = []
  const umaFetch = createUmaFetch(
    {
      approves: () => true,
      identity: async () => ({ clientId: 'c' }),
      onOutcome: (outcome, { asUri }) => outcomes.push([asUri, outcome]),
      ...options,
    },
    stage.deps,
  )
  return { umaFetch, outcomes }
}

export const A = 'https://a.example'
export const B = 'https://b.example'

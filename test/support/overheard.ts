// Listens to all HTTP of a test and keeps what must not be found at rest: tokens, tickets, codes, secrets, cookies, whoever sent them.
// Nothing is changed on the way.
import { createServer, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'

/** Members, parameters and fields whose values are secrets. */
const SECRET = new Set([
  'access_token',
  'refresh_token',
  'id_token',
  'ticket',
  'code',
  'code_verifier',
  'client_secret',
  'pre-authorized_code',
  'claim_token',
  'credential',
  'c_nonce',
  'csrf',
  'request',
  'response',
  'recovery_code',
])

export type Overheard = {
  /** Secrets by where they were seen. */
  secrets: Map<string, string>
  stop: () => void
}

const inJson = (value: unknown, add: (name: string, value: string) => void): void => {
  if (Array.isArray(value)) for (const one of value) inJson(one, add)
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string') add(name, member)
      else inJson(member, add)
    }
}

const inParams = (query: string, add: (name: string, value: string) => void): void => {
  for (const [name, value] of new URLSearchParams(query)) add(name, value)
}

const inHtml = (html: string, add: (name: string, value: string) => void): void => {
  for (const [tag] of html.matchAll(/<input\b[^>]*>/gi)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1]
    const value = /\bvalue="([^"]*)"/.exec(tag)?.[1]
    if (name !== undefined && value !== undefined) add(name, value)
  }
  for (const [, params] of html.matchAll(/href="[^"?]*\?([^"]*)"/g)) inParams((params ?? '').replaceAll('&amp;', '&'), add)
  const recovery = /<output class="secret"[^>]*>([^<]+)</.exec(html)?.[1]
  if (recovery !== undefined) add('recovery_code', recovery)
}

const inText = (body: string, type: string, add: (name: string, value: string) => void): void => {
  if (type.includes('json') || body.startsWith('{')) inJson(JSON.parse(body || 'null'), add)
  else if (type.includes('html')) inHtml(body, add)
  else if (type.includes('form')) inParams(body, add)
}

type Exchange = { url: string; sent: Headers; asked: string; got: Headers; answered: string }

const note = (secrets: Map<string, string>, { url, sent, asked, got, answered }: Exchange): void => {
  const add = (name: string, value: string): void => {
    // Shorter ones are mailed codes and empty fields; the test names those itself.
    if (SECRET.has(name) && value.length >= 16) secrets.set(value, name)
  }
  inText(asked, sent.get('content-type') ?? '', add)
  inText(answered, got.get('content-type') ?? '', add)
  inParams(url.split('?')[1] ?? '', add)
  inParams(got.get('location')?.split('?')[1] ?? '', add)
  const [scheme = '', credentials] = (sent.get('authorization') ?? '').split(' ')
  if (credentials !== undefined) secrets.set(credentials, `${scheme} credentials`)
  const proof = sent.get('dpop')
  if (proof !== null) secrets.set(proof, 'dpop proof')
  for (const line of got.getSetCookie()) {
    const [name, value = ''] = (line.split(';')[0] ?? '').split('=')
    if (value.length >= 16) secrets.set(value, `cookie ${name}`)
  }
}

/** Begins to listen to `fetch` of this process. */
export const overhear = (): Overheard => {
  const real = globalThis.fetch
  const secrets = new Map<string, string>()
  globalThis.fetch = async (input, init) => {
    const answer = await real(input, init)
    note(secrets, {
      url: String(input),
      sent: new Headers(init?.headers),
      asked: typeof init?.body === 'string' ? init.body : '',
      got: answer.headers,
      answered: await answer.clone().text(),
    })
    return answer
  }
  return {
    secrets,
    stop: () => {
      globalThis.fetch = real
    },
  }
}

/** Stands in front of a server, at a port of its own, and listens to whoever calls it there. */
export const overhearAt = async (port: number, target: number): Promise<Overheard> => {
  const secrets = new Map<string, string>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const sent = new Headers(Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]))
    for (const hop of ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect']) sent.delete(hop)
    const url = `http://127.0.0.1:${target}${request.url ?? '/'}`
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
    const forward = httpRequest(url, { method: request.method, headers: Object.fromEntries(sent) }, async (answer) => {
      const answered = await text(answer)
      const got = new Headers()
      for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) got.append(answer.rawHeaders[at] ?? '', answer.rawHeaders[at + 1] ?? '')
      note(secrets, { url, sent, asked: body, got, answered })
      got.delete('transfer-encoding')
      response.writeHead(answer.statusCode ?? 502, [...got].flat())
      response.end(answered)
    })
    forward.on('error', () => response.writeHead(502).end())
    forward.end(hasBody ? body : undefined)
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return {
    secrets,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

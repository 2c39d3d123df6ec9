// Requests that `fetch` does not let anybody send: a foreign Host, a path that is not normalized, a body without a length.
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { note } from './http.ts'

export type RawAnswer = { status: number; headers: Record<string, string | string[] | undefined>; text: string }
type Raw = { method?: string; path: string; headers?: Record<string, string>; body?: string; chunked?: boolean }

/** Sends it to the server of `origin`, exactly as it is. A connection that the server closes counts as status 0. */
export const rawCall = (origin: string, { method = 'GET', path, headers = {}, body, chunked = false }: Raw): Promise<RawAnswer> =>
  new Promise((done) => {
    const { protocol, hostname, port } = new URL(origin)
    const send = protocol === 'https:' ? requestHttps : requestHttp
    const length: Record<string, string> = body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const finish = (answer: RawAnswer): void => {
      note(`${method} ${path}`, `${answer.status}\n${answer.text}`)
      done(answer)
    }
    const outgoing = send({ hostname, port, path, method, headers: { ...length, ...headers } }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      incoming.on('close', () => finish({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
    })
    outgoing.on('error', (error) => finish({ status: 0, headers: {}, text: error.message }))
    if (chunked && body !== undefined) for (let at = 0; at < body.length; at += 65_536) outgoing.write(body.slice(at, at + 65_536))
    outgoing.end(chunked ? undefined : body)
  })

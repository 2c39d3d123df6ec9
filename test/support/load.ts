// A small HTTP load generator: so many keep-alive connections, each with one request on its way. Own code over node:net, because it
// shares two cores with what it measures and has to cost little.
import { connect, type Socket } from 'node:net'

export type LoadRequest = { method?: string; path: string; headers?: Readonly<Record<string, string>>; body?: string }

export type LoadResult = {
  count: number
  seconds: number
  /** Requests per second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Answers that `expected` refused, by what they were. */
  wrong: Map<string, number>
}

export type Answer = { status: number; body: string }

const bytesOf = ({ method = 'GET', path, headers = {}, body }: LoadRequest, host: string): string => {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

const chunkedBody = (text: string): string | undefined => {
  let body = ''
  let at = 0
  for (;;) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    if (text.length < line + 2 + size + 2) return undefined
    if (size === 0) return body
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

/** The answer, once it is whole. One request is on its way at a time, so whatever has come belongs to it. Bytes are read as latin1. */
const parse = (text: string): Answer | undefined => {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end).toLowerCase()
  const status = Number(head.slice(9, 12))
  const rest = text.slice(end + 4)
  if (head.includes('transfer-encoding: chunked')) {
    const body = chunkedBody(rest)
    return body === undefined ? undefined : { status, body }
  }
  const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
  return rest.length < length ? undefined : { status, body: rest }
}

class Connection {
  private readonly socket: Socket
  private received = ''
  private waiting: { done: (answer: Answer) => void; failed: (error: Error) => void } | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1')
      const answer = parse(this.received)
      if (!answer) return
      this.received = ''
      this.waiting?.done(answer)
    })
    const failed = (): void => this.waiting?.failed(new Error('the connection was closed'))
    socket.on('error', failed)
    socket.on('close', failed)
  }

  send(bytes: string): Promise<Answer> {
    return new Promise((done, failed) => {
      this.waiting = { done, failed }
      this.socket.write(bytes)
    })
  }

  close(): void {
    this.waiting = undefined
    this.socket.destroy()
  }
}

const open = (port: number): Promise<Connection> =>
  new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', failed)
    socket.once('connect', () => done(new Connection(socket)))
  })

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/**
 * Sends requests until there are no more or the time is over.
 * @param next the n-th request, or undefined when there are no more; has to be cheap
 * @param expected says whether an answer is the right one; wrong ones are counted and the measurement must not be believed
 */
export const load = async (
  target: { port: number; host: string },
  options: {
    connections: number
    seconds: number
    next: (index: number) => LoadRequest | undefined
    expected: (answer: Answer) => boolean
  },
): Promise<LoadResult> => {
  const connections = await Promise.all(Array.from({ length: options.connections }, () => open(target.port)))
  const times: number[] = []
  const wrong = new Map<string, number>()
  let index = 0
  const begin = performance.now()
  const until = begin + options.seconds * 1000
  await Promise.all(
    connections.map(async (connection) => {
      for (let now = performance.now(); now < until; now = performance.now()) {
        const request = options.next(index++)
        if (!request) break
        const answer = await connection.send(bytesOf(request, target.host))
        times.push(performance.now() - now)
        if (!options.expected(answer)) {
          const what = `${answer.status} ${answer.body.slice(0, 160)}`
          wrong.set(what, (wrong.get(what) ?? 0) + 1)
        }
      }
    }),
  )
  const seconds = (performance.now() - begin) / 1000
  for (const connection of connections) connection.close()
  times.sort((a, b) => a - b)
  return { count: times.length, seconds, rate: times.length / seconds, p50: percentile(times, 0.5), p99: percentile(times, 0.99), wrong }
}

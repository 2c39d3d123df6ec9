// A WebSocket as its bytes (RFC 6455): what the handshake answered, each text as it comes, and the close frame at the moment it comes.
// The client of Node tells of a close only when the connection is gone, which is the runtime's affair and takes seconds.
import { randomBytes } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'

export type LiveSocket = {
  /** Of the handshake. */
  status: number
  headers: Record<string, unknown>
  body: string
  /** The next text; rejects if the socket is closed before one comes. */
  next: () => Promise<string>
  /** Texts that came and were not taken. */
  waiting: string[]
  /** Code of the close frame. */
  closed: Promise<number>
  send: (text: string) => void
  destroy: () => void
}

/** Opens a WebSocket; a refusal is an answer, not an error. */
export const openSocket = (url: string, headers: Record<string, string> = {}): Promise<LiveSocket> =>
  new Promise((done, failed) => {
    const outgoing = request(url, {
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        ...headers,
      },
    })
    outgoing.on('error', failed)
    outgoing.on('response', (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => done(refused(answer, Buffer.concat(chunks).toString())))
    })
    outgoing.on('upgrade', (answer, socket, head) => done(opened(answer, socket as Socket, head)))
    outgoing.end()
  })

const refused = (answer: IncomingMessage, body: string): LiveSocket => ({
  status: answer.statusCode ?? 0,
  headers: answer.headers,
  body,
  next: () => Promise.reject(new Error('the handshake was refused')),
  waiting: [],
  closed: Promise.resolve(0),
  send: () => undefined,
  destroy: () => undefined,
})

const opened = (answer: IncomingMessage, socket: Socket, head: Buffer): LiveSocket => {
  const waiting: string[] = []
  const takers: { take: (text: string) => void; fail: (error: Error) => void }[] = []
  let close: (code: number) => void = () => undefined
  const closed = new Promise<number>((tell) => {
    close = tell
  })
  let rest = Buffer.from(head)
  const read = (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk])
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      rest = rest.subarray(frame.length)
      if (frame.opcode === 8) {
        close(frame.payload.length >= 2 ? frame.payload.readUInt16BE() : 1005)
        for (const taker of takers.splice(0)) taker.fail(new Error('closed'))
      } else if (frame.opcode === 1) {
        const taker = takers.shift()
        if (taker) taker.take(frame.payload.toString())
        else waiting.push(frame.payload.toString())
      }
    }
  }
  socket.on('data', read)
  socket.on('error', () => close(1006))
  socket.on('close', () => close(1006))
  read(Buffer.alloc(0))
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    body: '',
    waiting,
    closed,
    next: () => {
      const first = waiting.shift()
      return first !== undefined ? Promise.resolve(first) : new Promise((take, fail) => takers.push({ take, fail }))
    },
    send: (text) => socket.write(masked(Buffer.from(text))),
    destroy: () => socket.destroy(),
  }
}

/** RFC 6455 5.2; a server does not mask. Undefined until the frame is complete. */
const frameOf = (bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined => {
  if (bytes.length < 2) return undefined
  const short = (bytes[1] ?? 0) & 0x7f
  const head = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < head) return undefined
  const size = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  if (bytes.length < head + size) return undefined
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(head, head + size), length: head + size }
}

/** A text frame of a client, at most 125 bytes. */
const masked = (text: Buffer): Buffer => {
  const key = randomBytes(4)
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), key, text.map((byte, i) => byte ^ (key[i % 4] ?? 0))])
}

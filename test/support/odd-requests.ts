// Requests as no well-behaved program makes them, what every refusal must look like, and a guest who can prove an address without mail.
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import { type JWTPayload, SignJWT } from 'jose'
import { expect } from 'vitest'
import type { Bob } from './actors.ts'
import { type Stage, stage } from './claims.ts'
import { type Answer, type DpopKey, expectStatus, type Json, sha256 } from './http.ts'
import { type Credential, obtainCredential, pushed } from './proofs.ts'
import { sharedAs } from './server.ts'

export const FORM = 'application/x-www-form-urlencoded'

/** One request through a plain socket: any Host, headers more than once, any method, any path, a body of bytes. */
export const send = (
  origin: string,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string | Uint8Array } = {},
): Promise<Answer> =>
  new Promise((done, failed) => {
    const { hostname, port } = new URL(origin)
    const { method = 'GET', headers = {}, body } = options
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const outgoing = request(
      { agent: false, hostname, port, path, method, headers: { ...length, ...headers } },
      (answer: IncomingMessage) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => done(answerOf(answer, Buffer.concat(chunks).toString())))
      },
    )
    outgoing.on('error', failed)
    outgoing.end(body)
  })

/** A body that is sent piece by piece, of a length that nobody was told. */
export const stream = async (url: string, headers: Record<string, string>, text: string): Promise<Answer> => {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + 16_384))
      at += 16_384
    },
  })
  const answer = await fetch(url, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
  const said = await answer.text()
  return { status: answer.status, headers: answer.headers, text: said, json: JSON.parse(said) as Json }
}

const answerOf = (answer: IncomingMessage, text: string): Answer => {
  const headers = new Headers()
  for (let i = 0; i < answer.rawHeaders.length; i += 2) headers.append(answer.rawHeaders[i] ?? '', answer.rawHeaders[i + 1] ?? '')
  let json: Json = {}
  try {
    json = JSON.parse(text) as Json
  } catch {
    // Not every answer is JSON.
  }
  return { status: answer.statusCode ?? 0, headers, text, json }
}

/** RFC 6749 5.2, UMA FedAuthz 6: status, code, JSON, nothing stored, a sentence in the characters that are allowed there. */
export const expectRefusal = (answer: Answer, status: number, error: string): void => {
  expect({ status: answer.status, error: answer.json.error }).toEqual({ status, error })
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.json.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]{8,}$/)
  expect(answer.text).not.toMatch(/\bat \w+ \(|\.ts:\d|stack|D1_ERROR|SQLITE|undefined/)
}

/** A challenge of the Authorization header (RFC 9110 11.6.1). */
export const challenge = (answer: Answer): string => answer.headers.get('www-authenticate') ?? ''

/** A DPoP proof with anything in it (RFC 9449 4.2); undefined leaves a member out. */
export const oddProof = (
  key: DpopKey,
  claims: { htm: string; htu: string; token?: string } & Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> => {
  const { token, ...rest } = claims
  const all = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...(token === undefined ? {} : { ath: sha256(token) }), ...rest }
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWTPayload
  return new SignJWT(payload).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk, ...header }).sign(key.privateKey)
}

export type Permissions = Json | Json[]

/** The stage of the claims page, and a guest who has kept a proof of her address: tokens without a mail each. */
export type Cast = Stage & {
  known: Bob
  credential: Credential
  /** A token request with a fresh ticket for these permissions and the guest's proof. */
  redeem: (permissions: Permissions, more?: Record<string, string>) => Promise<Answer>
  /** An RPT of the guest, who has been shared the resource with. */
  rpt: (permissions?: Permissions) => Promise<string>
}

export const cast = async (given?: Stage): Promise<Cast> => {
  const s = given ?? (await stage(await sharedAs()))
  const known = await s.guest()
  const credential = await obtainCredential(s.server, known, s.app, await s.ticket())
  const redeem: Cast['redeem'] = async (permissions, more = {}) => {
    const ticket = await s.service.ticket(permissions)
    return s.app.token(ticket, { ...(await pushed(credential, ticket)), ...more })
  }
  const rpt: Cast['rpt'] = async (permissions = { resource_id: s.resource, resource_scopes: ['view'] }) =>
    String(expectStatus(await redeem(permissions), 200, 'RPT').json.access_token)
  return { ...s, known, credential, redeem, rpt }
}

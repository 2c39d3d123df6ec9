// Calls to endpoints as a program makes them, and DPoP proofs (RFC 9449) made independently of the server's and the client kit's code.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export type Json = { [member: string]: unknown }
export type Answer = { status: number; headers: Headers; text: string; json: Json }

export type Call = {
  method?: string
  headers?: Record<string, string>
  form?: Record<string, string> | [string, string][]
  json?: unknown
  /** client_secret_basic */
  basic?: { id: string; secret: string }
  bearer?: string
  /** A DPoP key: the request carries a proof, and the token (if any) goes with scheme DPoP. */
  dpop?: DpopKey
}

/** `now`: seconds, where the server's clock was moved. */
export type DpopKey = { privateKey: CryptoKey; jwk: JWK; jkt: string; now?: () => number }

export const newDpopKey = async (): Promise<DpopKey> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
export const random = (bytes = 32): string => randomBytes(bytes).toString('base64url')

/** A proof for one request; `ath` when a token goes with it (RFC 9449 4.2). */
export const dpopProof = (key: DpopKey, method: string, url: string, token?: string): Promise<string> =>
  new SignJWT({ htm: method, htu: url.split(/[?#]/)[0], jti: randomUUID(), ...(token !== undefined && { ath: sha256(token) }) })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
    .setIssuedAt(key.now?.())
    .sign(key.privateKey)

const encoded = (text: string): string => encodeURIComponent(text).replace(/%20/g, '+')

const headersOf = async (url: string, method: string, call: Call): Promise<Record<string, string>> => ({
  ...(call.form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
  ...(call.json !== undefined && { 'content-type': 'application/json' }),
  ...(call.basic && {
    authorization: `Basic ${Buffer.from(`${encoded(call.basic.id)}:${encoded(call.basic.secret)}`).toString('base64')}`,
  }),
  ...(call.bearer !== undefined && { authorization: `${call.dpop ? 'DPoP' : 'Bearer'} ${call.bearer}` }),
  ...(call.dpop && { dpop: await dpopProof(call.dpop, method, url, call.bearer) }),
  ...call.headers,
})

/** One request; never follows a redirect, never throws for a status. `json` is empty if the body is no JSON object. */
export const call = async (url: string, options: Call = {}): Promise<Answer> => {
  const body =
    options.form !== undefined
      ? new URLSearchParams(options.form).toString()
      : options.json !== undefined
        ? JSON.stringify(options.json)
        : undefined
  const method = options.method ?? (body === undefined ? 'GET' : 'POST')
  const answer = await fetch(url, {
    method,
    redirect: 'manual',
    headers: await headersOf(url, method, options),
    ...(body !== undefined && { body }),
  })
  const text = await answer.text()
  let json: Json = {}
  try {
    json = JSON.parse(text) as Json
  } catch {
    // Not every answer is JSON.
  }
  return { status: answer.status, headers: answer.headers, text, json }
}

/** Throws with the whole answer unless the status is the expected one. */
export const expectStatus = (answer: Answer, status: number, what: string): Answer => {
  if (answer.status !== status) throw new Error(`${what}: ${answer.status} instead of ${status}\n${answer.text.slice(0, 800)}`)
  return answer
}

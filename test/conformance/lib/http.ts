// HTTP as a program speaks it: forms, JSON, client authentication, bearer tokens and DPoP proofs (RFC 9449). Never follows a redirect, never
// throws for a status. Every exchange is noted for the case in which it happens, so that a failure can show what was said.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

type Json = { [member: string]: unknown }
export type Answer = { status: number; headers: Headers; text: string; json: Json; url: string }

export type DpopKey = { privateKey: CryptoKey; jwk: JWK; jkt: string }

export type Call = {
  method?: string
  headers?: Record<string, string>
  form?: Record<string, string> | [string, string][]
  json?: unknown
  body?: string
  /** client_secret_basic */
  basic?: { id: string; secret: string }
  bearer?: string
  /** The request carries a proof of this key, and the token (if any) goes with scheme DPoP. */
  dpop?: DpopKey
}

export type Http = {
  call: (url: string, options?: Call) => Promise<Answer>
  proof: (key: DpopKey, method: string, url: string, token?: string, more?: Json) => Promise<string>
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
export const random = (bytes = 32): string => randomBytes(bytes).toString('base64url')

export const newDpopKey = async (): Promise<DpopKey> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
}

type Exchange = { request: string; response: string }
const trace = new AsyncLocalStorage<Exchange[]>()

/** Runs `body`; answers what it said over HTTP, whether it throws or not. */
export const traced = async (body: () => Promise<void>): Promise<{ error?: unknown; exchanges: Exchange[] }> => {
  const exchanges: Exchange[] = []
  try {
    await trace.run(exchanges, body)
    return { exchanges }
  } catch (error) {
    return { error, exchanges }
  }
}

const shown = (text: string): string => (text.length > 700 ? `${text.slice(0, 700)} ... (${text.length} characters)` : text)

/** Notes an exchange for the case that runs. */
export const note = (request: string, response: string): void => {
  trace.getStore()?.push({ request: shown(request), response: shown(response) })
}

/** RFC 6749 2.3.1: form-urlencoded before base64. */
const encoded = (text: string): string => encodeURIComponent(text).replace(/%20/g, '+')
export const basicAuth = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`

const bodyOf = (options: Call): string | undefined => {
  if (options.form !== undefined) return new URLSearchParams(options.form).toString()
  return options.json !== undefined ? JSON.stringify(options.json) : options.body
}

export const parsed = (text: string): Json => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : {}
  } catch {
    return {} // not every answer is JSON
  }
}

/** `now` is the server's time in seconds: proofs must be fresh there. */
export const makeHttp = (now: () => number): Http => {
  const proof: Http['proof'] = (key, method, url, token, more = {}) =>
    new SignJWT({
      htm: method,
      htu: url.split(/[?#]/)[0],
      jti: randomUUID(),
      iat: now(),
      ...(token !== undefined && { ath: sha256(token) }),
      ...more,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
      .sign(key.privateKey)
  const call: Http['call'] = async (url, options = {}) => {
    const body = bodyOf(options)
    const method = options.method ?? (body === undefined ? 'GET' : 'POST')
    const headers = {
      ...(options.form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(options.json !== undefined && { 'content-type': 'application/json' }),
      ...(options.basic && { authorization: basicAuth(options.basic.id, options.basic.secret) }),
      ...(options.bearer !== undefined && { authorization: `${options.dpop ? 'DPoP' : 'Bearer'} ${options.bearer}` }),
      ...(options.dpop && { dpop: await proof(options.dpop, method, url, options.bearer) }),
      ...options.headers,
    }
    const answer = await fetch(url, { method, redirect: 'manual', headers, ...(body !== undefined && { body }) })
    const text = await answer.text()
    note(`${method} ${url}${body === undefined ? '' : `\n${body}`}`, `${answer.status} ${answer.headers.get('location') ?? ''}\n${text}`)
    return { status: answer.status, headers: answer.headers, text, json: parsed(text), url }
  }
  return { call, proof }
}

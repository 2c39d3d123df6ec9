// The owner API (shared/protocol/owner-api.ts) as this wallet calls it: DPoP-bound access token, refreshed when it ends, ETag cache for
// everything that is read. Names come sealed and leave sealed; as/labels.ts opens them.
import * as oauth from 'oauth4webapi'
import * as v from 'valibot'
import { WalletError } from '../errors.ts'
import { changeConnection, connectionTo } from '../wallet/connections.ts'
import { keyPairFor } from '../wallet/keys.ts'
import { type Connection, read, update } from '../wallet/storage.ts'
import { refresh } from './connect.ts'
import { options, withNonceRetry } from './oauth.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Seconds before its end when an access token is renewed. */
const EARLY = 15
const MOST_PAGES = 50

const renewals = new Map<string, Promise<Connection>>()

/**
 * One renewal per server at a time: everybody who waits gets the same new token, and so does who comes late with a refusal of the old one.
 * @param refused the access token that is no good any more
 */
const renew = (issuer: string, refused: string): Promise<Connection> => {
  const running = renewals.get(issuer)
  if (running) return running
  const renewal = (async () => {
    const connection = await connectionTo(issuer)
    if (connection.access_token !== refused) return connection
    if (connection.refresh_token === undefined) throw new WalletError('ended', issuer)
    const tokens = await refresh(connection.metadata, connection.client_id, connection.refresh_token)
    await changeConnection(issuer, tokens)
    return { ...connection, ...tokens }
  })()
    .catch(async (error: unknown) => {
      if (error instanceof WalletError && error.code === 'ended') await changeConnection(issuer, { state: 'ended' })
      throw error
    })
    .finally(() => renewals.delete(issuer))
  renewals.set(issuer, renewal)
  return renewal
}

const freshConnection = async (issuer: string): Promise<Connection> => {
  const connection = await connectionTo(issuer)
  if (connection.state === 'ended') throw new WalletError('ended', issuer)
  return connection.access_expires_at - EARLY > Date.now() / 1000 ? connection : renew(issuer, connection.access_token)
}

/** RFC 9449 7.1: one request with the token bound to this wallet's key. Answers the 401 of a token that is no good as `expired`. */
const send = async (
  connection: Connection,
  method: Method,
  path: string,
  headers: Headers,
  body?: string,
): Promise<Response | 'expired'> => {
  const { issuer } = connection
  const DPoP = oauth.DPoP({}, await keyPairFor('dpop', issuer))
  const url = new URL(`${issuer}/owner${path}`)
  try {
    return await withNonceRetry(() =>
      oauth.protectedResourceRequest(connection.access_token, method, url, headers, body, { ...options(issuer), DPoP }),
    )
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401) return 'expired'
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response
    throw error
  }
}

const call = async (issuer: string, method: Method, path: string, headers: Record<string, string>, body?: unknown): Promise<Response> => {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const all = new Headers({
    accept: 'application/json',
    ...headers,
    ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
  })
  const connection = await freshConnection(issuer)
  const first = await send(connection, method, path, all, payload)
  if (first !== 'expired') return first
  const second = await send(await renew(issuer, connection.access_token), method, path, all, payload)
  if (second === 'expired' || second.status === 401) {
    await changeConnection(issuer, { state: 'ended' })
    throw new WalletError('ended', issuer)
  }
  return second
}

/** Turns a refusal of the owner API into a wallet error. */
const expectOk = async (response: Response): Promise<Response> => {
  if (response.ok) return response
  const said = v.safeParse(
    v.object({ error: v.string(), error_description: v.optional(v.string()) }),
    await response.json().catch(() => undefined),
  )
  const detail = said.success ? `${said.output.error}: ${said.output.error_description ?? ''}` : `status ${response.status}`
  throw new WalletError(response.status === 404 ? 'not_found' : response.status >= 500 ? 'failed' : 'rejected', detail)
}

const parse = <T>(schema: v.GenericSchema<unknown, T>, body: unknown): T => {
  const parsed = v.safeParse(schema, body)
  if (!parsed.success) throw new WalletError('no_server', `answer of the owner API: ${v.getDotPath(parsed.issues[0]) ?? 'no object'}`)
  return parsed.output
}

/** GET with `If-None-Match`: an unchanged answer costs no body (RFC 9110 13.1.2). */
export const get = async <T>(issuer: string, path: string, schema: v.GenericSchema<unknown, T>): Promise<T> => {
  const key = `${issuer} ${path}`
  const known = (await read('answers'))[key]
  const response = await call(issuer, 'GET', path, known ? { 'if-none-match': known.etag } : {})
  if (response.status === 304 && known) return parse(schema, known.body)
  const body: unknown = await (await expectOk(response)).json()
  const value = parse(schema, body)
  const etag = response.headers.get('etag')
  if (etag !== null) await update('answers', (all) => Object.assign(all, { [key]: { etag, body } }))
  return value
}

/** All pages of a list. */
export const getAll = async <T>(issuer: string, path: string, item: v.GenericSchema<unknown, T>): Promise<T[]> => {
  const schema = v.object({ items: v.array(item), next: v.optional(v.string()) })
  const items: T[] = []
  let next: string | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer: { items: T[]; next?: string | undefined } = await get(issuer, next === undefined ? path : withCursor(path, next), schema)
    items.push(...answer.items)
    next = answer.next
    if (next === undefined) break
  }
  return items
}

const withCursor = (path: string, cursor: string): string => `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`

export const post = async <T>(issuer: string, path: string, body: unknown, schema: v.GenericSchema<unknown, T>): Promise<T> =>
  parse(schema, await (await expectOk(await call(issuer, 'POST', path, {}, body))).json())

export const put = async <T>(issuer: string, path: string, body: unknown, schema: v.GenericSchema<unknown, T>): Promise<T> =>
  parse(schema, await (await expectOk(await call(issuer, 'PUT', path, {}, body))).json())

/** DELETE; what is already gone is as good as deleted. */
export const remove = async (issuer: string, path: string): Promise<void> => {
  const response = await call(issuer, 'DELETE', path, {})
  if (response.status !== 404) await expectOk(response)
}

/** Drops what is remembered of a server's answers. */
export const forgetAnswers = (issuer: string): Promise<void> =>
  update('answers', (all) => {
    for (const key of Object.keys(all)) if (key.startsWith(`${issuer} `)) delete all[key]
  })

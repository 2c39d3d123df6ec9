// Requests that were pushed (RFC 9126), sealed into their request_uri: nothing is stored until one is answered, and that happens once.
import { type AppContext, oneTimeObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import type { Params } from '../http/form.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { type Asked, askedIn, signedInFor } from './authorization-request.ts'

const PREFIX = 'urn:ietf:params:oauth:request_uri:'
/** Seconds until the browser has to arrive with it, and until the owner has to have answered, signing in by mail included. */
export const PUSHED_LIFETIME = 600
const ANSWER_LIFETIME = 3600
/** Characters: it travels in an address, and through signing in inside another one. */
const MAX_URI = 7000
/** What a request is made of; credentials that were pushed along are not kept. */
const KEPT = [
  'response_type',
  'response_mode',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'prompt',
  'max_age',
  'dpop_jkt',
  'label_jwk',
  'resource',
]

/** A pushed request on its way. `until`: after that nobody may answer it, so that its `jti` need not be remembered longer. */
export type Pushed = { search: string; jti: string; exp: number; until: number }

/** The request_uri of a request that was judged; undefined if it would be too long. */
export async function pushRequest(c: AppContext, { params, resources }: Asked): Promise<string | undefined> {
  const now = seconds(c.var.deps)
  const search = new URLSearchParams([...params].filter(([name]) => KEPT.includes(name) && name !== 'resource'))
  for (const one of resources) search.append('resource', one)
  const uri = await sealed(c, { search: String(search), jti: randomSecret(16), exp: now + PUSHED_LIFETIME, until: now + ANSWER_LIFETIME })
  return uri.length > MAX_URI ? undefined : uri
}

/**
 * The pushed request that `request_uri` stands for; undefined if there is none of ours. What else is in the query does not count (RFC 9126 4,
 * RFC 9101 6.3), but the client must be the one that pushed it. PageError for one that is forged, foreign or too old.
 */
export async function pushedRequest(c: AppContext, params: Params): Promise<(Asked & { pushed: Pushed }) | undefined> {
  const uri = params.get('request_uri')
  if (uri === undefined || !uri.startsWith(PREFIX)) return undefined
  const pushed = await opened(c, uri)
  if (pushed === undefined || pushed.exp <= seconds(c.var.deps)) throw new PageError('expired', 'invalid_request_uri')
  const asked = askedIn(new URLSearchParams(pushed.search))
  if (asked.params.get('client_id') !== params.get('client_id')) throw new PageError('bad_request', 'invalid_request_uri')
  return { ...asked, pushed }
}

/** The same request for the time of signing in. */
export async function keepPushed(c: AppContext, pushed: Pushed): Promise<string> {
  const search = signedInFor(new URLSearchParams(pushed.search))
  // RFC 9126 2.2: the limit is for the browser to arrive; it has.
  return sealed(c, { ...pushed, search: String(search), exp: pushed.until })
}

/** True once: the request is answered now (RFC 9126 4, 7.3). */
export async function isTaken(c: AppContext, { jti, until }: Pushed): Promise<boolean> {
  const now = seconds(c.var.deps)
  if (until <= now) return false
  const once = oneTimeObject(c.env, await c.var.deps.keyring.mac('limit', `pushed\0${jti}`))
  return once.take({ key: jti, exp: until, now })
}

/** The redirect URI of an authorization request, pushed or not. */
export async function redirectUriOf(c: AppContext, search: URLSearchParams): Promise<string | undefined> {
  const uri = search.get('request_uri')
  const pushed = uri?.startsWith(PREFIX) === true ? await opened(c, uri) : undefined
  return (pushed === undefined ? search : new URLSearchParams(pushed.search)).get('redirect_uri') ?? undefined
}

// Sealed for the consent step's purpose, under a name of its own: neither opens as the other.
const sealed = async (c: AppContext, pushed: Pushed): Promise<string> =>
  `${PREFIX}${await c.var.deps.keyring.seal('consent', pushed, 'pushed')}`
const opened = async (c: AppContext, uri: string): Promise<Pushed | undefined> =>
  (await c.var.deps.keyring.open('consent', uri.slice(PREFIX.length), 'pushed')) as Pushed | undefined

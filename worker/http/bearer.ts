// Access tokens of the protection API and the owner API, as Bearer (RFC 6750) or DPoP (RFC 9449): which owner's object to ask, and
// what to show it. Whether the token is good is the object's answer; the errors for a bad one are here.

import type { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import type { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import type { Unauthorized } from '../objects/owner-tables.ts'
import type { Caller } from '../objects/owner-tokens.ts'
import { DPOP_ALGS, verifyDpop } from '../tokens/dpop.ts'
import { readToken } from '../tokens/opaque.ts'
import { type AppContext, type Call, callOf, ownerObject, seconds } from './context.ts'
import { OAuthError } from './errors.ts'
import { tooManyCalls } from './quota.ts'

type Scheme = 'Bearer' | 'DPoP'
/** What one API demands of the tokens that are shown to it. */
export type ApiScope = typeof PROTECTION_SCOPE | typeof OWNER_SCOPE

export type Presented = {
  owner: string
  /** What the token is by its looks: a PAT or a wallet's. */
  kind: 'p' | 'w'
  caller: Caller
  /** The token as it was sent. */
  token: string
  /** The refusal to throw when the object does not let this caller in: 401, 403 for a live token of another scope, 429 for one that is too fast. */
  refused: (answer: Unauthorized) => OAuthError
}

const ALGS = `algs="${DPOP_ALGS.join(' ')}"`

/**
 * Reads the Authorization header of a request to an API that demands `scope`. Throws OAuthError: 401 without a code in the challenge if
 * there are no credentials (RFC 6750 3.1), 401 `invalid_token` for what this server never made, 401 for a bad DPoP proof. Does NOT know
 * whether the token is alive nor what it is good for.
 */
export async function presentedToken(c: AppContext, scope: ApiScope): Promise<Presented> {
  const presented = await presentedIn(callOf(c), scope)
  const refused = (answer: Unauthorized): OAuthError => {
    noteClient(c, answer)
    return presented.refused(answer)
  }
  return { ...presented, refused }
}

/**
 * As `presentedToken`, of a caller whom the owner's object has recognized: before work is done for it that comes before the object's own
 * answer (hashing, sealing, verifying). The proof is not spent by it; the object decides about the request itself.
 */
export async function recognizedToken(c: AppContext, scope: ApiScope, pace: 'change' | 'question'): Promise<Presented> {
  const presented = await presentedToken(c, scope)
  await recognize(c, presented, scope, pace)
  return presented
}

/** As `recognizedToken`, of what was presented for an API that takes tokens of several scopes. */
export async function recognize(c: AppContext, presented: Presented, scope: ApiScope, pace: 'change' | 'question'): Promise<void> {
  const known = await ownerObject(c.env, presented.owner).recognizes(presented.caller, { scope, pace, now: seconds(c.var.deps) })
  if (known.kind === 'unauthorized') throw presented.refused(known)
  noteClient(c, known)
}

/** As `presentedToken`. */
export async function presentedIn({ request, deps }: Call, scope: ApiScope): Promise<Presented> {
  const header = request.headers.get('authorization')
  if (header === null) {
    // RFC 6750 3: a challenge has at least one parameter.
    const challenge = `Bearer realm="${scope}", DPoP ${ALGS}`
    throw new OAuthError('invalid_token', 'send an access token in the Authorization header', {
      status: 401,
      headers: { 'WWW-Authenticate': challenge },
    })
  }
  const match = /^(Bearer|DPoP) +([\w.~+/-]+=*)$/i.exec(header)
  if (match === null) throw invalidToken('Bearer')
  const scheme: Scheme = (match[1] as string).toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer'
  const text = match[2] as string
  const token = await readToken(deps.keyring, text)
  // A requesting party token is for resource servers, a refresh token for the token endpoint.
  if (token === undefined || (token.kind !== 'p' && token.kind !== 'w')) throw invalidToken(scheme)
  const refused = ({ isAlive, wait }: Unauthorized) =>
    wait !== undefined ? tooManyCalls(wait) : isAlive ? insufficientScope(scheme, scope) : invalidToken(scheme)
  if (scheme === 'Bearer') return { owner: token.owner, kind: token.kind, caller: { hash: token.hash }, token: text, refused }
  const proof = await verifyDpop({
    header: request.headers.get('dpop'),
    method: request.method,
    url: `${deps.issuer}${new URL(request.url).pathname}`,
    accessToken: text,
    now: seconds(deps),
  })
  if (proof.kind !== 'ok') {
    const challenge = `DPoP error="invalid_dpop_proof", ${ALGS}`
    throw new OAuthError('invalid_dpop_proof', 'send a fresh DPoP proof for this request and this token', {
      status: 401,
      headers: { 'WWW-Authenticate': challenge },
    })
  }
  return {
    owner: token.owner,
    kind: token.kind,
    caller: { hash: token.hash, proof: { jkt: proof.jkt, jti: proof.jti, iat: proof.iat } },
    token: text,
    refused,
  }
}

/** For the log: the client whose token an object has accepted, as the object names it. */
export function noteClient(c: AppContext, answer: { client_id?: string }): void {
  if (answer.client_id !== undefined) c.set('client', answer.client_id)
}

/** 401 `invalid_token` (RFC 6750 3.1): expired, revoked, of another kind, or without the proof it is bound to. */
export function invalidToken(scheme: Scheme = 'Bearer'): OAuthError {
  return new OAuthError('invalid_token', 'the access token is not valid here; get a new one', {
    status: 401,
    headers: { 'WWW-Authenticate': `${scheme} error="invalid_token"${scheme === 'DPoP' ? `, ${ALGS}` : ''}` },
  })
}

/** 403 `insufficient_scope` (RFC 6750 3.1): a live token that is good for something else. */
function insufficientScope(scheme: Scheme, scope: ApiScope): OAuthError {
  return new OAuthError('insufficient_scope', `this needs an access token with the scope ${scope}`, {
    status: 403,
    headers: { 'WWW-Authenticate': `${scheme} error="insufficient_scope", scope="${scope}"` },
  })
}

/** 503 `temporarily_unavailable`: the record cannot be written now; nothing has changed. */
export const unavailable = (): OAuthError =>
  new OAuthError('temporarily_unavailable', 'the change could not be stored; nothing was changed, try again', {
    status: 503,
    headers: { 'Retry-After': '2' },
  })

// Access tokens of the protection API and the owner API, as Bearer (RFC 6750) or DPoP (RFC 9449): which owner's object to ask, and
// what to show it. Whether the token is good is the object's answer; the errors for a bad one are here.
import type { Caller } from '../objects/owner-tokens.ts'
import { verifyDpop } from '../tokens/dpop.ts'
import { readToken, type TokenKind } from '../tokens/opaque.ts'
import { type AppContext, seconds } from './context.ts'
import { OAuthError } from './errors.ts'

export type Presented = { owner: string; caller: Caller }

/**
 * Reads the Authorization header. Throws OAuthError: 401 without a code if there are no credentials (RFC 6750 3.1), 401
 * `invalid_token` for what this server never made, 400/401 for a bad DPoP proof. Does NOT know whether the token is alive.
 */
export async function presentedToken(c: AppContext, kind: TokenKind): Promise<Presented> {
  const { deps } = c.var
  const header = c.req.header('authorization')
  if (header === undefined) {
    throw new OAuthError('invalid_token', 'send an access token in the Authorization header', { status: 401, headers: { 'WWW-Authenticate': 'Bearer, DPoP algs="ES256 EdDSA"' } })
  }
  const match = /^(Bearer|DPoP) +([\w.~+/-]+=*)$/i.exec(header)
  if (match === null) throw invalidToken('Bearer')
  const scheme = (match[1] as string).toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer'
  const text = match[2] as string
  const token = await readToken(deps.keyring, text)
  if (token === undefined || token.kind !== kind) throw invalidToken(scheme)
  if (scheme === 'Bearer') return { owner: token.owner, caller: { hash: token.hash } }
  const proof = await verifyDpop({
    header: c.req.header('dpop'),
    method: c.req.method,
    url: `${deps.issuer}${new URL(c.req.url).pathname}`,
    accessToken: text,
    now: seconds(deps),
  })
  if (proof.kind !== 'ok') {
    throw new OAuthError('invalid_dpop_proof', 'send a fresh DPoP proof for this request and this token', { status: 401, headers: { 'WWW-Authenticate': 'DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"' } })
  }
  return { owner: token.owner, caller: { hash: token.hash, proof: { jkt: proof.jkt, jti: proof.jti, iat: proof.iat } } }
}

/** 401 `invalid_token` (RFC 6750 3.1): expired, revoked, of another kind, or without the proof it is bound to. */
export function invalidToken(scheme: 'Bearer' | 'DPoP' = 'Bearer'): OAuthError {
  return new OAuthError('invalid_token', 'the access token is not valid here; get a new one', {
    status: 401,
    headers: { 'WWW-Authenticate': `${scheme} error="invalid_token"` },
  })
}

/** 503 `temporarily_unavailable`: the record cannot be written now; nothing has changed. */
export const unavailable = (): OAuthError =>
  new OAuthError('temporarily_unavailable', 'the change could not be stored; nothing was changed, try again', { status: 503, headers: { 'Retry-After': '2' } })

// A JWT that an issuer made for one ticket of this server (SPECS X-COR-1, Correlated Authorization): it names this server, the hash of the
// ticket, and possibly the key of the client that may show it. Whoever finds it can do nothing with it.
import { JWT_FORMAT } from '../../shared/protocol/uma-grant.ts'
import { evidenceIn } from './issuer-evidence.ts'
import { verifyIssuerToken } from './issuer-jwt.ts'
import { isObject } from './jws.ts'
import { sha256 } from './keys.ts'
import type { ClaimTokenVerdict, PushedClaim, VerifierKeys } from './pushed.ts'

/** SPECS X-COR-1: seconds from making to end, and so its greatest age. */
const MAX_LIFETIME = 300
const MAX_JTI = 256

/** What such a token shows. Its `jti`, if it has one, is used up by it (CT-07): last, so that nobody else can use it up. */
export async function verifyTicketBoundJwt(keyring: VerifierKeys, claim: PushedClaim): Promise<ClaimTokenVerdict> {
  const hash = await sha256(claim.ticket)
  const token = await verifyIssuerToken({
    token: claim.token,
    format: JWT_FORMAT,
    now: claim.now,
    maxAge: MAX_LIFETIME,
    issuerOf: claim.issuerOf,
    check: (payload) => checkBinding(payload, hash, claim),
  })
  if (typeof token === 'string') return { kind: 'rejected', reason: `jwt:${token}` }
  const evidence = await evidenceIn(keyring, { ...token, payload: withAddress(token.payload) }, 'jwt')
  if (evidence.length === 0) return { kind: 'rejected', reason: 'jwt:claims' }
  const { jti } = token.payload
  const isFresh = jti === undefined || (await claim.takeOnce({ issuer: token.issuer.issuer, jti: String(jti), exp: token.exp }))
  return isFresh ? { kind: 'evidence', evidence } : { kind: 'rejected', reason: 'jwt:jti' }
}

function checkBinding(payload: Record<string, unknown>, ticketHash: string, claim: PushedClaim): string | undefined {
  const { aud, iat, exp, tkt_hash, cnf, jti } = payload
  // This server and nobody else; a list could name two places at once.
  if (aud !== claim.issuer) return 'aud'
  if (Number(exp) - Number(iat) > MAX_LIFETIME) return 'lifetime'
  // > hash equals the hash of the ticket presented in the same request (SPECS X-COR-1); it changes with each ticket (X-COR-2).
  if (tkt_hash !== ticketHash) return 'tkt_hash'
  if (jti !== undefined && (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI)) return 'jti'
  if (cnf === undefined) return undefined
  // RFC 9449 6.1: only whoever has proved this key with the same request.
  return isObject(cnf) && Object.keys(cnf).length === 1 && claim.jkt !== undefined && cnf.jkt === claim.jkt ? undefined : 'cnf'
}

/** SPECS X-COR-1: the address may be the subject itself. */
const withAddress = (payload: Record<string, unknown>): Record<string, unknown> =>
  payload.email === undefined && typeof payload.sub === 'string' && payload.sub.includes('@') ? { ...payload, email: payload.sub } : payload

// ID tokens as claim tokens (UMA Grant 3.3.1, 5.7; OpenID Connect Core 3.1.3.7). Made for the client and not for this server: it counts only
// if whoever registered the issuer approved under which ids the issuer knows this very client. Anybody else's is somebody's stolen token.
import { ID_TOKEN_FORMAT } from '../../shared/protocol/uma-grant.ts'
import { audiencesOf, type ClaimIssuer } from './issuer.ts'
import { evidenceIn } from './issuer-evidence.ts'
import { verifyIssuerToken } from './issuer-jwt.ts'
import type { ClaimTokenVerdict, PushedClaim, VerifierKeys } from './pushed.ts'

/** Seconds after which the sign-in that it tells of is over (CLAIMS 11 #19). */
const MAX_AGE = 600

/** What an ID token shows that a client of this server pushes. Does NOT remember it: the same client may show it again while it is fresh. */
export async function verifyIdToken(keyring: VerifierKeys, claim: PushedClaim): Promise<ClaimTokenVerdict> {
  const token = await verifyIssuerToken({
    token: claim.token,
    format: ID_TOKEN_FORMAT,
    now: claim.now,
    maxAge: MAX_AGE,
    issuerOf: claim.issuerOf,
    check: (payload, issuer) => checkAudience(payload, issuer, claim),
  })
  if (typeof token === 'string') return { kind: 'rejected', reason: `id_token:${token}` }
  const evidence = await evidenceIn(keyring, token, 'id-token')
  return evidence.length === 0 ? { kind: 'rejected', reason: 'id_token:claims' } : { kind: 'evidence', evidence }
}

// OpenID Connect Core 3.1.3.7, 3 to 5; CT-05
function checkAudience(payload: Record<string, unknown>, issuer: ClaimIssuer, claim: PushedClaim): string | undefined {
  const { aud, azp, sub } = payload
  if (typeof sub !== 'string' || sub === '') return 'sub'
  // A logout token says so here (OpenID Connect Back-Channel Logout 2.4).
  if (payload.events !== undefined) return 'events'
  const approved = audiencesOf(issuer, claim.client)
  const named: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!named.some((one) => typeof one === 'string' && approved.includes(one))) return 'aud'
  // > [...] rejected if the ID Token [...] contains additional audiences not trusted by the Client. (3.1.3.7)
  if (!named.every((one) => typeof one === 'string' && (approved.includes(one) || one === claim.issuer))) return 'aud'
  if (azp === undefined) return named.length > 1 ? 'azp' : undefined
  return typeof azp === 'string' && approved.includes(azp) ? undefined : 'azp'
}

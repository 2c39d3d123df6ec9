// Pushed claim tokens (UMA Grant 3.3.1): one table from claim_token_format to verifier. A new format is a new file and a row here.
import { base64url } from 'jose'
import { DC_SD_JWT } from '../../shared/protocol/wallet.ts'
import type { Evidence } from '../policy/evidence.ts'
import { emailEvidence, ownIssuer } from './email-credential.ts'
import { type Hashing, type Published, sha256 } from './keys.ts'
import { verifyPresentation } from './sd-jwt.ts'

export type ClaimTokenVerdict = { kind: 'evidence'; evidence: Evidence } | { kind: 'rejected'; reason: string }

export type PushedClaim = {
  /** As sent. */
  token: string
  /** The ticket of the same request, as sent. */
  ticket: string
  issuer: string
  /** Seconds since 1970. */
  now: number
}

type Verifier = (keyring: Hashing & Published, claim: PushedClaim) => Promise<ClaimTokenVerdict>

const verifiers: ReadonlyMap<string, Verifier> = new Map([[DC_SD_JWT, verifySdJwt]])

/** Formats that a client may push, for `required_claims` and the metadata document. */
export const CLAIM_TOKEN_FORMATS: readonly string[] = [...verifiers.keys()]

/**
 * What a pushed claim token shows. `rejected` for a format that is not in the table and for every proof that does not hold: both lead to
 * `need_info` (UMA Grant 3.3.6), and the reason goes to nobody but the owner's activity. Never throws.
 */
export async function verifyClaimToken(keyring: Hashing & Published, claim: PushedClaim & { format: string }): Promise<ClaimTokenVerdict> {
  const verifier = verifiers.get(claim.format)
  return verifier === undefined ? { kind: 'rejected', reason: 'format' } : verifier(keyring, claim)
}

async function verifySdJwt(keyring: Hashing & Published, claim: PushedClaim): Promise<ClaimTokenVerdict> {
  const verdict = await verifyPresentation(unwrap(claim.token), {
    aud: claim.issuer,
    // Made for this ticket and no other: whoever sees the proof can do nothing with it (UMA Grant 5.7, CT-08).
    nonce: await sha256(claim.ticket),
    now: claim.now,
    keyOf: ownIssuer(keyring, claim.issuer),
  })
  if (verdict.kind === 'rejected') return verdict
  const found = await emailEvidence(keyring, verdict.presentation)
  return found.kind === 'rejected' ? found : { kind: 'evidence', evidence: found.evidence }
}

// Choice: the token as it is, or wrapped once more in base64url (as UMA Grant 3.3.1 shows it) or in base64 (as clients in the field send
// it, CLAIMS 4). An SD-JWT holds "." and "~", which neither alphabet has.
function unwrap(token: string): string {
  if (!/^[\w+/-]+={0,2}$/.test(token)) return token
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(
      base64url.decode(token.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')),
    )
  } catch {
    return token // no wrapping; the verifier says what it is
  }
}

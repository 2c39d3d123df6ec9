// Pushed claim tokens (UMA Grant 3.3.1): one table from claim_token_format to verifier. A new format is a new file and a row here.
import { ID_TOKEN_FORMAT, JWT_FORMAT } from '../../shared/protocol/uma-grant.ts'
import { DC_SD_JWT } from '../../shared/protocol/wallet.ts'
import { verifyIdToken } from './id-token.ts'
import { type ClaimTokenVerdict, type PushedClaim, unwrap, type Verifier, type VerifierKeys } from './pushed.ts'
import { verifySdJwt } from './pushed-sd-jwt.ts'
import { verifyTicketBoundJwt } from './ticket-bound-jwt.ts'

const verifiers: ReadonlyMap<string, Verifier> = new Map<string, Verifier>([
  [DC_SD_JWT, verifySdJwt],
  [ID_TOKEN_FORMAT, verifyIdToken],
  [JWT_FORMAT, verifyTicketBoundJwt],
])

/** Formats that a client may push, for the metadata document. */
export const CLAIM_TOKEN_FORMATS: readonly string[] = [...verifiers.keys()]

/**
 * What a pushed claim token shows. `rejected` for a format that is not in the table and for every proof that does not hold: both lead to
 * `need_info` (UMA Grant 3.3.6), and nobody is told the reason. Rejects only if the surroundings do not answer.
 */
export async function verifyClaimToken(keyring: VerifierKeys, claim: PushedClaim & { format: string }): Promise<ClaimTokenVerdict> {
  const verifier = verifiers.get(claim.format)
  return verifier === undefined ? { kind: 'rejected', reason: 'format' } : verifier(keyring, { ...claim, token: unwrap(claim.token) })
}

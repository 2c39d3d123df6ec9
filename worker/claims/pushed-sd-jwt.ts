// This server's own e-mail credential as a claim token: SD-JWT with key binding to this server and this ticket (DESIGN decision 3).
import { emailEvidence, ownIssuer } from './email-credential.ts'
import { sha256 } from './keys.ts'
import type { ClaimTokenVerdict, PushedClaim, VerifierKeys } from './pushed.ts'
import { verifyPresentation } from './sd-jwt.ts'

export async function verifySdJwt(keyring: VerifierKeys, claim: PushedClaim): Promise<ClaimTokenVerdict> {
  const verdict = await verifyPresentation(claim.token, {
    aud: claim.issuer,
    // Made for this ticket and no other: whoever sees the proof can do nothing with it (UMA Grant 5.7, CT-08).
    nonce: await sha256(claim.ticket),
    now: claim.now,
    keyOf: ownIssuer(keyring, claim.issuer),
  })
  if (verdict.kind === 'rejected') return verdict
  const found = await emailEvidence(keyring, verdict.presentation)
  return found.kind === 'rejected' ? found : { kind: 'evidence', evidence: [found.evidence] }
}

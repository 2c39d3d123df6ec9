// Somebody who is not here: what would be shown now, made into what rules are judged by on the same way as what is shown (for-owner.ts,
// owner-facts.ts), so that a question is answered as the token endpoint would answer the same evidence.
import type { Evidence, OwnerEvidence } from '../policy/evidence.ts'
import { forOwner } from './for-owner.ts'
import { evidenceOf, WORD_LIFETIME } from './issuer-evidence.ts'
import type { Hashing } from './keys.ts'

/** What somebody would show of one claim. `iss`: who would vouch for it; `trust`: by whose registration, none for this server itself. */
export type SupposedClaim = { claim: string; said: unknown; iss: string; trust?: string }
/** Whose rules would judge it: the owner's and those of the organisations that she has joined. `now`: seconds since 1970. */
export type JudgedBy = { owner: string; organisations: readonly string[]; now: number }

/** As evidence, shown at this moment. What cannot be a value of its claim is left out: nobody can show it. */
export async function supposedEvidence(keyring: Hashing, claims: readonly SupposedClaim[], by: JudgedBy): Promise<OwnerEvidence[]> {
  const { owner, organisations, now } = by
  const times = { controlled_at: now, presented_at: now, exp: now + WORD_LIFETIME }
  const evidence = await Promise.all(
    claims.map(
      ({ claim, said, iss, trust }): Promise<Evidence[]> =>
        evidenceOf(keyring, claim, said, { iss, ...(trust === undefined ? {} : { trust }), method: 'supposed', ...times }),
    ),
  )
  return forOwner(keyring, owner, evidence.flat(), organisations)
}

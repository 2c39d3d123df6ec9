// Missing facts -> the `required_claims` of a need_info answer (UMA Grant 3.3.6). Says the type of a claim, never whose. Pure.
import type { Need } from './value.ts'

export type RequiredClaim = { name: string; friendly_name: string; claim_type: string; claim_token_format: string[] }

/** One entry a claim, in a fixed order; only formats that a client can push are named. */
export function requiredClaims(needs: readonly Need[]): RequiredClaim[] {
  const claims = new Set(needs.flatMap((need) => (need.kind === 'claim' ? [need.claim] : [])))
  return [...claims].sort().flatMap((claim) => CLAIMS[claim] ?? [])
}

const CLAIMS: Readonly<Record<string, RequiredClaim>> = {
  email: {
    name: 'email',
    friendly_name: 'E-mail address',
    claim_type: 'urn:oid:0.9.2342.19200300.100.1.3',
    claim_token_format: ['dc+sd-jwt'],
  },
}

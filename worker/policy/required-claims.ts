// Missing facts -> the `required_claims` of a need_info answer (UMA Grant 3.3.6). Says the type of a claim, never whose. Pure.

export type RequiredClaim = {
  name: string
  friendly_name: string
  claim_type?: string
  claim_token_format?: string[]
  /** Who may vouch, where the rule says so. */
  issuer?: string[]
}

/** A need of the engine; one without a claim is none that a client could satisfy by pushing. */
type Wanted = { kind?: string; claim?: string; iss?: readonly string[] }
/** How a claim is named on the wire (worker/claims/types.ts). */
type Described = { friendly_name: string; claim_type?: string; formats: readonly string[] }

/** One entry a claim and set of issuers, in a fixed order; only formats that a client can push are named. */
export function requiredClaims(needs: readonly Wanted[], describe: (claim: string) => Described): RequiredClaim[] {
  const entries = new Map<string, { claim: string; iss: string[] }>()
  for (const { claim, iss = [] } of needs) {
    if (claim === undefined) continue
    const wanted = { claim, iss: [...new Set(iss)].sort() }
    entries.set(JSON.stringify(wanted), wanted)
  }
  const all = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, wanted]) => wanted)
  // The same claim from anybody is there as soon as it is there from one of those who are named.
  const needed = all.filter((one) => one.iss.length > 0 || !all.some((other) => other.claim === one.claim && other.iss.length > 0))
  return needed.map(({ claim, iss }) => {
    const { friendly_name, claim_type, formats } = describe(claim)
    return {
      name: claim,
      friendly_name,
      ...(claim_type === undefined ? {} : { claim_type }),
      ...(formats.length === 0 ? {} : { claim_token_format: [...formats] }),
      ...(iss.length === 0 ? {} : { issuer: iss }),
    }
  })
}

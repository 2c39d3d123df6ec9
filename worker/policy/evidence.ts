// What a requesting party has shown, once verified: the only input of the policy engine besides rules and time.
// Pure data. Values are keyed hashes; no readable address enters the engine. It is sealed into tickets: members are only ever added.

export type Evidence = {
  /** `email`, `acr`, `country`, ... (worker/claims/types.ts). */
  claim: string
  /** Claim value MAC (CLAIMS 5.6), the same at every owner; becomes a policy MAC before it meets rules. */
  value: string
  /** MAC of the domain of an e-mail address, likewise. */
  domain?: string
  /** Of ordered claims, and of claims that are sets: short labels, plain. */
  level?: number
  holds?: readonly string[]
  /** Who vouches. For our own codes and credentials: this server's issuer. */
  iss: string
  /** The registration of that issuer on which it rests, `operator` or one of the owner's; absent for this server itself. */
  trust?: string
  /** How it was shown now: `email-code`, `dc+sd-jwt`, `pct` (remembered with leave), `id-token`, `jwt`, `sign-in` (the owner herself). */
  method: string
  /** Seconds since 1970: when it was proved to whoever vouches, when the holder was last present, when it stops counting. */
  controlled_at: number
  presented_at: number
  exp: number
}

/** Evidence with the MACs that one owner's rules know it by; `also`: those by which rules of organisations know it that the owner has joined. */
export type OwnerEvidence = Evidence & {
  policy_mac: string
  policy_domain?: string
  also?: readonly OthersMacs[]
  /** Of an address: name of the guest's own object, which is told that the owner relies on the guest. */
  guest?: string
  /** Not shown now, but for the RPT that was sent along. */
  kept?: true
}

/** `names`: the organisation whose MACs they are; evidence of grants of before does not say. */
export type OthersMacs = { names?: string; mac: string; domain?: string }

/** Claims that say who somebody is; all others say what. */
export const IDENTIFYING: readonly string[] = ['email', 'sub']

// What a requesting party has shown, once verified: the only input of the policy engine besides rules and time.
// Pure data. Values are keyed hashes; no readable address enters the engine.

export type Evidence = {
  claim: 'email'
  /** Claim value MAC (CLAIMS 5.6), the same at every owner; becomes a policy MAC before it meets rules. */
  value: string
  /** Who vouches. For our own codes and credentials: this server's issuer. */
  iss: string
  /** How it was shown now. */
  method: 'email-code' | 'dc+sd-jwt' | 'pct'
  /** Seconds since 1970: when control of the mailbox was shown, when the holder was last present, when it stops counting. */
  controlled_at: number
  presented_at: number
  exp: number
}

// What travels sealed between offer, token endpoint and credential endpoint (OpenID4VCI 1.0). Nothing of it is stored; the negotiation's
// object only remembers which offers are still untaken.

export const PRE_AUTHORIZED_CODE = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
/** Seconds (CLAIMS 8). */
export const OFFER_LIFETIME = 120
export const CREDENTIAL_TOKEN_LIFETIME = 120

/** Sealed as `offer`: the pre-authorized code. */
export type Offer = {
  /** Canonical, proved. */
  email: string
  controlled_at: number
  /** Id of the negotiation object that remembers `jti`. */
  negotiation: string
  jti: string
  exp: number
  /** The app for which the address was proved, for the log (SPECS S0-2); it learns nothing of it. */
  client_id?: string
}

/** Sealed as `credential-token`: the access token of the credential endpoint, bound to a key (RFC 9449). */
export type CredentialToken = Pick<Offer, 'email' | 'controlled_at' | 'jti' | 'exp' | 'client_id'> & { jkt: string }

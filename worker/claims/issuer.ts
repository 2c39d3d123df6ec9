// Who may vouch besides this server: issuers that the owner or the operator registered (CLAIMS 9, SPECS X-TC-1), as verifiers see them.
// Where they are kept and how their keys are fetched is the caller's affair.
import type { JWK } from 'jose'

export type ClaimIssuer = {
  /** To the letter as in its tokens' `iss`. */
  issuer: string
  /** Formats in which it is heard, and claims about which. */
  formats: readonly string[]
  claims: readonly string[]
  /** Mail domains for whose addresses its word counts; absent: any. */
  emailDomains?: readonly string[]
  /** Approved audiences (UMA Grant 5.7): a client of this server -> the ids under which the issuer knows it. */
  audiences: Readonly<Record<string, readonly string[]>>
  /** Who registered it: `operator`, or the id of the owner's registration. */
  trust: string
  /** Its keys that fit a signature with this header. `again`: what is remembered of them did not do. */
  keys: (header: { alg: string; kid?: string }, again: boolean) => Promise<JWK[]>
}

/** The ids under which an issuer knows a client of this server; none if nobody said so. */
export const audiencesOf = (issuer: ClaimIssuer, clientId: string): readonly string[] =>
  Object.hasOwn(issuer.audiences, clientId) ? (issuer.audiences[clientId] ?? []) : []

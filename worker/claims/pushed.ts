// A claim token as a client pushes it (UMA Grant 3.3.1), with what its verifier may ask of the surroundings.
import { base64url } from 'jose'
import type { Evidence } from '../policy/evidence.ts'
import type { ClaimIssuer } from './issuer.ts'
import type { Hashing, Published } from './keys.ts'

export type ClaimTokenVerdict = { kind: 'evidence'; evidence: Evidence[] } | { kind: 'rejected'; reason: string }

export type PushedClaim = {
  /** Without the wrapping that some clients put around it (`unwrap`). */
  token: string
  /** The ticket of the same request, as sent. */
  ticket: string
  /** This server. */
  issuer: string
  /** The client that pushes, and the key that it has proved with the same request (RFC 9449). */
  client: string
  jkt?: string
  /** Seconds since 1970. */
  now: number
  /** An issuer that the owner concerned or the operator registered. */
  issuerOf: (iss: string) => Promise<ClaimIssuer | undefined>
  /** True the first time that this issuer's `jti` is shown. `exp` in seconds. */
  takeOnce: (token: { issuer: string; jti: string; exp: number }) => Promise<boolean>
}

export type VerifierKeys = Hashing & Published
/** Never throws for what is in the token; rejects only if the surroundings do not answer. */
export type Verifier = (keyring: VerifierKeys, claim: PushedClaim) => Promise<ClaimTokenVerdict>

// Choice: the token as it is, or wrapped once more in base64url (as UMA Grant 3.3.1 shows it) or in base64 (as clients in the field send
// it, CLAIMS 4). A JWT holds "." and an SD-JWT "~", too, which neither alphabet has.
export function unwrap(token: string): string {
  if (!/^[\w+/-]+={0,2}$/.test(token)) return token
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(
      base64url.decode(token.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')),
    )
  } catch {
    return token // no wrapping; the verifier says what it is
  }
}

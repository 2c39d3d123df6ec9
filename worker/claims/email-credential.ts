// The e-mail credential: what this server issues to a holder after a proof of mailbox control, and what it reads from one that comes back.
// Unlinkable as far as that goes: one key and one set of salts each, times rounded, no serial number, no status (CLAIMS 6, 8).
import { base64url, CompactSign, type JWK } from 'jose'
import { DC_SD_JWT, emailVct } from '../../shared/protocol/wallet.ts'
import type { Evidence } from '../policy/evidence.ts'
import { canonicalAddress, claimValue, domainOf } from './address.ts'
import { isObject } from './jws.ts'
import { type Hashing, type Published, randomSecret, type Signing, sha256 } from './keys.ts'
import type { Presentation } from './sd-jwt.ts'
import { domainValue } from './types.ts'

const DAY = 86_400
const HOUR = 3600
/** Life of a credential in seconds. */
export const CREDENTIAL_LIFETIME = 30 * DAY

const encoder = new TextEncoder()

/**
 * One credential per holder key, as `<jwt>~<email>~<email_domain>~<email_verified>~`. `email` must be canonical and proved;
 * `controlledAt` and `now` in seconds. Keys must have been checked (public, proof of possession).
 */
export async function issueEmailCredential(
  keyring: Signing,
  input: { issuer: string; email: string; controlledAt: number; holder: JWK; now: number },
): Promise<string> {
  const disclosures = Object.entries({ email: input.email, email_domain: domainOf(input.email), email_verified: true }).map(
    ([name, value]) => base64url.encode(JSON.stringify([randomSecret(16), name, value])),
  )
  const today = Math.floor(input.now / DAY) * DAY
  const payload = {
    iss: input.issuer,
    iat: today,
    exp: today + CREDENTIAL_LIFETIME,
    vct: emailVct(input.issuer),
    cnf: { jwk: publicHalf(input.holder) },
    // Sorted: their order tells nothing (RFC 9901 4.2.4.1).
    _sd: (await Promise.all(disclosures.map(sha256))).toSorted(),
    _sd_alg: 'sha-256',
    // The rule engine must see how and when the mailbox was proved; rounded down, so that it counts at most as long as the proof itself.
    verification: { method: 'email-code', controlled_at: Math.floor(input.controlledAt / HOUR) * HOUR },
  }
  const jwt = await new CompactSign(encoder.encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ: DC_SD_JWT, kid: keyring.signing.kid })
    .sign(keyring.signing.privateKey)
  return `${jwt}~${disclosures.join('~')}~`
}

/** The issuers that are believed: this server, by its published keys (CLAIMS 9 `self`). */
export const ownIssuer =
  (keyring: Published, issuer: string) =>
  (iss: string, kid: string | undefined, alg: string): JWK | undefined | Promise<JWK | undefined> =>
    iss === issuer && kid !== undefined && alg === 'ES256' ? keyring.publicJwk(kid) : undefined

/**
 * What a verified presentation of our own e-mail credential shows; `rejected` if it is another credential, discloses no address, or a
 * credential that says nothing about how the address was proved. `address` is canonical.
 */
export async function emailEvidence(
  keyring: Hashing,
  presentation: Presentation,
): Promise<{ kind: 'evidence'; evidence: Evidence; address: string } | { kind: 'rejected'; reason: string }> {
  const { claims, iss } = presentation
  if (claims.vct !== emailVct(iss)) return { kind: 'rejected', reason: 'vct' }
  if (claims.email_verified === false) return { kind: 'rejected', reason: 'not_verified' }
  const address = typeof claims.email === 'string' ? canonicalAddress(claims.email) : undefined
  if (address === undefined) return { kind: 'rejected', reason: 'email' }
  const controlledAt = isObject(claims.verification) ? claims.verification.controlled_at : undefined
  if (typeof controlledAt !== 'number') return { kind: 'rejected', reason: 'verification' }
  const evidence: Evidence = {
    claim: 'email',
    value: await claimValue(keyring, address),
    domain: await domainValue(keyring, domainOf(address)),
    iss,
    method: 'dc+sd-jwt',
    controlled_at: controlledAt,
    presented_at: presentation.presentedAt,
    exp: presentation.exp,
  }
  return { kind: 'evidence', evidence, address }
}

const publicHalf = ({ kty, crv, x, y }: JWK): JWK => ({ kty, crv, x, ...(y === undefined ? {} : { y }) }) as JWK

// What a verified token of a registered issuer shows: only claims that this issuer may speak for, each in its canonical form, as keyed hashes.
import type { Evidence } from '../policy/evidence.ts'
import { domainOf } from './address.ts'
import type { IssuerToken } from './issuer-jwt.ts'
import type { Hashing } from './keys.ts'
import { claimType, claimValueOf, domainValue, readClaim } from './types.ts'

/** Seconds for which the word of an issuer counts after it was shown; whoever wants it fresher says so in a rule (`max_age`). */
export const WORD_LIFETIME = 3600

/** `method`: how it was shown. Empty if the token says nothing that counts. */
export async function evidenceIn(keyring: Hashing, token: IssuerToken, method: string): Promise<Evidence[]> {
  const { issuer, payload, iat } = token
  const base = {
    iss: issuer.issuer,
    trust: issuer.trust,
    method,
    controlled_at: signedInAt(token),
    exp: iat + WORD_LIFETIME,
  }
  const found: Evidence[] = []
  for (const claim of issuer.claims) {
    const said = Object.hasOwn(payload, claim) && (claim !== 'email' || countsAsEmail(token)) ? payload[claim] : undefined
    // RFC 9470 5: how strong a sign-in was is as old as the sign-in, however new the token that tells of it.
    const presented_at = claim === 'acr' ? base.controlled_at : iat
    found.push(...(await evidenceOf(keyring, claim, said, { ...base, presented_at })))
  }
  // Not cut: a registration names sixteen claims at most, and of each a token says four values (types.ts).
  return found
}

/** One claim as somebody says it (`by`), in its canonical form, as keyed hashes; empty if it cannot be a value of this claim. */
export async function evidenceOf(
  keyring: Hashing,
  claim: string,
  said: unknown,
  by: Omit<Evidence, 'claim' | 'value' | 'domain' | 'level' | 'holds'>,
): Promise<Evidence[]> {
  const type = claimType(claim)
  const { values = [], ...rest } = readClaim(type, said) ?? {}
  return Promise.all(
    values.map(async (value) => ({
      claim,
      value: await claimValueOf(keyring, claim, type.perIssuer ? `${by.iss} ${value}` : value),
      ...(claim === 'email' ? { domain: await domainValue(keyring, domainOf(value)) } : {}),
      ...rest,
      ...by,
    })),
  )
}

/** OpenID Connect Core 2: when the person really signed in, if the issuer says so. */
const signedInAt = ({ payload: { auth_time: at }, iat }: IssuerToken): number =>
  typeof at === 'number' && Number.isFinite(at) ? Math.floor(Math.min(at, iat)) : iat

/** An address counts only where the issuer says that it has checked it (CT-09), and only in domains for which its word was taken. */
function countsAsEmail({ issuer, payload }: IssuerToken): boolean {
  // The boolean; the text "true" is what nobody has checked.
  if (payload.email_verified !== true || typeof payload.email !== 'string') return false
  const read = readClaim(claimType('email'), payload.email)
  const { emailDomains } = issuer
  return read !== undefined && (emailDomains === undefined || read.values.every((one) => emailDomains.includes(domainOf(one))))
}

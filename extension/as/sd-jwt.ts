// SD-JWT as the wallet handles it (RFC 9901): take apart what an issuer made, choose what to disclose, bind it to one question with a
// key binding JWT. Only flat objects with `_sd` at the top, since that is all an e-mail credential has; anything else is refused.
import { decodeJwt, type JWTPayload, SignJWT } from 'jose'
import { fromBase64url, sha256Base64url } from '../../shared/base64url.ts'

export type Disclosure = { encoded: string; name: string; value: unknown }
export type SdJwt = { jwt: string; payload: JWTPayload; disclosures: Disclosure[] }

const decode = (encoded: string): unknown => {
  const bytes = fromBase64url(encoded)
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes))
}

const disclosureOf = (encoded: string): Disclosure => {
  const parts = decode(encoded)
  // RFC 9901 4.2.1: salt, claim name, value. Array elements (two parts) do not occur here.
  if (!Array.isArray(parts) || parts.length !== 3 || typeof parts[1] !== 'string')
    throw new Error('a disclosure is not [salt, name, value]')
  return { encoded, name: parts[1], value: parts[2] }
}

/**
 * Takes `<jwt>~<disclosure>~...~` apart. Throws an Error if it is not a credential without key binding, or a disclosure does not belong.
 * The issuer's signature is NOT checked here.
 */
export const parseSdJwt = async (text: string): Promise<SdJwt> => {
  const [jwt = '', ...rest] = text.split('~')
  // RFC 9901 4: without key binding the text ends with a tilde.
  if (rest.pop() !== '') throw new Error('not an SD-JWT without key binding')
  const payload = decodeJwt(jwt)
  if (payload._sd_alg !== undefined && payload._sd_alg !== 'sha-256') throw new Error('_sd_alg is not sha-256')
  const digests = Array.isArray(payload._sd) ? (payload._sd as unknown[]) : []
  const disclosures = rest.map(disclosureOf)
  for (const { encoded, name } of disclosures) {
    if (!digests.includes(await sha256Base64url(encoded))) throw new Error(`disclosure ${name} does not belong to the credential`)
  }
  if (new Set(disclosures.map(({ name }) => name)).size !== disclosures.length) throw new Error('a claim is disclosed twice')
  return { jwt, payload, disclosures }
}

/** What the credential says once the disclosures are taken in. */
export const claimsOf = ({ payload, disclosures }: SdJwt): Record<string, unknown> => ({
  ...payload,
  ...Object.fromEntries(disclosures.map(({ name, value }) => [name, value])),
})

export type Question = { aud: string; nonce: string; transaction_data_hashes: string[] }

/**
 * RFC 9901 4.3, OpenID4VP 1.0 B.3.6: the presentation that answers one question, disclosing the named claims and no others.
 * @param names claims to disclose; one that the credential does not have throws an Error
 */
export const present = async (
  sdJwt: SdJwt,
  names: readonly string[],
  holderKey: CryptoKey,
  question: Question,
  now: number,
): Promise<string> => {
  const chosen = names.map((name) => {
    const found = sdJwt.disclosures.find((disclosure) => disclosure.name === name)
    if (!found) throw new Error(`the credential has no claim ${name}`)
    return found.encoded
  })
  const disclosed = `${[sdJwt.jwt, ...chosen].join('~')}~`
  const keyBinding = await new SignJWT({
    nonce: question.nonce,
    // RFC 9901 4.3.1: hash over everything before the key binding JWT, the last tilde included.
    sd_hash: await sha256Base64url(disclosed),
    transaction_data_hashes: question.transaction_data_hashes,
    transaction_data_hashes_alg: 'sha-256',
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'kb+jwt' })
    .setAudience(question.aud)
    .setIssuedAt(now)
    .sign(holderKey)
  return `${disclosed}${keyBinding}`
}

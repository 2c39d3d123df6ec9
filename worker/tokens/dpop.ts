// DPoP proofs (RFC 9449): is this request made by the holder of a key, and which one? Decides nothing about tokens and keeps no `jti`:
// a request that carries a ticket or a code is spent with it; other endpoints let the one-time object take `jti`.
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, type JWK, jwtVerify } from 'jose'
import { sha256 } from './opaque.ts'

const MAX_PROOF = 8192
/** How old a proof may be, and how far a client's clock may be ahead, in seconds. */
const MAX_AGE = 60
const MAX_AHEAD = 30

/** RFC 9449 5.1, for the metadata document. Ed25519 is the RFC 9864 name of what EdDSA means here. */
export const DPOP_ALGS = ['ES256', 'EdDSA', 'Ed25519']

export type DpopVerdict = { kind: 'ok'; jkt: string; jti: string; iat: number } | { kind: 'absent' } | { kind: 'invalid'; reason: string }

/**
 * RFC 9449 4.3 and 7.2. `header` is the value of the DPoP header, `url` the request's URL, `now` seconds since 1970. With `accessToken`
 * the proof must name it (`ath`). Does NOT check that `jti` is new, nor that `jkt` is the key of the token: the caller does.
 * Never throws.
 */
export async function verifyDpop(input: {
  header: string | null | undefined
  method: string
  url: string
  accessToken?: string
  now: number
}): Promise<DpopVerdict> {
  if (input.header === undefined || input.header === null) return { kind: 'absent' }
  try {
    return await verify(input.header, input)
  } catch {
    return invalid('signature') // jose: malformed, wrong signature, wrong typ or alg, unusable key
  }
}

async function verify(proof: string, input: { method: string; url: string; accessToken?: string; now: number }): Promise<DpopVerdict> {
  // RFC 9449 4.3, 1: not more than one header; several arrive here joined by a comma, which no JWT contains.
  if (proof.length > MAX_PROOF || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(proof)) return invalid('form')
  const { jwk } = decodeProtectedHeader(proof)
  if (!isPublicKey(jwk)) return invalid('jwk')
  const { payload } = await jwtVerify(proof, EmbeddedJWK, {
    typ: 'dpop+jwt',
    algorithms: DPOP_ALGS,
    currentDate: new Date(input.now * 1000),
    clockTolerance: MAX_AHEAD,
  })
  const { jti, iat, htm, htu, ath } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return invalid('jti')
  if (typeof iat !== 'number' || iat < input.now - MAX_AGE || iat > input.now + MAX_AHEAD) return invalid('iat')
  if (htm !== input.method) return invalid('htm')
  if (typeof htu !== 'string' || target(htu) !== target(input.url)) return invalid('htu')
  if (input.accessToken !== undefined && ath !== (await sha256(input.accessToken))) return invalid('ath')
  return { kind: 'ok', jkt: await calculateJwkThumbprint(jwk), jti, iat }
}

const invalid = (reason: string): DpopVerdict => ({ kind: 'invalid', reason })

// RFC 9449 4.2: `jwk` MUST NOT contain a private key; a symmetric one (`k`) is no public key either.
function isPublicKey(jwk: JWK | undefined): jwk is JWK {
  return typeof jwk === 'object' && jwk !== null && (jwk.kty === 'EC' || jwk.kty === 'OKP') && !('d' in jwk) && !('k' in jwk)
}

// RFC 9449 4.3, 9: without query and fragment, after the normalisation of RFC 3986 6.2.2 and 6.2.3, which the URL parser does.
function target(text: string): string | undefined {
  const url = URL.parse(text)
  return url === null ? undefined : `${url.origin}${url.pathname}`
}

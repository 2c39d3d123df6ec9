// Client authentication by a signature (RFC 7523 2.2, 3: private_key_jwt). The audience is the issuer and nothing else, so that an assertion
// made for one server is worth nothing at another (RFC 7523bis 4); each one counts once.
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { type Call, oneTimeObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import type { Params } from '../http/form.ts'
import type { Client } from '../store/clients.ts'
import { sha256 } from '../tokens/opaque.ts'
import { CLIENT_ALGS, keysOf } from './client-keys.ts'

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const MAX_ASSERTION = 16_384
/** Seconds that an assertion may be good for, and that a client's clock may be off. */
const MAX_LIFETIME = 600
const SKEW = 30
/** `client-authentication+jwt` is RFC 7523bis's. A token of another kind must never pass as an assertion (RFC 8725 3.11). */
const TYPES = [undefined, 'JWT', 'client-authentication+jwt']

/** The assertion in a request, if there is one. Throws OAuthError `invalid_request` if it is half of one or too long. */
export function assertionIn(params: Params): string | undefined {
  const [type, assertion] = [params.get('client_assertion_type'), params.get('client_assertion')]
  if (type === undefined && assertion === undefined) return undefined
  if (type !== ASSERTION_TYPE || assertion === undefined)
    throw new OAuthError('invalid_request', `client_assertion comes with client_assertion_type ${ASSERTION_TYPE}`)
  if (assertion.length >= MAX_ASSERTION)
    throw new OAuthError('invalid_request', `client_assertion is longer than ${MAX_ASSERTION} characters`)
  return assertion
}

/** RFC 7523 3: who an assertion says it is of; proves nothing. */
export function subjectOf(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).sub
  } catch {
    return undefined // no JWT
  }
}

/** Whether the client made this assertion, for this server, now, and has not shown it before. Never throws for what is in it. */
export async function isAssertedBy(call: Call, client: Client, assertion: string): Promise<boolean> {
  const { deps } = call
  if (client.metadata.token_endpoint_auth_method !== 'private_key_jwt') return false
  const now = seconds(deps)
  const payload = await verified(call, client, assertion)
  if (payload === undefined) return false
  const { iss, sub, aud, exp, jti } = payload
  if (iss !== client.id || sub !== client.id || aud !== deps.issuer) return false
  if (typeof exp !== 'number' || exp > now + MAX_LIFETIME + SKEW) return false
  if (typeof payload.iat === 'number' && payload.iat > now + SKEW) return false
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return false
  // RFC 7523 3, 7. After everything else: who cannot sign cannot use up a jti.
  const once = oneTimeObject(call.deps.env, await deps.keyring.mac('limit', `assertion\0${client.id}`))
  return once.take({ key: await sha256(jti.toWellFormed()), exp: Math.ceil(exp) + SKEW + 1, now })
}

async function verified(call: Call, client: Client, assertion: string): Promise<JWTPayload | undefined> {
  const { deps } = call
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(assertion)
  } catch {
    return undefined // no JWT
  }
  const { alg, kid, typ } = header
  const wanted = client.metadata.token_endpoint_auth_signing_alg
  if (alg === undefined || !CLIENT_ALGS.includes(alg) || (wanted !== undefined && wanted !== alg)) return undefined
  if (!TYPES.includes(typ) || (kid !== undefined && typeof kid !== 'string')) return undefined
  const options = { algorithms: [alg], currentDate: new Date(deps.now()), clockTolerance: SKEW }
  const tryAll = async (again: boolean): Promise<JWTPayload | undefined> => {
    for (const key of await keysOf(deps, client.metadata, { alg, kid }, again)) {
      try {
        return (await jwtVerify(assertion, key, options)).payload
      } catch {
        // Another key may have made it.
      }
    }
    return undefined
  }
  // RFC 7517 5, OpenID Connect Core 10.1.1: a key that is not there yet is looked for once more where the client keeps its keys.
  return (await tryAll(false)) ?? (client.metadata.jwks_uri === undefined ? undefined : tryAll(true))
}

// Introspection answers as signed statements (RFC 9701), for resource servers that ask for one: what was said to whom can be shown later.
import { SignJWT } from 'jose'
import { type Call, seconds } from '../http/context.ts'
import { apiHeaders } from '../http/headers.ts'

const MEDIA_TYPE = 'application/token-introspection+jwt'
const TYPE = 'token-introspection+jwt'

/** RFC 9701 6, 7. Choice: ES256 also for who did not say; RFC 9701's default, RS256, is not offered. */
export const INTROSPECTION_ALGS: readonly string[] = ['ES256']

/** RFC 9701 4: whether the resource server asks for a signed answer. */
export function wantsJwt(accept: string | null): boolean {
  if (accept === null || !accept.toLowerCase().includes(MEDIA_TYPE)) return false
  const [wanted] = accept
    .toLowerCase()
    .split(',')
    .map((one) => one.split(';').map((part) => part.trim()))
    .filter(([type]) => type === MEDIA_TYPE)
  return wanted !== undefined && !wanted.some((part) => /^q=0(\.0*)?$/.test(part))
}

/** RFC 9701 5: no `sub` and no `exp` of its own, so that it is never taken for an access token. `audience` is the resource server. */
export async function introspectionJwt({ deps }: Call, body: Record<string, unknown>, audience: string): Promise<Response> {
  const { kid, privateKey } = deps.keyring.signing
  const jwt = await new SignJWT({ token_introspection: body })
    .setProtectedHeader({ typ: TYPE, alg: 'ES256', kid })
    .setIssuer(deps.issuer)
    .setAudience(audience)
    .setIssuedAt(seconds(deps))
    .sign(privateKey)
  return new Response(jwt, { headers: apiHeaders({ 'Content-Type': MEDIA_TYPE, 'Cache-Control': 'no-store' }) })
}

// Software statements (RFC 7591 2.3): what an issuer that the operator named says of a program, signed. Its word goes before the client's own,
// and a name that it gave is shown as one that somebody vouches for.
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import * as v from 'valibot'
import { type ClientMetadata, clientMetadata } from '../../shared/protocol/oauth.ts'
import type { Deps } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import type { Client } from '../store/clients.ts'
import { CLIENT_ALGS, keysOf } from './client-keys.ts'

/** Claims about the statement, not about the program (RFC 7519 4.1). */
const ABOUT_ITSELF = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']
/** What no statement decides. */
const OWN = ['client_id', 'client_secret', 'software_statement']
const SKEW = 30

/** SOFTWARE_ISSUERS: JSON, each issuer with the address of its keys or the keys (RFC 7517) themselves. Throws if it is anything else. */
function issuersOf(env: Pick<Env, 'SOFTWARE_ISSUERS'>): Record<string, Pick<ClientMetadata, 'jwks' | 'jwks_uri'>> {
  if ((env.SOFTWARE_ISSUERS ?? '') === '') return {}
  const keys = v.union([v.pipe(v.string(), v.url()), v.looseObject({ keys: v.array(v.record(v.string(), v.unknown())) })])
  const named = v.parse(v.record(v.string(), keys), JSON.parse(env.SOFTWARE_ISSUERS))
  return Object.fromEntries(Object.entries(named).map(([iss, one]) => [iss, typeof one === 'string' ? { jwks_uri: one } : { jwks: one }]))
}

/**
 * What a client asks for, with what its software statement says put over it; as it is if there is none.
 * @throws OAuthError `invalid_software_statement`, or `unapproved_software_statement` if nobody named its issuer (RFC 7591 3.2.2)
 */
export async function withStatement(deps: Deps, asked: ClientMetadata): Promise<ClientMetadata> {
  const statement = asked.software_statement
  if (statement === undefined) return asked
  const said = v.safeParse(clientMetadata, about(await verified(deps, statement)))
  if (!said.success) throw invalid('the software statement says what no client can be')
  // RFC 7591 2.3: the statement's values take precedence. 3.2.1: it is returned as it came.
  return { ...asked, ...said.output, software_statement: statement }
}

/** The issuer, one that the operator still names, whose word the name of a client is. The statement was verified when it came. */
export function voucherOf(env: Pick<Env, 'SOFTWARE_ISSUERS'>, client: Client): string | undefined {
  const { software_statement: statement, client_name: name } = client.metadata
  if (statement === undefined || name === undefined) return undefined
  const { iss, client_name } = decodeJwt(statement)
  return client_name === name && iss !== undefined && Object.hasOwn(issuersOf(env), iss) ? iss : undefined
}

/** Whether somebody whom the operator names vouches for the name of a client. */
export const isVouchedFor = (env: Pick<Env, 'SOFTWARE_ISSUERS'>, client: Client): boolean => voucherOf(env, client) !== undefined

async function verified(deps: Deps, statement: string): Promise<JWTPayload> {
  const { header, iss } = read(statement)
  const { alg, kid, typ } = header
  // RFC 8725 3.1, 3.11
  if (alg === undefined || !CLIENT_ALGS.includes(alg) || (kid !== undefined && typeof kid !== 'string')) throw invalid()
  if (typ !== undefined && typ !== 'JWT' && typ !== 'software-statement+jwt') throw invalid()
  const issuers = issuersOf(deps.env)
  const issuer = Object.hasOwn(issuers, iss) ? issuers[iss] : undefined
  if (issuer === undefined) throw new OAuthError('unapproved_software_statement', 'the issuer of the software statement is not known here')
  const options = { algorithms: [alg], issuer: iss, currentDate: new Date(deps.now()), clockTolerance: SKEW }
  for (const again of issuer.jwks_uri === undefined ? [false] : [false, true]) {
    for (const key of await keysOf(deps, issuer, { alg, kid }, again)) {
      try {
        return (await jwtVerify(statement, key, options)).payload
      } catch {
        // Another key may have made it.
      }
    }
  }
  throw invalid()
}

function read(statement: string): { header: ReturnType<typeof decodeProtectedHeader>; iss: string } {
  try {
    const { iss } = decodeJwt(statement)
    // RFC 7591 2.3: MUST contain an issuer.
    if (typeof iss === 'string') return { header: decodeProtectedHeader(statement), iss }
  } catch {
    // no JWT
  }
  throw invalid()
}

const about = (payload: JWTPayload): Record<string, unknown> =>
  Object.fromEntries(Object.entries(payload).filter(([name]) => !ABOUT_ITSELF.includes(name) && !OWN.includes(name)))

const invalid = (why = 'the software statement is not one, not signed by its issuer, or too old') =>
  new OAuthError('invalid_software_statement', why)

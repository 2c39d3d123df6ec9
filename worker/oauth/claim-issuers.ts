// Registrations of issuers whose word about a requesting party counts (CLAIMS 9, UMA Grant 5.7): what one may say, judged alike for owners and
// operators, and the issuer as verifiers of claim tokens see it.
import type { JWK } from 'jose'
import type { ClaimIssuer, ClaimIssuerRequest } from '../../shared/protocol/owner-api.ts'
import { ID_TOKEN_FORMAT } from '../../shared/protocol/uma-grant.ts'
import { CLAIM_TOKEN_FORMATS } from '../claims/formats.ts'
import type { ClaimIssuer as Vouching } from '../claims/issuer.ts'
import { isObject } from '../claims/jws.ts'
import { canonicalDomain } from '../claims/types.ts'
import { type AppContext, callOf, type Deps } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { callableUrl, guardedJson } from '../http/guarded-fetch.ts'
import { countNetwork } from '../http/network-limits.ts'
import { originsOf } from '../http/public-url.ts'
import type { IssuerColumns } from '../store/claim-issuers.ts'
import { keysOf, publicKeys } from './client-keys.ts'

const refuse = (description: string) => new OAuthError('invalid_request', description)

/** A registration as it is stored. @throws OAuthError `invalid_request`, which names what is wrong, or 429 */
export async function issuerColumns(c: AppContext, asked: ClaimIssuerRequest): Promise<IssuerColumns> {
  const { deps } = c.var
  const { issuer, jwks, formats, claims, email_domains: domains, audiences = {} } = asked
  if (asked.jwks !== undefined && asked.jwks_uri !== undefined) throw refuse('send one of "jwks" and "jwks_uri"')
  if (!canVouch(deps, issuer)) throw refuse('"issuer" must be the https address in the `iss` of its tokens, and of another server')
  if (!formats.every((one) => CLAIM_TOKEN_FORMATS.includes(one))) throw refuse('"formats" names one that this server does not know')
  // UMA Grant 5.7: without them every client of the issuer could push what it got for itself, or stole from another.
  if (formats.includes(ID_TOKEN_FORMAT) && Object.keys(audiences).length === 0)
    throw refuse('ID tokens need "audiences": for each client here the ids under which the issuer knows it')
  const canonical = domains?.map(canonicalDomain)
  if (canonical?.includes(undefined) === true) throw refuse('"email_domains" names something that is no domain')
  // Last: it may make this server ask another one.
  const jwks_uri = jwks === undefined ? (asked.jwks_uri ?? (await publishedKeys(c, issuer))) : undefined
  checkKeys(deps, { ...asked, jwks_uri })
  return {
    issuer,
    jwks_uri: jwks_uri ?? null,
    jwks: jwks === undefined ? null : JSON.stringify(jwks),
    formats: JSON.stringify([...new Set(formats)]),
    claims: JSON.stringify([...new Set(claims)]),
    email_domains: canonical === undefined ? null : JSON.stringify([...new Set(canonical)]),
    audiences: JSON.stringify(audiences),
  }
}

/** OpenID Connect Discovery 4, RFC 8414 3: where the issuer says that its keys are. Asked once: what it says then is kept. */
async function publishedKeys(c: AppContext, issuer: string): Promise<string | undefined> {
  await countNetwork(callOf(c), 'document')
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  // OpenID Connect Discovery 4.3: it must be the issuer's own, to the letter.
  const isGood = (value: unknown) => isObject(value) && value.issuer === issuer && typeof value.jwks_uri === 'string'
  for (const address of [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]) {
    const found = await guardedJson(c.var.deps, address, { isGood })
    if (isObject(found)) return String(found.jwks_uri)
  }
  return undefined
}

function checkKeys(deps: Deps, { jwks, jwks_uri }: { jwks?: unknown; jwks_uri?: string | undefined }): void {
  if (jwks === undefined && jwks_uri === undefined)
    throw refuse('send "jwks_uri" or "jwks": the issuer does not say at its well-known address where its keys are')
  if (jwks_uri !== undefined && callableUrl(deps, jwks_uri) === undefined)
    throw refuse('"jwks_uri" must be a public https address with a port where web servers listen')
  if (jwks !== undefined && publicKeys(jwks) === undefined) throw refuse('"jwks" must hold public keys only')
}

/** OpenID Connect Core 2, RFC 8414 2: https, no query, no fragment. Never this server: what it says of itself goes another way. */
function canVouch(deps: Deps, issuer: string): boolean {
  const url = URL.parse(issuer)
  if (url === null || !/^[\x21-\x7e]+$/.test(issuer) || /[?#\\]/.test(issuer) || url.origin === deps.issuer) return false
  if (url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || originsOf(deps.env.DEV_ORIGINS).includes(url.origin)
}

type Stored = IssuerColumns & { created_at: number }

/** The registration as the owner API shows it. `id` is absent for the operator's. */
export const issuerView = (row: Stored, id?: string): ClaimIssuer => ({
  ...(id === undefined ? {} : { id }),
  by: id === undefined ? 'operator' : 'owner',
  ...(row.formats === '[]' ? { refused: true } : {}),
  issuer: row.issuer,
  ...(row.jwks_uri === null ? {} : { jwks_uri: row.jwks_uri }),
  ...(row.jwks === null ? {} : { jwks: JSON.parse(row.jwks) as Record<string, unknown> }),
  formats: JSON.parse(row.formats) as string[],
  claims: JSON.parse(row.claims) as string[],
  ...(row.email_domains === null ? {} : { email_domains: JSON.parse(row.email_domains) as string[] }),
  audiences: JSON.parse(row.audiences) as Record<string, string[]>,
  created_at: row.created_at,
})

/** The registration as verifiers see it; its keys are fetched through the guard, when they are needed. */
export function vouching(deps: Deps, row: IssuerColumns, trust: string): Vouching {
  const { jwks, jwks_uri } = row
  const where = jwks === null ? { jwks_uri: jwks_uri ?? '' } : { jwks: JSON.parse(jwks) as { keys: Record<string, unknown>[] } }
  return {
    issuer: row.issuer,
    formats: JSON.parse(row.formats) as string[],
    claims: JSON.parse(row.claims) as string[],
    ...(row.email_domains === null ? {} : { emailDomains: JSON.parse(row.email_domains) as string[] }),
    audiences: JSON.parse(row.audiences) as Record<string, string[]>,
    trust,
    // Keys that were given themselves do not change.
    keys: async (header, again): Promise<JWK[]> => (again && jwks !== null ? [] : keysOf(deps, where, header, again)),
  }
}

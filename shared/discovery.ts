// Discovery of an authorization server (UMA Grant 2, UMA FedAuthz 2): fetch `uma2-configuration`, believe it only if it is the issuer's own.
import * as v from 'valibot'
import { readJson } from './limited-body.ts'
import { type UmaMetadata, umaMetadata } from './protocol/uma-federation.ts'
import { UMA_CONFIGURATION_PATH, type UmaClientMetadata, umaClientMetadata } from './protocol/uma-grant.ts'

/** The platform's `fetch` (Fetch 5.4), or a guard around it: all that the kits send goes through what the program hands in. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>

export type Discovery<Metadata> =
  | { kind: 'found'; metadata: Metadata }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'invalid'; reason: string }

const DOCUMENT_LIMIT = 65_536

/**
 * Where the document of `issuer` lies.
 * UMA Grant 2: the well-known path is appended to the issuer, also after a path, unlike RFC 8414 3.
 */
export const umaConfigurationUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}${UMA_CONFIGURATION_PATH}`

/** RFC 8414 2: an issuer has no query and no fragment; plain HTTP is for loopback, which the caller's `fetch` must allow. */
export function isIssuer(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || /[?#]/.test(text) || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || url.protocol === 'http:'
}

/** Endpoints of the document that somebody will contact or send a browser to. */
const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'registration_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'permission_endpoint',
  'resource_registration_endpoint',
  'claims_interaction_endpoint',
] as const

/** An endpoint that is named must be https, or lie at the issuer's own origin (loopback). */
function isEndpoint(value: unknown, origin: string): boolean {
  if (value === undefined) return true
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  return url !== undefined && (url.protocol === 'https:' || url.origin === origin)
}

/**
 * Checks a fetched document. Pure.
 * RFC 8414 3.3: `issuer` must be identical to the issuer that was asked for, byte by byte; else somebody else's server is named.
 * Endpoints must be https, or lie at the issuer's own origin (loopback). It is NOT checked that they belong to the same host.
 */
export function checkMetadata<T extends { issuer: string; token_endpoint: string }>(
  schema: v.GenericSchema<unknown, T>,
  document: unknown,
  issuer: string,
): Discovery<T> {
  const parsed = v.safeParse(schema, document)
  if (!parsed.success)
    return { kind: 'invalid', reason: `the document is not UMA metadata: ${v.getDotPath(parsed.issues[0]) ?? 'no object'}` }
  const metadata = parsed.output
  if (metadata.issuer !== issuer) return { kind: 'invalid', reason: 'the document names another issuer' }
  const { origin } = new URL(issuer)
  const bad = ENDPOINTS.find((name) => !isEndpoint(Reflect.get(metadata, name), origin))
  if (bad !== undefined) return { kind: 'invalid', reason: `${bad} is not https` }
  return { kind: 'found', metadata }
}

async function discover<T extends { issuer: string; token_endpoint: string }>(
  schema: v.GenericSchema<unknown, T>,
  issuer: string,
  send: Fetch,
): Promise<Discovery<T>> {
  if (!isIssuer(issuer)) return { kind: 'invalid', reason: 'this is not the address of an authorization server' }
  try {
    const response = await send(umaConfigurationUrl(issuer), { headers: { accept: 'application/json' }, redirect: 'manual' })
    // RFC 8414 3.2: only 200 counts; a redirect is not followed, it could lead anywhere.
    if (response.status !== 200) return { kind: 'unreachable', reason: `discovery answered ${response.status}` }
    return checkMetadata(schema, await readJson(response, DOCUMENT_LIMIT), issuer)
  } catch (error) {
    return { kind: 'unreachable', reason: error instanceof Error ? error.message : 'no answer' }
  }
}

/**
 * The discovery document of a server, as a client needs it (UMA Grant 2).
 * @param issuer the `as_uri` of a challenge, unchanged
 * @param send asks for it, by GET
 * @returns the metadata; `unreachable` without an answer of 200, `invalid` for one that is not that issuer's own document. Never rejects.
 */
export const discoverForClient = (issuer: string, send: Fetch): Promise<Discovery<UmaClientMetadata>> =>
  discover(umaClientMetadata, issuer, send)

/**
 * The discovery document of a server, as a resource server needs it: the endpoints of the protection API must be named (UMA FedAuthz 2).
 * @param issuer the address that the owner gave
 * @param send asks for it, by GET
 * @returns as `discoverForClient`: the metadata, `unreachable` or `invalid`
 */
export const discoverForResourceServer = (issuer: string, send: Fetch): Promise<Discovery<UmaMetadata>> =>
  discover(umaMetadata, issuer, send)

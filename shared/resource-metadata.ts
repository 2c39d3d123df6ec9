// Protected resource metadata (RFC 9728): what a resource server says about itself to clients that have not heard of UMA, and where. A UMA
// client needs none of it: its challenge names server and ticket (UMA Grant 3.2.1).
import { DPOP_ALGORITHMS } from './dpop.ts'
import { PROTECTED_RESOURCE_PATH, type ProtectedResourceMetadata } from './protocol/protected-resource.ts'

/**
 * Where the metadata of a resource lie (RFC 9728 3.1): the well-known part comes between host and path, a slash that is all of the path goes.
 * @param resource absolute address; its query is kept, a fragment is left out
 * @returns absolute address of the document. Throws a TypeError when `resource` is no address.
 */
export function resourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource)
  return `${origin}${PROTECTED_RESOURCE_PATH}${pathname === '/' ? '' : pathname}${search}`
}

/**
 * The resource whose metadata a request asks for (RFC 9728 3.1), the other way round.
 * @param origin public origin of this server, which must not come from the `Host` header
 * @returns its identifier, to be put into the document unchanged (3.3); nothing when `url` is not an address of metadata
 */
export function resourceOfMetadataUrl(url: string, origin: string): string | undefined {
  const { pathname, search } = new URL(url)
  const path = pathname.startsWith(PROTECTED_RESOURCE_PATH) ? pathname.slice(PROTECTED_RESOURCE_PATH.length) : undefined
  return path === undefined || !/^(\/|$)/.test(path) ? undefined : `${origin}${path}${search}`
}

/**
 * The answer with a resource's metadata (RFC 9728 3.2): 200, readable from any origin, kept for an hour. Says by itself that tokens come in
 * the header and which proofs of possession (RFC 9449 4.3) this kit can check; arrays without elements and undefined members are left out.
 * @param metadata `resource` is to the letter what the client asked about (3.3), else it must not use the document
 * @returns the answer, whole. Never fails.
 */
export function resourceMetadataResponse(metadata: ProtectedResourceMetadata): Response {
  const whole = { bearer_methods_supported: ['header'], dpop_signing_alg_values_supported: DPOP_ALGORITHMS, ...metadata }
  const kept = Object.entries(whole).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
  const headers = { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=3600' }
  return Response.json(Object.fromEntries(kept), { headers })
}

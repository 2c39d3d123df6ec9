// Who a client id stands for: a registration (RFC 7591) or, if it is an address, the document that is there (client-document.ts). Every
// endpoint and page asks here, so that both kinds are clients everywhere.
import type { Call } from '../http/context.ts'
import { type Client, registeredClient } from '../store/clients.ts'
import { clientFromDocument, isDocumentId, rememberedClient } from './client-document.ts'

/** A live client by its id, or undefined. Disabled clients are as if they were not there, at most a minute late. */
export const clientById = (call: Call, id: string): Promise<Client | undefined> =>
  isDocumentId(id) ? clientFromDocument(call, id) : registeredClient(call.deps.env.DB, id)

/** Several clients at once, for lists; unknown ids are left out. Nothing is fetched: a document that nobody has read lately is a bare host. */
export async function clientsById(call: Call, ids: readonly string[]): Promise<Map<string, Client>> {
  const found = await Promise.all(
    [...new Set(ids)].map((id) => (isDocumentId(id) ? rememberedClient(call.deps, id) : registeredClient(call.deps.env.DB, id))),
  )
  return new Map(found.filter((client) => client !== undefined).map((client) => [client.id, client]))
}

/**
 * Where a client really is, for people: the host that its answers go to or, of an app, its private scheme (RFC 8252 7.1). Of a document also
 * the host that it was read from, which is the one thing about it that is certain (CIMD 6.4).
 */
export function hostOfClient(client: Client, redirectUri: string): string {
  const url = new URL(redirectUri)
  const place = url.host === '' ? url.protocol.slice(0, -1) : url.host
  const home = isDocumentId(client.id) ? new URL(client.id).host : place
  return home === place ? place : `${home} → ${place}`
}

// Clients that nobody registered (draft-ietf-oauth-client-id-metadata-document-01, "CIMD"): the client id is the address of a document in which
// the client says of itself what others say when they register. Read through the guard, judged by the same rules, stored nowhere.
import * as v from 'valibot'
import { clientMetadata } from '../../shared/protocol/oauth.ts'
import type { Call, Deps } from '../http/context.ts'
import { callableUrl, guardedJson, rememberedJson } from '../http/guarded-fetch.ts'
import { countNetwork } from '../http/network-limits.ts'
import { type Client, isDisabled } from '../store/clients.ts'
import { documentMetadata } from './client-metadata.ts'

/** CIMD 6.6: octets of a document. */
const MAX_DOCUMENT = 5 * 1024
/** Characters of such a client id: it travels in tickets and codes. */
const MAX_ID = 512

/** Whether a client id is an address. Ids that this server gives to clients have no colon. */
export const isDocumentId = (id: string): boolean => /^https?:\/\//i.test(id)

/**
 * The client whose document is at this address; undefined if it may not be called, does not answer, or says what no client may say.
 * Throws OAuthError 429 for a network that makes this server call too many.
 */
export async function clientFromDocument(call: Call, id: string): Promise<Client | undefined> {
  const { deps } = call
  if (!isClientUrl(deps, id)) return undefined
  if (rememberedJson(deps, id, MAX_DOCUMENT) === undefined) await countNetwork(call, 'document')
  const isGood = (value: unknown) => clientIn(deps, id, value) !== undefined
  const client = clientIn(deps, id, await guardedJson(deps, id, { max: MAX_DOCUMENT, isGood }))
  return client === undefined || (await isDisabled(call.deps.env.DB, id)) ? undefined : client
}

/** As far as it can be said without asking anybody: the document as it is remembered, or a client without a name. */
export function rememberedClient(deps: Deps, id: string): Client | undefined {
  if (!isClientUrl(deps, id)) return undefined
  return clientIn(deps, id, rememberedJson(deps, id, MAX_DOCUMENT)) ?? { id, metadata: { client_uri: new URL(id).origin }, createdAt: 0 }
}

/**
 * CIMD 3: https (http where DEV_ORIGINS says so), a path without `.` and `..`, no fragment, no user name. Choice: written as the URL parser
 * writes it, so that one document has one id.
 */
function isClientUrl(deps: Deps, id: string): boolean {
  const url = id.length <= MAX_ID ? callableUrl(deps, id) : undefined
  return url !== undefined && url.href === id && !/\/(\.|%2e){1,2}([/?]|$)/i.test(id)
}

/** What a document says, as metadata that a registration could have; judged once a document. */
const judged = new WeakMap<object, Client | 'refused'>()

function clientIn(deps: Deps, id: string, value: unknown): Client | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  let client = judged.get(value)
  if (client === undefined) {
    client = judge(deps, id, value) ?? 'refused'
    judged.set(value, client)
  }
  return client === 'refused' || client.id !== id ? undefined : client
}

function judge(deps: Deps, id: string, value: object): Client | undefined {
  const parsed = v.safeParse(clientMetadata, value)
  // CIMD 4.1: the same string, no secret that everybody could read.
  if (!parsed.success || parsed.output.client_id !== id) return undefined
  if ('client_secret' in value || 'client_secret_expires_at' in value) return undefined
  try {
    return { id, metadata: documentMetadata(deps, parsed.output), createdAt: 0 }
  } catch {
    return undefined // OAuthError: what a registration would be refused for
  }
}

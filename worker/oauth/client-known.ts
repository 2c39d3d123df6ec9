// What this server knows of a client, in one place: everybody who shows a client to a person who decides asks here, so that all say the same
// (SPECS S0-6). No picture of a client is shown: a logo that nobody has checked looks like a promise, and fetching it would tell who decides.
import type { ClientKnown } from '../../shared/protocol/oauth.ts'
import type { Party } from '../pages/parts.tsx'
import { type Client, clientName } from '../store/clients.ts'
import { isDocumentId } from './client-document.ts'
import { voucherOf } from './software-statement.ts'

type KnowingEnv = Pick<Env, 'SOFTWARE_ISSUERS'>

/** How the client came to be known here, since when, and its page; what it says of itself is unverified but for a vouched name. */
export function clientKnown(env: KnowingEnv, client: Client): ClientKnown {
  const uri = ownPage(client)
  const page = uri === undefined ? {} : { uri }
  if (isDocumentId(client.id)) return { by: 'document', host: new URL(client.id).host, ...page }
  const issuer = voucherOf(env, client)
  const since = client.createdAt
  return issuer === undefined ? { by: 'push', since, ...page } : { by: 'statement', since, issuer, ...page }
}

/** The page that a client names, if it lies where its answers go or where it is described: anybody can name somebody else's (RFC 7591 5). */
function ownPage({ id, metadata }: Client): string | undefined {
  const { client_uri: uri, redirect_uris = [], claims_redirect_uris = [] } = metadata
  const hosts = [id, ...redirect_uris, ...claims_redirect_uris].map((text) => URL.parse(text)?.host)
  return uri !== undefined && hosts.includes(new URL(uri).host) ? uri : undefined
}

/**
 * Host at which the client describes itself, or to which its answers go; nothing for an app without one. Not of the page that it names.
 */
export function knownHost({ id, metadata }: Client): string | undefined {
  if (isDocumentId(id)) return new URL(id).host
  const answers = [...(metadata.redirect_uris ?? []), ...(metadata.claims_redirect_uris ?? [])].map((text) => URL.parse(text))
  return answers.find((url) => url !== null && /^https?:$/.test(url.protocol))?.host
}

/** The client as pages show it. `host`: where answers, or people, go to. */
export const partyOf = (env: KnowingEnv, client: Client, host: string): Party => {
  const known = clientKnown(env, client)
  return { name: clientName(client), host, verified: known.by === 'statement', known }
}

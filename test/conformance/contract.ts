// What the suite asks of a profile: how, at one particular server, things are done that the specifications leave to it. Nothing here names
// a product; profiles/latchkey.mjs is one answer, README.md tells how to write another.
import type { Browser } from './lib/browser.ts'
import type { Call, DpopKey, Http } from './lib/http.ts'

export type Json = { [member: string]: unknown }

/** What a server may offer or not. The profile says `true`, or the reason why not; the reason stands in the report. */
export const FEATURES = {
  registration: 'dynamic client registration (RFC 7591)',
  registrationManagement: 'client configuration endpoint (RFC 7592)',
  publicClients: 'clients without a secret may use the uma-ticket grant',
  clientScopes: 'a client registers scopes that it may ask for at the token endpoint',
  dpop: 'DPoP-bound tokens (RFC 9449)',
  privateKeyJwt: 'private_key_jwt client authentication (RFC 7523)',
  clientIdMetadata: 'client id metadata documents',
  authorizationCode: 'a PAT by the authorization code grant; `authorize` drives the pages',
  clientCredentials: 'a PAT by the client credentials grant; `organisation` tells the client',
  patRefresh: 'refresh tokens for a PAT',
  par: 'pushed authorization requests (RFC 9126)',
  responseIssuer: 'iss in authorization responses (RFC 9207)',
  resourceIndicators: 'resource at the token endpoint (RFC 8707)',
  revocation: 'token revocation (RFC 7009)',
  introspectionJwt: 'introspection answers as JWT (RFC 9701)',
  cors: 'endpoints for programs answer any origin',
  pushedClaims: 'claim tokens at the token endpoint; `claimToken` makes them',
  ticketBoundClaims: 'a claim token is made for one ticket and good for no other',
  interactive: 'a claims interaction endpoint; `interact` drives the pages',
  pct: 'persisted claims tokens; `interact` with `persist`',
  upgrade: 'RPT upgrading',
  rptRefresh: 'refresh tokens for an RPT',
  approval: 'request_submitted; `ask` and `answer`',
  partialGrant: 'of a ticket, what is allowed is granted although the rest is not',
  policyTimes: 'policies that end by themselves: `until` of `allow`',
  disconnect: 'the owner ends the connection of a resource server: `disconnect`',
  ownerApi: 'an API of its own for owners: `ownerApi`, `ownerToken`',
  revokeOnReplay: 'a ticket that is presented again revokes what it brought',
  idempotency: 'Idempotency-Key at resource registration',
  clock: 'the clock of the server can be moved: `setClock`',
} as const
export type Feature = keyof typeof FEATURES

export type OwnerName = 'alice' | 'olga'
/** Two resource servers; each owner has connected both. */
export type ServiceName = 'first' | 'second'

export type Client = {
  id: string
  /** Absent for a public client. */
  secret?: string
  metadata: Json
}

/** A protection API access token, and whose it is. */
export type Pat = { token: string; refreshToken?: string; client: Client; dpop?: DpopKey }
export type ClientWanted = { kind: 'public' | 'confidential'; metadata: Json }

/** A requesting party. The suite knows an address at most, to see that it is told to nobody. */
export type Person = { name: string; address?: string }

export type PolicyWanted = {
  owner: OwnerName
  service: ServiceName
  resource: string
  scopes: string[]
  person: Person
  /** Seconds since 1970 after which the policy no longer allows anything. */
  until?: number
}
export type AskWanted = Omit<PolicyWanted, 'until'> & { client: Client; claimsRedirectUri: string; ticket: string }
export type Policy = { withdraw: () => Promise<void> }

/** How a claim token is wrong; absent for a good one. */
export type ClaimFlaw = 'audience' | 'expired' | 'issuer' | 'signature' | 'unsigned' | 'ticket' | 'holder'
export type ClaimWanted = { person: Person; client: Client; ticket: string; flaw?: ClaimFlaw }
export type ClaimToken = { claim_token: string; claim_token_format: string }

export type Interaction = {
  /** The address at the claims interaction endpoint, query included. */
  url: string
  person: Person
  browser: Browser
  /** True for the address at which the requesting party leaves the server. It is never asked for. */
  isBack: (url: string) => boolean
  end?: 'share' | 'cancel'
  /** The person lets the server remember what was shown (PCT). */
  persist?: boolean
}
/** Where it ended: the address at the client, if the person was sent back; else the page that was shown last. */
export type Ended = { back?: URL; status: number; text: string; statuses: number[] }

export type Authorization = { owner: OwnerName; url: string; isBack: (url: string) => boolean; decision?: 'allow' | 'deny' }

export type Environment = {
  issuer: string
  metadata: Json
  http: Http
  newBrowser: () => Browser
  /** `--name value` of the command line, or CONFORMANCE_NAME of the environment. */
  option: (name: string) => string | undefined
  /** Seconds since 1970 as the server sees them. */
  now: () => number
}

/** Things that the suite asks for while it runs. Optional ones belong to features. All may be called at the same time. */
export type Adapter = {
  protectionToken: (wanted: { owner: OwnerName; service: ServiceName; fresh?: boolean }) => Promise<Pat>
  /** Without dynamic registration: a client prepared by hand. */
  client?: (wanted: ClientWanted) => Promise<Client>
  /** Somebody else at each call, or the same few in turn. */
  person: () => Promise<Person>
  allow: (wanted: PolicyWanted) => Promise<Policy>
  claimToken?: (wanted: ClaimWanted) => Promise<ClaimToken>
  interact?: (interaction: Interaction) => Promise<Ended>
  authorize?: (authorization: Authorization) => Promise<Ended>
  /** A browser in which the owner is signed in. */
  ownerBrowser?: (owner: OwnerName) => Promise<Browser>
  /** An access token of the owner that is good for something else than the protection API. */
  ownerToken?: (owner: OwnerName) => Promise<{ token: string; dpop?: DpopKey }>
  /** Calls of the owner API that a stranger must not be able to make. */
  ownerApi?: () => { url: string; call: Call }[]
  disconnect?: (owner: OwnerName, pat: Pat) => Promise<void>
  /** Tries to store a policy that demands nothing of anybody, by whatever the server's own interface is. */
  emptyPolicy?: (wanted: Pick<PolicyWanted, 'owner' | 'resource' | 'scopes'>) => Promise<void>
  /** Sees to it that the owner is asked for what this ticket is for; answers the ticket with which the client begins to wait. */
  ask?: (wanted: AskWanted) => Promise<string>
  /** With scopes the owner approves these and no others. */
  answer?: (wanted: { owner: OwnerName; resource: string; decision: 'approve' | 'refuse'; scopes?: string[] }) => Promise<void>
  /** Lets a ticket that is seen again end what it brought, where this is the owner's choice. */
  revokeOnReplay?: (owner: OwnerName) => Promise<void>
  /** A confidential client that may use the client credentials grant for a PAT. */
  organisation?: () => Promise<Client>
  /** Sets the server's clock to so many seconds after the real one. */
  setClock?: (seconds: number) => Promise<void>
  close?: () => Promise<void>
}

export type Features = Readonly<Record<Feature, true | string>>

export type Profile = {
  name: string
  /** May depend on what the command line says. */
  features: (option: Environment['option']) => Features
  /** Seconds that things live at this server; only used with `clock`. */
  lifetimes?: { ticket?: number; rpt?: number; code?: number }
  open: (environment: Environment) => Promise<Adapter>
}

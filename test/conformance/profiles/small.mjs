// The profile for a server that offers next to nothing: resources, tickets, pushed claims, RPTs. What it does not have it says why; the suite
// then tests the rest. A good one to begin your own with. The server is `test/support/small-server.ts` of this repository; whatever no
// specification says how to do is done by hand there, at `<issuer>/by-hand`.

/** @import { Adapter, Client, Environment, Features, Profile } from '../contract.ts' */

/** @type {Features} */
const features = {
  registration: 'clients are written into a list by hand',
  registrationManagement: 'clients are written into a list by hand',
  publicClients: 'each client has a secret',
  clientScopes: 'clients ask for what the ticket says, and for nothing else',
  dpop: 'tokens are bearer tokens',
  privateKeyJwt: 'each client has a secret',
  clientIdMetadata: 'clients are written into a list by hand',
  authorizationCode: 'a PAT is handed out by hand',
  clientCredentials: 'a PAT is handed out by hand',
  patRefresh: 'a PAT does not end',
  par: 'there is no authorization endpoint',
  responseIssuer: 'there is no authorization endpoint',
  resourceIndicators: 'there is no authorization endpoint',
  revocation: 'tokens end by themselves',
  introspectionJwt: 'introspection answers are plain JSON',
  cors: 'no program in a browser is meant to call it',
  pushedClaims: true,
  ticketBoundClaims: 'a claim token is made for a client, not for a ticket',
  interactive: 'claims are pushed; there are no pages',
  pct: 'nothing of a requesting party is kept',
  upgrade: 'each RPT stands for itself',
  rptRefresh: 'a client comes again with a new ticket',
  approval: 'no owner is asked while somebody waits',
  partialGrant: 'all that a ticket asks for is granted, or nothing',
  policyTimes: 'a policy stands until it is withdrawn',
  disconnect: 'a PAT is handed out by hand',
  ownerApi: 'owners have no API',
  revokeOnReplay: 'a ticket that comes again is refused and ends nothing',
  idempotency: 'each registration makes a resource',
  clock: 'the clock of this server cannot be moved from outside',
}

/** @type {(environment: Environment) => Promise<Adapter>} */
const open = async ({ issuer, http }) => {
  /** @type {(wanted: Record<string, unknown>) => Promise<Record<string, any>>} */
  const byHand = async (wanted) => {
    const { status, json } = await http.call(`${issuer}/by-hand`, { json: wanted })
    if (status !== 200) throw new Error(`${String(wanted.do)}: ${status} ${String(json.error)}`)
    return json
  }
  /** @type {() => Promise<Client>} */
  const newClient = async () => {
    const { id, secret } = await byHand({ do: 'client' })
    return { id, secret, metadata: {} }
  }
  let made = 0
  return {
    protectionToken: async ({ owner, service, fresh }) => {
      const [client, { token }] = await Promise.all([
        newClient(),
        byHand({ do: 'pat', owner, service: fresh === true ? `${service} ${++made}` : service }),
      ])
      return { token, client }
    },
    client: ({ kind }) => (kind === 'confidential' ? newClient() : Promise.reject(new Error('each client has a secret'))),
    person: async () => {
      const address = `guest.${++made}@small.example`
      return { name: address, address }
    },
    allow: async ({ owner, resource, scopes, person }) => {
      const { id } = await byHand({ do: 'allow', owner, resource, scopes, person: person.address })
      return { withdraw: async () => void (await byHand({ do: 'withdraw', id })) }
    },
    claimToken: async ({ person, client, flaw }) => {
      const { claim_token, claim_token_format } = await byHand({ do: 'claim', person: person.address, client: client.id, flaw })
      return { claim_token, claim_token_format }
    },
  }
}

/** @type {Profile} */
export const profile = { name: 'A small server', features: () => features, open }

// The profile for Latchkey, the server of this repository. HTTP only: pages by their forms, mail from a mailbox that is read as JSON
// (`--mailbox`), DPoP, and the owner API as a wallet calls it. With `--clock` (a test server's) expiry is tested too.
import { random } from '../lib/http.ts'
import { makeGuests } from './latchkey/guest.mjs'
import { expected, makeOwners } from './latchkey/owner.mjs'

/** @import { Adapter, Environment, Person, Profile } from '../contract.ts' */
/** @import { Mailbox } from './latchkey/owner.mjs' */

const CLAIMS = 'https://anteroom.example/claims'

/** @type {(url: string) => Mailbox} */
const readMailbox = (url) => {
  /** @type {Mailbox['to']} */
  const to = async (address) => {
    const mails = /** @type {{ to: string[], text: string }[]} */ (await (await fetch(url)).json())
    return mails.filter((mail) => mail.to.includes(address))
  }
  return {
    turns: new Map(),
    to,
    // The page that asks for the code is shown after the mail was taken, so it is there; newest first.
    code: async (address, seen) => {
      const mails = await to(address)
      const code = /(?<!\d)\d{3} ?\d{3}(?!\d)/.exec(mails[0]?.text ?? '')?.[0]
      if (mails.length <= seen || code === undefined) throw new Error(`no code came for ${address}; is ${url} the mailbox of this server?`)
      return code.replace(' ', '')
    },
  }
}

/** @type {(environment: Environment) => Promise<Adapter>} */
const open = async (environment) => {
  const { issuer, metadata, option, http } = environment
  const mailbox = readMailbox(option('mailbox') ?? 'http://127.0.0.1:8789/mail.json')
  const clock = option('clock')
  const owners = makeOwners(environment, mailbox)

  /** A thing of Alice's that this person may see: at its claims page a proof can be had. @type {(person: Person) => Promise<{ url: string, isBack: (url: string) => boolean }>} */
  const anteroom = async (person) => {
    const { token } = await owners.protectionToken({ owner: 'alice', service: 'first' })
    const call = (/** @type {string} */ name, /** @type {unknown} */ json) => http.call(String(metadata[name]), { bearer: token, json })
    const made = expected(await call('resource_registration_endpoint', { resource_scopes: ['view'], name: 'Anteroom' }), 201, 'resource')
    const resource = String(made._id)
    await owners.allow({ owner: 'alice', service: 'first', resource, scopes: ['view'], person })
    const { ticket } = expected(await call('permission_endpoint', { resource_id: resource, resource_scopes: ['view'] }), 201, 'ticket')
    const client = await owners.register({
      client_name: 'Anteroom',
      claims_redirect_uris: [CLAIMS],
      grant_types: ['urn:ietf:params:oauth:grant-type:uma-ticket'],
      token_endpoint_auth_method: 'none',
    })
    const query = new URLSearchParams({ client_id: client.id, ticket: String(ticket), claims_redirect_uri: CLAIMS })
    return { url: `${metadata.claims_interaction_endpoint}?${query}`, isBack: (url) => url.startsWith(CLAIMS) }
  }

  return {
    ...owners,
    ...makeGuests(environment, mailbox, anteroom, owners.letAsk),
    person: async () => {
      const address = `guest.${random(6)
        .toLowerCase()
        .replace(/[^a-z0-9]/g, 'x')}@example.net`
      return { name: address, address }
    },
    ownerToken: async (name) => {
      const { token, key } = await owners.wallet(name)
      return { token, dpop: key }
    },
    ownerApi: () => [
      ...['/me', '/connections', '/resources', '/people', '/policies', '/activity'].map((path) => ({
        url: `${issuer}/owner${path}`,
        call: {},
      })),
      ...['/connections/x', '/policies/x', '/resources/x/policies'].map((path) => ({
        url: `${issuer}/owner${path}`,
        call: { method: 'DELETE' },
      })),
      {
        url: `${issuer}/owner/policies`,
        call: { json: { resource_id: 'x', person: { email: 'guest@example.net' }, resource_scopes: ['view'] } },
      },
      { url: `${issuer}/owner/live`, call: { json: {} } },
    ],
    ...(clock !== undefined && {
      setClock: async (seconds) => {
        await http.call(clock, { json: { offset: seconds * 1000 } })
      },
    }),
  }
}

/** @type {Profile} */
export const profile = {
  name: 'Latchkey',
  lifetimes: { ticket: 600, rpt: 3600, code: 60 },
  open,
  features: (option) => ({
    registration: true,
    publicClients: true,
    clientScopes: true,
    dpop: true,
    authorizationCode: true,
    patRefresh: true,
    par: true,
    approval: true,
    registrationManagement: true,
    privateKeyJwt: true,
    clientIdMetadata: true,
    pct: true,
    upgrade: true,
    rptRefresh: true,
    responseIssuer: true,
    resourceIndicators: true,
    revocation: true,
    cors: true,
    pushedClaims: true,
    ticketBoundClaims: true,
    interactive: true,
    partialGrant: true,
    policyTimes: true,
    disconnect: true,
    ownerApi: true,
    clock: option('clock') !== undefined ? true : 'the clock of this server cannot be moved from outside',
    clientCredentials: true,
    introspectionJwt: true,
    revokeOnReplay: true,
    idempotency: true,
  }),
}

// What the benchmark measures, set up through the public API: Alice with a service and a wallet, a thing shared with Bob, Bob's
// credential, and supplies of tickets that are made outside the measured time.
import {
  type Alice,
  type App,
  type Bob,
  bob,
  connectService,
  connectWallet,
  goBack,
  openClaims,
  registerApp,
  type Server,
  type Service,
  share,
  signIn,
  UMA_TICKET,
  type WalletApi,
} from './actors.ts'
import { newestCode, typeAddress } from './claims.ts'
import { expectStatus } from './http.ts'
import { type Answer, type LoadRequest, load } from './load.ts'
import { type Credential, gatherByWallet, obtainCredential, pushed } from './proofs.ts'
import { assertion, assertionForm, newSigningKey, type SigningKey } from './signing-client.ts'

export type Scenario = {
  server: Server & { port: number }
  /** A client that authenticates with a key. */
  signer: { app: App; key: SigningKey }
  /** PCTs of as many guests as there are connections. */
  pcts: string[]
  alice: Alice
  guest: Bob
  service: Service
  wallet: WalletApi
  app: App
  resource: string
  rpt: string
  credential: Credential
}

export const setUp = async (server: Server & { port: number }): Promise<Scenario> => {
  const alice = await signIn(server)
  const service = await connectService(server, alice, 'Bench')
  const wallet = await connectWallet(server, alice)
  const app = await registerApp(server, 'confidential')
  const guest = bob()
  const resource = await service.register({ resource_scopes: ['view', 'download'], name: 'One' })
  await share(wallet, resource, guest.address)
  const first = await app.token(await service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
  const credential = await obtainCredential(server, guest, app, String(first.json.ticket))
  const ticket = await service.ticket({ resource_id: resource, resource_scopes: ['view'] })
  const granted = await app.token(ticket, await pushed(credential, ticket))
  expectStatus(granted, 200, 'the token of the benchmark’s guest')
  const key = await newSigningKey()
  const signing = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } }
  const signer = { app: await registerApp(server, 'confidential', signing), key }
  const rpt = String(granted.json.access_token)
  const scenario: Scenario = { server, alice, guest, service, wallet, app, resource, rpt, credential, signer, pcts: [] }
  // More than are ever on their way at once.
  for (let index = 0; index < 20; index++) scenario.pcts.push(await newPct(scenario))
  return scenario
}

/** A new guest shows an address on the claims page and lets the app skip it from then on. */
const newPct = async ({ server, service, wallet, app, resource }: Scenario): Promise<string> => {
  const guest = bob()
  await share(wallet, resource, guest.address)
  const { page } = await openClaims(server, guest, app, await service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
  const codePage = await typeAddress(guest, page)
  const done = await guest.browser.submit(codePage, { code: newestCode(server, guest.address), skip: 'on' })
  const ticket = (await goBack(guest, app, done)).get('ticket') ?? ''
  return String(expectStatus(await app.token(ticket), 200, 'the token of a guest who lets the app skip the question').json.pct)
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

const basic = (app: App): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(app.client.id)}:${encodeURIComponent(app.client.secret ?? '')}`).toString('base64')}`

export const introspection = ({ service, rpt }: Scenario): LoadRequest => ({
  method: 'POST',
  path: '/introspect',
  headers: { ...FORM, Authorization: `Bearer ${service.pat}` },
  body: new URLSearchParams({ token: rpt }).toString(),
})

export const permission = ({ service }: Scenario, resource: string): LoadRequest => ({
  method: 'POST',
  path: '/uma/permission',
  headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${service.pat}` },
  body: JSON.stringify({ resource_id: resource, resource_scopes: ['view'] }),
})

const tokenRequest = ({ app }: Scenario, ticket: string, more: Record<string, string> = {}): LoadRequest => ({
  method: 'POST',
  path: '/token',
  headers: { ...FORM, Authorization: basic(app) },
  body: new URLSearchParams({ grant_type: UMA_TICKET, ticket, ...more }).toString(),
})

/** Collects a member of each answer to so many requests. */
const collect = async (scenario: Scenario, requests: readonly LoadRequest[], status: number, member: string): Promise<string[]> => {
  const found: string[] = []
  const { port } = scenario.server
  const result = await load(
    { port, host: `localhost:${port}` },
    {
      connections: 16,
      seconds: 120,
      next: (index) => requests[index],
      expected: (answer) => {
        if (answer.status !== status) return false
        found.push(String((JSON.parse(answer.body) as Record<string, unknown>)[member]))
        return true
      },
    },
  )
  if (result.wrong.size > 0) throw new Error(`setting up the benchmark: ${[...result.wrong.keys()][0]}`)
  return found
}

export const tickets = (scenario: Scenario, count: number, resource: string): Promise<string[]> =>
  collect(
    scenario,
    Array.from({ length: count }, () => permission(scenario, resource)),
    201,
    'ticket',
  )

/** Token requests that push a proof, one ticket each. */
export const pushing = async (scenario: Scenario, count: number, resource: string): Promise<LoadRequest[]> => {
  const fresh = await tickets(scenario, count, resource)
  return Promise.all(fresh.map(async (ticket) => tokenRequest(scenario, ticket, await pushed(scenario.credential, ticket))))
}

/** Token requests with a persisted claims token. Each answer brings the one for a later request (UMA Grant 3.3.5); `seen` takes it. */
export const withPct = async (
  scenario: Scenario,
  count: number,
): Promise<{ next: () => LoadRequest | undefined; seen: (answer: Answer) => void }> => {
  const { pcts, server } = scenario
  const guests = pcts.length
  const fresh = await tickets(scenario, count + guests, scenario.resource)
  const next = (): LoadRequest | undefined => {
    const ticket = fresh.pop()
    return ticket === undefined ? undefined : tokenRequest(scenario, ticket, { pct: pcts.shift() ?? '' })
  }
  const seen = ({ body }: Answer): void => void pcts.push((JSON.parse(body) as { pct: string }).pct)
  // Guests' objects have gone to sleep since the last round: they are woken before the time is taken, as the owner's is.
  await load(
    { port: server.port, host: `localhost:${server.port}` },
    {
      connections: 16,
      seconds: 60,
      next: (index) => (index < guests ? next() : undefined),
      expected: (answer) => {
        if (answer.status === 200) seen(answer)
        return answer.status === 200
      },
    },
  )
  return { next, seen }
}

/** Token requests whose ticket already carries Bob's proof: he showed it on the claims page, with his wallet. */
export const withEvidence = async (scenario: Scenario, count: number): Promise<LoadRequest[]> =>
  (await gathered(scenario, scenario.app, count)).map((ticket) => tokenRequest(scenario, ticket))

/** The same of a client that signs an assertion for each request (RFC 7523). */
export const assertions = async (scenario: Scenario, count: number): Promise<LoadRequest[]> => {
  const { app, key } = scenario.signer
  return Promise.all(
    (await gathered(scenario, app, count)).map(async (ticket) => ({
      method: 'POST',
      path: '/token',
      headers: FORM,
      body: new URLSearchParams({
        grant_type: UMA_TICKET,
        ticket,
        ...assertionForm(await assertion(key, app.client.id, scenario.server.origin)),
      }).toString(),
    })),
  )
}

/** Tickets with which Bob has been at the claims page for this app. */
const gathered = async (scenario: Scenario, app: App, count: number): Promise<string[]> => {
  const fresh = await tickets(scenario, count, scenario.resource)
  const found: string[] = []
  const oneByOne = async (): Promise<void> => {
    for (let ticket = fresh.pop(); ticket !== undefined; ticket = fresh.pop()) {
      found.push(await gatherByWallet(scenario.server, bob(scenario.guest.address), app, ticket, scenario.credential))
    }
  }
  await Promise.all(Array.from({ length: 8 }, oneByOne))
  return found
}

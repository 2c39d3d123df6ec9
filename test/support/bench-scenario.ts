// What the benchmark measures, set up through the public API: Alice with a service and a wallet, a thing shared with Bob, Bob's
// credential, and supplies of tickets that are made outside the measured time.
import {
  type Alice,
  type App,
  type Bob,
  bob,
  connectService,
  connectWallet,
  registerApp,
  type Server,
  type Service,
  share,
  signIn,
  UMA_TICKET,
  type WalletApi,
} from './actors.ts'
import { type LoadRequest, load } from './load.ts'
import { type Credential, gatherByWallet, obtainCredential, presentFor } from './proofs.ts'

export type Scenario = {
  server: Server & { port: number }
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
  const granted = await app.token(ticket, { claim_token: await presentFor(credential, ticket), claim_token_format: 'dc+sd-jwt' })
  if (granted.status !== 200) throw new Error(`the benchmark's guest gets no token: ${granted.status} ${granted.text}`)
  return { server, alice, guest, service, wallet, app, resource, rpt: String(granted.json.access_token), credential }
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

export const tokenRequest = ({ app }: Scenario, ticket: string, proof?: string): LoadRequest => ({
  method: 'POST',
  path: '/token',
  headers: { ...FORM, Authorization: basic(app) },
  body: new URLSearchParams({
    grant_type: UMA_TICKET,
    ticket,
    ...(proof !== undefined && { claim_token: proof, claim_token_format: 'dc+sd-jwt' }),
  }).toString(),
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
  return Promise.all(fresh.map(async (ticket) => tokenRequest(scenario, ticket, await presentFor(scenario.credential, ticket))))
}

/** Token requests whose ticket already carries Bob's proof: he showed it on the claims page, with his wallet. */
export const withEvidence = async (scenario: Scenario, count: number): Promise<LoadRequest[]> => {
  const fresh = await tickets(scenario, count, scenario.resource)
  const requests: LoadRequest[] = []
  const oneByOne = async (): Promise<void> => {
    for (let ticket = fresh.pop(); ticket !== undefined; ticket = fresh.pop()) {
      const guest = bob(scenario.guest.address)
      requests.push(tokenRequest(scenario, await gatherByWallet(scenario.server, guest, scenario.app, ticket, scenario.credential)))
    }
  }
  await Promise.all(Array.from({ length: 8 }, oneByOne))
  return requests
}

// Nothing crosses an owner or a service (DESIGN decision 8, promise I3): foreign ids answer like unknown ids, foreign tokens are inactive.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type App,
  bob,
  connectService,
  connectWallet,
  gatherByMail,
  registerApp,
  type Service,
  share,
  signIn,
  type WalletApi,
} from '../support/actors.ts'
import type { Answer, Call } from '../support/http.ts'
import { random } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

type Stranger = { name: string; service: Service }

describe('DESIGN I3: nothing crosses owner or service', () => {
  let as: Running
  let service: Service
  let wallet: WalletApi
  let app: App
  let resource: string
  let rpt: string
  const strangers: Stranger[] = []
  const strangersWallet: WalletApi[] = []
  beforeAll(async () => {
    as = await sharedAs()
    const alice = await signIn(as)
    service = await connectService(as, alice)
    wallet = await connectWallet(as, alice)
    app = await registerApp(as)
    const dora = await signIn(as)
    strangers.push({ name: 'another service of the same owner', service: await connectService(as, alice) })
    strangers.push({ name: "another owner's service", service: await connectService(as, dora) })
    strangersWallet.push(await connectWallet(as, dora))
    const guest = bob()
    resource = await service.register({ resource_scopes: ['view'], name: 'One' })
    await share(wallet, resource, guest.address)
    const asked = await app.token(await service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
    const granted = await app.token(await gatherByMail(as, guest, app, String(asked.json.ticket)))
    rpt = String(granted.json.access_token)
    expect((await service.introspect(rpt)).active).toBe(true)
  })

  /** What somebody may see of an answer: status and body; the id that was asked for is not part of it. */
  const seen = ({ status, text }: Answer, id: string): string => `${status} ${text.replaceAll(id, '<id>')}`

  /** The same call with a foreign id and with one that nobody has. */
  const both = async (caller: Pick<Service, 'call'>, call: (id: string) => [string, Call]): Promise<[string, string]> => {
    const unknown = random(16)
    return [seen(await caller.call(...call(resource)), resource), seen(await caller.call(...call(unknown)), unknown)]
  }

  it('UMA FedAuthz 5: a token is inactive for every service but the one it was made for [IN-04]', async () => {
    for (const stranger of strangers) expect(await stranger.service.introspect(rpt), stranger.name).toEqual({ active: false })
  })

  it.each([
    ['3.2.2 read', (id: string): [string, Call] => [`/uma/resource/${id}`, {}]],
    ['3.2.3 update', (id: string): [string, Call] => [`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes: ['view'] } }]],
    ['3.2.4 delete', (id: string): [string, Call] => [`/uma/resource/${id}`, { method: 'DELETE' }]],
    ['4.1 permission', (id: string): [string, Call] => ['/uma/permission', { json: { resource_id: id, resource_scopes: ['view'] } }]],
  ])('UMA FedAuthz %s: a foreign resource answers like an unknown one', async (_section, call) => {
    for (const stranger of strangers) {
      const [foreign, unknown] = await both(stranger.service, call)
      expect(foreign, stranger.name).toBe(unknown)
      expect(foreign).toMatch(/^40[04] /)
    }
    expect((await service.call(`/uma/resource/${resource}`)).status).toBe(200)
  })

  it('UMA FedAuthz 3.2.5: a list names own resources only', async () => {
    for (const stranger of strangers) expect((await stranger.service.call('/uma/resource')).text).toBe('[]')
  })

  it("DESIGN decision 8: another owner's wallet shares and stops nothing of this owner", async () => {
    const [foreign] = strangersWallet
    const json = { resource_id: resource, person: { email: 'eve@example.net' }, resource_scopes: ['view'] }
    expect((await foreign?.call('/owner/policies', { json }))?.status).toBe(404)
    await foreign?.call(`/owner/resources/${resource}/policies`, { method: 'DELETE' })
    expect((await service.introspect(rpt)).active).toBe(true)
  })

  it('RFC 7662 2.1: without a PAT, or with a token of another kind, nothing is told', async () => {
    const ask = (headers: Record<string, string>) => service.call('/introspect', { form: { token: rpt }, headers })
    expect((await ask({ authorization: `Bearer ${rpt}` })).status).toBe(401)
    expect((await ask({ authorization: `Bearer ${String(service.tokens.refresh_token)}` })).status).toBe(401)
    expect((await ask({ authorization: 'Bearer nonsense' })).status).toBe(401)
  })
})

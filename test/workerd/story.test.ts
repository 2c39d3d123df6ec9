// The story of the design over HTTP against one server, without a vault and without a window: share, be asked, show the address, get a
// token, be seen by the service, be stopped. Everything else is tested endpoint by endpoint; this is what must never break.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alice,
  type App,
  bob,
  connectService,
  connectWallet,
  discover,
  gatherByMail,
  registerApp,
  type Service,
  share,
  signIn,
  stopSharing,
  type WalletApi,
} from '../support/actors.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { verifyState } from '../support/verify-state.ts'

describe('DESIGN 1: the story', () => {
  let as: Running
  let alice: Alice
  let service: Service
  let wallet: WalletApi
  let app: App
  beforeAll(async () => {
    as = await ownAs()
    alice = await signIn(as)
    service = await connectService(as, alice)
    wallet = await connectWallet(as, alice)
    app = await registerApp(as)
  })
  afterAll(() => as.stop())

  it('UMA Grant 2: discovery names this issuer', async () => {
    expect((await discover(as)).issuer).toBe(as.origin)
  })

  it('DESIGN 1.3-1.9: a mailed code opens the thing, and stopping closes it at the next request', async () => {
    const guest = bob()
    const resource = await service.register({ resource_scopes: ['view', 'download'], name: 'Lisbon.pdf' })
    const id = await share(wallet, resource, guest.address)
    const asked = await app.token(await service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
    expect(asked.status).toBe(403)
    expect(asked.json).toMatchObject({ error: 'need_info', redirect_user: `${as.origin}/uma/claims` })
    const granted = await app.token(await gatherByMail(as, guest, app, String(asked.json.ticket)))
    expect(granted.status).toBe(200)
    expect(granted.json).toMatchObject({ token_type: 'DPoP', resource_server: service.origin })
    const rpt = String(granted.json.access_token)
    expect(await service.introspect(rpt)).toMatchObject({
      active: true,
      permissions: [{ resource_id: resource, resource_scopes: ['view'] }],
    })

    await stopSharing(wallet, id)
    expect(await service.introspect(rpt)).toEqual({ active: false })
    const again = await app.token(await service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
    expect(again.json.error).toBe('request_denied')
  })

  it('DESIGN 1.7: a kept proof is pushed with the ticket, and nobody is asked', async () => {
    const guest = bob()
    const resource = await service.register({ resource_scopes: ['view'], name: 'One' })
    await share(wallet, resource, guest.address)
    const first = await app.token(await service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
    const credential = await obtainCredential(as, guest, app, String(first.json.ticket))
    const ticket = await service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    const granted = await app.token(ticket, await pushed(credential, ticket))
    expect(granted.status).toBe(200)
    expect((await service.introspect(String(granted.json.access_token))).active).toBe(true)
  })

  it('DESIGN 3: object and record agree afterwards', async () => {
    const reports = verifyState(as.state)
    expect(reports.flatMap(({ differences }) => differences)).toEqual([])
    expect(reports).toHaveLength(1)
  })
})

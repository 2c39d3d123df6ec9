// An operator blocks a client: the change reaches every owner who relies on it, also while objects and D1 fail, and counts at the next
// introspection (DESIGN 3, "Shared facts reach the owners"). A block suspends; what was connected and shared stays.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClientStatus } from '../../worker/objects/client.ts'
import {
  type App,
  bob,
  connectService,
  connectWallet,
  registerApp,
  type Service,
  share,
  signIn,
  type WalletApi,
} from '../support/actors.ts'
import { type Answer, call } from '../support/http.ts'
import { type Credential, obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { alarmOf, d1File, objectFiles, rowsOf, withCopy } from '../support/state-files.ts'
import { verifyState } from '../support/verify-state.ts'

type Owner = { service: Service; wallet: WalletApi; resource: string; credential: Credential; rpt: (app: App) => Promise<Answer> }

describe('DESIGN 3: a blocked client', () => {
  let as: Running
  let app: App
  let other: App
  let owners: Owner[]
  const guest = bob()

  const anOwner = async (): Promise<Owner> => {
    const alice = await signIn(as)
    const service = await connectService(as, alice)
    const wallet = await connectWallet(as, alice)
    const resource = await service.register({ resource_scopes: ['view'] })
    await share(wallet, resource, guest.address)
    const ask = () => service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    const credential = await obtainCredential(as, bob(guest.address), app, await ask())
    const rpt = async (by: App): Promise<Answer> => {
      const ticket = await ask()
      return by.token(ticket, await pushed(credential, ticket))
    }
    return { service, wallet, resource, credential, rpt }
  }
  const clientId = async (client: string) => {
    const objects = await as.miniflare.getDurableObjectNamespace('CLIENT', as.name)
    return { objects, id: objects.idFromName(client) }
  }
  const clientObject = async (client: string) => {
    const { objects, id } = await clientId(client)
    return objects.get(id) as unknown as {
      change: (input: { client_id: string; blocked: boolean; now: number }) => Promise<ClientStatus>
      status: () => Promise<ClientStatus | undefined>
    }
  }
  const change = async (id: string, blocked: boolean): Promise<ClientStatus> =>
    (await clientObject(id)).change({ client_id: id, blocked, now: Math.floor(Date.now() / 1000) })
  const reliance = (): string[] =>
    withCopy(d1File(as.state) ?? '', (database) =>
      rowsOf(database, 'SELECT client_id FROM reliance').map(({ client_id }) => String(client_id)),
    )
  const isActive = async (owner: Owner, token: string): Promise<boolean> => (await owner.service.introspect(token)).active === true

  beforeAll(async () => {
    as = await ownAs()
    app = await registerApp(as, 'confidential')
    other = await registerApp(as, 'confidential')
    owners = [await anOwner(), await anOwner(), await anOwner()]
  })
  afterAll(() => as.stop())

  it('DESIGN 3: the pair of owner and client is in the record before the first token is', async () => {
    expect(reliance()).not.toContain(app.client.id)
    const [first] = owners as [Owner, ...Owner[]]
    await as.setFault({ mode: 'fail', count: 1, match: 'INTO reliance' })
    const away = await first.rpt(app)
    expect([away.status, away.json.error]).toEqual([503, 'temporarily_unavailable'])
    expect(reliance()).not.toContain(app.client.id)
    expect((await first.rpt(app)).status).toBe(200)
    expect(reliance().filter((id) => id === app.client.id)).toHaveLength(1)
    // Afterwards D1 is not asked.
    await as.setFault({ mode: 'fail', count: 1, match: 'reliance' })
    expect((await first.rpt(app)).status).toBe(200)
    await as.setFault(undefined)
  })

  it('DESIGN 3: a block is in force everywhere when it is reported done; other clients notice nothing', async () => {
    const tokens = await Promise.all(owners.map(async (owner) => String((await owner.rpt(app)).json.access_token)))
    const others = await Promise.all(owners.map(async (owner) => String((await owner.rpt(other)).json.access_token)))
    expect(await change(app.client.id, true)).toMatchObject({ blocked: true, owners: 3, acknowledged: 3, done: true })
    for (const [index, owner] of owners.entries()) {
      expect(await isActive(owner, tokens[index] ?? '')).toBe(false)
      expect(await isActive(owner, others[index] ?? '')).toBe(true)
    }
    // A token request within the minute in which this isolate still knows the client: the owner's object refuses, and spends the ticket.
    const [first] = owners as [Owner, ...Owner[]]
    const late = await first.rpt(app)
    expect(['request_denied', 'invalid_client']).toContain(late.json.error)

    expect(await change(app.client.id, false)).toMatchObject({ blocked: false, owners: 3, done: true })
    for (const [index, owner] of owners.entries()) expect(await isActive(owner, tokens[index] ?? '')).toBe(true)
  })

  it('DESIGN 3: a blocked service cannot ask, introspect or refresh; its things and shares are there when it is back', async () => {
    const [first] = owners as [Owner, ...Owner[]]
    const { id, secret = '' } = first.service.client
    expect(await change(id, true)).toMatchObject({ owners: 1, done: true })
    for (const path of ['/uma/resource', `/uma/resource/${first.resource}`]) expect((await first.service.call(path)).status).toBe(401)
    expect((await first.service.call('/introspect', { form: { token: 'x' } })).status).toBe(401)
    const refresh = await call(`${as.origin}/token`, {
      form: { grant_type: 'refresh_token', refresh_token: String(first.service.tokens.refresh_token) },
      basic: { id, secret },
    })
    expect(['invalid_grant', 'invalid_client']).toContain(refresh.json.error)
    expect(await change(id, false)).toMatchObject({ done: true })
    expect((await first.service.call(`/uma/resource/${first.resource}`)).status).toBe(200)
    expect((await first.rpt(other)).status).toBe(200)
  })

  it('DESIGN 3: the change is sent again until all have acknowledged, over a dead runtime, too', async () => {
    const token = String((await (owners[1] as Owner).rpt(app)).json.access_token)
    await as.setFault({ mode: 'fail', count: 1, match: 'disabled_at = ?2' })
    expect(await change(app.client.id, true)).toMatchObject({ owners: 0, done: false })
    await as.kill()
    // Nobody has to come by: the alarm is set, and what it does is done now.
    const { id } = await clientId(app.client.id)
    const file = objectFiles(as.state, 'ClientObject').find((one) => one.includes(String(id))) ?? ''
    expect(alarmOf(file) - Date.now()).toBeLessThan(6_000)
    await as.runAlarm('CLIENT', String(id))
    expect((await (await clientObject(app.client.id)).status())?.done).toBe(true)
    expect(await (await clientObject(app.client.id)).status()).toMatchObject({ owners: 3, acknowledged: 3 })
    expect(await isActive(owners[1] as Owner, token)).toBe(false)
    await change(app.client.id, false)
  })

  it('DESIGN 3: a client that was blocked while somebody connects it is found out', async () => {
    const alice = await signIn(as)
    const wallet = await connectWallet(as, alice)
    const before = reliance().length
    await as.setFault({ mode: 'fail', count: 1, match: 'INTO reliance' })
    const service = await connectService(as, alice)
    expect((await service.call('/uma/resource')).status).toBe(200)
    // The connection itself is in the record; the object has still to look whether the client is blocked.
    expect(await change(service.client.id, true)).toMatchObject({ owners: 1, done: true })
    expect((await service.call('/uma/resource')).status).toBe(401)
    expect((await wallet.call('/owner/connections')).status).toBe(200)
    const ids = await as.objects('OwnerObject')
    for (const id of ids) await as.runAlarm('OWNER', id)
    expect(reliance().length).toBeGreaterThan(before)
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
  })
})

// Live notices (`/owner/live`): a code for 30 seconds, a WebSocket through everything that stands in front of it, and who hears what.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectService, connectWallet, share, signIn, someone, stopSharing, type WalletApi } from '../support/actors.ts'
import { call, type Json } from '../support/http.ts'
import { type LiveSocket, openSocket } from '../support/live-socket.ts'
import { type Cast, cast, challenge, expectRefusal } from '../support/odd-requests.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
const opened: LiveSocket[] = []
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})
afterAll(() => {
  for (const socket of opened) socket.destroy()
})

const codeOf = async (wallet: WalletApi): Promise<string> => String((await wallet.call('/owner/live', { method: 'POST' })).json.code)
const open = async (code: string, headers: Record<string, string> = {}): Promise<LiveSocket> => {
  const socket = await openSocket(`${origin}/owner/live?code=${encodeURIComponent(code)}`, headers)
  opened.push(socket)
  return socket
}
const next = async (socket: LiveSocket): Promise<Json> => JSON.parse(await socket.next()) as Json
const refused = (socket: LiveSocket): unknown[] => [socket.status, (JSON.parse(socket.body) as Json).error]

describe('DESIGN 4: the code', () => {
  it('DESIGN 4: 30 seconds, for a wallet’s token and for no other', async () => {
    const answer = await s.wallet.call('/owner/live', { method: 'POST' })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.json).toEqual({ code: expect.stringMatching(/^[\w-]{100,}$/), expires_in: 30 })
    expectRefusal(await call(`${origin}/owner/live`, { method: 'POST' }), 401, 'invalid_token')
    const byService = await s.service.call('/owner/live', { method: 'POST' })
    expectRefusal(byService, 403, 'insufficient_scope')
    expect(challenge(byService)).toBe('Bearer error="insufficient_scope", scope="uma_owner"')
  })

  it('DESIGN 4: it opens one socket; a second one is refused as JSON', async () => {
    const code = await codeOf(s.wallet)
    expect((await open(code)).status).toBe(101)
    const again = await open(code)
    expect(refused(again)).toEqual([401, 'invalid_token'])
    expect(again.headers['cache-control']).toBe('no-store')
    const race = await codeOf(s.wallet)
    const many = await Promise.all(Array.from({ length: 6 }, () => open(race)))
    expect(many.filter(({ status }) => status === 101)).toHaveLength(1)
  })

  it('DESIGN 4: what is no code opens nothing', async () => {
    const code = await codeOf(s.wallet)
    const others = [
      '',
      'x',
      `${code}x`,
      code.slice(0, -6),
      await s.ticket(),
      String(s.wallet.tokens.access_token),
      await s.rpt(),
      'x'.repeat(9000),
      '__proto__',
    ]
    for (const bad of others) expect(refused(await open(bad))).toEqual([401, 'invalid_token'])
    expect(refused(await openSocket(`${origin}/owner/live`))).toEqual([401, 'invalid_token'])
    expect(refused(await openSocket(`${origin}/owner/live?code=${code}&code=${code}`))).toEqual([400, 'invalid_request'])
    expect((await open(code)).status).toBe(101)
  })

  it('RFC 9110 15.5.22: without Upgrade it is 426, and the code is not used up', async () => {
    const code = await codeOf(s.wallet)
    const answer = await call(`${origin}/owner/live?code=${code}`)
    expectRefusal(answer, 426, 'invalid_request')
    expect((await open(code)).status).toBe(101)
  })

  it('DESIGN 3: a wallet that was disconnected meanwhile opens nothing', async () => {
    const wallet = await connectWallet(s.server, s.alice)
    const code = await codeOf(wallet)
    const mine = ((await wallet.call('/owner/connections')).json.items as Json[]).find(({ current }) => current === true)
    expect((await s.wallet.call(`/owner/connections/${mine?.id}`, { method: 'DELETE' })).status).toBe(204)
    expect(refused(await open(code))).toEqual([401, 'invalid_token'])
  })
})

describe('DESIGN 1.8: notices', () => {
  it('DESIGN 1.8: a share, a look and a stop are heard at once, by each open wallet', async () => {
    const other = await connectWallet(s.server, s.alice)
    const sockets = [await open(await codeOf(s.wallet)), await open(await codeOf(other))]
    const id = await s.service.register({ resource_scopes: ['view'] })
    const shared = await share(s.wallet, id, s.known.address)
    const rpt = await s.rpt({ resource_id: id, resource_scopes: ['view'] })
    await s.service.introspect(rpt)
    await stopSharing(s.wallet, shared)
    for (const socket of sockets) {
      const heard = []
      while (heard.at(-1)?.event !== 'share_stopped') heard.push((await next(socket)).activity as Json)
      expect(heard.map(({ event }) => event)).toEqual([
        'resource_registered',
        'share_created',
        'access_granted',
        'access_used',
        'share_stopped',
      ])
      expect(heard[3]).toMatchObject({ resource_id: id, policy_id: shared, client_id: s.app.client.id })
      expect(JSON.stringify(heard)).not.toContain(s.known.address)
    }
  })

  it('DESIGN 1.8: the revision of a notice is that of the list that it announces', async () => {
    const socket = await open(await codeOf(s.wallet))
    await share(s.wallet, s.resource, someone('x'))
    const notice = await next(socket)
    expect(notice).toMatchObject({ kind: 'activity', revision: expect.any(Number) })
    expect((await s.wallet.call('/owner/policies')).headers.get('etag')?.startsWith(`"${notice.revision}-`)).toBe(true)
  })

  it('DESIGN 7 I3: another owner hears nothing of it', async () => {
    const wallet = await connectWallet(s.server, await signIn(s.server))
    const [theirs, mine] = [await open(await codeOf(wallet)), await open(await codeOf(s.wallet))]
    await share(s.wallet, s.resource, someone('x'))
    expect(await next(mine)).toMatchObject({ activity: { event: 'share_created' } })
    const own = await connectWallet(s.server, s.alice)
    expect(await next(mine)).toMatchObject({ activity: { event: 'wallet_connected', client_id: own.client.id } })
    expect(theirs.waiting).toEqual([])
  })

  it('RFC 6455 5.5.2: ping is answered; whatever else is said changes nothing', async () => {
    const socket = await open(await codeOf(s.wallet), { origin: 'https://anywhere.example' })
    socket.send('ping')
    expect(await socket.next()).toBe('pong')
    for (const said of ['', '{}', '{"kind":"changed","revision":999}', 'DELETE', '\u0000']) socket.send(said)
    socket.send('ping')
    expect(await socket.next()).toBe('pong')
  })

  it('DESIGN 3: a wallet that is disconnected is told so and closed with 4001; the others stay', async () => {
    const wallet = await connectWallet(s.server, s.alice)
    const [gone, stays] = [await open(await codeOf(wallet)), await open(await codeOf(s.wallet))]
    const mine = ((await wallet.call('/owner/connections')).json.items as Json[]).find(({ current }) => current === true)
    await s.wallet.call(`/owner/connections/${mine?.id}`, { method: 'DELETE' })
    expect(await gone.closed).toBe(4001)
    expect(await next(stays)).toMatchObject({ activity: { event: 'disconnected', connection_id: mine?.id } })
    await share(s.wallet, s.resource, someone('x'))
    expect(await next(stays)).toMatchObject({ activity: { event: 'share_created' } })
  })
})

describe('DESIGN 4: time', () => {
  let as: Running
  beforeAll(async () => {
    as = await ownAs()
  })
  afterAll(() => as.stop())

  it('DESIGN 4: after 30 seconds the code is worth nothing; an open socket stays open', async () => {
    const alice = await signIn(as)
    const [service, wallet] = [await connectService(as, alice), await connectWallet(as, alice)]
    const [code, late] = [await codeOf(wallet), await codeOf(wallet)]
    const socket = await openSocket(`${as.origin}/owner/live?code=${code}`)
    expect(socket.status).toBe(101)
    await as.setClock(31)
    expect(refused(await openSocket(`${as.origin}/owner/live?code=${late}`))).toEqual([401, 'invalid_token'])
    await service.register({ resource_scopes: ['view'] })
    expect(await next(socket)).toMatchObject({ activity: { event: 'resource_registered' } })
    await as.setClock(0)
    socket.destroy()
  })
})

// Revocation (RFC 7009, UMA Grant 3.7): a client ends its own tokens; what is foreign or unknown answers alike and changes nothing.
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type App,
  connectService,
  connectWallet,
  registerApp,
  type Service,
  share,
  signIn,
  someone,
  type WalletApi,
} from '../support/actors.ts'
import { type Answer, type Call, call, newDpopKey } from '../support/http.ts'
import { openSocket } from '../support/live-socket.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'

let s: Cast
let origin: string
let service: Service
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
  service = await connectService(s.server, await signIn(s.server))
})

const revoke = (form: Record<string, string>, options: Call = {}): Promise<Answer> => call(`${origin}/revoke`, { form, ...options })
const as = (of: Service): Call => ({ basic: { id: of.client.id, secret: of.client.secret ?? '' } })
const by = (app: App | WalletApi, token: string, more: Record<string, string> = {}) => revoke({ token, client_id: app.client.id, ...more })
const refresh = (of: Service) =>
  call(`${origin}/token`, { form: { grant_type: 'refresh_token', refresh_token: String(of.tokens.refresh_token) }, ...as(of) })
const isActive = async (rpt: string): Promise<unknown> => (await s.service.introspect(rpt)).active

/** RFC 7009 2.2: 200, and nothing said. */
const expectDone = (answer: Answer): void => {
  expect([answer.status, answer.text, answer.headers.get('cache-control')]).toEqual([200, '', 'no-store'])
}

describe('RFC 7009 2.1: own tokens', () => {
  it('UMA Grant 3.7: an RPT ends at once, whatever the hint; a second time is fine', async () => {
    for (const hint of [{}, { token_type_hint: 'access_token' }, { token_type_hint: 'refresh_token' }, { token_type_hint: 'unheard_of' }]) {
      const rpt = await s.rpt()
      expect(await isActive(rpt)).toBe(true)
      expectDone(await by(s.app, rpt, hint as Record<string, string>))
      expect(await s.service.introspect(rpt)).toEqual({ active: false })
      expectDone(await by(s.app, rpt))
    }
  })

  it('RFC 7009 2.1: other tokens live on', async () => {
    const [gone, kept] = [await s.rpt(), await s.rpt()]
    expectDone(await by(s.app, gone))
    expect(await isActive(kept)).toBe(true)
  })

  it('RFC 7009 2.1: a PAT ends alone; its refresh token takes all access tokens of its code along', async () => {
    const second = String((await refresh(service)).json.access_token)
    expectDone(await revoke({ token: service.pat }, as(service)))
    expectRefusal(await service.call('/uma/resource'), 401, 'invalid_token')
    expect((await call(`${origin}/uma/resource`, { bearer: second })).status).toBe(200)
    const third = String((await refresh(service)).json.access_token)
    expectDone(await revoke({ token: String(service.tokens.refresh_token), token_type_hint: 'access_token' }, as(service)))
    for (const bearer of [second, third]) expectRefusal(await call(`${origin}/uma/resource`, { bearer }), 401, 'invalid_token')
    expectRefusal(await refresh(service), 400, 'invalid_grant')
  })

  it('RFC 7009 2.1: a wallet that leaves hears no more notices', async () => {
    const wallet = await connectWallet(s.server, s.alice)
    const code = String((await wallet.call('/owner/live', { method: 'POST' })).json.code)
    const socket = await openSocket(`${origin}/owner/live?code=${code}`)
    expect(socket.status).toBe(101)
    expectDone(await by(wallet, String(wallet.tokens.access_token)))
    expectRefusal(await wallet.call('/owner/me'), 401, 'invalid_token')
    // Its refresh token is still there: the wallet is.
    await share(s.wallet, s.resource, someone('x'))
    expect(JSON.parse(await socket.next())).toMatchObject({ activity: { event: 'share_created' } })
    expectDone(await by(wallet, String(wallet.tokens.refresh_token)))
    expect(await socket.closed).toBe(4001)
    socket.destroy()
  })
})

describe('RFC 7009 2.2: what is not the client’s own', () => {
  it('TESTS IN-12: another client’s token: 200, and it lives on', async () => {
    const rpt = await s.rpt()
    const stranger = await registerApp(s.server)
    expectDone(await by(stranger, rpt))
    expectDone(await revoke({ token: rpt }, as(s.service)))
    expect(await isActive(rpt)).toBe(true)
    for (const token of [
      s.service.pat,
      String(s.service.tokens.refresh_token),
      String(s.wallet.tokens.access_token),
      String(s.wallet.tokens.refresh_token),
    ])
      expectDone(await by(stranger, token))
    expect((await s.service.call('/uma/resource')).status).toBe(200)
    expect((await s.wallet.call('/owner/me')).status).toBe(200)
    expect((await refresh(s.service)).status).toBe(200)
  })

  it('RFC 7009 2.2: unknown, malformed, and things of other kinds: 200', async () => {
    const [rpt, ticket] = [await s.rpt(), await s.ticket()]
    for (const token of ['x', ticket, `${rpt}x`, rpt.slice(1), `p${rpt.slice(1)}`, '"', 'x'.repeat(20_000), 'null'])
      expectDone(await by(s.app, token))
    expect(await isActive(rpt)).toBe(true)
    expectRefusal(await s.app.token(ticket), 403, 'need_info')
  })

  it('RFC 7009 2.1: a hint changes nothing, whatever it says (UMA Grant 3.7)', async () => {
    for (const token_type_hint of ['pct', 'access_token', 'refresh_token', 'sausage']) expectDone(await by(s.app, 'x', { token_type_hint }))
  })

  it('RFC 7009 2.1: no token is invalid_request', async () => {
    expectRefusal(await by(s.app, ''), 400, 'invalid_request')
    expectRefusal(await revoke({ client_id: s.app.client.id }), 400, 'invalid_request')
  })

  it('RFC 7009 2.1: nobody without being a client, and with its secret if it has one', async () => {
    const rpt = await s.rpt()
    for (const [form, options] of [
      [{ token: rpt }, {}],
      [{ token: rpt, client_id: 'nobody' }, {}],
      [{ token: service.pat, client_id: service.client.id }, {}],
      [{ token: service.pat }, { basic: { id: service.client.id, secret: 'x' } }],
      [{ token: rpt, client_id: s.app.client.id, client_secret: 'x' }, {}],
      [{ token: rpt }, { bearer: s.service.pat }],
      [
        { token: rpt, client_id: s.app.client.id },
        { bearer: rpt, dpop: await newDpopKey() },
      ],
    ] as [Record<string, string>, Call][]) {
      expectRefusal(await revoke(form, options), 401, 'invalid_client')
    }
    expect(await isActive(rpt)).toBe(true)
  })
})

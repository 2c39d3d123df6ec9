// The uma-ticket grant (UMA Grant 3.3): one use of a ticket, set mathematics, need_info by rounds, who a process belongs to.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alice,
  type App,
  bob,
  connectService,
  connectWallet,
  gatherByMail,
  registerApp,
  type Service,
  share,
  signIn,
  stopSharing,
  UMA_TICKET,
} from '../support/actors.ts'
import { type Answer, call, expectStatus, type Json, newDpopKey, random } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { presentFor } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let s: Cast
let origin: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
})

const view = (resource: string, ...scopes: string[]) => ({ resource_id: resource, resource_scopes: scopes })
const permitted = async (answer: Answer): Promise<Record<string, string[]>> => {
  const found = await s.service.introspect(String(expectStatus(answer, 200, 'RPT').json.access_token))
  return Object.fromEntries(
    (found.permissions as { resource_id: string; resource_scopes: string[] }[]).map((one) => [one.resource_id, one.resource_scopes]),
  )
}
/** A thing with these scopes, of which some are shared with the guest who can prove her address. */
const thing = async (offered: string[], shared: string[] = []): Promise<string> => {
  const id = await s.service.register({ resource_scopes: offered })
  if (shared.length > 0) await share(s.wallet, id, s.known.address, { resource_scopes: shared })
  return id
}
const prove = async (ticket: string) => ({ claim_token: await presentFor(s.credential, ticket), claim_token_format: 'dc+sd-jwt' })
const isSpent = async (ticket: string): Promise<boolean> => (await s.app.token(ticket)).json.error === 'invalid_grant'

describe('UMA Grant 3.3.5: success', () => {
  it('UMA Grant 3.3.5: a token, no scope, and the resource server that it is good for', async () => {
    const answer = await s.redeem(view(s.resource, 'view'))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^r[\w-]+\.[\w-]{43}$/),
      token_type: 'DPoP',
      expires_in: 3600,
      resource_server: s.service.origin,
    })
  })

  it('UMA Grant 3.3.5: a confidential client without a key gets Bearer, with one DPoP', async () => {
    const app = await registerApp(s.server, 'confidential')
    const basic = { id: app.client.id, secret: app.client.secret ?? '' }
    const [one, two] = [await s.ticket(), await s.ticket()]
    expect((await app.token(one, await prove(one))).json.token_type).toBe('Bearer')
    const form = { grant_type: UMA_TICKET, ticket: two, ...(await prove(two)) }
    expect((await call(`${origin}/token`, { form, basic, dpop: await newDpopKey() })).json.token_type).toBe('DPoP')
  })

  it('UMA Grant 3.3.5.1: what is no RPT or PCT of this guest and client is not built upon, and nobody is told (SPECS G-61, G-76)', async () => {
    const old = await s.rpt()
    for (const more of [{ rpt: 'garbage' }, { rpt: s.service.pat }, { pct: 'x' }, { pct: old }] as Record<string, string>[]) {
      const id = await thing(['view'], ['view'])
      const answer = await s.redeem(view(id, 'view'), more)
      expect(answer.json).not.toHaveProperty('upgraded')
      expect(answer.json).not.toHaveProperty('pct')
      expect(await permitted(answer)).toEqual({ [id]: ['view'] })
    }
    expect((await s.service.introspect(old)).active).toBe(true)
  })

  it('TESTS UG-27: other parameters name nothing into the token', async () => {
    const [mine, other] = [await thing(['view'], ['view']), await thing(['view', 'edit'], ['view', 'edit'])]
    const more = {
      permission: `${other}#view`,
      resource_id: other,
      permissions: JSON.stringify([view(other, 'edit')]),
      audience: s.service.client.id,
      'resource-type': 'x',
    }
    expect(await permitted(await s.redeem(view(mine, 'view'), more))).toEqual({ [mine]: ['view'] })
  })
})

describe('UMA Grant 3.3.6: need_info', () => {
  it('UMA Grant 3.3.6: 403 with a new ticket, the type of claim and where the person can go; never whose claim (DESIGN 7 I9)', async () => {
    const ticket = await s.ticket()
    const answer = await s.app.token(ticket)
    expectRefusal(answer, 403, 'need_info')
    expect(answer.json).toEqual({
      error: 'need_info',
      error_description: expect.any(String),
      ticket: expect.stringMatching(/^[\w-]{100,8192}$/),
      required_claims: [
        {
          name: 'email',
          friendly_name: 'E-mail address',
          claim_type: 'urn:oid:0.9.2342.19200300.100.1.3',
          claim_token_format: [
            'dc+sd-jwt',
            'http://openid.net/specs/openid-connect-core-1_0.html#IDToken',
            'urn:ietf:params:oauth:token-type:jwt',
          ],
        },
      ],
      redirect_user: `${origin}/uma/claims`,
    })
    expect(answer.json.ticket).not.toBe(ticket)
    expect(answer.text).not.toContain(s.known.address)
  })

  it('UMA Grant 5.5: the ticket that was presented is used up; the new one works', async () => {
    const ticket = await s.ticket()
    const next = String((await s.app.token(ticket)).json.ticket)
    expectRefusal(await s.app.token(ticket, await prove(ticket)), 400, 'invalid_grant')
    expect((await s.app.token(next, await prove(next))).status).toBe(200)
    expectRefusal(await s.app.token(next, await prove(next)), 400, 'invalid_grant')
  })

  it('DESIGN decision 6: three rounds that bring nothing new, then it is over, without a ticket', async () => {
    let ticket = await s.ticket()
    const seen = new Set([ticket])
    for (let round = 1; round <= 3; round++) {
      const answer = await s.app.token(ticket, round === 2 ? { claim_token: 'nonsense', claim_token_format: 'dc+sd-jwt' } : {})
      expectRefusal(answer, 403, 'need_info')
      ticket = String(answer.json.ticket)
      expect(seen.has(ticket)).toBe(false)
      seen.add(ticket)
    }
    const end = await s.app.token(ticket)
    expectRefusal(end, 403, 'request_denied')
    expect(Object.keys(end.json).toSorted()).toEqual(['error', 'error_description'])
    expect(await isSpent(ticket)).toBe(true)
  })

  it('UMA Grant 3.3.6: a claim token that is no good counts as none', async () => {
    const ticket = await s.ticket()
    const other = await s.ticket()
    const { claim_token } = await prove(ticket)
    const bad = [
      ['dc+sd-jwt', 'x'],
      ['dc+sd-jwt', 'a.b.c~~'],
      ['dc+sd-jwt', claim_token.slice(0, -6)],
      ['dc+sd-jwt', 'x'.repeat(40_000)],
      ['dc+sd-jwt', '__proto__'],
      ['dc+sd-jwt', '%00~'],
      ['unheard-of', claim_token],
      ['DC+SD-JWT', claim_token],
      ['__proto__', claim_token],
      ['http://openid.net/specs/openid-connect-core-1_0.html#IDToken', claim_token],
      // Made for another ticket.
      ['dc+sd-jwt', (await prove(other)).claim_token],
      ['dc+sd-jwt', await presentFor(s.credential, ticket, { aud: 'https://evil.example' })],
    ] as const
    for (const [claim_token_format, token] of bad) {
      const fresh = await s.ticket()
      expectRefusal(await s.app.token(fresh, { claim_token: token, claim_token_format }), 403, 'need_info')
    }
    expect((await s.app.token(ticket, { claim_token, claim_token_format: 'dc+sd-jwt' })).status).toBe(200)
  })

  it('UMA Grant 3.3.1: claim_token and its format come together, and once (SPECS G-22, G-23)', async () => {
    const ticket = await s.ticket()
    const proof = await prove(ticket)
    expectRefusal(await s.app.token(ticket, { claim_token: proof.claim_token }), 400, 'invalid_request')
    expectRefusal(await s.app.token(ticket, { claim_token_format: 'dc+sd-jwt' }), 400, 'invalid_request')
    const twice: [string, string][] = [
      ['grant_type', UMA_TICKET],
      ['ticket', ticket],
      ['client_id', s.app.client.id],
      ['claim_token', proof.claim_token],
      ['claim_token_format', 'dc+sd-jwt'],
      ['claim_token', 'x'],
    ]
    expectRefusal(await call(`${origin}/token`, { form: twice, ...(s.app.key && { dpop: s.app.key }) }), 400, 'invalid_request')
    // A request that is none has presented nothing.
    expect((await s.app.token(ticket, proof)).status).toBe(200)
  })
})

describe('UMA Grant 3.3.6: invalid_grant', () => {
  it('UMA Grant 5.5: a second time after success, denial or invalid_scope', async () => {
    const success = await s.ticket()
    expect((await s.app.token(success, await prove(success))).status).toBe(200)
    const nobody = await thing(['view'])
    const denied = await s.service.ticket(view(nobody, 'view'))
    expectRefusal(await s.app.token(denied), 403, 'request_denied')
    const scope = await s.ticket()
    expectRefusal(await s.app.token(scope, { scope: 'unheard-of' }), 400, 'invalid_scope')
    for (const ticket of [success, denied, scope]) {
      const again = await s.app.token(ticket, await prove(ticket))
      expectRefusal(again, 400, 'invalid_grant')
      expect(again.json).not.toHaveProperty('ticket')
    }
  })

  it('UMA Grant 3.3.6: what is no ticket, or not whole', async () => {
    const ticket = await s.ticket()
    const rpt = await s.rpt()
    for (const bad of [
      'x',
      ' ',
      `${ticket}x`,
      ticket.slice(0, -1),
      `${ticket.slice(0, 50)}${ticket[50] === 'A' ? 'B' : 'A'}${ticket.slice(51)}`,
      `${ticket}.`,
      rpt,
      s.service.pat,
      random(100),
      'A'.repeat(16_384),
      'x'.repeat(50_000),
      '__proto__',
      '"',
      '\u0000',
      `${ticket},${ticket}`,
    ]) {
      expectRefusal(await s.app.token(bad), 400, 'invalid_grant')
    }
    expectRefusal(await s.app.token(''), 400, 'invalid_request')
    expectRefusal(await s.app.token(ticket), 403, 'need_info')
  })

  it('UMA Grant 3.3.2: a ticket that went to the claims page is used up here', async () => {
    const ticket = await s.ticket()
    const query = new URLSearchParams({ client_id: s.app.client.id, ticket, claims_redirect_uri: s.app.claimsRedirectUri })
    expect((await call(`${origin}/uma/claims?${query}`, { headers: { accept: 'text/html' } })).status).toBe(303)
    expectRefusal(await s.app.token(ticket), 400, 'invalid_grant')
  })

  it('SPECS G-26: who is no client, or may not do this, uses nothing up', async () => {
    const ticket = await s.ticket()
    const form = { grant_type: UMA_TICKET, ticket }
    expectRefusal(await call(`${origin}/token`, { form }), 401, 'invalid_client')
    expectRefusal(await call(`${origin}/token`, { form: { ...form, client_id: 'nobody' } }), 401, 'invalid_client')
    const { client } = s.service
    expectRefusal(await call(`${origin}/token`, { form, basic: { id: client.id, secret: 'x' } }), 401, 'invalid_client')
    expectRefusal(
      await call(`${origin}/token`, { form, basic: { id: client.id, secret: client.secret ?? '' } }),
      400,
      'unauthorized_client',
    )
    expectRefusal(await call(`${origin}/token`, { form: { ...form, client_id: s.app.client.id } }), 400, 'invalid_dpop_proof')
    expect((await s.app.token(ticket, await prove(ticket))).status).toBe(200)
  })
})

describe('SPECS G-27: a process belongs to its first client', () => {
  const replays = async () =>
    ((await s.wallet.call('/owner/activity?limit=20')).json.items as Json[]).filter(({ event }) => event === 'ticket_replayed')

  it('TESTS UG-29: anybody may begin; what follows is for that client alone, and the owner hears of others', async () => {
    const stranger = await registerApp(s.server)
    const ticket = await s.ticket()
    const next = String((await stranger.token(ticket)).json.ticket)
    const before = (await replays()).length
    expectRefusal(await s.app.token(next, await prove(next)), 400, 'invalid_grant')
    const heard = await replays()
    expect(heard.length).toBe(before + 1)
    expect(heard[0]).toMatchObject({ client_id: s.app.client.id })
    // UMA Grant 5.5: it was presented; who should have had it begins anew.
    expectRefusal(await stranger.token(next), 400, 'invalid_grant')
  })

  it('SPECS G-27: the key counts like the client', async () => {
    const app = await registerApp(s.server, 'confidential')
    const basic = { id: app.client.id, secret: app.client.secret ?? '' }
    const first = await call(`${origin}/token`, {
      form: { grant_type: UMA_TICKET, ticket: await s.ticket() },
      basic,
      dpop: await newDpopKey(),
    })
    const next = String(first.json.ticket)
    expectRefusal(
      await call(`${origin}/token`, {
        form: { grant_type: UMA_TICKET, ticket: next, ...(await prove(next)) },
        basic,
        dpop: await newDpopKey(),
      }),
      400,
      'invalid_grant',
    )
    const second = await call(`${origin}/token`, {
      form: { grant_type: UMA_TICKET, ticket: await s.ticket() },
      basic,
      dpop: await newDpopKey(),
    })
    expectRefusal(await app.token(String(second.json.ticket)), 400, 'invalid_grant')
  })

  it('UMA Grant 3.3.3: a ticket from the claims page is for the client that sent the person there', async () => {
    const guest = await s.guest()
    const next = await gatherByMail(s.server, guest, s.app, await s.ticket())
    const stranger = await registerApp(s.server)
    expectRefusal(await stranger.token(next), 400, 'invalid_grant')
  })
})

describe('UMA Grant 3.3.4: set mathematics', () => {
  it('UMA Grant 3.3.4: a thing without shares is denied, also without any question (SPECS G-88)', async () => {
    const answer = await s.app.token(await s.service.ticket(view(await thing(['view']), 'view')))
    expectRefusal(answer, 403, 'request_denied')
    expect(answer.json).not.toHaveProperty('ticket')
  })

  it('TESTS UG-16, UG-17: what is not shared is left out; the rest is granted', async () => {
    const [one, two] = [await thing(['view', 'edit'], ['view']), await thing(['view'])]
    expect(await permitted(await s.redeem([view(one, 'view', 'edit'), view(two, 'view')]))).toEqual({ [one]: ['view'] })
  })

  it('UMA Grant 3.3.4: somebody else’s address is nobody’s', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    await share(s.wallet, id, bob().address)
    expectRefusal(await s.redeem(view(id, 'view')), 403, 'request_denied')
  })

  it('TESTS UG-18: a permission without scopes opens nothing, unless scopes are asked for', async () => {
    const id = await thing(['view', 'edit'], ['view'])
    expectRefusal(await s.redeem(view(id)), 403, 'request_denied')
    const app = await registerApp(s.server, 'public', { scope: 'view edit' })
    const ticket = await s.service.ticket(view(id))
    expect(await permitted(await app.token(ticket, { ...(await prove(ticket)), scope: 'view' }))).toEqual({ [id]: ['view'] })
  })

  it('TESTS UG-14: a scope that is registered, asked for and offered is added; the others are not', async () => {
    const [one, two] = [await thing(['view', 'edit', 'print'], ['view', 'edit', 'print']), await thing(['view'], ['view'])]
    const app = await registerApp(s.server, 'public', { scope: 'edit other' })
    const get = async (scope: string, permissions: Json[]) => {
      const ticket = await s.service.ticket(permissions)
      return app.token(ticket, { ...(await prove(ticket)), scope })
    }
    expect(await permitted(await get('edit', [view(one, 'view'), view(two, 'view')]))).toEqual({ [one]: ['view', 'edit'], [two]: ['view'] })
    // SPECS G-49: not registered, so not added; in the ticket, so assessed.
    expect(await permitted(await get('print', [view(one, 'view')]))).toEqual({ [one]: ['view'] })
    expect(await permitted(await get('print edit', [view(one, 'print')]))).toEqual({ [one]: ['print', 'edit'] })
    // SPECS G-48: registration never limits what the ticket names.
    expect(await permitted(await get('', [view(one, 'print')]))).toEqual({ [one]: ['print'] })
  })

  it('TESTS UG-15: a scope that no thing of the ticket has is invalid_scope; so is one that is none', async () => {
    const id = await thing(['view', 'edit'], ['view'])
    for (const scope of ['unheard-of', 'view unheard-of', 'openid', 'VIEW', 'uma_protection', '__proto__']) {
      const ticket = await s.service.ticket(view(id, 'view'))
      expectRefusal(await s.app.token(ticket, { ...(await prove(ticket)), scope }), 400, 'invalid_scope')
      expect(await isSpent(ticket)).toBe(true)
    }
    for (const scope of ['"view"', 'a\\b', 'vi\u0000ew', 'vüew', 'x'.repeat(50_000), 'x '.repeat(25_000)]) {
      const ticket = await s.service.ticket(view(id, 'view'))
      const begin = performance.now()
      expectRefusal(await s.app.token(ticket, { scope }), 400, 'invalid_scope')
      expect(performance.now() - begin).toBeLessThan(1500)
      expect(await isSpent(ticket)).toBe(false)
    }
  })

  it('UMA Grant 3.3.4: the example of the specification (SPECS G-53)', async () => {
    const photo = ['view', 'resize', 'print', 'download']
    const [photo1, photo2, album] = [await thing(photo, ['view']), await thing(photo), await thing(['view', 'edit', 'download'])]
    const app = await registerApp(s.server, 'public', { scope: 'download' })
    const ticket = await s.service.ticket([view(album, 'edit'), view(photo1, 'view'), view(photo2, 'view')])
    expect(await permitted(await app.token(ticket, { ...(await prove(ticket)), scope: 'download' }))).toEqual({ [photo1]: ['view'] })
  })

  it('UMA FedAuthz 3.2: what was removed between ticket and token is not granted, and nothing breaks (TESTS FA-11, FA-13)', async () => {
    const [gone, less, whole] = [
      await thing(['view'], ['view']),
      await thing(['view', 'edit'], ['view', 'edit']),
      await thing(['view'], ['view']),
    ]
    const permissions = [view(gone, 'view'), view(less, 'view', 'edit'), view(whole, 'view')]
    const [ticket, onlyGone, onlyLess] = [
      await s.service.ticket(permissions),
      await s.service.ticket(view(gone, 'view')),
      await s.service.ticket(view(less, 'edit')),
    ]
    await s.service.call(`/uma/resource/${gone}`, { method: 'DELETE' })
    await s.service.call(`/uma/resource/${less}`, { method: 'PUT', json: { resource_scopes: ['view'] } })
    expect(await permitted(await s.app.token(ticket, await prove(ticket)))).toEqual({ [less]: ['view'], [whole]: ['view'] })
    for (const dead of [onlyGone, onlyLess]) expectRefusal(await s.app.token(dead, await prove(dead)), 403, 'request_denied')
  })

  it('UMA Grant 6.1: what was stopped between ticket and token is not granted; what was shared is', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    const shared = await share(s.wallet, id, s.known.address)
    const [before, after] = [await s.service.ticket(view(id, 'view')), await s.service.ticket(view(id, 'view'))]
    await stopSharing(s.wallet, shared)
    expectRefusal(await s.app.token(before, await prove(before)), 403, 'request_denied')
    await share(s.wallet, id, s.known.address)
    expect(await permitted(await s.app.token(after, await prove(after)))).toEqual({ [id]: ['view'] })
  })
})

describe('RFC 8707 2: resource', () => {
  it('RFC 8707 2: the resource server of the ticket, in any spelling, once or more', async () => {
    for (const resource of [s.service.origin, `${s.service.origin}/`, s.service.origin.toUpperCase(), `${s.service.origin}:443`])
      expect((await s.redeem(view(s.resource, 'view'), { resource })).status).toBe(200)
    const ticket = await s.ticket()
    const proof = await prove(ticket)
    const form: [string, string][] = [
      ['grant_type', UMA_TICKET],
      ['ticket', ticket],
      ['client_id', s.app.client.id],
      ...Object.entries(proof),
      ['resource', s.service.origin],
      ['resource', `${s.service.origin}/`],
    ]
    expect((await call(`${origin}/token`, { form, ...(s.app.key && { dpop: s.app.key }) })).status).toBe(200)
  })

  it('RFC 8707 2: anything else is invalid_target, and the ticket is used up (SPECS G-29)', async () => {
    for (const resource of [
      'https://evil.example',
      `${s.service.origin}.evil.example`,
      `${s.service.origin}/x`,
      `${s.service.origin}#x`,
      origin,
      s.service.origin.replace('https', 'http'),
      'nonsense',
      '/',
      '__proto__',
    ]) {
      const ticket = await s.ticket()
      expectRefusal(await s.app.token(ticket, { ...(await prove(ticket)), resource }), 400, 'invalid_target')
      expectRefusal(await s.app.token(ticket, { resource }), 400, 'invalid_grant')
    }
    const ticket = await s.ticket()
    const form: [string, string][] = [
      ['grant_type', UMA_TICKET],
      ['ticket', ticket],
      ['client_id', s.app.client.id],
      ['resource', s.service.origin],
      ['resource', 'https://evil.example'],
    ]
    expectRefusal(await call(`${origin}/token`, { form, ...(s.app.key && { dpop: s.app.key }) }), 400, 'invalid_target')
  })
})

describe('UMA Grant 5.5: time', () => {
  let as: Running
  let alice: Alice
  let service: Service
  let app: App
  beforeAll(async () => {
    as = await ownAs()
    alice = await signIn(as)
    service = await connectService(as, alice)
    app = await registerApp(as, 'confidential')
  })
  afterAll(() => as.stop())

  it('TESTS UG-05: a ticket lives for ten minutes, and each that follows for ten of its own', async () => {
    const wallet = await connectWallet(as, alice)
    const id = await service.register({ resource_scopes: ['view'] })
    await share(wallet, id, bob().address)
    const [early, late] = [await service.ticket(view(id, 'view')), await service.ticket(view(id, 'view'))]
    await as.setClock(590)
    const answer = await app.token(early)
    expectRefusal(answer, 403, 'need_info')
    await as.setClock(605)
    expectRefusal(await app.token(late), 400, 'invalid_grant')
    await as.setClock(1180)
    const next = await app.token(String(answer.json.ticket))
    expectRefusal(next, 403, 'need_info')
    await as.setClock(1180 + 601)
    expectRefusal(await app.token(String(next.json.ticket)), 400, 'invalid_grant')
    await as.setClock(0)
  })
})

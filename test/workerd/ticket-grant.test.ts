// The uma-ticket grant (UMA Grant 3.3): one use of a ticket, set mathematics, need_info by rounds, who a process belongs to.
import { beforeAll, describe, expect, it } from 'vitest'
import { registerApp, share, UMA_TICKET } from '../support/actors.ts'
import { type Answer, call, expectStatus, newDpopKey } from '../support/http.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'
import { presentFor } from '../support/proofs.ts'

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

  it('UMA Grant 3.3.4: of two things the one that is allowed, or nothing for a client that registers so', async () => {
    const [mine, other] = [await thing(['view'], ['view']), await thing(['view'])]
    const whole = await registerApp(s.server, 'public', { uma_partial: false })
    expect(whole.client.metadata.uma_partial).toBe(false)
    const outcome = async (app: typeof whole, ...ids: string[]): Promise<string> => {
      const ticket = await s.service.ticket(ids.map((id) => view(id, 'view')))
      const answer = await app.token(ticket, await prove(ticket))
      return answer.status === 200 ? Object.keys(await permitted(answer)).join() : String(answer.json.error)
    }
    expect([await outcome(s.app, mine, other), await outcome(whole, mine, other), await outcome(whole, mine)]).toEqual([
      mine,
      'request_denied',
      mine,
    ])
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

// What a ticket brings: set mathematics (UMA Grant 3.3.4) and the resource server it is for (RFC 8707).
import { beforeAll, describe, expect, it } from 'vitest'
import { bob, registerApp, share, stopSharing, UMA_TICKET } from '../support/actors.ts'
import { type Answer, call, expectStatus, type Json } from '../support/http.ts'
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

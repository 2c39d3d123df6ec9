// The permission endpoint (UMA FedAuthz 4): a service asks for a ticket for what it registered for this owner, and for nothing else.
import { beforeAll, describe, expect, it } from 'vitest'
import { connectService, share, signIn } from '../support/actors.ts'
import { type Cast, cast, expectRefusal } from '../support/odd-requests.ts'

let s: Cast
let one: string
let two: string
beforeAll(async () => {
  s = await cast()
  one = await s.service.register({ resource_scopes: ['view', 'edit'] })
  two = await s.service.register({ resource_scopes: ['view', 'print'] })
  for (const id of [one, two]) await share(s.wallet, id, s.known.address)
})
const ask = (json: unknown, by = s.service) => by.call('/uma/permission', { json })
const permission = (resource_id: unknown, ...resource_scopes: unknown[]) => ({ resource_id, resource_scopes })
/** What an RPT for the ticket of these permissions permits. */
const outcome = async (json: ReturnType<typeof permission>[]) => {
  const answer = await s.redeem(json)
  const found = await s.service.introspect(String(answer.json.access_token))
  return (found.permissions as { resource_id: string; resource_scopes: string[] }[])
    .map((got) => [got.resource_id, got.resource_scopes])
    .toSorted()
}

describe('UMA FedAuthz 4.2: tickets', () => {
  it('UMA FedAuthz 4.2: 201 and a ticket, for one object or a list of them', async () => {
    for (const json of [
      permission(one, 'view'),
      [permission(one, 'view')],
      [permission(one, 'view'), permission(two, 'view', 'print')],
      permission(one),
      [permission(one), permission(two)],
    ]) {
      const answer = await ask(json)
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
      expect(answer.json).toEqual({ ticket: expect.stringMatching(/^[\w-]{100,5500}$/) })
    }
  })

  it('UMA Grant 5.4: no two tickets are alike, and none shows what it is for', async () => {
    const tickets = await Promise.all(Array.from({ length: 20 }, () => s.service.ticket(permission(one, 'view'))))
    expect(new Set(tickets.map((ticket) => ticket.slice(2, 20))).size).toBe(20)
    const decoded = Buffer.from(tickets[0] ?? '', 'base64url').toString('latin1')
    for (const secret of [one, 'view', s.service.client.id]) expect(decoded).not.toContain(secret)
  })

  it('UMA FedAuthz 4.2: the ticket stands for the same permissions, all of them', async () => {
    expect(await outcome([permission(one, 'view'), permission(two, 'view')])).toEqual(
      [
        [one, ['view']],
        [two, ['view']],
      ].toSorted(),
    )
  })

  it('UMA FedAuthz 4.1: a resource that is named twice has the scopes of both (SPECS F-37)', async () => {
    const id = await s.service.register({ resource_scopes: ['view', 'edit'] })
    await share(s.wallet, id, s.known.address, { resource_scopes: ['view', 'edit'] })
    expect(await outcome([permission(id, 'view'), permission(id, 'edit'), permission(id, 'view')])).toEqual([[id, ['view', 'edit']]])
  })

  it('UMA Grant 3.1: a thing that nobody was given has a ticket all the same (SPECS G-10)', async () => {
    const id = await s.service.register({ resource_scopes: ['view'] })
    expect((await ask(permission(id, 'view'))).status).toBe(201)
    expectRefusal(await s.redeem(permission(id, 'view')), 403, 'request_denied')
  })

  it('UMA Grant 1.1: unknown members are ignored, and grant nothing', async () => {
    const json = { ...permission(one, 'view'), permissions: [permission(two, 'view')], claims: { email: 'x' }, exp: 1, owner: 'x' }
    expect(await outcome([json])).toEqual([[one, ['view']]])
  })

  it('UMA Grant 3.2.1: a ticket fits into a header: what would not is refused here, not at the token endpoint', async () => {
    const many = await s.service.register({ resource_scopes: Array.from({ length: 60 }, (_, i) => `scope-${i}-${'x'.repeat(200)}`) })
    const scopes = (count: number) => Array.from({ length: count }, (_, i) => `scope-${i}-${'x'.repeat(200)}`)
    expectRefusal(await ask(permission(many, ...scopes(60))), 400, 'invalid_request')
    const some = await ask(permission(many, ...scopes(16)))
    expect(some.status).toBe(201)
    expectRefusal(await s.app.token(String(some.json.ticket)), 403, 'request_denied')
  })
})

describe('UMA FedAuthz 4.3: refusals', () => {
  it('UMA FedAuthz 4.3: an id that is not registered is invalid_resource_id, wherever it stands in the list', async () => {
    for (const bad of ['x', ' ', '__proto__', "'--", `${one}x`, one.toUpperCase(), '\u0000', 'x'.repeat(256)]) {
      for (const json of [
        permission(bad, 'view'),
        [permission(one, 'view'), permission(bad, 'view')],
        [permission(bad), permission(one, 'view')],
      ])
        expectRefusal(await ask(json), 400, 'invalid_resource_id')
    }
  })

  it('UMA FedAuthz 4.3: a scope that is not registered for its resource is invalid_scope, also if it is for another one', async () => {
    for (const json of [
      permission(one, 'print'),
      permission(one, 'view', 'print'),
      permission(one, 'VIEW'),
      permission(one, 'view '),
      [permission(two, 'print'), permission(one, 'print')],
      permission(one, '__proto__'),
    ]) {
      expectRefusal(await ask(json), 400, 'invalid_scope')
    }
    // An unknown resource is said first.
    expectRefusal(await ask([permission(one, 'print'), permission('x', 'view')]), 400, 'invalid_resource_id')
  })

  it.each<[string, () => unknown]>([
    ['an empty list', () => []],
    ['an empty object', () => ({})],
    ['no id', () => ({ resource_scopes: ['view'] })],
    ['no scopes', () => ({ resource_id: one })],
    ['scopes that are no list', () => ({ resource_id: one, resource_scopes: 'view' })],
    ['scopes of null', () => ({ resource_id: one, resource_scopes: null })],
    ['a scope that is no text', () => permission(one, 5)],
    ['an empty scope', () => permission(one, '')],
    ['an empty id', () => permission('', 'view')],
    ['an id that is no text', () => permission([one], 'view')],
    ['the names of UMA 1', () => ({ resource_set_id: one, scopes: ['view'] })],
    ['a list in a list', () => [[permission(one, 'view')]]],
    ['a good one and null', () => [permission(one, 'view'), null]],
    ['65 permissions', () => Array.from({ length: 65 }, () => permission(one, 'view'))],
    ['65 scopes', () => permission(one, ...Array.from({ length: 65 }, () => 'view'))],
    ['a text', () => one],
  ])('UMA FedAuthz 4.1: %s is invalid_request', async (_why, json) => {
    expectRefusal(await ask(json()), 400, 'invalid_request')
  })

  it('TESTS FA-18, FA-19: things of another service or another owner are unknown, also beside own ones', async () => {
    const sameOwner = await connectService(s.server, s.alice)
    const otherOwner = await connectService(s.server, await signIn(s.server))
    for (const other of [sameOwner, otherOwner]) {
      const own = await other.register({ resource_scopes: ['view'] })
      for (const json of [permission(one, 'view'), [permission(own, 'view'), permission(one, 'view')]]) {
        expectRefusal(await ask(json, other), 400, 'invalid_resource_id')
      }
      expect((await ask(permission(own, 'view'), other)).status).toBe(201)
      // Foreign and unknown are told apart by nothing.
      expect((await ask(permission(one, 'nonsense'), other)).text).toBe((await ask(permission('x', 'view'), other)).text)
    }
  })

  it('UMA FedAuthz 3.2.3: a scope that was taken off is not to be had from then on', async () => {
    const id = await s.service.register({ resource_scopes: ['view', 'edit'] })
    await s.service.call(`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes: ['view'] } })
    expectRefusal(await ask(permission(id, 'edit')), 400, 'invalid_scope')
    expect((await ask(permission(id, 'view'))).status).toBe(201)
  })
})

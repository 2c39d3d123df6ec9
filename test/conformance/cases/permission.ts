// The permission endpoint (UMA FedAuthz 4).
import type { Case } from '../lib/case.ts'
import { good, must } from '../lib/case.ts'
import { granted, isFinal, isJson, isNoStore, ok, refused, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { hasExactly } from '../lib/world.ts'

const BAD: readonly (readonly [string, (id: string) => unknown])[] = [
  ['that is empty', () => []],
  ['without resource_id', () => ({ resource_scopes: ['view'] })],
  ['without resource_scopes', (id) => ({ resource_id: id })],
  ['whose resource_scopes are no array', (id) => ({ resource_id: id, resource_scopes: 'view' })],
  ['with a scope that is no string', (id) => ({ resource_id: id, resource_scopes: [1] })],
  ['whose resource_id is no string', () => ({ resource_id: 7, resource_scopes: ['view'] })],
  ['of UMA 1 (resource_set_id, scopes)', (id) => ({ resource_set_id: id, scopes: ['view'] })],
  ['with one good and one broken entry', (id) => [{ resource_id: id, resource_scopes: ['view'] }, { resource_id: id }]],
  ['that is null', () => null],
  ['that is a string', (id) => id],
]

const refusals = BAD.map(
  ([what, body]): Case =>
    must(`UMA FedAuthz 4.1: a request ${what} is invalid_request`, 'F-31 F-36 FA-15', async (w) => {
      const { id, rs } = await w.thing()
      const answer = refused(await rs.askPermission(body(id)), 400, 'invalid_request', 'permission')
      ok(answer.json.ticket === undefined, 'a refusal carries a ticket')
    }),
)

export const permission = [
  must('UMA FedAuthz 4.2: a single permission brings 201 and a ticket', 'F-30 F-31 F-35 G-11 FA-14', async (w) => {
    const { id, rs } = await w.thing()
    const answer = status(await rs.askPermission({ resource_id: id, resource_scopes: ['view'] }), 201, 'permission')
    isNoStore(isJson(answer, 'permission'), 'permission')
    ok(typeof answer.json.ticket === 'string' && answer.json.ticket !== '', 'no ticket')
  }),
  must('UMA FedAuthz 4.2: several permissions bring one ticket that stands for all of them', 'F-31 F-34 F-35 FA-15', async (w) => {
    const [one, two, app, bob] = await Promise.all([w.thing(), w.thing(['view', 'edit']), w.app(), w.bob()])
    await Promise.all([w.share(one, bob), w.share(two, bob, ['view', 'edit'])])
    const permissions = [
      { resource_id: one.id, resource_scopes: ['view'] },
      { resource_id: two.id, resource_scopes: ['edit', 'view'] },
    ]
    const ticket = await one.rs.ticket(permissions)
    await hasExactly(one.rs, granted(await w.present(app, ticket, bob), 'the ticket'), permissions, 'the RPT')
  }),
  must('UMA FedAuthz 4.1: an array of one is the same as the object', 'F-31', async (w) => {
    const { id, rs } = await w.thing()
    status(await rs.askPermission([{ resource_id: id, resource_scopes: ['view'] }]), 201, 'an array of one')
  }),
  must('UMA FedAuthz 4.1: a permission may have no scopes', 'F-31 F-34', async (w) => {
    const { id, rs } = await w.thing()
    status(await rs.askPermission({ resource_id: id, resource_scopes: [] }), 201, 'no scopes')
  }),
  must('UMA Grant 3.1: a resource without any policy has tickets too', 'G-10', async (w) => {
    const thing = await w.thing()
    isFinal(await (await w.app()).token(await thing.ticket()), 'request_denied', 'the ticket')
  }),
  must('UMA FedAuthz 4.1: each request brings a ticket of its own', 'F-35 G-79', async (w) => {
    const thing = await w.thing()
    const [one, two] = [await thing.ticket(), await thing.ticket()]
    ok(one !== two, 'twice the same ticket')
  }),
  must('UMA FedAuthz 4.3: an unknown resource_id is invalid_resource_id', 'F-33 F-36 FA-16', async (w) => {
    const rs = await w.rs()
    refused(await rs.askPermission({ resource_id: random(16), resource_scopes: ['view'] }), 400, 'invalid_resource_id', 'permission')
  }),
  must('UMA FedAuthz 4.3: a scope that was not registered for the resource is invalid_scope', 'F-33 F-36 FA-17', async (w) => {
    const [one, two] = await Promise.all([w.thing(['view']), w.thing(['edit'])])
    refused(
      await one.rs.askPermission({ resource_id: one.id, resource_scopes: ['view', 'fly'] }),
      400,
      'invalid_scope',
      'nowhere registered',
    )
    refused(
      await one.rs.askPermission({ resource_id: one.id, resource_scopes: ['edit'] }),
      400,
      'invalid_scope',
      `registered for ${two.id} only`,
    )
    refused(await one.rs.askPermission({ resource_id: one.id, resource_scopes: ['View'] }), 400, 'invalid_scope', 'in another case')
  }),
  must('UMA FedAuthz 4.3: one wrong permission refuses the whole request', 'F-36 FA-15 FA-16', async (w) => {
    const { id, rs } = await w.thing()
    const good = { resource_id: id, resource_scopes: ['view'] }
    const unknown = refused(
      await rs.askPermission([good, { resource_id: random(16), resource_scopes: [] }]),
      400,
      'invalid_resource_id',
      'an unknown id',
    )
    const wrong = refused(
      await rs.askPermission([good, { resource_id: id, resource_scopes: ['fly'] }]),
      400,
      'invalid_scope',
      'a wrong scope',
    )
    ok(unknown.json.ticket === undefined && wrong.json.ticket === undefined, 'a refusal carries a ticket')
  }),
  ...refusals,
  must('UMA FedAuthz 4.1: a body that is no JSON is invalid_request', 'F-36 HT-02', async (w) => {
    const rs = await w.rs()
    const url = w.endpoint('permission_endpoint')
    refused(await rs.call(url, { body: '{', headers: { 'content-type': 'application/json' } }), 400, 'invalid_request', 'cut off')
    refused(await rs.call(url, { form: { resource_id: 'x', resource_scopes: 'view' } }), [400, 415], 'invalid_request', 'a form')
  }),
  must('UMA Grant 1.1: members of a permission that nobody knows are ignored', 'G-2', async (w) => {
    const { id, rs } = await w.thing()
    status(await rs.askPermission({ resource_id: id, resource_scopes: ['view'], claims: { a: 1 }, exp: 1 }), 201, 'unknown members')
  }),
  good('UMA FedAuthz 4.1: a resource that is named twice has the scopes of both', 'F-37', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(['view', 'edit']), w.app(), w.bob()])
    await w.share(thing, bob, ['view', 'edit'])
    const ticket = await thing.rs.ticket(['view', 'edit'].map((scope) => ({ resource_id: thing.id, resource_scopes: [scope] })))
    const rpt = granted(await w.present(app, ticket, bob), 'the ticket')
    await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view', 'edit'] }], 'the RPT')
  }),
  must('UMA FedAuthz 4: a resource that was deleted has no tickets', 'F-24 FA-11', async (w) => {
    const { id, rs } = await w.thing()
    await rs.call(rs.resourceUrl(id), { method: 'DELETE' })
    refused(await rs.askPermission({ resource_id: id, resource_scopes: ['view'] }), 400, 'invalid_resource_id', 'permission')
  }),
  must('UMA FedAuthz 4: a scope that was taken off a resource has no tickets', 'F-23 FA-12', async (w) => {
    const { id, rs } = await w.thing(['view', 'edit'])
    await rs.call(rs.resourceUrl(id), { method: 'PUT', json: { resource_scopes: ['view'] } })
    refused(await rs.askPermission({ resource_id: id, resource_scopes: ['edit'] }), 400, 'invalid_scope', 'the old scope')
    status(await rs.askPermission({ resource_id: id, resource_scopes: ['view'] }), 201, 'the one that is left')
  }),
  must('UMA FedAuthz 4: asking for a ticket grants nothing', 'F-30 G-88', async (w) => {
    const thing = await w.thing()
    const ticket = await thing.ticket()
    same(await thing.rs.introspect(ticket), { active: false }, 'the ticket as an RPT')
  }),
]

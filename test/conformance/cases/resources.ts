// Resource registration (UMA FedAuthz 3.1, 3.2): the five operations and what they refuse.
import type { Case } from '../lib/case.ts'
import { good, must } from '../lib/case.ts'
import { isJson, isNoStore, ok, refused, same, sameSet, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import type { Rs } from '../lib/world.ts'

const WHOLE = {
  resource_scopes: ['view', 'http://photoz.example.com/dev/scopes/print'],
  name: 'Tweedl Social Service "ünïcode" 🖼',
  'name#fr': 'Service social',
  description: 'Collection of digital photographs',
  icon_uri: 'https://www.example.com/icons/flower.png',
  type: 'http://www.example.com/rsrcs/photoalbum',
}

const listOf = async (rs: Rs): Promise<string[]> => {
  const list: unknown = JSON.parse(isJson(status(await rs.call(rs.resourceUrl()), 200, 'list'), 'list').text)
  ok(Array.isArray(list) && list.every((one) => typeof one === 'string'), 'the list is no array of strings')
  return list
}

const BAD: readonly (readonly [string, unknown])[] = [
  ['without resource_scopes', { name: 'x' }],
  ['with resource_scopes that are no array', { resource_scopes: 'view' }],
  ['with a scope that is no string', { resource_scopes: ['view', 7] }],
  ['with a name that is no string', { resource_scopes: ['view'], name: { a: 1 } }],
  ['that is no object', ['view']],
  ['that is null', null],
  ['of UMA 1 (scopes)', { name: 'x', scopes: ['view'] }],
]

const refusals = BAD.map(
  ([what, json]): Case =>
    must(`UMA FedAuthz 3.2: a description ${what} is refused`, 'F-14 F-20 F-21 FA-03', async (w) => {
      const rs = await w.rs()
      refused(await rs.call(rs.resourceUrl(), { json }), 400, 'invalid_request', 'create')
      const id = await rs.register({ resource_scopes: ['view'] })
      refused(await rs.call(rs.resourceUrl(id), { method: 'PUT', json }), 400, 'invalid_request', 'update')
      const { _id, resource_scopes } = (await rs.call(rs.resourceUrl(id))).json
      same([_id, resource_scopes], [id, ['view']], 'the resource afterwards')
    }),
)

export const resources = [
  must('UMA FedAuthz 3.2.1: create answers 201 with Location and _id', 'F-12 F-18 FA-03', async (w) => {
    const rs = await w.rs()
    const answer = isNoStore(isJson(status(await rs.create(WHOLE), 201, 'create'), 'create'), 'create')
    const { _id } = answer.json
    ok(typeof _id === 'string' && _id !== '', 'no _id')
    const location = answer.headers.get('location')
    ok(location, 'no Location')
    same((await rs.call(new URL(location, rs.resourceUrl()).href)).json._id, _id, 'the resource at Location')
  }),
  must('UMA FedAuthz 3.2: user_access_policy_uri, if it is there, is a URI', 'F-19', async (w) => {
    const rs = await w.rs()
    const { user_access_policy_uri: uri } = (await rs.create(WHOLE)).json
    ok(uri === undefined || URL.canParse(String(uri)), `user_access_policy_uri is ${uri}`)
  }),
  must('UMA FedAuthz 3.2.2: read gives the whole description with _id', 'F-14 F-18', async (w) => {
    const rs = await w.rs()
    const id = await rs.register(WHOLE)
    const { user_access_policy_uri: _uri, ...read } = isNoStore(status(await rs.call(rs.resourceUrl(id)), 200, 'read'), 'read').json
    same(read, { ...WHOLE, _id: id }, 'description')
  }),
  must('UMA FedAuthz 3.2.3: update answers 200 with _id and replaces the whole description', 'F-18 F-23 FA-04', async (w) => {
    const rs = await w.rs()
    const id = await rs.register(WHOLE)
    const next = { resource_scopes: ['edit'], description: 'Something else' }
    same(status(await rs.call(rs.resourceUrl(id), { method: 'PUT', json: next }), 200, 'update').json._id, id, '_id')
    const { user_access_policy_uri: _uri, ...read } = (await rs.call(rs.resourceUrl(id))).json
    same(read, { ...next, _id: id }, 'description')
  }),
  must('UMA FedAuthz 3.2.4: delete answers 200 or 204, and the resource is gone', 'F-20 F-24 FA-11', async (w) => {
    const rs = await w.rs()
    const id = await rs.register(WHOLE)
    status(await rs.call(rs.resourceUrl(id), { method: 'DELETE' }), [200, 204], 'delete')
    status(await rs.call(rs.resourceUrl(id)), 404, 'read')
    status(await rs.call(rs.resourceUrl(id), { method: 'PUT', json: WHOLE }), 404, 'update')
    status(await rs.call(rs.resourceUrl(id), { method: 'DELETE' }), 404, 'delete again')
  }),
  must('UMA FedAuthz 3.2.5: list is an array of the ids of what is registered', 'F-22 F-25', async (w) => {
    const rs = await w.freshRs()
    same(await listOf(rs), [], 'before')
    const [one, two] = [await rs.register(WHOLE), await rs.register(WHOLE)]
    sameSet(await listOf(rs), [one, two], 'after two')
    await rs.call(rs.resourceUrl(one), { method: 'DELETE' })
    same(await listOf(rs), [two], 'after deleting one')
  }),
  must('UMA FedAuthz 3.2: an unknown resource is 404', 'F-20 FA-04', async (w) => {
    const rs = await w.rs()
    for (const id of [random(), 'x', '..%2f', '%00', "' OR 1=1"]) {
      for (const options of [{}, { method: 'PUT', json: WHOLE }, { method: 'DELETE' }])
        status(await rs.call(`${rs.resourceUrl('')}${id}`, options), [404, 400], `${options.method ?? 'GET'} ${id}`)
    }
    refused(await rs.call(rs.resourceUrl(random())), 404, 'not_found', 'read')
  }),
  must('UMA FedAuthz 3.2: a method that is not supported is 405', 'F-20 FA-04', async (w) => {
    const rs = await w.rs()
    const id = await rs.register(WHOLE)
    for (const [url, method] of [
      [rs.resourceUrl(id), 'PATCH'],
      [rs.resourceUrl(id), 'POST'],
      [rs.resourceUrl(), 'PUT'],
      [rs.resourceUrl(), 'DELETE'],
    ] as const)
      status(await rs.call(url, { method, json: WHOLE }), 405, `${method} ${url}`)
  }),
  ...refusals,
  must('UMA FedAuthz 3.2: a body that is no JSON is refused', 'F-20 HT-02', async (w) => {
    const rs = await w.rs()
    const send = (body: string, type: string) => rs.call(rs.resourceUrl(), { method: 'POST', body, headers: { 'content-type': type } })
    refused(await send('{"resource_scopes":["view"]', 'application/json'), 400, 'invalid_request', 'cut off')
    refused(await send('', 'application/json'), 400, 'invalid_request', 'empty')
    refused(await send('resource_scopes=view', 'application/x-www-form-urlencoded'), [400, 415], 'invalid_request', 'a form')
  }),
  good('UMA FedAuthz 3.2: a body without a JSON content type is refused', 'F-21 HT-02', async (w) => {
    const rs = await w.rs()
    const body = JSON.stringify(WHOLE)
    for (const type of ['text/plain', 'application/json; charset=utf-16', 'multipart/form-data'])
      refused(
        await rs.call(rs.resourceUrl(), { method: 'POST', body, headers: { 'content-type': type } }),
        [400, 415],
        'invalid_request',
        type,
      )
  }),
  good('UMA FedAuthz 3.1: a resource may have no scopes', 'F-21', async (w) => {
    status(await (await w.rs()).create({ resource_scopes: [], name: 'x' }), 201, 'no scopes')
  }),
  must('UMA Grant 1.1: members that nobody knows are ignored', 'G-2', async (w) => {
    const rs = await w.rs()
    const answer = status(await rs.create({ ...WHOLE, 'x-unknown': { a: [1] }, owner: 'somebody', _id: 'mine' }), 201, 'create')
    ok(answer.json._id !== 'mine', 'the client chose the _id')
    same((await rs.call(rs.resourceUrl(String(answer.json._id)))).json.owner, undefined, 'an unknown member')
  }),
  good('UMA FedAuthz 3.2: the endpoint is the same with and without a slash at the end', 'F-21', async (w) => {
    const rs = await w.rs()
    const bare = rs.resourceUrl().replace(/\/$/, '')
    for (const url of [bare, `${bare}/`]) {
      status(await rs.call(url, { json: WHOLE }), 201, `POST ${url}`)
      status(await rs.call(url), 200, `GET ${url}`)
    }
  }),
  must('UMA FedAuthz 3.2.1: the same description twice makes two resources', 'F-17 FA-09', async (w) => {
    const rs = await w.rs()
    const [one, two] = [await rs.register(WHOLE), await rs.register(WHOLE)]
    ok(one !== two, 'both have the same id')
  }),
  must('UMA FedAuthz 3.1.1: a scope may be a URI, word, or any other string', 'F-14 F-16', async (w) => {
    const rs = await w.rs()
    const resource_scopes = ['view', 'https://example.com/scopes/all?x=1#y', 'urn:example:scope', 'mit Leerzeichen', 'ünï']
    const id = await rs.register({ resource_scopes })
    sameSet((await rs.call(rs.resourceUrl(id))).json.resource_scopes as string[], resource_scopes, 'scopes')
    status(await rs.askPermission({ resource_id: id, resource_scopes }), 201, 'a ticket for all of them')
  }),
  good(
    'UMA FedAuthz 3.2.1: a creation that is repeated with the same Idempotency-Key makes one resource',
    'HT-14',
    async (w) => {
      const rs = await w.rs()
      const again = { json: WHOLE, headers: { 'idempotency-key': random() } }
      same((await rs.call(rs.resourceUrl(), again)).json._id, (await rs.call(rs.resourceUrl(), again)).json._id, '_id')
    },
    ['idempotency'],
  ),
]

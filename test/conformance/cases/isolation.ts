// Nothing crosses an owner or a resource server (UMA FedAuthz 1.3: a PAT is unique to owner, resource server and authorization server).
import { good, must } from '../lib/case.ts'
import { fail, granted, isFinal, ok, refused, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { hasExactly, type Rs, type World } from '../lib/world.ts'

const DESCRIPTION = { resource_scopes: ['view'], name: 'Mine' }

/** The owner's own resource at one resource server, and somebody who must not reach it. */
const strangersOf = async (w: World): Promise<{ mine: Rs; others: [string, Rs][] }> => {
  const [mine, sameOwner, sameService, neither] = await Promise.all([
    w.rs(),
    w.rs('alice', 'second'),
    w.rs('olga', 'first'),
    w.rs('olga', 'second'),
  ])
  return {
    mine,
    others: [
      ['another resource server of the owner', sameOwner],
      ['the same resource server for another owner', sameService],
      ['another resource server for another owner', neither],
    ],
  }
}

export const isolation = [
  must(
    'UMA FedAuthz 1.3: foreign resources cannot be read, changed or deleted, and answer like unknown ones',
    'F-4 FA-05 FA-06 I3',
    async (w) => {
      const { mine, others } = await strangersOf(w)
      const id = await mine.register(DESCRIPTION)
      for (const [who, rs] of others) {
        for (const options of [{}, { method: 'PUT', json: { resource_scopes: ['stolen'] } }, { method: 'DELETE' }]) {
          const foreign = status(await rs.call(rs.resourceUrl(id), options), 404, `${options.method ?? 'GET'} by ${who}`)
          const unknown = await rs.call(rs.resourceUrl(random(16)), options)
          same(foreign.json, unknown.json, `the answer for a foreign and for an unknown id, ${who}`)
        }
      }
      same((await mine.call(mine.resourceUrl(id))).json.resource_scopes, ['view'], 'the resource afterwards')
    },
  ),
  must('UMA FedAuthz 3.2.5: the list shows what this resource server registered for this owner', 'F-22 FA-05 FA-06 OW-08 I3', async (w) => {
    const { mine, others } = await strangersOf(w)
    const id = await mine.register(DESCRIPTION)
    ok((await mine.call(mine.resourceUrl())).text.includes(id), 'its own list lacks it')
    for (const [who, rs] of others) ok(!(await rs.call(rs.resourceUrl())).text.includes(id), `the list of ${who} shows it`)
  }),
  must('UMA FedAuthz 4.3: a foreign resource_id is invalid_resource_id, like an unknown one', 'F-33 F-36 F-37 FA-19 I3', async (w) => {
    const { mine, others } = await strangersOf(w)
    const id = await mine.register(DESCRIPTION)
    for (const [who, rs] of others) {
      const foreign = refused(await rs.askPermission({ resource_id: id, resource_scopes: ['view'] }), 400, 'invalid_resource_id', who)
      same(foreign.json, (await rs.askPermission({ resource_id: random(16), resource_scopes: ['view'] })).json, `the answers to ${who}`)
    }
  }),
  must('UMA FedAuthz 4.1: resources of two owners cannot be asked for together', 'F-32 FA-18 I3', async (w) => {
    const [alices, olgas] = await Promise.all([w.thing(), w.thing(['view'], { owner: 'olga' })])
    const both = [alices.id, olgas.id].map((resource_id) => ({ resource_id, resource_scopes: ['view'] }))
    refused(await alices.rs.askPermission(both), 400, 'invalid_resource_id', 'with a PAT of the first')
    refused(await olgas.rs.askPermission(both), 400, 'invalid_resource_id', 'with a PAT of the second')
  }),
  must('UMA FedAuthz 5.1: an RPT is inactive for every other PAT', 'F-46 F-47 IN-03 IN-05 G-61 I3', async (w) => {
    const { others } = await strangersOf(w)
    const { rpt, thing } = await w.opened()
    for (const [who, rs] of others) same(await rs.introspect(rpt), { active: false }, who)
    same((await thing.rs.introspect(rpt)).active, true, 'its own resource server')
  }),
  must('UMA Grant 3.3.4: equal names and types at two owners do not mix', 'PO-06 PO-07 I3', async (w) => {
    const [app, bob] = await Promise.all([w.app(), w.bob()])
    const description = { name: 'Holiday', type: 'https://example.com/types/album' }
    const [hers, alsoHers, his] = await Promise.all([
      w.thing(['view'], { description }),
      w.thing(['view'], { description }),
      w.thing(['view'], { owner: 'olga', description }),
    ])
    await w.share(hers, bob)
    await hasExactly(
      hers.rs,
      granted(await w.present(app, await hers.ticket(), bob), 'the one that is shared'),
      [{ resource_id: hers.id, resource_scopes: ['view'] }],
      'the RPT',
    )
    isFinal(await w.present(app, await alsoHers.ticket(), bob), 'request_denied', 'one of the same name and type')
    isFinal(await w.present(app, await his.ticket(), bob), 'request_denied', 'one of another owner')
  }),
  must(
    "UMA FedAuthz 1.3: the owner's interface is closed to strangers",
    'OW-01',
    async (w) => {
      for (const { url, call } of w.adapter.ownerApi?.() ?? fail('the profile names no owner API')) {
        status(await w.http.call(url, call), 401, `${call.method ?? 'GET or POST'} ${url} without a token`)
        status(await w.http.call(url, { ...call, bearer: random() }), 401, `${url} with garbage`)
      }
    },
    ['ownerApi'],
  ),
  must(
    "UMA FedAuthz 1.3: the owner's interface is closed to resource servers and clients",
    'OW-06 OW-08 OW-16',
    async (w) => {
      const [{ pat }, { rpt }] = await Promise.all([w.rs(), w.opened()])
      for (const { url, call } of w.adapter.ownerApi?.() ?? fail('the profile names no owner API')) {
        status(await w.http.call(url, { ...call, bearer: pat.token }), [401, 403], `${url} with a PAT`)
        status(await w.http.call(url, { ...call, bearer: rpt }), [401, 403], `${url} with an RPT`)
      }
    },
    ['ownerApi'],
  ),
  must("UMA FedAuthz 1.3: an owner sets no policy on another owner's resource", 'OW-02 OW-03 I3', async (w) => {
    const [thing, app, carol] = await Promise.all([w.thing(), w.app(), w.carol()])
    let isRefused = false
    try {
      await w.adapter.allow({ owner: 'olga', service: 'first', resource: thing.id, scopes: ['view'], person: carol })
    } catch {
      isRefused = true
    }
    isFinal(await w.present(app, await thing.ticket(), carol), 'request_denied', 'the ticket afterwards')
    ok(isRefused, 'the policy was accepted')
  }),
  good('UMA FedAuthz 5.1.1: what an RPT rests on is not told to the resource server', 'F-48', async (w) => {
    const { thing, rpt, person } = await w.opened()
    const found = JSON.stringify(await thing.rs.introspect(rpt))
    if (person.address !== undefined)
      ok(!found.toLowerCase().includes(person.address.toLowerCase()), 'the address of the requesting party is told')
  }),
]

// Authorization assessment (UMA Grant 3.3.4): whose scopes are granted, and which; and default deny (5.6).
import { good, must } from '../lib/case.ts'
import { granted, isFinal, notGranted, ok, same } from '../lib/check.ts'
import { type App, cellsOf, hasExactly, type Thing } from '../lib/world.ts'

const cell = (thing: Thing, ...resource_scopes: string[]) => ({ resource_id: thing.id, resource_scopes })

/** What the RPT of this answer permits; nothing if there is none. */
const permitted = async (thing: Thing, answer: Awaited<ReturnType<App['token']>>): Promise<string[]> => {
  ok(answer.status < 500, `status ${answer.status}`)
  return answer.status === 200 ? cellsOf(await thing.rs.introspect(granted(answer, 'RPT'))) : []
}

export const assessment = [
  must('UMA Grant 5.6: without a policy nothing is granted', 'G-88 UG-19', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    isFinal(await w.present(app, await thing.ticket(), bob), 'request_denied', 'no policy')
    isFinal(await app.token(await thing.ticket()), 'request_denied', 'no policy and no claims')
  }),
  must('UMA Grant 5.6: a policy that was withdrawn is none', 'G-88 UG-19 E14', async (w) => {
    const { thing, app, person, policy } = await w.opened()
    await policy.withdraw()
    isFinal(await w.present(app, await thing.ticket(), person), 'request_denied', 'afterwards')
    isFinal(await app.token(await thing.ticket()), 'request_denied', 'afterwards, without claims')
  }),
  must('UMA Grant 5.6: a policy that demands nothing does not permit anything', 'G-88 UG-19', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.adapter.emptyPolicy?.({ owner: 'alice', resource: thing.id, scopes: ['view'] })
    notGranted(await app.token(await thing.ticket()), 'without claims')
    notGranted(await w.present(app, await thing.ticket(), bob), 'with claims of somebody')
  }),
  must('UMA Grant 3.3.4: a policy for one person is none for another', 'G-46 PO-01 E1', async (w) => {
    const [{ thing, app }, carol] = await Promise.all([w.opened(), w.carol()])
    notGranted(await w.present(app, await thing.ticket(), carol), 'somebody else')
  }),
  must('UMA Grant 3.3.4: two persons have what each was allowed', 'G-46 UG-13 E1', async (w) => {
    const [thing, app, bob, carol] = await Promise.all([w.thing(['view', 'edit']), w.app(), w.bob(), w.carol()])
    await Promise.all([w.share(thing, bob, ['view']), w.share(thing, carol, ['view', 'edit'])])
    same(
      await permitted(thing, await w.present(app, await thing.ticket(['view']), bob)),
      cellsOf({ permissions: [cell(thing, 'view')] }),
      'the first',
    )
    const second = await permitted(thing, await w.present(app, await thing.ticket(['view', 'edit']), carol))
    same(second, cellsOf({ permissions: [cell(thing, 'view', 'edit')] }), 'the second')
  }),
  must('UMA Grant 3.3.4: a scope that the policy does not give is not granted', 'G-46 G-47 UG-13 UG-16 I2', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(['view', 'edit']), w.app(), w.bob()])
    await w.share(thing, bob, ['view'])
    const found = await permitted(thing, await w.present(app, await thing.ticket(['view', 'edit']), bob))
    ok(found.length === 0 || found[0] === `${thing.id}: view`, `granted: ${found}`)
    isFinal(await w.present(app, await thing.ticket(['edit']), bob), 'request_denied', 'the other scope alone')
  }),
  good(
    'UMA Grant 3.3.4: of what the ticket asks for, what is allowed is granted',
    'G-47 UG-16',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(['view', 'edit']), w.app(), w.bob()])
      await w.share(thing, bob, ['view'])
      const rpt = granted(await w.present(app, await thing.ticket(['view', 'edit']), bob), 'a ticket for both')
      await hasExactly(thing.rs, rpt, [cell(thing, 'view')], 'the RPT')
    },
    ['partialGrant'],
  ),
  good(
    'UMA Grant 3.3.4: of two resources the one that is allowed is granted',
    'G-47 UG-17',
    async (w) => {
      const [one, two, app, bob] = await Promise.all([w.thing(), w.thing(), w.app(), w.bob()])
      await w.share(one, bob)
      const rpt = granted(await w.present(app, await one.rs.ticket([cell(one, 'view'), cell(two, 'view')]), bob), 'a ticket for both')
      await hasExactly(one.rs, rpt, [cell(one, 'view')], 'the RPT')
    },
    ['partialGrant'],
  ),
  must(
    'UMA Grant 3.3.4: photo, photo and album, as the specification counts it',
    'G-45 G-46 G-53 UG-31 E2',
    async (w) => {
      const photo = ['view', 'resize', 'print', 'download']
      const [photo1, photo2, album, bob] = await Promise.all([
        w.thing(photo),
        w.thing(photo),
        w.thing(['view', 'edit', 'download']),
        w.bob(),
      ])
      const app = await w.newApp('confidential', { scope: 'download' })
      await w.share(photo1, bob, ['view'])
      const ticket = await album.rs.ticket([cell(album, 'edit'), cell(photo1, 'view'), cell(photo2, 'view')])
      const answer = await w.present(app, ticket, bob, { scope: 'download' })
      if (answer.status !== 200) return void isFinal(answer, 'request_denied', 'the answer')
      await hasExactly(photo1.rs, granted(answer, 'the answer'), [cell(photo1, 'view')], 'the RPT')
    },
    ['clientScopes'],
  ),
  must(
    'UMA Grant 3.3.4: a scope that the client registered and asks for is added',
    'G-45 UG-14',
    async (w) => {
      const [thing, other, bob] = await Promise.all([w.thing(['view', 'download']), w.thing(['view']), w.bob()])
      const app = await w.newApp('confidential', { scope: 'download print' })
      await Promise.all([w.share(thing, bob, ['view', 'download']), w.share(other, bob)])
      const ticket = await thing.rs.ticket([cell(thing, 'view'), cell(other, 'view')])
      const rpt = granted(await w.present(app, ticket, bob, { scope: 'download' }), 'the ticket')
      // Only where the resource server registered it: the other resource does not have it.
      await hasExactly(thing.rs, rpt, [cell(thing, 'view', 'download'), cell(other, 'view')], 'the RPT')
    },
    ['clientScopes'],
  ),
  must(
    'UMA Grant 3.3.4: a scope that the client registered but does not ask for is not added',
    'G-45',
    async (w) => {
      const [thing, bob] = await Promise.all([w.thing(['view', 'download']), w.bob()])
      const app = await w.newApp('confidential', { scope: 'download' })
      await w.share(thing, bob, ['view', 'download'])
      await hasExactly(
        thing.rs,
        granted(await w.present(app, await thing.ticket(['view']), bob), 'the ticket'),
        [cell(thing, 'view')],
        'the RPT',
      )
    },
    ['clientScopes'],
  ),
  must(
    'UMA Grant 3.3.4: an added scope needs a policy like any other',
    'G-46 UG-14',
    async (w) => {
      const [thing, bob] = await Promise.all([w.thing(['view', 'download']), w.bob()])
      const app = await w.newApp('confidential', { scope: 'download' })
      await w.share(thing, bob, ['view'])
      const answer = await w.present(app, await thing.ticket(['view']), bob, { scope: 'download' })
      for (const found of await permitted(thing, answer)) same(found, `${thing.id}: view`, 'granted')
    },
    ['clientScopes'],
  ),
  must('UMA Grant 3.3.4: a scope that the client asks for without having registered it is not added', 'G-49 UG-15', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(['view', 'download']), w.app(), w.bob()])
    await w.share(thing, bob, ['view', 'download'])
    const answer = await w.present(app, await thing.ticket(['view']), bob, { scope: 'download' })
    if (answer.status !== 200) return void isFinal(answer, 'invalid_scope', 'the answer')
    await hasExactly(thing.rs, granted(answer, 'the answer'), [cell(thing, 'view')], 'the RPT')
  }),
  must('UMA Grant 3.3.4: what the ticket asks for is assessed whether or not the client registered it', 'G-48', async (w) => {
    const [thing, bob] = await Promise.all([w.thing(['view']), w.bob()])
    const app = w.offers('clientScopes') ? await w.newApp('confidential', { scope: 'download' }) : await w.app()
    await w.share(thing, bob)
    await hasExactly(thing.rs, granted(await w.present(app, await thing.ticket(), bob), 'the ticket'), [cell(thing, 'view')], 'the RPT')
  }),
  must('UMA Grant 3.3.4: a ticket scope that the client also asks for is assessed because of the ticket', 'G-49', async (w) => {
    const { thing, app, person } = await w.opened()
    const rpt = granted(await w.present(app, await thing.ticket(), person, { scope: 'view' }), 'the ticket')
    await hasExactly(thing.rs, rpt, [cell(thing, 'view')], 'the RPT')
  }),
  must('UMA Grant 3.3.6: a scope that no resource of the ticket has is invalid_scope', 'G-50 UG-15', async (w) => {
    const { thing, app, person } = await w.opened()
    isFinal(await w.present(app, await thing.ticket(), person, { scope: 'fly' }), 'invalid_scope', 'an unavailable scope')
    isFinal(await w.present(app, await thing.ticket(), person, { scope: 'view fly' }), 'invalid_scope', 'one of two')
  }),
  must('UMA FedAuthz 4: a permission without scopes grants none by itself', 'G-52 UG-18', async (w) => {
    const [{ thing, app, person }] = [await w.opened()]
    const answer = await w.present(app, await thing.ticket([]), person)
    ok(answer.status < 500, `status ${answer.status}`)
    if (answer.status === 200) same(await permitted(thing, answer), [], 'granted')
  }),
  good('UMA FedAuthz 4: a permission without scopes brings no RPT', 'G-52 UG-18 G-88', async (w) => {
    const [{ thing, app, person }] = [await w.opened()]
    isFinal(await w.present(app, await thing.ticket([]), person), 'request_denied', 'no scopes')
  }),
  good(
    'UMA FedAuthz 4: a permission without scopes has those that the client asks for',
    'G-45 G-52 UG-18',
    async (w) => {
      const [thing, bob] = await Promise.all([w.thing(['view', 'edit']), w.bob()])
      const app = await w.newApp('confidential', { scope: 'view' })
      await w.share(thing, bob, ['view', 'edit'])
      // Shown at once: nothing in the ticket would make the server ask for it.
      const rpt = granted(await w.present(app, await thing.ticket([]), bob, { scope: 'view' }), 'the ticket')
      await hasExactly(thing.rs, rpt, [cell(thing, 'view')], 'the RPT')
    },
    ['clientScopes', 'pushedClaims'],
  ),
  good(
    'UMA Grant 3.3.4: an address whose domain is spelt in another case is the same, one that looks alike is not',
    'CT-10 PO-02',
    async (w) => {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      const [local, domain] = bob.address?.split('@') ?? []
      if (domain === undefined) return
      const alike = [
        `${local}@${domain}.evil.example`,
        `${local}@x${domain}`,
        `x${local}@${domain}`,
        `${local}@evil.example`,
        `${local?.replace('e', 'е')}@${domain}`,
      ]
      for (const address of alike) {
        // Whether such an address is refused or belongs to somebody else: it is not this person's.
        await w.share(thing, { name: address, address }).catch(() => undefined)
      }
      notGranted(await w.present(app, await thing.ticket(), bob), 'addresses that look alike')
      await w.share(thing, { ...bob, address: `${local}@${domain.toUpperCase()}` })
      granted(await w.present(app, await thing.ticket(), bob), 'the same address')
    },
  ),
  must('UMA Grant 3.3.4: a policy that comes later opens what was closed', 'G-46 E13', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    isFinal(await w.present(app, await thing.ticket(), bob), 'request_denied', 'before')
    await w.share(thing, bob)
    granted(await w.present(app, await thing.ticket(), bob), 'after')
  }),
  good('UMA Grant 6.1: an RPT whose policy was withdrawn does not come back with the next policy', 'G-96 E13', async (w) => {
    const { thing, rpt, policy, person } = await w.opened()
    await policy.withdraw()
    await w.share(thing, person)
    same((await thing.rs.introspect(rpt)).active, false, 'the old RPT')
  }),
]

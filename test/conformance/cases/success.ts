// The answer with an RPT (UMA Grant 3.3.5): upgrading an RPT, and persisted claims tokens.
import { good, must, should } from '../lib/case.ts'
import { granted, needInfo, notGranted, ok, same, status } from '../lib/check.ts'
import { random } from '../lib/http.ts'
import { backTicket, visit } from '../lib/visit.ts'
import { cellsOf, hasExactly, opensNot, type World } from '../lib/world.ts'

/** Two things of one resource server, both shared with Bob; the first is opened. */
const firstOfTwo = async (w: World) => {
  const [opened, second] = await Promise.all([w.opened(), w.thing()])
  const policy = await w.share(second, opened.person)
  const cells = [opened.thing.id, second.id].map((resource_id) => ({ resource_id, resource_scopes: ['view'] }))
  return { ...opened, second, secondPolicy: policy, cells }
}

/** A person who let the server remember what was shown; the app holds the PCT. */
const remembered = async (w: World) => {
  const one = await visit(w, { persist: true })
  const answer = await one.app.token(backTicket(one))
  granted(answer, 'the ticket that came back')
  ok(typeof answer.json.pct === 'string', 'no pct came')
  return { ...one, pct: answer.json.pct }
}

const UPGRADE = ['upgrade'] as const
const PCT = ['pct', 'interactive'] as const

export const success = [
  should('UMA Grant 3.3.5: the answer with an RPT has no scope', 'G-56 UG-01', async (w) => {
    ok(!('scope' in (await w.opened()).answer.json), 'the answer has a scope')
  }),
  should('RFC 6749 5.1: the answer tells how long the RPT lives', 'G-55 G-63 O-5', async (w) => {
    const { expires_in } = (await w.opened()).answer.json
    ok(typeof expires_in === 'number' && expires_in > 0, `expires_in is ${expires_in}`)
  }),
  must('RFC 6749 10.10: RPTs cannot be guessed, and none comes twice', 'O-6 TK-12', async (w) => {
    const { thing, app, person, rpt } = await w.opened()
    const rpts = [rpt]
    for (let round = 0; round < 4; round++) rpts.push(granted(await w.present(app, await thing.ticket(), person), 'another RPT'))
    same(new Set(rpts).size, rpts.length, 'different RPTs')
    ok(
      rpts.every((one) => one.length >= 22),
      'an RPT is shorter than 128 bits',
    )
  }),
  must('UMA Grant 3.3.5.1: upgraded, if it is there, is a boolean and true only for what the new RPT holds', 'G-58 UG-20', async (w) => {
    const { app, person, rpt, second, cells, thing } = await firstOfTwo(w)
    const answer = await w.present(app, await second.ticket(), person, { rpt })
    const next = granted(answer, 'with an RPT')
    const { upgraded } = answer.json
    ok(upgraded === undefined || typeof upgraded === 'boolean', `upgraded is ${upgraded}`)
    if (upgraded === true) await hasExactly(thing.rs, next, cells, 'the new RPT')
  }),
  must('UMA Grant 3.3.5.1: the rpt of another client is not added, and is no error', 'G-61 UG-21', async (w) => {
    const { app, person, rpt, second } = await firstOfTwo(w)
    const other = await w.app('other')
    const foreign = granted(await w.present(other, await (await w.opened()).thing.ticket(), person), 'an RPT of another client')
    for (const old of [foreign, 'garbage', random(), `${rpt}x`]) {
      const answer = await w.present(app, await second.ticket(), person, { rpt: old })
      await hasExactly(
        second.rs,
        granted(answer, 'with a foreign rpt'),
        [{ resource_id: second.id, resource_scopes: ['view'] }],
        'the new RPT',
      )
      ok(answer.json.upgraded !== true, 'upgraded is true')
    }
  }),
  must(
    'UMA Grant 3.3.5.1: an upgraded RPT has the permissions of both, and says so',
    'G-58 G-59 UG-20 E3',
    async (w) => {
      const { app, person, rpt, second, cells, thing } = await firstOfTwo(w)
      const answer = await w.present(app, await second.ticket(), person, { rpt })
      same(answer.json.upgraded, true, 'upgraded')
      await hasExactly(thing.rs, granted(answer, 'the upgrade'), cells, 'the new RPT')
    },
    UPGRADE,
  ),
  should(
    'UMA Grant 3.3.5.1: the RPT that was upgraded is revoked, unless it is the same string',
    'G-60 UG-20',
    async (w) => {
      const { app, person, rpt, second, thing } = await firstOfTwo(w)
      const next = granted(await w.present(app, await second.ticket(), person, { rpt }), 'the upgrade')
      if (next !== rpt) same(await thing.rs.introspect(rpt), { active: false }, 'the old RPT')
    },
    UPGRADE,
  ),
  must(
    'UMA Grant 3.3.5.1: an upgrade that is denied leaves the RPT as it is',
    'UG-22',
    async (w) => {
      const { app, person, rpt, second, secondPolicy, cells, thing } = await firstOfTwo(w)
      await secondPolicy.withdraw()
      notGranted(await w.present(app, await second.ticket(), person, { rpt }), 'the upgrade')
      await hasExactly(thing.rs, rpt, cells.slice(0, 1), 'the old RPT')
    },
    UPGRADE,
  ),
  must(
    'UMA Grant 3.3.5.1: what was withdrawn is not carried over',
    'G-62 UG-23',
    async (w) => {
      const { app, person, rpt, policy, second, cells } = await firstOfTwo(w)
      await policy.withdraw()
      const next = granted(await w.present(app, await second.ticket(), person, { rpt }), 'the upgrade')
      await hasExactly(second.rs, next, cells.slice(1), 'the new RPT')
    },
    UPGRADE,
  ),
  must('UMA Grant 3.3.1: a pct that this server never issued counts as none', 'G-76 UG-24 IN-13', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    for (const pct of ['garbage', random(), '../..', 'ü']) {
      const ticket = await thing.ticket()
      needInfo(await app.token(ticket, { pct }), ticket, `pct ${pct}`)
    }
  }),
  must(
    'UMA Grant 3.3.5: no PCT comes without the consent of the person',
    'G-41 G-57 G-97',
    async (w) => {
      const one = await visit(w)
      ok((await one.app.token(backTicket(one))).json.pct === undefined, 'a pct came')
    },
    ['interactive'],
  ),
  must(
    'UMA Grant 3.3.5: with a PCT nothing has to be shown again, at other resources either',
    'G-41 G-51 G-57 UG-24',
    async (w) => {
      const { app, person, pct } = await remembered(w)
      const [second, elsewhere] = await Promise.all([w.thing(), w.thing(['view'], { service: 'second' })])
      for (const thing of [second, elsewhere]) {
        await w.share(thing, person)
        const rpt = granted(await app.token(await thing.ticket(), { pct }), 'with the pct')
        same(cellsOf(await thing.rs.introspect(rpt)), [`${thing.id}: view`], 'permissions')
      }
    },
    PCT,
  ),
  must(
    'UMA Grant 5.2: a PCT is worth nothing to another client',
    'G-76 UG-24 E15',
    async (w) => {
      const [{ thing, pct }, other] = await Promise.all([remembered(w), w.app('other')])
      const ticket = await thing.ticket()
      needInfo(await other.token(ticket, { pct }), ticket, 'the pct of another client')
    },
    PCT,
  ),
  must(
    'UMA Grant 3.3.5: a PCT does not tell what was shown',
    'G-57',
    async (w) => {
      const { pct, person } = await remembered(w)
      const plain = [pct, ...pct.split('.').map((part) => Buffer.from(part, 'base64url').toString())].join('\n')
      ok(person.address === undefined || !plain.includes(person.address), 'the pct holds what was shown')
    },
    PCT,
  ),
  must(
    'UMA Grant 3.3.4: a PCT gives no more than a policy allows',
    'G-46 G-51 UG-24',
    async (w) => {
      const [{ app, pct }, thing, carol] = await Promise.all([remembered(w), w.thing(), w.carol()])
      await w.share(thing, carol)
      notGranted(await app.token(await thing.ticket(), { pct }), "somebody else's thing")
    },
    PCT,
  ),
  good(
    'UMA Grant 5.1: the PCT of one person does not count when another shows something else',
    'G-74 CI-14',
    async (w) => {
      const [{ thing, app, pct }, carol] = await Promise.all([remembered(w), w.carol()])
      notGranted(await w.present(app, await thing.ticket(), carol, { pct }), 'the second person')
    },
    ['pct', 'interactive', 'pushedClaims'],
  ),
  must(
    'UMA Grant 3.7: a PCT that was revoked counts as none',
    'G-67 IN-13 E14',
    async (w) => {
      const { thing, app, pct } = await remembered(w)
      status(await app.request({ token: pct, token_type_hint: 'pct' }, w.endpoint('revocation_endpoint')), 200, 'revocation')
      const ticket = await thing.ticket()
      needInfo(await app.token(ticket, { pct }), ticket, 'the pct')
    },
    ['pct', 'interactive', 'revocation'],
  ),
  good('UMA Grant 3.3.4: what an RPT permits does not depend on other RPTs of the same client', 'G-61', async (w) => {
    const { app, person, rpt, second, cells, thing, policy } = await firstOfTwo(w)
    const next = granted(await w.present(app, await second.ticket(), person), 'a second RPT')
    await policy.withdraw()
    await opensNot(thing.rs, rpt, thing.id, 'the first RPT')
    await hasExactly(second.rs, next, cells.slice(1), 'the second RPT')
  }),
]

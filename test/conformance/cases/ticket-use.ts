// A ticket is good for one presentation, whatever comes of it (UMA Grant 5.5), and its life ends with what it stands for.
import { good, must } from '../lib/case.ts'
import { granted, isFinal, needInfo, notGranted, ok, same } from '../lib/check.ts'
import { askedForInfo, hasExactly, opensNot } from '../lib/world.ts'

const SPENT = 'the ticket once more'

export const ticketUse = [
  must('UMA Grant 5.5: a ticket that brought an RPT is of no further use', 'G-80 UG-06 I1', async (w) => {
    const { thing, app, person } = await w.opened()
    const ticket = await thing.ticket()
    granted(await w.present(app, ticket, person), 'first use')
    isFinal(await app.token(ticket), 'invalid_grant', SPENT)
  }),
  must(
    'UMA Grant 5.5: not even with the same proof does a ticket bring a second RPT',
    'G-80 UG-06 I1',
    async (w) => {
      const { thing, app, person } = await w.opened()
      const ticket = await thing.ticket()
      const claim = { ...(await w.adapter.claimToken?.({ person, client: app.client, ticket })) }
      granted(await app.token(ticket, claim), 'first use')
      isFinal(await app.token(ticket, claim), 'invalid_grant', SPENT)
    },
    ['pushedClaims'],
  ),
  must('UMA Grant 5.5: a ticket that was answered with need_info is of no further use', 'G-80 G-65a UG-07', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    const { first } = await askedForInfo(thing, app)
    isFinal(await w.present(app, first, bob), 'invalid_grant', SPENT)
  }),
  must('UMA Grant 3.3.6: the ticket of need_info carries the process on', 'G-64 UG-07', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    const { first, next } = await askedForInfo(thing, app)
    isFinal(await app.token(first), 'invalid_grant', SPENT)
    granted(await w.present(app, next, bob), 'the new ticket')
  }),
  must('UMA Grant 5.5: a ticket that was denied is of no further use', 'G-80', async (w) => {
    const [thing, app] = await Promise.all([w.thing(), w.app()])
    const ticket = await thing.ticket()
    isFinal(await app.token(ticket), 'request_denied', 'a thing without a policy')
    isFinal(await app.token(ticket), 'invalid_grant', SPENT)
  }),
  must('UMA Grant 5.5: a ticket is used up by a request for a scope that is not there', 'G-80 G-50', async (w) => {
    const { thing, app, person } = await w.opened()
    const ticket = await thing.ticket()
    isFinal(await app.token(ticket, { scope: 'no-such-scope' }), 'invalid_scope', 'an unavailable scope')
    isFinal(await w.present(app, ticket, person), 'invalid_grant', SPENT)
  }),
  must('UMA Grant 5.5: another client cannot use a ticket that brought an RPT', 'G-80 G-27', async (w) => {
    const { thing, app, person } = await w.opened()
    const [ticket, other] = await Promise.all([thing.ticket(), w.app('other')])
    granted(await w.present(app, ticket, person), 'first use')
    isFinal(await w.present(other, ticket, person), 'invalid_grant', 'the ticket at another client')
  }),
  must('UMA Grant 5.5: of many presentations at once one counts', 'G-80 LF-01 I1 E15', async (w) => {
    const { thing, app, person } = await w.opened()
    for (let round = 0; round < 3; round++) {
      const ticket = await thing.ticket()
      const claim = w.offers('pushedClaims') ? await w.adapter.claimToken?.({ person, client: app.client, ticket }) : {}
      const answers = await Promise.all(Array.from({ length: 12 }, () => app.token(ticket, { ...claim })))
      const others = answers.filter((one) => one.json.error !== 'invalid_grant')
      same(others.length, 1, 'answers other than invalid_grant')
    }
  }),
  must('UMA Grant 5.5: of many rounds of need_info at once one gets a new ticket', 'G-80 G-65a', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    const ticket = await thing.ticket()
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.token(ticket)))
    same(answers.filter((one) => one.json.ticket !== undefined).length, 1, 'answers with a ticket')
  }),
  must('UMA Grant 3.3.6: no ticket of a process comes twice', 'G-65a G-81', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    const { first, next } = await askedForInfo(thing, app)
    const third = needInfo(await app.token(next), next, 'a second round')
    same(new Set([first, next, third]).size, 3, 'different tickets')
    granted(await w.present(app, third, bob), 'the third ticket')
  }),
  good('UMA Grant 3.3.6: a process without progress ends', 'UG-30', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    await w.share(thing, bob)
    let ticket = await thing.ticket()
    for (let round = 0; round < 70; round++) {
      const answer = await app.token(ticket)
      if (answer.json.error === 'request_denied') return
      ticket = needInfo(answer, ticket, `round ${round + 1}`)
    }
    ok(false, 'need_info 70 times without any new claim')
  }),
  good(
    'UMA Grant 5.5: a ticket that is seen again ends what it brought',
    'G-82 UG-09',
    async (w) => {
      await w.adapter.revokeOnReplay?.('olga')
      const { thing, app, person } = await w.opened(['view'], { owner: 'olga' })
      const ticket = await thing.ticket()
      const rpt = granted(await w.present(app, ticket, person), 'first use')
      await hasExactly(thing.rs, rpt, [{ resource_id: thing.id, resource_scopes: ['view'] }], 'the RPT before')
      isFinal(await app.token(ticket), 'invalid_grant', SPENT)
      await opensNot(thing.rs, rpt, thing.id, 'the RPT afterwards')
    },
    ['revokeOnReplay'],
  ),
  must('UMA Grant 3.3.4: a policy that is withdrawn before the ticket is presented counts', 'G-96 UG-28 LF-04', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    const policy = await w.share(thing, bob)
    const ticket = await thing.ticket()
    await policy.withdraw()
    isFinal(await w.present(app, ticket, bob), 'request_denied', 'after the withdrawal')
  }),
  must('UMA Grant 6.1: of a withdrawal and a redemption at once, the withdrawal has the last word', 'G-96 LF-04 I4', async (w) => {
    for (let round = 0; round < 3; round++) {
      const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
      const policy = await w.share(thing, bob)
      const ticket = await thing.ticket()
      const [answer] = await Promise.all([w.present(app, ticket, bob), policy.withdraw()])
      ok(answer.status < 500, `status ${answer.status}`)
      if (answer.status === 200) await opensNot(thing.rs, granted(answer, 'RPT'), thing.id, 'the RPT afterwards')
    }
  }),
  must('UMA Grant 3.3.4: a policy that is withdrawn between two rounds counts', 'G-96 UG-28', async (w) => {
    const [thing, app, bob] = await Promise.all([w.thing(), w.app(), w.bob()])
    const policy = await w.share(thing, bob)
    const { next } = await askedForInfo(thing, app)
    await policy.withdraw()
    notGranted(await w.present(app, next, bob), 'after the withdrawal')
  }),
  must(
    'UMA Grant 3.3.4: tickets of a resource server that the owner disconnected bring nothing',
    'UG-28 FA-22 E14',
    async (w) => {
      const [rs, app, bob] = await Promise.all([w.freshRs(), w.app(), w.bob()])
      const thing = await w.thing(['view'], { rs })
      await w.share(thing, bob)
      const ticket = await thing.ticket()
      await w.adapter.disconnect?.('alice', rs.pat)
      notGranted(await w.present(app, ticket, bob), 'after the disconnection')
    },
    ['disconnect'],
  ),
]

// The owner is asked while the client waits (UMA Grant 3.3.6: request_submitted).
import { good, must } from '../lib/case.ts'
import { fail, granted, isFinal, ok, refused, same } from '../lib/check.ts'
import { type App, CLAIMS_REDIRECT, hasExactly, type Thing, type World } from '../lib/world.ts'

const APPROVAL = ['approval'] as const
/** Polls come no faster than they should, so these move the clock. */
const LATER = ['approval', 'clock'] as const

type Waiting = { thing: Thing; app: App; ticket: string; next: string; interval: number }

/** Somebody asks for all of these scopes, and the client has heard that the owner was asked. */
const waiting = async (w: World, scopes: string[] = ['view']): Promise<Waiting> => {
  const [thing, app, person] = await Promise.all([w.thing(scopes, { owner: 'olga' }), w.app(), w.adapter.person()])
  const { ask = () => fail('the profile asks nobody') } = w.adapter
  const wanted = { owner: 'olga', service: 'first', resource: thing.id, scopes, person, client: app.client } as const
  const ticket = await ask({ ...wanted, claimsRedirectUri: CLAIMS_REDIRECT, ticket: await thing.ticket() })
  const { json } = refused(await app.token(ticket), 403, 'request_submitted', 'asked')
  return { thing, app, ticket, next: String(json.ticket), interval: Number(json.interval ?? 5) }
}

const answer = async (w: World, { thing }: Waiting, decision: 'approve' | 'refuse', scopes?: string[]): Promise<void> => {
  await w.adapter.answer?.({ owner: 'olga', resource: thing.id, decision, ...(scopes && { scopes }) })
}

export const approval = [
  must(
    'UMA Grant 3.3.6: while the owner has not answered it is request_submitted: 403 with a new ticket',
    'G-65c G-83 UG-11 E12',
    async (w) => {
      const { ticket, next, interval } = await waiting(w)
      ok(next !== ticket && next !== 'undefined', 'the ticket is missing, or the one that was presented')
      ok(interval > 0, `interval is ${interval}`)
    },
    APPROVAL,
  ),
  must(
    'UMA Grant 5.5: the ticket that was answered with request_submitted is of no further use',
    'G-65a G-80 UG-11',
    async (w) => {
      const { app, ticket } = await waiting(w)
      isFinal(await app.token(ticket), 'invalid_grant', 'the first ticket')
    },
    APPROVAL,
  ),
  good(
    'UMA Grant 3.3.6: who polls too early waits on, with another ticket and no shorter interval',
    'G-65d UG-11',
    async (w) => {
      const { app, next, interval } = await waiting(w)
      const { json } = refused(await app.token(next), 403, 'request_submitted', 'the early poll')
      ok(json.ticket !== next, 'the same ticket')
      ok(Number(json.interval ?? 0) >= interval, 'the interval became shorter')
    },
    APPROVAL,
  ),
  must(
    'UMA Grant 3.3.6: after the owner approved, the next poll is granted',
    'G-65d UG-12 E12',
    async (w) => {
      const one = await waiting(w)
      await answer(w, one, 'approve')
      await w.adapter.setClock?.(one.interval + 1)
      const rpt = granted(await one.app.token(one.next), 'approved')
      await hasExactly(one.thing.rs, rpt, [{ resource_id: one.thing.id, resource_scopes: ['view'] }], 'the RPT')
    },
    LATER,
  ),
  must(
    'UMA Grant 3.3.6: after the owner refused, the next poll is denied for good',
    'G-65d UG-12 E12 LF-03',
    async (w) => {
      const one = await waiting(w)
      await answer(w, one, 'refuse')
      await w.adapter.setClock?.(one.interval + 1)
      isFinal(await one.app.token(one.next), 'request_denied', 'refused')
    },
    LATER,
  ),
  must(
    'UMA Grant 3.3.6: what the owner approved is granted, and nothing beside it',
    'UG-13 I2',
    async (w) => {
      const one = await waiting(w, ['view', 'edit'])
      await answer(w, one, 'approve', ['view'])
      await w.adapter.setClock?.(one.interval + 1)
      const said = await one.app.token(one.next)
      if (said.status !== 200) return void isFinal(said, 'request_denied', 'the answer')
      await hasExactly(one.thing.rs, granted(said, 'approved'), [{ resource_id: one.thing.id, resource_scopes: ['view'] }], 'the RPT')
    },
    LATER,
  ),
  must(
    'UMA Grant 3.3.6: as long as nobody answers a client may poll on',
    'G-83 G-65d UG-11',
    async (w) => {
      const { app, next, interval } = await waiting(w)
      let ticket = next
      for (let round = 1; round <= 3; round++) {
        await w.adapter.setClock?.(round * (interval + 1))
        const { json } = refused(await app.token(ticket), 403, 'request_submitted', `poll ${round}`)
        ok(json.ticket !== ticket, 'the same ticket')
        ticket = String(json.ticket)
      }
      same(typeof ticket, 'string', 'the last ticket')
    },
    LATER,
  ),
]

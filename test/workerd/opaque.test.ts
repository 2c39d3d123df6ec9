// What a client is told (SPECS U-25): whether it may, what is missing, where to go on; never which resource, which scope, whose, and nothing
// of UMA 1's vocabulary (SPECS U-12, U-13). Services know ids and scopes, clients carry tickets and tokens that say nothing.
import { expect, it } from 'vitest'
import { type App, bob, gatherByMail, goBack, openClaims, registerApp, share, showAddress } from '../support/actors.ts'
import type { Answer } from '../support/http.ts'
import { cast } from '../support/odd-requests.ts'
import { pushed } from '../support/proofs.ts'

/** The text as it is, and as it is behind base64url; sealed texts have no dots, others may. */
const readings = (text: string): string[] => [
  text,
  ...(text.match(/[\w-]{16,}/g) ?? []).flatMap((piece) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(piece.slice(skip), 'base64url').toString('latin1')),
  ),
]

it('SPECS U-25: nothing that a client is told names a resource, a scope, the owner or another service', async () => {
  const s = await cast()
  const scope = 'https://zebra.example/stripes'
  const resource = await s.service.register({ resource_scopes: [scope, 'view'], name: 'Zebra crossing' })
  await share(s.wallet, resource, s.known.address, { resource_scopes: [scope] })
  const me = (await s.wallet.call('/owner/me')).json
  const { items } = (await s.wallet.call('/owner/connections')).json as { items: { id: string }[] }
  const secret = [resource, scope, 'stripes', 'Zebra', String(me.id), s.alice.address, s.known.address, ...items.map(({ id }) => id)]
  const told: string[] = []
  const ticketFor = async (resource_scopes = [scope]): Promise<string> => {
    const ticket = await s.service.ticket({ resource_id: resource, resource_scopes })
    told.push(ticket)
    return ticket
  }
  const tell = (answer: Answer): Answer => {
    told.push(answer.text, JSON.stringify([...answer.headers]))
    return answer
  }
  const answers: Record<string, Answer> = {}
  const app: App = await registerApp(s.server, 'public')
  const push = async (ticket: string) => pushed(s.credential, ticket)
  answers.need_info = tell(await app.token(await ticketFor()))
  const good = await ticketFor()
  answers.granted = tell(await app.token(good, await push(good)))
  answers.invalid_grant = tell(await app.token(good))
  const other = await ticketFor(['view'])
  answers.request_denied = tell(await app.token(other, await push(other)))
  answers.invalid_scope = tell(await app.token(await ticketFor(), { scope: 'none-of-it' }))
  // By the claims page, as the right person and as somebody else who gives up.
  told.push(await gatherByMail(s.server, bob(s.known.address), app, await ticketFor()))
  const stranger = bob()
  const { page } = await openClaims(s.server, stranger, app, await ticketFor())
  const left = await stranger.browser.send(await showAddress(s.server, stranger, page), '/cancel')
  told.push([left.refresh, ...left.links].join(' '))

  expect(Object.entries(answers).map(([name, { json }]) => [name, json.error])).toEqual([
    ['need_info', 'need_info'],
    ['granted', undefined],
    ['invalid_grant', 'invalid_grant'],
    ['request_denied', 'request_denied'],
    ['invalid_scope', 'invalid_scope'],
  ])
  for (const text of told.flatMap(readings))
    for (const word of secret) expect(text.includes(word), `${word} in ${text.slice(0, 200)}`).toBe(false)
  // The members are UMA 2's: no error_details, no boolean redirect_user, no scope in the answer (UMA Grant 3.3.5, 3.3.6).
  expect(Object.keys(answers.need_info?.json ?? {}).toSorted()).toEqual(
    expect.arrayContaining(['error', 'redirect_user', 'required_claims', 'ticket']),
  )
  expect(answers.need_info?.json).not.toHaveProperty('error_details')
  expect(typeof answers.need_info?.json.redirect_user).toBe('string')
  expect(answers.granted?.json).not.toHaveProperty('scope')
  expect(answers.granted?.json).not.toHaveProperty('permissions')
})

it('SPECS U-13: the way back from the claims page carries a ticket, the state and who answers, and no state of UMA 1', async () => {
  const s = await cast()
  const { guest, page, state } = await s.arrive()
  const params = await goBack(guest, s.app, await showAddress(s.server, guest, page))
  expect([...params.keys()].toSorted()).toEqual(['iss', 'state', 'ticket'])
  expect(params.get('state')).toBe(state)
})

// Alice to Alice (SPECS U-26): the owner opens a thing of hers through an app, by one click, because she is signed in at her server. Nobody
// else can, and nothing happens without the click.
import { beforeAll, expect, it } from 'vitest'
import { bob, goBack, openClaims, share, signIn } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import type { Page } from '../support/http-browser.ts'
import { sharedAs } from '../support/server.ts'

let s: Stage
beforeAll(async () => {
  s = await stage(await sharedAs())
})
const arriveAs = async (who: { address: string; browser: Stage['alice']['browser'] }, ticket?: string): Promise<Page> =>
  (await openClaims(s.server, who, s.app, ticket ?? (await s.ticket()))).page
const offersIt = (page: Page): boolean => page.forms.some(({ action }) => action.endsWith('/self'))

it('SPECS U-26: with a share for herself she gets in by one click, without a mail; the proof is an hour’s', async () => {
  await share(s.wallet, s.resource, s.alice.address)
  const mails = s.server.mailbox.to(s.alice.address).length
  const page = await arriveAs(s.alice)
  expect(offersIt(page)).toBe(true)
  const done = await s.alice.browser.send(page, '/self')
  expect(done.text).toContain('Yes, this is for you')
  const ticket = (await goBack(s.alice, s.app, done)).get('ticket') ?? ''
  const { status, json } = await s.app.token(ticket)
  expect([status, (await s.service.introspect(String(json.access_token))).active]).toEqual([200, true])
  expect(Number(json.expires_in)).toBeLessThanOrEqual(3600)
  expect(s.server.mailbox.to(s.alice.address)).toHaveLength(mails)
})

it('UMA Grant 5.6: being the owner opens nothing by itself: without a share for her it is not shared with her', async () => {
  const resource = await s.service.register({ resource_scopes: ['view'] })
  const page = await arriveAs(s.alice, await s.service.ticket({ resource_id: resource, resource_scopes: ['view'] }))
  expect((await s.alice.browser.send(page, '/self')).text).toContain('Not shared with this address')
})

it('SPECS U-26: neither a stranger nor another owner is offered it, and a form of their own gets them nothing', async () => {
  const [stranger, olga] = [bob(), await signIn(s.server)]
  for (const who of [stranger, olga]) {
    const page = await arriveAs(who)
    expect(offersIt(page)).toBe(false)
    const forms = page.forms.map((form) => ({ ...form, action: form.action.replace(/\/address$/, '/self') }))
    const refused = await who.browser.send({ ...page, forms }, '/self')
    expect([refused.status, refused.text.includes('/continue')]).toEqual([401, false])
  }
})

it('UMA Grant 5.1: a page of somebody else cannot click for her', async () => {
  const page = await arriveAs(s.alice)
  expect((await s.alice.browser.send(page, '/self', { csrf: 'x' })).status).toBe(403)
  const view = await s.alice.browser.open(page.url)
  expect(offersIt(view)).toBe(true)
})

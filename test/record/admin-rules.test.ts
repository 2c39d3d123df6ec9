// Rules for every owner (POLICY 2, tier platform), made at /admin: they take and never give, reach grants that are out, and name nobody.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gatherByMail, signIn } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import type { Json } from '../support/http.ts'
import { type Browser, openBrowser } from '../support/http-browser.ts'
import { noticeOf } from '../support/operator.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const OLAF = 'olaf@example.net'
let as: Running
let s: Stage
let operator: Browser
beforeAll(async () => {
  as = await ownAs({ asVars: { OPERATORS: OLAF } })
  s = await stage(as)
  operator = (await signIn(as, OLAF, openBrowser({ 'accept-language': 'en' }))).browser
})
afterAll(async () => {
  await as.stop()
  rmSync(as.state, { recursive: true, force: true })
})

const add = async (rule: unknown, name = 'A rule') =>
  operator.send(await operator.open(`${as.origin}/admin`), '/add-rule', {
    name,
    rule: typeof rule === 'string' ? rule : JSON.stringify(rule),
  })
const forbid = (when: Json, more: Json = {}): Json => ({ v: 1, effect: 'forbid', target: { all: true }, scopes: '*', when, ...more })

it('POLICY 2: a rule of the platform ends what it forbids at every owner, and nothing else; dropped, it counts no more', async () => {
  const guest = await s.guest()
  const granted = await s.app.token(await gatherByMail(as, guest, s.app, await s.ticket()))
  const rpt = String(granted.json.access_token)
  const active = async () => (await s.service.introspect(rpt)).active
  expect(noticeOf(await add(forbid({ client: ['https://somebody.else/app'] }), 'Somebody else'))).toBe('The rule holds for everybody.')
  expect(await active()).toBe(true)
  const done = await add(forbid({ client: [s.app.client.id] }), 'This app')
  expect(noticeOf(done)).toBe('The rule holds for everybody.')
  expect(await active()).toBe(false)
  expect((await s.app.token(await s.ticket())).json.error).toBe('request_denied')
  const later = await stage(as)
  const upper = (await later.wallet.call('/owner/rules?kind=upper')).json.items as Json[]
  expect(upper.map(({ tier, effect }) => [tier, effect])).toEqual([
    ['platform', 'forbid'],
    ['platform', 'forbid'],
  ])
  expect(done.text).toContain('This app')
  for (const form of done.forms.filter(({ action }) => action.endsWith('/drop-rule'))) {
    await operator.send({ ...done, forms: [form] }, '/drop-rule')
  }
  expect(await active()).toBe(true)
})

it.each<[string, unknown]>([
  ['a permit', { ...forbid({ anyone: true }), effect: 'permit' }],
  ['somebody by address', forbid({ claim: 'email', eq: 'bob@example.net' })],
  ['a thing of somebody', forbid({ anyone: true }, { target: { resources: ['x'] } })],
  ['a question to the owner', forbid({ ask: true })],
  ['no JSON', 'forbid all'],
  ['brackets without end', '['.repeat(5000)],
])('POLICY 2: %s is no rule of the platform', async (_, rule) => {
  const page = await add(rule)
  expect(page.status).toBe(200)
  expect(noticeOf(page)).toContain('Nothing was changed')
})

it('DESIGN decision 8: nobody but an operator makes rules for everybody', async () => {
  const page = await operator.open(`${as.origin}/admin`)
  const stranger = await s.alice.browser.send({ ...page, url: `${as.origin}/admin` }, '/add-rule', {
    name: 'x',
    rule: JSON.stringify(forbid({ anyone: true })),
  })
  expect([403, 404]).toContain(stranger.status)
  expect((await operator.open(`${as.origin}/admin`)).forms.some(({ action }) => action.endsWith('/drop-rule'))).toBe(false)
})

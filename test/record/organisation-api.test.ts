// An organisation and its members over HTTP (POLICY 2, WG 2016-12-15): joining takes a code and a look at whose it is; its rules reach the
// members' things; leaving and being let go end that. And an address that is shut out.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { gatherByMail } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { expectStatus, type Json, random } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { until } from '../support/until.ts'

let as: Running
let alice: Stage
let clinic: Stage
beforeAll(async () => {
  as = await ownAs()
  alice = await stage(as)
  clinic = await stage(as)
})
afterAll(async () => {
  await as.stop()
  rmSync(as.state, { recursive: true, force: true })
})

const code = async (json: Json = {}): Promise<string> =>
  String(expectStatus(await clinic.wallet.call('/owner/organisation/codes', { json }), 201, 'code').json.code)
const join = (json: Json, who = alice) => who.wallet.call('/owner/memberships', { json })
const rpt = async (): Promise<string> => {
  const guest = await alice.guest()
  const granted = await alice.app.token(await gatherByMail(as, guest, alice.app, await alice.ticket()))
  return String(expectStatus(granted, 200, 'RPT').json.access_token)
}
const active = async (token: string): Promise<boolean> => (await alice.service.introspect(token)).active === true

it('WG 2016-12-15: joining takes a code, a look at whose it is, and a yes; its rules then hold beside the owner’s', async () => {
  expect((await join({ code: await code() })).status).toBe(400) // nobody can join what has no name
  expectStatus(await clinic.wallet.call('/owner/organisation', { method: 'PUT', json: { name: 'Good Hope' } }), 200, 'name')
  const one = await code()
  expect((await join({ code: one })).json).toEqual({ name: 'Good Hope', joined: false })
  expect((await alice.wallet.call('/owner/memberships')).json.items).toEqual([])
  const token = await rpt()
  const joined = expectStatus(await join({ code: one, accept: true }), 200, 'joined').json
  expect(joined).toMatchObject({ name: 'Good Hope', joined: true })
  expect((await join({ code: one, accept: true }, await stage(as))).status).toBe(400)
  expect(await active(token)).toBe(true)

  const rule = { v: 1, tier: 'org', effect: 'forbid', target: { all: true }, scopes: '*', when: { anyone: true }, name: 'Closed' }
  const made = expectStatus(await clinic.wallet.call('/owner/rules', { json: rule }), 201, 'rule').json
  await until(async () => !(await active(token)))
  const upper = (await alice.wallet.call('/owner/rules?kind=upper')).json.items as Json[]
  expect(upper).toMatchObject([{ kind: 'upper', tier: 'org', effect: 'forbid' }])
  expect((await alice.wallet.call(`/owner/rules/${encodeURIComponent(String(upper[0]?.id))}`, { method: 'DELETE' })).status).toBe(204)
  expect(await active(token)).toBe(false)
  expect((await clinic.wallet.call('/owner/organisation')).json).toMatchObject({ name: 'Good Hope', members: 1, rules: 1 })

  expectStatus(await alice.wallet.call(`/owner/memberships/${joined.id}`, { method: 'DELETE' }), 204, 'left')
  expect(await active(token)).toBe(true)
  expect((await clinic.wallet.call('/owner/organisation/members')).json.items).toEqual([])
  expectStatus(await clinic.wallet.call(`/owner/rules/${made.id}`, { method: 'DELETE' }), 204, 'dropped')
})

it('DESIGN 5.8: made-up codes, codes of before, and members of others lead nowhere', async () => {
  for (const wrong of ['x', `${random(30)}.${random(16)}`, `${(await code()).split('.')[0]}.${random(16)}`]) {
    expect((await join({ code: wrong })).status).toBe(400)
    expect((await join({ code: wrong, accept: true })).status).toBe(400)
  }
  const dropped = await code()
  expectStatus(await clinic.wallet.call('/owner/organisation/codes', { method: 'DELETE' }), 204, 'codes')
  expect((await join({ code: dropped })).status).toBe(400)
  expect((await join({ code: await code(), accept: true }, clinic)).status).toBe(400)
  expect((await alice.wallet.call('/owner/organisation/members/nobody', { method: 'DELETE' })).status).toBe(204)
  expect((await alice.wallet.call('/owner/organisation/codes', { json: { uses: 0 } })).status).toBe(400)
})

it('POLICY 2: an address that is shut out gets nothing more, and can be let in again', async () => {
  const guest = await alice.guest()
  const granted = await alice.app.token(await gatherByMail(as, guest, alice.app, await alice.ticket()))
  const token = String(granted.json.access_token)
  const { items } = (await alice.wallet.call('/owner/policies')).json as { items: { person_id: string; created_at: number }[] }
  const blocks: unknown[] = []
  for (const { person_id } of items) {
    blocks.push(expectStatus(await alice.wallet.call(`/owner/people/${person_id}/block`, { method: 'POST' }), 201, 'block').json.id)
  }
  expect(await active(token)).toBe(false)
  for (const id of blocks) expectStatus(await alice.wallet.call(`/owner/rules/${id}`, { method: 'DELETE' }), 204, 'unblock')
  expect(await active(token)).toBe(true)
  expect((await alice.wallet.call('/owner/people/nobody/block', { method: 'POST' })).status).toBe(404)
  expect((await clinic.wallet.call(`/owner/people/${items[0]?.person_id}/block`, { method: 'POST' })).status).toBe(404)
})

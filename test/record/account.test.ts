// The account as a whole (UMA Grant 6.1, DESIGN 3): everything can be taken out; deleting it ends every token at once, also while the
// record does not answer, and what happened stays as a chain that names nobody.
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chainHash } from '../../worker/objects/owner-activity.ts'
import { gatherByMail, signIn } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { call, type Json } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { d1File, rowsOf, withCopy } from '../support/state-files.ts'

let as: Running
beforeAll(async () => {
  as = await ownAs()
})
afterAll(async () => {
  await as.stop()
  rmSync(as.state, { recursive: true, force: true })
})

/** Alice with a share that Bob has just used. */
const used = async (): Promise<Stage & { rpt: string }> => {
  const s = await stage(as)
  const guest = await s.guest()
  const granted = await s.app.token(await gatherByMail(as, guest, s.app, await s.ticket()))
  const rpt = String(granted.json.access_token)
  expect((await s.service.introspect(rpt)).active).toBe(true)
  return { ...s, rpt }
}
const account = (s: Stage) => s.alice.browser.open(`${as.origin}/account`)
const erase = async (s: Stage, fields: Record<string, string> = { confirmed: 'yes' }) =>
  s.alice.browser.send(await account(s), '/account/delete', fields)
const ownerId = async (s: Stage): Promise<string> => String((await s.wallet.call('/owner/me')).json.id)
const inD1 = (sql: string, ...values: string[]) => withCopy(d1File(as.state) ?? '', (database) => rowsOf(database, sql, ...values))

it('UMA Grant 6.2: an owner takes everything out as one file, names readable in the browser that can read them', async () => {
  const s = await used()
  const page = await s.alice.browser.open(`${as.origin}/account/takeout`)
  expect(page.headers.get('content-disposition')).toContain('attachment')
  const taken = JSON.parse(page.text) as Json & { [list: string]: Json[] }
  expect(taken.address).toBe(s.alice.address)
  expect(taken.resource).toMatchObject([{ id: s.resource, label: { name: 'Lisbon.pdf' }, scopes: ['view', 'download'] }])
  expect(taken.person).toMatchObject([{ label: { email: expect.stringContaining('@') } }])
  expect(taken.policy).toMatchObject([{ resource_id: s.resource, scopes: ['view'] }])
  expect(taken.connection).toHaveLength(2)
  expect((taken.activity ?? []).map((entry) => entry.event)).toEqual(
    expect.arrayContaining(['signed_in', 'share_created', 'access_granted']),
  )
  for (const secret of [s.rpt, 'wrapped_label_key']) expect(page.text).not.toContain(secret)

  const sealed = await s.wallet.call('/owner/takeout')
  expect((sealed.json.resource as Json[])[0]?.label).toMatch(/^[\w-]+\.[\w-]*\./)
  const stranger = await call(`${as.origin}/account/takeout`)
  expect(stranger.status).toBe(401)
  expect((await call(`${as.origin}/owner/takeout`)).status).toBe(401)
})

it('UMA Grant 6.1: deleting the account ends every token at once and leaves a chain that names nobody [OW-15]', async () => {
  const [s, other] = [await used(), await used()]
  const id = await ownerId(s)
  const before = inD1('SELECT id FROM owner WHERE id = ?', id)
  expect(before).toHaveLength(1)
  expect((await erase(s, {})).status).toBe(422)
  expect((await s.service.introspect(s.rpt)).active).toBe(true)

  const done = await erase(s)
  expect(done.status).toBe(200)
  expect(done.text).toContain('Your account is deleted')
  expect((await s.wallet.call('/owner/me')).status).toBe(401)
  expect((await s.service.call('/uma/resource')).status).toBe(401)
  expect((await account(s)).status).toBe(401)
  expect((await other.service.introspect(other.rpt)).active).toBe(true)

  for (const table of ['connection', 'resource', 'person', 'policy', 'passkey', 'reliance', 'activity']) {
    expect(inD1(`SELECT 1 FROM ${table} WHERE owner = ?`, id), table).toEqual([])
  }
  expect(inD1('SELECT 1 FROM owner WHERE id = ?', id)).toEqual([])
  const chain = inD1("SELECT * FROM activity WHERE owner LIKE 'gone:%' ORDER BY seq")
  expect(chain.at(-1)?.event).toBe('account_deleted')
  let previous = ''
  for (const row of chain) {
    expect([row.salt, row.fields]).toEqual([null, null])
    expect(row.hash).toBe(chainHash(previous, Number(row.seq), Number(row.at), String(row.event), String(row.fields_hash)))
    previous = String(row.hash)
  }

  // The same address is somebody new.
  const again = await stage(as, await signIn(as, s.alice.address))
  expect(await ownerId(again)).not.toBe(id)
})

it('RFC 9700 4.15: a session that is not fresh cannot delete the account', async () => {
  const s = await used()
  await as.setClock(900)
  const page = await account(s)
  expect(page.text).toContain('Sign in once more')
  expect(page.forms.some((form) => form.action.endsWith('/account/delete'))).toBe(false)
  await as.setClock(0)
})

it('DESIGN 3: while the record does not answer, deleting counts all the same, and the record follows', async () => {
  const s = await used()
  const id = await ownerId(s)
  const page = await account(s)
  await as.setFault({ mode: 'fail', count: 1000, match: 'DELETE FROM owner' })
  const done = await s.alice.browser.send(page, '/account/delete', { confirmed: 'yes' })
  expect(done.text).toContain('Nothing of it works any more')
  expect((await s.wallet.call('/owner/me')).status).toBe(401)
  expect((await s.service.call('/uma/resource')).status).toBe(401)
  await as.setFault(undefined)
  await expect.poll(() => inD1('SELECT 1 FROM owner WHERE id = ?', id).length, { timeout: 15_000, interval: 250 }).toBe(0)
  const database = new DatabaseSync(d1File(as.state) ?? '', { readOnly: true })
  expect(database.prepare('SELECT COUNT(*) AS n FROM policy WHERE owner = ?').get(id)).toEqual({ n: 0 })
  database.close()
})

// A deployment that is taken back: the server of the storage version before (test/vectors/server-v<n>, the bundle as its last commit deploys
// it) runs on what today's server has written, and today's runs again on what that one wrote. What it would give more of, it does not open.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STORAGE_VERSION } from '../../worker/storage/version.ts'
import { type App, type Bob, bob, goBack, openClaims, registerApp, share, stopSharing, UMA_TICKET } from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress } from '../support/claims.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import type { Page } from '../support/http-browser.ts'
import { wrapped } from '../support/modules.ts'
import { unpackServer } from '../support/packed-server.ts'
import { type Running, startWorker } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { objectFiles, withCopy } from '../support/state-files.ts'
import { startAs } from '../support/story.ts'
import { verifyState } from '../support/verify-state.ts'

const BEFORE = STORAGE_VERSION - 1

let as: Running
/** Of an owner with shares and rules that give, and of one with a rule that takes away. */
let alice: Stage
let carol: Stage
let app: App
const [guest, visitor, friend] = [bob(), bob(), bob()]
/** What the first server has given out. */
const held: Record<'rpt' | 'refresh' | 'pct' | 'stopped' | 'byRule' | 'ofCarol', string> = {
  rpt: '',
  refresh: '',
  pct: '',
  stopped: '',
  byRule: '',
  ofCarol: '',
}
let unfinished: Page
let club: string

/** `more`: what is ticked on the page. */
const finish = async (who: Bob, page: Page, more: Record<string, string> = {}): Promise<Json> => {
  const done = await who.browser.submit(page, { code: newestCode(as, who.address), ...more })
  return expectStatus(await app.token(String((await goBack(who, app, done)).get('ticket'))), 200, 'RPT').json
}
const begin = async (who: Bob, by: Stage, resource = by.resource): Promise<Page> => {
  const ticket = await by.service.ticket({ resource_id: resource, resource_scopes: ['view'] })
  return typeAddress(who, (await openClaims(as, who, app, ticket)).page)
}
const isActive = async (rpt: unknown): Promise<boolean> => (await alice.service.introspect(String(rpt))).active === true
const basic = (one: { id: string; secret?: string }) => ({ id: one.id, secret: one.secret ?? '' })
const versionsOf = (): Record<string, string>[] =>
  objectFiles(as.state, 'OwnerObject').map((file) =>
    withCopy(file, (database: DatabaseSync) => {
      const rows = database.prepare("SELECT k, v FROM meta WHERE k LIKE 'version%'").all() as { k: string; v: string }[]
      return Object.fromEntries(rows.map(({ k, v }) => [k, v]))
    }),
  )

/** Another server takes the place of the one that runs: same address, same state. */
const replaced = async (start: (at: { folder: string; port: number }) => Promise<Running>): Promise<void> => {
  const at = { folder: join(as.state, '..'), port: as.port }
  await as.stop()
  as = await start(at)
}
const serverBefore = ({ folder, port }: { folder: string; port: number }): Promise<Running> =>
  startWorker(wrapped(unpackServer(BEFORE)), {
    state: join(folder, 'as'),
    mail: join(folder, 'mail'),
    host: 'localhost',
    port,
    isMigrated: true,
    vars: { ISSUER: `http://localhost:${port}` },
  })

beforeAll(async () => {
  as = await ownAs()
  app = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET, 'refresh_token'] })
  alice = await stage(as)
  carol = await stage(as)
  for (const who of [guest, visitor]) await share(alice.wallet, alice.resource, who.address)
  const given = await finish(guest, await begin(guest, alice), { skip: 'on' })
  Object.assign(held, { rpt: given.access_token, refresh: given.refresh_token, pct: given.pct })
  const ended = await share(alice.wallet, alice.resource, friend.address)
  held.stopped = String((await finish(friend, await begin(friend, alice))).access_token)
  await stopSharing(alice.wallet, ended)
  club = await alice.service.register({ resource_scopes: ['view'], parent: alice.resource, labels: ['club'] })
  const rule = { v: 1, target: { resources: [club] }, scopes: ['view'], when: { claim: 'email', domain: 'example.net' } }
  expectStatus(await alice.wallet.call('/owner/rules', { json: { ...rule, effect: 'permit' } }), 201, 'a rule that gives')
  held.byRule = String((await finish(friend, await begin(friend, alice, club))).access_token)
  await share(carol.wallet, carol.resource, guest.address)
  const forbids = { v: 1, effect: 'forbid', target: { labels: ['R'] }, scopes: '*', when: { client: ['https://bad.example/client.json'] } }
  expectStatus(await carol.wallet.call('/owner/rules', { json: forbids }), 201, 'a rule that takes away')
  held.ofCarol = String((await finish(guest, await begin(guest, carol))).access_token)
  unfinished = await begin(visitor, alice)
  expect([await isActive(held.rpt), await isActive(held.stopped), await isActive(held.byRule)]).toEqual([true, false, true])
})
afterAll(async () => {
  await as.stop()
  rmSync(join(as.state, '..'), { recursive: true, force: true })
})

describe('DESIGN 3: one step back still reads it [LF-16]', () => {
  let between: { share: string; rpt: string }

  it('DESIGN 3: the server before goes on with what today’s has given out: tokens, refresh, persisted claims, an interaction', async () => {
    await replaced(serverBefore)
    const health = await call(`${as.origin}/health`)
    expect([health.status, health.json.status]).toEqual([200, 'ok'])
    expect([await isActive(held.rpt), await isActive(held.stopped)]).toEqual([true, false])
    const form = { grant_type: 'refresh_token', refresh_token: held.refresh }
    const refreshed = expectStatus(await call(`${as.origin}/token`, { form, basic: basic(app.client) }), 200, 'refresh')
    expect(await isActive(refreshed.json.access_token)).toBe(true)
    const again = expectStatus(await app.token(await alice.ticket(), { pct: held.pct }), 200, 'with the PCT')
    expect(await isActive(again.json.access_token)).toBe(true)
    held.pct = String(again.json.pct)
    const arrived = await finish(visitor, unfinished)
    expect(await isActive(arrived.access_token)).toBe(true)
    const patAgain = { grant_type: 'refresh_token', refresh_token: String(alice.service.tokens.refresh_token) }
    expectStatus(await call(`${as.origin}/token`, { form: patAgain, basic: basic(alice.service.client) }), 200, 'a new PAT')
  })

  it('DESIGN 3: it shares and stops; what it cannot read gives nothing', async () => {
    expect(await isActive(held.byRule)).toBe(false)
    expect((await app.token(await alice.service.ticket({ resource_id: club, resource_scopes: ['view'] }), { pct: held.pct })).status).toBe(
      403,
    )
    const fresh = bob()
    const id = await share(alice.wallet, alice.resource, fresh.address)
    between = { share: id, rpt: String((await finish(fresh, await begin(fresh, alice))).access_token) }
    expect(await isActive(between.rpt)).toBe(true)
    const { items } = (await alice.wallet.call('/owner/policies')).json as { items: { id: string; person_id: string }[] }
    expect(items).toHaveLength(3)
    await stopSharing(alice.wallet, id)
    expect(await isActive(between.rpt)).toBe(false)
  })

  it('POLICY 3, DESIGN 7 I5: an owner with a rule that takes away is not opened, for anybody, and not touched', async () => {
    const versions = versionsOf()
    const shut = { version: String(STORAGE_VERSION + 1), version_last: String(STORAGE_VERSION) }
    expect(versions).toContainEqual(shut)
    expect(versions).toContainEqual({ version: String(STORAGE_VERSION), version_last: String(BEFORE) })
    const { pat } = carol.service
    const answers = [
      await call(`${as.origin}/introspect`, { form: { token: held.ofCarol }, bearer: pat }),
      await carol.service.call('/uma/permission', { json: { resource_id: carol.resource, resource_scopes: ['view'] } }),
      await carol.wallet.call('/owner/policies'),
      await carol.wallet.call(`/owner/resources/${carol.resource}/policies`, { method: 'DELETE' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 500])
    const lines = as.logs.filter((line) => line.includes('storage_too_new')).map((line) => JSON.parse(line) as Json)
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toEqual({ event: 'storage_too_new', what: 'owner', found: STORAGE_VERSION + 1, known: BEFORE })
    expect(versionsOf()).toContainEqual(shut)
  })

  it('DESIGN 3: and forward again: what was withdrawn then is withdrawn, what it gave counts, rules count again', async () => {
    await replaced(({ folder, port }) => startAs({ folder, asPort: port, wrap: true }))
    expect([await isActive(held.rpt), await isActive(held.stopped), await isActive(between.rpt)]).toEqual([true, false, false])
    expect(await isActive(held.byRule)).toBe(true)
    expect((await carol.service.introspect(held.ofCarol)).active).toBe(true)
    expectStatus(await app.token(await alice.ticket(), { pct: held.pct }), 200, 'with the PCT that the server before gave out')
    for (const id of await as.objects('OwnerObject')) await as.runAlarm('OWNER', id)
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
    const stamp = String(STORAGE_VERSION)
    expect(versionsOf()).toContainEqual({ version: stamp, version_last: stamp })
  })
})

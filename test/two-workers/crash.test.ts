// kill -9 of the runtime (DESIGN 3, RUNTIME 5): what was answered is there afterwards, what was stopped stays stopped, object and record
// agree, and everybody can go on where they were. test/long/kill-matrix.test.ts does the same many times.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { activityIn } from '../support/activity-rows.ts'
import {
  authorize,
  connectService,
  connectWallet,
  goBack,
  openClaims,
  registerApp,
  share,
  signIn,
  someone,
  stopSharing,
} from '../support/actors.ts'
import { newestCode, type Stage, stage, typeAddress, typeCode } from '../support/claims.ts'
import { compareWithActivity, compareWithBook, openCrowd, seeded, storyGoesOn } from '../support/crowd.ts'
import { newKey, openDoor } from '../support/door.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { makeAnswer, offerOf, redeemOffer } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { d1File, rowsOf, withCopy } from '../support/state-files.ts'
import { until } from '../support/until.ts'
import { verifyState } from '../support/verify-state.ts'

const ALWAYS = 1_000_000

describe('RUNTIME 5: kill -9', () => {
  let as: Running
  beforeEach(async () => {
    as = await ownAs()
  })
  afterEach(() => as.stop())

  const differences = (): string[] => verifyState(as.state).flatMap((report) => report.differences)

  it('RUNTIME 5: between any two steps of the story nothing is lost that was answered', async () => {
    let kills = 0
    const kill = async (): Promise<void> => {
      await as.kill()
      kills += 1
      expect(differences()).toEqual([])
    }
    const [address, browser] = [someone('alice'), openBrowser()]
    const codePage = await typeAddress({ address, browser }, await browser.open(`${as.origin}/sign-in`))
    const welcome = await typeCode({ address, browser }, codePage, newestCode(as, address))
    expect(welcome.url).toContain('/welcome')
    expect((await browser.open(welcome.url)).text).toContain('recovery')
    const alice = { address, browser, page: welcome }
    const service = await connectService(as, alice)
    const wallet = await connectWallet(as, alice)
    const app = await registerApp(as)
    const resource = await service.register({ resource_scopes: ['view'], name: 'Lisbon.pdf' })
    await kill()
    const guest = { address: someone('bob'), browser: openBrowser() }
    const id = await share(wallet, resource, guest.address)
    const ticket = await service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    await kill()
    const asked = await app.token(ticket)
    expect(asked.json.error).toBe('need_info')
    // A spent ticket stays spent.
    expect((await app.token(ticket)).json.error).toBe('invalid_grant')
    const { page } = await openClaims(as, guest, app, String(asked.json.ticket))
    const mailed = await typeAddress(guest, page)
    await kill()
    const done = await typeCode(guest, mailed, newestCode(as, guest.address))
    expect(done.status).toBe(200)
    await kill()
    const next = String((await goBack(guest, app, done)).get('ticket'))
    const granted = expectStatus(await app.token(next), 200, 'token')
    await kill()
    expect((await app.token(next)).json.error).toBe('invalid_grant')
    expect((await app.token(String(asked.json.ticket))).json.error).toBe('invalid_grant')
    const rpt = String(granted.json.access_token)
    expect((await service.introspect(rpt)).active).toBe(true)
    await stopSharing(wallet, id)
    await kill()
    expect(await service.introspect(rpt)).toEqual({ active: false })
    expect(kills).toBe(6)
    const told = activityIn(as.state).map(({ event }) => event)
    for (const event of [
      'service_connected',
      'wallet_connected',
      'resource_registered',
      'share_created',
      'access_granted',
      'access_used',
      'share_stopped',
    ])
      expect(
        told.filter((one) => one === event),
        event,
      ).toHaveLength(1)
  })

  it('RUNTIME 5: codes, nonces, offers and tokens survive, and are still good once only', async () => {
    const s = await stage(as)
    const guest = await s.guest()
    const offer = await offerOf(as, guest, s.app, await s.ticket())
    const redirectUri = `${s.service.origin}/connected`
    const { id, secret = '' } = s.service.client
    const { params, verifier } = await authorize(as, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
    await as.kill()
    const credential = await redeemOffer(as, offer)
    const redeem = () => call(`${as.origin}/token`, { form, basic: { id, secret } })
    const tokens = expectStatus(await redeem(), 200, 'code').json
    const { page } = await s.arrive(guest)
    const deliver = await makeAnswer(guest, page, credential)
    await as.kill()
    await expect(redeemOffer(as, offer)).rejects.toThrow('invalid_grant')
    expect((await deliver()).status).toBe(200)
    expect((await call(`${as.origin}/uma/resource`, { bearer: String(tokens.access_token) })).status).toBe(200)
    await as.kill()
    expect((await deliver()).status).toBe(400)
    expect((await redeem()).json.error).toBe('invalid_grant')
    expect((await call(`${as.origin}/uma/resource`, { bearer: String(tokens.access_token) })).status).toBe(401)
  })

  it('RUNTIME 5: killed three times while eight share, stop, register, redeem and claim [LF-06]', async () => {
    const s = await stage(as)
    const random = seeded(20_261_120)
    const crowd = await openCrowd(s, random)
    for (let round = 0; round < 3; round++) {
      await crowd.run(60 + Math.floor(random() * 40), () => as.kill())
      expect(differences()).toEqual([])
      expect(await compareWithBook(s, crowd)).toEqual([])
      expect(compareWithActivity(as.state, crowd)).toEqual([])
    }
    expect(differences()).toEqual([])
    await storyGoesOn(s)
    expect(Object.keys(crowd.book.acknowledged).sort()).toEqual(
      ['claim', 'delete', 'describe', 'introspect', 'redeem', 'register', 'share', 'stop'].sort(),
    )
  })

  it('DESIGN 5.10: killed before the new owner was told, the owner can sign in', async () => {
    await as.setFault({ mode: 'mute', count: ALWAYS, match: 'INTO owner' })
    const [address, browser] = [someone('alice'), openBrowser()]
    const codePage = await typeAddress({ address, browser }, await browser.open(`${as.origin}/sign-in`))
    const unanswered = typeCode({ address, browser }, codePage, newestCode(as, address)).catch(() => undefined)
    await until(() => withCopy(d1File(as.state) ?? '', (db) => rowsOf(db, 'SELECT id FROM owner').length === 1))
    await as.kill()
    expect((await unanswered)?.status).not.toBe(200)
    expect(browser.cookies(as.origin)).not.toHaveProperty('__Host-session')
    expect(differences()).toEqual([])
    const alice = await signIn(as, address)
    await connectService(as, alice)
    expect(differences()).toEqual([])
  })
})

describe('DESIGN 3: killed between object and record', () => {
  let as: Running
  let s: Stage
  beforeAll(async () => {
    as = await ownAs()
  })
  beforeEach(async () => {
    s = await stage(as)
  })
  afterAll(() => as.stop())

  const differences = (): string[] => verifyState(as.state).flatMap((report) => report.differences)
  const summary = (): string =>
    verifyState(as.state)
      .map((report) => report.summary)
      .join()
  const policies = async (): Promise<Json[]> => expectStatus(await s.wallet.call('/owner/policies'), 200, 'policies').json.items as Json[]
  const inD1 = (sql: string, ...values: string[]): number => withCopy(d1File(as.state) ?? '', (db) => rowsOf(db, sql, ...values).length)

  it('DESIGN 3: killed after a stop that D1 has not heard of, the record follows without any request', async () => {
    const door = await openDoor(s, await newKey(s))
    await as.setFault({ mode: 'fail', count: ALWAYS })
    await stopSharing(s.wallet, door.share)
    expect(inD1('SELECT 1 FROM policy WHERE id = ?', door.share)).toBe(1)
    await as.kill()
    // Faults end with the process. Nobody calls: the alarm that was set with the stop is all there is.
    await until(() => inD1('SELECT 1 FROM policy WHERE id = ?', door.share) === 0)
    expect(differences()).toEqual([])
    expect(await s.service.introspect(door.rpt)).toEqual({ active: false })
  })

  it('DESIGN 3: killed between fence and record, nothing has happened', async () => {
    const before = await policies()
    await as.setFault({ mode: 'hang', count: ALWAYS })
    const unanswered = share(s.wallet, s.resource, someone('bob')).catch(() => 'no answer')
    await until(() => summary().includes('fence'))
    await as.kill()
    expect(await unanswered).toBe('no answer')
    expect(summary()).toContain('fence')
    expect(await policies()).toEqual(before)
    await until(() => !summary().includes('fence'))
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: killed between record and answer, it has happened, and the activity tells of it', async () => {
    const before = await policies()
    const count = inD1('SELECT 1 FROM policy')
    await as.setFault({ mode: 'mute', count: ALWAYS, match: 'INTO policy' })
    const unanswered = share(s.wallet, s.resource, someone('bob')).catch(() => 'no answer')
    await until(() => inD1('SELECT 1 FROM policy') === count + 1)
    await as.kill()
    expect(await unanswered).toBe('no answer')
    const after = await policies()
    expect(after).toHaveLength(before.length + 1)
    expect(summary()).not.toContain('fence')
    expect(differences()).toEqual([])
    const { items } = expectStatus(await s.wallet.call('/owner/activity'), 200, 'activity').json as { items: Json[] }
    const told = items.flatMap(({ event, policy_id }) => (event === 'share_created' ? [policy_id] : []))
    expect(told.sort()).toEqual(after.map((one) => one.id).sort())
  })

  it.each([
    ['shared', 'INTO policy', (one: Stage, id: string) => share(one.wallet, id, someone('bob'))],
    [
      'described anew',
      'INTO resource',
      (one: Stage, id: string) => one.service.call(`/uma/resource/${id}`, { method: 'PUT', json: { resource_scopes: ['x'] } }),
    ],
  ] as const)(
    'DESIGN 3: killed while a thing was %s and deleted, it stays deleted, with all that belongs to it',
    async (_what, match, act) => {
      const id = await s.service.register({ resource_scopes: ['view'], name: 'Short-lived' })
      const described = (): unknown =>
        withCopy(d1File(as.state) ?? '', (db) => rowsOf(db, 'SELECT description FROM resource WHERE id = ?', id)[0]?.description)
      const before = described()
      await as.setFault({ mode: 'mute', count: 1, match })
      const unanswered = act(s, id).catch(() => undefined)
      await until(() => inD1('SELECT 1 FROM policy WHERE resource_id = ?', id) > 0 || described() !== before)
      await as.setFault({ mode: 'fail', count: ALWAYS })
      expectStatus(await s.service.call(`/uma/resource/${id}`, { method: 'DELETE' }), 204, 'deletion')
      await as.kill()
      await unanswered
      expect((await policies()).filter((one) => one.resource_id === id)).toEqual([])
      expect((await s.service.call(`/uma/resource/${id}`)).status).toBe(404)
      await until(() => !/fence|on the way/.test(summary()))
      expect(inD1('SELECT 1 FROM policy WHERE resource_id = ?', id) + inD1('SELECT 1 FROM resource WHERE id = ?', id)).toBe(0)
      expect(differences()).toEqual([])
    },
  )
})

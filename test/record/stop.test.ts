// "Stop sharing" is in force when it answers (DESIGN 3, 7 I4): the very next question about a live token is answered "inactive", whatever
// the state of D1, and the record follows by itself. Nothing here waits: the object's alarm is looked up, then run.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectService, share } from '../support/actors.ts'
import { atOnce } from '../support/at-once.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Door, type Key, newKey, openDoor } from '../support/door.ts'
import type { Fault } from '../support/fault.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { alarmOf, d1File, objectFiles, rowsOf, withCopy } from '../support/state-files.ts'
import { verifyState } from '../support/verify-state.ts'

const ALWAYS = 1_000_000

describe('DESIGN 7 I4: stop sharing', () => {
  let as: Running
  let s: Stage
  let key: Key
  beforeAll(async () => {
    as = await ownAs()
    s = await stage(as)
    key = await newKey(s)
  })
  afterEach(() => as.setFault(undefined))
  afterAll(() => as.stop())

  /** Another service of Alice's, since disconnecting takes the service away. */
  const anotherStage = async (): Promise<Stage> => ({ ...s, service: await connectService(as, s.alice) })
  const connectionOf = async (one: Stage): Promise<string> => {
    const { items } = expectStatus(await s.wallet.call('/owner/connections'), 200, 'connections').json as { items: Json[] }
    return String(items.find((item) => item.client_id === one.service.client.id)?.id)
  }
  const post = async (path: string, fields: Record<string, string>): Promise<void> => {
    const { browser } = s.alice
    const page = await browser.open(`${as.origin}/`)
    const form = page.forms.find(
      (one) => one.action.endsWith(path) && Object.entries(fields).every(([name, value]) => one.fields[name] === value),
    )
    if (form === undefined) throw new Error(`page / has no form to ${path} with ${JSON.stringify(fields)}`)
    const answer = await browser.submit({ ...page, forms: [form] }, fields)
    expect(answer.status).toBe(200)
    expect(answer.url).toContain('notice=')
  }
  /** The ways to stop; each answers when the server has answered. */
  const ways: Record<string, (one: Stage, door: Door) => Promise<void>> = {
    'the wallet stops the share': async (one, door) => {
      expectStatus(await one.wallet.call(`/owner/policies/${door.share}`, { method: 'DELETE' }), 204, 'stop')
    },
    'the wallet stops all shares of the thing': async (one, door) => {
      expectStatus(await one.wallet.call(`/owner/resources/${door.resource}/policies`, { method: 'DELETE' }), 204, 'stop all')
    },
    'the page / stops the share': (_one, door) => post('/stop-sharing', { share: door.share }),
    'the service deletes the thing': async (one, door) => {
      expectStatus(await one.service.call(`/uma/resource/${door.resource}`, { method: 'DELETE' }), 204, 'deletion')
    },
    'the wallet disconnects the service': async (one) => {
      expectStatus(await one.wallet.call(`/owner/connections/${await connectionOf(one)}`, { method: 'DELETE' }), 204, 'disconnect')
    },
    'the page / disconnects the service': async (one) => post('/disconnect', { connection: await connectionOf(one) }),
  }
  const isDisconnect = (way: string): boolean => way.includes('disconnects')

  /** What the service hears about the token now: active or not, or that its own token is no good any more. */
  const heard = async (one: Stage, door: Door): Promise<string> => {
    const answer = await one.service.call('/introspect', { form: { token: door.rpt } })
    if (answer.status !== 200) return `${answer.status} ${answer.json.error}`
    return Object.keys(answer.json).length === 1 || answer.json.active ? `active ${answer.json.active}` : answer.text
  }
  const isRecorded = (door: Door): boolean =>
    withCopy(d1File(as.state) ?? '', (db) => rowsOf(db, 'SELECT 1 FROM policy WHERE id = ?', door.share).length > 0)
  const differences = (): string[] => verifyState(as.state).flatMap((report) => report.differences)
  const ownerId = async (): Promise<string> => (await as.objects('OwnerObject'))[0] ?? ''
  const isPending = (): boolean => verifyState(as.state).some(({ summary }) => /fence|on the way/.test(summary))
  /** Runs the owner's alarm until it has done its work: the first may still wait for a D1 that does not answer. */
  const alarm = async (): Promise<void> => {
    for (let round = 0; round < 4 && (round === 0 || isPending()); round++) await as.runAlarm('OWNER', await ownerId())
  }
  /** Opens one door for each way, with D1 well. */
  const doors = async () => {
    const opened: { way: string; one: Stage; door: Door }[] = []
    for (const way of Object.keys(ways)) {
      const one = isDisconnect(way) ? await anotherStage() : s
      const door = await openDoor(one, key)
      expect(await heard(one, door)).toBe('active true')
      opened.push({ way, one, door })
    }
    return opened
  }
  const expectStopped = async (fault: Fault | undefined): Promise<void> => {
    const opened = await doors()
    await as.setFault(fault)
    const after = await Promise.all(
      opened.map(async ({ way, one, door }) => {
        await ways[way]?.(one, door)
        return [way, await heard(one, door)]
      }),
    )
    expect(Object.fromEntries(after)).toEqual(
      Object.fromEntries(Object.keys(ways).map((way) => [way, isDisconnect(way) ? '401 invalid_token' : 'active false'])),
    )
    for (const { way, door } of opened)
      if (!isDisconnect(way) && !way.includes('deletes')) expect((await door.ask()).json.error, way).toBe('request_denied')
    if (fault) {
      if (fault.mode !== 'lost') expect(opened.filter(({ door }) => isRecorded(door))).toHaveLength(opened.length)
      // Nobody has to come by: the object's own alarm is set.
      const file = objectFiles(as.state, 'OwnerObject')[0] ?? ''
      expect(alarmOf(file) - Date.now()).toBeLessThan(6_000)
      await as.setFault(undefined)
    }
    await alarm()
    expect(opened.flatMap(({ way, door }) => (isRecorded(door) ? [way] : []))).toEqual([])
    expect(differences()).toEqual([])
    expect(isPending()).toBe(false)
  }

  it('DESIGN 7 I4: the next question is answered "inactive", whoever stops and wherever', () => expectStopped(undefined))

  it('DESIGN 3: the same while D1 fails; the record follows by alarm', () => expectStopped({ mode: 'fail', count: ALWAYS }))

  it('DESIGN 3: the same while D1 does not answer', () => expectStopped({ mode: 'hang', count: ALWAYS }), 60_000)

  it('DESIGN 3: the same while answers of D1 are lost', () => expectStopped({ mode: 'lost', count: ALWAYS }))

  it('DESIGN 3: what was stopped while D1 was away stays stopped when something else is shared [LF-12]', async () => {
    const door = await openDoor(s, key)
    await as.setFault({ mode: 'fail', count: ALWAYS })
    await ways['the wallet stops the share']?.(s, door)
    await as.setFault(undefined)
    await share(s.wallet, s.resource, key.address)
    expect(isRecorded(door)).toBe(false)
    expect(await heard(s, door)).toBe('active false')
    expect(differences()).toEqual([])
  })

  it('UMA FedAuthz 5: neither introspection, permissions nor tokens need D1 once the clients are known', async () => {
    const door = await openDoor(s, key)
    for (const mode of ['fail', 'hang'] as const) {
      await as.setFault({ mode, count: ALWAYS })
      expect(await heard(s, door)).toBe('active true')
      const granted = expectStatus(await door.ask(), 200, 'token').json
      expect(granted.resource_server).toBe(s.service.origin)
      expect(await s.service.introspect(String(granted.access_token))).toMatchObject({ active: true })
      expect((await s.app.token(await s.ticket())).json.error).toBe('need_info')
      expectStatus(await s.app.token('no-ticket'), 400, 'no ticket')
      await as.setFault(undefined)
    }
  })

  it('RFC 7009 2.2.1: what a client hears of revoking while D1 is away is so [LF-10]', async () => {
    for (const mode of ['fail', 'lost', 'hang'] as const) {
      const [door, other] = [await openDoor(s, key), await openDoor(s, key)]
      await as.setFault({ mode, count: ALWAYS })
      const answer = await call(`${as.origin}/revoke`, { form: { token: door.rpt, client_id: s.app.client.id } })
      const after = await heard(s, door)
      // Done and said so, or not done and 503: never the one with the other.
      expect([answer.status, after], mode).toEqual(answer.status === 200 ? [200, 'active false'] : [503, 'active true'])
      expect(await heard(s, other), mode).toBe('active true')
      await as.setFault(undefined)
      await call(`${as.origin}/revoke`, { form: { token: door.rpt, client_id: s.app.client.id } })
      expect(await heard(s, door), mode).toBe('active false')
    }
  })

  it('DESIGN 3: an alarm that rings eight times at once, with and without D1, decides, mails and writes nothing twice [LF-08]', async () => {
    const door = await openDoor(s, key)
    const mails = as.mailbox.all().length
    const ring = async (): Promise<void> => {
      const id = await ownerId()
      await atOnce(8, () => as.runAlarm('OWNER', id))
    }
    for (const fault of [{ mode: 'fail', count: ALWAYS }, { mode: 'lost', count: 2 }, undefined] as const) {
      await as.setFault(fault)
      await ring()
      expect(await heard(s, door)).toBe('active true')
    }
    await alarm()
    const seen = withCopy(d1File(as.state) ?? '', (db) => rowsOf(db, 'SELECT COUNT(*) AS n, COUNT(DISTINCT seq) AS kinds FROM activity'))
    expect(seen[0]?.n).toBe(seen[0]?.kinds)
    expect(differences()).toEqual([])
    expect(as.mailbox.all()).toHaveLength(mails)
  })

  it('DESIGN 7 I5: a server that has just started and cannot ask D1 grants nothing, and the ticket is good afterwards', async () => {
    const [door, other] = [await openDoor(s, key), await openDoor(s, key)]
    const ticket = await s.service.ticket({ resource_id: door.resource, resource_scopes: ['view'] })
    await as.kill()
    await as.setFault({ mode: 'fail', count: ALWAYS })
    const refused = await s.app.token(ticket)
    expect(refused.status).toBe(503)
    expect(refused.json.error).toBe('temporarily_unavailable')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // What the object holds needs nobody else.
    expect(await heard(s, other)).toBe('active true')
    await ways['the wallet stops the share']?.(s, other)
    expect(await heard(s, other)).toBe('active false')
    await as.setFault(undefined)
    expect((await s.app.token(ticket)).json.error).toBe('need_info')
  })
})

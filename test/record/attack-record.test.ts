// Attacks on the moment: D1 fails while something is taken away, two change the same thing at once, the account is deleted while a code is on
// its way, a client is blocked between its code and its socket.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { authorize, connectWallet, registerClient, share, signIn } from '../support/actors.ts'
import { type Attack, attack, OLAF, rptOf } from '../support/attack.ts'
import { stage } from '../support/claims.ts'
import { call, expectStatus, type Json, random, sha256 } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { openSocket } from '../support/live-socket.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { verifyState } from '../support/verify-state.ts'

let a: Attack
beforeAll(async () => {
  a = await attack()
})
afterEach(() => a.as.setFault(undefined))
afterAll(() => a.stop())

/** Until the record has heard everything. */
const alarms = async (): Promise<void> => {
  for (let round = 0; round < 3; round++) for (const id of await a.as.objects('OwnerObject')) await a.as.runAlarm('OWNER', id)
}
const differences = (): string[] => verifyState(a.as.state).flatMap((report) => report.differences)
const aGroup = async (): Promise<string> => {
  const id = random(9)
  expect((await a.rules.ask('putGroup', { id, label: 'x.....' })).kind).toBe('done')
  const people = [{ mac: a.mac, label: 'x.....' }]
  expect((await a.rules.ask('addMembers', { group_id: id, people })).kind).toBe('done')
  return id
}
const membersOf = async (group_id: string): Promise<number> =>
  ((await a.rules.ask('members', { group_id })) as unknown as { items: unknown[] }).items.length
const forbids = (group: string, more: Json = {}): Json => ({
  policy: { v: 1, id: random(9), rev: 0, tier: 'owner', effect: 'forbid', scopes: '*', target: { all: true }, when: never(group), ...more },
  label: null,
})
/** Of an app that nobody has: it takes nothing from anybody here. */
const never = (group: string): Json => ({ all: [{ client: ['https://nobody.example/app'] }, { claim: 'country', group }] })

describe('DESIGN 3: what the owner is told is true, whatever D1 does', () => {
  it('DESIGN 3: nobody is told that something was taken out while it is still there', async () => {
    const group = await aGroup()
    const rule = forbids(group, { effect: 'require', when: { any: [{ claim: 'email', group }, { anyone: true }] } })
    expect((await a.rules.ask('putPolicy', rule)).kind).toBe('done')
    for (const mode of ['fail', 'lost'] as const) {
      await a.as.setFault({ mode, count: 1, match: 'DELETE FROM group_member' })
      const done = await a.rules.ask('removeMember', { group_id: group, id: `${group}.${a.mac}` })
      expect([mode, done.kind, await membersOf(group)]).toEqual(mode === 'fail' ? [mode, 'unavailable', 1] : [mode, 'done', 0])
    }
    await alarms()
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: what was refused late is in the record as it is in the object', async () => {
    const group = await aGroup()
    await a.as.setFault({ mode: 'late', count: 1, match: 'DELETE FROM person_group' })
    const dropping = a.rules.ask('dropGroup', { id: group })
    await expect.poll(async () => (await a.rules.ask('groups')).kind).toBe('ok')
    // It only takes away: it counts at once, while the group is about to go.
    expect((await a.rules.ask('putPolicy', forbids(group))).kind).toBe('done')
    await a.as.setFault(undefined)
    expect(await dropping).toMatchObject({ kind: 'refused', reason: 'in_use' })
    expect(await membersOf(group)).toBe(1)
    await alarms()
    expect(differences()).toEqual([])
  })

  it('DESIGN 3: a group does not go while a prohibition that speaks of it comes, though D1 loses its answer', async () => {
    const group = await aGroup()
    await a.as.setFault({ mode: 'lost', count: 1, match: 'DELETE FROM person_group' })
    const dropping = a.rules.ask('dropGroup', { id: group })
    const saving = Array.from({ length: 12 }, () => a.rules.ask('putPolicy', forbids(group)))
    const [dropped, ...saved] = await Promise.all([dropping, ...saving])
    await a.as.setFault(undefined)
    const isSaved = saved.some(({ kind }) => kind === 'done')
    expect([dropped?.kind, await membersOf(group)]).toEqual(isSaved ? ['refused', 1] : ['done', 0])
    await alarms()
    expect(differences()).toEqual([])
  })

  it('RFC 9110 13.1.1: a prohibition that was changed meanwhile is not dropped by who saw the one before', async () => {
    const group = await aGroup()
    const rule = forbids(group)
    const { id } = rule.policy as { id: string }
    expect((await a.rules.ask('putPolicy', rule)).kind).toBe('done')
    await alarms()
    await a.as.setFault({ mode: 'late', count: 1, match: 'INTO rule ' })
    const policy = { ...(rule.policy as Json), scopes: ['view'] }
    const changing = a.rules.ask('putPolicy', { ...rule, policy, expected_rev: 1 })
    await expect.poll(async () => (await a.rules.ask('groups')).kind).toBe('ok')
    const dropping = a.rules.ask('dropPolicy', { id, expected_rev: 1 })
    await expect.poll(async () => (await a.rules.ask('groups')).kind).toBe('ok')
    await a.as.setFault(undefined)
    expect(await changing).toMatchObject({ kind: 'done', value: { rev: 2 } })
    expect(await dropping).toMatchObject({ kind: 'refused', reason: 'conflict' })
  })

  it('DESIGN 3: a rule of the platform that is in the record reaches everybody, also if nobody could say that it was written', async () => {
    const id = await a.thing()
    await a.rules.save({ target: { resources: [id] }, when: { claim: 'email', eq: a.mac } })
    const rpt = rptOf(await a.come(id))
    const { browser } = await signIn(a.as, OLAF, openBrowser({ 'accept-language': 'en' }))
    const page = await browser.open(`${a.as.origin}/admin`)
    const rule = JSON.stringify({ v: 1, effect: 'forbid', target: { all: true }, scopes: '*', when: { client: [a.app.client.id] } })
    await a.as.setFault({ mode: 'lost', count: 1, match: 'INTO platform_rule' })
    expect((await browser.send(page, '/add-rule', { name: 'Not this app', rule })).status).toBe(503)
    expect(await a.opens(rpt)).toEqual([id])
    await a.as.setFault(undefined)
    for (const object of await a.as.objects('ClientObject')) await a.as.runAlarm('CLIENT', object)
    expect(await a.opens(rpt)).toEqual([])
    const { forms } = await browser.open(`${a.as.origin}/admin`)
    await browser.send({ ...page, forms }, '/drop-rule')
    expect(await a.opens(rpt)).toEqual([id])
  })

  it('DESIGN 1, step 10: nobody is told no while the share that was the answer goes on', async () => {
    const id = await a.thing()
    await a.rules.save({
      id: `ask-${id}`,
      target: { resources: [id] },
      when: { all: [{ claim: 'email', eq: a.mac }, { ask: `ask-${id}` }] },
    })
    expectRefusal(await a.come(id), 403, 'request_submitted')
    const { items } = (await a.rules.ask('requests')) as unknown as { items: { id: string }[] }
    const answer = (decision: string) => a.rules.ask('answer', { id: items[0]?.id ?? '', decision, valid_until: null, time_zone: null })
    await a.as.setFault({ mode: 'late', count: 1, match: 'INTO policy' })
    const keeping = answer('keep')
    for (let turn = 0; turn < 10; turn++) await a.rules.ask('groups')
    // Another wallet answers while the first one waits: it hears that it came too late.
    for (const decision of ['deny', 'keep']) expect(await answer(decision)).toMatchObject({ kind: 'refused', reason: 'over' })
    await a.as.setFault(undefined)
    expect(await keeping).toMatchObject({ kind: 'ok', request: { state: 'kept' } })
    expect(await a.opens(rptOf(await a.come(id)))).toEqual([id])
    expect(await answer('deny')).toMatchObject({ kind: 'refused', reason: 'over' })
    expect(await answer('block')).toMatchObject({ kind: 'ok', request: { state: 'denied' } })
    expectRefusal(await a.come(id), 403, 'request_denied')
    const blocks = (await a.rules.ask('policies', { kind: 'block' })) as unknown as { items: { id: string }[] }
    for (const block of blocks.items) await a.rules.ask('dropPolicy', { id: block.id })
  })
})

describe('DESIGN decision 8: nobody speaks in the place of another', () => {
  it('AuthZEN 10: a service that asks without end leaves the owner her own questions', async () => {
    const { as, s } = a
    const [owner, now] = [String((await s.wallet.call('/owner/me')).json.id), a.now()]
    const ask = async () => {
      const done = await as.callObject('OWNER', owner, 'evaluate', { hash: sha256(s.service.pat) }, { questions: [], isService: true, now })
      return (done as Json).kind
    }
    const kinds: unknown[] = []
    for (let round = 0; round < 5; round++) kinds.push(...(await Promise.all(Array.from({ length: 50 }, ask))))
    // Those of one round arrive in any order.
    expect(new Set(kinds.slice(0, 50))).toEqual(new Set(['ok']))
    expect(kinds.slice(-50)).toContain('too_fast')
    expect((await a.rules.ask('whatCan', { facts: [], now })).kind).toBe('ok')
  })
})

describe('UMA Grant 6.1: who was sent away stays away', () => {
  it('UMA Grant 6.1: while the record has still to forget a deleted account, nothing is connected to it', async () => {
    const { as } = a
    const s = await stage(as)
    const redirectUri = 'https://late.example/connected'
    const { id, secret = '' } = await registerClient(as, { redirect_uris: [redirectUri], grant_types: ['authorization_code'] })
    const { params, verifier } = await authorize(as, s.alice, { clientId: id, redirectUri, scope: 'openid uma_protection' })
    const page = await s.alice.browser.open(`${as.origin}/account`)
    await as.setFault({ mode: 'fail', count: 1, match: 'DELETE FROM owner' })
    const done = await s.alice.browser.send(page, '/account/delete', { confirmed: 'yes' })
    expect(done.text).toContain('Nothing of it works any more')
    const form = { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
    expectRefusal(await call(`${as.origin}/token`, { form, basic: { id, secret } }), 400, 'invalid_grant')
  })

  it('DESIGN 4: a code for live notices opens nothing for a wallet that was blocked, or whose tokens are gone', async () => {
    const { as } = a
    const alice = await signIn(as)
    const codeOf = async (wallet: Attack['s']['wallet']): Promise<string> =>
      String(expectStatus(await wallet.call('/owner/live', { method: 'POST' }), 200, 'code').json.code)
    const open = async (code: string): Promise<number> => {
      const socket = await openSocket(`${as.origin}/owner/live?code=${encodeURIComponent(code)}`)
      socket.destroy()
      return socket.status
    }
    const blocked = await connectWallet(as, alice)
    const code = await codeOf(blocked)
    await as.callObject('CLIENT', blocked.client.id, 'change', { client_id: blocked.client.id, blocked: true, now: a.now() })
    expect(await open(code)).toBe(401)
    const revoked = await connectWallet(as, alice)
    const last = await codeOf(revoked)
    for (const token of [revoked.tokens.refresh_token, revoked.tokens.access_token])
      expectStatus(await call(`${as.origin}/revoke`, { form: { token: String(token), client_id: revoked.client.id } }), 200, 'revocation')
    expect(await open(last)).toBe(401)
    const good = await connectWallet(as, alice)
    expect(await open(await codeOf(good))).toBe(101)
  })

  it('UMA Grant 6.2: a persisted token counts no more for who forgot it while the record was asked', async () => {
    const { as, guest, app } = a
    const other = await stage(as)
    await share(other.wallet, other.resource, guest.address)
    const { pct } = (await app.token(await a.remembered())).json
    const forget = await a.forgetting()
    await as.setFault({ mode: 'late', count: 1, match: 'INTO reliance' })
    const redeemed = app.token(await other.ticket(), { pct: String(pct) })
    for (let turn = 0; turn < 10; turn++) await a.rules.ask('groups')
    await forget()
    await as.setFault(undefined)
    expectRefusal(await redeemed, 403, 'need_info')
  })
})

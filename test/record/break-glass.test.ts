// Breaking the glass, over HTTP (POLICY 3 and 8d): declared by the owner for a type of things, asked for in so many words, a quarter of an hour,
// told to her at once, and over when she withdraws it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, bob, registerApp, share, UMA_TICKET } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Answer, expectStatus, type Json, random } from '../support/http.ts'
import { openSocket } from '../support/live-socket.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { type Credential, obtainCredential, presentFor } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const TYPE = 'https://ehr.example/record'
const BTG = { purpose: 'BTG' }

let as: Running
let s: Stage
let app: App
let medic: Credential
let porter: Credential
let id: string
let rule: Json
let clock = 0
const now = (): number => Math.floor(Date.now() / 1000) + clock
const declare = async (more: Json = { break_glass: ['view'] }): Promise<Answer> => {
  const { items } = (await s.wallet.call('/owner/types')).json as { items: { type: string; rev?: number }[] }
  const rev = items.find(({ type }) => type === TYPE)?.rev
  const headers: Record<string, string> = rev === undefined ? {} : { 'if-match': `"${rev}"` }
  return s.wallet.call('/owner/types', {
    method: 'PUT',
    json: { type: TYPE, implies: { edit: ['view'] }, authority: 'owner', ...more },
    headers,
  })
}
const ticketFor = (thing: string): Promise<string> => s.service.ticket({ resource_id: thing, resource_scopes: ['view'] })
const shows = async (who: Credential, ticket: string): Promise<Record<string, string>> => ({
  claim_token: await presentFor(who, ticket, { iat: now() }),
  claim_token_format: 'dc+sd-jwt',
})
const come = async (more: Record<string, string> = BTG, who = medic, thing = id): Promise<Answer> => {
  const ticket = await ticketFor(thing)
  return app.token(ticket, { ...(await shows(who, ticket)), ...more })
}
const forEmergencies = (): Json => ({
  v: 1,
  effect: 'permit',
  target: { types: [TYPE] },
  scopes: ['view'],
  when: { all: [{ claim: 'email', domain: 'clinic.example' }, { break_glass: true }] },
})
const addRule = async (): Promise<Json> => expectStatus(await s.wallet.call('/owner/rules', { json: forEmergencies() }), 201, 'rule').json
const rptOf = (answer: Answer): string => String(expectStatus(answer, 200, 'RPT').json.access_token)
const isActive = async (rpt: string): Promise<boolean> => (await s.service.introspect(rpt)).active === true

beforeAll(async () => {
  as = await ownAs()
  s = await stage(as)
  app = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET, 'refresh_token'] })
  const first = await s.service.register({ resource_scopes: ['view'] })
  const credentialOf = async (address: string): Promise<Credential> => {
    const guest = bob(address)
    await share(s.wallet, first, address)
    return obtainCredential(as, guest, app, await ticketFor(first))
  }
  medic = await credentialOf(`medic.${random(4)}@clinic.example`)
  porter = await credentialOf(`porter.${random(4)}@elsewhere.example`)
  Object.assign(s.wallet.key, { now })
  id = await s.service.register({ resource_scopes: ['view', 'edit'], type: TYPE })
  rule = await addRule()
})
afterAll(async () => {
  await as.stop()
})

describe('POLICY 8d: break-glass', () => {
  it('POLICY 3: only where the type of the thing declares it', async () => {
    expectRefusal(await come(), 403, 'request_denied')
    expectStatus(await declare({}), 200, 'type')
    expectRefusal(await come(), 403, 'request_denied')
    expectStatus(await declare(), 200, 'type')
    expect((await come()).status).toBe(200)
  })

  it('POLICY 4: the sentences say it, and what a scope brings along', async () => {
    expect(rule.sentence).toBe(
      `everybody with an e-mail address at ${/\{mac:[^}]*\}/.exec(String(rule.sentence))} may view everything of the kind “${TYPE}”, provided that ` +
        'an emergency is declared (for 15 minutes at most, and you are told at once)',
    )
    await share(s.wallet, id, 'x@example.net', { resource_scopes: ['edit'] })
    const { items } = (await s.wallet.call(`/owner/policies?resource_id=${id}`)).json as { items: Json[] }
    expect(items.map(({ sentence, along }) => [sentence, along])).toEqual([['{person} may edit {thing}, included: view', ['view']]])
    const listed = (await s.wallet.call(`/owner/rules?resource_id=${id}`)).json as { items: Json[] }
    expect(listed.items.find(({ kind }) => kind === 'share')?.sentence).toMatch(/^\{person:.+\} may edit \{thing\}, included: view$/)
    const idea = { ...forEmergencies(), scopes: ['edit'], when: { anyone: true } }
    const { sentence } = (await s.wallet.call('/owner/questions/what-if', { json: { rule: idea } })).json
    expect(sentence).toBe(`everybody may edit everything of the kind “${TYPE}”, included: view`)
    const refused = await s.wallet.call('/owner/rules', { json: { ...forEmergencies(), grant: { notify: 'never' } } })
    expect([refused.status, refused.json.problems]).toEqual([400, [expect.objectContaining({ code: 'bad_terms' })]])
  })

  it('POLICY 8d: who does not say that there is an emergency does not hear of it; who says so shows who they are', async () => {
    const thing = await s.service.register({ resource_scopes: ['view'], type: TYPE })
    expectRefusal(await app.token(await ticketFor(thing)), 403, 'request_denied')
    expectRefusal(await come({ purpose: 'TREAT' }, medic, thing), 403, 'request_denied')
    expectRefusal(await come(BTG, porter, thing), 403, 'request_denied')
    const wanted = await app.token(await ticketFor(thing), BTG)
    expectRefusal(wanted, 403, 'need_info')
    expect(wanted.json.required_claims).toMatchObject([{ name: 'email' }])
    const ticket = String(wanted.json.ticket)
    expect((await app.token(ticket, await shows(medic, ticket))).status).toBe(200)
  })

  it('POLICY 8d: never silent: every open wallet hears of it at once, it is in the activity and in a mail, and no question does the same unheard', async () => {
    // So that the mail about the last emergency is a minute old.
    clock += 61
    await as.setClock(clock)
    const mails = as.mailbox.to(s.alice.address).length
    const { code } = (await s.wallet.call('/owner/live', { method: 'POST' })).json
    const socket = await openSocket(`${as.origin}/owner/live?code=${encodeURIComponent(String(code))}`)
    const rpt = rptOf(await come())
    const about = { event: 'glass_broken', resource_id: id, policy_id: rule.id, client_id: app.client.id, resource_scopes: ['view'] }
    expect(JSON.parse(await socket.next())).toMatchObject({ kind: 'activity', activity: about })
    socket.destroy()
    const { items } = (await s.wallet.call('/owner/activity?limit=1')).json as { items: Json[] }
    expect(items).toMatchObject([about])
    expect(await isActive(rpt)).toBe(true)
    const mail = await as.mailbox.next(s.alice.address, mails)
    expect(mail.subject).toContain('Emergency access')
    for (const word of [id, 'clinic.example', app.client.id]) expect(mail.text).not.toContain(word)
    const question = {
      subject: { type: 'email', id: 'medic@clinic.example' },
      action: { name: 'view' },
      resource: { type: 'record', id },
      context: BTG,
    }
    expect((await s.wallet.call('/access/v1/evaluation', { json: question })).json.decision).toBe(false)
  })

  it('POLICY 3: a quarter of an hour, without a way to make it longer', async () => {
    const granted = await come()
    expect(granted.json).toMatchObject({ expires_in: 900 })
    expect(Object.keys(granted.json)).not.toContain('refresh_token')
    expect(Object.keys(granted.json)).not.toContain('pct')
    const rpt = rptOf(granted)
    const other = await s.service.register({ resource_scopes: ['view'], type: TYPE })
    clock += 600
    await as.setClock(clock)
    const next = await come({ ...BTG, rpt }, medic, other)
    expect(next.json.upgraded).not.toBe(true)
    const { permissions } = (await s.service.introspect(rptOf(next))) as unknown as { permissions: Json[] }
    expect(permissions.map(({ resource_id }) => resource_id)).toEqual([other])
    expect(await isActive(rpt)).toBe(true)
    clock += 300
    await as.setClock(clock)
    expect(await isActive(rpt)).toBe(false)
  })

  it('POLICY 3: an RPT of an emergency shows nothing afterwards', async () => {
    const thing = await s.service.register({ resource_scopes: ['view', 'print'], type: TYPE })
    const when = { claim: 'email', domain: 'clinic.example' }
    const json = { v: 1, effect: 'permit', target: { resources: [thing] }, scopes: ['print'], when }
    expectStatus(await s.wallet.call('/owner/rules', { json }), 201, 'rule')
    const print = { resource_id: thing, resource_scopes: ['print'] }
    const rpt = rptOf(await come(BTG, medic, thing))
    expectRefusal(await app.token(await s.service.ticket(print), { rpt }), 403, 'need_info')
    const ticket = await s.service.ticket(print)
    const usual = rptOf(await app.token(ticket, await shows(medic, ticket)))
    expect((await app.token(await s.service.ticket(print), { rpt: usual })).status).toBe(200)
    // What is allowed in the usual way afterwards is proved in the usual way, the same action, too.
    const later = await s.service.register({ resource_scopes: ['view', 'print'], type: TYPE })
    const broken = rptOf(await come(BTG, medic, later))
    expectStatus(await s.wallet.call('/owner/rules', { json: { ...json, target: { resources: [later] }, scopes: ['view'] } }), 201, 'rule')
    const view = { resource_id: later, resource_scopes: ['view'] }
    expectRefusal(await app.token(await s.service.ticket(view), { rpt: broken }), 403, 'need_info')
  })

  it('POLICY 3, revocation: withdrawn by the declaration, by the rule or by a prohibition, it is over at the next introspection', async () => {
    const change = async (stop: () => Promise<unknown>, again: () => Promise<unknown>): Promise<boolean[]> => {
      const rpt = rptOf(await come())
      const before = await isActive(rpt)
      await stop()
      const after = await isActive(rpt)
      expect((await come()).status).toBe(403)
      await again()
      return [before, after]
    }
    expect(await change(() => declare({ break_glass: [] }), declare)).toEqual([true, false])
    let shut: unknown
    const forbid = async () => {
      const json = { v: 1, effect: 'forbid', target: { types: [TYPE] }, scopes: ['view'], when: { client: [app.client.id] } }
      shut = expectStatus(await s.wallet.call('/owner/rules', { json }), 201, 'forbid').json.id
    }
    expect(await change(forbid, () => s.wallet.call(`/owner/rules/${shut}`, { method: 'DELETE' }))).toEqual([true, false])
    const drop = () => s.wallet.call(`/owner/rules/${rule.id}`, { method: 'DELETE' })
    expect(await change(drop, addRule)).toEqual([true, false])
  })
})

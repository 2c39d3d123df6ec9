// Rules above the owner's own (POLICY 2, WG 2016-12-15): an organisation's, for those who joined it with a code, and the platform's, for
// everybody. They reach every owner concerned, also one who was away, and count at the next introspection.
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type App,
  type Bob,
  bob,
  connectService,
  connectWallet,
  registerApp,
  type Service,
  share,
  signIn,
  UMA_TICKET,
  type WalletApi,
} from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Answer, expectStatus, type Json, random, sha256 } from '../support/http.ts'
import { expectRefusal } from '../support/odd-requests.ts'
import { type Credential, obtainCredential, presentFor } from '../support/proofs.ts'
import { type RuleApi, rulesOf } from '../support/rules.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'
import { verifyState } from '../support/verify-state.ts'

const TYPE = 'https://ehr.example/record'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const PASSPORTS = 'https://passports.example'

let as: Running
/** Alice, who joins; the clinic, whom she joins. */
let alice: Stage
let mine: RuleApi
let clinic: RuleApi
let clinicId: string
let clinicsWallet: WalletApi
let passports: SigningKey
let clinicsShelf: Service
let guest: Bob
let credential: Credential
let app: App
const now = (): number => Math.floor(Date.now() / 1000)

beforeAll(async () => {
  as = await ownAs()
  alice = await stage(as)
  app = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET] })
  mine = await rulesOf(as, alice.wallet, alice.resource, now)
  const owner = await signIn(as)
  clinicsWallet = await connectWallet(as, owner)
  clinicId = String((await clinicsWallet.call('/owner/me')).json.id)
  clinicsShelf = await connectService(as, owner)
  clinic = await rulesOf(as, clinicsWallet, await clinicsShelf.register({ resource_scopes: ['view'] }), now)
  guest = bob()
  await share(alice.wallet, alice.resource, guest.address)
  credential = await obtainCredential(as, guest, app, await alice.ticket())
  passports = await newSigningKey('ES256', 'k1')
  const trusted = { issuer: PASSPORTS, jwks: { keys: [passports.jwk] }, formats: [JWT], claims: ['country'] }
  expectStatus(await alice.wallet.call('/owner/issuers', { json: trusted }), 201, 'issuer')
})
afterAll(() => as.stop())

const come = async (id: string, more: Record<string, string> = {}): Promise<Answer> => {
  const ticket = await alice.service.ticket({ resource_id: id, resource_scopes: ['view'] })
  return app.token(ticket, { claim_token: await presentFor(credential, ticket), claim_token_format: 'dc+sd-jwt', ...more })
}
/** Pushes what the passport says. */
const comeFrom = async (ticket: string, country: string): Promise<Answer> => {
  const said = { iss: PASSPORTS, aud: as.origin, iat: now(), exp: now() + 120, tkt_hash: sha256(ticket), country }
  const claim_token = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(passports.privateKey)
  return app.token(ticket, { claim_token, claim_token_format: JWT })
}
const rptOf = (answer: Answer): string => String(expectStatus(answer, 200, 'RPT').json.access_token)
const isActive = async (rpt: string): Promise<boolean> => (await alice.service.introspect(rpt)).active === true
const code = async (more: Json = {}): Promise<string> => {
  const hash = random()
  expect((await clinic.ask('addJoinCode', { hash, exp: now() + 600, uses: 1, ...more })).kind).toBe('ok')
  return hash
}
const settled = async (): Promise<void> => {
  for (const id of await as.objects('OwnerObject')) await as.runAlarm('OWNER', id)
}
const told = () => clinic.ask('organisation')

describe('POLICY 2: an organisation and its members', () => {
  it('WG S4-10: joined with a code, once; not with another, not twice, not oneself', async () => {
    const hash = await code()
    expect(await mine.ask('joinOrganisation', { organisation: clinicId, hash })).toMatchObject({ kind: 'refused', reason: 'no_code' })
    await clinic.ask('setOrganisation', { name: 'Clinic of the Good Hope' })
    expect(await mine.ask('joinOrganisation', { organisation: clinicId, hash: random() })).toMatchObject({ reason: 'no_code' })
    expect(await mine.ask('joinOrganisation', { organisation: clinicId, hash: await code({ exp: now() - 1 }) })).toMatchObject({
      reason: 'no_code',
    })
    expect(await clinic.ask('joinOrganisation', { organisation: clinicId, hash })).toMatchObject({ reason: 'itself' })
    const joined = await mine.ask('joinOrganisation', { organisation: clinicId, hash })
    expect(joined).toMatchObject({ kind: 'done', value: { id: clinicId, name: 'Clinic of the Good Hope' } })
    const other = await stage(as)
    const others = await rulesOf(as, other.wallet, other.resource, now)
    expect(await others.ask('joinOrganisation', { organisation: clinicId, hash })).toMatchObject({ reason: 'no_code' })
    expect(await mine.ask('memberships')).toMatchObject({ items: [{ id: clinicId }] })
    await settled()
    expect(await told()).toMatchObject({ members: 1, acknowledged: 1 })
  })

  it('WG S4-21, TESTS PO-10: what it demands of a kind of things holds beside what the owner permits, and reaches her at once', async () => {
    const id = await alice.service.register({ resource_scopes: ['view'], labels: ['R'] })
    await share(alice.wallet, id, guest.address)
    const rpt = rptOf(await come(id))
    const rule = await clinic.save({
      tier: 'org',
      effect: 'require',
      target: { labels: ['R'] },
      when: { client: ['https://ehr.example/client.json'] },
    })
    await settled()
    expect(await told()).toMatchObject({ members: 1, acknowledged: 1, rules: 1 })
    expect(await isActive(rpt)).toBe(false)
    expectRefusal(await come(id), 403, 'request_denied')
    rptOf(await come(alice.resource))
    expect(await mine.ask('policies', { kind: 'upper' })).toMatchObject({
      items: [{ kind: 'upper', source: `org:${clinicId}`, policy: { tier: 'org', effect: 'require' } }],
    })
    // She cannot change it, nor drop it.
    const upper = `org:${clinicId}/${rule}`
    const policy = { v: 1, id: upper, rev: 1, tier: 'owner', effect: 'permit', target: { all: true }, scopes: '*', when: { anyone: true } }
    expect(await mine.ask('putPolicy', { policy, label: null })).toMatchObject({ kind: 'refused', reason: 'upper' })
    expect(await mine.ask('dropPolicy', { id: upper })).toMatchObject({ value: { dropped: false } })
    await clinic.ask('dropPolicy', { id: rule })
    await settled()
    expect(await isActive(rpt)).toBe(true)
  })

  it('TESTS PO-10: its permit counts only where its word is asked for; people are known to it by names of its own', async () => {
    const id = await alice.service.register({ resource_scopes: ['view'], type: TYPE })
    const mac = await clinic.macOf(guest.address)
    await clinic.ask('putGroup', { id: 'staff', label: 'a.b.c.d.e' })
    await clinic.save({ tier: 'org', target: { types: [TYPE] }, when: { claim: 'email', group: 'staff' } })
    await clinic.ask('addMembers', { group_id: 'staff', people: [{ mac, label: 'a.b.c.d.e' }] })
    await settled()
    expectRefusal(await come(id), 403, 'request_denied')
    await mine.ask('putType', { type: { type: TYPE, implies: {}, authority: 'both' } })
    expectRefusal(await come(id), 403, 'request_denied')
    await share(alice.wallet, id, guest.address)
    const rpt = rptOf(await come(id))
    const { items } = (await clinic.ask('members', { group_id: 'staff' })) as unknown as { items: { id: string }[] }
    await clinic.ask('removeMember', { group_id: 'staff', id: items[0]?.id ?? '' })
    await settled()
    expect(await isActive(rpt)).toBe(false)
    await clinic.ask('addMembers', { group_id: 'staff', people: [{ mac, label: 'a.b.c.d.e' }] })
    await settled()
    expect(await isActive(rpt)).toBe(true)
  })

  it('POLICY 8d: an emergency that it declares for a type of things is one for its members’ things, who hear of it at once', async () => {
    const WARD = 'https://ehr.example/ward'
    const id = await alice.service.register({ resource_scopes: ['view'], type: WARD })
    const emergency = { all: [{ claim: 'email', group: 'staff' }, { break_glass: true }] }
    await clinic.save({ tier: 'org', target: { types: [WARD] }, scopes: ['view'], when: emergency })
    const declare = async (more: Json): Promise<void> => {
      await clinic.ask('putType', { type: { type: WARD, implies: {}, authority: 'both', tier: 'org', ...more } })
      await settled()
    }
    await declare({})
    expectRefusal(await come(id, { purpose: 'BTG' }), 403, 'request_denied')
    await declare({ break_glass: ['view'] })
    expectRefusal(await come(id), 403, 'request_denied')
    const rpt = rptOf(await come(id, { purpose: 'BTG' }))
    const { items } = (await alice.wallet.call('/owner/activity?limit=1')).json as { items: Json[] }
    expect(items).toMatchObject([{ event: 'glass_broken', resource_id: id, client_id: app.client.id }])
    expect(await isActive(rpt)).toBe(true)
    await clinic.ask('dropType', { type: WARD })
    await settled()
    expect(await isActive(rpt)).toBe(false)
  })

  it('POLICY 2: what it says of a type goes before what its members say, if it says so for them; its demands come before hers', async () => {
    const CHART = 'https://ehr.example/chart'
    const id = await alice.service.register({ resource_scopes: ['view', 'edit'], type: CHART })
    await mine.ask('putType', { type: { type: CHART, implies: {}, authority: 'owner' } })
    const permit = await clinic.save({
      tier: 'org',
      target: { types: [CHART] },
      scopes: ['edit'],
      when: { claim: 'email', group: 'staff' },
    })
    const types = async (more: Json): Promise<void> => {
      await clinic.ask('putType', { type: { type: CHART, implies: { edit: ['view'] }, ...more } })
      await settled()
    }
    const seen = async () => as.callObject('OWNER', clinicId, 'invites', { hash: await code(), now: now() })
    // What it says of its own things is its own affair.
    await types({ authority: 'org' })
    expectRefusal(await come(id), 403, 'request_denied')
    expect(await seen()).toMatchObject({ types: [] })
    await types({ authority: 'org', tier: 'org' })
    expect(await seen()).toMatchObject({ types: [{ type: CHART, authority: 'org' }] })
    const rpt = rptOf(await come(id))
    await types({ authority: 'both', tier: 'org' })
    expect(await isActive(rpt)).toBe(false)
    expectRefusal(await come(id), 403, 'request_denied')
    await share(alice.wallet, id, guest.address)
    const both = rptOf(await come(id))
    await clinic.ask('dropPolicy', { id: permit })
    await settled()
    expect(await isActive(both)).toBe(false)
    await clinic.ask('dropType', { type: CHART })
    await settled()
    expect(await isActive(rptOf(await come(id)))).toBe(true)

    const demand = { v: 1, tier: 'org', effect: 'require', target: { types: [CHART] }, scopes: '*', when: { claim: 'country', in: ['DE'] } }
    const made = expectStatus(await clinicsWallet.call('/owner/rules', { json: demand }), 201, 'rule').json
    await settled()
    const wants = (answer: Answer): unknown[] => (answer.json.required_claims as Json[]).map(({ name }) => name)
    const ticket = await alice.service.ticket({ resource_id: id, resource_scopes: ['view'] })
    const first = await app.token(ticket)
    expect(wants(first)).toEqual(['country'])
    expect(wants(await comeFrom(String(first.json.ticket), 'DE'))).toEqual(['email'])
    await clinic.ask('dropPolicy', { id: String(made.id) })
    await settled()
  })

  it('DESIGN 3: leaving ends it, and so does being let go, also after a crash in between', async () => {
    const id = await alice.service.register({ resource_scopes: ['view'], labels: ['V'] })
    await share(alice.wallet, id, guest.address)
    await clinic.save({ tier: 'org', effect: 'forbid', target: { labels: ['V'] }, when: { client: [app.client.id] } })
    await settled()
    expectRefusal(await come(id), 403, 'request_denied')
    expect(await mine.ask('leaveOrganisation', { organisation: clinicId })).toMatchObject({ value: { left: true } })
    const rpt = rptOf(await come(id))
    expect(await told()).toMatchObject({ members: 0 })
    expect((await mine.ask('joinOrganisation', { organisation: clinicId, hash: await code() })).kind).toBe('done')
    expect(await isActive(rpt)).toBe(false)
    await as.kill()
    const { items } = (await clinic.ask('organisationMembers')) as unknown as { items: { id: string }[] }
    expect((await clinic.ask('expelMember', { id: items[0]?.id ?? '' })).kind).toBe('ok')
    await settled()
    expect(await isActive(rpt)).toBe(true)
    expect(await mine.ask('memberships')).toMatchObject({ items: [] })
    const { items: happened } = (await alice.wallet.call('/owner/activity?limit=100')).json as { items: { event: string }[] }
    for (const event of ['organisation_joined', 'organisation_left', 'upper_rules_changed'])
      expect(happened.map((one) => one.event)).toContain(event)
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
  })
})

describe('POLICY 3: what an organisation forbids by value', () => {
  it('POLICY 3: what was shown before she joined is unknown to what it forbids by value: nothing is given until it is shown again', async () => {
    const id = await alice.service.register({ resource_scopes: ['view'], labels: ['export'] })
    const ticket = () => alice.service.ticket({ resource_id: id, resource_scopes: ['view'] })
    const mineIs = {
      v: 1,
      effect: 'permit',
      target: { resources: [id] },
      scopes: '*',
      when: { all: [{ claim: 'country', in: ['DE', 'RU'] }] },
    }
    expectStatus(await alice.wallet.call('/owner/rules', { json: mineIs }), 201, 'rule')
    const theirs = {
      v: 1,
      tier: 'org',
      effect: 'forbid',
      target: { labels: ['export'] },
      scopes: '*',
      when: { claim: 'country', eq: 'RU' },
    }
    const made = expectStatus(await clinicsWallet.call('/owner/rules', { json: theirs }), 201, 'rule').json
    const rpts = [rptOf(await comeFrom(await ticket(), 'DE')), rptOf(await comeFrom(await ticket(), 'RU'))]
    const [early, other] = [await ticket(), await ticket()]
    expect((await mine.ask('joinOrganisation', { organisation: clinicId, hash: await code() })).kind).toBe('done')
    for (const rpt of rpts) expect(await isActive(rpt)).toBe(false)
    const from = async (country: string) => comeFrom(await ticket(), country)
    expect(await isActive(rptOf(await from('DE')))).toBe(true)
    expectRefusal(await from('RU'), 403, 'request_denied')
    // A ticket of before learns of the organisation at its first answer; what was shown with it need not be shown again.
    for (const [old, country] of [
      [early, 'DE'],
      [other, 'RU'],
    ] as const) {
      const answer = await comeFrom(old, country)
      expect([answer.status, answer.json.error]).toEqual([403, 'need_info'])
      const next = await app.token(String(answer.json.ticket))
      if (country === 'DE') rptOf(next)
      else expectRefusal(next, 403, 'request_denied')
    }
    await clinic.ask('dropPolicy', { id: String(made.id) })
    expect(await mine.ask('leaveOrganisation', { organisation: clinicId })).toMatchObject({ value: { left: true } })
    for (const rpt of rpts) expect(await isActive(rpt)).toBe(true)
  })
})

describe('POLICY 2: an organisation that is no more', () => {
  it('DESIGN 3: its account is deleted: nobody is bound by its rules any more', async () => {
    const id = await alice.service.register({ resource_scopes: ['view'], labels: ['V'] })
    await share(alice.wallet, id, guest.address)
    expect((await mine.ask('joinOrganisation', { organisation: clinicId, hash: await code() })).kind).toBe('done')
    expectRefusal(await come(id), 403, 'request_denied')
    await as.callObject('OWNER', clinicId, 'openSession', { sid: 'fresh', now: now() })
    expect(await as.callObject('OWNER', clinicId, 'deleteAccount', { sid: 'fresh' }, { now: now() })).toEqual({ kind: 'ok', isDone: true })
    rptOf(await come(id))
    expect(await mine.ask('memberships')).toMatchObject({ items: [] })
  })
})

describe('POLICY 2: the platform', () => {
  const write = (sql: string, ...values: unknown[]): Promise<unknown> =>
    as.miniflare.getD1Database('DB', as.name).then((db) =>
      db
        .prepare(sql)
        .bind(...values)
        .run(),
    )
  const spread = () => as.callObject('CLIENT', 'platform rules', 'rulesChanged', { now: now() })
  const rule = (effect: string, when: Json): string =>
    JSON.stringify({ v: 1, id: 'no', rev: 1, tier: 'platform', effect, target: { all: true }, scopes: '*', when })

  it('POLICY 2: it forbids for everybody, those who come later too, and never permits', async () => {
    const rpt = rptOf(await come(alice.resource))
    const insert = 'INSERT OR REPLACE INTO platform_rule (id, doc, label, rev, created_at, updated_at) VALUES (?, ?, ?, 1, 1, 1)'
    await write(insert, 'no', rule('forbid', { client: [app.client.id] }), 'A bad app')
    expect(await spread()).toMatchObject({ done: true })
    expect(await isActive(rpt)).toBe(false)
    const newcomer = await stage(as)
    const late = await newcomer.service.register({ resource_scopes: ['view'] })
    await share(newcomer.wallet, late, guest.address)
    const ticket = await newcomer.service.ticket({ resource_id: late, resource_scopes: ['view'] })
    const proof = { claim_token: await presentFor(credential, ticket), claim_token_format: 'dc+sd-jwt' }
    expectRefusal(await app.token(ticket, proof), 403, 'request_denied')
    await write(insert, 'no', rule('permit', { anyone: true }), 'Everything to everybody')
    await spread()
    const closed = await alice.service.register({ resource_scopes: ['view'] })
    expectRefusal(await come(closed), 403, 'request_denied')
    expect(await isActive(rpt)).toBe(true)
    // POLICY 3: written when such a rule could be: who left this affiliation unsaid and showed another one got past it.
    await write(insert, 'no', rule('forbid', { claim: 'affiliation', eq: 'competitor' }), 'A rule of before')
    await spread()
    expect(await isActive(rpt)).toBe(false)
    expectRefusal(await come(alice.resource), 403, 'request_denied')
    const listed = (await alice.wallet.call('/owner/rules?tier=platform')).json as { items: Json[] }
    expect(listed.items).toMatchObject([{ when: { eq: 'mac:competitor' }, sentence: 'nobody may do anything with everything' }])
    await write('DELETE FROM platform_rule')
    await spread()
    expect(await isActive(rpt)).toBe(true)
  })
})

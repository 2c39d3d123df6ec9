// Rules over HTTP (POLICY 2 to 5): the list of everything, saving with a revision, history and undo, questions, groups, export and import,
// and the same decisions through AuthZEN. What the API says is compared with what the token endpoint does.
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bob, gatherByMail, registerApp } from '../support/actors.ts'
import { filledIn, valuesFor } from '../support/blanks.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Answer, call, expectStatus, type Json, random } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { verifyState } from '../support/verify-state.ts'

let as: Running
let s: Stage
beforeAll(async () => {
  as = await ownAs()
  s = await stage(as)
})
afterAll(async () => {
  await as.stop()
  rmSync(as.state, { recursive: true, force: true })
})

const FAR = 4_000_000_000
const permit = (when: unknown, more: Json = {}): Json => ({
  v: 1,
  effect: 'permit',
  target: { resources: [s.resource] },
  scopes: ['view'],
  when,
  ...more,
})
const add = async (document: Json): Promise<Json> => expectStatus(await s.wallet.call('/owner/rules', { json: document }), 201, 'rule').json
const drop = async (id: unknown): Promise<Answer> => s.wallet.call(`/owner/rules/${id}`, { method: 'DELETE' })
const ask = (what: string, json: Json): Promise<Answer> => s.wallet.call(`/owner/questions/${what}`, { json })
/** What the token endpoint does for somebody who shows this address and nothing else. */
const tried = async (address: string, more: Record<string, string> = {}): Promise<Answer> => {
  try {
    return await s.app.token(await gatherByMail(as, bob(address), s.app, await s.ticket()), more)
  } catch {
    return s.app.token(await s.ticket(), more) // nothing to continue with: not shared with this address
  }
}
const opens = async (address: string, more: Record<string, string> = {}): Promise<boolean> => (await tried(address, more)).status === 200

describe('POLICY 2: rules', () => {
  it('POLICY 2: a rule lets in whom it names, is listed with shares, and ends when it is dropped', async () => {
    const colleague = bob(`anna.${random(4)}@clinic.example`)
    const rule = await add(permit({ all: [{ claim: 'email', domain: 'clinic.example' }, { before: FAR }] }, { name: 'The clinic' }))
    expect(rule).toMatchObject({ kind: 'rule', rev: 1, tier: 'owner', effect: 'permit', scopes: ['view'] })
    expect(rule.sentence).toContain('{mac:')
    expect(JSON.stringify(rule)).not.toContain('clinic.example')
    const granted = await tried(colleague.address)
    expect(granted.status).toBe(200)
    const rpt = String(granted.json.access_token)
    const guest = await s.guest()
    const { items } = (await s.wallet.call(`/owner/rules?resource_id=${s.resource}`)).json as { items: Json[] }
    expect(items.map(({ kind }) => kind).sort()).toEqual(['rule', 'share'])
    expect(items.find(({ kind }) => kind === 'share')?.sentence).toMatch(/^\{person:/)
    expect((await drop(rule.id)).status).toBe(204)
    expect((await drop(rule.id)).status).toBe(204)
    expect((await s.service.introspect(rpt)).active).toBe(false)
    expect(await opens(guest.address)).toBe(true)
  })

  it('RFC 9110 13.1.1: a change names the revision that was read; of two only one counts [OW-10]', async () => {
    const rule = await add(permit({ all: [{ claim: 'email', eq: 'carol@example.net' }] }))
    const path = `/owner/rules/${rule.id}`
    const read = await s.wallet.call(path)
    expect(read.headers.get('etag')).toBe('"1"')
    const changed = permit(rule.when, { scopes: ['view', 'download'] })
    expect((await s.wallet.call(path, { method: 'PUT', json: changed })).status).toBe(428)
    const both = await Promise.all([1, 2].map(() => s.wallet.call(path, { method: 'PUT', json: changed, headers: { 'if-match': '"1"' } })))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    expect((await s.wallet.call(path, { method: 'DELETE', headers: { 'if-match': '"1"' } })).status).toBe(412)
    const history = (await s.wallet.call(`${path}/history`)).json as { items: { rule: Json }[] }
    expect(history.items.map(({ rule: { scopes } }) => scopes)).toEqual([['view']])
    const undone = await s.wallet.call(`${path}/undo`, { method: 'POST', headers: { 'if-match': '"2"' } })
    expect(undone.json).toMatchObject({ rev: 3, scopes: ['view'] })
    await drop(rule.id)
  })

  it('POLICY 4: a share that was stopped can be brought back', async () => {
    const guest = await s.guest()
    const { items } = (await s.wallet.call('/owner/policies')).json as { items: Json[] }
    const share = items.at(-1)
    expect((await drop(share?.id)).status).toBe(204)
    const back = await s.wallet.call(`/owner/rules/${share?.id}/undo`, { method: 'POST', headers: { 'if-match': '"2"' } })
    expect(back.json).toMatchObject({ kind: 'share', id: share?.id })
    expect(guest.address).toContain('@')
    expect(verifyState(as.state).flatMap(({ differences }) => differences)).toEqual([])
  })

  it.each<[string, (document: Json) => Json, RegExp]>([
    ['an unknown member', (document) => ({ ...document, extra: true }), /wrong value/],
    ['an empty list', (document) => ({ ...document, when: { all: [] } }), /wrong value/],
    ['no condition', ({ when: _, ...document }) => document, /wrong value/],
    ['somebody else’s thing', (document) => ({ ...document, target: { resources: ['nothing'] } }), /not there/],
    ['an unknown group', (document) => ({ ...document, when: { claim: 'email', group: 'nobody' } }), /not there/],
    ['an unknown person', (document) => ({ ...document, when: { claim: 'email', person: 'nobody' } }), /no such person/],
    [
      'what can be met by withholding',
      (document) => ({ ...document, when: { all: [{ anyone: true }, { not: { claim: 'email', eq: 'a@b.example' } }] } }),
      /by not showing/,
    ],
    [
      'a prohibition for a claim that nobody has described',
      (document) => ({ ...document, effect: 'forbid', when: { claim: 'affiliation', eq: 'staff', iss: ['https://idp.example'] } }),
      /by not showing/,
    ],
    [
      'an end before the beginning',
      (document) => ({ ...document, when: { all: [{ anyone: true }, { after: 20 }, { before: 10 }] } }),
      /ends before/,
    ],
  ])('POLICY 6: %s is refused with a sentence, and nothing is stored', async (_, change, sentence) => {
    const before = (await s.wallet.call('/owner/rules')).json
    const answer = await s.wallet.call('/owner/rules', { json: change(permit({ all: [{ claim: 'email', eq: 'a@b.example' }] })) })
    expect(answer.status).toBe(400)
    expect(String(answer.json.error_description)).toMatch(sentence)
    expect((await s.wallet.call('/owner/rules')).json).toEqual(before)
  })

  it('POLICY 6: sixty conditions in two groups of alternatives are refused within a moment', async () => {
    const any = (from: number) => ({ any: Array.from({ length: 15 }, (_, n) => ({ claim: `c${from + n}`, eq: 'x' })) })
    const begin = performance.now()
    const answer = await s.wallet.call('/owner/rules', { json: permit({ all: [any(0), any(15), any(30), any(45)] }) })
    expect(answer.status).toBe(400)
    expect(answer.json.problems).toMatchObject([{ code: 'too_many_ways' }])
    expect(performance.now() - begin).toBeLessThan(2000)
  })

  it('POLICY 2: each form that is offered is a rule once it is filled in', async () => {
    const family = (await s.wallet.call('/owner/groups', { json: { name: 'Family' } })).json
    const { items } = expectStatus(await s.wallet.call('/owner/templates'), 200, 'templates').json as { items: Json[] }
    expect(items.length).toBeGreaterThan(10)
    for (const { name, when } of items) {
      const rule = permit(filledIn(when, valuesFor(String(family.id))))
      const { sentence, warnings } = expectStatus(await ask('what-if', { rule }), 200, String(name)).json
      expect(sentence, String(name)).toContain('{thing}')
      const codes = (warnings as { code: string }[]).map(({ code }) => code)
      expect(codes, String(name)).toEqual(name === 'anyone' ? ['opens_to_anyone'] : [])
    }
    expect((await s.wallet.call(`/owner/groups/${family.id}`, { method: 'DELETE' })).status).toBe(204)
  })

  it('POLICY 2: anyone with the link, and nobody without it', async () => {
    const secret = random(24)
    const rule = await add(permit({ all: [{ link: secret }] }))
    expect(JSON.stringify(rule)).not.toContain(secret)
    expect((await s.app.token(await s.ticket(), { link: secret })).status).toBe(200)
    expect((await s.app.token(await s.ticket(), { link: random(24) })).status).toBe(403)
    expect((await s.app.token(await s.ticket(), { link: 'short' })).json.error).toBe('invalid_request')
    await drop(rule.id)
  })
})

describe('POLICY 4: questions', () => {
  /** Id of the person with an address: the newest one of those who can open it by that address. */
  const whoIs = async (address: string, known: readonly { id: string }[]): Promise<string> => {
    const { rules } = (await ask('why', { resource_id: s.resource, scope: 'view', who: { email: address } })).json as { rules: Json[] }
    const share = (await s.wallet.call(`/owner/rules/${rules[0]?.id}`)).json
    expect(known.map(({ id }) => id)).toContain(share.person_id)
    return String(share.person_id)
  }

  it('POLICY 4: why, who, what and what-if say what the token endpoint does', async () => {
    const [friend, enemy] = [bob().address, bob().address]
    const family = (await s.wallet.call('/owner/groups', { json: { name: 'Family' } })).json
    const added = await s.wallet.call(`/owner/groups/${family.id}/members`, { json: { people: [{ email: friend }] } })
    expect(added.json).toMatchObject({ added: 1 })
    const rule = await add(permit({ all: [{ claim: 'email', group: family.id }] }))
    const cell = { resource_id: s.resource, scope: 'view' }
    for (const address of [friend, enemy]) {
      const why = (await ask('why', { ...cell, who: { email: address } })).json
      expect(why.decision).toBe((await opens(address)) ? 'yes' : 'no')
      if (address === friend) expect(why.rules).toMatchObject([{ id: rule.id }])
    }
    expect((await ask('why', cell)).json).toMatchObject({ decision: 'unknown', missing: [{ name: 'email' }] })
    const who = (await ask('who', cell)).json as { complete: boolean; ways: { sentence: string; rules: string[] }[] }
    expect(who.complete).toBe(true)
    expect(who.ways.find(({ rules }) => rules.includes(String(rule.id)))?.sentence).toContain(`{group:${family.id}}`)
    expect((await ask('what', { who: { email: friend } })).json.items).toEqual([{ resource_id: s.resource, resource_scopes: ['view'] }])
    expect((await ask('what', { who: { email: enemy } })).json.items).toEqual([])

    // She thinks of forbidding everything to everybody: those who can open it now would lose it, and nothing happens by asking.
    const known = await s.guest()
    const idea = { rule: { v: 1, effect: 'forbid', target: { all: true }, scopes: '*', when: { anyone: true } } }
    const change = (await ask('what-if', idea)).json as { losses: Json[]; gains: Json[] }
    expect(change.gains).toEqual([])
    expect(change.losses.length).toBeGreaterThan(0)
    for (const { person, ...lost } of change.losses) {
      expect(lost).toEqual({ ...cell, before: 'yes', after: 'no' })
      expect((await ask('why', { ...cell, who: { person } })).json.decision).toBe('yes')
    }
    expect(await opens(known.address)).toBe(true)

    await s.wallet.call(
      `/owner/groups/${family.id}/members/${((await s.wallet.call(`/owner/groups/${family.id}/members`)).json.items as Json[])[0]?.id}`,
      { method: 'DELETE' },
    )
    expect(await opens(friend)).toBe(false)
    expect((await s.wallet.call(`/owner/groups/${family.id}`, { method: 'DELETE' })).status).toBe(409)
    await drop(rule.id)
    expect((await s.wallet.call(`/owner/groups/${family.id}`, { method: 'DELETE' })).status).toBe(204)
  })

  it('CLAIMS 7: who is shut out is not among those who can open it; dropping the block shows what it opens again', async () => {
    const guest = await s.guest()
    const cell = { resource_id: s.resource, scope: 'view' }
    const clinic = await add(permit({ all: [{ claim: 'email', domain: 'clinic.example' }] }))
    const known = (await s.wallet.call('/owner/people')).json.items as { id: string }[]
    const opening = async () => {
      const { ways } = (await ask('who', cell)).json as { ways: { sentence: string; rules: string[]; people: string[] }[] }
      const forClinic = ways.find(({ rules }) => rules.includes(String(clinic.id)))
      return { people: ways.flatMap(({ people }) => people), clinic: forClinic?.sentence ?? '' }
    }
    const person = await whoIs(guest.address, known)
    expect((await opening()).people).toContain(person)
    const block = expectStatus(await s.wallet.call(`/owner/people/${person}/block`, { method: 'POST' }), 201, 'block').json
    const shut = await opening()
    expect(shut.people).not.toContain(person)
    expect(shut.clinic).toContain(`{person:${person}}`)
    expect(await opens(guest.address)).toBe(false)
    const why = (await ask('why', { ...cell, who: { person } })).json
    expect(why).toMatchObject({ decision: 'no', against: [{ id: block.id, proofs: [{ claim: 'email', iss: as.origin }] }] })
    // A new rule for somebody who is shut out gives nothing, and says so.
    const more = (await ask('what-if', { rule: permit({ all: [{ claim: 'email', person }] }) })).json
    expect(more).toMatchObject({ gains: [], losses: [], warnings: [{ code: 'shadowed' }] })
    const back = (await ask('what-if', { replaces: block.id })).json
    expect(back.gains).toEqual([{ person, ...cell, before: 'no', after: 'yes' }])
    const gained = (back.who as { gained: { people: string[] }[] }[]).flatMap((one) => one.gained.flatMap(({ people }) => people))
    expect(gained).toEqual([person])
    for (const id of [block.id, clinic.id]) expect((await drop(id)).status).toBe(204)
    expect((await opening()).people).toContain(person)
    expect(await opens(guest.address)).toBe(true)
  })

  it('POLICY 4: why looks at what the app that is named shows of itself, as a ticket would', async () => {
    const guest = await s.guest()
    const keyed = await add(permit({ client_trust: ['instance_key'] }, { effect: 'require' }))
    const cell = { resource_id: s.resource, scope: 'view', who: { email: guest.address } }
    const secret = await registerApp(as, 'confidential')
    const decision = async (more: Json) => (await ask('why', { ...cell, ...more })).json.decision
    expect(await decision({ client_id: s.app.client.id })).toBe('yes')
    for (const more of [{}, { client_id: secret.client.id }, { client_id: 'nobody' }]) expect(await decision(more)).toBe('no')
    expect(await opens(guest.address)).toBe(true)
    await drop(keyed.id)
  })

  it('POLICY 4: why names the proofs of each rule, what was passed and what is open, and no value', async () => {
    const guest = await s.guest()
    const cell = { resource_id: s.resource, scope: 'view' }
    const apps = await add(permit({ client: ['https://other.example/app'] }, { effect: 'forbid' }))
    const strong = await add(permit({ claim: 'acr', gte: 2 }, { effect: 'require' }))
    const open = await ask('why', { ...cell, who: { email: guest.address } })
    expect(open.json).toMatchObject({
      decision: 'unknown',
      rules: [{ proofs: [{ claim: 'email', iss: as.origin, until: expect.any(Number) }] }],
      against: [],
      passed: [{ id: apps.id, proofs: [] }],
      open: [{ id: strong.id, proofs: [] }],
      complete: true,
      missing: [{ name: 'acr' }],
    })
    expect(open.text).not.toContain(guest.address)
    await drop(strong.id)
    expect((await ask('why', { ...cell, who: { email: guest.address } })).json).toMatchObject({ decision: 'yes', open: [] })
    await drop(apps.id)
  })

  it('DESIGN 5.8: nothing of another owner is told or changed [OW-17]', async () => {
    const other = await stage(as)
    const rule = await add(permit({ all: [{ claim: 'email', eq: 'dora@example.net' }] }))
    expect((await other.wallet.call(`/owner/rules/${rule.id}`)).status).toBe(404)
    expect((await other.wallet.call(`/owner/rules/${rule.id}/undo`, { method: 'POST', headers: { 'if-match': '"1"' } })).status).toBe(404)
    await other.wallet.call(`/owner/rules/${rule.id}`, { method: 'DELETE' })
    expect((await s.wallet.call(`/owner/rules/${rule.id}`)).status).toBe(200)
    for (const what of ['why', 'who']) {
      const answer = await other.wallet.call(`/owner/questions/${what}`, { json: { resource_id: s.resource, scope: 'view' } })
      expect(answer.status).toBe(404)
    }
    expect((await call(`${as.origin}/owner/rules`)).status).toBe(401)
    expect((await call(`${as.origin}/owner/questions/who`, { json: { resource_id: s.resource, scope: 'view' } })).status).toBe(401)
    await drop(rule.id)
  })
})

describe('POLICY 5: AuthZEN', () => {
  const evaluate = (json: Json, by = s.wallet.call): Promise<Answer> => by('/access/v1/evaluation', { json })
  const asked = (address: string, name = 'view', id = s.resource): Json => ({
    subject: { type: 'email', id: address },
    action: { name },
    resource: { type: 'file', id },
  })

  it('AuthZEN 9: the metadata names endpoints that answer', async () => {
    const { json } = expectStatus(await call(`${as.origin}/.well-known/authzen-configuration`), 200, 'metadata')
    expect(json.policy_decision_point).toBe(as.origin)
    for (const [name, url] of Object.entries(json).filter(([key]) => key.endsWith('_endpoint'))) {
      expect((await call(String(url), { json: {} })).status, name).toBe(401)
      expect((await call(String(url))).status, name).toBe(405)
    }
  })

  it('AuthZEN 6 (PO-16): each answer is what the token endpoint does for the same evidence', async () => {
    const [friend, stranger] = [(await s.guest()).address, bob().address]
    for (const address of [friend, stranger]) {
      for (const scope of ['view', 'download']) {
        const { json } = expectStatus(await evaluate(asked(address, scope)), 200, 'evaluation')
        const isOpen = scope === 'view' && (await opens(address))
        expect(json.decision, `${address} ${scope}`).toBe(isOpen)
      }
    }
    const nobody = await evaluate({ ...asked(stranger), subject: { type: 'visitor', id: 'x' } })
    expect(nobody.json).toMatchObject({ decision: false, context: { uma: { need_info: [{ name: 'email' }] } } })
    expect((await evaluate(asked(friend, 'view', 'nothing'))).json).toEqual({ decision: false })
  })

  it('AuthZEN 7: several at once, with defaults, and ended by the first that decides', async () => {
    const friend = (await s.guest()).address
    const evaluations = [
      { action: { name: 'view' } },
      { action: { name: 'download' } },
      { action: { name: 'view' } },
      { resource: { type: 'file', id: 'x' } },
    ]
    const { action: _, ...defaults } = asked(friend)
    const all = async (semantic?: string) => {
      const options = semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }
      const { json } = await s.wallet.call('/access/v1/evaluations', { json: { ...defaults, evaluations, ...options } })
      return (json.evaluations as { decision: boolean }[]).map(({ decision }) => decision)
    }
    expect(await all()).toEqual([true, false, true, false])
    expect(await all('deny_on_first_deny')).toEqual([true, false])
    expect(await all('permit_on_first_permit')).toEqual([true])
    expect((await s.wallet.call('/access/v1/evaluations', { json: asked(friend) })).json).toEqual({ decision: true })
    // People by their ids, unknown ones and other kinds of subjects among them, in the order in which they were asked about.
    const { items } = (await s.wallet.call('/owner/people')).json as { items: { id: string }[] }
    const subjects = [...items.map(({ id }) => ({ type: 'person', id })), { type: 'person', id: 'toString' }, { type: 'visitor', id: 'x' }]
    const one = async (subject: Json) => (await evaluate({ ...asked(friend), subject })).json.decision
    const { json } = await s.wallet.call('/access/v1/evaluations', {
      json: { ...asked(friend), evaluations: subjects.map((subject) => ({ subject })) },
    })
    const told = (json.evaluations as { decision: boolean }[]).map(({ decision }) => decision)
    expect(told).toEqual(await Promise.all(subjects.map(one)))
    expect(told).toContain(true)
    expect(told.slice(-2)).toEqual([false, false])
  })

  it('AuthZEN 8: what is found would be granted; people come with sealed labels', async () => {
    const friend = (await s.guest()).address
    const { action, resource, subject } = asked(friend) as { action: Json; resource: Json; subject: Json }
    const search = async (what: string, json: Json) => (await s.wallet.call(`/access/v1/search/${what}`, { json })).json.results as Json[]
    const people = await search('subject', { subject: { type: 'person' }, action, resource })
    expect(people.length).toBeGreaterThan(0)
    for (const person of people) {
      expect(person.properties).toMatchObject({ label: expect.stringMatching(/^[\w-]+\.[\w-]*\./) })
      expect((await evaluate({ ...asked(friend), subject: { type: 'person', id: person.id } })).json.decision).toBe(true)
    }
    expect(await search('resource', { subject, action, resource: { type: 'resource' } })).toEqual([{ type: 'resource', id: s.resource }])
    expect(await search('action', { subject, resource })).toEqual([{ name: 'view' }])
  })

  it('POLICY 5: a service asks about its own things only, and its word on people counts only where a rule names it', async () => {
    const friend = (await s.guest()).address
    const pat = s.service.call
    expect((await evaluate(asked(friend), pat)).json.decision).toBe(false)
    const app = await registerApp(as)
    const rule = await add(permit({ all: [{ claim: 'email', eq: friend, iss: [`pep:${s.service.client.id}`] }] }))
    expect((await evaluate(asked(friend), pat)).json.decision).toBe(true)
    expect((await evaluate(asked(bob().address), pat)).json.decision).toBe(false)
    const other = await stage(as)
    expect((await evaluate(asked(friend), other.service.call)).json.decision).toBe(false)
    expect(app.client.id).not.toBe('')
    await drop(rule.id)
  })

  it.each<[string, Json | Json[]]>([
    ['no subject', { action: { name: 'view' }, resource: { type: 'file', id: 'x' } }],
    ['no action', { subject: { type: 'email', id: 'x' }, resource: { type: 'file', id: 'x' } }],
    ['a subject without id', { subject: { type: 'email' }, action: { name: 'view' }, resource: { type: 'file', id: 'x' } }],
    ['an empty body', {}],
  ])('AuthZEN 10: %s is a bad request', async (_, json) => {
    expect((await evaluate(json as Json)).status).toBe(400)
  })

  it('AuthZEN 10.1.3: the caller’s own number comes back; members that nobody knows do no harm', async () => {
    const answer = await s.wallet.call('/access/v1/evaluation', {
      json: { ...asked('x@example.net'), extra: 1 },
      headers: { 'x-request-id': 'abc-1' },
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-request-id')).toBe('abc-1')
  })
})

// The vault with a server that is not ours: nothing between the two but the specifications.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseChallenges } from '../../shared/challenge.ts'
import { type Browser, openBrowser, type Page } from '../support/http-browser.ts'
import { type OtherServer, startOtherServer } from '../support/other-server.ts'
import { type Running, startWorker } from '../support/runtime.ts'
import { objectFiles, tablesOf } from '../support/state-files.ts'
import { until } from '../support/until.ts'
import { findFile, putFile, type Stored, type VaultOwner } from '../support/vault-actor.ts'

describe('DESIGN 2: the vault works with any server', () => {
  let server: OtherServer
  let vault: Running
  let alice: Browser
  let owner: VaultOwner
  let file: Stored

  const signIn = async (browser: Browser, issuer = server.issuer): Promise<Page> => {
    const going = await browser.submit(await browser.open(`${vault.origin}/`), { server: issuer })
    return going.refresh === undefined ? going : browser.open(going.refresh)
  }
  const openThing = async (guest: Browser): Promise<Page> => guest.send(await guest.open(file.link), '/open')

  beforeAll(async () => {
    server = await startOtherServer()
    const state = mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-'))
    const vars = { DEV_ORIGINS: new URL(server.issuer).origin }
    vault = await startWorker('vault', { state, host: '127.0.0.1', vars, wrap: true })
    alice = openBrowser()
    const codes = await signIn(alice)
    const home = await alice.send(codes, '/codes')
    owner = { alice: { address: '', browser: alice, page: home }, home }
    file = await putFile(owner, { name: 'a.txt', type: 'text/plain', bytes: Uint8Array.from(new TextEncoder().encode('hello')) })
  })
  beforeEach(() => {
    server.habits.decision = 'claims'
  })
  afterAll(async () => {
    await vault.stop()
    await server.stop()
  })

  it('UMA FedAuthz 3.1: the file is registered with its scopes, name and type', () => {
    expect(file.registration).toBe('done')
    expect([...server.resources.values()]).toEqual([{ resource_scopes: ['view', 'download', 'delete'], name: 'a.txt', type: 'text/plain' }])
    expect(server.complaints).toEqual([])
  })

  it('UMA FedAuthz 4.3, 3.2.5: a file that the server has forgotten is registered again at the next request of anybody, once', async () => {
    const [before] = server.resources.keys()
    server.resources.clear()
    const challenged = await Promise.all([fetch(file.link), fetch(file.link)])
    expect(challenged.map(({ status }) => status)).toEqual([401, 401])
    const [after] = server.resources.keys()
    expect([server.resources.size, after === before]).toEqual([1, false])
    // The vault's own way for guests asks for tickets without a challenge.
    server.resources.clear()
    expect((await openThing(openBrowser())).text).toContain('a.txt')
    // The owner is not there to see it, and finds it done.
    server.resources.clear()
    await signIn(openBrowser())
    await until(() => server.resources.size === 1)
    expect(server.complaints).toEqual([])
  })

  it('UMA FedAuthz 8: an owner who wants it so tells the server neither name nor kind of any file, also of new ones', async () => {
    const choose = (hides_names: unknown) => alice.post(owner.home, '/api/settings', { hides_names })
    expect([(await choose(true)).status, (await choose('yes')).status]).toEqual([204, 400])
    await putFile(owner, { name: 'b.pdf', type: 'application/pdf', bytes: Uint8Array.of(1) })
    const told = [...server.resources.values()] as { name: string }[]
    expect(told).toEqual(
      Array(2).fill({ resource_scopes: ['view', 'download', 'delete'], name: expect.stringMatching(/^File [a-z0-9]{6}$/) }),
    )
    // What her server calls it stands with her files; whoever may open it sees the name.
    const { alias, name } = (await findFile(owner, file.id)) as Stored & { alias: string; name: string }
    expect([name, told.map((one) => one.name).includes(alias)]).toEqual(['a.txt', true])
    expect((await openThing(openBrowser())).text).toContain('a.txt')
    await choose(false)
    expect([...server.resources.values()].map((one) => Reflect.get(Object(one), 'name')).sort()).toEqual(['a.txt', 'b.pdf'])
  })

  it('UMA Grant 3.3: a guest goes by the static claims endpoint, without iss, with a token that names no service', async () => {
    const page = await openThing(openBrowser())
    expect([page.status, page.url, page.text.includes('a.txt')]).toEqual([200, file.link, true])
    const guests = [...server.clients.values()].filter(({ metadata }) => metadata.claims_redirect_uris !== undefined)
    expect(guests).toHaveLength(1)
  })

  it('UMA Grant 3.3.6: a server that takes no extra scope is asked again without', async () => {
    const before = server.asked.filter((request) => request === 'POST /permission').length
    await openThing(openBrowser())
    // One for the 401, one with the extra scope, one without.
    expect(server.asked.filter((request) => request === 'POST /permission').length - before).toBe(3)
  })

  it('UMA Grant 3.3.6: the owner is asked; the guest waits and goes on by itself', async () => {
    server.habits.decision = 'submitted'
    const guest = openBrowser()
    const waiting = await openThing(guest)
    expect([waiting.status, waiting.refresh]).toEqual([200, file.link])
    expect(waiting.text).toContain('The owner has been asked')
    await vault.setClock(5)
    expect((await guest.open(file.link)).text).toContain('The owner has been asked')
    server.habits.decision = 'granted'
    await vault.setClock(10)
    expect((await guest.open(file.link)).text).toContain('a.txt')
  })

  it('UMA Grant 3.3.6: denied while waiting', async () => {
    server.habits.decision = 'submitted'
    const guest = openBrowser()
    await openThing(guest)
    server.habits.decision = 'denied'
    await vault.setClock(20)
    expect((await guest.open(file.link)).text).toContain('Not shared with you')
  })

  it('UMA Grant 3.5: what is no longer granted is refused at the next request', async () => {
    const guest = openBrowser()
    expect((await openThing(guest)).status).toBe(200)
    server.habits.decision = 'denied'
    expect((await guest.open(file.link)).status).toBe(401)
  })

  it('RFC 6749 6: a PAT of two seconds renews itself, each refresh token used once', async () => {
    const before = server.asked.filter((request) => request === 'POST /token').length
    await vault.setClock(30)
    expect((await openBrowser().open(file.link)).status).toBe(401)
    expect(server.asked.filter((request) => request === 'POST /token').length).toBeGreaterThan(before)
  })

  it('RFC 7591 3: a server that has forgotten the vault is registered with again, by a guest and by an owner', async () => {
    const secrets = [...server.clients.keys()]
    server.clients.clear()
    const alone = openBrowser()
    expect((await signIn(alone)).url).toBe(`${vault.origin}/`)
    expect((await openThing(openBrowser())).text).toContain('a.txt')
    expect([...server.clients.keys()].filter((id) => secrets.includes(id))).toEqual([])
    expect(server.clients.size).toBe(2)
  })

  it('RFC 9728 3, 5.1: the challenge of a link leads to its metadata, which name the server of its owner; the vault names none', async () => {
    const { pathname, search } = new URL(`${file.link}?download=1`)
    const challenged = await fetch(`${file.link}?download=1`)
    const [uma, bearer] = parseChallenges(challenged.headers.get('www-authenticate') ?? '')
    expect([uma?.scheme, uma?.parameters.get('as_uri')]).toEqual(['UMA', server.issuer])
    const place = `${vault.origin}/.well-known/oauth-protected-resource`
    expect([bearer?.scheme, bearer?.parameters.get('resource_metadata')]).toEqual(['Bearer', place + pathname + search])
    const found = await fetch(place + pathname + search, { headers: { origin: 'https://app.example' } })
    expect(found.headers.get('access-control-allow-origin')).toBe('*')
    const scopes_supported = ['view', 'download', 'delete']
    const common = { resource_name: 'Vault', scopes_supported, bearer_methods_supported: ['header'] }
    expect(await found.json()).toMatchObject({ ...common, resource: `${file.link}?download=1`, authorization_servers: [server.issuer] })
    const whole = (await (await fetch(place)).json()) as object
    expect(whole).toMatchObject({ ...common, resource: vault.origin })
    expect(whole).not.toHaveProperty('authorization_servers')
    // What a guest's page shows has no metadata of its own, and made-up links have none at all.
    expect((await fetch(`${file.link}/content`)).headers.get('www-authenticate')).not.toContain('Bearer')
    for (const other of ['/f/x', `${pathname}x`, '/things/1']) expect((await fetch(place + other)).status).toBe(404)
  })

  it.each([['nonce'], ['audience'], ['signature'], ['none']] as const)(
    'OpenID Connect Core 3.1.3.7: an ID token whose %s is wrong signs nobody in',
    async (idToken) => {
      server.habits.idToken = idToken
      const browser = openBrowser()
      const page = await signIn(browser)
      server.habits.idToken = 'good'
      expect(page.status).toBe(400)
      expect((await browser.open(`${vault.origin}/api/overview`)).status).toBe(401)
    },
  )

  it.each([
    ['http://127.0.0.1:1', 'does not contact'],
    ['https://10.0.0.1', 'does not contact'],
    ['no address', 'not the address of a server'],
  ])('DESIGN I8: %s is not contacted', async (issuer, sentence) => {
    const page = await signIn(openBrowser(), issuer)
    expect([page.status, page.text.includes(sentence)]).toEqual([400, true])
  })

  it('DESIGN 9: an account that an older vault kept is read; what that did not write down, the server is told once more', async () => {
    const { port, state } = vault
    await vault.stop()
    for (const path of objectFiles(state, 'AccountObject')) {
      const database = new DatabaseSync(path)
      if (tablesOf(database).includes('file')) database.exec('ALTER TABLE file DROP COLUMN described')
      database.close()
    }
    const asked = server.asked.length
    vault = await startWorker('vault', { state, port, host: '127.0.0.1', vars: { DEV_ORIGINS: new URL(server.issuer).origin }, wrap: true })
    const guest = openBrowser()
    expect((await openThing(guest)).text).toContain('a.txt')
    expect((await guest.open(file.link)).text).toContain('a.txt')
    expect(server.asked.slice(asked).filter((line) => /^(PUT|POST) .resource/.test(line))).toHaveLength(1)
  })
})

// What lies on disk after the story (DESIGN decision 7, 7 I6; CLAIMS 11 #23): the runtime is stopped, and every byte of every file of its
// state, write-ahead logs included, is searched for what names people and for what opens doors. Outgoing mail lies elsewhere.
import { randomBytes } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deserialize } from 'node:v8'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alice, authorize, codeIn, connectWallet, gatherByMail, share, signIn, stopSharing } from '../support/actors.ts'
import { newAuthenticator, type Options } from '../support/authenticator.ts'
import { type Stage, stage } from '../support/claims.ts'
import { call, expectStatus } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { type Overheard, overhear } from '../support/overheard.ts'
import { gatherByWallet, obtainCredential, pushed } from '../support/proofs.ts'
import { filesBelow, hasCode, needlesFor, needlesForAddress, searchIn } from '../support/search.ts'
import { ownAs } from '../support/server.ts'
import { d1File, objectFiles, rowsOf, withCopy } from '../support/state-files.ts'

const unusual = (name: string): string => `${name}.${randomBytes(4).toString('hex')}@Post-${randomBytes(4).toString('hex')}.Example`
const NAME = 'Lisbon, the last summer.pdf'

describe('DESIGN 7 I6: nothing readable at rest', () => {
  let heard: Overheard
  let state: string
  let logs: readonly string[]
  let files: ReturnType<typeof filesBelow>
  const addresses: string[] = []
  const codes: string[] = []
  const bytesOf = (className: string): string => files.flatMap(({ file, text }) => (file.includes(`-${className}/`) ? [text] : [])).join('')

  beforeAll(async () => {
    heard = overhear()
    const as = await ownAs()
    const everybody = [unusual('alicia'), unusual('roberto'), unusual('carolina')]
    addresses.push(...everybody)
    const [alices = '', bobs = '', carols = ''] = everybody
    const { s, alice } = await openStage(as, alices)
    const guest = { address: bobs, browser: openBrowser() }
    const resource = await s.service.register({
      resource_scopes: ['view', 'download'],
      name: NAME,
      description: `About ${NAME}`,
      icon_uri: 'https://pictures.example/tower-of-belem.png',
    })
    expectStatus(await s.service.call(`/uma/resource/${resource}`), 200, 'description')
    const ticket = () => s.service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    const id = await share(s.wallet, resource, bobs, { until: Math.floor(Date.now() / 1000) + 86_400, time_zone: 'Europe/Lisbon' })
    await share(s.wallet, resource, carols)
    // By mail, by credential, by wallet on the claims page; a page that is only begun; tokens refreshed, asked about and revoked.
    const first = expectStatus(await s.app.token(await ticket()), 403, 'need_info').json
    const granted = expectStatus(await s.app.token(await gatherByMail(as, guest, s.app, String(first.ticket))), 200, 'RPT').json
    const credential = await obtainCredential(as, guest, s.app, await ticket())
    const next = await ticket()
    expectStatus(await s.app.token(next, await pushed(credential, next)), 200, 'RPT by push')
    expectStatus(await s.app.token(await gatherByWallet(as, guest, s.app, await ticket(), credential)), 200, 'RPT by wallet')
    await s.arrive({ address: carols, browser: openBrowser() })
    expect((await s.service.introspect(String(granted.access_token))).active).toBe(true)
    const basic = { id: s.service.client.id, secret: s.service.client.secret ?? '' }
    const form = { grant_type: 'refresh_token', refresh_token: String(s.service.tokens.refresh_token) }
    expectStatus(await call(`${as.origin}/token`, { form, basic }), 200, 'refresh')
    expectStatus(await s.wallet.call('/owner/live', { method: 'POST' }), 200, 'live code')
    await s.alice.browser.open(`${as.origin}/`)
    await addPasskey(as.origin, alice)
    await authorize(as, alice, {
      clientId: s.service.client.id,
      redirectUri: `${s.service.origin}/connected`,
      scope: 'openid uma_protection',
    })
    await stopSharing(s.wallet, id)
    expect(await s.service.introspect(String(granted.access_token))).toEqual({ active: false })
    // What goes to D1 later has gone, and some of it is still in write-ahead logs.
    for (const object of await as.objects('OwnerObject')) await as.runAlarm('OWNER', object)
    codes.push(...everybody.flatMap((address) => as.mailbox.to(address).map(codeIn)))
    await as.stop()
    heard.stop()
    ;({ state, logs } = as)
    files = filesBelow(state)
  })
  afterAll(() => heard.stop())

  it('DESIGN 7 I6: what is searched is what the server wrote', () => {
    expect(heard.secrets.size).toBeGreaterThan(60)
    const kinds = new Set(heard.secrets.values())
    for (const kind of [
      'access_token',
      'refresh_token',
      'ticket',
      'client_secret',
      'pre-authorized_code',
      'credential',
      'recovery_code',
      'claim_token',
    ])
      expect(kinds).toContain(kind)
    expect([...kinds].filter((kind) => kind.startsWith('cookie __Host-')).length).toBeGreaterThan(3)
    expect(codes.length).toBeGreaterThan(2)
    for (const part of ['d1', 'OwnerObject', 'NegotiationObject', 'OneTimeObject', 'KeysObject'])
      expect(
        files.some(({ file }) => file.includes(part)),
        part,
      ).toBe(true)
    // Ids are no secrets, and found.
    const [id] = withCopy(d1File(state) ?? '', (db) => rowsOf(db, 'SELECT id FROM client'))
    expect(searchIn(files, needlesFor(String(id?.id), 'client'))).not.toEqual([])
  })

  it('DESIGN decision 7: no address, and no part of one, in any spelling and any encoding', () => {
    expect(searchIn(files, addresses.flatMap(needlesForAddress))).toEqual([])
  })

  it('DESIGN 7 I6: no token, ticket, code, secret, proof, cookie or recovery code in any encoding [TK-13]', () => {
    const needles = [...heard.secrets].flatMap(([text, what]) => needlesFor(text, what))
    expect(searchIn(files, needles)).toEqual([])
  })

  it('DESIGN decision 7: no name of a thing, nothing of its description', () => {
    const needles = [NAME, 'the last summer', 'tower-of-belem'].flatMap((text) => needlesFor(text, text))
    expect(searchIn(files, needles)).toEqual([])
  })

  it('CLAIMS 7: no mailed code', () => {
    expect(files.flatMap(({ file, text }) => codes.filter((code) => hasCode(text, code)).map((code) => `${code} in ${file}`))).toEqual([])
  })

  it('DESIGN 3: private keys lie in the Keys object and nowhere else', () => {
    const keys = objectFiles(state, 'KeysObject').flatMap((file) =>
      withCopy(file, (db) =>
        db
          .prepare('SELECT value FROM _cf_KV')
          .all()
          .map((row) => deserialize(row.value as Uint8Array) as StoredKeys),
      ),
    )
    const stored = keys[0] as StoredKeys
    const secrets = [...stored.signing.map(({ jwk }) => String(jwk.d)), ...stored.seal.map(({ raw }) => raw), stored.root]
    expect(secrets.length).toBeGreaterThan(2)
    const hits = searchIn(
      files,
      secrets.flatMap((text) => needlesFor(text, 'key')),
    )
    expect(new Set(hits.map(({ file }) => /-(\w+Object)\//.exec(file)?.[1] ?? file))).toEqual(new Set(['KeysObject']))
    // Nor is there any other private key, as JSON or as the runtime stores objects.
    const isPrivate = new RegExp(`"d"\\s*:\\s*"[\\w-]{20,}"|"${String.fromCharCode(1)}d"[\\s\\S][\\w-]{43}`)
    expect(bytesOf('KeysObject')).toMatch(isPrivate)
    expect(files.flatMap(({ file, text }) => (isPrivate.test(text) && !file.includes('-KeysObject/') ? [file] : []))).toEqual([])
  })

  it('TESTS HT-13: nothing of all this in the log', () => {
    const log = [{ file: 'log', text: logs.join('\n') }]
    const needles = [...addresses.flatMap(needlesForAddress), ...[...heard.secrets].flatMap(([text, what]) => needlesFor(text, what))]
    expect(searchIn(log, needles)).toEqual([])
  })

  it('DESIGN 7 I6: the search finds what is there: planted canaries in every encoding', () => {
    const canary = 'canary.9f3a17@nest-5521.example'
    const bytes = Buffer.from(canary)
    const planted: Record<string, Buffer> = {
      raw: bytes,
      'utf-16le': Buffer.from(canary, 'utf16le'),
      'utf-16be': Buffer.from(canary, 'utf16le').swap16(),
      hex: Buffer.from(bytes.toString('hex')),
      HEX: Buffer.from(bytes.toString('hex').toUpperCase()),
      base64: Buffer.from(Buffer.from(`{"email":"${canary}"}`).toString('base64')),
      base64url: Buffer.from(Buffer.from(`?~?${canary}?~?`).toString('base64url')),
      percent: Buffer.from(encodeURIComponent(canary)),
    }
    const search = () => searchIn(filesBelow(state), needlesForAddress(canary))
    expect(search()).toEqual([])
    for (const [form, text] of Object.entries(planted)) {
      writeFileSync(join(state, 'planted'), Buffer.concat([randomBytes(61), text, randomBytes(7)]))
      // Where the two base64 alphabets do not differ, either name will do.
      expect(
        search().map((hit) => hit.form.replace('64url', '64')),
        form,
      ).toContain(form.replace('64url', '64'))
    }
    writeFileSync(join(state, 'planted'), '')
    // In a row of D1, in a write-ahead log, in small and in large letters.
    const db = new DatabaseSync(d1File(state) ?? '')
    db.prepare('INSERT INTO client (id, metadata, created_at) VALUES (?, ?, 0)').run(
      'canary',
      JSON.stringify({ contact: canary.toUpperCase() }),
    )
    db.close()
    expect(search().map(({ file }) => file)).toContain(
      filesBelow(state).find(({ file }) => file.startsWith('d1/') && !file.includes('metadata'))?.file,
    )
    const [object = ''] = objectFiles(state, 'OwnerObject')
    appendFileSync(`${object}-wal`, Buffer.from(canary, 'utf16le'))
    expect(search().some(({ file }) => file.endsWith('-wal'))).toBe(true)
    const planting = heard.secrets.keys().next().value ?? ''
    writeFileSync(join(state, 'planted'), `"${planting}"`)
    expect(searchIn(filesBelow(state), needlesFor(planting, 'secret')).map(({ form }) => form)).toContain('raw')
    writeFileSync(join(state, 'planted'), 'code: 123 456.')
    expect(filesBelow(state).some(({ text }) => hasCode(text, '123456'))).toBe(true)
  })
})

type StoredKeys = { signing: { jwk: JsonWebKey }[]; seal: { raw: string }[]; root: string }

/** A stage whose owner has an address of an unusual domain. */
const openStage = async (as: Awaited<ReturnType<typeof ownAs>>, address: string): Promise<{ s: Stage; alice: Alice }> => {
  const alice = await signIn(as, address)
  // Her recovery code is shown once, on the page after the first sign-in.
  const s = await stage(as, alice)
  await connectWallet(as, alice)
  return { s, alice }
}

const addPasskey = async (origin: string, { browser }: Alice): Promise<void> => {
  const page = await browser.open(`${origin}/`)
  const tag = /<[^>]*data-passkey="register"[^>]*>/.exec(page.text)?.[0] ?? ''
  const attribute = (name: string): string => new RegExp(`data-${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  const headers = { 'x-csrf': attribute('csrf') }
  const { options, state } = (await browser.post(page, attribute('options'), {}, headers)).json as { options: Options; state: string }
  const response = newAuthenticator(origin).create(options)
  const { status } = await browser.post(page, attribute('finish'), { state, response }, headers)
  if (status !== 200) throw new Error(`the passkey was not taken: ${status}`)
}

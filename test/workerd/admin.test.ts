// /admin: who sees it, what it says, what it does; and the command that rotates keys from a terminal. Nothing of what people keep or share
// stands there.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alice, bob, connectService, connectWallet, registerApp, registerClient, share, signIn, someone } from '../support/actors.ts'
import { newestCode, typeAddress } from '../support/claims.ts'
import { call } from '../support/http.ts'
import { type Browser, openBrowser, type Page } from '../support/http-browser.ts'
import { noticeOf } from '../support/operator.ts'
import { obtainCredential, pushed } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { hasCode, needlesForAddress, searchIn } from '../support/search.ts'
import { ownAs } from '../support/server.ts'
import { newSigningKey, type SigningKey } from '../support/signing-client.ts'
import { d1File, rowsOf, withCopy } from '../support/state-files.ts'
import { until } from '../support/until.ts'
import { ROOT } from '../tools/build.ts'

const OLAF = 'olaf@example.net'
/** An address gets three codes in ten minutes: whoever signs in often has several. */
const operator = (n: number): string => `olaf${n}@example.net`
const DIRECTORY = 'https://directory.example'
const OPERATORS = [OLAF, ...[1, 2, 3, 4, 5].map(operator), 'Second@Example.net'].join(', ')

/** The page without its marks. */
const textOf = (page: Page): string => page.text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

describe('DESIGN 2: /admin', () => {
  let as: Running
  let browser: Browser
  let directory: SigningKey
  const admin = (path = ''): Promise<Page> => browser.open(`${as.origin}/admin${path}`)
  const signedIn = async (address: string): Promise<Browser> => {
    const own = openBrowser({ 'accept-language': 'en' })
    return (await signIn(as, address, own)).browser
  }
  beforeAll(async () => {
    directory = await newSigningKey()
    const SOFTWARE_ISSUERS = JSON.stringify({ [DIRECTORY]: { keys: [directory.jwk] } })
    as = await ownAs({ asVars: { OPERATORS, REGISTRATION: 'invited', INVITED: '', SOFTWARE_ISSUERS } })
    browser = await signedIn(OLAF)
  })
  afterAll(() => as.stop())

  it('DESIGN 4: an operator by configuration may sign in and sees the page; its headers are those of pages', async () => {
    const page = await admin()
    expect(page.status).toBe(200)
    expect(textOf(page)).toMatch(/Administration.*Owners 1 /)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  })

  it('DESIGN decision 8: for everybody else nothing is here', async () => {
    const stranger = openBrowser()
    const page = await stranger.open(`${as.origin}/admin`)
    expect([page.status, new URL(page.url).pathname]).toEqual([200, '/sign-in'])
    const other = await signedIn('second@example.net')
    expect((await other.open(`${as.origin}/admin`)).status).toBe(200)
    const open = await ownAs()
    try {
      const alice = await signIn(open)
      expect((await alice.browser.open(`${open.origin}/admin`)).status).toBe(404)
    } finally {
      await open.stop()
    }
  })

  it('UMA Grant 5.1: forms of another site, without the token, or of a stranger do nothing', async () => {
    const page = await admin()
    const cookie = Object.entries(browser.cookies(as.origin))
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const csrf = page.forms.find(({ action }) => action.endsWith('/rotate-keys'))?.fields.csrf ?? ''
    const post = (headers: Record<string, string>, form: Record<string, string>) =>
      call(`${as.origin}/admin/rotate-keys`, { form, headers: { accept: 'text/html', ...headers } })
    expect((await post({ cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, { csrf })).status).toBe(403)
    expect((await post({ cookie, origin: as.origin }, { csrf: 'x' })).status).toBe(403)
    expect((await post({ origin: as.origin }, { csrf })).status).toBe(401)
    expect(textOf(await admin())).not.toContain('come into use on')
  })

  it('DESIGN 2: an operator who signed in long ago signs in again', async () => {
    await as.setClock(13 * 3600)
    const page = await admin()
    expect([new URL(page.url).pathname, new URL(page.url).searchParams.get('again')]).toEqual(['/sign-in', '1'])
    await as.setClock(0)
  })

  it('DESIGN decision 10: an invitation is mailed, kept as a keyed hash, good once in 14 days, and can be revoked', async () => {
    const [wanted, unwanted] = [someone('invited'), someone('unwanted')]
    const closed = await signIn(as, wanted).catch((error: Error) => error.message)
    expect(closed).toContain('403')
    for (const address of [wanted, unwanted]) expect(noticeOf(await browser.submit(await admin(), { address }))).toMatch(/^Invited\./)
    const mail = as.mailbox.to(wanted).find(({ subject }) => subject.startsWith('You are invited'))
    expect(mail?.text).toContain(`${as.origin}/sign-in`)
    const stored = withCopy(d1File(as.state) ?? '', (database) => JSON.stringify(rowsOf(database, 'SELECT * FROM invitation')))
    expect(
      searchIn(
        [{ file: 'D1', text: stored }],
        needlesForAddress(wanted).filter(({ bytes }) => !/^example/i.test(bytes)),
      ),
    ).toEqual([])

    const page = await admin()
    expect(page.forms.filter(({ action }) => action.endsWith('/revoke-invitation'))).toHaveLength(2)
    expect((await signIn(as, wanted)).page.status).toBe(200)
    expect(textOf(await admin())).toMatch(/Used/)
    // The one that is left waits.
    for (const form of (await admin()).forms.filter(({ action }) => action.endsWith('/revoke-invitation')))
      await browser.submit({ ...(await admin()), forms: [form] }, { invitation: form.fields.invitation ?? '' })
    await expect(signIn(as, unwanted)).rejects.toThrow('403')
    expect(noticeOf(await browser.submit(await admin(), { address: 'nobody' }))).toContain('no e-mail address')
    const late = someone('late')
    await browser.submit(await admin(), { address: late })
    await as.setClock(15 * 86_400)
    await expect(signIn(as, late)).rejects.toThrow('403')
    await as.setClock(0)
  })

  it('DESIGN 3: a client is found, blocked and unblocked; the page says how far that has come', async () => {
    const alice: Alice = await signIn(as, operator(1))
    const service = await connectService(as, alice, 'A shelf to block')
    const { id } = service.client
    const found = await admin(`?client=${id}`)
    expect(textOf(found)).toContain('A shelf to block')
    const block = (page: Page) => page.forms.find(({ action, fields }) => /\/(un)?block$/.test(action) && fields.client === id)
    const blocked = await browser.submit({ ...found, forms: [block(found)].filter((form) => form !== undefined) }, { client: id })
    expect(noticeOf(blocked)).toMatch(/^Blocked/)
    expect(textOf(blocked)).toContain('In force with all owners concerned: 1')
    expect((await service.call('/uma/resource')).status).toBe(401)
    const again = await browser.submit({ ...blocked, forms: [block(blocked)].filter((form) => form !== undefined) }, { client: id })
    expect(noticeOf(again)).toMatch(/^Unblocked/)
    expect((await service.call('/uma/resource')).status).toBe(200)
    expect(textOf(await admin('?client=nobody'))).toContain('Nothing is registered with this identifier')
  })

  it('DESIGN decision 9: a client that nobody registered can be blocked by the address of its metadata', async () => {
    const id = 'https://unlisted.example/client.json'
    const page = await admin(`?client=${encodeURIComponent(id)}`)
    const form = page.forms.find(({ action, fields }) => action.endsWith('/block') && fields.client === id)
    expect(noticeOf(await browser.submit({ ...page, forms: [form].filter((one) => one !== undefined) }, { client: id }))).toMatch(
      /^Blocked/,
    )
    const blocked = await admin()
    expect(textOf(blocked)).toContain(id)
    expect(textOf(blocked)).toContain('It describes itself at unlisted.example.')
    const undo = blocked.forms.find(({ action, fields }) => action.endsWith('/unblock') && fields.client === id)
    await browser.submit({ ...blocked, forms: [undo].filter((one) => one !== undefined) }, { client: id })
    expect(textOf(await admin())).not.toContain(id)
  })

  it('SPECS S0-6: of each client stands there what is known of it, also where it is to be blocked', async () => {
    const reply = ['https://known.example/cb']
    const own = await registerClient(as, { client_name: 'By itself', redirect_uris: reply, client_uri: 'https://known.example/about' })
    const elsewhere = await registerClient(as, { client_name: 'Pretends', redirect_uris: reply, client_uri: 'https://bank.example' })
    const software_statement = await new SignJWT({ iss: DIRECTORY, client_name: 'Vouched for' })
      .setProtectedHeader({ alg: directory.alg })
      .sign(directory.privateKey)
    const vouched = await registerClient(as, { redirect_uris: reply, software_statement })
    const rows = await Promise.all(
      [own, elsewhere, vouched].map(async ({ id }) => {
        const { text } = await admin(`?client=${id}`)
        const row = text.split('<li class="row">').find((one) => one.includes(`>${id}<`)) ?? ''
        return textOf({ text: row.slice(0, row.indexOf('</li>')) } as Page)
      }),
    )
    const date = String.raw`It registered (itself )?here on \d+ \w+ \d{4}\.`
    expect(rows[0]).toMatch(
      new RegExp(`By itself not verified known\\.example ${date} As its page it names https://known\\.example/about\\.`),
    )
    // Anybody can name somebody else's page, or say whose software it is.
    expect(rows[1]).not.toContain('bank.example')
    expect(rows[2]).toMatch(new RegExp(`Vouched for .*${DIRECTORY} vouches for its name\\. ${date}`))
    expect(rows[2]).not.toContain('not verified')
  })

  it('DESIGN 3: it counts requests and mail, and tells what waits for D1', async () => {
    await call(`${as.origin}/jwks`)
    await as.setClock(20)
    await call(`${as.origin}/jwks`)
    await until(async () => Number(/About ([\d]+)/.exec(textOf(await admin()))?.[1]) > 5)
    expect(textOf(await admin())).toMatch(/\d+ sent, 0 failed\./)
    expect(textOf(await admin())).toContain('Nothing waits.')
    const [id = ''] = await as.objects('OwnerObject')
    await signIn(as, operator(1))
    for (const one of await as.objects('OwnerObject')) {
      await as.setFault({ mode: 'fail', count: 100 })
      await as.runAlarm('OWNER', one)
      await as.setFault(undefined)
    }
    expect(id).not.toBe('')
    expect(textOf(await admin())).toMatch(/Changes of \d+ owners, the oldest since/)
    for (const one of await as.objects('OwnerObject')) await as.runAlarm('OWNER', one)
    expect(textOf(await admin())).toContain('Nothing waits.')
    await as.setClock(0)
  })

  it('DESIGN 2: never labels, things, people, addresses or shares [OW-07]', async () => {
    const alice = await signIn(as, operator(2))
    const [service, wallet, app] = [await connectService(as, alice), await connectWallet(as, alice), await registerApp(as, 'confidential')]
    const guest = bob(someone('guest'))
    const resource = await service.register({ resource_scopes: ['view'], name: 'Lisbon-secret.pdf' })
    const policy = await share(wallet, resource, guest.address)
    const ask = () => service.ticket({ resource_id: resource, resource_scopes: ['view'] })
    const credential = await obtainCredential(as, guest, app, await ask())
    const ticket = await ask()
    await app.token(ticket, await pushed(credential, ticket))
    const { text } = await admin()
    for (const secret of ['Lisbon-secret.pdf', resource, policy, guest.address, OLAF, operator(2), service.pat])
      expect(text).not.toContain(secret)
    expect(hasCode(text, newestCode(as, guest.address))).toBe(false)
  })

  it('TK-17: the button makes new keys; pressed again it says that they are on their way', async () => {
    const before = (await call(`${as.origin}/jwks`)).json.keys as unknown[]
    expect(noticeOf(await browser.send(await admin(), '/admin/rotate-keys'))).toMatch(/^New keys are made/)
    expect(noticeOf(await browser.send(await admin(), '/admin/rotate-keys'))).toMatch(/on their way already/)
    expect(textOf(await admin())).toContain('come into use on')
    await as.setClock(310)
    expect((await call(`${as.origin}/jwks`)).json.keys).toHaveLength(before.length + 1)
    await as.setClock(0)
  })

  it('TK-17: npm run rotate-keys signs in as an operator with the mailed code, and says what came of it', async () => {
    const run = async (address: string, code: () => Promise<string>): Promise<{ status: number | null; said: string }> => {
      const child = spawn(process.execPath, [join(ROOT, 'test/tools/rotate-keys.ts'), '--url', as.origin, '--address', address], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      })
      let said = ''
      let isAsked = false
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text
          if (isAsked || !said.includes('The code that was mailed')) return
          isAsked = true
          void code().then((digits) => child.stdin.end(`${digits}\n`))
        })
      const status = await new Promise<number | null>((done) => child.on('close', done))
      return { status, said }
    }
    const newest = async (address: string) => newestCode(as, address)
    const first = await run(operator(3), () => newest(operator(3)))
    expect([first.status, first.said]).toEqual([0, expect.stringMatching(/recovery code down: .{34}\nNew keys/)])
    const done = await run(operator(3), () => newest(operator(3)))
    expect([done.status, done.said]).toEqual([0, expect.stringMatching(/: New keys are on their way/)])
    const wrong = await run(operator(3), async () => '000000')
    expect([wrong.status, wrong.said]).toEqual([1, expect.stringContaining('not the code')])
    const guest = someone('guest')
    await browser.submit(await admin(), { address: guest })
    const refused = await run(guest, () => newest(guest))
    expect([refused.status, refused.said]).toEqual([1, expect.stringContaining('not among the operators')])
  })

  it('SPECS S0-2: registered clients are listed, last first, with the badge that nobody vouches for their name', async () => {
    await registerClient(as, { client_name: 'Zebra & <b>', redirect_uris: ['https://zebra.example/cb'] })
    const page = await admin()
    expect(page.text).toContain('Zebra &amp; &lt;b&gt;')
    expect(textOf(page)).toMatch(/Last registered Z Zebra .{1,30} not verified zebra\.example/)
  })

  it('UX: German and Portuguese are complete here, too', async () => {
    for (const [language, word] of [
      ['de', 'Verwaltung'],
      ['pt', 'Administração'],
    ] as const) {
      const answer = await call(`${as.origin}/admin`, {
        headers: {
          accept: 'text/html',
          'accept-language': language,
          cookie: Object.entries(browser.cookies(as.origin))
            .map(([name, value]) => `${name}=${value}`)
            .join('; '),
        },
      })
      expect(answer.text).toContain(`<h1>${word}</h1>`)
    }
  })
})

describe('DESIGN 4: failing mail', () => {
  it('DESIGN 4: a mail that the provider refuses is counted, and the page says when', async () => {
    const as = await ownAs({ asVars: { OPERATORS: OLAF } })
    try {
      const { browser } = await signIn(as, OLAF, openBrowser({ 'accept-language': 'en' }))
      const fresh = openBrowser()
      const refused = as.mailbox.accept
      as.mailbox.accept = () => {
        throw new Error('the provider refuses')
      }
      const page = await typeAddress({ address: someone('x'), browser: fresh }, await fresh.open(`${as.origin}/sign-in`))
      expect(page.status).toBe(422)
      as.mailbox.accept = refused
      await until(async () => /1 failed\. The last failure was on/.test(textOf(await browser.open(`${as.origin}/admin`))))
    } finally {
      await as.stop()
    }
  })
})

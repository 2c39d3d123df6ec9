// What lies on disk of both workers after the story with a vault (DESIGN 7 I6, decision 7): stored files apart, no byte of it names a
// person or a thing or opens a door. What the two say to each other is overheard as well: each calls the other by way of a listener.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeIn, connectWallet, gatherByMail, registerApp, share, showAddress, signIn, stopSharing } from '../support/actors.ts'
import { expectStatus } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { type Overheard, overhear, overhearAt } from '../support/overheard.ts'
import { freePort } from '../support/runtime.ts'
import { filesBelow, hasCode, needlesFor, needlesForAddress, searchIn } from '../support/search.ts'
import { ownBoth } from '../support/server.ts'
import { challengeOf, openLink, putFile, signInAtVault } from '../support/vault-actor.ts'

const unusual = (name: string): string => `${name}.${randomBytes(4).toString('hex')}@Post-${randomBytes(4).toString('hex')}.Example`
const NAME = 'Lisbon, the last summer.pdf'
const BYTES = new Uint8Array(new TextEncoder().encode('%PDF-1.7\n% of which the search knows nothing\n'))

describe('DESIGN 7 I6: nothing readable at rest, in both', () => {
  const listeners: Overheard[] = []
  const secrets = new Map<string, string>()
  const addresses = [unusual('alicia'), unusual('roberto')]
  const codes: string[] = []
  let links: string[]
  let logs: string
  let vaultState: string
  let files: ReturnType<typeof filesBelow>

  beforeAll(async () => {
    const [asPort, vaultPort] = [await freePort(), await freePort()]
    const [asFront, vaultFront] = [await freePort(), await freePort()]
    listeners.push(overhear(), await overhearAt(asFront, asPort), await overhearAt(vaultFront, vaultPort))
    const [issuer, vaultOrigin] = [`http://localhost:${asFront}`, `http://127.0.0.1:${vaultFront}`]
    const both = await ownBoth({
      asPort,
      vaultPort,
      asVars: { ISSUER: issuer, DEV_ORIGINS: vaultOrigin },
      vaultVars: { ORIGIN: vaultOrigin, DEV_ORIGINS: issuer, SUGGESTED_AS: issuer },
    })
    const as = { origin: issuer, mailbox: both.as.mailbox }
    const vault = { ...both.vault, origin: vaultOrigin }
    const [alices = '', bobs = ''] = addresses
    const alice = await signIn(as, alices)
    const owner = await signInAtVault({ as: { ...both.as, origin: issuer }, vault }, alice)
    const wallet = await connectWallet(as, alice)
    const stored = await putFile(owner, { name: NAME, type: 'application/pdf', bytes: BYTES })
    links = [stored.link.split('/').at(-1) ?? '']
    const { items } = (await wallet.call('/owner/resources')).json as unknown as { items: { id: string }[] }
    const id = await share(wallet, items[0]?.id ?? '', bobs)
    // As a program, and as a guest with a browser.
    const app = await registerApp(as)
    const guest = { address: bobs, browser: openBrowser() }
    const asked = await app.token(challengeOf(await openLink(stored.link, app)).ticket ?? '')
    const granted = await app.token(await gatherByMail(as, guest, app, String(asked.json.ticket)))
    expectStatus(await openLink(stored.link, app, String(granted.json.access_token)), 200, 'file')
    const claims = await guest.browser.send(await guest.browser.open(stored.link), '/open')
    const between = await guest.browser.send(await showAddress(as, guest, claims), '/continue')
    const thing = await guest.browser.open(between.refresh ?? '')
    if (!thing.text.includes(NAME))
      throw new Error(`the guest does not see the file: ${thing.status} ${thing.url}\n${thing.text.slice(0, 400)}`)
    expect((await guest.browser.open(`${stored.link}/content`)).text).toContain('%PDF-1.7')
    await stopSharing(wallet, id)
    expect((await guest.browser.open(`${stored.link}/content`)).status).not.toBe(200)
    for (const object of await both.as.objects('OwnerObject')) await both.as.runAlarm('OWNER', object)
    codes.push(...addresses.flatMap((address) => both.as.mailbox.to(address).map(codeIn)))
    await both.stop()
    for (const listener of listeners) {
      listener.stop()
      for (const [text, what] of listener.secrets) secrets.set(text, what)
    }
    vaultState = both.vault.state
    logs = [...both.as.logs, ...both.vault.logs].join('\n')
    files = [...filesBelow(both.as.state), ...filesBelow(vaultState).filter(({ text }) => text !== Buffer.from(BYTES).toString('latin1'))]
  })
  afterAll(() => {
    for (const listener of listeners) listener.stop()
  })

  it('DESIGN 7 I6: what is searched is what both wrote and said', () => {
    const kinds = new Set(secrets.values())
    for (const kind of [
      'access_token',
      'refresh_token',
      'id_token',
      'ticket',
      'client_secret',
      'code',
      'Bearer credentials',
      'Basic credentials',
    ])
      expect(kinds).toContain(kind)
    const cookies = [...kinds].filter((kind) => kind.startsWith('cookie '))
    expect(cookies.length).toBeGreaterThan(5)
    for (const part of ['OwnerObject', 'AccountObject', 'GuestObject', 'AuthorizationServerObject', 'r2/'])
      expect(
        files.some(({ file }) => file.includes(part)),
        part,
      ).toBe(true)
  })

  it('DESIGN decision 7: no address, and no part of one', () => {
    expect(searchIn(files, addresses.flatMap(needlesForAddress))).toEqual([])
  })

  it('DESIGN 7 I6: no token, ticket, code, secret, proof, cookie or link, not even those that the two use with each other', () => {
    const needles = [...secrets, ...links.map((link) => [link, 'link'] as const)].flatMap(([text, what]) => needlesFor(text, what))
    expect(searchIn(files, needles)).toEqual([])
    expect(searchIn([{ file: 'log', text: logs }], needles)).toEqual([])
  })

  it('DESIGN decision 7: no name of a file', () => {
    const needles = [NAME, 'the last summer'].flatMap((text) => needlesFor(text, text))
    expect(searchIn(files, needles)).toEqual([])
  })

  it('CLAIMS 7: no mailed code, and private keys in the Keys objects only', () => {
    expect(files.filter(({ text }) => codes.some((code) => hasCode(text, code))).map(({ file }) => file)).toEqual([])
    const isPrivate = new RegExp(`"d"\\s*:\\s*"[\\w-]{20,}"|"${String.fromCharCode(1)}d"[\\s\\S][\\w-]{43}`)
    expect(files.flatMap(({ file, text }) => (isPrivate.test(text) && !file.includes('-KeysObject/') ? [file] : []))).toEqual([])
  })

  it('DESIGN 7 I6: the search finds what is there', () => {
    const planted = [...secrets].slice(0, 20)
    writeFileSync(join(vaultState, 'planted'), planted.map(([text]) => `"${text}"`).join(''))
    const hits = searchIn(
      filesBelow(vaultState),
      planted.flatMap(([text]) => needlesFor(text, text)),
    )
    expect(new Set(hits.map(({ what }) => what)).size).toBe(planted.length)
  })
})

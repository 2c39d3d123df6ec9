// The wallet and pages in a real Chromium: what installing it asks for, whom it answers, and whom it does not (EXTENSION 2).
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDisplay } from '../support/display.ts'
import { approveOrigin, startWallet, type WalletBrowser } from '../support/wallet-driver.ts'

/** A page with a place for a wallet, and frames of all kinds in it. */
const PAGE = `<!doctype html><title>a server</title><p data-wallet="present">Use my wallet</p>
<iframe name="same" src="/frame"></iframe><iframe name="sandboxed" sandbox="allow-scripts" src="/frame"></iframe>`

const SILENCE = 'silence'

/** Asks the wallet from inside a page or frame, as a page script would; the text "silence" if nobody answers. */
const say = (page: Pick<Page, 'evaluate'>, message: Record<string, unknown>, target = 'window'): Promise<unknown> =>
  page.evaluate(`new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => resolve(data)
    setTimeout(() => resolve('${SILENCE}'), 700)
    ${target}.postMessage({ latchkey: 'latchkey:1', id: '0123456789abcdef0123', ...${JSON.stringify(message)} }, '*', [port2])
  })`)
const hello = (page: Pick<Page, 'evaluate'>, target?: string): Promise<unknown> => say(page, { kind: 'hello' }, target)

describe('EXTENSION 2: the wallet and pages', () => {
  let wallet: WalletBrowser
  let server: Server
  let page: Page
  let stopScreen: (() => void) | undefined
  let port = 0

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(request.url === '/frame' ? '<!doctype html><p>frame' : PAGE)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
    const screen = await startDisplay()
    stopScreen = screen.stop
    wallet = await startWallet({ display: screen.display })
    page = await wallet.context.newPage()
    await page.goto(`http://localhost:${port}/`)
  })
  afterAll(async () => {
    await wallet?.close()
    server?.close()
    stopScreen?.()
  })

  it('DESIGN 5.13: installing it warns of nothing, reports nothing, grants no host', async () => {
    const extensions = await wallet.context.newPage()
    await extensions.goto(`chrome://extensions/?id=${wallet.id}`)
    const found = await extensions.evaluate(`chrome.developerPrivate.getExtensionInfo('${wallet.id}').then((known) => ({
      warnings: known.installWarnings, errors: [...known.manifestErrors, ...known.runtimeErrors],
      permissions: known.permissions.simplePermissions, hosts: known.permissions.runtimeHostPermissions.hosts }))`)
    expect(found).toEqual({ warnings: [], errors: [], permissions: [], hosts: [] })
    await extensions.close()
  })

  it('EX-13: a page cannot find out that a wallet is installed', async () => {
    expect(await hello(page)).toBe(SILENCE)
    const probe = `Promise.all(['content/bridge.js', 'icons/16.png', 'popup.html', 'manifest.json'].map((path) =>
      fetch('chrome-extension://${wallet.id}/' + path).then(() => 'found', () => 'nothing')))`
    expect(await page.evaluate(probe)).toEqual(['nothing', 'nothing', 'nothing', 'nothing'])
  })

  it('EXTENSION 2: after the person let it in, the open page is answered without a reload', async () => {
    await approveOrigin(wallet, page)
    expect(await hello(page)).toEqual({ kind: 'here', id: '0123456789abcdef0123', has_proofs: false })
  })

  it('EX-04: frames of the page, and what they post into it, get silence', async () => {
    await page.reload()
    expect(await hello(page)).toMatchObject({ kind: 'here' })
    for (const name of ['same', 'sandboxed']) {
      const frame = page.frame({ name })
      if (!frame) throw new Error(`no frame ${name}`)
      expect([name, await hello(frame)]).toEqual([name, SILENCE])
      expect([name, await hello(frame, 'parent')]).toEqual([name, SILENCE])
    }
  })

  it('EX-01: another host of the same machine gets silence', async () => {
    const other = await wallet.context.newPage()
    await other.goto(`http://127.0.0.1:${port}/`)
    expect(await hello(other)).toBe(SILENCE)
    await other.close()
  })

  it('EX-06: a page in which nobody did anything cannot ask for a proof, and no window opens', async () => {
    const before = wallet.context.pages().length
    const request = { kind: 'present', requests: [{ protocol: 'openid4vp-v1-signed', data: { request: 'a.b.c' } }] }
    expect(await say(page, request)).toMatchObject({ kind: 'failed', reason: 'refused' })
    expect(wallet.context.pages()).toHaveLength(before)
  })

  it('EXTENSION 2: what is not a message of the protocol gets silence', async () => {
    for (const message of [
      { kind: 'wallet' },
      { kind: 'hello', id: 'short' },
      { kind: 'hello', more: 1 },
      { latchkey: 'latchkey:2', kind: 'hello' },
    ]) {
      expect(await say(page, message)).toBe(SILENCE)
    }
  })

  it('EXTENSION 3: taken out in the settings, the wallet is gone for that page', async () => {
    const settings = await wallet.open('dashboard.html#/settings')
    await settings.getByRole('button', { name: `Remove localhost:${port}` }).click()
    await settings.getByText(`Removed localhost:${port}.`).waitFor()
    expect(await hello(page)).toBe(SILENCE)
    await page.reload()
    expect(await hello(page)).toBe(SILENCE)
  })
})

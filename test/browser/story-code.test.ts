// The story of DESIGN 1 for people without a wallet, in a real Chromium: Bob shows his address with a mailed code, once with scripts and
// once without; Alice stops from the page of her server. And the pages for what goes wrong.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alice, connectWallet, share, signIn, someone, type WalletApi } from '../support/actors.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import { showAddress } from '../support/people.ts'
import { capture } from '../support/screens.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import { putFile, type Stored, signInAtVault } from '../support/vault-actor.ts'

const TEXT = 'Bring good shoes.'

describe('DESIGN 1: the story in a browser, without a wallet', () => {
  let both: Both
  let alice: Alice
  let wallet: WalletApi
  let stored: Stored
  let resource: string
  let withScripts: GuestBrowser
  let withoutScripts: GuestBrowser
  const bobAddress = someone('bob')
  const strangerAddress = someone('carol')

  const claimsPage = (page: Page): Promise<void> => page.waitForURL(`${both.as.origin}/uma/claims/**`)

  beforeAll(async () => {
    both = await ownBoth({ wrap: false })
    alice = await signIn(both.as)
    const owner = await signInAtVault(both, alice)
    wallet = await connectWallet(both.as, alice)
    stored = await putFile(owner, { name: 'notes.txt', type: 'text/plain', bytes: new TextEncoder().encode(TEXT) })
    const { items } = (await wallet.call('/owner/resources')).json as unknown as { items: { id: string }[] }
    resource = items[0]?.id ?? ''
    await share(wallet, resource, bobAddress, {
      resource_scopes: ['view'],
      until: Math.floor(Date.now() / 1000) + 3 * 86_400,
      time_zone: 'Europe/Lisbon',
    })
    withScripts = await startGuestBrowser()
    withoutScripts = await startGuestBrowser({ javaScriptEnabled: false })
  })
  afterAll(async () => {
    await withScripts?.close()
    await withoutScripts?.close()
    await both?.stop()
  })

  it('DESIGN 1.5-1.8: without scripts, every step is a button', async () => {
    const page = await withoutScripts.context.newPage()
    await page.goto(stored.link)
    await page.getByRole('button', { name: /Continue/ }).click()
    await claimsPage(page)
    await showAddress(both, page, bobAddress)
    await page.getByRole('button', { name: /Continue/ }).click()
    await page.waitForURL(`${both.vault.origin}/f/**`)
    expect(await page.frameLocator('iframe.guest-frame').locator('body').innerText()).toContain(TEXT)
  })

  it('DESIGN 1.5-1.8: with scripts the page carries on by itself; a wrong code and a strange address lose nothing', async () => {
    const page = await withScripts.context.newPage()
    await page.goto(stored.link)
    await claimsPage(page)
    await capture(page, 'claims-start-plain')
    await page.locator('input[name=address]').fill('not an address')
    await page.locator('input[name=address]').evaluate((field) => field.closest('form')?.setAttribute('novalidate', ''))
    await page.locator('form:has(input[name=address]) button[type=submit]').click()
    await page.locator('input[name=address][aria-invalid=true]').waitFor()
    await capture(page, 'claims-start-wrong')
    expect(await page.locator('input[name=address]').inputValue()).toBe('not an address')
    await page.locator('input[name=address]').fill(strangerAddress)
    await page.locator('form:has(input[name=address]) button[type=submit]').click()
    await page.locator('input[name=code]').fill('000000')
    await page.locator('form:has(input[name=code]) button.btn-main').click()
    await page.locator('input[name=code][aria-invalid=true]').waitFor()
    await capture(page, 'claims-code-wrong')
    await page.getByRole('link', { name: 'Another address' }).click()
    await showAddress(both, page, strangerAddress)
    await page.getByRole('heading', { name: 'Not shared with this address' }).waitFor()
    await capture(page, 'claims-not-shared')
    await page.getByRole('link', { name: 'Try another address' }).click()
    await showAddress(both, page, bobAddress)
    await page.getByRole('button', { name: /Continue/ }).click()
    await page.waitForURL(`${both.vault.origin}/f/**`)
    expect(await page.frameLocator('iframe.guest-frame').locator('body').innerText()).toContain(TEXT)
    await capture(page, 'vault-guest-text')
    await page.close()
  })

  it('UMA Grant 3.3.3: cancelling goes back to the vault with nothing shown', async () => {
    const browser = await startGuestBrowser()
    try {
      const page = await browser.context.newPage()
      await page.goto(stored.link)
      await claimsPage(page)
      await page.getByRole('button', { name: /Cancel/ }).click()
      await page.waitForURL(`${both.vault.origin}/**`)
      await page.getByRole('heading', { name: 'You stopped' }).waitFor()
      await capture(page, 'vault-guest-cancelled')
      await page.goBack()
      await page.goto(`${both.as.origin}/uma/claims/${'0'.repeat(64)}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await capture(page, 'server-error')
    } finally {
      await browser.close()
    }
  })

  it('DESIGN 1.9: Alice stops from the page of her server, without a wallet; the next request is refused', async () => {
    const guest = await withScripts.context.newPage()
    await guest.goto(stored.link)
    await guest.locator('iframe.guest-frame').waitFor()
    const page = await withScripts.context.newPage()
    await page.goto(`${both.as.origin}/sign-in`)
    await showAddress(both, page, alice.address)
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    await capture(page, 'server-own-home-locked')
    await page
      .getByRole('button', { name: /Stop sharing/ })
      .first()
      .click()
    await page.getByRole('status').first().waitFor()
    await guest.goto(stored.link)
    await guest.getByRole('heading', { name: 'Not shared with you' }).waitFor()
    expect(await guest.evaluate(async (path) => (await fetch(`${path}/content`)).status, new URL(stored.link).pathname)).toBe(401)
  })
})

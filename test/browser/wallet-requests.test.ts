// DESIGN 1 step 10 with the real wallet: Bob asks, Alice's open dashboard shows it by itself, she keeps it as a share, and Bob's page goes on.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectWallet, share, signIn, someone } from '../support/actors.ts'
import { startDisplay } from '../support/display.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import { showAddress } from '../support/people.ts'
import { capture } from '../support/screens.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import { putFile, type Stored, signInAtVault } from '../support/vault-actor.ts'
import { connectServer, startWallet, type WalletBrowser } from '../support/wallet-driver.ts'
import { openPopup } from '../support/wallet-popup.ts'

const TEXT = 'Bring good shoes.'
/** A new request is there within two seconds while a page of the wallet is open. */
const SOON = { timeout: 2000 }

let both: Both
let alice: WalletBrowser
let dashboard: Page
let stored: Stored
let guest: GuestBrowser
let bob: Page
let stopScreen: (() => void) | undefined
const aliceAddress = someone('alice')
const bobAddress = someone('bob')

/** What the toolbar button says. */
const badge = async (): Promise<unknown> => (await alice.worker()).evaluate('chrome.action.getBadgeText({})')

/** The count beside "Requests" in the navigation. */
const inNav = () => dashboard.getByRole('link', { name: /^Requests/ })

beforeAll(async () => {
  both = await ownBoth({ wrap: false })
  const screen = await startDisplay()
  stopScreen = screen.stop
  alice = await startWallet({ display: screen.display })
  guest = await startGuestBrowser()
  // She signs in for the first time in her own browser: the key to her names is made there and handed to the wallet.
  const page = await alice.context.newPage()
  await page.goto(`${both.as.origin}/sign-in`)
  await showAddress(both, page, aliceAddress)
  await page.locator('output.secret').waitFor()
  await page.locator('main a.btn-main').click()
  dashboard = await connectServer(alice, both.as.origin, async (consent) => {
    await consent.locator('button[name=decision][value=allow]').click()
  })
  await page.close()
  const owner = await signIn(both.as, aliceAddress)
  stored = await putFile(await signInAtVault(both, owner), { name: 'notes.txt', type: 'text/plain', bytes: new TextEncoder().encode(TEXT) })
  // What is shared with nobody is refused at once, without a question; this is shared with Carol.
  const wallet = await connectWallet(both.as, owner)
  const { items } = (await wallet.call('/owner/resources')).json as { items: { id: string }[] }
  await share(wallet, items[0]?.id ?? '', someone('carol'))
})
afterAll(async () => {
  await guest?.close()
  await alice?.close()
  await both?.stop()
  stopScreen?.()
})

it('UX, requests: while nobody asks, the section says how it begins, and nothing is counted', async () => {
  await dashboard.bringToFront()
  await inNav().click()
  await dashboard.getByText('Nobody is asking').waitFor()
  expect(await inNav().innerText()).toBe('Requests')
  await capture(dashboard, 'wallet-requests-empty')
})

it('DESIGN 1.10: Bob asks; within two seconds the open dashboard shows who, what, through which app, and his line', async () => {
  bob = await guest.context.newPage()
  await bob.goto(stored.link)
  await bob.waitForURL(`${both.as.origin}/uma/claims/**`)
  await showAddress(both, bob, bobAddress)
  await bob.getByLabel(/A line, so that the owner knows/).fill('Hi Alice, it is me.')
  await bob.getByRole('button', { name: 'Ask the owner' }).click()
  await bob.getByRole('heading', { name: 'We asked the owner' }).waitFor()
  const request = dashboard.getByRole('article')
  await request.waitFor(SOON)
  expect(await request.getByRole('heading').innerText()).toMatch(new RegExp(`^${bobAddress} wants to .*view.* notes\\.txt\\.`))
  expect(await request.locator('blockquote').innerText()).toBe('Hi Alice, it is me.')
  expect(await request.getByText('not verified').count()).toBe(1)
  expect(await inNav().innerText()).toMatch(/^Requests\s+1$/)
  expect(await badge()).toBe('1')
  await capture(dashboard, 'wallet-requests')
})

it('UX, popup: the request waits there too, with a way to the answer', async () => {
  const popup = await openPopup(alice, dashboard)
  const text = await popup.text('Look at it')
  expect(text).toMatch(/Waiting for you\s+1/)
  expect(text).toContain(bobAddress)
  expect(text).toContain('Look at it')
  await popup.close()
})

it('DESIGN 1.10: she allows and keeps it until Friday; his page goes on by itself, and nothing waits any more', async () => {
  await dashboard.bringToFront()
  const request = dashboard.getByRole('article')
  expect(await request.getByRole('radio', { name: /Friday/ }).isChecked()).toBe(true)
  await request.getByRole('button', { name: 'Allow and keep' }).click()
  await dashboard.getByText(`Shared notes.txt with ${bobAddress}.`).first().waitFor()
  await bob.waitForURL(`${both.vault.origin}/f/**`)
  expect(await bob.frameLocator('iframe.guest-frame').locator('body').innerText()).toContain(TEXT)
  await dashboard.getByText('Nobody is asking').waitFor()
  await dashboard.getByRole('heading', { name: 'Answered' }).waitFor()
  expect(await inNav().innerText()).toBe('Requests')
  expect(await badge()).toBe('')
  await capture(dashboard, 'wallet-requests-answered')
})

it('UX, settings: people may ask, or not', async () => {
  await dashboard.evaluate("location.hash = '#/settings'")
  const choice = dashboard.getByRole('checkbox', { name: /people may ask me/ })
  expect(await choice.isChecked()).toBe(true)
  await choice.uncheck()
  await dashboard.reload()
  await choice.waitFor()
  expect(await choice.isChecked()).toBe(false)
  await capture(dashboard, 'wallet-settings-asking')
})

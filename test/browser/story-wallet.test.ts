// The story of DESIGN 1 in a real Chromium with the real wallet, in two profiles: Alice owns and shares, Bob proves and opens. A picture of
// every screen on the way; any step that fails fails the test.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { someone } from '../support/actors.ts'
import { startDisplay } from '../support/display.ts'
import { COFFEE, dropFile, LISBON, linkOf, showAddress } from '../support/people.ts'
import { capture } from '../support/screens.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import {
  answerConsent,
  approveOrigin,
  connectServer,
  nextConsent,
  shareThing,
  startWallet,
  stopSharing,
  type WalletBrowser,
} from '../support/wallet-driver.ts'

const WINDOW = { width: 420, height: 560 }

describe('DESIGN 1: the story in a browser, with wallets', () => {
  let both: Both
  let alice: WalletBrowser
  let bob: WalletBrowser
  let vault: Page
  let dashboard: Page
  let guest: Page
  let stopScreens: (() => void) | undefined
  const aliceAddress = someone('alice')
  const bobAddress = someone('bob')
  const links: Record<string, string> = {}

  beforeAll(async () => {
    both = await ownBoth({ wrap: false })
    // A screen each: the browser's own questions are answered by keys, and keys go to the window in front.
    const screens = await Promise.all([startDisplay(), startDisplay()])
    stopScreens = () => {
      for (const screen of screens) screen.stop()
    }
    alice = await startWallet({ display: screens[0].display })
    bob = await startWallet({ display: screens[1].display })
  })
  afterAll(async () => {
    await alice?.close()
    await bob?.close()
    await both?.stop()
    stopScreens?.()
  })

  it('DESIGN 1.1: Alice signs in by a mailed code, keeps her recovery code and adds a passkey', async () => {
    const page = await alice.context.newPage()
    const session = await alice.context.newCDPSession(page)
    await session.send('WebAuthn.enable')
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    await page.goto(both.as.origin)
    await capture(page, 'server-home')
    await page.getByRole('link', { name: 'Sign in' }).first().click()
    await showAddress(both, page, aliceAddress, (screen) => capture(page, screen === 'address' ? 'server-sign-in' : 'server-sign-in-code'))
    await page.locator('output.secret').waitFor()
    await capture(page, 'server-welcome')
    await page.getByRole('button', { name: /passkey/i }).click()
    await expect
      .poll(() =>
        page
          .getByRole('status')
          .allInnerTexts()
          .then((texts) => texts.join(' ')),
      )
      .toMatch(/passkey/i)
    await page.locator('main a.btn-main').click()
    await capture(page, 'server-own-home-empty')

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in' }).first().click()
    await page.getByRole('button', { name: /passkey/i }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    await page.close()
  })

  it('DESIGN 1.1: she connects the wallet', async () => {
    const connect = await alice.open('dashboard.html#/connect')
    await capture(connect, 'wallet-connect')
    await connect.close()
    dashboard = await connectServer(alice, both.as.origin, async (page) => {
      const allow = page.locator('button[name=decision][value=allow]')
      await allow.waitFor()
      await capture(page, 'server-consent-wallet')
      await allow.click()
    })
  })

  it('DESIGN 1.2: the vault and the server meet for the first time', async () => {
    vault = await alice.context.newPage()
    await vault.goto(both.vault.origin)
    await capture(vault, 'vault-sign-in')
    await vault.locator('button[type=submit]').click()
    const allow = vault.locator('button[name=decision][value=allow]')
    await allow.waitFor()
    await capture(vault, 'server-consent-service')
    await allow.click()
    await vault.getByRole('button', { name: 'I have kept them, continue' }).waitFor()
    await capture(vault, 'vault-recovery-codes')
    await vault.getByRole('button', { name: 'I have kept them, continue' }).click()
    await vault.getByText('Nothing here yet').waitFor()
    await capture(vault, 'vault-empty')
  })

  it('DESIGN 1.3: she drops a PDF and chooses a photograph', async () => {
    await dropFile(vault, LISBON, 'Lisbon.pdf', 'application/pdf')
    await vault.getByRole('link', { name: 'Lisbon.pdf' }).first().waitFor()
    await vault.locator('input[type=file]').setInputFiles(COFFEE)
    await vault.getByRole('link', { name: 'coffee.jpg' }).first().waitFor()
    await capture(vault, 'vault-list')
    for (const name of ['coffee.jpg', 'Lisbon.pdf']) {
      links[name] = await linkOf(vault, name)
      if (name === 'Lisbon.pdf') await capture(vault, 'vault-thing')
      await vault.goto(both.vault.origin)
    }
    expect(links['Lisbon.pdf']).toMatch(/\/f\/[\w-]+$/)
  })

  it('DESIGN 1.4: she shares both, view only, until Friday', async () => {
    await dashboard.bringToFront()
    await dashboard.getByRole('link', { name: 'Show my things' }).click()
    await dashboard.getByRole('link', { name: 'Lisbon.pdf' }).waitFor()
    await capture(dashboard, 'wallet-shared-by-me')
    await dashboard.getByRole('link', { name: 'Lisbon.pdf' }).click()
    await dashboard.getByRole('link', { name: 'Share', exact: true }).click()
    await dashboard.getByRole('dialog').getByLabel('With').fill(bobAddress)
    await dashboard.getByRole('dialog').getByLabel('With').press('Enter')
    await capture(dashboard, 'wallet-share-dialog')
    const dialog = dashboard.getByRole('dialog')
    expect(
      await dialog
        .locator('[aria-live]')
        .allInnerTexts()
        .then((texts) => texts.join(' ')),
    ).toContain(bobAddress)
    await dialog.getByRole('button', { name: 'Share', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await dashboard.getByText(`Shared Lisbon.pdf with ${bobAddress}.`).first().waitFor()
    await capture(dashboard, 'wallet-thing')
    await shareThing(dashboard, 'coffee.jpg', bobAddress)
  })

  it('DESIGN 1.5-1.8: Bob opens the link; the first time a code by mail, which his wallet keeps; the file opens', async () => {
    guest = await bob.context.newPage()
    await guest.goto(String(links['coffee.jpg']))
    await guest.waitForURL(`${both.as.origin}/uma/claims/**`)
    expect(await guest.locator('main').innerText()).not.toContain('coffee')
    await approveOrigin(bob, guest)
    await capture(guest, 'claims-start')
    await showAddress(both, guest, bobAddress, async (screen) => {
      if (screen === 'code') await capture(guest, 'claims-code')
    })
    const keep = guest.locator('[data-wallet=keep] button')
    await keep.waitFor()
    await capture(guest, 'claims-done')
    await keep.click()
    await expect
      .poll(() =>
        guest
          .getByRole('status')
          .allInnerTexts()
          .then((texts) => texts.join(' ')),
      )
      .toMatch(/kept|wallet/i)
    await guest.locator('form[action$="/continue"] button').click()
    await guest.waitForURL(`${both.vault.origin}/f/**`)
    const photo = guest.locator('img.guest-media')
    await photo.waitFor()
    await expect.poll(() => photo.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(600)
    await capture(guest, 'vault-guest-photo')
  })

  it('DESIGN 1.7-1.8: the second thing needs one click in the wallet, also when its worker was killed; Alice sees it within two seconds', async () => {
    await guest.goto(String(links['Lisbon.pdf']))
    await guest.waitForURL(`${both.as.origin}/uma/claims/**`)
    await guest.locator('[data-wallet=present] button').waitFor()
    await capture(guest, 'claims-start-wallet')
    const asked = nextConsent(bob)
    await guest.locator('[data-wallet=present] button').click()
    const consent = await asked
    await bob.killWorker()
    await capture(consent, 'wallet-consent', { size: WINDOW })
    expect(await consent.locator('body').innerText()).toContain(new URL(both.as.origin).host)
    await answerConsent(consent, bobAddress)
    await guest.locator('form[action$="/continue"] button').click()
    await guest.waitForURL(`${both.vault.origin}/f/**`)
    await guest.locator('iframe.guest-frame').waitFor()
    const seen = await guest.evaluate(async () => {
      const answer = await fetch(`${location.pathname}/content`)
      return { status: answer.status, type: answer.headers.get('content-type'), size: (await answer.arrayBuffer()).byteLength }
    })
    expect(seen).toEqual({ status: 200, type: 'application/pdf', size: 29476 })
    await capture(guest, 'vault-guest-pdf')
    await dashboard.bringToFront()
    await dashboard.evaluate("location.hash = '#/activity'")
    await dashboard.getByText(`${bobAddress} opened Lisbon.pdf`).first().waitFor({ timeout: 2000 })
    await capture(dashboard, 'wallet-activity')
  })

  it('DESIGN 1.8: an open wallet hears of a visit by itself', async () => {
    const heard = dashboard.getByText(`${bobAddress} was let in to coffee.jpg`)
    const before = await heard.count()
    await guest.context().clearCookies({ domain: '127.0.0.1' })
    await guest.goto(String(links['coffee.jpg']))
    await guest.locator('[data-wallet=present] button').waitFor()
    const asked = nextConsent(bob)
    await guest.locator('[data-wallet=present] button').click()
    await answerConsent(await asked, bobAddress)
    await guest.locator('form[action$="/continue"] button').click()
    await guest.locator('img.guest-media').waitFor()
    await expect.poll(() => heard.count(), { timeout: 2000 }).toBe(before + 1)
  })

  it("DESIGN 1.9: Alice stops sharing; Bob's very next request is refused", async () => {
    await dashboard.evaluate("location.hash = '#/'")
    await dashboard.getByRole('link', { name: 'Lisbon.pdf' }).click()
    await stopSharing(dashboard, 'Lisbon.pdf', bobAddress)
    await capture(dashboard, 'wallet-stopped')
    await guest.goto(String(links['Lisbon.pdf']))
    await guest.getByRole('heading', { name: 'Not shared with you' }).waitFor()
    await capture(guest, 'vault-guest-denied')
    expect(
      await guest.evaluate(async (path) => (await fetch(`${path}/content`)).status, new URL(String(links['Lisbon.pdf'])).pathname),
    ).toBe(401)
  })

  it('UX: the other screens of the wallet', async () => {
    for (const [hash, name] of [
      ['#/services', 'wallet-services'],
      ['#/settings', 'wallet-settings'],
    ] as const) {
      await dashboard.evaluate((to) => {
        location.hash = to
      }, hash)
      await dashboard.getByRole('heading', { level: 1 }).waitFor()
      await capture(dashboard, name)
    }
    const proofs = await bob.open('dashboard.html#/proofs')
    await proofs.getByText(bobAddress).first().waitFor()
    await capture(proofs, 'wallet-proofs')
    const popup = await alice.open('popup.html')
    await popup.getByText('opened').first().waitFor()
    await capture(popup, 'wallet-popup', { size: { width: 380, height: 560 } })
    const home = await alice.context.newPage()
    await home.goto(both.as.origin)
    await home.getByText('coffee.jpg').first().waitFor()
    await capture(home, 'server-own-home')
    await home.getByRole('link', { name: 'Your account' }).click()
    await home.getByRole('heading', { name: 'Delete the account' }).waitFor()
    await capture(home, 'server-account')
  })
})

// Drives the wallet in a real Chromium, as a person would: loads the built extension, answers the browser's own permission questions,
// signs in at a server, clicks in the consent window. For the browser ring and for looking at screens. Needs a screen (test/support/display.ts),
// since a permission question cannot be answered without a window (EXTENSION 1), and `xdotool` for the keys that answer it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page, type Worker } from 'playwright-core'
import { BUILD } from '../tools/build.ts'
import { openPopup } from './wallet-popup.ts'
import { allowPrompt } from './wallet-prompt.ts'

export type WalletBrowser = {
  readonly context: BrowserContext
  /** The extension's id; the manifest's key makes it the same everywhere. */
  readonly id: string
  /** X display of its windows. */
  readonly display: string | undefined
  /** A page of the wallet in a tab, e.g. `dashboard.html#/activity`. */
  open: (path: string) => Promise<Page>
  /** The background worker; started again if it sleeps. */
  worker: () => Promise<Worker>
  /** Kills the background worker at once, as the browser may at any time (CDP ServiceWorker.stopAllWorkers). */
  killWorker: () => Promise<void>
  close: () => Promise<void>
}

export type StartWallet = {
  /** X display of the window; `process.env.DISPLAY` unless told. */
  display?: string | undefined
  /** Language of the browser, e.g. `de`. */
  lang?: string
  /** Folder of the unpacked extension; the built one unless told. */
  extension?: string
  /** Profile folder, to start the same browser again; a fresh one that is deleted at the end unless told. */
  profile?: string
}

/**
 * Starts Chromium with the wallet installed and waits for its background worker.
 * Throws if the wallet is not built (`node test/tools/build.ts extension`) or the browser cannot start.
 */
export const startWallet = async ({
  display = process.env.DISPLAY,
  lang,
  extension,
  profile,
}: StartWallet = {}): Promise<WalletBrowser> => {
  const directory = extension ?? join(BUILD, 'extension/chrome')
  const folder = profile ?? mkdtempSync(join(tmpdir(), 'latchkey-wallet-'))
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: '/usr/bin/chromium',
    headless: false,
    ignoreDefaultArgs: ['--disable-extensions'],
    viewport: null,
    env: { ...process.env, ...(display === undefined ? {} : { DISPLAY: display }) },
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--hide-scrollbars',
      // Lets a test press the toolbar button (Extensions.triggerAction).
      '--enable-unsafe-extension-debugging',
      ...(lang === undefined ? [] : [`--lang=${lang}`]),
      `--disable-extensions-except=${directory}`,
      `--load-extension=${directory}`,
    ],
  })
  const first = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
  const { host: id } = new URL(first.url())
  const open = async (path: string): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(`chrome-extension://${id}/${path}`)
    return page
  }
  return {
    context,
    id,
    display,
    open,
    worker: async () => context.serviceWorkers()[0] ?? context.waitForEvent('serviceworker'),
    killWorker: () => killWorker(context, id),
    close: async () => {
      await context.close()
      if (profile === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** A page of the extension may stop the workers of its own origin; the page goes again. */
const killWorker = async (context: BrowserContext, id: string): Promise<void> => {
  const page = await context.newPage()
  await page.goto(`chrome-extension://${id}/manifest.json`)
  const session = await context.newCDPSession(page)
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await page.close()
}

/**
 * Lets the pages of a server ask this wallet for proofs, as a guest does: toolbar button over the page, "Use the wallet on ...", the
 * browser's question. Afterwards the open page has the wallet, without a reload.
 * @param page a page of that server with a place for a wallet (claims page)
 */
export const approveOrigin = async (wallet: WalletBrowser, page: Page): Promise<void> => {
  const { origin, host } = new URL(page.url())
  await allowPrompt(wallet, origin, async () => {
    const popup = await openPopup(wallet, page)
    await popup.click(host)
    popup.leave()
  })
  await page.bringToFront()
  await page.locator('[data-wallet]').first().waitFor()
}

/**
 * Connects the wallet to a server as its owner, through the dashboard.
 * @param signIn what the person does in the sign-in window that the server shows, until the server sends it back
 * @returns the dashboard page, which says that it is connected
 */
export const connectServer = async (wallet: WalletBrowser, address: string, signIn: (page: Page) => Promise<void>): Promise<Page> => {
  const dashboard = await wallet.open('dashboard.html#/connect')
  await dashboard.fill('#address', address)
  const signInWindow = wallet.context.waitForEvent('page')
  await allowPrompt(wallet, new URL(address).origin, () => dashboard.click('button[type=submit]'))
  await signIn(await signInWindow)
  await dashboard.getByRole('link', { name: 'Show my things' }).waitFor()
  return dashboard
}

/**
 * Signs in at our own server in `page`: address, mailed code, recovery code, and yes to the wallet or service that asks.
 * @param nextCode fetches the code that was mailed
 */
export const signInAndAllow = async (page: Page, email: string, nextCode: () => Promise<string>): Promise<void> => {
  await page.locator('input[name=address]').fill(email)
  await page.locator('form:has(input[name=address]) button[type=submit]').click()
  const field = page.locator('input[name=code]')
  await field.waitFor()
  await field.fill(await nextCode())
  await page.locator('form:has(input[name=code]) button.btn-main').click()
  const allow = page.locator('button[name=decision][value=allow]')
  const welcome = page.locator('main a.btn-main, main form[action*=welcome] button.btn-main')
  await allow.or(welcome).first().waitFor()
  if (!(await allow.isVisible())) await welcome.first().click()
  await allow.click()
}

/** Shares a thing from the dashboard: opens the thing's share dialog, types the address, presses Share. Three choices, the rest is preset. */
export const shareThing = async (dashboard: Page, thing: string, email: string, until?: string): Promise<void> => {
  await dashboard.evaluate("location.hash = '#/'")
  await dashboard.getByRole('link', { name: thing }).click()
  await dashboard.getByRole('link', { name: 'Share', exact: true }).click()
  const dialog = dashboard.getByRole('dialog')
  await dialog.getByLabel('With').fill(email)
  await dialog.getByLabel('With').press('Enter')
  if (until !== undefined) await dialog.getByRole('radio', { name: until, exact: true }).check()
  await dialog.getByRole('button', { name: 'Share', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

/** Stops sharing a thing with a person, on the thing's page. In force when this returns. */
export const stopSharing = async (dashboard: Page, thing: string, email: string): Promise<void> => {
  await dashboard.getByRole('button', { name: `Stop sharing ${thing} with ${email}` }).click()
  await dashboard.getByText(`Stopped sharing ${thing} with ${email}.`).waitFor()
}

/** The consent window that a page's question opens; call it before the click that asks. Resolves when the window shows its question. */
export const nextConsent = async (wallet: WalletBrowser): Promise<Page> => {
  const window = await wallet.context.waitForEvent('page', { predicate: (page) => page.url().includes('/consent.html') })
  await window.getByRole('heading', { level: 1 }).waitFor()
  return window
}

/** Answers the consent window: the address to show, or undefined for no. Waits for the button to arm, as a person does. */
export const answerConsent = async (window: Page, email: string | undefined): Promise<void> => {
  const closed = window.waitForEvent('close')
  if (email === undefined) await window.getByRole('button', { name: 'Don’t show' }).click()
  else {
    await window.getByRole('radio', { name: email }).check()
    await window.getByRole('button', { name: 'Show address' }).click()
  }
  await closed
}

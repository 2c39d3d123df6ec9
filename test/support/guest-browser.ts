// A Chromium of its own for somebody without a wallet: no extension, nothing remembered from before.
import { type BrowserContext, chromium } from 'playwright-core'

export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export type GuestBrowser = { context: BrowserContext; close: () => Promise<void> }

/** Starts it headless; `javaScriptEnabled: false` is for those who browse without scripts. */
export const startGuestBrowser = async (options: { javaScriptEnabled?: boolean; locale?: string } = {}): Promise<GuestBrowser> => {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: CHROMIUM_ARGS })
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  return { context, close: () => browser.close() }
}

// Answers the browser's own permission question, which no page and no protocol can see: it is drawn inside the window. What can be seen is
// the keyboard focus: while the question stands, no page and no popup has it.
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { WalletBrowser } from './wallet-driver.ts'

const run = promisify(execFile)

/** The browser lets a question that has just come up take no keys for half a second, so that nobody answers by mistake. */
const DEAF = 600
const PATIENCE = 60_000

/** Asks again and again until it is so; answers whether it came to that in time. */
export const until = async (isTrue: () => Promise<boolean>, ms: number): Promise<boolean> => {
  const deadline = Date.now() + ms
  while (!(await isTrue())) {
    if (Date.now() > deadline) return false
    await pause(25)
  }
  return true
}

/** What the wallet may do at this origin, as the browser knows it. */
const hasPermission = async (wallet: WalletBrowser, origin: string): Promise<boolean> =>
  (await wallet.worker()).evaluate(`chrome.permissions.contains({ origins: [${JSON.stringify(`${origin}/*`)}] })`)

type Watch = { isUp: () => Promise<boolean>; end: () => Promise<void> }

/** Watches where the focus is. Playwright lets every page believe that it has it; that rests meanwhile. */
const watchFocus = async (wallet: WalletBrowser): Promise<Watch> => {
  const { context } = wallet
  const browser = await context.browser()?.newBrowserCDPSession()
  if (browser === undefined) throw new Error('no browser session')
  const pages = await Promise.all(context.pages().map((page) => context.newCDPSession(page)))
  const believe = (enabled: boolean) => Promise.all(pages.map((page) => page.send('Emulation.setFocusEmulationEnabled', { enabled })))
  await believe(false)
  const isFocused = async (page: (typeof pages)[number]): Promise<boolean> =>
    (await page.send('Runtime.evaluate', { expression: 'document.hasFocus()', returnByValue: true })).result.value === true
  return {
    isUp: async () => {
      const { targetInfos } = await browser.send('Target.getTargets')
      if (targetInfos.some(({ url }) => url.startsWith(`chrome-extension://${wallet.id}/popup.html`))) return false
      return !(await Promise.all(pages.map(isFocused))).includes(true)
    },
    end: async () => {
      await believe(true)
      await Promise.all([browser, ...pages].map((session) => session.detach()))
    },
  }
}

/**
 * Makes the browser ask its own permission question and answers it with yes, by keyboard. If the permission is there already, nothing is
 * asked; a question that was closed without a yes is asked again.
 * @param origin e.g. `http://localhost:8787`
 * @param ask the click that makes the browser ask; may be called more than once
 * Throws if the permission does not come within a minute.
 */
export const allowPrompt = async (wallet: WalletBrowser, origin: string, ask: () => Promise<void>): Promise<void> => {
  const env = { ...process.env, ...(wallet.display === undefined ? {} : { DISPLAY: wallet.display }) }
  const press = (...keys: string[]): Promise<unknown> => run('xdotool', ['key', '--clearmodifiers', ...keys], { env })
  const isGranted = (): Promise<boolean> => hasPermission(wallet, origin)
  const deadline = Date.now() + PATIENCE
  const watch = await watchFocus(wallet)
  const isOver = async (): Promise<boolean> => (await isGranted()) || !(await watch.isUp())
  try {
    while (!(await isGranted())) {
      if (Date.now() > deadline) throw new Error(`the browser did not grant ${origin}`)
      await ask()
      await until(async () => (await isGranted()) || (await watch.isUp()), 10_000)
      // While the focus passes from one to the other nobody has it either: a question that stands is still there when it begins to listen.
      await pause(DEAF)
      if (await isOver()) continue
      await press('Tab', 'Return')
      if (await until(isOver, 2000)) continue
      await press('Escape')
      await until(isOver, 2000)
    }
  } finally {
    await watch.end()
  }
}

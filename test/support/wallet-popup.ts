// The popup of the wallet's toolbar button, which Playwright does not know: opened over a tab and driven by the DevTools protocol.
import type { CDPSession, Page } from 'playwright-core'
import type { WalletBrowser } from './wallet-driver.ts'
import { until } from './wallet-prompt.ts'

/** The popup of the toolbar button, opened for real over a tab (so that `activeTab` holds). It is not a Page: scripts run in it by CDP. */
export type Popup = {
  /** Runs an expression in the popup, counted as a click of the person, and answers its value (a promise is awaited). */
  evaluate: (expression: string) => Promise<unknown>
  /** Text of the popup, when it contains `part`. Throws after 15 s. */
  text: (part: string) => Promise<string>
  /** Clicks the button whose text contains `part`. */
  click: (part: string) => Promise<void>
  /** Lets go of it; the popup stays as it is (the browser closes it when another thing gets the focus). */
  leave: () => void
  close: () => Promise<void>
}

/** Presses the wallet's toolbar button over `page` (EXTENSION 1: `Extensions.triggerAction` on the tab target). */
export const openPopup = async (wallet: WalletBrowser, page: Page): Promise<Popup> => {
  await page.bringToFront()
  const browser = wallet.context.browser()
  if (!browser) throw new Error('no browser session')
  const session = await browser.newBrowserCDPSession()
  const { targetInfos: tabs } = await session.send('Target.getTargets', { filter: [{ type: 'tab' }] })
  const tab = tabs.find((target) => target.url === page.url() && isActive(target))
  if (!tab) throw new Error(`no active tab shows ${page.url()}`)
  await (session as unknown as UntypedSession).send('Extensions.triggerAction', { id: wallet.id, targetId: tab.targetId })
  let targetId: string | undefined
  await until(async () => {
    const { targetInfos } = await session.send('Target.getTargets')
    targetId = targetInfos.find(({ url }) => url.startsWith(`chrome-extension://${wallet.id}/popup.html`))?.targetId
    return targetId !== undefined
  }, 15_000)
  if (targetId === undefined) throw new Error('the popup did not open')
  return popupOn(session, targetId)
}

type UntypedSession = { send: (method: string, params: object) => Promise<unknown> }

const isActive = (target: object): boolean => {
  const data: unknown = Reflect.get(target, 'embedderData')
  return typeof data === 'object' && data !== null && Reflect.get(data, 'tabActive') === true
}

type Evaluated = { id?: number; result?: { result?: { value?: unknown }; exceptionDetails?: unknown } }

const popupOn = async (session: CDPSession, targetId: string): Promise<Popup> => {
  const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false })
  let lastId = 0
  const waiting = new Map<number, (answer: Evaluated) => void>()
  session.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
    if (from !== sessionId) return
    const answer = JSON.parse(message) as Evaluated
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  const evaluate = async (expression: string): Promise<unknown> => {
    lastId += 1
    const id = lastId
    const answered = new Promise<Evaluated>((resolve) => waiting.set(id, resolve))
    const params = { expression, userGesture: true, awaitPromise: true, returnByValue: true }
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method: 'Runtime.evaluate', params }) })
    const { result } = await answered
    if (result?.exceptionDetails !== undefined) throw new Error(`popup: ${JSON.stringify(result.exceptionDetails)}`)
    return result?.result?.value
  }
  const text = async (part: string): Promise<string> => {
    let seen = ''
    const isThere = await until(async () => {
      seen = String(await evaluate("document.body?.innerText ?? ''"))
      return seen.includes(part)
    }, 15_000)
    if (!isThere) throw new Error(`the popup does not say "${part}":\n${seen}`)
    return seen
  }
  return {
    evaluate,
    text,
    click: async (part) => {
      await text(part)
      await evaluate(
        `[...document.querySelectorAll('button')].find((button) => button.innerText.includes(${JSON.stringify(part)})).click()`,
      )
    },
    leave: () => void session.detach().catch(() => undefined),
    close: async () => {
      await session.send('Target.closeTarget', { targetId }).catch(() => undefined)
      await session.detach().catch(() => undefined)
    },
  }
}

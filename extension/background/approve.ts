// Origins whose pages may ask this wallet for proofs: the content script is registered for exactly those, after the person agreed in the
// browser's own dialog. What the browser knows (permissions) rules; our list follows it.
import browser from 'webextension-polyfill'
import { WalletError } from '../errors.ts'
import { isAllowedOrigin, patternOf } from '../origin.ts'
import { approvals, dropApproval, keepApproval } from '../wallet/connections.ts'
import { read, update } from '../wallet/storage.ts'

const BRIDGE = 'content/bridge.js'

const scriptId = (origin: string): string => `bridge ${origin}`

const isRegistered = async (origin: string): Promise<boolean> =>
  (await browser.scripting.getRegisteredContentScripts({ ids: [scriptId(origin)] })).length > 0

const registerBridge = async (origin: string): Promise<void> => {
  if (await isRegistered(origin)) return
  await browser.scripting.registerContentScripts([
    {
      id: scriptId(origin),
      matches: [patternOf(origin)],
      js: [BRIDGE],
      runAt: 'document_start',
      allFrames: false,
      persistAcrossSessions: true,
    },
  ])
}

const unregisterBridge = async (origin: string): Promise<void> => {
  if (await isRegistered(origin)) await browser.scripting.unregisterContentScripts({ ids: [scriptId(origin)] })
}

/** The page that is already open in this tab gets the bridge now, so that nobody has to reload it. */
const bridgeTab = async (origin: string, tabId: number): Promise<void> => {
  const tab = await browser.tabs.get(tabId).catch(() => undefined)
  if (tab?.url === undefined || new URL(tab.url).origin !== origin) return
  await browser.scripting.executeScript({ target: { tabId }, files: [BRIDGE] }).catch(() => undefined)
}

/** Remembers what the browser is about to ask, since the popup may be gone when the answer comes. */
export const intend = (origin: string, tabId: number | undefined): Promise<void> =>
  update('intent', (intent) => {
    intent.origin = origin
    if (tabId === undefined) delete intent.tab_id
    else intent.tab_id = tabId
  })

/** Approves an origin if the browser lets the wallet run there. Throws `refused` for what can be no server. */
export const approve = async (origin: string, tabId: number | undefined): Promise<{ is_approved: boolean }> => {
  if (!isAllowedOrigin(origin)) throw new WalletError('refused', origin)
  if (!(await browser.permissions.contains({ origins: [patternOf(origin)] }))) return { is_approved: false }
  await keepApproval(origin, Date.now())
  await registerBridge(origin)
  if (tabId !== undefined) await bridgeTab(origin, tabId)
  return { is_approved: true }
}

export const unapprove = async (origin: string): Promise<null> => {
  await dropApproval(origin)
  await unregisterBridge(origin)
  await browser.permissions.remove({ origins: [patternOf(origin)] }).catch(() => undefined)
  return null
}

/** The browser granted something: if that was the answer to our question, finish what the popup began. */
export const onGranted = async (): Promise<void> => {
  const { origin, tab_id } = await read('intent')
  if (origin === undefined) return
  if (!(await approve(origin, tab_id)).is_approved) return
  await update('intent', (intent) => {
    delete intent.origin
    delete intent.tab_id
  })
}

/** The person took a permission back in the browser's own settings, or the browser lost a registration: follow. */
export const reconcile = async (): Promise<void> => {
  for (const origin of await approvals()) {
    if (await browser.permissions.contains({ origins: [patternOf(origin)] })) await registerBridge(origin)
    else {
      await dropApproval(origin)
      await unregisterBridge(origin)
    }
  }
}

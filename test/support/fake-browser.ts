// The extension APIs of a browser, in memory: what `webextension-polyfill` stands for in unit tests. Fakes the browser only, never our
// own code. Values pass through structuredClone, as in a browser, so that nobody shares an object with storage.
import type { Runtime } from 'webextension-polyfill'

const EXTENSION_ID = 'amppgkkidjfhjdildpjnfccndeiicoki'
export const OWN_ORIGIN = `chrome-extension://${EXTENSION_ID}`

type Area = Map<string, unknown>
type SentToTab = { tabId: number; message: unknown; options: unknown }

/** Outlives vi.resetModules(): a browser stays when a worker dies. */
const KEPT = Symbol.for('latchkey fake browser')

const fresh = () => ({
  local: new Map() as Area,
  session: new Map() as Area,
  /** Match patterns that the person granted. */
  granted: new Set<string>(),
  scripts: new Map<string, { id: string; matches: string[] }>(),
  windows: new Map<number, { url: string }>(),
  nextWindow: 1,
  tabs: new Map<number, { url: string }>(),
  sentToTabs: [] as SentToTab[],
  injected: [] as { tabId: number; files: string[] }[],
  badge: '',
  alarms: new Set<string>(),
})
const state: ReturnType<typeof fresh> = Reflect.get(globalThis, KEPT) ?? fresh()
Reflect.set(globalThis, KEPT, state)

/** What the browser holds: to arrange before, to look at after. */
export const fake = state

/** A browser as it is after installation. */
export const resetBrowser = (): void => {
  for (const area of [state.local, state.session, state.granted, state.scripts, state.windows, state.tabs, state.alarms]) area.clear()
  state.sentToTabs.length = 0
  state.injected.length = 0
  state.badge = ''
}

const storageArea = (area: Area) => ({
  get: async (keys: string | null) => structuredClone(Object.fromEntries(keys === null ? area : [...area].filter(([key]) => key === keys))),
  set: async (items: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(items)) area.set(key, structuredClone(value))
  },
  clear: async () => area.clear(),
})

const event = () => ({ addListener: () => undefined })

const fakeBrowser = {
  storage: { local: storageArea(state.local), session: storageArea(state.session) },
  runtime: {
    id: EXTENSION_ID,
    getURL: (path: string) => `${OWN_ORIGIN}/${path}`,
    onMessage: event(),
    onInstalled: event(),
    onStartup: event(),
  },
  permissions: {
    contains: async ({ origins }: { origins: string[] }) => origins.every((origin) => state.granted.has(origin)),
    remove: async ({ origins }: { origins: string[] }) => origins.map((origin) => state.granted.delete(origin)).every(Boolean),
    onAdded: event(),
    onRemoved: event(),
  },
  scripting: {
    getRegisteredContentScripts: async ({ ids }: { ids: string[] }) => [...state.scripts.values()].filter(({ id }) => ids.includes(id)),
    registerContentScripts: async (scripts: { id: string; matches: string[] }[]) => {
      for (const script of scripts) state.scripts.set(script.id, script)
    },
    unregisterContentScripts: async ({ ids }: { ids: string[] }) => {
      for (const id of ids) state.scripts.delete(id)
    },
    executeScript: async ({ target, files }: { target: { tabId: number }; files: string[] }) => {
      state.injected.push({ tabId: target.tabId, files })
      return []
    },
  },
  windows: {
    create: async ({ url }: { url: string }) => {
      const id = state.nextWindow++
      state.windows.set(id, { url })
      return { id }
    },
    remove: async (id: number) => void state.windows.delete(id),
    update: async () => undefined,
    onRemoved: event(),
  },
  tabs: {
    get: async (id: number) => state.tabs.get(id) ?? Promise.reject(new Error(`No tab with id: ${id}`)),
    sendMessage: async (tabId: number, message: unknown, options: unknown) => void state.sentToTabs.push({ tabId, message, options }),
    onRemoved: event(),
  },
  action: {
    setBadgeText: async ({ text }: { text: string }) => {
      state.badge = text
    },
    setBadgeBackgroundColor: async () => undefined,
  },
  alarms: {
    get: async (name: string) => (state.alarms.has(name) ? { name } : undefined),
    create: async (name: string) => void state.alarms.add(name),
    onAlarm: event(),
  },
  identity: { getRedirectURL: (path: string) => `https://${EXTENSION_ID}.chromiumapp.org/${path}` },
  i18n: { getMessage: (key: string) => (key === 'lang' ? 'en' : '') },
}

/** What the browser says about a message from our content script in this page. */
export const fromPage = (origin: string, more: Record<string, unknown> = {}): Runtime.MessageSender =>
  ({
    id: EXTENSION_ID,
    origin,
    url: `${origin}/`,
    frameId: 0,
    documentId: 'document-1',
    documentLifecycle: 'active',
    tab: { id: 7 },
    ...more,
  }) as unknown as Runtime.MessageSender

/** What the browser says about a message from one of the wallet's own pages. */
export const fromOwnPage = (): Runtime.MessageSender =>
  ({
    id: EXTENSION_ID,
    origin: OWN_ORIGIN,
    url: `${OWN_ORIGIN}/dashboard.html`,
    frameId: 0,
    tab: { id: 8 },
  }) as unknown as Runtime.MessageSender

// biome-ignore lint/style/noDefaultExport: it stands for a package that has one.
export default fakeBrowser

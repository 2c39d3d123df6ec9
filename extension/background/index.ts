// Entry of the background worker: every listener is registered here, synchronously and at the top, because the browser starts the worker
// for an event and delivers it only to listeners of the first turn. No logic.
import browser, { type Runtime } from 'webextension-polyfill'
import { isApproved } from '../wallet/connections.ts'
import { forgetProofs } from '../wallet/credentials.ts'
import { approve, intend, onGranted, reconcile, unapprove } from './approve.ts'
import { beginConnect, finishConnect, leave } from './connect.ts'
import { POLL, poll, schedule } from './notify.ts'
import { consentOf } from './present.ts'
import { asking, decide, letAsk, requests } from './requests.ts'
import { makeRouter } from './router.ts'
import { activity, disconnect, live, services, share, sharing, stop, stopAll } from './sharing.ts'
import { answer, onPageRequest, onTabClosed, onWindowClosed, resume, visitBy } from './visits.ts'
import { erase, proofs, saveSettings, wallet } from './wallet.ts'

const look = async (visit: string): Promise<null> => {
  const { window_id } = await visitBy(visit)
  if (window_id !== undefined) await browser.windows.update(window_id, { focused: true })
  return null
}

const route = makeRouter({
  isApproved,
  page: onPageRequest,
  own: {
    wallet,
    connect: ({ address }) => beginConnect(address),
    connected: ({ flow, redirect }) => finishConnect(flow, redirect),
    leave: ({ issuer }) => leave(issuer),
    sharing,
    share: ({ issuer, request }) => share(issuer, request),
    stop: ({ issuer, policy_id }) => stop(issuer, policy_id),
    'stop-all': ({ issuer, resource_id }) => stopAll(issuer, resource_id),
    activity: ({ before, limit }) => activity(before ?? {}, limit),
    services,
    requests,
    decide: ({ issuer, request_id, decision }) => decide(issuer, request_id, decision),
    asking,
    'let-ask': ({ issuer, lets_people_ask }) => letAsk(issuer, lets_people_ask),
    disconnect: ({ issuer, connection_id }) => disconnect(issuer, connection_id),
    live: ({ issuer }) => live(issuer),
    proofs,
    forget: ({ issuer, email }) => forgetProofs(issuer, email),
    consent: async ({ visit }) => consentOf(await visitBy(visit)),
    answer: ({ visit, email }) => answer(visit, email),
    look: ({ visit }) => look(visit),
    approving: async ({ origin, tab_id }) => {
      await intend(origin, tab_id)
      return null
    },
    approve: ({ origin, tab_id }) => approve(origin, tab_id),
    unapprove: ({ origin }) => unapprove(origin),
    settings: ({ language }) => saveSettings(language),
    erase,
  },
})

/** Events have nobody to answer to: a failure goes to the console of the worker. */
const quietly = (work: Promise<unknown>): void => void work.catch((error: unknown) => console.error(error))

browser.runtime.onMessage.addListener((message: unknown, sender: Runtime.MessageSender) => route(message, sender))
browser.runtime.onInstalled.addListener(() => quietly(Promise.all([schedule(), reconcile()])))
browser.runtime.onStartup.addListener(() => quietly(Promise.all([schedule(), reconcile()])))
browser.permissions.onAdded.addListener(() => quietly(onGranted()))
browser.permissions.onRemoved.addListener(() => quietly(reconcile()))
browser.windows.onRemoved.addListener((windowId) => quietly(onWindowClosed(windowId)))
browser.tabs.onRemoved.addListener((tabId) => quietly(onTabClosed(tabId)))
browser.alarms.onAlarm.addListener(({ name }) => {
  if (name === POLL) quietly(poll())
})
quietly(resume())

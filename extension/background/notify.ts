// The quiet look at the servers while no page of the wallet is open: an alarm every few minutes, with ETag, so that the popup has the last
// events at hand, the toolbar counts who asks, and an ended connection shows before it is needed. Sockets are for open pages (EXTENSION 6).
import browser from 'webextension-polyfill'
import { connections } from '../wallet/connections.ts'
import { requests } from './requests.ts'
import { activity } from './sharing.ts'

export const POLL = 'poll'
const MINUTES = 5
/** As many as the popup and the first screen of the dashboard show, so that both find the answer in the cache. */
export const LATEST = 30

export const schedule = async (): Promise<void> => {
  if (!(await browser.alarms.get(POLL))) await browser.alarms.create(POLL, { periodInMinutes: MINUTES })
}

export const poll = async (): Promise<void> => {
  if ((await connections()).some(({ state }) => state === 'connected')) await Promise.all([activity({}, LATEST), requests()])
}

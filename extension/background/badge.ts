// How much waits for the person, as a number on the toolbar button: pages that ask for a proof and people who ask for a thing.
import browser from 'webextension-polyfill'
import { read, type Visit } from '../wallet/storage.ts'

/** Longest time between a page's wish and its end. */
export const VISIT_MS = 10 * 60_000

/** Wishes of pages that are not over. */
export const visits = async (): Promise<Visit[]> => Object.values(await read('visits')).filter(({ at }) => Date.now() - at < VISIT_MS)

/** Counts again and shows the number; none is shown for nothing. */
export const badge = async (): Promise<void> => {
  const pages = (await visits()).filter(({ step }) => step === 'ask').length
  const people = Object.values(await read('asked')).flat()
  const waiting = pages + people.filter(({ expires_at }) => expires_at > Date.now() / 1000).length
  await browser.action.setBadgeBackgroundColor({ color: '#0e5c47' })
  await browser.action.setBadgeText({ text: waiting === 0 ? '' : String(waiting) })
}

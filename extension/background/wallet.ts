// What is in this wallet, and throwing it away: no server is asked here.
import browser from 'webextension-polyfill'
import type { Language, Proofs, Waiting, Wallet } from '../messages.ts'
import { hostOf } from '../origin.ts'
import { approvals, connections } from '../wallet/connections.ts'
import { listProofs } from '../wallet/credentials.ts'
import { eraseDatabase } from '../wallet/database.ts'
import { eraseStorage, read, update } from '../wallet/storage.ts'
import { unapprove } from './approve.ts'
import { visits } from './badge.ts'
import { leave, serverOf } from './connect.ts'
import { consentOf } from './present.ts'

const waiting = async (): Promise<Waiting[]> => {
  const open = (await visits()).filter(({ kind, step }) => kind === 'present' && step === 'ask')
  const asked = await Promise.allSettled(open.map(consentOf))
  return open.map(({ id, origin, at }, index) => {
    const consent = asked[index]
    return { visit: id, host: hostOf(origin), client_name: consent?.status === 'fulfilled' ? consent.value.client_name : '', at }
  })
}

export const wallet = async (): Promise<Wallet> => ({
  servers: await Promise.all((await connections()).map(serverOf)),
  approved: await approvals(),
  waiting: await waiting(),
  language: (await read('settings')).language,
})

export const proofs = async (): Promise<Proofs> => ({ proofs: await listProofs(Date.now() / 1000), shown: await read('shown') })

export const saveSettings = async (language: Language | undefined): Promise<null> => {
  await update('settings', (settings) => {
    if (language === undefined) delete settings.language
    else settings.language = language
  })
  return null
}

/** Leaves every server, takes back every permission, deletes all keys and data. */
export const erase = async (): Promise<null> => {
  for (const { issuer } of await connections()) await leave(issuer)
  for (const origin of await approvals()) await unapprove(origin)
  const { origins = [] } = await browser.permissions.getAll()
  if (origins.length > 0) await browser.permissions.remove({ origins }).catch(() => undefined)
  await eraseStorage()
  await eraseDatabase()
  await browser.action.setBadgeText({ text: '' })
  return null
}

// `npm run restore -- <folder> [state]`: puts a backup in place of what a stopped server and vault of this machine had stored.
import { join, resolve } from 'node:path'
import { restoreBackup } from '../support/backup.ts'
import { isListening } from '../support/runtime.ts'
import { ROOT } from './build.ts'

const [from, given] = process.argv.slice(2)
const state = given === undefined ? join(ROOT, process.env.LATCHKEY_STATE ?? '.latchkey') : resolve(given)

try {
  if (from === undefined) throw new Error('Say from where: npm run restore -- <backup folder>')
  if (given === undefined && (await isListening(8787))) throw new Error('Stop the server first (Ctrl-C where npm start runs).')
  const { taken_at, owners, held, groups, issuers, aside } = restoreBackup(resolve(from), state, Math.floor(Date.now() / 1000))
  console.log(`Restored what was there on ${new Date(taken_at * 1000).toISOString()}: ${owners} owners.`)
  console.log(
    `${held} shares wait for their owners: nobody knows here which of them were stopped since. Services, wallets and passkeys connect anew.`,
  )
  console.log(
    `${groups} groups are empty until their owners bring their people back, counted uses are used up, and ${issuers} issuers have to be trusted anew.`,
  )
  console.log('Block again at /admin which apps were blocked since.')
  if (aside !== undefined) console.log(`What was there before lies in ${aside}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

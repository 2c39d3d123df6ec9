// `npm run backup -- <folder> [state]`: copies all that a server and a vault of this machine store into a new folder, while they run.
import { join, resolve } from 'node:path'
import { takeBackup } from '../support/backup.ts'
import { ROOT } from './build.ts'

const [to, given] = process.argv.slice(2)
const state = given === undefined ? join(ROOT, process.env.LATCHKEY_STATE ?? '.latchkey') : resolve(given)

try {
  if (to === undefined) throw new Error('Say where to: npm run backup -- <new folder>')
  const { files } = takeBackup(state, resolve(to), Math.floor(Date.now() / 1000))
  console.log(`${Object.keys(files).length} files in ${resolve(to)}. Private keys are among them: keep it where only you can read it.`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

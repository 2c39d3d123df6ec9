// `npm run rotate-keys -- [--url <server>] --address <operator>`: makes new keys. Signs in with a code by mail, as the operator would on the
// page /admin, and presses the button there. Without --url the server of `npm start`, whose mail is read from its folder.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { openMailbox } from '../support/mailbox.ts'
import { noticeOf, openAdmin, type ReadCode } from '../support/operator.ts'
import { codeIn } from '../support/owner-actor.ts'
import { ROOT } from './build.ts'

const LOCAL = 'http://localhost:8787'
const { values } = parseArgs({ options: { url: { type: 'string' }, address: { type: 'string' } } })
const origin = (values.url ?? LOCAL).replace(/\/$/, '')
const address = values.address
if (address === undefined || !URL.canParse(origin)) {
  console.error('npm run rotate-keys -- [--url <server>] --address <operator>')
  process.exit(2)
}

const ask: ReadCode = async () => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await terminal.question(`The code that was mailed to ${address}: `)).trim()
  } finally {
    terminal.close()
  }
}

/** Of the server that `npm start` runs; another one's mail is not here. */
const localCode = (): ReadCode | undefined => {
  const folder = join(ROOT, process.env.LATCHKEY_STATE ?? '.latchkey', 'mail')
  if (values.url !== undefined || !existsSync(folder)) return undefined
  const mailbox = openMailbox(folder)
  const seen = mailbox.to(address).length
  return async () => codeIn(await mailbox.next(address, seen))
}

try {
  const { browser, page, recoveryCode } = await openAdmin(origin, address, localCode() ?? ask)
  if (recoveryCode !== undefined) console.log(`This was your first time here. Write your recovery code down: ${recoveryCode}`)
  console.log(noticeOf(await browser.send(page, '/admin/rotate-keys')))
  process.exit(0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

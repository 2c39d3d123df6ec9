// `npm run conformance -- --url <issuer> ...`: the conformance suite against a server that runs somewhere. Without --url it starts one of
// our own, with a mailbox and a clock that can be read and moved over HTTP, and is about that one.
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conformance } from '../conformance/main.ts'
import { startAs } from '../support/story.ts'
import { build } from './build.ts'
import { serveMailbox } from './mailbox-page.ts'

const againstOurOwn = async (words: readonly string[]): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-conformance-'))
  await build(['as'])
  const as = await startAs({ folder, wrap: true })
  const mail = await serveMailbox(as.mailbox, 0)
  try {
    const mailbox = `http://127.0.0.1:${(mail.address() as AddressInfo).port}/mail.json`
    return await conformance(['--url', as.origin, '--mailbox', mailbox, '--clock', `${as.origin}/__test/clock`, ...words])
  } finally {
    mail.close()
    await as.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const words = process.argv.slice(2)
let code = 2
try {
  code = await (words.includes('--url') ? conformance(words) : againstOurOwn(words))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
}
process.exit(code)

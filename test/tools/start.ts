// `npm start`: everything on this machine. Builds, migrates, runs the authorization server and the vault, each in its own runtime with
// its own state, and shows outgoing mail on a page. Ctrl-C stops all of it; what was stored is there next time.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseEnv } from 'node:util'
import { openMailbox } from '../support/mailbox.ts'
import { isListening } from '../support/runtime.ts'
import { type Both, startBoth } from '../support/story.ts'
import { BUILD, build, ROOT } from './build.ts'
import { serveMailbox } from './mailbox-page.ts'

const PORTS = { as: 8787, vault: 8788, mail: 8789 } as const
const folder = join(ROOT, process.env.LATCHKEY_STATE ?? '.latchkey')

const fail = (sentence: string): never => {
  console.error(sentence)
  process.exit(1)
}

const busyPort = async (): Promise<number | undefined> => {
  for (const port of Object.values(PORTS)) if (await isListening(port)) return port
  return undefined
}

/** A developer's own settings (PEPPER, OPERATOR ...), as `wrangler dev` would read them. */
const ownVars = (path: string): Record<string, string | undefined> => (existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {})

const start = (): Promise<Both> =>
  startBoth({
    folder,
    asPort: PORTS.as,
    vaultPort: PORTS.vault,
    asVars: ownVars(join(ROOT, '.dev.vars')),
    vaultVars: ownVars(join(ROOT, 'worker/vault/.dev.vars')),
    onLog: (worker, level, message) => {
      if (level === 'error' || level === 'warn') console.error(`[${worker}] ${message}`)
    },
    onCrash: (worker) => console.error(`[${worker}] The runtime ended unexpectedly and was started again.`),
  })

const busy = await busyPort()
if (busy !== undefined)
  fail(`Port ${busy} on 127.0.0.1 is taken by another program (or by an earlier npm start), so Latchkey cannot start.`)

let both: Both | undefined
let isStopping = false
const stop = async (): Promise<void> => {
  if (isStopping) return
  isStopping = true
  await both?.stop()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())

try {
  await build()
  both = await start()
  await serveMailbox(openMailbox(join(folder, 'mail')), PORTS.mail)
} catch (error) {
  await both?.stop()
  fail(error instanceof Error ? error.message : String(error))
}

console.log(`
Latchkey runs. Begin here:

  1. Sign in at your server    http://localhost:${PORTS.as}/
  2. Put a file into the vault http://127.0.0.1:${PORTS.vault}/
  3. Codes and other mail      http://127.0.0.1:${PORTS.mail}/

  Wallet for Chromium: open chrome://extensions, switch on developer mode, "Load unpacked", and choose
  ${join(BUILD, 'extension/chrome')}

State is kept in ${relative(ROOT, folder) || '.'}/. Ctrl-C stops everything.`)

// The conformance suite against a server of our own that runs in workerd: what the suite is told on the command line, and a mailbox and a
// clock that it can use over HTTP.
import type { AddressInfo } from 'node:net'
import { serveMailbox } from '../tools/mailbox-page.ts'
import type { Running } from './runtime.ts'

export type Served = { options: Readonly<Record<'url' | 'mailbox' | 'clock', string>>; stop: () => void }

/** Serves the mailbox of a wrapped server; answers what the profile wants to know. The caller stops both. */
export const serveForConformance = async (as: Running): Promise<Served> => {
  const server = await serveMailbox(as.mailbox, 0)
  const { port } = server.address() as AddressInfo
  return {
    options: { url: as.origin, mailbox: `http://127.0.0.1:${port}/mail.json`, clock: `${as.origin}/__test/clock` },
    stop: () => void server.close(),
  }
}

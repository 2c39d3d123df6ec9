// The mailbox folder: what the worker sends through its send_email binding, one JSON file per message. The binding is Miniflare's own
// simulation (it checks senders and recipients); a small worker in front of it also puts the message into the folder before `send`
// answers, so that a reader never has to wait and no message is lost when the runtime dies.
import { EventEmitter, once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Mail = {
  id: string
  at: string
  from: string
  to: string[]
  subject: string
  text: string
  html?: string
  headers?: Record<string, string>
}

/** Source of the worker that is bound in place of send_email. */
export const MAILBOX_WORKER = `
import { WorkerEntrypoint } from 'cloudflare:workers'
export class Outgoing extends WorkerEntrypoint {
  async send(message) {
    const sent = await this.env.MAIL.send(message)
    const answer = await this.env.FOLDER.fetch('http://folder/', { method: 'POST', body: JSON.stringify({ ...message, messageId: sent.messageId }) })
    if (!answer.ok) throw new Error('the mailbox folder cannot be written')
    return sent
  }
}
export default { fetch: () => new Response(null, { status: 404 }) }
`

type Address = string | { email: string; name?: string }
type Outgoing = {
  messageId: string
  from: Address
  to: Address | Address[]
  subject: string
  text?: string
  html?: string
  headers?: Record<string, string>
}

const plain = (address: Address): string => (typeof address === 'string' ? address : address.email)

export type Mailbox = {
  readonly folder: string
  /** Takes a message as the binding got it. */
  accept: (message: Outgoing) => void
  /** All messages, oldest first. */
  all: () => Mail[]
  /** Messages to one address, oldest first. */
  to: (address: string) => Mail[]
  /** The message to this address after the first `seen` ones; waits up to ten seconds for it if it has not come yet. */
  next: (address: string, seen?: number) => Promise<Mail>
}

/** Opens (and makes) a mailbox folder. Messages of earlier runs stay readable. */
export const openMailbox = (folder: string): Mailbox => {
  mkdirSync(folder, { recursive: true })
  const arrivals = new EventEmitter().setMaxListeners(0)
  let count = 0
  // A message never changes: each file is read once.
  const known = new Map<string, Mail>()
  const read = (name: string): Mail => {
    const mail = known.get(name) ?? (JSON.parse(readFileSync(join(folder, name), 'utf8')) as Mail)
    known.set(name, mail)
    return mail
  }
  const all = (): Mail[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map(read)
  const to = (address: string): Mail[] => all().filter((mail) => mail.to.some((one) => one.toLowerCase() === address.toLowerCase()))
  return {
    folder,
    all,
    to,
    accept: (message) => {
      const at = new Date().toISOString()
      const id = `${at.replace(/[:.]/g, '-')}-${String(count++).padStart(4, '0')}-${process.pid}`
      const mail: Mail = {
        id,
        at,
        from: plain(message.from),
        to: (Array.isArray(message.to) ? message.to : [message.to]).map(plain),
        subject: message.subject,
        text: message.text ?? '',
        ...(message.html !== undefined && { html: message.html }),
        ...(message.headers !== undefined && { headers: message.headers }),
      }
      // Written beside and moved, so that a reader never sees half a message.
      writeFileSync(join(folder, `.${id}`), JSON.stringify(mail, undefined, 2))
      renameSync(join(folder, `.${id}`), join(folder, `${id}.json`))
      arrivals.emit('mail')
    },
    next: async (address, seen = 0) => {
      for (;;) {
        const mail = to(address)[seen]
        if (mail) return mail
        await once(arrivals, 'mail', { signal: AbortSignal.timeout(10_000) })
      }
    },
  }
}

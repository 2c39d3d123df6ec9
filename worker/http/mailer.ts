// Outgoing mail: Cloudflare's send_email binding, or nothing. Says whether the mail was taken; never throws, never logs an address.
import { countMail } from './meter.ts'

export type Mail = { to: string; subject: string; text: string }
/** `absent`: no binding is configured; `failed`: the provider refused or did not answer. */
export type Mailer = { send(mail: Mail): Promise<'sent' | 'absent' | 'failed'> }

/** Sends plain text from MAIL_FROM through the MAIL binding. */
export function mailerOf(env: Pick<Env, 'MAIL' | 'MAIL_FROM'>): Mailer {
  return {
    async send(mail) {
      if (env.MAIL === undefined) return 'absent'
      try {
        await env.MAIL.send({ from: env.MAIL_FROM, to: mail.to, subject: mail.subject, text: mail.text })
        countMail(true)
        return 'sent'
      } catch {
        countMail(false)
        return 'failed' // the reason may hold the address: it goes nowhere
      }
    },
  }
}

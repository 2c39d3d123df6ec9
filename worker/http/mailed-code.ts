// A code by mail: the step that signing in and the claims page have in common (CLAIMS 7). Stands on this floor because both need it.
// Mail is sent to every well-formed address within the limits, whether or not the server knows it: the answer tells nobody anything.
import { claimValue, domainOf } from '../claims/address.ts'
import { domainValue } from '../claims/types.ts'
import type { CodeTried } from '../objects/negotiation.ts'
import type { Evidence } from '../policy/evidence.ts'
import { type AppContext, seconds } from './context.ts'
import { networkOf, waitFor } from './limits.ts'
import { type CodeMail, codeMail } from './mail-texts.ts'

/** Life of a code in seconds, and in the words of pages and mails. */
const CODE_LIFETIME = 600
export const CODE_MINUTES = CODE_LIFETIME / 60
/** How long a mailed code counts as evidence, in seconds. */
const EVIDENCE_LIFETIME = 86_400

/** A claims interaction or a sign-in: the id of its negotiation object, and when it is over (seconds). */
export type CodeSession = { sid: string; until: number; use: CodeMail['use']; clientId?: string }

export type CodeSent =
  /** Sent, or silently not sent because this address has had too many: both look the same from outside. */
  | { kind: 'sent'; resent: boolean }
  /** Too many of this session, network or app, for so many seconds; says nothing about any address. */
  | { kind: 'too_many'; wait: number }
  | { kind: 'over' }
  | { kind: 'mail_failed' }

/** The object of a session; `sid` was made by `newUniqueId` and read from a sealed cookie. */
export const negotiationObject = (env: Env, sid: string) => env.NEGOTIATION.get(env.NEGOTIATION.idFromString(sid))

/** Mails a fresh code to a canonical address. The session's code of before no longer works. */
export async function sendCode(c: AppContext, session: CodeSession, address: string): Promise<CodeSent> {
  const { deps } = c.var
  const network = networkOf(c.req.header('cf-connecting-ip'))
  const wait =
    (network === undefined ? undefined : await waitFor(c, 'network', network)) ??
    (session.clientId === undefined ? undefined : await waitFor(c, 'client', session.clientId))
  if (wait !== undefined) return { kind: 'too_many', wait }
  const digits = randomDigits()
  const made = await negotiationObject(c.env, session.sid).newCode({
    mac: await codeMac(c, session.sid, address, digits),
    exp: seconds(deps) + CODE_LIFETIME,
    until: session.until,
  })
  // This session has had its codes: another begins when it is over, if not before.
  if (made.kind === 'too_many') return { kind: 'too_many', wait: Math.max(1, session.until - seconds(deps)) }
  if (made.kind !== 'ok') return made
  const { resent } = made
  // CLAIMS 11 #13: beyond the limit of an address nothing is sent and nothing looks different.
  if ((await waitFor(c, 'address', address)) !== undefined) return { kind: 'sent', resent }
  const code = `${digits.slice(0, 3)} ${digits.slice(3)}`
  const mail = codeMail(c.var.lang, { code, origin: deps.issuer, minutes: CODE_MINUTES, use: session.use })
  return (await deps.mailer.send({ to: address, ...mail })) === 'sent' ? { kind: 'sent', resent } : { kind: 'mail_failed' }
}

/** One try of what the person typed. Text that is no code is wrong without counting. `evidence` stays in the session if it was right. */
export async function tryCode(c: AppContext, sid: string, address: string, typed: string, evidence?: Evidence): Promise<CodeTried> {
  const digits = typed.replace(/[\s-]/g, '')
  if (!/^\d{6}$/.test(digits)) return { kind: 'wrong' }
  return negotiationObject(c.env, sid).tryCode({
    mac: await codeMac(c, sid, address, digits),
    now: seconds(c.var.deps),
    ...(evidence === undefined ? {} : { evidence }),
  })
}

/** What a right code for a canonical address shows. */
export async function codeEvidence(c: AppContext, address: string): Promise<Evidence> {
  const { deps } = c.var
  const now = seconds(deps)
  return {
    claim: 'email',
    value: await claimValue(deps.keyring, address),
    domain: await domainValue(deps.keyring, domainOf(address)),
    iss: deps.issuer,
    method: 'email-code',
    controlled_at: now,
    presented_at: now,
    exp: now + EVIDENCE_LIFETIME,
  }
}

// Bound to session and address: a code is worth nothing in another browser or for another mailbox.
const codeMac = (c: AppContext, sid: string, address: string, digits: string): Promise<string> =>
  c.var.deps.keyring.mac('mailed-code', `${sid}\0${address}\0${digits}`)

function randomDigits(): string {
  // 64 random bits: the remainder is uniform but for 10^-13.
  const [number = 0n] = crypto.getRandomValues(new BigUint64Array(1))
  return String(number % 1_000_000n).padStart(6, '0')
}

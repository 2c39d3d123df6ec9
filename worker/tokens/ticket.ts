// Permission tickets: sealed, so that issuing one stores nothing (UMA Grant 5.5 leaves the format free).
// Single use is not decided here: the owner's object spends the `jti` (worker/objects/owner.ts).
import { afterRound, BEGINNING } from '../negotiation/rounds.ts'
import { isProgress, withShown } from '../negotiation/shown.ts'
import type { Evidence } from '../policy/evidence.ts'
import type { Keyring } from './keyring.ts'
import { randomSecret } from './opaque.ts'

/** Lifetime of a fresh ticket, in seconds. */
export const TICKET_LIFETIME = 600
/**
 * Characters of the longest ticket that is issued. It travels in a header (UMA Grant 3.2.1) and grows with what is shown: renewed with
 * sixteen facts it stays below what clients accept (8192, shared/protocol/uma-grant.ts).
 */
export const MAX_TICKET = 5500
/** Characters of the longest ticket that is renewed. */
const MAX_RENEWED = 8000

export type Ticket = {
  owner: string
  /** The resource server's connection, to which the resources belong, and its client id. */
  connection: string
  service: string
  /** What the resource server asked for (UMA FedAuthz 4.1). */
  permissions: { resource_id: string; resource_scopes: string[] }[]
  /** Seconds since 1970. */
  exp: number
  jti: string
  /** How often it was renewed in this process; and how often without anything new (worker/negotiation/rounds.ts). */
  generation: number
  idle: number
  /** The first client that presented it, and its DPoP key (SPECS G-27). */
  client?: string
  jkt?: string
  evidence: Evidence[]
  /** Claim value of the proof that the guest lets this client skip from now on (UMA Grant 3.3.3). */
  remember?: string
  /** The request about which the client polls (UMA Grant 3.3.6). */
  request?: string
  /** Hash of the RPT that the client sent along: the claims page tells what is missing beside what that rests on. */
  rpt?: string
  /** What the requesting party wants it for, as the client said. */
  purpose?: string
  /** Policy MACs of the link secrets that were shown. */
  links?: readonly string[]
  /** Organisations that the owner has joined: their rules know people by MACs of their own. */
  organisations?: readonly string[]
  /** What the resource server said of the access when it asked for the ticket. */
  context?: Readonly<Record<string, string | number | boolean>>
}

/** A fresh ticket text for the permission endpoint (UMA FedAuthz 4.2). `now` in seconds. */
export function issueTicket(
  keyring: Keyring,
  ticket: Pick<Ticket, 'owner' | 'connection' | 'service' | 'permissions' | 'context' | 'organisations'>,
  now: number,
): Promise<string> {
  return keyring.seal('ticket', { ...ticket, exp: now + TICKET_LIFETIME, jti: randomSecret(16), ...BEGINNING, evidence: [] })
}

/**
 * The next ticket of the same process, never seen before (UMA Grant 3.3.6, 3.3.3). `changes` may bind a client or add evidence
 * (worker/negotiation/shown.ts); `isNew`: something else came that was not there. What would make the ticket too long for clients goes,
 * oldest first: it is asked for again.
 */
export async function renewTicket(
  keyring: Keyring,
  ticket: Ticket,
  {
    isNew = false,
    ...changes
  }: Partial<Pick<Ticket, 'client' | 'jkt' | 'evidence' | 'remember' | 'request' | 'rpt'>> & { isNew?: boolean },
  now: number,
): Promise<string> {
  const evidence = changes.evidence ?? []
  const all = withShown(ticket.evidence, evidence)
  const round = { isNew: isNew || isProgress(ticket.evidence, evidence), isPoll: changes.request !== undefined }
  const next = {
    ...ticket,
    ...changes,
    ...afterRound(ticket, round),
    exp: now + TICKET_LIFETIME,
    jti: randomSecret(16),
  }
  for (let from = 0; ; from++) {
    const text = await keyring.seal('ticket', { ...next, evidence: all.slice(from) } satisfies Ticket)
    if (text.length <= MAX_RENEWED || from >= all.length) return text
  }
}

/** Opens a ticket of this server; undefined if it is none or has expired. Does NOT check that it is unspent, nor the client. */
export async function openTicket(keyring: Keyring, text: string, now: number): Promise<Ticket | undefined> {
  const ticket = (await keyring.open('ticket', text)) as Ticket | undefined
  return ticket !== undefined && ticket.exp > now ? ticket : undefined
}

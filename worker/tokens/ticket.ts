// Permission tickets: sealed, so that issuing one stores nothing (UMA Grant 5.5 leaves the format free).
// Single use is not decided here: the owner's object spends the `jti` (worker/objects/owner.ts).
import type { Evidence } from '../policy/evidence.ts'
import type { Keyring } from './keyring.ts'
import { randomSecret } from './opaque.ts'

/** Lifetime of a fresh ticket, in seconds. */
export const TICKET_LIFETIME = 600
/**
 * Characters of the longest ticket that is issued. It travels in a header (UMA Grant 3.2.1) and grows with what is shown: renewed with
 * eight evidences it stays below what clients accept (8192, shared/protocol/uma-grant.ts).
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
  /** How often it was renewed in this process; and how often without any new evidence. */
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
  /** What the requesting party wants it for, as the client said. */
  purpose?: string
  /** Policy MACs of the link secrets that were shown. */
  links?: readonly string[]
  /** What the resource server said of the access when it asked for the ticket. */
  context?: Readonly<Record<string, string | number | boolean>>
}

/** A fresh ticket text for the permission endpoint (UMA FedAuthz 4.2). `now` in seconds. */
export function issueTicket(
  keyring: Keyring,
  ticket: Pick<Ticket, 'owner' | 'connection' | 'service' | 'permissions' | 'context'>,
  now: number,
): Promise<string> {
  return keyring.seal('ticket', { ...ticket, exp: now + TICKET_LIFETIME, jti: randomSecret(16), generation: 0, idle: 0, evidence: [] })
}

/**
 * The next ticket of the same process, never seen before (UMA Grant 3.3.6, 3.3.3). `changes` may bind a client or add evidence;
 * at most eight evidences are kept, the newest of a claim and issuer and value wins, and of what a registered issuer says of a claim the
 * newest alone. What would make the ticket too long for clients goes, oldest first: it is asked for again.
 */
export async function renewTicket(
  keyring: Keyring,
  ticket: Ticket,
  changes: Partial<Pick<Ticket, 'client' | 'jkt' | 'evidence' | 'remember' | 'request'>>,
  now: number,
): Promise<string> {
  const evidence = changes.evidence ?? []
  const isPoll = changes.request !== undefined
  const kept = ticket.evidence.filter((old) => !evidence.some((one) => replaces(one, old)))
  const all = [...kept, ...evidence].slice(-8)
  const next = {
    ...ticket,
    ...changes,
    // Polling goes on for days; it is bounded by the request and not by rounds.
    generation: ticket.generation + (isPoll ? 0 : 1),
    idle: evidence.length > 0 ? 0 : ticket.idle + (isPoll ? 0 : 1),
    exp: now + TICKET_LIFETIME,
    jti: randomSecret(16),
  }
  for (let from = 0; ; from++) {
    const text = await keyring.seal('ticket', { ...next, evidence: all.slice(from) } satisfies Ticket)
    if (text.length <= MAX_RENEWED || from >= all.length) return text
  }
}

const replaces = (one: Evidence, old: Evidence): boolean =>
  one.claim === old.claim && one.iss === old.iss && (one.value === old.value || one.trust !== undefined)

/** Opens a ticket of this server; undefined if it is none or has expired. Does NOT check that it is unspent, nor the client. */
export async function openTicket(keyring: Keyring, text: string, now: number): Promise<Ticket | undefined> {
  const ticket = (await keyring.open('ticket', text)) as Ticket | undefined
  return ticket !== undefined && ticket.exp > now ? ticket : undefined
}

// Persisted claims tokens (UMA Grant 3.3.1, 3.3.3, 5.2): a guest let a client skip the question. What they stand for is the guest's object's;
// the token names it sealed and reveals nothing. One that is unknown, foreign or over counts as absent (SPECS G-76).
import { guestName, policyMac } from '../claims/address.ts'
import { type Call, guestObject, seconds } from '../http/context.ts'
import type { PctHolder } from '../objects/guest.ts'
import type { Evidence } from '../policy/evidence.ts'
import { mintToken, randomSecret, readToken } from '../tokens/opaque.ts'
import type { Ticket } from '../tokens/ticket.ts'

export type UsedPct =
  | { kind: 'none' }
  /** A token of this server that is no good here. */
  | { kind: 'refused'; hash: string }
  /** `token` follows the one that was used. */
  | { kind: 'used'; evidence: Evidence; token: string; kept: Kept; undo: () => Promise<void> }
/** As the owner's object may have to name a token to the guest's object that keeps it. */
export type Kept = { hash: string; guest: string }
/** A token that nobody keeps yet, and what it is to stand for. */
export type NextPct = { token: string; kept: Kept; shown: Evidence }

/** What a client's `pct` shows, and the token that follows it: one question to the guest's object. `shown`: what was shown otherwise. */
export async function usePct(
  call: Call,
  text: string | undefined,
  holder: PctHolder,
  { owner, shown }: { owner: string; shown: readonly Evidence[] },
): Promise<UsedPct> {
  const { deps } = call
  const pct = text === undefined ? undefined : await readToken(deps.keyring, text)
  // UMA Grant 5.1, 5.2: somebody else sits at the client than the one who gave leave; what was shown now counts alone.
  if (pct?.kind !== 'c' || shown.some((one) => one.claim === 'email' && one.value !== pct.owner)) return { kind: 'none' }
  const value = pct.owner
  const now = seconds(deps)
  const [guest, next, mac, name] = await Promise.all([
    guestObject(call.deps, value),
    mintToken(deps.keyring, 'c', value),
    policyMac(deps.keyring, owner, value),
    guestName(deps.keyring, value),
  ])
  const found = await guest.present({ ...holder, hash: pct.hash, next: next.hash, owner, mac, now })
  if (found.kind === 'unknown') return { kind: 'refused', hash: pct.hash }
  // UMA Grant 6.1: the owner sees that nobody was asked this time.
  const evidence: Evidence = { ...found.evidence, method: 'pct' }
  const kept = { hash: next.hash, guest: name }
  return { kind: 'used', evidence, token: next.token, kept, undo: async () => guest.keep({ next: next.hash, now }) }
}

/** A first token after a guest's consent, not kept yet; undefined if there was none. */
export async function nextPct(call: Call, ticket: Ticket, evidence: readonly Evidence[]): Promise<NextPct | undefined> {
  if (ticket.remember === undefined) return undefined
  // What an issuer said of the guest is not remembered: only what the guest proved here, in person, and gave leave for.
  const shown = evidence.find((one) => one.value === ticket.remember && one.trust === undefined)
  if (shown === undefined) return undefined
  const { keyring } = call.deps
  const [{ token, hash }, guest] = await Promise.all([mintToken(keyring, 'c', shown.value), guestName(keyring, shown.value)])
  return { token, kept: { hash, guest }, shown }
}

/** Keeps a first token; undefined if it cannot be kept now, or leave was taken back, which costs the guest a question and nothing else. */
export async function issuePct(call: Call, { owner }: Ticket, next: NextPct, holder: PctHolder): Promise<string | undefined> {
  const { deps } = call
  const { token, kept, shown } = next
  try {
    const [guest, mac] = await Promise.all([guestObject(deps, shown.value), policyMac(deps.keyring, owner, shown.value)])
    const isKept = await guest.issue({ ...holder, id: randomSecret(12), hash: kept.hash, evidence: shown, owner, mac, now: seconds(deps) })
    return isKept ? token : undefined
  } catch {
    return undefined // the grant stands all the same
  }
}

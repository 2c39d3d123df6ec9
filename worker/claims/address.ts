// E-mail addresses: the one canonical form, and the keyed hashes under which an address is known at rest (CLAIMS 5.6).
// Two spellings of one mailbox give one form; dots and plus tags are kept, because only the mailbox's own server knows what they mean.
import type { Hashing } from './keys.ts'

const MAX_ADDRESS = 254
const MAX_LOCAL = 64
const encoder = new TextEncoder()

// RFC 5322 3.2.3 dot-atom, RFC 6531 3.3 non-ASCII letters. No quoted local part: it would let "a@b"@c look like somebody else's address.
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u
// Controls, direction marks, zero-width and every kind of space: they hide what an address says, and split mail headers.
const INVISIBLE = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u
// What the URL parser would take as something else than a host.
const NO_HOST = /[\s/?#@:%\\[\]<>^|]/u
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/

/**
 * The canonical form: trimmed, NFC, domain as lower-case A-labels (UTS 46), local part in lower case.
 * Undefined for anything that cannot be a mailbox on the public internet (quoted local parts, IP literals, one-label domains included).
 * Does NOT check that the domain or the mailbox exists.
 */
export function canonicalAddress(text: string): string | undefined {
  if (text.length > 2 * MAX_ADDRESS) return undefined
  const trimmed = text.trim().normalize('NFC')
  const at = trimmed.lastIndexOf('@')
  if (at < 1) return undefined
  const local = trimmed.slice(0, at).toLowerCase().normalize('NFC')
  const domain = asciiDomain(trimmed.slice(at + 1))
  if (domain === undefined || INVISIBLE.test(local) || !LOCAL.test(local)) return undefined
  const octets = encoder.encode(local).byteLength
  return octets <= MAX_LOCAL && octets + 1 + domain.length <= MAX_ADDRESS ? `${local}@${domain}` : undefined
}

function asciiDomain(text: string): string | undefined {
  if (text === '' || NO_HOST.test(text) || INVISIBLE.test(text)) return undefined
  // The URL parser does UTS 46 (non-transitional) and lower case.
  const domain = URL.parse(`http://${text}/`)?.hostname
  return domain !== undefined && DOMAIN.test(domain) ? domain : undefined
}

/** The domain of a canonical address. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

/** For a place that only reminds: "b•••@example.net". */
export const maskedAddress = (address: string): string => `${[...address][0] ?? ''}•••@${domainOf(address)}`

/** What stands for the address in evidence, tickets and grants; the same at every owner. `address` must be canonical. */
export const claimValue = (keyring: Hashing, address: string): Promise<string> => keyring.mac('claim-value', `email\0${address}`)

/** What stands for the address in one owner's rules; made from the claim value, different at every owner. */
export const policyMac = (keyring: Hashing, owner: string, value: string): Promise<string> => keyring.mac('policy', `${owner}\0${value}`)

/** Name of the object of a proven address, by its claim value: a hash whose key never rotates. Worked out once an isolate for those who come often. */
export async function guestName(keyring: Hashing, value: string): Promise<string> {
  const known = names.get(keyring) ?? new Map<string, string>()
  names.set(keyring, known)
  const name = known.get(value) ?? (await keyring.mac('guest', value))
  if (known.size >= 2000) known.clear()
  known.set(value, name)
  return name
}
const names = new WeakMap<Hashing, Map<string, string>>()

/** How an invitation is found by the address that signs in for the first time. `address` must be canonical. */
export const invitationMac = (keyring: Hashing, address: string): Promise<string> => keyring.mac('invitation', address)

/** How an owner is found by the address that signs in. `address` must be canonical. */
export const ownerAddressMac = (keyring: Hashing, address: string): Promise<string> => keyring.mac('owner-address', address)

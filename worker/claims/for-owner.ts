// Evidence as one owner's rules know it: claim values become policy MACs (CLAIMS 5.6), different at every owner.
import type { Evidence, OwnerEvidence } from '../policy/evidence.ts'
import { guestName, policyMac } from './address.ts'
import type { Hashing } from './keys.ts'

/** `organisations`: those that the owner has joined, whose rules know people by MACs of their own. */
export const forOwner = (
  keyring: Hashing,
  owner: string,
  evidence: readonly Evidence[],
  organisations: readonly string[] = [],
): Promise<OwnerEvidence[]> =>
  Promise.all(
    evidence.map(async (one) => {
      const own = await macsAt(keyring, owner, one)
      const also = await Promise.all(organisations.map(async (names) => ({ names, ...(await macsAt(keyring, names, one)) })))
      return {
        ...one,
        policy_mac: own.mac,
        ...(own.domain === undefined ? {} : { policy_domain: own.domain }),
        ...(also.length === 0 ? {} : { also }),
        ...(one.claim === 'email' ? { guest: await guestName(keyring, one.value) } : {}),
      }
    }),
  )

async function macsAt(keyring: Hashing, owner: string, { value, domain }: Evidence): Promise<{ mac: string; domain?: string }> {
  const mac = await macOf(keyring, owner, value)
  return domain === undefined ? { mac } : { mac, domain: await macOf(keyring, owner, domain) }
}

/** A guest comes again and again, and the keys of these hashes never rotate. Bounded, gone with the isolate. */
const REMEMBERED = 2000
const known = new WeakMap<Hashing, Map<string, string>>()

async function macOf(keyring: Hashing, owner: string, value: string): Promise<string> {
  const macs = known.get(keyring) ?? new Map<string, string>()
  known.set(keyring, macs)
  const name = `${owner}\0${value}`
  const before = macs.get(name)
  if (before !== undefined) return before
  const mac = await policyMac(keyring, owner, value)
  if (macs.size >= REMEMBERED) macs.clear()
  macs.set(name, mac)
  return mac
}

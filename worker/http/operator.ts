// Who may see /admin: an owner who has signed in, not long ago, with an address that OPERATORS names. The address is compared as a keyed
// hash, as the record knows it.
import { canonicalAddress, ownerAddressMac } from '../claims/address.ts'
import { ownerById } from '../store/owners.ts'
import { type AppContext, type OwnerSession, seconds } from './context.ts'
import { readSession } from './session.ts'

/** Seconds after which an operator signs in again. */
const OPERATOR_SESSION = 12 * 3600

export type Operator =
  | { kind: 'operator'; session: OwnerSession }
  /** Nobody, or somebody whose sign-in is too long ago. */
  | { kind: 'signed_out'; again: boolean }
  | { kind: 'stranger' }

/** The canonical addresses in a list; what is none is left out. */
export const addressesIn = (list: string | undefined): string[] =>
  (list ?? '')
    .split(/[\s,;]+/)
    .map(canonicalAddress)
    .filter((address) => address !== undefined)

/** Whose browser this is, as far as administration is concerned. */
export async function operatorOf(c: AppContext): Promise<Operator> {
  const { deps } = c.var
  const addresses = addressesIn(c.env.OPERATORS)
  if (addresses.length === 0) return { kind: 'stranger' }
  const session = await readSession(c)
  if (session === undefined) return { kind: 'signed_out', again: false }
  const owner = await ownerById(c.env.DB, session.owner)
  const macs = await Promise.all(addresses.map((address) => ownerAddressMac(deps.keyring, address)))
  if (owner === undefined || !macs.includes(owner.address_mac)) return { kind: 'stranger' }
  return session.since + OPERATOR_SESSION > seconds(deps) ? { kind: 'operator', session } : { kind: 'signed_out', again: true }
}

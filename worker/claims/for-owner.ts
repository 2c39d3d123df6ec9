// Evidence as one owner's rules know it: claim values become policy MACs (CLAIMS 5.6), different at every owner.
import type { Evidence, OwnerEvidence } from '../policy/evidence.ts'
import { policyMac } from './address.ts'
import type { Hashing } from './keys.ts'

export const forOwner = (keyring: Hashing, owner: string, evidence: readonly Evidence[]): Promise<OwnerEvidence[]> =>
  Promise.all(
    evidence.map(async (one) => ({
      ...one,
      policy_mac: await policyMac(keyring, owner, one.value),
      ...(one.domain === undefined ? {} : { policy_domain: await policyMac(keyring, owner, one.domain) }),
    })),
  )

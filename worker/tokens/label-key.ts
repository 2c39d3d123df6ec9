// The owner's label key (P-256, ECDH-ES + A256GCM): labels are sealed to its public half; its private half is only ever kept wrapped.
import { CompactEncrypt, compactDecrypt, importJWK, type JWK } from 'jose'
import type { PersonLabel, RequestLine, ThingLabel } from '../../shared/protocol/owner-api.ts'
import type { GroupLabel, RuleLabel } from '../../shared/protocol/owner-policy.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const PROTECTED = { alg: 'ECDH-ES', enc: 'A256GCM' }

/** Seals a label as compact JWE. */
export async function sealLabel(
  labelPublic: JsonWebKey,
  label: ThingLabel | PersonLabel | RequestLine | RuleLabel | GroupLabel,
): Promise<string> {
  return new CompactEncrypt(encoder.encode(JSON.stringify(label)))
    .setProtectedHeader(PROTECTED)
    .encrypt(await importJWK(labelPublic as JWK, 'ECDH-ES'))
}

/** Opens a label with the private half; undefined if it is not this owner's or not a label. */
export async function openLabel<T extends ThingLabel | PersonLabel | RuleLabel>(
  labelPrivate: JsonWebKey,
  label: string,
): Promise<T | undefined> {
  try {
    const { plaintext } = await compactDecrypt(label, await importJWK(labelPrivate as JWK, 'ECDH-ES'), {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return JSON.parse(decoder.decode(plaintext)) as T
  } catch {
    return undefined // another owner's key, or damaged: the page shows no name
  }
}

/** Wraps the private half for a wallet: compact JWE to the wallet's own public key. */
export async function wrapLabelKey(labelPrivate: JsonWebKey, walletPublic: JsonWebKey): Promise<string> {
  return new CompactEncrypt(encoder.encode(JSON.stringify(labelPrivate)))
    .setProtectedHeader(PROTECTED)
    .encrypt(await importJWK(walletPublic as JWK, 'ECDH-ES'))
}

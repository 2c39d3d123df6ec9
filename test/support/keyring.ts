// A keyring as the Keys object would make it; for tests of pure parts.
import { base64url, exportJWK, generateKeyPair } from 'jose'
import type { StoredKeys } from '../../worker/keys/schedule.ts'
import { type Keyring, keyringFrom } from '../../worker/tokens/keyring.ts'

/** Fresh keys in the form of the first storage version. */
export async function storedKeys(): Promise<StoredKeys> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const random = (bytes: number) => base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))
  const jwk = (await exportJWK(privateKey)) as JsonWebKey
  return { signing: [{ kid: random(9), jwk }], seal: [{ slot: 1, raw: random(32) }], root: random(32) }
}

export const testKeyring = async (): Promise<Keyring> => keyringFrom(await storedKeys(), '')

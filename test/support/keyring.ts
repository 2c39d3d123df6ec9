// A keyring with fresh keys, as the Keys object would make it; for tests of pure parts.
import { base64url, exportJWK, generateKeyPair } from 'jose'
import { type Keyring, keyringFrom } from '../../worker/tokens/keyring.ts'

export async function testKeyring(): Promise<Keyring> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const random = (bytes: number) => base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))
  const jwk = (await exportJWK(privateKey)) as JsonWebKey
  return keyringFrom({ signing: [{ kid: random(9), jwk }], seal: [{ slot: 1, raw: random(32) }], root: random(32) }, '')
}

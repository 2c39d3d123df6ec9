// The Keys object: signing, sealing and hashing keys, made on first use. The only place where private keys are stored.
// One object for the whole deployment; readers cache what it returns (tokens/keyring.ts).
import { DurableObject } from 'cloudflare:workers'
import { base64url } from 'jose'

export type StoredKeys = {
  /** P-256 private keys, oldest first; the last one signs. */
  signing: { kid: string; jwk: JsonWebKey }[]
  /** AES-256 keys, oldest first; the last one seals. `slot` stands in the first byte of what it sealed. */
  seal: { slot: number; raw: string }[]
  /** Root of all keyed hashes; never rotates. */
  root: string
}

export class KeysObject extends DurableObject<Env> {
  #keys: Promise<StoredKeys> | undefined

  /** All keys, made and stored durably before the first answer. */
  async all(): Promise<StoredKeys> {
    this.#keys ??= this.ctx.blockConcurrencyWhile(async () => {
      const stored = this.ctx.storage.kv.get<StoredKeys>('keys')
      if (stored !== undefined) return stored
      const made = await makeKeys()
      this.ctx.storage.kv.put('keys', made)
      await this.ctx.storage.sync()
      return made
    })
    return this.#keys
  }
}

async function makeKeys(): Promise<StoredKeys> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])) as CryptoKeyPair
  const random = (bytes: number) => base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))
  return {
    signing: [{ kid: random(9), jwk: (await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey }],
    seal: [{ slot: 1, raw: random(32) }],
    root: random(32),
  }
}

// The server's keys as this isolate uses them: sealing (AES-GCM), keyed hashes (HMAC), signatures (ES256).
// Private material lives in the Keys object only; here it is cached for a few minutes. Knows nothing of what is sealed or signed.
import { base64url, type JWK } from 'jose'

const CACHE_MS = 5 * 60_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What a sealed text is for; a text sealed for one purpose never opens for another (it is authenticated with it). */
export type SealPurpose =
  | 'ticket'
  | 'ref'
  | 'code'
  | 'claims-session'
  | 'session'
  | 'offer'
  | 'credential-token'
  | 'live'
  | 'names'
  | 'negotiation'
  | 'address'
  | 'csrf'
  | 'passkey'
  | 'nonce'
  | 'consent'
/** Names of the keyed hashes; each has a key of its own, none of them ever rotates. */
export type MacName = 'claim-value' | 'policy' | 'owner-address' | 'subject' | 'mailed-code' | 'limit' | 'csrf'

/** What the Keys object holds. */
export type StoredKeys = {
  /** P-256 private keys, oldest first; the last one signs. */
  signing: { kid: string; jwk: JsonWebKey }[]
  /** AES-256 keys, oldest first; the last one seals. `slot` stands in the first byte of what it sealed. */
  seal: { slot: number; raw: string }[]
  /** Root of all keyed hashes; never rotates. */
  root: string
}

export type SigningKey = { kid: string; privateKey: CryptoKey; publicJwk: JWK }

export type Keyring = {
  /** Seals JSON. Result is base64url; a different text each time. */
  seal(purpose: SealPurpose, value: unknown, context?: string): Promise<string>
  /** Opens what `seal` made for the same purpose and context; undefined for anything else. Does NOT check any expiry inside. */
  open(purpose: SealPurpose, text: string, context?: string): Promise<unknown>
  /** HMAC-SHA-256 as base64url. */
  mac(name: MacName, input: string): Promise<string>
  signing: SigningKey
  /** Public halves, as /jwks publishes them. */
  publicJwks: JWK[]
}

let cached: { at: number; keyring: Promise<Keyring> } | undefined

/** The keyring of this deployment, loaded from the Keys object at most once every few minutes. */
export function keyringOf(env: Pick<Env, 'KEYS' | 'PEPPER'>): Promise<Keyring> {
  const now = Date.now()
  if (cached === undefined || Math.abs(now - cached.at) > CACHE_MS) {
    const keyring = load(env)
    cached = { at: now, keyring }
    keyring.catch(() => {
      cached = undefined // a failed load must not be remembered
    })
  }
  return cached.keyring
}

async function load(env: Pick<Env, 'KEYS' | 'PEPPER'>): Promise<Keyring> {
  // A fresh, short-lived stub; the answer is plain JSON.
  return keyringFrom(await env.KEYS.get(env.KEYS.idFromName('keys')).all(), env.PEPPER ?? '')
}

/** Builds the keyring from stored keys; `pepper` is mixed into the keyed hashes only. */
export async function keyringFrom(stored: StoredKeys, pepper: string): Promise<Keyring> {
  const sealKeys = new Map<number, CryptoKey>()
  for (const key of stored.seal) {
    sealKeys.set(key.slot, await crypto.subtle.importKey('raw', base64url.decode(key.raw), 'AES-GCM', false, ['encrypt', 'decrypt']))
  }
  const currentSlot = stored.seal.at(-1)?.slot ?? 0
  const current = sealKeys.get(currentSlot)
  if (current === undefined || stored.signing.length === 0) throw new Error('the Keys object holds no keys')
  const root = await crypto.subtle.importKey('raw', base64url.decode(stored.root), 'HKDF', false, ['deriveKey'])
  const macKeys = new Map<MacName, Promise<CryptoKey>>()
  const macKey = (name: MacName) => {
    let key = macKeys.get(name)
    if (key === undefined) {
      key = crypto.subtle.deriveKey(
        { name: 'HKDF', hash: 'SHA-256', salt: encoder.encode(pepper), info: encoder.encode(`latchkey mac ${name} v1`) },
        root,
        { name: 'HMAC', hash: 'SHA-256', length: 256 },
        false,
        ['sign'],
      )
      macKeys.set(name, key)
    }
    return key
  }
  const newest = stored.signing.at(-1) as (typeof stored.signing)[number]
  const signing = await importSigningKey(newest)
  return {
    signing,
    publicJwks: stored.signing.map((key) => publicOf(key)),
    async seal(purpose, value, context = '') {
      const nonce = crypto.getRandomValues(new Uint8Array(12))
      const sealed = await crypto.subtle.encrypt(
        { name: 'AES-GCM', iv: nonce, additionalData: encoder.encode(`${purpose}\0${context}`) },
        current,
        encoder.encode(JSON.stringify(value)),
      )
      const out = new Uint8Array(13 + sealed.byteLength)
      out[0] = currentSlot
      out.set(nonce, 1)
      out.set(new Uint8Array(sealed), 13)
      return base64url.encode(out)
    },
    async open(purpose, text, context = '') {
      if (!/^[\w-]{40,16384}$/.test(text)) return undefined
      try {
        const bytes = base64url.decode(text)
        const key = sealKeys.get(bytes[0] ?? -1)
        if (key === undefined) return undefined
        const plain = await crypto.subtle.decrypt(
          { name: 'AES-GCM', iv: bytes.subarray(1, 13), additionalData: encoder.encode(`${purpose}\0${context}`) },
          key,
          bytes.subarray(13),
        )
        return JSON.parse(decoder.decode(plain)) as unknown
      } catch {
        return undefined // forged, truncated, of another purpose or of a key that is gone: all the same to the caller
      }
    },
    async mac(name, input) {
      return base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', await macKey(name), encoder.encode(input))))
    },
  }
}

async function importSigningKey(key: StoredKeys['signing'][number]): Promise<SigningKey> {
  const privateKey = await crypto.subtle.importKey('jwk', key.jwk as JsonWebKey, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  return { kid: key.kid, privateKey, publicJwk: publicOf(key) }
}

function publicOf(key: StoredKeys['signing'][number]): JWK {
  const { kty, crv, x, y } = key.jwk
  return { kty, crv, x, y, kid: key.kid, alg: 'ES256', use: 'sig' } as JWK
}

// The server's keys as this isolate uses them: sealing (AES-GCM), keyed hashes (HMAC), signatures (ES256).
// Private material lives in the Keys object only; here it is cached for a few minutes. Knows nothing of what is sealed or signed.
import { base64url, type JWK } from 'jose'
import { inUse, KEYRING_CACHE, KEYRING_STALE, type StoredKeys, type StoredSigningKey } from '../keys/schedule.ts'

/** Between two reloads because of a key that is not known here, in milliseconds: whoever makes one up costs little. */
const RELOAD_PAUSE = 10_000
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
  | 'guest-session'
/** Names of the keyed hashes; each has a key of its own, none of them ever rotates. */
export type MacName =
  | 'claim-value'
  | 'policy'
  | 'owner-address'
  | 'subject'
  | 'mailed-code'
  | 'limit'
  | 'csrf'
  | 'guest'
  | 'invitation'
  | 'repeat'

export type SigningKey = { kid: string; privateKey: CryptoKey; publicJwk: JWK }

export type Keyring = {
  /** Seals JSON. Result is base64url; a different text each time. */
  seal(purpose: SealPurpose, value: unknown, context?: string): Promise<string>
  /** Opens what `seal` made for the same purpose and context; undefined for anything else. Does NOT check any expiry inside. */
  open(purpose: SealPurpose, text: string, context?: string): Promise<unknown>
  /** Whether a sealed text was sealed with the key that seals now. What is kept for long is sealed anew otherwise. */
  isCurrent(text: string): boolean
  /** HMAC-SHA-256 as base64url. */
  mac(name: MacName, input: string): Promise<string>
  /** The key that signs at this moment; take `kid` and `privateKey` from one reading of it. */
  readonly signing: SigningKey
  /** Public halves, as /jwks publishes them: of keys that sign, signed, or will sign. */
  publicJwks: JWK[]
  /** The public half of one key. One that this isolate does not know is looked for once more. */
  publicJwk(kid: string): JWK | undefined | Promise<JWK | undefined>
}

type KeysEnv = Pick<Env, 'KEYS' | 'PEPPER'>

/** What this isolate has read: when (milliseconds), and until when nobody need ask again. */
let cached: { at: number; until: number; keyring: Keyring } | undefined

/**
 * The keyring of this deployment, read from the Keys object at most once every few minutes. While that object does not answer, what was
 * read last goes on for a while; keys are published long enough before their first use for that (keys/schedule.ts).
 */
export function keyringOf(env: KeysEnv): Keyring | Promise<Keyring> {
  const now = Date.now()
  if (cached !== undefined && now < cached.until && now >= cached.at) return cached.keyring
  return renewed(env, now)
}

async function renewed(env: KeysEnv, now: number): Promise<Keyring> {
  const last = cached
  const isUsable = last !== undefined && now >= last.at && now < last.at + KEYRING_STALE * 1000
  // One request asks; the others of these moments go on with what there is.
  if (isUsable) last.until = now + RELOAD_PAUSE
  try {
    return await load(env, now)
  } catch (error) {
    if (isUsable) return last.keyring
    throw error
  }
}

async function load(env: KeysEnv, now: number): Promise<Keyring> {
  // A fresh, short-lived stub; the answer is plain JSON.
  const stored = await env.KEYS.get(env.KEYS.idFromName('keys')).all()
  const keyring = await keyringFrom(stored, env.PEPPER ?? '', () => reload(env))
  cached = { at: now, until: now + KEYRING_CACHE * 1000, keyring }
  return keyring
}

let lookedAt = Number.NEGATIVE_INFINITY

/** Another look at the Keys object, because of a key that is not known here; undefined if the last such look was a moment ago. */
async function reload(env: KeysEnv): Promise<Keyring | undefined> {
  const now = Date.now()
  if (Math.abs(now - lookedAt) < RELOAD_PAUSE) return undefined
  lookedAt = now
  return load(env, now)
}

/** Builds the keyring from stored keys; `pepper` is mixed into the keyed hashes only. `again` looks for keys that are not among them. */
export async function keyringFrom(
  stored: StoredKeys,
  pepper: string,
  again: () => Promise<Keyring | undefined> = async () => undefined,
): Promise<Keyring> {
  const sealKeys = await Promise.all(
    stored.seal.map(async (key) => ({
      ...key,
      key: await crypto.subtle.importKey('raw', base64url.decode(key.raw), 'AES-GCM', false, ['encrypt', 'decrypt']),
    })),
  )
  const bySlot = new Map(sealKeys.map(({ slot, key }) => [slot, key]))
  const signingKeys = await Promise.all(stored.signing.map(async (key) => ({ ...key, ...(await importSigningKey(key)) })))
  if (sealKeys.length === 0 || signingKeys.length === 0) throw new Error('the Keys object holds no keys')
  const sealing = () => inUse(sealKeys, Date.now() / 1000) as (typeof sealKeys)[number]
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
  const publicJwks = stored.signing.map((key) => publicOf(key))
  return {
    get signing() {
      return inUse(signingKeys, Date.now() / 1000) as SigningKey
    },
    publicJwks,
    publicJwk(kid) {
      const known = publicJwks.find((key) => key.kid === kid)
      return known ?? again().then((newer) => newer?.publicJwks.find((key) => key.kid === kid))
    },
    isCurrent: (text) => slotOf(text) === sealing().slot,
    async seal(purpose, value, context = '') {
      const { slot, key } = sealing()
      const nonce = crypto.getRandomValues(new Uint8Array(12))
      const sealed = await crypto.subtle.encrypt(
        { name: 'AES-GCM', iv: nonce, additionalData: encoder.encode(`${purpose}\0${context}`) },
        key,
        encoder.encode(JSON.stringify(value)),
      )
      const out = new Uint8Array(13 + sealed.byteLength)
      out[0] = slot
      out.set(nonce, 1)
      out.set(new Uint8Array(sealed), 13)
      return base64url.encode(out)
    },
    async open(purpose, text, context = '') {
      if (!/^[\w-]{40,16384}$/.test(text)) return undefined
      try {
        const bytes = base64url.decode(text)
        const key = bySlot.get(bytes[0] ?? -1)
        // A key that came after this isolate last asked; or none at all, and then the pause between two looks holds.
        if (key === undefined) return (await again())?.open(purpose, text, context)
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

async function importSigningKey(key: StoredSigningKey): Promise<SigningKey> {
  const privateKey = await crypto.subtle.importKey('jwk', key.jwk as JsonWebKey, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  return { kid: key.kid, privateKey, publicJwk: publicOf(key) }
}

/** The slot in the first byte of a sealed text. */
const slotOf = (text: string): number | undefined => (/^[\w-]{4}/.test(text) ? base64url.decode(text.slice(0, 4))[0] : undefined)

function publicOf(key: StoredSigningKey): JWK {
  const { kty, crv, x, y } = key.jwk
  return { kty, crv, x, y, kid: key.kid, alg: 'ES256', use: 'sig' } as JWK
}

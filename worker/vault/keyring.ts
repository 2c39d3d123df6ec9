// The vault's keys, derived from one root (objects/keys.ts): sealing, hashing, and names of things in links.
// Everything at rest that a thief could use or read goes through here; a text sealed for one purpose does not open for another.
import { fromBase64url, toBase64url } from '../../shared/base64url.ts'
import type { Env } from './env.ts'

export type Keyring = { seal: CryptoKey; hash: CryptoKey; linkMac: CryptoKey; linkCipher: CryptoKey }

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(new TextEncoder().encode(text))

async function derive(root: Uint8Array<ArrayBuffer>, pepper: string): Promise<Keyring> {
  const base = await crypto.subtle.importKey('raw', root, 'HKDF', false, ['deriveKey'])
  const from = (info: string) => ({ name: 'HKDF', hash: 'SHA-256', salt: bytesOf(pepper), info: bytesOf(`vault ${info}`) })
  const [seal, hash, linkMac, linkCipher] = await Promise.all([
    crypto.subtle.deriveKey(from('seal'), base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
    crypto.subtle.deriveKey(from('hash'), base, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']),
    crypto.subtle.deriveKey(from('link mac'), base, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']),
    crypto.subtle.deriveKey(from('link cipher'), base, { name: 'AES-CTR', length: 256 }, false, ['encrypt', 'decrypt']),
  ])
  return { seal, hash, linkMac, linkCipher }
}

/** One derivation per isolate and root object; a failed one is not kept. */
const cache = new WeakMap<object, Promise<Keyring>>()

export function keyringOf(env: Env): Promise<Keyring> {
  const kept = cache.get(env.KEYS)
  if (kept !== undefined) return kept
  const made = (async () => {
    const root = await env.KEYS.get(env.KEYS.idFromName('root')).root()
    return derive(Uint8Array.from(root), env.PEPPER ?? '')
  })()
  cache.set(env.KEYS, made)
  made.catch(() => cache.delete(env.KEYS))
  return made
}

/** Seals a JSON value for one purpose: base64url of nonce and AES-GCM text, the purpose authenticated with it. */
export async function sealJson(keyring: Keyring, purpose: string, value: unknown): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const algorithm = { name: 'AES-GCM', iv, additionalData: bytesOf(purpose) }
  const text = new Uint8Array(await crypto.subtle.encrypt(algorithm, keyring.seal, bytesOf(JSON.stringify(value))))
  const whole = new Uint8Array(iv.length + text.length)
  whole.set(iv)
  whole.set(text, iv.length)
  return toBase64url(whole)
}

/** Opens what `sealJson` made for the same purpose; nothing when it was made elsewhere or changed. The form of the value is not checked. */
export async function openJson(keyring: Keyring, purpose: string, sealed: string): Promise<unknown> {
  const whole = fromBase64url(sealed)
  if (whole === undefined || whole.length < 28) return undefined
  try {
    const algorithm = { name: 'AES-GCM', iv: whole.slice(0, 12), additionalData: bytesOf(purpose) }
    const text = await crypto.subtle.decrypt(algorithm, keyring.seal, whole.slice(12))
    return JSON.parse(new TextDecoder().decode(text))
  } catch {
    // Wrong tag: not ours, or for another purpose. That is an answer, not a fault.
    return undefined
  }
}

/** Keyed hash for names and look-ups: who holds the storage cannot test guesses without the key. */
export async function hashText(keyring: Keyring, purpose: string, text: string): Promise<string> {
  return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', keyring.hash, bytesOf(`${purpose}\n${text}`))))
}

export type ThingRef = { account: string; file: string }

const ACCOUNT_BYTES = 16
const FILE_BYTES = 8
const counterOf = (mac: Uint8Array): Uint8Array<ArrayBuffer> => {
  const counter = new Uint8Array(16)
  counter.set(mac.subarray(0, 12))
  return counter
}
const macOf = async (keyring: Keyring, payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.sign('HMAC', keyring.linkMac, payload)).subarray(0, 12)

/**
 * The id of a thing in its link: account and file, encrypted under a nonce made of both (as in SIV, RFC 5297), 48 characters.
 * Equal things have equal links; two links of one owner have nothing in common. A link is a name, not a permission.
 */
export async function linkOf(keyring: Keyring, ref: ThingRef): Promise<string> {
  const [account, file] = [fromBase64url(ref.account), fromBase64url(ref.file)]
  if (account?.length !== ACCOUNT_BYTES || file?.length !== FILE_BYTES) throw new Error('not a reference to a thing')
  const payload = Uint8Array.from([...account, ...file])
  const mac = await macOf(keyring, payload)
  const text = await crypto.subtle.encrypt({ name: 'AES-CTR', counter: counterOf(mac), length: 32 }, keyring.linkCipher, payload)
  return toBase64url(Uint8Array.from([...mac, ...new Uint8Array(text)]))
}

/** What a link names, or nothing when it was not made here. */
export async function openLink(keyring: Keyring, link: string): Promise<ThingRef | undefined> {
  const whole = fromBase64url(link)
  if (whole?.length !== 12 + ACCOUNT_BYTES + FILE_BYTES || toBase64url(whole) !== link) return undefined
  const mac = whole.slice(0, 12)
  const algorithm = { name: 'AES-CTR', counter: counterOf(mac), length: 32 }
  const payload = new Uint8Array(await crypto.subtle.decrypt(algorithm, keyring.linkCipher, whole.slice(12)))
  const expected = await macOf(keyring, payload)
  // Constant time is not needed for secrecy, a link is public; it is cheap to have.
  const difference = expected.reduce((sum, byte, index) => sum | (byte ^ (mac[index] ?? 0)), 0)
  if (difference !== 0) return undefined
  return { account: toBase64url(payload.slice(0, ACCOUNT_BYTES)), file: toBase64url(payload.slice(ACCOUNT_BYTES)) }
}

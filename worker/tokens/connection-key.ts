// A connection's own key, wrapped for each of its tokens: with it a service reads back what it registered, and nobody else does.
// The server holds neither the key nor a token in the clear, so a dump of everything names no thing.
// Choice: a service without a secret that connects again gets a new key; it then writes its descriptions anew (UMA FedAuthz 3.2.3).
import { base64url } from 'jose'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** 256 random bits. */
export const newConnectionKey = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(32))

/** The key of a service that has a secret: the same at each new connection with this owner, another one with any other owner. */
export async function connectionKeyOf(secret: string, owner: string): Promise<Uint8Array<ArrayBuffer>> {
  const base = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveBits'])
  const info = encoder.encode(`latchkey connection key of ${owner} v1`)
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }, base, 256))
}

/** Wraps the key so that only the holder of `token` opens it. */
export async function wrapKey(key: Uint8Array<ArrayBuffer>, token: string): Promise<string> {
  return encrypt(await tokenKey(token), key)
}

/** Opens what `wrapKey` made for the same token; undefined otherwise. */
export async function unwrapKey(wrapped: string, token: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return decrypt(await tokenKey(token), wrapped)
}

/** From an old token to a new one. Null if the old one does not fit. */
export async function rewrap(wrapped: string, from: string, to: string): Promise<string | null> {
  const key = await unwrapKey(wrapped, from)
  return key === undefined ? null : wrapKey(key, to)
}

/** Seals JSON with a connection's key. */
export async function sealWith(key: Uint8Array<ArrayBuffer>, value: unknown): Promise<string> {
  return encrypt(
    await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']),
    new Uint8Array(encoder.encode(JSON.stringify(value))),
  )
}

/** Opens what `sealWith` made; undefined if the key is another. */
export async function openWith(key: Uint8Array<ArrayBuffer>, sealed: string): Promise<unknown> {
  const plain = await decrypt(await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']), sealed)
  return plain === undefined ? undefined : (JSON.parse(decoder.decode(plain)) as unknown)
}

async function tokenKey(token: string): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', encoder.encode(token), 'HKDF', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode('latchkey connection key v1') },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

async function encrypt(key: CryptoKey, plain: Uint8Array<ArrayBuffer>): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(12))
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, plain))
  const out = new Uint8Array(12 + sealed.byteLength)
  out.set(nonce)
  out.set(sealed, 12)
  return base64url.encode(out)
}

async function decrypt(key: CryptoKey, text: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const bytes = base64url.decode(text)
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes.subarray(0, 12) }, key, bytes.subarray(12)))
  } catch {
    return undefined // another key, or not ours at all
  }
}

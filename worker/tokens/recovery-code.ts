// The recovery code: 140 random bits in letters that cannot be mistaken, and the owner's label key wrapped with it. The server keeps the
// wrapping and forgets the code. With that many bits a slow hash would add nothing (HKDF, RFC 5869).
import { base64url } from 'jose'

/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 28
const GROUP = 4
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A new code, in groups as it is to be written down: `7K2Q-...`. */
export function newRecoveryCode(): string {
  const letters = [...crypto.getRandomValues(new Uint8Array(LENGTH))].map((byte) => ALPHABET[byte % 32] as string).join('')
  return (letters.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-')
}

/** What a person typed as the server compares it; undefined if it cannot be a code. Case, blanks and dashes do not matter. */
export function readRecoveryCode(text: string): string | undefined {
  if (text.length > 200) return undefined
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  return letters.length === LENGTH && [...letters].every((letter) => ALPHABET.includes(letter)) ? letters : undefined
}

/** Wraps the private half of a label key. `code` as printed or typed. */
export async function wrapWithCode(privateJwk: JsonWebKey, code: string, owner: string): Promise<string> {
  const [salt, iv] = [crypto.getRandomValues(new Uint8Array(16)), crypto.getRandomValues(new Uint8Array(12))]
  const key = await keyOf(readRecoveryCode(code) ?? '', salt)
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: encoder.encode(owner) },
    key,
    encoder.encode(JSON.stringify(privateJwk)),
  )
  return [salt, iv, new Uint8Array(sealed)].map((part) => base64url.encode(part)).join('.')
}

/** The private half again, or undefined: another code, another owner, or no code at all. */
export async function unwrapWithCode(wrapped: string, typed: string, owner: string): Promise<JsonWebKey | undefined> {
  const code = readRecoveryCode(typed)
  const [salt, iv, sealed] = wrapped.split('.').map((part) => new Uint8Array(base64url.decode(part)))
  if (code === undefined || salt === undefined || iv === undefined || sealed === undefined) return undefined
  try {
    const plain = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv, additionalData: encoder.encode(owner) },
      await keyOf(code, salt),
      sealed,
    )
    return JSON.parse(decoder.decode(plain)) as JsonWebKey
  } catch {
    return undefined // not the code
  }
}

async function keyOf(code: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', encoder.encode(code), 'HKDF', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info: encoder.encode('latchkey recovery code v1') },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

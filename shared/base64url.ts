// Base64url without padding (RFC 4648 5), and the hash that OAuth makes of text.

/** Bytes to base64url without padding (RFC 4648 5). */
export function toBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Base64url without padding (RFC 4648 5) to bytes; nothing when it is not that. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}

/** BASE64URL(SHA-256(UTF-8(text))): PKCE challenge (RFC 7636 4.2), DPoP `ath` (RFC 9449 4.2), ticket hash. Never fails for text. */
export async function sha256Base64url(text: string): Promise<string> {
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

/** Source of random bytes, given by the caller: floor 1 draws none of its own. */
export type Random = (bytes: number) => Uint8Array

/** Text of `bytes` random bytes; 32 bytes meet RFC 6749 10.10. */
export const randomText = (random: Random, bytes = 32): string => toBase64url(random(bytes))

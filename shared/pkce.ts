// PKCE (RFC 7636): verifier and S256 challenge. The `plain` method is left out on purpose.
import { type Random, randomText, sha256Base64url } from './base64url.ts'

/** RFC 7636 4.1: a fresh verifier, 43 characters out of 32 random bytes. */
export const makeCodeVerifier = (random: Random): string => randomText(random, 32)

/** RFC 7636 4.2: BASE64URL(SHA256(ASCII(verifier))). The form of the verifier is not checked here. */
export const codeChallengeOf = (verifier: string): Promise<string> => sha256Base64url(verifier)

/** RFC 7636 4.1: 43 to 128 unreserved characters; false for anything else. */
export const isCodeVerifier = (text: string): boolean => /^[\w.~-]{43,128}$/.test(text)

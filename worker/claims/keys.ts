// The part of the server's keyring that claims need (worker/tokens/keyring.ts fits): this folder stands beside it, not above.
import { base64url, type JWK } from 'jose'
import { sha256Base64url } from '../../shared/base64url.ts'

/** Keyed hashes. */
export type Hashing = { mac(name: 'claim-value' | 'policy' | 'owner-address' | 'invitation' | 'guest', input: string): Promise<string> }
/** Sealing of what only one negotiation may open. */
export type Sealing = {
  seal(purpose: 'negotiation', value: unknown, context: string): Promise<string>
  open(purpose: 'negotiation', text: string, context: string): Promise<unknown>
}
/** The key that signs now, and the public halves of all that still count. */
export type Signing = { signing: { kid: string; privateKey: CryptoKey } }
export type Published = { publicJwk(kid: string): JWK | undefined | Promise<JWK | undefined> }

/** SHA-256 of an ASCII text as base64url. */
export const sha256 = sha256Base64url

/** Random bytes as base64url. */
export const randomSecret = (bytes = 32): string => base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))

// Opaque tokens: a reference to the owner, sealed afresh each time, and 256 random bits. Only a hash of the whole is stored.
// The reference routes a request to the owner's object without any look-up; two tokens of one owner share no visible part.
import { base64url } from 'jose'
import type { Keyring } from './keyring.ts'
import { readSelfContained } from './self-contained.ts'

/** r: requesting party token, u: its refresh token, c: persisted claims token (it refers to a guest), p: protection API token, w: a wallet's token for the owner API, f: refresh token. */
export type TokenKind = 'r' | 'u' | 'c' | 'p' | 'w' | 'f'

const encoder = new TextEncoder()

/** 256 random bits as base64url (43 characters). */
export function randomSecret(bytes = 32): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))
}

/** SHA-256 of an ASCII text as base64url: how secrets of full entropy are stored and how a ticket is named in a key binding. */
export async function sha256(text: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}

/** A new token of `kind` for `owner`: the text for the client and the hash for the store. */
export async function mintToken(keyring: Keyring, kind: TokenKind, owner: string): Promise<{ token: string; hash: string }> {
  const token = `${kind}${await keyring.seal('ref', owner, kind)}.${randomSecret()}`
  return { token, hash: await sha256(token) }
}

export type ReadToken = { kind: TokenKind; owner: string; hash: string }

/** Tokens come again and again; what they say never changes. Bounded, gone with the isolate. */
const READ = 2000
const read = new Map<string, ReadToken>()

/** Reads kind, owner and hash of a token that this server may have made; undefined for anything that it did not. Proves nothing else. */
export async function readToken(keyring: Keyring, token: string): Promise<ReadToken | undefined> {
  const known = read.get(token)
  if (known !== undefined) return known
  const match = /^([rucpwf])([\w-]{40,256})\.[\w-]{43}$/.exec(token)
  if (match === null) return selfContained(keyring, token)
  const kind = match[1] as TokenKind
  const owner = await keyring.open('ref', match[2] as string, kind)
  if (typeof owner !== 'string') return undefined
  const found = { kind, owner, hash: await sha256(token) }
  if (read.size >= READ) read.clear()
  read.set(token, found)
  return found
}

/** An RPT that its resource server can read. Not remembered: it ends. */
async function selfContained(keyring: Keyring, token: string): Promise<ReadToken | undefined> {
  const rpt = await readSelfContained(keyring, token)
  return rpt === undefined ? undefined : { kind: 'r', ...rpt }
}

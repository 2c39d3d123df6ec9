// Names of the vault's objects. Every name is a keyed hash or a random text, so a list of objects tells nothing.
import { fromBase64url, toBase64url } from '../../shared/base64url.ts'
import { type Env, randomBytes } from './env.ts'
import { hashText, type Keyring } from './keyring.ts'

/** The account of a person at an issuer: the first 16 bytes of a keyed hash of (iss, sub), OpenID Connect Core 5.7. */
export async function accountName(keyring: Keyring, issuer: string, subject: string): Promise<string> {
  const hash = fromBase64url(await hashText(keyring, 'account', JSON.stringify([issuer, subject])))
  return toBase64url((hash ?? new Uint8Array()).slice(0, 16))
}

export const newFileId = (): string => toBase64url(randomBytes(8))

export const accountOf = (env: Env, name: string) => env.ACCOUNTS.get(env.ACCOUNTS.idFromName(name))

export async function authorizationServerOf(env: Env, keyring: Keyring, issuer: string) {
  return env.AUTHORIZATION_SERVERS.get(env.AUTHORIZATION_SERVERS.idFromName(await hashText(keyring, 'authorization server', issuer)))
}

export async function guestOf(env: Env, keyring: Keyring, guest: string) {
  return env.GUESTS.get(env.GUESTS.idFromName(await hashText(keyring, 'guest', guest)))
}

const CODE_LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'

/** A recovery code: 100 random bits in letters that nobody mistakes, in groups of five. */
export function newRecoveryCode(): string {
  const letters = [...randomBytes(20)].map((byte) => CODE_LETTERS[byte & 31] ?? '2').join('')
  return (letters.match(/.{5}/g) ?? []).join('-')
}

/** A code as somebody typed it; nothing when it cannot be one. */
export function readRecoveryCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s-]/g, '')
  return letters.length === 20 && [...letters].every((letter) => CODE_LETTERS.includes(letter)) ? letters : undefined
}

/** Where the hash of a code is kept. `letters` without the hyphens. */
export async function recoveryPlaceOf(env: Env, keyring: Keyring, letters: string) {
  const hash = await hashText(keyring, 'recovery code', letters)
  return { hash, shard: env.RECOVERY.get(env.RECOVERY.idFromName(hash.slice(0, 2))) }
}

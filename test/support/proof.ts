// Proofs made by hand: a credential and a key binding in which any single part can be wrong. Signs with the server's own keys, so that
// only the part in question makes the difference.
import { base64url, CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Keyring } from '../../worker/tokens/keyring.ts'
import { sha256 } from '../../worker/tokens/opaque.ts'

export type Holder = { publicJwk: JWK; privateKey: CryptoKey; privateJwk: JWK; alg: string }

export async function newHolder(alg = 'ES256'): Promise<Holder> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { publicJwk: await exportJWK(publicKey), privateKey, privateJwk: await exportJWK(privateKey), alg }
}

type Signing = {
  alg?: string
  typ?: string | undefined
  kid?: string | undefined
  key?: CryptoKey | Uint8Array
  header?: Record<string, unknown>
}

export async function jws(payload: unknown, header: Record<string, unknown>, key: CryptoKey | Uint8Array): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const crit = Object.fromEntries(((header.crit as string[] | undefined) ?? []).map((name) => [name, true]))
  return new CompactSign(new TextEncoder().encode(text)).setProtectedHeader(header as { alg: string }).sign(key, { crit })
}

export const disclosure = (...parts: unknown[]): string => base64url.encode(JSON.stringify(parts))

export type Forgery = {
  /** Changes the credential's payload after all is in place. */
  payload?: (payload: Record<string, unknown>) => Record<string, unknown>
  credential?: Signing
  /** Disclosures whose digests stand in `_sd`. */
  hidden?: string[]
  /** Disclosures that are presented. */
  shown?: string[]
  binding?: Record<string, unknown>
  kb?: Signing
  /** Changes the finished token. */
  token?: (token: string) => string
}

export type Setting = {
  keyring: Keyring
  issuer: string
  holder: Holder
  aud: string
  nonce: string
  now: number
  transactionData?: string[]
}

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
export const EMAIL = disclosure(SALT, 'email', 'Bob@example.net')
export const DOMAIN = disclosure(SALT, 'email_domain', 'example.net')

/** A presentation that is sound but for what `forgery` changes. */
export async function forge(setting: Setting, forgery: Forgery = {}): Promise<string> {
  const { keyring, issuer, holder, now } = setting
  const hidden = forgery.hidden ?? [EMAIL, DOMAIN]
  const payload = {
    iss: issuer,
    iat: now - 3600,
    exp: now + 86_400,
    vct: `${issuer}/vct/email`,
    cnf: { jwk: holder.publicJwk },
    _sd: await Promise.all(hidden.map(sha256)),
    _sd_alg: 'sha-256',
    verification: { method: 'email-code', controlled_at: now - 3600 },
  }
  const credential = await jws(
    forgery.payload?.(payload) ?? payload,
    defined({
      alg: forgery.credential?.alg ?? 'ES256',
      typ: 'dc+sd-jwt',
      kid: keyring.signing.kid,
      ...pick(forgery.credential, ['typ', 'kid']),
      ...forgery.credential?.header,
    }),
    forgery.credential?.key ?? keyring.signing.privateKey,
  )
  const signed = [credential, ...(forgery.shown ?? [EMAIL]), ''].join('~')
  const binding = defined({
    aud: setting.aud,
    nonce: setting.nonce,
    iat: now,
    sd_hash: await sha256(signed),
    transaction_data_hashes: setting.transactionData && (await Promise.all(setting.transactionData.map(sha256))),
    ...forgery.binding,
  })
  const kb = await jws(
    binding,
    defined({ alg: forgery.kb?.alg ?? holder.alg, typ: 'kb+jwt', ...pick(forgery.kb, ['typ', 'kid']), ...forgery.kb?.header }),
    forgery.kb?.key ?? holder.privateKey,
  )
  const token = signed + kb
  return forgery.token?.(token) ?? token
}

const defined = (object: Record<string, unknown>) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
const pick = (object: Record<string, unknown> | undefined, names: string[]) =>
  Object.fromEntries(names.filter((name) => object !== undefined && name in object).map((name) => [name, object?.[name]]))

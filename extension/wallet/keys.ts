// Key pairs of this wallet. Private keys are made non-extractable and stay so: the wallet can use them, nothing can carry them away.
// Every server gets keys of its own, so that two servers cannot tell by a key that they talk to the same wallet.
import { exportJWK, type JWK } from 'jose'
import { find, put, rewrite } from './database.ts'

/**
 * `dpop`: ES256, signs DPoP proofs at this server (RFC 9449). `device`: P-256 ECDH, to which the server's page wraps the label key.
 * `label`: the owner's label key of this server, private half only.
 */
export type KeyUse = 'dpop' | 'device' | 'label'

type KeyEntry = { id: string; privateKey: CryptoKey; publicKey?: CryptoKey }

const idOf = (use: KeyUse, issuer: string): string => `${use} ${issuer}`

/** A key pair that signs ES256. The public half can be exported, the private half cannot. */
export const makeSigningKeys = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])

const makeAgreementKeys = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])

/** The pair for this use at this server; made and kept on first use. Two calls at once get the same pair. */
export const keyPairFor = async (use: 'dpop' | 'device', issuer: string): Promise<CryptoKeyPair> => {
  const id = idOf(use, issuer)
  const kept = await find<KeyEntry>('keys', id)
  if (kept?.publicKey) return { privateKey: kept.privateKey, publicKey: kept.publicKey }
  const fresh = use === 'dpop' ? await makeSigningKeys() : await makeAgreementKeys()
  return rewrite<KeyEntry, CryptoKeyPair>('keys', (all) => {
    const first = all.find((entry) => entry.id === id)
    return first?.publicKey
      ? { result: { privateKey: first.privateKey, publicKey: first.publicKey } }
      : { put: [{ id, ...fresh }], result: fresh }
  })
}

/** Public JWK with only the members that make the key (RFC 7638), as it goes on the wire. */
export const publicJwk = async (key: CryptoKey): Promise<JWK> => {
  const { kty, crv, x, y } = await exportJWK(key)
  return { kty, crv, x, y } as JWK
}

/** Keeps the owner's label key of a server. The JWK passes through memory once; from here on the key is non-extractable. */
export const keepLabelKey = async (issuer: string, jwk: JsonWebKey): Promise<void> => {
  const { kty, crv, x, y, d } = jwk as Record<'kty' | 'crv' | 'x' | 'y' | 'd', string>
  const privateKey = await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, { name: 'ECDH', namedCurve: 'P-256' }, false, [
    'deriveBits',
  ])
  await put<KeyEntry>('keys', { id: idOf('label', issuer), privateKey })
}

export const labelKey = async (issuer: string): Promise<CryptoKey | undefined> =>
  (await find<KeyEntry>('keys', idOf('label', issuer)))?.privateKey

/** Deletes all keys of a server. */
export const forgetKeys = (issuer: string): Promise<null> =>
  rewrite<KeyEntry, null>('keys', (all) => ({
    remove: all.filter((entry) => entry.id.endsWith(` ${issuer}`)).map(({ id }) => id),
    result: null,
  }))

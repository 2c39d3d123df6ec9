// Names of things and people: compact JWE (ECDH-ES, A256GCM) to the owner's label key, opened here and never kept open on disk.
import { CompactEncrypt, compactDecrypt, type JWK } from 'jose'
import * as v from 'valibot'
import {
  type PersonLabel,
  personLabel,
  type RequestLine,
  requestLine,
  type ThingLabel,
  thingLabel,
} from '../../shared/protocol/owner-api.ts'
import { keepLabelKey, keyPairFor, labelKey } from '../wallet/keys.ts'

const DECRYPTION = { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] }
const MOST_REMEMBERED = 5000

/** Opened labels of this worker's life, so that a long list is not decrypted at every look. */
const opened = new Map<string, unknown>()

const openJson = async (jwe: string, key: CryptoKey): Promise<unknown> => {
  const { plaintext } = await compactDecrypt(jwe, key, DECRYPTION)
  return JSON.parse(new TextDecoder().decode(plaintext))
}

export type Labels = {
  thing: (label: string | undefined) => Promise<ThingLabel | undefined>
  person: (label: string | undefined) => Promise<PersonLabel | undefined>
  line: (label: string | undefined) => Promise<RequestLine | undefined>
}

/** Opens labels of one server. What cannot be opened (no key, other key, damaged) is undefined: the caller shows what it knows instead. */
export const labelsOf = async (issuer: string): Promise<Labels> => {
  const key = await labelKey(issuer)
  const open = async <T>(label: string | undefined, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> => {
    if (label === undefined || key === undefined) return undefined
    try {
      if (!opened.has(label)) {
        if (opened.size >= MOST_REMEMBERED) opened.clear()
        opened.set(label, await openJson(label, key))
      }
      const parsed = v.safeParse(schema, opened.get(label))
      return parsed.success ? parsed.output : undefined
    } catch {
      // Sealed to another key, or damaged: this name stays closed, the rest of the list does not suffer.
      return undefined
    }
  }
  return {
    thing: (label) => open(label, thingLabel),
    person: (label) => open(label, personLabel),
    line: (label) => open(label, requestLine),
  }
}

/**
 * Opens the owner's label key that the server's page wrapped for this device, and keeps it non-extractable.
 * @returns false when it was not wrapped for this device, or does not fit the public half that the server names
 */
export const unwrapLabelKey = async (issuer: string, wrapped: string, publicHalf: Record<string, unknown>): Promise<boolean> => {
  try {
    const jwk = (await openJson(wrapped, (await keyPairFor('device', issuer)).privateKey)) as JsonWebKey
    if (jwk.kty !== 'EC' || jwk.crv !== 'P-256' || jwk.x !== publicHalf.x || jwk.y !== publicHalf.y) return false
    await keepLabelKey(issuer, jwk)
    return true
  } catch {
    return false
  }
}

/** Seals a label to the owner's public label key. */
export const sealLabel = async (label: PersonLabel, publicHalf: Record<string, unknown>): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(JSON.stringify(label)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(await importPublic(publicHalf))

const importPublic = (jwk: JWK | Record<string, unknown>): Promise<CryptoKey> =>
  crypto.subtle.importKey(
    'jwk',
    { kty: 'EC', crv: 'P-256', x: String(jwk.x), y: String(jwk.y) },
    { name: 'ECDH', namedCurve: 'P-256' },
    false,
    [],
  )

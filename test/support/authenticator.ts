// A passkey in software (WebAuthn Level 3, 6): one ES256 key, answers as JSON, "none" attestation. Any part can be made wrong.
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

type Cbor = number | string | Buffer | Map<number | string, Cbor>

const head = (major: number, value: number): Buffer => {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 256) return Buffer.from([(major << 5) | 24, value])
  const bytes = Buffer.from([(major << 5) | 25, 0, 0])
  bytes.writeUInt16BE(value, 1)
  return bytes
}

/** As much of RFC 8949 as an attestation object needs. */
const cbor = (value: Cbor): Buffer => {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Map) return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, one]) => [cbor(key), cbor(one)])])
  return Buffer.concat([head(2, value.length), value])
}

const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest()
const b64u = (data: Buffer | string): string => Buffer.from(data).toString('base64url')

export type Options = { challenge: string; rp?: { id?: string }; rpId?: string; user?: { id: string } }
/** Parts to make wrong. */
export type Wrong = {
  origin?: string
  rpId?: string
  challenge?: string
  flags?: number
  counter?: number
  userHandle?: string
  key?: KeyObject
  id?: string
}

export type Authenticator = {
  readonly id: string
  create: (options: Options, wrong?: Wrong) => object
  get: (options: Options, wrong?: Wrong) => object
}

/** A new passkey for pages of `origin`. */
export const newAuthenticator = (origin: string): Authenticator => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = randomBytes(16)
  let counter = 0
  let userHandle = ''
  const clientData = (type: string, options: Options, wrong: Wrong): Buffer =>
    Buffer.from(
      JSON.stringify({ type, challenge: wrong.challenge ?? options.challenge, origin: wrong.origin ?? origin, crossOrigin: false }),
    )
  const data = (flags: number, wrong: Wrong): Buffer => {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(wrong.counter ?? ++counter)
    return Buffer.concat([sha256(wrong.rpId ?? new URL(origin).hostname), Buffer.from([wrong.flags ?? flags]), count])
  }
  return {
    id: b64u(id),
    create: (options, wrong = {}) => {
      userHandle = options.user?.id ?? ''
      const jwk = publicKey.export({ format: 'jwk' })
      const cose = new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(jwk.x ?? '', 'base64url')],
        [-3, Buffer.from(jwk.y ?? '', 'base64url')],
      ])
      const authData = Buffer.concat([data(0x45, wrong), Buffer.alloc(16), Buffer.from([0, id.length]), id, cbor(cose)])
      const attestation = new Map<string, Cbor>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ])
      return {
        id: b64u(id),
        rawId: b64u(id),
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: b64u(clientData('webauthn.create', options, wrong)),
          attestationObject: b64u(cbor(attestation)),
          transports: ['internal'],
        },
      }
    },
    get: (options, wrong = {}) => {
      const authenticatorData = data(0x05, wrong)
      const client = clientData('webauthn.get', options, wrong)
      const signature = createSign('SHA256')
        .update(Buffer.concat([authenticatorData, sha256(client)]))
        .sign(wrong.key ?? privateKey)
      return {
        id: wrong.id ?? b64u(id),
        rawId: wrong.id ?? b64u(id),
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: b64u(client),
          authenticatorData: b64u(authenticatorData),
          signature: b64u(signature),
          userHandle: wrong.userHandle ?? userHandle,
        },
      }
    },
  }
}

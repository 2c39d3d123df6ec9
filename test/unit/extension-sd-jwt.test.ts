// What leaves the wallet: one claim, bound to one question, by one key.

import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, parseSdJwt, present } from '../../extension/as/sd-jwt.ts'
import { makeSigningKeys, publicJwk } from '../../extension/wallet/keys.ts'
import { type FakeIssuer, makeIssuer } from '../support/fake-issuer.ts'

const NOW = 1_777_000_000
const QUESTION = { aud: 'origin:https://share.example', nonce: 'n'.repeat(43), transaction_data_hashes: ['h'.repeat(43)] }

let issuer: FakeIssuer
let keys: CryptoKeyPair
let text: string
beforeAll(async () => {
  issuer = await makeIssuer({ now: NOW })
  keys = await makeSigningKeys()
  text = await issuer.issue(await publicJwk(keys.publicKey), 'bob@example.net')
})

const sha256 = async (input: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(input))).toString('base64url')

describe('RFC 9901: presenting', () => {
  it('RFC 9901 4.2: a credential is taken apart into its claims', async () => {
    expect(claimsOf(await parseSdJwt(text))).toMatchObject({ email: 'bob@example.net', email_domain: 'example.net', email_verified: true })
  })

  it('CLAIMS 6: only the address is disclosed, not its domain and nothing else', async () => {
    const presentation = await present(await parseSdJwt(text), ['email'], keys.privateKey, QUESTION, NOW)
    const parts = presentation.split('~')
    expect(parts).toHaveLength(3)
    expect(JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString())).toEqual([expect.any(String), 'email', 'bob@example.net'])
    expect(Buffer.from(presentation, 'utf8').includes('email_domain')).toBe(false)
  })

  it('RFC 9901 4.3: the key binding names audience, nonce, time and the transaction, and is signed by the holder', async () => {
    const presentation = await present(await parseSdJwt(text), ['email'], keys.privateKey, QUESTION, NOW)
    const keyBinding = presentation.split('~').at(-1) ?? ''
    expect(decodeProtectedHeader(keyBinding)).toEqual({ alg: 'ES256', typ: 'kb+jwt' })
    const { payload } = await jwtVerify(keyBinding, keys.publicKey, { currentDate: new Date(NOW * 1000) })
    expect(payload).toEqual({
      aud: QUESTION.aud,
      nonce: QUESTION.nonce,
      iat: NOW,
      sd_hash: await sha256(presentation.slice(0, presentation.lastIndexOf('~') + 1)),
      transaction_data_hashes: QUESTION.transaction_data_hashes,
      transaction_data_hashes_alg: 'sha-256',
    })
  })

  it('RFC 9901 4.3.1: another disclosure gives another sd_hash', async () => {
    const sdJwt = await parseSdJwt(text)
    const hashOf = async (names: string[]) =>
      decodeJwt((await present(sdJwt, names, keys.privateKey, QUESTION, NOW)).split('~').at(-1) ?? '').sd_hash
    expect(await hashOf(['email'])).not.toBe(await hashOf(['email_domain']))
  })

  it('RFC 9901 4.2: a claim that the credential lacks is an error, not silence', async () => {
    await expect(present(await parseSdJwt(text), ['phone_number'], keys.privateKey, QUESTION, NOW)).rejects.toThrow('phone_number')
  })

  it('RFC 9901 7.1: foreign, doubled and malformed disclosures are refused', async () => {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const [jwt, first] = text.split('~')
    await expect(parseSdJwt(`${jwt}~${encode(['salt', 'email', 'eve@example.org'])}~`)).rejects.toThrow('does not belong')
    await expect(parseSdJwt(`${jwt}~${first}~${first}~`)).rejects.toThrow('twice')
    await expect(parseSdJwt(`${jwt}~${encode(['salt', 'value'])}~`)).rejects.toThrow()
    await expect(parseSdJwt(`${jwt}~!!~`)).rejects.toThrow()
  })

  it('RFC 9901 4: something that already has a key binding is no credential', async () => {
    await expect(parseSdJwt(`${text}eyJ.eyJ.sig`)).rejects.toThrow('without key binding')
    await expect(parseSdJwt(text.slice(0, -1))).rejects.toThrow()
  })

  it('RFC 9901 4.1.1: another hash than sha-256 is refused', async () => {
    await expect(
      parseSdJwt(await issuer.issue(await publicJwk(keys.publicKey), 'bob@example.net', { _sd_alg: 'sha-512' })),
    ).rejects.toThrow('_sd_alg')
  })

  it('EXTENSION 4: the holder key cannot be taken out', async () => {
    expect(keys.privateKey.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('jwk', keys.privateKey)).rejects.toThrow()
  })
})

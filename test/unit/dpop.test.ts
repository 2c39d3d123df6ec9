import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyDpop } from '../../worker/tokens/dpop.ts'
import { sha256 } from '../../worker/tokens/opaque.ts'

const NOW = 1_800_000_000
const url = 'https://as.example/token'
type Pair = { publicKey: CryptoKey; privateKey: CryptoKey }
let pair: Pair
let other: Pair

beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true })
  other = await generateKeyPair('ES256', { extractable: true })
})

async function proof(
  claims: JWTPayload = {},
  options: { header?: Record<string, unknown>; alg?: string; sign?: CryptoKey | Uint8Array; key?: CryptoKey } = {},
): Promise<string> {
  const jwk = await exportJWK(options.key ?? pair.publicKey)
  return new SignJWT({ jti: 'a', htm: 'POST', htu: url, iat: NOW, ...claims })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: options.alg ?? 'ES256', jwk, ...options.header })
    .sign(options.sign ?? pair.privateKey, { crit: { x: true } })
}

const check = (header: string | undefined, extra: { accessToken?: string; method?: string; url?: string } = {}) =>
  verifyDpop({ header, method: 'POST', url, now: NOW, ...extra })

describe('DPoP proofs (RFC 9449)', () => {
  it('RFC 9449 4.3: a sound proof names the key', async () => {
    expect(await check(await proof())).toEqual({
      kind: 'ok',
      jkt: await calculateJwkThumbprint(await exportJWK(pair.publicKey)),
      jti: 'a',
      iat: NOW,
    })
  })

  it('RFC 9449 4.3: no header is no proof, not a bad one', async () => {
    expect(await check(undefined)).toEqual({ kind: 'absent' })
  })

  for (const alg of ['EdDSA', 'Ed25519']) {
    it(`RFC 9449 11.6: ${alg} is accepted`, async () => {
      const ed = await generateKeyPair(alg, { extractable: true })
      expect(await check(await proof({}, { alg, key: ed.publicKey, sign: ed.privateKey }))).toMatchObject({ kind: 'ok' })
    })
  }

  for (const [title, claims] of [
    ['8 s late', { iat: NOW - 8 }],
    ['60 s late', { iat: NOW - 60 }],
    ['8 s ahead', { iat: NOW + 8 }],
    ['nbf 8 s ahead', { nbf: NOW + 8 }],
    ['htu in capitals and with the default port', { htu: 'HTTPS://AS.EXAMPLE:443/token' }],
    ['htu with an encoded letter left alone in the path', { htu: 'https://as.example/x/../token' }],
  ] as const) {
    it(`RFC 9449 4.3: accepted, ${title}`, async () => {
      expect(await check(await proof(claims))).toMatchObject({ kind: 'ok' })
    })
  }

  it('RFC 9449 4.3: query and fragment of the request do not count', async () => {
    expect(await check(await proof(), { url: `${url}?a=b` })).toMatchObject({ kind: 'ok' })
  })

  const refused: [string, () => Promise<string>][] = [
    ['61 s late', () => proof({ iat: NOW - 61 })],
    ['60 s ahead', () => proof({ iat: NOW + 60 })],
    ['nbf 60 s ahead', () => proof({ nbf: NOW + 60 })],
    ['expired', () => proof({ exp: NOW - 61 })],
    ['no iat', () => proof({ iat: undefined as unknown as number })],
    ['iat as text', () => proof({ iat: String(NOW) as unknown as number })],
    ['no jti', () => proof({ jti: undefined as unknown as string })],
    ['empty jti', () => proof({ jti: '' })],
    ['endless jti', () => proof({ jti: 'x'.repeat(257) })],
    ['another method', () => proof({ htm: 'GET' })],
    ['method in lower case', () => proof({ htm: 'post' })],
    ['another path', () => proof({ htu: 'https://as.example/tokens' })],
    ['another host', () => proof({ htu: 'https://as.example.evil.org/token' })],
    ['another scheme', () => proof({ htu: 'http://as.example/token' })],
    ['another port', () => proof({ htu: 'https://as.example:8443/token' })],
    ['no htu', () => proof({ htu: undefined })],
    ['htu that is no URL', () => proof({ htu: 'token' })],
    ['typ of something else', () => proof({}, { header: { typ: 'JWT' } })],
    ['no typ', () => proof({}, { header: { typ: undefined } })],
    ['no jwk', () => proof({}, { header: { jwk: undefined } })],
    ['jwk with its private half', async () => proof({}, { header: { jwk: await exportJWK(pair.privateKey) } })],
    ['symmetric jwk', () => proof({}, { header: { jwk: { kty: 'oct', k: 'AAAA' } } })],
    ['signed by another key', () => proof({}, { sign: other.privateKey })],
    [
      'HS256 with a symmetric key',
      () => proof({}, { alg: 'HS256', sign: new Uint8Array(32), header: { jwk: { kty: 'oct', k: 'A'.repeat(43) } } }),
    ],
    ['an unknown critical header', () => proof({}, { header: { crit: ['x'], x: 1 } })],
    ['no JWT', async () => 'proof'],
    ['two proofs in one header', async () => `${await proof()}, ${await proof()}`],
    ['without its signature', async () => (await proof()).replace(/[^.]*$/, '')],
    [
      'alg none',
      async () =>
        `${btoa(JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: await exportJWK(pair.publicKey) })).replaceAll('=', '')}.e30.AAAA`,
    ],
    ['larger than 8 KB', () => proof({ extra: 'x'.repeat(9000) })],
  ]
  for (const [title, make] of refused) {
    it(`RFC 9449 4.3: refused, ${title}`, async () => {
      expect(await check(await make())).toMatchObject({ kind: 'invalid' })
    })
  }

  it('RFC 9449 7.1: with an access token the proof must name that token', async () => {
    const accessToken = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
    expect(await sha256(accessToken)).toBe('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
    expect(await check(await proof({ ath: await sha256(accessToken) }), { accessToken })).toMatchObject({ kind: 'ok' })
    expect(await check(await proof(), { accessToken })).toEqual({ kind: 'invalid', reason: 'ath' })
    expect(await check(await proof({ ath: await sha256('other') }), { accessToken })).toEqual({ kind: 'invalid', reason: 'ath' })
  })

  it('RFC 9449 4.2: the thumbprint is that of the printed example', async () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    }
    expect(await calculateJwkThumbprint(jwk)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  })
})

// DPoP proofs: the vectors of RFC 9449 and one test for each of its checks.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { sha256Base64url } from '../../shared/base64url.ts'
import { DPOP_WINDOW, type DpopExpectation, makeDpopKey, makeDpopProof, verifyDpopProof } from '../../shared/dpop.ts'

const NOW = 1_800_000_000
const URL_ = 'https://rs.example/f/1'

const expectation = (changes: Partial<DpopExpectation> = {}): DpopExpectation => ({
  method: 'GET',
  url: URL_,
  now: NOW,
  isFresh: () => true,
  ...changes,
})

const forged = async (claims: Record<string, unknown>, header: Record<string, unknown> = {}, alg = 'ES256'): Promise<string> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const whole = { htm: 'GET', htu: URL_, iat: NOW, jti: 'jti-of-this-one', ...claims }
  return new SignJWT(whole).setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header }).sign(privateKey)
}

describe('RFC 9449: DPoP', () => {
  it('RFC 9449 7.1: ath of the printed token', async () => {
    expect(await sha256Base64url('Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU')).toBe('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  })

  it('RFC 9449 6.1: thumbprint of the printed key', async () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    }
    expect(await calculateJwkThumbprint(jwk)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  })

  it('RFC 9449 7.1: the printed proof is valid for its request, at its time, for its token', async () => {
    const proof =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA'
    const verdict = await verifyDpopProof(
      proof,
      expectation({
        url: 'https://resource.example.org/protectedresource',
        now: 1_562_262_618,
        accessToken: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
        jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
      }),
    )
    expect(verdict).toEqual({ kind: 'valid', jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', jti: 'e1j3V_bKic8-LAEB' })
  })

  it('RFC 9449 4.2: a proof of our own is valid; htu is without query and fragment', async () => {
    const key = await makeDpopKey()
    const proof = await makeDpopProof(key, {
      method: 'GET',
      url: `${URL_}?download=1#x`,
      now: NOW,
      jti: 'a-fresh-jti',
      accessToken: 'token',
    })
    const verdict = await verifyDpopProof(proof, expectation({ url: `${URL_}?other`, accessToken: 'token', jkt: key.jkt }))
    expect(verdict).toEqual({ kind: 'valid', jkt: key.jkt, jti: 'a-fresh-jti' })
  })

  it.each([
    ['4.3 (1) no proof', () => '', {}],
    ['4.3 (1) two proofs', async () => `${await forged({})},${await forged({})}`, {}],
    ['4.3 (2) not a JWT', () => 'abc', {}],
    ['4.3 (3) no jti', () => forged({ jti: undefined }), {}],
    ['4.3 (4) another typ', () => forged({}, { typ: 'JWT' }), {}],
    ['4.3 (7) no key', () => forged({}, { jwk: undefined }), {}],
    ['4.3 (8) another method', () => forged({ htm: 'POST' }), {}],
    ['4.3 (9) another host', () => forged({ htu: 'https://evil.example/f/1' }), {}],
    ['4.3 (9) another path', () => forged({ htu: 'https://rs.example/f/2' }), {}],
    ['4.3 (9) plain HTTP', () => forged({ htu: 'http://rs.example/f/1' }), {}],
    ['4.3 (10) another nonce', () => forged({ nonce: 'a' }), { nonce: 'b' }],
    ['4.3 (11) too old', () => forged({ iat: NOW - DPOP_WINDOW - 1 }), {}],
    ['4.3 (11) of the future', () => forged({ iat: NOW + DPOP_WINDOW + 1 }), {}],
    ['4.3 (12) no ath', () => forged({}), { accessToken: 'token' }],
    ['4.3 (12) ath of another token', () => forged({ ath: 'x'.repeat(43) }), { accessToken: 'token' }],
    ['4.3 (12) another key than the token', () => forged({}), { jkt: 'A'.repeat(43) }],
    ['11.1 a jti seen before', () => forged({}), { isFresh: () => false }],
  ])('RFC 9449 %s is rejected', async (_why, proof, changes) => {
    expect(await verifyDpopProof(await proof(), expectation(changes))).toMatchObject({ kind: 'rejected' })
  })

  it('RFC 9449 4.3 (7): a private key in the header is rejected', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(privateKey)
    const proof = await new SignJWT({ htm: 'GET', htu: URL_, iat: NOW, jti: 'jti-of-this-one' })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey)
    expect(await verifyDpopProof(proof, expectation())).toMatchObject({ kind: 'rejected' })
  })

  it('RFC 9449 4.3 (5): a symmetric signature is rejected', async () => {
    const secret = new Uint8Array(32)
    const jwk = { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
    const proof = await new SignJWT({ htm: 'GET', htu: URL_, iat: NOW, jti: 'jti-of-this-one' })
      .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk })
      .sign(secret)
    expect(await verifyDpopProof(proof, expectation())).toMatchObject({ kind: 'rejected' })
  })

  it('RFC 9449 11.1: a proof that fails uses up no jti', async () => {
    const taken: string[] = []
    const isFresh = (jti: string): boolean => taken.push(jti) > 0
    await verifyDpopProof(await forged({ htm: 'POST' }), expectation({ isFresh }))
    expect(taken).toEqual([])
    expect(await verifyDpopProof(await forged({}), expectation({ isFresh }))).toMatchObject({ kind: 'valid' })
    expect(taken).toHaveLength(1)
  })
})

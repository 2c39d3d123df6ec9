// DPoP (RFC 9449) where it is demanded: bad proofs, replays, downgrades, at the owner API, the protection API and the token endpoint.
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { WalletApi } from '../support/actors.ts'
import { type Answer, call, type DpopKey, newDpopKey, sha256 } from '../support/http.ts'
import { type Cast, cast, challenge, expectRefusal, FORM, oddProof, send } from '../support/odd-requests.ts'

let s: Cast
let origin: string
let wallet: WalletApi
let token: string
beforeAll(async () => {
  s = await cast()
  origin = s.server.origin
  wallet = s.wallet
  token = String(wallet.tokens.access_token)
})

const me = (proof: string | string[] | undefined, scheme = 'DPoP'): Promise<Answer> =>
  send(origin, '/owner/me', { headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) } })

const sound = () => ({ htm: 'GET', htu: `${origin}/owner/me`, token })
const now = () => Math.floor(Date.now() / 1000)

describe('RFC 9449 4.3: proofs', () => {
  it('RFC 9449 4.3: a sound proof opens the door, with query, fragment or capitals in htu as well', async () => {
    for (const htu of [
      `${origin}/owner/me`,
      `${origin}/owner/me?x=1#y`,
      `${origin.replace('localhost', 'LOCALHOST')}/owner/me`,
      `${origin}/x/../owner/me`,
    ]) {
      expect([htu, (await me(await oddProof(wallet.key, { ...sound(), htu }))).status]).toEqual([htu, 200])
    }
    expect((await me(await oddProof(wallet.key, { ...sound(), iat: now() - 50, nonce: 'x', unheard_of: 1 }))).status).toBe(200)
    expect((await me(await oddProof(wallet.key, { ...sound(), iat: now() + 10 }))).status).toBe(200)
    expect((await me(await oddProof(wallet.key, sound()), 'dpop')).status).toBe(200)
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ['no htm', { htm: undefined }],
    ['another method', { htm: 'POST' }],
    ['a method in small letters', { htm: 'get' }],
    ['no htu', { htu: undefined }],
    ['another path', { htu: 'ORIGIN/owner/people' }],
    ['another host', { htu: 'https://evil.example/owner/me' }],
    ['another name of this machine', { htu: 'LOOPBACK/owner/me' }],
    ['a host behind a user name', { htu: 'http://localhost@evil.example/owner/me' }],
    ['htu that is no URI', { htu: '/owner/me' }],
    ['htu that is no text', { htu: ['ORIGIN/owner/me'] }],
    ['no iat', { iat: undefined }],
    ['iat of long ago', { iat: -90 }],
    ['iat far ahead', { iat: 90 }],
    ['iat that is no number', { iat: 'now' }],
    ['exp that has passed', { exp: 1 }],
    ['nbf that is to come', { nbf: 9_999_999_999 }],
    ['no jti', { jti: undefined }],
    ['an empty jti', { jti: '' }],
    ['jti that is no text', { jti: 5 }],
    ['a jti of 300 characters', { jti: 'x'.repeat(300) }],
    ['no ath', { token: undefined }],
    ['ath of another token', { ath: sha256('another') }],
    ['ath in another encoding', { ath: Buffer.from(sha256('x'), 'base64url').toString('hex') }],
    ['another typ', {}, { typ: 'JWT' }],
    ['no typ', {}, { typ: undefined }],
    ['no key', {}, { jwk: undefined }],
    ['a key that is none', {}, { jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } }],
    ['a symmetric key', {}, { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['a critical header', {}, { crit: ['x'], x: 1 }],
    ['a proof of 10 000 characters', { more: 'x'.repeat(10_000) }],
  ])('RFC 9449 4.3: %s is invalid_dpop_proof', async (_why, claims, header) => {
    const { htu, iat } = claims as { htu?: string; iat?: number }
    const placed = {
      ...claims,
      ...(typeof htu === 'string' && { htu: htu.replace('ORIGIN', origin).replace('LOOPBACK', origin.replace('localhost', '127.0.0.1')) }),
      ...(typeof iat === 'number' && { iat: now() + iat }),
    }
    let proof: string
    try {
      proof = await oddProof(wallet.key, { ...sound(), ...placed }, header)
    } catch {
      // The library that signs refuses to write it; then it is written by hand, with a signature over what was meant.
      const payload = { ...sound(), jti: crypto.randomUUID(), iat: now(), ath: sha256(token), ...placed }
      const head = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: wallet.key.jwk, ...header })).toString('base64url')
      const body = Buffer.from(JSON.stringify(payload)).toString('base64url')
      const signature = await crypto.subtle.sign(
        { name: 'ECDSA', hash: 'SHA-256' },
        wallet.key.privateKey as unknown as CryptoKey,
        Buffer.from(`${head}.${body}`),
      )
      proof = `${head}.${body}.${Buffer.from(signature).toString('base64url')}`
    }
    const answer = await me(proof)
    expectRefusal(answer, 401, 'invalid_dpop_proof')
    expect(challenge(answer)).toMatch(/^DPoP error="invalid_dpop_proof", algs="ES256/)
  })

  it('RFC 9449 4.3: no proof, two proofs, half a proof, no JWT', async () => {
    const proof = await oddProof(wallet.key, sound())
    const [head, body, signature] = proof.split('.')
    for (const bad of [
      undefined,
      '',
      ' ',
      'x',
      'a.b.c',
      `${head}.${body}.`,
      `${head}.${body}`,
      `${head}..${signature}`,
      `${proof}.x`,
      `${proof}, ${proof}`,
      `${proof},${proof}`,
      `${head}.${body}.${signature?.slice(0, -4)}AAAA`,
    ]) {
      expectRefusal(await me(bad), 401, 'invalid_dpop_proof')
    }
    expectRefusal(await me([proof, await oddProof(wallet.key, sound())]), 401, 'invalid_dpop_proof')
    expect((await me(proof)).status).toBe(200)
  })

  it('RFC 9449 11.6: none, shared secrets and RSA are not taken; a private key in the header is not either', async () => {
    const payload = { ...sound(), jti: crypto.randomUUID(), iat: now(), ath: sha256(token) }
    const none = `${Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: wallet.key.jwk })).toString('base64url')}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.`
    expectRefusal(await me(none), 401, 'invalid_dpop_proof')
    expectRefusal(await me(`${none}AA`), 401, 'invalid_dpop_proof')
    const bytes = new TextEncoder().encode(JSON.stringify(payload))
    const shared = await new CompactSign(bytes)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk: wallet.key.jwk })
      .sign(new TextEncoder().encode(JSON.stringify(wallet.key.jwk)))
    expectRefusal(await me(shared), 401, 'invalid_dpop_proof')
    const rsa = await generateKeyPair('RS256', { extractable: true })
    const byRsa = await new SignJWT(payload)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'RS256', jwk: await exportJWK(rsa.publicKey) })
      .sign(rsa.privateKey)
    expectRefusal(await me(byRsa), 401, 'invalid_dpop_proof')
    const withPrivate = await oddProof(wallet.key, sound(), { jwk: await exportJWK(wallet.key.privateKey) })
    expectRefusal(await me(withPrivate), 401, 'invalid_dpop_proof')
  })

  it('RFC 9449 4.3: signed by another key than the one it shows', async () => {
    const other = await newDpopKey()
    expectRefusal(await me(await oddProof({ ...wallet.key, privateKey: other.privateKey }, sound())), 401, 'invalid_dpop_proof')
  })

  it('RFC 9449 4.3: a sound proof of another key is not that of this token', async () => {
    const answer = await me(await oddProof(await newDpopKey(), sound()))
    expectRefusal(answer, 401, 'invalid_token')
    expect(challenge(answer)).toMatch(/^DPoP error="invalid_token"/)
  })

  it('RFC 9449 5.1: keys of Ed25519 are as good', async () => {
    const pair = await generateKeyPair('Ed25519', { extractable: true })
    const jwk = await exportJWK(pair.publicKey)
    const key: DpopKey = { privateKey: pair.privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
    const proofs = await Promise.all(['EdDSA', 'Ed25519'].map((alg) => oddProof(key, { htm: 'POST', htu: `${origin}/token` }, { alg })))
    for (const dpop of proofs) {
      const form = { grant_type: 'refresh_token', refresh_token: String(s.service.tokens.refresh_token) }
      const answer = await call(`${origin}/token`, {
        form,
        basic: { id: s.service.client.id, secret: s.service.client.secret ?? '' },
        headers: { dpop },
      })
      expect([answer.status, answer.json.token_type]).toEqual([200, 'DPoP'])
    }
  })
})

describe('RFC 9449 7: downgrade', () => {
  it('RFC 9449 7.2: a bound token does not go as Bearer, with a proof beside it or without', async () => {
    for (const proof of [undefined, await oddProof(wallet.key, sound())]) {
      const answer = await me(proof, 'Bearer')
      expectRefusal(answer, 401, 'invalid_token')
      expect(challenge(answer)).toBe('Bearer error="invalid_token"')
    }
  })

  it('RFC 9449 7.1: an unbound token does not go as DPoP', async () => {
    const key = await newDpopKey()
    expectRefusal(await s.service.call('/uma/resource', { dpop: key }), 401, 'invalid_token')
    expect((await s.service.call('/uma/resource')).status).toBe(200)
  })

  it('RFC 6750 2: nothing but the Authorization header, and one of it', async () => {
    for (const path of [`/owner/me?access_token=${token}`, `/uma/resource?access_token=${s.service.pat}`]) {
      const answer = await send(origin, path)
      expectRefusal(answer, 401, 'invalid_token')
      // RFC 6750 3.1: who has shown nothing is told no error code; RFC 6750 3: each challenge has a parameter.
      expect(challenge(answer)).toMatch(/^Bearer realm="uma_(owner|protection)", DPoP algs="ES256 EdDSA Ed25519"$/)
    }
    const body = `access_token=${s.service.pat}&token=x`
    expectRefusal(await send(origin, '/introspect', { method: 'POST', headers: { 'content-type': FORM }, body }), 401, 'invalid_token')
    const twice = [`Bearer ${s.service.pat}`, `Bearer ${s.service.pat}`]
    expectRefusal(await send(origin, '/uma/resource', { headers: { authorization: twice } }), 401, 'invalid_token')
  })

  it('TESTS HT-05: other schemes and other spellings are no token', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${s.service.pat}`,
      `Token ${s.service.pat}`,
      `Bearerx ${s.service.pat}`,
      s.service.pat,
      `Bearer ${s.service.pat} x`,
      `Bearer "${s.service.pat}"`,
      `Bearer ${s.service.pat}x`,
      `Bearer=${s.service.pat}`,
      `Bearer\t${s.service.pat}`,
      `Bearer ${'x'.repeat(9000)}`,
    ]) {
      const answer = await send(origin, '/uma/resource', { headers: { authorization } })
      expect([authorization.slice(0, 12), answer.status]).toEqual([authorization.slice(0, 12), 401])
      expectRefusal(answer, 401, 'invalid_token')
    }
    for (const scheme of ['bearer', 'BEARER', 'Bearer '])
      expect((await send(origin, '/uma/resource', { headers: { authorization: `${scheme} ${s.service.pat}` } })).status).toBe(200)
  })
})

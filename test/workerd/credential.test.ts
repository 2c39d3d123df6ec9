// Issuing e-mail credentials (OpenID4VCI 1.0): what the credential endpoint gives, to whom, and what it refuses.
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { showAddress } from '../support/actors.ts'
import { type Stage, stage, walletPart } from '../support/claims.ts'
import { type Answer, call, type DpopKey, newDpopKey } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

let as: Running
let s: Stage
beforeAll(async () => {
  as = await ownAs()
  s = await stage(as)
})
afterEach(() => as.setClock(0))
afterAll(() => as.stop())

const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

/** The pre-authorized code of a fresh offer. */
const offered = async (): Promise<{ code: string; address: string }> => {
  const { guest, page } = await s.arrive()
  const done = await showAddress(as, guest, page)
  const { request, csrf } = walletPart(done, 'keep')
  const { json } = await guest.browser.post(done, request, {}, { 'x-csrf': csrf })
  const offer = (json as { credential_offer: { grants: Record<string, Record<string, string>> } }).credential_offer
  return { code: offer.grants[PRE_AUTHORIZED]?.['pre-authorized_code'] ?? '', address: guest.address }
}

const redeem = (code: string, dpop?: DpopKey): Promise<Answer> =>
  call(`${as.origin}/token`, { form: { grant_type: PRE_AUTHORIZED, 'pre-authorized_code': code }, ...(dpop ? { dpop } : {}) })

const accessToken = async (dpop: DpopKey): Promise<{ token: string; address: string }> => {
  const { code, address } = await offered()
  const { json } = await redeem(code, dpop)
  return { token: String(json.access_token), address }
}

const nonce = async (): Promise<string> => String((await call(`${as.origin}/nonce`, { method: 'POST' })).json.c_nonce)

type ProofOptions = { nonce?: string | undefined; aud?: string; typ?: string; jwk?: JWK; alg?: string; iat?: number }

const proof = async (options: ProofOptions = {}): Promise<string> => {
  const { privateKey, publicKey } = await generateKeyPair(options.alg ?? 'ES256', { extractable: true })
  return new SignJWT({ nonce: 'nonce' in options ? options.nonce : await nonce() })
    .setProtectedHeader({
      typ: options.typ ?? 'openid4vci-proof+jwt',
      alg: options.alg ?? 'ES256',
      jwk: options.jwk ?? (await exportJWK(publicKey)),
    })
    .setAudience(options.aud ?? as.origin)
    .setIssuedAt(options.iat)
    .sign(privateKey)
}

const credential = (token: string, dpop: DpopKey | undefined, proofs: string[], more: Record<string, unknown> = {}): Promise<Answer> =>
  call(`${as.origin}/credential`, {
    json: { credential_configuration_id: 'email', proofs: { jwt: proofs }, ...more },
    bearer: token,
    ...(dpop ? { dpop } : {}),
  })

describe('OpenID4VCI 12.2: what a wallet reads first', () => {
  it('OpenID4VCI 12.2: metadata name the endpoints, the batch and the credential', async () => {
    const { json, headers } = await call(`${as.origin}/.well-known/openid-credential-issuer`)
    expect(json).toMatchObject({
      credential_issuer: as.origin,
      credential_endpoint: `${as.origin}/credential`,
      nonce_endpoint: `${as.origin}/nonce`,
      batch_credential_issuance: { batch_size: 20 },
      credential_configurations_supported: { email: { format: 'dc+sd-jwt', vct: `${as.origin}/vct/email` } },
    })
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })

  it('SD-JWT VC 4, did:web 3: keys of credentials and of requests are published, public halves only', async () => {
    const [issuer, did] = await Promise.all([call(`${as.origin}/.well-known/jwt-vc-issuer`), call(`${as.origin}/.well-known/did.json`)])
    expect(issuer.json.issuer).toBe(as.origin)
    expect(did.json.id).toBe(`did:web:${new URL(as.origin).host.replace(':', '%3A')}`)
    expect(issuer.text + did.text).not.toContain('"d":')
  })
})

describe('OpenID4VCI 8: the credential endpoint', () => {
  it('OpenID4VCI 8.3: twenty keys, twenty credentials, each signed by a published key, the address only disclosed', async () => {
    const dpop = await newDpopKey()
    const { token, address } = await accessToken(dpop)
    const fresh = await nonce()
    const answer = await credential(token, dpop, await Promise.all(Array.from({ length: 20 }, () => proof({ nonce: fresh }))))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { credentials } = answer.json as unknown as { credentials: { credential: string }[] }
    expect(credentials).toHaveLength(20)
    const { jwks } = (await call(`${as.origin}/.well-known/jwt-vc-issuer`)).json as unknown as { jwks: { keys: JWK[] } }
    const holders = await Promise.all(
      credentials.map(async ({ credential: sdJwt }) => {
        const { payload } = await jwtVerify(sdJwt.split('~')[0] ?? '', createLocalJWKSet(jwks), { typ: 'dc+sd-jwt', issuer: as.origin })
        expect(JSON.stringify(payload)).not.toContain(address)
        return (payload.cnf as { jwk: JWK }).jwk.x
      }),
    )
    expect(new Set(holders).size).toBe(20)
  })

  it('OpenID4VCI 8: an Ed25519 key holds a credential as well', async () => {
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    expect((await credential(token, dpop, [await proof({ alg: 'EdDSA' })])).status).toBe(200)
  })

  const refusals: [string, string, () => Promise<string[]>][] = [
    ['21 proofs', 'invalid_credential_request', async () => Promise.all(Array.from({ length: 21 }, () => proof()))],
    ['no proof', 'invalid_credential_request', async () => []],
    ['one key twice', 'invalid_proof', async () => Array<string>(2).fill(await proof())],
    ['a proof for another issuer', 'invalid_proof', async () => [await proof({ aud: 'https://other.example' })]],
    ['a proof of another kind', 'invalid_proof', async () => [await proof({ typ: 'dpop+jwt' })]],
    ['a proof by another key', 'invalid_proof', async () => [await proof({ jwk: (await newDpopKey()).jwk })]],
    [
      'a private key in the header',
      'invalid_proof',
      async () => {
        const { privateKey } = await generateKeyPair('ES256', { extractable: true })
        return [await proof({ jwk: await exportJWK(privateKey) })]
      },
    ],
    ['an old proof', 'invalid_proof', async () => [await proof({ iat: Math.floor(Date.now() / 1000) - 1000 })]],
    ['nonsense', 'invalid_proof', async () => ['a.b.c']],
    ['no nonce', 'invalid_nonce', async () => [await proof({ nonce: undefined })]],
    ['a made-up nonce', 'invalid_nonce', async () => [await proof({ nonce: 'x'.repeat(60) })]],
  ]
  it.each(refusals)('OpenID4VCI 8.3.1: %s: refused with %s', async (_title, error, make) => {
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    const answer = await credential(token, dpop, await make())
    expect([answer.status, answer.json.error]).toEqual([400, error])
  })

  it('OpenID4VCI 8.3.1: another credential than ours is unknown', async () => {
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    const answer = await credential(token, dpop, [await proof()], { credential_configuration_id: 'pid' })
    expect(answer.json.error).toBe('unknown_credential_configuration')
  })

  it('OpenID4VCI 7: a nonce is good for five minutes', async () => {
    await as.setClock(-301)
    const old = await nonce()
    await as.setClock(-240)
    const young = await nonce()
    await as.setClock(0)
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    expect((await credential(token, dpop, [await proof({ nonce: old })])).json.error).toBe('invalid_nonce')
    expect((await credential(token, dpop, [await proof({ nonce: young })])).status).toBe(200)
  })

  it('RFC 9449 7: the token counts only with its key, and only as DPoP', async () => {
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    const proofs = [await proof()]
    for (const answer of [
      await credential(token, undefined, proofs),
      await credential(token, await newDpopKey(), proofs),
      await credential('x'.repeat(80), dpop, proofs),
    ]) {
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP error=/)
    }
    expect((await call(`${as.origin}/credential`, { json: {} })).status).toBe(401)
    expect((await credential(token, dpop, proofs)).status).toBe(200)
  })

  it('CLAIMS 8: a token gives no endless batches', async () => {
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await credential(token, dpop, [await proof()])).status)
    expect(statuses).toEqual([200, 200, 200, 200, 401])
  })

  it('CLAIMS 11 #31: an offer is good for two minutes, and so is what it gives', async () => {
    const { code } = await offered()
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    await as.setClock(121)
    // The proofs must be of the server's time for the tokens to be what is refused.
    const late = await call(`${as.origin}/token`, {
      form: { grant_type: PRE_AUTHORIZED, 'pre-authorized_code': code },
      headers: { dpop: await proofAt(121, dpop) },
    })
    expect(late.json.error).toBe('invalid_grant')
    const answer = await credential(token, dpop, ['x'])
    expect([answer.status, answer.json.error]).toEqual([401, 'invalid_token'])
  })

  it('TK-05: a credential token opens nothing else, and no other token opens this', async () => {
    const dpop = await newDpopKey()
    const { token } = await accessToken(dpop)
    expect((await call(`${as.origin}/owner/me`, { bearer: token, dpop })).status).toBe(401)
    expect((await call(`${as.origin}/uma/resource`, { bearer: token })).status).toBe(401)
    expect((await credential(s.service.pat, dpop, [await proof()])).status).toBe(401)
    expect((await redeem(token, dpop)).json.error).toBe('invalid_grant')
  })
})

/** A DPoP proof for the token endpoint, made so many seconds from now. */
const proofAt = (ahead: number, key: DpopKey): Promise<string> =>
  new SignJWT({ htm: 'POST', htu: `${as.origin}/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
    .setIssuedAt(Math.floor(Date.now() / 1000) + ahead)
    .sign(key.privateKey)

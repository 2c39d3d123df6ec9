import { base64url, CompactEncrypt, type CryptoKey, decodeProtectedHeader, generateKeyPair, importJWK, type JWK, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TransactionData } from '../../shared/protocol/wallet.ts'
import { claimValue } from '../../worker/claims/address.ts'
import { didDocument, didOf, makeVpRequest, type PendingRequest, verifierId } from '../../worker/claims/vp-request.ts'
import { verifyVpResponse } from '../../worker/claims/vp-response.ts'
import { testKeyring } from '../support/keyring.ts'
import { type Forgery, forge, newHolder, type Setting } from '../support/proof.ts'

const NOW = 1_800_000_000
const ISSUER = 'https://as.example'
const NEGOTIATION = 'n1'
const transaction: TransactionData = {
  type: 'urn:latchkey:uma-claims-gathering:1',
  credential_ids: ['email'],
  ticket_hash: 'hash',
  client_id: 'c1',
  client_name: 'PhotoPrint',
  claims_redirect_uri: 'https://photoprint.example/cb',
  service_name: 'Vault',
  resource_scopes: ['view'],
}

type Request = { nonce: string; transaction_data: string[]; client_metadata: { jwks: { keys: JWK[] } } } & Record<string, unknown>
let base: Omit<Setting, 'nonce' | 'aud'>
let request: Request
let pending: PendingRequest
let jar: string

beforeAll(async () => {
  base = { keyring: await testKeyring(), issuer: ISSUER, holder: await newHolder(), now: NOW }
  const made = await makeVpRequest(base.keyring, { issuer: ISSUER, negotiation: NEGOTIATION, transaction, now: NOW })
  jar = made.request
  pending = made.pending
  request = await read(jar)
})

async function read(text: string): Promise<Request> {
  const key = await importJWK(base.keyring.publicJwks[0] as JWK, 'ES256')
  const { payload } = await jwtVerify(text, key, { typ: 'oauth-authz-req+jwt', currentDate: new Date(NOW * 1000) })
  return payload as Request
}

type Answer = {
  forgery?: Forgery
  setting?: Partial<Setting>
  body?: (presentation: string) => unknown
  header?: Record<string, unknown>
  to?: JWK | CryptoKey
}

async function answer({ forgery, setting, body, header, to }: Answer = {}): Promise<string> {
  const presentation = await forge(
    { ...base, aud: `origin:${ISSUER}`, nonce: request.nonce, transactionData: request.transaction_data, ...setting },
    forgery,
  )
  const { alg: _, use: __, ...published } = request.client_metadata.jwks.keys[0] as JWK
  const key = to ?? (published as JWK)
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(body?.(presentation) ?? { vp_token: { email: [presentation] } })))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', ...header })
    .encrypt(key)
}

const verify = (response: string, change: Partial<Parameters<typeof verifyVpResponse>[1]> = {}) =>
  verifyVpResponse(base.keyring, { response, pending, negotiation: NEGOTIATION, issuer: ISSUER, now: NOW, ...change })

describe('the request to a wallet (OpenID4VP 1.0 over the Digital Credentials API, CLAIMS 6)', () => {
  it('OpenID4VP 5: signed by a key of the DID document, under its full key id', async () => {
    const document = didDocument(ISSUER, base.keyring.publicJwks) as { id: string; verificationMethod: { id: string }[] }
    expect(document.id).toBe('did:web:as.example')
    expect(decodeProtectedHeader(jar)).toEqual({ alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: document.verificationMethod[0]?.id })
  })

  it('OpenID4VP A.2: says who may receive the answer, and that it must be encrypted', async () => {
    expect(request).toMatchObject({
      client_id: 'decentralized_identifier:did:web:as.example',
      expected_origins: [ISSUER],
      response_type: 'vp_token',
      response_mode: 'dc_api.jwt',
      iat: NOW,
      exp: NOW + 300,
      client_metadata: { encrypted_response_enc_values_supported: ['A256GCM'] },
    })
    expect(base64url.decode(request.nonce)).toHaveLength(32)
  })

  it('CLAIMS 11 #17: asks for the address and for nothing else', () => {
    expect(request.dcql_query).toEqual({
      credentials: [{ id: 'email', format: 'dc+sd-jwt', meta: { vct_values: [`${ISSUER}/vct/email`] }, claims: [{ path: ['email'] }] }],
    })
  })

  it('CLAIMS 6 step 3: the transaction says ticket, client and where the person goes on to', () => {
    expect(JSON.parse(new TextDecoder().decode(base64url.decode(request.transaction_data[0] as string)))).toEqual(transaction)
  })

  it('CLAIMS 6: what the server keeps holds no private key in clear', () => {
    const key = request.client_metadata.jwks.keys[0] as JWK
    expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'enc', alg: 'ECDH-ES' })
    expect(key.d).toBeUndefined()
    expect(JSON.stringify(pending)).not.toContain('"d"')
  })

  it('did:web 3.1: the port of a loopback issuer is percent-encoded', () => {
    expect(didOf('http://localhost:8787')).toBe('did:web:localhost%3A8787')
    expect(verifierId('http://localhost:8787')).toBe('decentralized_identifier:did:web:localhost%3A8787')
  })

  it('CLAIMS 6: nonce and key are never the same twice', async () => {
    const again = await makeVpRequest(base.keyring, { issuer: ISSUER, negotiation: NEGOTIATION, transaction, now: NOW })
    const second = await read(again.request)
    expect(second.nonce).not.toBe(request.nonce)
    expect(second.client_metadata.jwks.keys[0]?.x).not.toBe(request.client_metadata.jwks.keys[0]?.x)
  })
})

describe('the answer of a wallet (OpenID4VP 1.0, 8.3)', () => {
  it('OpenID4VP 8.3: a sound answer becomes evidence', async () => {
    expect(await verify(await answer())).toMatchObject({
      kind: 'evidence',
      address: 'bob@example.net',
      evidence: { value: await claimValue(base.keyring, 'bob@example.net'), method: 'dc+sd-jwt', presented_at: NOW },
    })
  })

  const refused: [title: string, reason: string, make: () => Promise<string>][] = [
    ['made for another session (replay)', 'kb_jwt:nonce', () => answer({ setting: { nonce: 'other' } })],
    ['relayed from another origin', 'kb_jwt:aud', () => answer({ setting: { aud: 'origin:https://evil.example' } })],
    ['made for the token endpoint', 'kb_jwt:aud', () => answer({ setting: { aud: ISSUER } })],
    ['bound to another transaction', 'kb_jwt:transaction_data', () => answer({ setting: { transactionData: ['eyJ9'] } })],
    ['bound to no transaction', 'kb_jwt:transaction_data', () => answer({ forgery: { binding: { transaction_data_hashes: undefined } } })],
    ['without key binding', 'key_binding', () => answer({ forgery: { token: (t) => t.slice(0, t.lastIndexOf('~') + 1) } })],
    ['another kind of credential', 'vct', () => answer({ forgery: { payload: (p) => ({ ...p, vct: 'urn:eudi:pid:1' }) } })],
    ['encrypted to another key', 'response', async () => answer({ to: (await generateKeyPair('ECDH-ES')).publicKey })],
    ['another content encryption', 'response', () => answer({ header: { enc: 'A128GCM' } })],
    ['another key management', 'response', () => answer({ header: { alg: 'ECDH-ES+A256KW' } })],
    ['not encrypted', 'response', async () => forge({ ...base, aud: `origin:${ISSUER}`, nonce: request.nonce })],
    ['two presentations', 'response', () => answer({ body: (p) => ({ vp_token: { email: [p, p] } }) })],
    ['a second credential', 'response', () => answer({ body: (p) => ({ vp_token: { email: [p], pid: [p] } }) })],
    ['under another name', 'response', () => answer({ body: (p) => ({ vp_token: { mail: [p] } }) })],
    ['not in a list', 'response', () => answer({ body: (p) => ({ vp_token: { email: p } }) })],
    ['no presentation', 'response', () => answer({ body: () => ({ error: 'access_denied' }) })],
    ['null', 'response', () => answer({ body: () => [null] })],
    ['changed on the way', 'response', async () => (await answer()).replace(/(?<=^[^.]*\.\.[^.]*\.)./, (c) => (c === 'A' ? 'B' : 'A'))],
    ['megabytes', 'response', async () => 'A'.repeat(1_000_000)],
    ['nothing', 'response', async () => ''],
  ]
  for (const [title, reason, make] of refused) {
    it(`CLAIMS 11 #1-#5: ${title}: refused (${reason})`, async () => {
      expect(await verify(await make())).toEqual({ kind: 'rejected', reason })
    })
  }

  it('CLAIMS 6: five minutes later it is too late', async () => {
    expect(await verify(await answer(), { now: NOW + 300 })).toEqual({ kind: 'rejected', reason: 'expired' })
  })

  it('CLAIMS 6: the sealed key of one negotiation does not open for another', async () => {
    expect(await verify(await answer(), { negotiation: 'n2' })).toEqual({ kind: 'rejected', reason: 'response' })
  })
})

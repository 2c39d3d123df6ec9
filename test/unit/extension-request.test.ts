// Is a page's question sound? Every way in which it may not be.
import { generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { didOf, fits, verifyRequest } from '../../extension/as/presentation-request.ts'
import { DID, type FakeIssuer, ISSUER, makeIssuer, transaction } from '../support/fake-issuer.ts'

const NOW = 1_777_000_000
let issuer: FakeIssuer
beforeAll(async () => {
  issuer = await makeIssuer({ now: NOW })
})

const judge = (jar: string, { origin = ISSUER, document = issuer.didDocument as unknown, now = NOW } = {}) =>
  verifyRequest(jar, origin, document, now)

describe('OpenID4VP 1.0: the signed request', () => {
  it('OpenID4VP 5: a sound request says what is asked, by whom, for what', async () => {
    const verdict = await judge(await issuer.request())
    expect(verdict).toMatchObject({
      kind: 'sound',
      request: {
        nonce: 'n'.repeat(43),
        credential_id: 'email',
        tells: 'email',
        transaction: { client_name: 'PhotoPrint', service_name: 'Vault' },
        encryption: { kid: 'enc-1' },
      },
    })
  })

  it('CLAIMS 6: only the domain may be asked for as well', async () => {
    expect(await judge(await issuer.request({ dcql_query: issuer.query('email_domain') }))).toMatchObject({
      request: { tells: 'email_domain' },
    })
  })

  it('did:web 3.2: the port of an origin is percent-encoded', () => {
    expect(didOf('http://localhost:8787')).toBe('did:web:localhost%3A8787')
    expect(didOf(ISSUER)).toBe(DID)
  })

  it('RFC 9101 6.2: a tampered request is refused', async () => {
    const [header, payload = '', signature] = (await issuer.request()).split('.')
    const changed = Buffer.from(
      Buffer.from(payload, 'base64url').toString().replace('PhotoPrint', 'PhotoPrjnt').replace('n'.repeat(43), 'm'.repeat(43)),
    ).toString('base64url')
    expect(await judge([header, changed, signature].join('.'))).toMatchObject({ kind: 'refused' })
  })

  it('OpenID4VP A.2: a request of one server relayed by the page of another is refused', async () => {
    expect(await judge(await issuer.request(), { origin: 'https://evil.example' })).toMatchObject({ kind: 'refused' })
    const evilDocument = { ...issuer.didDocument, id: 'did:web:evil.example' }
    expect(await judge(await issuer.request(), { origin: 'https://evil.example', document: evilDocument })).toMatchObject({
      kind: 'refused',
    })
  })

  it('RFC 9101 6.2: a signature of somebody else under the right key id is refused', async () => {
    const other = await generateKeyPair('ES256')
    const jar = await new SignJWT({ nonce: 'x' })
      .setProtectedHeader({ alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: `${DID}#k1` })
      .sign(other.privateKey)
    expect(await judge(jar)).toMatchObject({ kind: 'refused' })
  })

  it.each<[string, Record<string, unknown>]>([
    ['OpenID4VP A.2: expected_origins without this origin', { expected_origins: ['https://other.example'] }],
    ['OpenID4VP A.2: expected_origins empty', { expected_origins: [] }],
    ['OpenID4VP A.2: expected_origins absent', { expected_origins: undefined }],
    ['OpenID4VP 8.3: answer not encrypted', { response_mode: 'dc_api' }],
    ['OpenID4VP 5.1: other response type', { response_type: 'code' }],
    ['OpenID4VP 5.9: other client', { client_id: 'decentralized_identifier:did:web:evil.example' }],
    ['OpenID4VP 5.2: nonce too short', { nonce: 'short' }],
    ['RFC 7519 4.1.4: expired', { iat: NOW - 400, exp: NOW - 1 }],
    ['RFC 7519 4.1.4: expired within the tolerance of clocks', { exp: NOW }],
    ['RFC 7519 4.1.6: from the future', { iat: NOW + 3600, exp: NOW + 3900 }],
    ['CLAIMS 6: lives too long', { exp: NOW + 86_400 }],
    ['OpenID4VP 8.4: unknown transaction type', { transaction_data: [transaction({ type: 'urn:example:payment' })] }],
    ['OpenID4VP 8.4: transaction data for another credential', { transaction_data: [transaction({ credential_ids: ['other'] })] }],
    ['OpenID4VP 8.4: transaction data for more credentials', { transaction_data: [transaction({ credential_ids: ['email', 'pid'] })] }],
    ['OpenID4VP 8.4: no transaction data', { transaction_data: undefined }],
    ['OpenID4VP 8.4: transaction data twice', { transaction_data: [transaction(), transaction({ client_name: 'Other' })] }],
    ['OpenID4VP 8.4: transaction data without a client', { transaction_data: [transaction({ client_name: undefined })] }],
    ['OpenID4VP 8.4: transaction data is not JSON', { transaction_data: ['e30x!'] }],
    [
      'OpenID4VP 8.3: no encryption key',
      { client_metadata: { jwks: { keys: [{ kty: 'RSA', kid: 'r' }] }, encrypted_response_enc_values_supported: ['A256GCM'] } },
    ],
  ])('%s', async (_why, changes) => {
    expect(await judge(await issuer.request(changes))).toMatchObject({ kind: 'refused' })
  })

  it('OpenID4VP 8.3: another encryption than A256GCM is refused', async () => {
    const { client_metadata } = JSON.parse(Buffer.from((await issuer.request()).split('.')[1] ?? '', 'base64url').toString())
    expect(
      await judge(
        await issuer.request({ client_metadata: { ...client_metadata, encrypted_response_enc_values_supported: ['A128CBC-HS256'] } }),
      ),
    ).toMatchObject({ kind: 'refused' })
    expect(await judge(await issuer.request({ client_metadata: { jwks: client_metadata.jwks } }))).toMatchObject({ kind: 'refused' })
  })

  it.each<[string, Record<string, unknown>]>([
    ['RFC 9101 10.8: other typ', { typ: 'JWT' }],
    ['RFC 9101 10.8: typ of a credential', { typ: 'dc+sd-jwt' }],
    ['OpenID4VP 5.9.3: key of another did', { kid: 'did:web:evil.example#k1' }],
    ['OpenID4VP 5.9.3: unknown key', { kid: `${DID}#k9` }],
    ['OpenID4VP 5.9.3: no key id', { kid: undefined }],
  ])('%s is refused', async (_why, header) => {
    expect(await judge(await issuer.request({}, header))).toMatchObject({ kind: 'refused' })
  })

  it('RFC 8725 3.1: an unsigned request is refused', async () => {
    const [, payload] = (await issuer.request()).split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'oauth-authz-req+jwt', kid: `${DID}#k1` })).toString('base64url')
    expect(await judge(`${header}.${payload}.`)).toMatchObject({ kind: 'refused' })
  })

  it.each<[string, unknown]>([
    ['not there', undefined],
    ['no object', 'text'],
    ['of another did', { id: 'did:web:evil.example', verificationMethod: [] }],
    ['without keys', { id: DID, verificationMethod: [] }],
  ])('OpenID4VP 5.9.3: did.json %s is refused', async (_why, document) => {
    expect(await verifyRequest(await issuer.request(), ISSUER, document, NOW)).toMatchObject({ kind: 'refused' })
  })

  it.each([
    ['no JWS', 'hello'],
    ['empty', ''],
    ['three dots', 'a.b.c'],
  ])('RFC 9101 6.2: %s is refused', async (_why, jar) => {
    expect(await judge(jar)).toMatchObject({ kind: 'refused' })
  })
})

describe('CLAIMS 11, threat 17: over-asking', () => {
  const one = (claims: unknown, more: object = {}) => ({
    credentials: [{ id: 'email', format: 'dc+sd-jwt', meta: { vct_values: [`${ISSUER}/vct/email`] }, claims, ...more }],
  })
  it.each<[string, () => Record<string, unknown>]>([
    ['a phone number', () => one([{ path: ['phone_number'] }])],
    ['an address and a phone number', () => one([{ path: ['email'] }, { path: ['phone_number'] }])],
    ['address and domain', () => one([{ path: ['email'] }, { path: ['email_domain'] }])],
    ['something inside the address', () => one([{ path: ['email', 'local'] }])],
    ['everything (no claims named)', () => one(undefined)],
    ['several credentials of a kind', () => one([{ path: ['email'] }], { multiple: true })],
    [
      'another format',
      () => ({ credentials: [{ id: 'email', format: 'mso_mdoc', meta: { doctype_value: 'x' }, claims: [{ path: ['a', 'b'] }] }] }),
    ],
    [
      'a second credential',
      () => ({ credentials: [...one([{ path: ['email'] }]).credentials, { ...one([{ path: ['email'] }]).credentials[0], id: 'pid' }] }),
    ],
    ['nothing', () => ({ credentials: [] })],
  ])('CLAIMS 11.17: refused: %s', async (_what, query) => {
    expect(await judge(await issuer.request({ dcql_query: query() }))).toMatchObject({ kind: 'refused' })
  })

  it('OpenID4VP 6: a credential fits by type and by value', async () => {
    const verdict = await judge(await issuer.request())
    if (verdict.kind !== 'sound') throw new Error(verdict.reason)
    const { query } = verdict.request
    expect(fits(query, `${ISSUER}/vct/email`, { email: 'bob@example.net' })).toBe(true)
    expect(fits(query, 'https://other.example/vct/email', { email: 'bob@example.net' })).toBe(false)
    expect(fits(query, `${ISSUER}/vct/email`, { email_domain: 'example.net' })).toBe(false)
  })
})

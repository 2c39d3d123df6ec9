// Somebody else's authorization server as a wallet meets it over HTTP: signs requests (OpenID4VP), issues e-mail credentials (OpenID4VCI),
// opens the answers. Written from the specifications with jose alone, so that the wallet is not tested against its own code.
import { compactDecrypt, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'

export const ISSUER = 'https://share.example'
export const DID = 'did:web:share.example'

const sha256 = async (text: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('base64url')
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export const transaction = (changes: Record<string, unknown> = {}): string =>
  encode({
    type: 'urn:latchkey:uma-claims-gathering:1',
    credential_ids: ['email'],
    ticket_hash: 'x'.repeat(43),
    client_id: 'https://photoprint.example/client',
    client_name: 'PhotoPrint',
    client_known: { by: 'document', host: 'photoprint.example' },
    claims_redirect_uri: 'https://photoprint.example/back',
    service_name: 'Vault',
    resource_scopes: ['view'],
    ...changes,
  })

export type IssuerOptions = { now: number }

/** A server with fresh keys. `now` in seconds. */
export const makeIssuer = async ({ now }: IssuerOptions) => {
  const signing = await generateKeyPair('ES256')
  const encryption = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const signingJwk = await exportJWK(signing.publicKey)
  const encryptionJwk: JWK = { ...(await exportJWK(encryption.publicKey)), kid: 'enc-1', alg: 'ECDH-ES', use: 'enc' }
  const spent = new Set<string>()

  const didDocument = {
    id: DID,
    verificationMethod: [{ id: `${DID}#k1`, type: 'JsonWebKey2020', controller: DID, publicKeyJwk: { ...signingJwk, alg: 'ES256' } }],
  }

  const query = (path = 'email', more: object = {}): Record<string, unknown> => ({
    credentials: [{ id: 'email', format: 'dc+sd-jwt', meta: { vct_values: [`${ISSUER}/vct/email`] }, claims: [{ path: [path] }], ...more }],
  })

  /** The signed request of a claims page, with members and header changed as a test wants. */
  const request = async (changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> =>
    new SignJWT({
      response_type: 'vp_token',
      response_mode: 'dc_api.jwt',
      client_id: `decentralized_identifier:${DID}`,
      expected_origins: [ISSUER],
      nonce: 'n'.repeat(43),
      dcql_query: query(),
      client_metadata: { jwks: { keys: [encryptionJwk] }, encrypted_response_enc_values_supported: ['A256GCM'] },
      transaction_data: [transaction()],
      iat: now,
      exp: now + 300,
      ...changes,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: `${DID}#k1`, ...header })
      .sign(signing.privateKey)

  /** An e-mail credential bound to a holder's key: three claims, each disclosable by itself. */
  const issue = async (holder: JWK, email: string, changes: Record<string, unknown> = {}): Promise<string> => {
    const claims = { email, email_domain: email.split('@')[1], email_verified: true }
    const disclosures = Object.entries(claims).map(([name, value]) => encode([crypto.randomUUID(), name, value]))
    const jwt = await new SignJWT({
      iss: ISSUER,
      vct: `${ISSUER}/vct/email`,
      cnf: { jwk: holder },
      _sd_alg: 'sha-256',
      _sd: await Promise.all(disclosures.map(sha256)),
      verification: { method: 'email-code', controlled_at: now - 60 },
      iat: now,
      exp: now + 7 * 86_400,
      ...changes,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dc+sd-jwt', kid: 'k1' })
      .sign(signing.privateKey)
    return `${jwt}~${disclosures.join('~')}~`
  }

  /** What the claims page gets back, opened and taken apart. */
  const open = async (response: string) => {
    const { plaintext, protectedHeader } = await compactDecrypt(response, encryption.privateKey)
    const { vp_token } = JSON.parse(new TextDecoder().decode(plaintext)) as { vp_token: Record<string, string[]> }
    const presentation = vp_token.email?.[0] ?? ''
    const parts = presentation.split('~')
    const keyBinding = parts.pop() ?? ''
    const { payload: credential } = await jwtVerify(parts[0] ?? '', signing.publicKey)
    const { payload, protectedHeader: keyBindingHeader } = await jwtVerify(keyBinding, (credential.cnf as { jwk: JWK }).jwk, {
      algorithms: ['ES256'],
    })
    return {
      header: protectedHeader,
      jwt: parts[0],
      credential,
      disclosed: parts.slice(1).map((text) => JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, unknown]),
      keyBinding: payload,
      keyBindingHeader,
      sd_hash: await sha256(`${parts.join('~')}~`),
    }
  }

  const offer = (code = 'code-1', changes: object = {}): Record<string, unknown> => ({
    credential_issuer: ISSUER,
    credential_configuration_ids: ['email'],
    grants: { 'urn:ietf:params:oauth:grant-type:pre-authorized_code': { 'pre-authorized_code': code } },
    ...changes,
  })

  const answer = (body: unknown, status = 200): Response =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } })

  const token = async (init: RequestInit): Promise<Response> => {
    const form = new URLSearchParams(String(init.body))
    const code = form.get('pre-authorized_code') ?? ''
    if (!new Headers(init.headers).has('dpop') || form.has('client_id')) return answer({ error: 'invalid_request' }, 400)
    if (spent.has(code)) return answer({ error: 'invalid_grant' }, 400)
    spent.add(code)
    return answer({ access_token: `access-${code}`, token_type: 'DPoP', expires_in: 120 })
  }

  const credential = async (init: RequestInit): Promise<Response> => {
    const { proofs } = JSON.parse(String(init.body)) as { proofs: { jwt: string[] } }
    const issued = proofs.jwt.map(async (proof) => {
      const { payload, protectedHeader } = await jwtVerify(
        proof,
        async ({ jwk }) => crypto.subtle.importKey('jwk', jwk as JsonWebKey, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']),
        {
          typ: 'openid4vci-proof+jwt',
          audience: ISSUER,
        },
      )
      if (payload.nonce !== 'c-nonce') throw new Error('c_nonce')
      return { credential: await issue(protectedHeader.jwk as JWK, 'bob@example.net') }
    })
    return answer({ credentials: await Promise.all(issued) })
  }

  const routes: Record<string, (init: RequestInit) => Response | Promise<Response>> = {
    '/.well-known/did.json': () => answer(didDocument),
    '/.well-known/uma2-configuration': () => answer({ issuer: ISSUER, token_endpoint: `${ISSUER}/token` }),
    '/.well-known/openid-credential-issuer': () =>
      answer({
        credential_issuer: ISSUER,
        credential_endpoint: `${ISSUER}/credential`,
        nonce_endpoint: `${ISSUER}/nonce`,
        batch_credential_issuance: { batch_size: 20 },
      }),
    '/.well-known/jwt-vc-issuer': () => answer({ issuer: ISSUER, jwks: { keys: [{ ...signingJwk, kid: 'k1', alg: 'ES256' }] } }),
    '/nonce': () => answer({ c_nonce: 'c-nonce' }),
    '/token': token,
    '/credential': credential,
  }
  const calls: string[] = []

  /** The server on the network; hosts besides its own do not answer. */
  const fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input)
    calls.push(url.pathname)
    const route = url.origin === ISSUER ? routes[url.pathname] : undefined
    if (!route) throw new TypeError('fetch failed')
    return route(init)
  }

  return { didDocument, request, query, issue, open, offer, fetch, calls, routes }
}
export type FakeIssuer = Awaited<ReturnType<typeof makeIssuer>>

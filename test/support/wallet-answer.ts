// A wallet at the claims page, made independently of the extension: reads the signed request with the keys of the server's DID document
// (OpenID4VP 1.0 over the Digital Credentials API) and answers with one encrypted presentation.
import { createHash } from 'node:crypto'
import { CompactEncrypt, createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify, SignJWT } from 'jose'
import type { Bob, Server } from './actors.ts'
import { walletPart } from './claims.ts'
import { call } from './http.ts'
import type { Page } from './http-browser.ts'
import type { Credential } from './proofs.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

export type WalletRequest = {
  client_id: string
  nonce: string
  expected_origins: string[]
  response_mode: string
  transaction_data: string[]
  client_metadata: { jwks: { keys: JWK[] } }
  [member: string]: unknown
}

/** Presses "Use my wallet": the signed request, checked against the DID document. */
export const askWallet = async (server: Server, guest: Bob, page: Page): Promise<WalletRequest> => {
  const { request, csrf } = walletPart(page, 'present')
  const { status, json } = await guest.browser.post(page, request, {}, { 'x-csrf': csrf })
  if (status !== 200) throw new Error(`wallet-request answered ${status} ${JSON.stringify(json)}`)
  const { requests } = json as { requests: { protocol: string; data: { request: string } }[] }
  const jar = requests[0]?.data.request ?? ''
  const did = (await call(`${server.origin}/.well-known/did.json`)).json as { verificationMethod: { id: string; publicKeyJwk: JWK }[] }
  const { kid } = decodeProtectedHeader(jar)
  const key = did.verificationMethod.find(({ id }) => id === kid)?.publicKeyJwk
  if (key === undefined) throw new Error(`no key ${kid} in did.json`)
  const { payload } = await jwtVerify(jar, createLocalJWKSet({ keys: [{ ...key, kid: kid ?? '' }] }), { typ: 'oauth-authz-req+jwt' })
  return payload as WalletRequest
}

export type AnswerOptions = {
  aud?: string
  nonce?: string
  hashes?: string[] | undefined
  enc?: string
  shown?: (sdJwt: string) => string
  to?: JWK
}

/** The encrypted answer to a request; `options` make single parts of it wrong. */
export const answerWith = async (
  server: Server,
  credential: Credential,
  request: WalletRequest,
  options: AnswerOptions = {},
): Promise<string> => {
  const shown = options.shown?.(credential.sdJwt) ?? onlyEmail(credential.sdJwt)
  const binding = await new SignJWT({
    aud: options.aud ?? `origin:${server.origin}`,
    nonce: options.nonce ?? request.nonce,
    iat: Math.floor(Date.now() / 1000),
    sd_hash: sha256(shown),
    ...('hashes' in options
      ? { transaction_data_hashes: options.hashes }
      : { transaction_data_hashes: request.transaction_data.map(sha256) }),
  })
    .setProtectedHeader({ typ: 'kb+jwt', alg: 'ES256' })
    .sign(credential.privateKey)
  const key = options.to ?? (request.client_metadata.jwks.keys[0] as JWK)
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ vp_token: { email: [shown + binding] } })))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: options.enc ?? 'A256GCM', ...(key.kid === undefined ? {} : { kid: key.kid }) })
    .encrypt(key)
}

/** The credential with the address disclosed and nothing else. */
export const onlyEmail = (sdJwt: string): string => {
  const [jwt, ...disclosures] = sdJwt.split('~').filter((part) => part !== '')
  const email = disclosures.filter((text) => (JSON.parse(Buffer.from(text, 'base64url').toString()) as string[])[1] === 'email')
  return `${[jwt, ...email].join('~')}~`
}

/** Sends an answer as the page's script does. */
export const sendAnswer = (guest: Bob, page: Page, response: string): Promise<{ status: number; json: unknown }> => {
  const { finish, csrf } = walletPart(page, 'present')
  return guest.browser.post(page, finish, { response }, { 'x-csrf': csrf })
}

// A holder of e-mail credentials as a program: takes one after a mailed code (OpenID4VCI 1.0, pre-authorized code) and presents it with
// key binding (RFC 9901). Made independently of the wallet's and the server's code.
import { CompactEncrypt, type CryptoKey, decodeJwt, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { type App, type Bob, goBack, openClaims, type Server, showAddress } from './actors.ts'
import { call, expectStatus, type Json, newDpopKey, sha256 } from './http.ts'
import type { Page } from './http-browser.ts'

export type Credential = { sdJwt: string; privateKey: CryptoKey; jwk: JWK; issuer: string }

const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

type Offer = { credential_configuration_ids: string[]; grants: Record<string, { 'pre-authorized_code': string }> }

/** Redeems a credential offer for one new key. */
export const redeemOffer = async (server: Server, offer: Offer): Promise<Credential> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  const dpop = await newDpopKey()
  const meta = expectStatus(await call(`${server.origin}/.well-known/openid-credential-issuer`), 200, 'credential issuer metadata').json
  const token = expectStatus(
    await call(`${server.origin}/token`, {
      form: { grant_type: PRE_AUTHORIZED, 'pre-authorized_code': offer.grants[PRE_AUTHORIZED]?.['pre-authorized_code'] ?? '' },
      dpop,
    }),
    200,
    'pre-authorized code',
  ).json
  const nonce = expectStatus(await call(String(meta.nonce_endpoint), { method: 'POST' }), 200, 'nonce').json.c_nonce
  const proof = await new SignJWT({ nonce })
    .setProtectedHeader({ typ: 'openid4vci-proof+jwt', alg: 'ES256', jwk })
    .setAudience(String(meta.credential_issuer))
    .setIssuedAt()
    .sign(privateKey)
  const issued = expectStatus(
    await call(String(meta.credential_endpoint), {
      json: { credential_configuration_id: offer.credential_configuration_ids[0], proofs: { jwt: [proof] } },
      bearer: String(token.access_token),
      dpop,
    }),
    200,
    'credential',
  ).json as { credentials?: { credential: string }[] }
  const sdJwt = issued.credentials?.[0]?.credential
  if (sdJwt === undefined) throw new Error(`no credential in ${JSON.stringify(issued)}`)
  return { sdJwt, privateKey, jwk, issuer: String(meta.credential_issuer) }
}

/** Shows the address with a mailed code on a claims page and asks to keep the proof. The ticket is spent for it. */
export const offerOf = async (server: Server, guest: Bob, app: App, ticket: string): Promise<Offer> => {
  const { page } = await openClaims(server, guest, app, ticket)
  const done = await showAddress(server, guest, page)
  const keep = /data-wallet="keep"[^>]*data-request="([^"]+)"[^>]*data-csrf="([^"]+)"/.exec(done.text)
  if (!keep) throw new Error(`the page offers nothing to keep: ${done.status} ${done.url}\n${done.text.slice(0, 600)}`)
  const { status, json } = await guest.browser.post(done, keep[1] ?? '', {}, { 'x-csrf': keep[2] ?? '' })
  if (status !== 200) throw new Error(`keep answered ${status} ${JSON.stringify(json)}`)
  return (json as { credential_offer: Offer }).credential_offer
}

/** `offerOf`, redeemed. */
export const obtainCredential = async (server: Server, guest: Bob, app: App, ticket: string): Promise<Credential> =>
  redeemOffer(server, await offerOf(server, guest, app, ticket))

/** A presentation for one ticket: audience is the server, the nonce is the ticket's hash. `more` replaces members of the key binding. */
export const presentFor = async (credential: Credential, ticket: string, more: Json = {}): Promise<string> => {
  const binding = await new SignJWT({
    aud: credential.issuer,
    nonce: sha256(ticket),
    sd_hash: sha256(credential.sdJwt),
    iat: Math.floor(Date.now() / 1000),
    ...more,
  })
    .setProtectedHeader({ typ: 'kb+jwt', alg: 'ES256' })
    .sign(credential.privateKey)
  return `${credential.sdJwt}${binding}`
}

/** Members of a token request that push a presentation. */
export const pushed = async (credential: Credential, ticket: string, more: Json = {}): Promise<Record<string, string>> => ({
  claim_token: await presentFor(credential, ticket, more),
  claim_token_format: 'dc+sd-jwt',
})

type WalletRequest = { nonce: string; transaction_data: string[]; client_metadata: { jwks: { keys: JWK[] } } }

/**
 * What a wallet does on a claims page: signed request, key binding for this origin and this transaction, encrypted answer (OpenID4VP 1.0).
 * Answers a function that delivers it.
 */
export const makeAnswer = async (
  guest: Bob,
  page: Page,
  credential: Credential,
): Promise<() => Promise<{ status: number; json: unknown }>> => {
  const part = /data-wallet="present"[^>]*data-request="([^"]+)"[^>]*data-finish="([^"]+)"[^>]*data-csrf="([^"]+)"/.exec(page.text)
  if (!part) throw new Error(`the page asks no wallet: ${page.status} ${page.url}`)
  const [, request = '', finish = '', csrf = ''] = part
  const asked = await guest.browser.post(page, request, {}, { 'x-csrf': csrf })
  if (asked.status !== 200) throw new Error(`wallet-request answered ${asked.status} ${JSON.stringify(asked.json)}`)
  const { requests } = asked.json as { requests: { data: { request: string } }[] }
  const { nonce, transaction_data, client_metadata } = decodeJwt(requests[0]?.data.request ?? '') as unknown as WalletRequest
  const presentation = await presentFor(credential, '', {
    aud: `origin:${new URL(page.url).origin}`,
    nonce,
    transaction_data_hashes: transaction_data.map(sha256),
  })
  const [key] = client_metadata.jwks.keys
  if (!key) throw new Error('the request holds no key to encrypt to')
  const response = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ vp_token: { email: [presentation] } })))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', ...(key.kid !== undefined && { kid: key.kid }) })
    .encrypt(await importJWK(key, 'ECDH-ES'))
  return () => guest.browser.post(page, finish, { response }, { 'x-csrf': csrf })
}

/** Delivers the answer of a wallet and goes on to the next page. */
export const answerByWallet = async (guest: Bob, page: Page, credential: Credential): Promise<Page> => {
  const answered = await (await makeAnswer(guest, page, credential))()
  if (answered.status !== 200) throw new Error(`wallet-response answered ${answered.status} ${JSON.stringify(answered.json)}`)
  return guest.browser.open(new URL((answered.json as { next: string }).next, page.url).href)
}

/** Claims page, wallet, back; answers the new ticket. */
export const gatherByWallet = async (server: Server, guest: Bob, app: App, ticket: string, credential: Credential): Promise<string> => {
  const { page } = await openClaims(server, guest, app, ticket)
  const params = await goBack(guest, app, await answerByWallet(guest, page, credential))
  const next = params.get('ticket')
  if (next === null) throw new Error(`no ticket came back: ${params}`)
  return next
}

// A requesting party at Latchkey over HTTP: shows an address with a mailed code on the claims page, keeps the proof (OpenID4VCI 1.0), and
// presents it with key binding (RFC 9901) as a pushed claim token. Proofs with single flaws are made here too.
import { base64url, CompactSign, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { newDpopKey, random, sha256 } from '../../lib/http.ts'
import { expected, proveAddress } from './owner.mjs'

/** @import { Adapter, ClaimFlaw, Ended, Environment, Interaction, Json, OwnerName, Person } from '../../contract.ts' */
/** @import { Browser, Page } from '../../lib/browser.ts' */
/** @import { CryptoKey, JWK } from 'jose' */
/** @import { Mailbox } from './owner.mjs' */
/** @typedef {{ sdJwt: string, key: CryptoKey, jwk: JWK }} Credential */
/** @typedef {{ credential_configuration_ids: string[], grants: Record<string, { 'pre-authorized_code': string }> }} Offer */

const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
const FORMAT = 'dc+sd-jwt'

/**
 * The requesting party's side of the adapter. `anteroom` gives the address of a claims page of the profile's own, to get a proof there.
 * @param {Environment} environment
 * @param {Mailbox} mailbox
 * @param {(person: Person) => Promise<{ url: string, isBack: (url: string) => boolean }>} anteroom
 * @param {(owner: OwnerName) => Promise<Json>} letAsk
 */
export const makeGuests = (environment, mailbox, anteroom, letAsk) => {
  const { issuer, http, now } = environment

  /** Through the pages with a mailed code, up to the one that says what the app may do.
   * @type {(browser: Browser, person: Person, url: string, isBack: (url: string) => boolean, persist?: boolean) => Promise<Page>} */
  const show = async (browser, person, url, isBack, persist = false) => {
    const page = await browser.open(url, isBack)
    if (isBack(page.url) || page.status !== 200) return page
    const next = await proveAddress(mailbox, browser, page, person.address ?? '', isBack, persist ? { skip: 'on' } : {})
    return { ...next, statuses: [...page.statuses, ...next.statuses] }
  }

  /** @type {(interaction: Interaction) => Promise<Ended>} */
  const interact = async ({ url, person, browser, isBack, end = 'share', persist }) => {
    const page = end === 'cancel' ? await browser.open(url, isBack) : await show(browser, person, url, isBack, persist)
    if (isBack(page.url)) return { ...page, back: new URL(page.url) }
    const way = end === 'cancel' ? '/cancel' : '/continue'
    // Not shared with this person: the page offers no way on.
    if (page.status !== 200 || !page.forms.some(({ action }) => action.endsWith(way))) return page
    const between = await browser.send(page, way)
    const back = between.links.find(isBack)
    return { ...between, statuses: [...page.statuses, ...between.statuses], ...(back !== undefined && { back: new URL(back) }) }
  }

  /** @type {(offer: Offer) => Promise<Credential>} */
  const redeem = async (offer) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const [jwk, dpop] = await Promise.all([exportJWK(publicKey), newDpopKey()])
    const meta = expected(await http.call(`${issuer}/.well-known/openid-credential-issuer`), 200, 'credential issuer metadata')
    const form = { grant_type: PRE_AUTHORIZED, 'pre-authorized_code': offer.grants[PRE_AUTHORIZED]?.['pre-authorized_code'] ?? '' }
    const token = expected(await http.call(`${issuer}/token`, { form, dpop }), 200, 'pre-authorized code')
    const { c_nonce } = expected(await http.call(String(meta.nonce_endpoint), { method: 'POST' }), 200, 'nonce')
    const proof = await new SignJWT({ nonce: c_nonce })
      .setProtectedHeader({ typ: 'openid4vci-proof+jwt', alg: 'ES256', jwk })
      .setAudience(String(meta.credential_issuer))
      .setIssuedAt(now())
      .sign(privateKey)
    const json = { credential_configuration_id: offer.credential_configuration_ids[0], proofs: { jwt: [proof] } }
    const answer = await http.call(String(meta.credential_endpoint), { json, bearer: String(token.access_token), dpop })
    const [first] = /** @type {{ credentials: { credential: string }[] }} */ (expected(answer, 200, 'credential')).credentials
    if (!first) throw new Error('no credential came')
    return { sdJwt: first.credential, key: privateKey, jwk }
  }

  /** @type {Map<string, Promise<Credential>>} */
  const credentials = new Map()
  /** @type {(person: Person) => Promise<Credential>} */
  const credentialOf = (person) => {
    const found = credentials.get(person.name)
    if (found) return found
    const made = (async () => {
      const browser = environment.newBrowser()
      const { url, isBack } = await anteroom(person)
      const page = await show(browser, person, url, isBack)
      const [, path = '', csrf = ''] = /data-wallet="keep"[^>]*data-request="([^"]+)"[^>]*data-csrf="([^"]+)"/.exec(page.text) ?? []
      const headers = { 'content-type': 'application/json', origin: issuer, 'sec-fetch-site': 'same-origin', 'x-csrf': csrf }
      const kept = await browser.raw(new URL(path, page.url).href, { method: 'POST', body: '{}', headers })
      return redeem(/** @type {{ credential_offer: Offer }} */ (JSON.parse(kept.text)).credential_offer)
    })()
    credentials.set(person.name, made)
    return made
  }

  /** @type {NonNullable<Adapter['claimToken']>} */
  const claimToken = async ({ person, ticket, flaw }) => {
    const credential = await credentialOf(person)
    const { privateKey: otherKey, publicKey } = await generateKeyPair('ES256')
    const sdJwt = await withFlaw(credential.sdJwt, flaw, otherKey, await exportJWK(publicKey))
    const binding = {
      aud: flaw === 'audience' ? 'https://elsewhere.example' : issuer,
      nonce: sha256(flaw === 'ticket' ? random() : ticket),
      sd_hash: sha256(sdJwt),
      iat: flaw === 'expired' ? now() - 7200 : now(),
      ...(flaw === 'expired' && { exp: now() - 3600 }),
    }
    const isForged = flaw === 'holder' || flaw === 'issuer' || flaw === 'signature' || flaw === 'unsigned'
    const keyBinding = await new SignJWT(binding)
      .setProtectedHeader({ typ: 'kb+jwt', alg: 'ES256' })
      .sign(isForged ? otherKey : credential.key)
    return { claim_token: `${sdJwt}${keyBinding}`, claim_token_format: FORMAT }
  }

  /** @type {NonNullable<Adapter['ask']>} */
  const ask = async ({ owner, person, client, claimsRedirectUri, ticket }) => {
    await letAsk(owner)
    const browser = environment.newBrowser()
    const query = new URLSearchParams({ client_id: client.id, ticket, claims_redirect_uri: claimsRedirectUri })
    const isBack = (/** @type {string} */ url) => url.startsWith(claimsRedirectUri)
    const page = await show(browser, person, `${environment.metadata.claims_interaction_endpoint}?${query}`, isBack)
    const between = await browser.send(await browser.send(page, '/ask', { note: 'Please.' }), '/continue')
    const next = new URL(between.links.find(isBack) ?? between.url).searchParams.get('ticket')
    if (next === null) throw new Error(`no ticket came back after asking: ${between.status} ${between.url}`)
    return next
  }

  return { interact, claimToken, ask }
}

/** The credential as somebody would forge it who has another's, and a key of his own. Key binding alone decides for the other flaws.
 * @type {(sdJwt: string, flaw: ClaimFlaw | undefined, key: CryptoKey, jwk: JWK) => Promise<string>} */
const withFlaw = async (sdJwt, flaw, key, jwk) => {
  const [jws = '', ...disclosures] = sdJwt.split('~')
  const [head = '', body = ''] = jws.split('.')
  const header = /** @type {Json} */ (JSON.parse(new TextDecoder().decode(base64url.decode(head))))
  const payload = { .../** @type {Json} */ (JSON.parse(new TextDecoder().decode(base64url.decode(body)))), cnf: { jwk } }
  const join = (/** @type {string} */ made) => [made, ...disclosures].join('~')
  const bytes = (/** @type {Json} */ json) => new TextEncoder().encode(JSON.stringify(json))
  if (flaw === 'unsigned')
    return join(`${base64url.encode(JSON.stringify({ ...header, alg: 'none' }))}.${base64url.encode(JSON.stringify(payload))}.`)
  if (flaw !== 'issuer' && flaw !== 'signature') return sdJwt
  const claimed = flaw === 'issuer' ? { ...payload, iss: 'https://elsewhere.example' } : payload
  const { alg: _alg, ...rest } = header
  return join(await new CompactSign(bytes(claimed)).setProtectedHeader({ ...rest, alg: 'ES256' }).sign(key))
}

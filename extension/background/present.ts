// Showing a proof: is the question sound, does a proof fit, ask the person, build the answer that only the server can read.
// One step at a time (visits.ts); every step can be repeated with the same outcome.
import { CompactEncrypt, importJWK } from 'jose'
import * as v from 'valibot'
import browser from 'webextension-polyfill'
import type { WalletMessage } from '../../shared/protocol/wallet.ts'
import { serverFetch } from '../as/oauth.ts'
import { fits, type Request, verifyRequest } from '../as/presentation-request.ts'
import { claimsOf, parseSdJwt, present } from '../as/sd-jwt.ts'
import { WalletError } from '../errors.ts'
import type { Consent } from '../messages.ts'
import { hostOf } from '../origin.ts'
import { destroySpent, takeCredential, usableCredentials } from '../wallet/credentials.ts'
import { type NextStep, read, update, type Visit } from '../wallet/storage.ts'

const WINDOW = { type: 'popup', width: 420, height: 560, focused: true } as const
const MOST_SHOWN = 200
const MOST_NAME = 80

const seconds = (): number => Math.floor(Date.now() / 1000)

/** The server's keys, from the server itself over the background's own connection; read once for a visit and kept with it. */
const keyDocument = async (origin: string): Promise<Record<string, unknown>> => {
  const response = await serverFetch(`${origin}/.well-known/did.json`)
  const parsed = v.safeParse(v.record(v.string(), v.unknown()), response.ok ? await response.json().catch(() => undefined) : undefined)
  if (!parsed.success) throw new WalletError('refused', `did.json: status ${response.status}`)
  return parsed.output
}

/** The first sound one of the page's requests, judged afresh at every step: what ran out meanwhile is refused. */
const soundRequest = async ({ origin, document, requests = [] }: Visit): Promise<Request> => {
  const reasons: string[] = []
  for (const jar of requests) {
    const verdict = await verifyRequest(jar, origin, document, seconds())
    if (verdict.kind === 'sound') return verdict.request
    reasons.push(verdict.reason)
  }
  throw new WalletError('refused', reasons.join(', '))
}

/** Addresses at this server whose proofs answer the question. */
const fittingEmails = async (request: Request, origin: string): Promise<string[]> => {
  const fitting: string[] = []
  for (const { email, vct, sd_jwt } of await usableCredentials(origin, seconds())) {
    if (fits(request.query, vct, claimsOf(await parseSdJwt(sd_jwt)))) fitting.push(email)
  }
  return fitting
}

/** Names are whatever their owners wrote: none may push the facts out of the window. */
const cut = (name: string): string => (name.length > MOST_NAME ? `${name.slice(0, MOST_NAME)}…` : name)

/** What the consent window shows; made afresh from the signed request each time it is asked for. */
export const consentOf = async (visit: Visit): Promise<Consent> => {
  const request = await soundRequest(visit)
  const { transaction } = request
  const shown = (await read('shown')).filter(({ issuer }) => issuer === visit.origin)
  // What was shown here last stands first and is chosen; addresses that were never shown here come after.
  const rank = (email: string): number => {
    const index = shown.findIndex((entry) => entry.email === email)
    return index === -1 ? shown.length : index
  }
  const emails = (await fittingEmails(request, visit.origin)).sort((a, b) => rank(a) - rank(b))
  return {
    visit: visit.id,
    origin: visit.origin,
    host: hostOf(visit.origin),
    client_name: cut(transaction.client_name),
    client_known: transaction.client_known,
    client_host: hostOf(transaction.claims_redirect_uri),
    service_name: cut(transaction.service_name),
    service_host: transaction.service_origin === undefined ? undefined : hostOf(transaction.service_origin),
    thing: transaction.resource_label === undefined ? undefined : cut(transaction.resource_label),
    scopes: transaction.resource_scopes,
    scope_names: Object.fromEntries(Object.entries(transaction.scope_names ?? {}).map(([scope, name]) => [scope, cut(name)])),
    tells: request.tells,
    emails,
    is_first_time: shown.length === 0,
  }
}

const verifyStep = async (visit: Visit): Promise<NextStep> => {
  const document = await keyDocument(visit.origin)
  const request = await soundRequest({ ...visit, document })
  if ((await fittingEmails(request, visit.origin)).length === 0) throw new WalletError('no_proof')
  return { step: 'open', document }
}

/** A window of its own, never inside a page. A worker that dies before the window is noted opens another; both show the same visit. */
const openStep = async (visit: Visit): Promise<NextStep> => {
  const window = await browser.windows.create({ url: browser.runtime.getURL(`consent.html#${visit.id}`), ...WINDOW })
  return { step: 'ask', ...(window.id === undefined ? {} : { window_id: window.id }) }
}

const remember = (visit: Visit, { transaction }: Request, email: string): Promise<void> =>
  update('shown', (all) => {
    all.unshift({
      at: seconds(),
      issuer: visit.origin,
      email,
      client_name: transaction.client_name,
      service_name: transaction.service_name,
      ...(transaction.resource_label === undefined ? {} : { thing: transaction.resource_label }),
    })
    all.length = Math.min(all.length, MOST_SHOWN)
  })

/** OpenID4VP 1.0 8.3: the answer as JWE to the key that the signed request named; the page in between cannot read it. */
const encrypt = async (vpToken: Record<string, string[]>, { encryption }: Request): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ vp_token: vpToken })))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: encryption.kid })
    .encrypt(await importJWK(encryption.key, 'ECDH-ES'))

const showStep = async (visit: Visit): Promise<{ result: WalletMessage }> => {
  const request = await soundRequest(visit)
  const { email = '' } = visit
  // Invariant: a credential that was taken is gone, whatever happens to the answer (CLAIMS 6, used once).
  const credential = await takeCredential(visit.origin, email, visit.id, seconds())
  if (!credential) throw new WalletError('no_proof')
  const sdJwt = await parseSdJwt(credential.sd_jwt)
  if (!fits(request.query, credential.vct, claimsOf(sdJwt))) throw new WalletError('no_proof')
  // OpenID4VP 1.0 A.4: over the Digital Credentials API the audience is the origin that the browser told.
  const question = { aud: `origin:${visit.origin}`, nonce: request.nonce, transaction_data_hashes: request.transaction_data_hashes }
  const presentation = await present(sdJwt, [request.tells], credential.keys.privateKey, question, seconds())
  const response = await encrypt({ [request.credential_id]: [presentation] }, request)
  await remember(visit, request, email)
  await destroySpent(visit.id)
  return { result: { kind: 'presented', id: visit.id, response } }
}

/** Does what comes next for this visit. `wait`: the person is asked. Throws a WalletError that ends the visit. */
export const presentStep = async (visit: Visit): Promise<NextStep | { result: WalletMessage } | 'wait'> => {
  switch (visit.step) {
    case 'verify':
      return verifyStep(visit)
    case 'open':
      return openStep(visit)
    case 'ask':
      return 'wait'
    case 'show':
      return showStep(visit)
    default:
      throw new WalletError('failed', `step ${visit.step}`)
  }
}

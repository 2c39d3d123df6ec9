// What tests of attacks begin with: Alice with a service and a wallet, a guest who can prove an address at any moment, an app that may refresh
// what it gets, an issuer whose keys the test holds, and Alice's rules of any kind.
import { rmSync } from 'node:fs'
import { SignJWT } from 'jose'
import { type App, type Bob, bob, codeIn, goBack, openClaims, registerApp, share, UMA_TICKET } from './actors.ts'
import { type Stage, stage } from './claims.ts'
import { type Documents, startDocuments } from './documents.ts'
import { type Answer, call, type DpopKey, expectStatus, type Json, sha256 } from './http.ts'
import { type Browser, openBrowser, type Page } from './http-browser.ts'
import { type Credential, obtainCredential, presentFor } from './proofs.ts'
import { type RuleApi, rulesOf } from './rules.ts'
import type { Running } from './runtime.ts'
import { ownAs } from './server.ts'
import { newSigningKey, type SigningKey } from './signing-client.ts'

export const ID_TOKEN = 'http://openid.net/specs/openid-connect-core-1_0.html#IDToken'
export const JWT = 'urn:ietf:params:oauth:token-type:jwt'

export type Attack = {
  as: Running
  documents: Documents
  s: Stage
  rules: RuleApi
  key: SigningKey
  issuer: string
  app: App
  guest: Bob
  /** How Alice's rules know the guest's address. */
  mac: string
  now: () => number
  pass: (seconds: number) => Promise<void>
  thing: (more?: Json) => Promise<string>
  ticketFor: (id: string, more?: Json) => Promise<string>
  /** The proof of the address, made for this ticket. */
  address: (ticket: string) => Promise<Record<string, string>>
  /** A token request with a fresh ticket and the proof of the address. */
  come: (id: string, more?: Record<string, string>, said?: Json) => Promise<Answer>
  /** Claims of the issuer as this format wants them. */
  says: (claims: Json, by?: SigningKey) => Promise<string>
  refresh: (answer: Answer, dpop?: DpopKey) => Promise<Answer>
  /** Things that an RPT opens now. */
  opens: (rpt: string) => Promise<string[]>
  /** The guest lets the app skip the question from now on: the ticket of the way back. */
  remembered: () => Promise<string>
  /** Opens the guest's own page; what is called then forgets everything. */
  forgetting: () => Promise<() => Promise<Page>>
  stop: () => Promise<void>
}

export const rptOf = (answer: Answer): string => String(expectStatus(answer, 200, 'RPT').json.access_token)
export const nextOf = (answer: Answer): string => String(expectStatus(answer, 403, 'refusal').json.ticket)

/** Who may see /admin. */
export const OLAF = 'olaf@example.net'

/** Everything of it on a server of its own. */
export const attack = async (): Promise<Attack> => {
  const documents = await startDocuments()
  const as = await ownAs({ asVars: { DEV_ORIGINS: documents.origin, OPERATORS: OLAF } })
  const s = await stage(as)
  let clock = 0
  const now = (): number => Math.floor(Date.now() / 1000) + clock
  const pass = async (seconds: number): Promise<void> => {
    clock += seconds
    await as.setClock(clock)
  }
  Object.assign(s.wallet.key, { now })
  const app = await registerApp(as, 'confidential', { grant_types: [UMA_TICKET, 'refresh_token'], scope: 'view edit' })
  const rules = await rulesOf(as, s.wallet, s.resource, now)
  const key = await newSigningKey('ES256', 'k1')
  documents.pages.set('/jwks', { keys: [key.jwk] })
  const guest = bob()
  const mac = await rules.macOf(guest.address)
  await share(s.wallet, s.resource, guest.address)
  const credential: Credential = await obtainCredential(as, guest, app, await s.ticket())
  const thing: Attack['thing'] = (more = {}) => s.service.register({ resource_scopes: ['view'], ...more })
  const ticketFor: Attack['ticketFor'] = (id, more = {}) => s.service.ticket({ resource_id: id, resource_scopes: ['view'], ...more })
  const address: Attack['address'] = async (ticket) => ({
    claim_token: await presentFor(credential, ticket, { iat: now() }),
    claim_token_format: 'dc+sd-jwt',
  })
  const issuer = `${documents.origin}/clinic`
  const prove = async (browser: Browser, page: Page, more: Record<string, string> = {}): Promise<Page> => {
    const seen = as.mailbox.to(guest.address).length
    const codePage = await browser.submit(page, { address: guest.address })
    return browser.submit(codePage, { code: codeIn(await as.mailbox.next(guest.address, seen)), ...more })
  }
  return {
    ...{ as, documents, s, rules, key, issuer, app, guest, mac, now, pass, thing, ticketFor, address },
    come: async (id, more = {}, said = {}) => {
      const ticket = await ticketFor(id, said)
      return app.token(ticket, { ...(await address(ticket)), ...more })
    },
    says: (claims, by = key) =>
      new SignJWT({ iss: issuer, iat: now(), exp: now() + 120, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(by.privateKey),
    refresh: (answer, dpop) =>
      call(`${as.origin}/token`, {
        form: { grant_type: 'refresh_token', refresh_token: String(answer.json.refresh_token) },
        basic: { id: app.client.id, secret: app.client.secret ?? '' },
        ...(dpop && { dpop }),
      }),
    opens: async (rpt) => {
      const { permissions = [] } = (await s.service.introspect(rpt)) as { permissions?: { resource_id: string }[] }
      return permissions.map((one) => one.resource_id).sort()
    },
    remembered: async () => {
      const { page } = await openClaims(as, guest, app, await s.ticket())
      return String((await goBack(guest, app, await prove(guest.browser, page, { skip: 'on' }))).get('ticket'))
    },
    forgetting: async () => {
      const browser = openBrowser()
      const proofs = await prove(browser, await browser.open(`${as.origin}/proofs`))
      const forms = proofs.forms.filter(({ action, fields }) => action.endsWith('/forget') && fields.id === undefined)
      return () => browser.send({ ...proofs, forms }, '/proofs/forget')
    },
    stop: async () => {
      await as.stop()
      await documents.stop()
      rmSync(as.state, { recursive: true, force: true })
    },
  }
}

/** What a JWT made for one ticket says besides. */
export const boundTo = (as: Pick<Running, 'origin'>, ticket: string): Json => ({ aud: as.origin, tkt_hash: sha256(ticket) })

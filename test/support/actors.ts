// The people and programs of the story, over HTTP only: Alice (owner), a service that keeps her things (resource server), an app
// (client) and Bob (guest). They use what a stranger could use: pages, forms, mail and the public endpoints.
import { randomBytes } from 'node:crypto'
import { type Answer, type Call, call, type DpopKey, expectStatus, type Json, newDpopKey, random, sha256 } from './http.ts'
import { type Browser, openBrowser, type Page } from './http-browser.ts'
import type { Mail, Mailbox } from './mailbox.ts'

export const UMA_TICKET = 'urn:ietf:params:oauth:grant-type:uma-ticket'

/** The server under test: where it is, and where its mail can be read. */
export type Server = { origin: string; mailbox: Pick<Mailbox, 'next' | 'to'> }

/** An address that no other test uses. */
export const someone = (name: string): string => `${name}.${randomBytes(5).toString('hex')}@example.net`

/** The code in a mail: the first group of six digits. */
export const codeIn = (mail: Mail): string => {
  const code = /(?<!\d)\d{6}(?!\d)|(?<!\d)\d{3} \d{3}(?!\d)/.exec(mail.text)?.[0]
  if (code === undefined) throw new Error(`no code in the mail: ${mail.text}`)
  return code.replace(' ', '')
}

/** Discovery (UMA Grant 2). */
export const discover = async (server: Server): Promise<Json> =>
  expectStatus(await call(`${server.origin}/.well-known/uma2-configuration`), 200, 'discovery').json

export type Registered = { id: string; secret?: string; metadata: Json }

/** Dynamic registration (RFC 7591). */
export const registerClient = async (server: Server, metadata: Json): Promise<Registered> => {
  const { json } = expectStatus(await call(`${server.origin}/register`, { json: metadata }), 201, 'registration')
  return { id: String(json.client_id), ...(json.client_secret !== undefined && { secret: String(json.client_secret) }), metadata: json }
}

// ---- Alice

export type Alice = { address: string; browser: Browser /** Where signing in led to. */; page: Page }

/** Asks for a code with the form of this page, reads the mail, types the code. */
const proveAddress = async (
  server: Server,
  browser: Browser,
  page: Page,
  address: string,
  until?: (url: string) => boolean,
): Promise<Page> => {
  const seen = server.mailbox.to(address).length
  const codePage = await browser.submit(page, { address })
  return browser.submit(codePage, { code: codeIn(await server.mailbox.next(address, seen)) }, until)
}

/** Signs in by mailed code; the first time this makes the owner. */
export const signIn = async (server: Server, address = someone('alice'), browser = openBrowser()): Promise<Alice> => {
  const page = await proveAddress(server, browser, await browser.open(`${server.origin}/sign-in`), address)
  if (page.status !== 200) throw new Error(`signing in ended with ${page.status} at ${page.url}\n${page.text.slice(0, 500)}`)
  return { address, browser, page }
}

type Authorization = { clientId: string; redirectUri: string; scope: string; more?: Record<string, string>; decision?: string }

/** The authorization code flow through the consent page (RFC 6749 4.1, RFC 7636); signs in on the way if need be. */
export const authorize = async (
  server: Server,
  alice: Alice,
  asked: Authorization,
): Promise<{ params: URLSearchParams; verifier: string; state: string }> => {
  const verifier = random()
  const state = random(12)
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: asked.clientId,
    redirect_uri: asked.redirectUri,
    scope: asked.scope,
    state,
    code_challenge: sha256(verifier),
    code_challenge_method: 'S256',
    ...asked.more,
  })
  const isBack = (url: string): boolean => url.startsWith(asked.redirectUri)
  let page = await alice.browser.open(`${server.origin}/authorize?${query}`, isBack)
  if (page.forms.some(({ names }) => names.includes('address')))
    page = await proveAddress(server, alice.browser, page, alice.address, isBack)
  if (!isBack(page.url)) page = await alice.browser.submit(page, { decision: asked.decision ?? 'allow' }, isBack)
  if (!isBack(page.url)) throw new Error(`the authorization ended with ${page.status} at ${page.url}\n${page.text.slice(0, 500)}`)
  return { params: new URL(page.url).searchParams, verifier, state }
}

// ---- A service that keeps things

export type Service = {
  client: Registered
  origin: string
  pat: string
  tokens: Json
  /** A call with the PAT. */
  call: (path: string, options?: Call) => Promise<Answer>
  /** FedAuthz 3.2.1; answers the id. */
  register: (description: Json) => Promise<string>
  /** FedAuthz 4: a ticket. */
  ticket: (permissions: Json | Json[]) => Promise<string>
  /** FedAuthz 5. */
  introspect: (rpt: string) => Promise<Json>
}

/** Registers a service, lets Alice connect it and holds her PAT. */
export const connectService = async (
  server: Server,
  alice: Alice,
  name = 'A shelf',
  origin = `https://${random(6)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')}.example`,
): Promise<Service> => {
  const redirectUri = `${origin}/connected`
  const client = await registerClient(server, {
    client_name: name,
    client_uri: origin,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const { params, verifier } = await authorize(server, alice, { clientId: client.id, redirectUri, scope: 'openid uma_protection' })
  const answer = await call(`${server.origin}/token`, {
    form: { grant_type: 'authorization_code', code: params.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier },
    basic: { id: client.id, secret: client.secret ?? '' },
  })
  const tokens = expectStatus(answer, 200, 'PAT').json
  const pat = String(tokens.access_token)
  const withPat = (path: string, options: Call = {}): Promise<Answer> => call(`${server.origin}${path}`, { bearer: pat, ...options })
  return {
    client,
    origin,
    pat,
    tokens,
    call: withPat,
    register: async (description) =>
      String(expectStatus(await withPat('/uma/resource', { json: description }), 201, 'resource registration').json._id),
    ticket: async (permissions) =>
      String(expectStatus(await withPat('/uma/permission', { json: permissions }), 201, 'permission').json.ticket),
    introspect: async (token) => expectStatus(await withPat('/introspect', { form: { token } }), 200, 'introspection').json,
  }
}

// ---- Alice's wallet, as far as it is a program that calls the owner API

export type WalletApi = { client: Registered; key: DpopKey; tokens: Json; call: (path: string, options?: Call) => Promise<Answer> }

/** Connects a wallet (public client, DPoP) and holds its token for the owner API. */
export const connectWallet = async (server: Server, alice: Alice): Promise<WalletApi> => {
  const key = await newDpopKey()
  const redirectUri = 'https://abcdefghijklmnopabcdefghijklmnop.chromiumapp.org/connected'
  const client = await registerClient(server, {
    client_name: 'A wallet',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  })
  const { params, verifier } = await authorize(server, alice, {
    clientId: client.id,
    redirectUri,
    scope: 'uma_owner',
    more: { dpop_jkt: key.jkt },
  })
  const answer = await call(`${server.origin}/token`, {
    form: {
      grant_type: 'authorization_code',
      client_id: client.id,
      code: params.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    },
    dpop: key,
  })
  const tokens = expectStatus(answer, 200, 'owner token').json
  return {
    client,
    key,
    tokens,
    call: (path, options = {}) => call(`${server.origin}${path}`, { bearer: String(tokens.access_token), dpop: key, ...options }),
  }
}

/** Shares a thing with an address; answers the share's id. */
export const share = async (wallet: WalletApi, resource: string, email: string, more: Json = {}): Promise<string> => {
  const json = { resource_id: resource, person: { email }, resource_scopes: ['view'], ...more }
  return String(expectStatus(await wallet.call('/owner/policies', { json }), 201, 'sharing').json.id)
}

/** Stops one share. */
export const stopSharing = async (wallet: WalletApi, id: string): Promise<void> => {
  expectStatus(await wallet.call(`/owner/policies/${id}`, { method: 'DELETE' }), 204, 'stop sharing')
}

// ---- An app that Bob uses

export type App = {
  client: Registered
  key: DpopKey | undefined
  claimsRedirectUri: string
  /** A token request with a ticket (UMA Grant 3.3.1). */
  token: (ticket: string, more?: Record<string, string>) => Promise<Answer>
}

/** Registers an app: `public` ones prove a DPoP key with each request, others have a secret. */
export const registerApp = async (server: Server, kind: 'public' | 'confidential' = 'public', metadata: Json = {}): Promise<App> => {
  const claimsRedirectUri = 'https://app.example/claims'
  const key = kind === 'public' ? await newDpopKey() : undefined
  const client = await registerClient(server, {
    client_name: 'An app',
    client_uri: 'https://app.example',
    claims_redirect_uris: [claimsRedirectUri],
    grant_types: [UMA_TICKET],
    token_endpoint_auth_method: kind === 'public' ? 'none' : 'client_secret_basic',
    ...metadata,
  })
  const token = (ticket: string, more: Record<string, string> = {}): Promise<Answer> =>
    call(`${server.origin}/token`, {
      form: { grant_type: UMA_TICKET, ticket, ...(client.secret === undefined && { client_id: client.id }), ...more },
      ...(client.secret !== undefined && { basic: { id: client.id, secret: client.secret } }),
      ...(key && { dpop: key }),
    })
  return { client, key, claimsRedirectUri, token }
}

// ---- Bob

export type Bob = { address: string; browser: Browser }

export const bob = (address = someone('bob')): Bob => ({ address, browser: openBrowser() })

/** Opens the claims page as the app would send him there (UMA Grant 3.3.2). */
export const openClaims = async (
  server: Server,
  guest: Bob,
  app: App,
  ticket: string,
  state = random(8),
): Promise<{ page: Page; state: string }> => {
  const query = new URLSearchParams({ client_id: app.client.id, ticket, claims_redirect_uri: app.claimsRedirectUri, state })
  const page = await guest.browser.open(`${server.origin}/uma/claims?${query}`, (url) => url.startsWith(app.claimsRedirectUri))
  return { page, state }
}

/** Shows the address with a mailed code; answers the page that follows (done, or not shared). */
export const showAddress = (server: Server, guest: Bob, page: Page): Promise<Page> =>
  proveAddress(server, guest.browser, page, guest.address)

/** From the page "you may" through the interstitial: what arrives at the app's claims redirect URI (UMA Grant 3.3.3). */
export const goBack = async (guest: Bob, app: App, done: Page): Promise<URLSearchParams> => {
  const between = await guest.browser.send(done, '/continue')
  const target = [between.refresh, ...between.links].find((link) => link?.startsWith(app.claimsRedirectUri))
  if (target === undefined)
    throw new Error(`nothing leads back to the app on ${between.status} ${between.url}\n${between.text.slice(0, 500)}`)
  return new URL(target).searchParams
}

/** All of it: claims page, code, back; answers the new ticket. */
export const gatherByMail = async (server: Server, guest: Bob, app: App, ticket: string): Promise<string> => {
  const { page } = await openClaims(server, guest, app, ticket)
  const params = await goBack(guest, app, await showAddress(server, guest, page))
  const next = params.get('ticket')
  if (next === null) throw new Error(`no ticket came back: ${params}`)
  return next
}

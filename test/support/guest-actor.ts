// Bob and the app that he uses, over HTTP: token requests with a ticket, the claims page, the way back.
import { type Answer, call, type DpopKey, type Json, newDpopKey, random } from './http.ts'
import { type Browser, openBrowser, type Page } from './http-browser.ts'
import { proveAddress, type Registered, registerClient, type Server, someone } from './owner-actor.ts'

export const UMA_TICKET = 'urn:ietf:params:oauth:grant-type:uma-ticket'

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

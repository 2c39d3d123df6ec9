// Alice over HTTP: she signs in by mailed code, as the first time and ever after, and says yes on the consent page. Also what every
// party begins with: discovery and registration.
import { randomBytes } from 'node:crypto'
import { call, expectStatus, type Json, random, sha256 } from './http.ts'
import { type Browser, openBrowser, type Page } from './http-browser.ts'
import type { Mail, Mailbox } from './mailbox.ts'

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

export type Alice = { address: string; browser: Browser /** Where signing in led to. */; page: Page }

/** Asks for a code with the form of this page, reads the mail, types the code. */
export const proveAddress = async (
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

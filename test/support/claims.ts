// A stage for tests of the claims page: Alice with a service and a wallet, an app, and a fresh ticket for every scene. Steps of a guest
// that go wrong on purpose are here too; those that go right are in actors.ts.
import {
  type Alice,
  type App,
  type Bob,
  bob,
  codeIn,
  connectService,
  connectWallet,
  openClaims,
  registerApp,
  type Server,
  type Service,
  share,
  signIn,
  someone,
  type WalletApi,
} from './actors.ts'
import { random } from './http.ts'
import { openBrowser, type Page } from './http-browser.ts'

export type Stage = {
  server: Server
  alice: Alice
  service: Service
  wallet: WalletApi
  app: App
  resource: string
  /** A ticket for the resource that was never used. */
  ticket: () => Promise<string>
  /** A guest with whom the resource is shared, or not. */
  guest: (isShared?: boolean) => Promise<Bob>
  /** A guest on the first page of a claims interaction with a ticket of its own. */
  arrive: (guest?: Bob, app?: App) => Promise<{ guest: Bob; page: Page; state: string; ticket: string }>
}

/** `who`: somebody who has signed in already. */
export const stage = async (server: Server, who?: Alice): Promise<Stage> => {
  const alice = who ?? (await signIn(server))
  const service = await connectService(server, alice)
  const wallet = await connectWallet(server, alice)
  const app = await registerApp(server)
  const resource = await service.register({ resource_scopes: ['view', 'download'], name: 'Lisbon.pdf' })
  const ticket = () => service.ticket({ resource_id: resource, resource_scopes: ['view'] })
  const guest = async (isShared = true) => {
    const one = bob()
    if (isShared) await share(wallet, resource, one.address)
    return one
  }
  const arrive: Stage['arrive'] = async (who, by = app) => {
    const one = who ?? (await guest())
    const fresh = await ticket()
    const { page, state } = await openClaims(server, one, by, fresh)
    return { guest: one, page, state, ticket: fresh }
  }
  return { server, alice, service, wallet, app, resource, ticket, guest, arrive }
}

/** Types an address on the first page; answers what follows. */
export const typeAddress = (guest: Bob, page: Page, address = guest.address): Promise<Page> => guest.browser.submit(page, { address })

/** Types a code; answers what follows. */
export const typeCode = (guest: Bob, page: Page, code: string): Promise<Page> => guest.browser.submit(page, { code })

/** The newest code that was mailed to an address. */
export const newestCode = (server: Server, address: string): string => {
  const mail = server.mailbox.to(address).at(-1)
  if (mail === undefined) throw new Error(`no mail to ${address}`)
  return codeIn(mail)
}

/** Six digits that are not the code. */
export const wrongCode = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

/** What a page's script would be told by its data attributes: csrf token and the paths of the wallet's part. */
export const walletPart = (page: Page, kind: 'present' | 'keep'): { request: string; finish: string; csrf: string } => {
  const tag = new RegExp(`<[^>]*data-wallet="${kind}"[^>]*>`).exec(page.text)?.[0]
  if (tag === undefined) throw new Error(`no wallet part "${kind}" on ${page.status} ${page.url}`)
  const attribute = (name: string) => new RegExp(`data-${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return { request: attribute('request'), finish: attribute('finish'), csrf: attribute('csrf') }
}

/** A guest whose requests come from this network address. */
export const guestFrom = (address: string): Bob => ({ address: someone('far'), browser: openBrowser({ 'cf-connecting-ip': address }) })

/** The address of a claims page as an app would send a browser there, with any parameter replaced or left out. */
export const claimsUrl = (server: Server, params: Record<string, string | undefined>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.append(name, value)
  return `${server.origin}/uma/claims?${query}`
}

/** A state that no server makes up. */
export const newState = (): string => random(8)

/** What stands on a page of the claims interaction. */
export const isCodePage = (page: Page): boolean => page.text.includes('one-time-code')
export const isDone = (page: Page): boolean => page.text.includes('Yes, this is for you')
export const isExpired = (page: Page): boolean => page.text.includes('This code has run out')
export const isWrong = (page: Page): boolean => page.text.includes('That is not the code')

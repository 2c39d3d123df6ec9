// The people around the programs of the guides: Alice connects the shelf and shares a photo, Bob goes through the claims page.
import {
  type Alice,
  type App,
  type Bob,
  bob,
  connectWallet,
  goBack,
  type Server,
  share,
  showAddress,
  signIn,
  stopSharing,
} from './actors.ts'
import type { WalletApi } from './service-actor.ts'

/** Each shelf has a guest of its own: a server sends only so many codes to one address. */
export type Shelf = { origin: string; photo: string; guest: Bob; stop: () => Promise<void> }

/** Alice, who is the owner of every shelf. */
export type People = { alice: Alice; wallet: WalletApi }

export const people = async (server: Server): Promise<People> => {
  const alice = await signIn(server)
  return { alice, wallet: await connectWallet(server, alice) }
}

/** Alice opens `/connect` of the shelf, says yes, and shares Lisbon with somebody; `stop` ends that share. */
export const connectShelf = async ({ alice, wallet }: People, origin: string): Promise<Shelf> => {
  const known = new Set((await photos(wallet)).map(({ id }) => id))
  const consent = await alice.browser.open(`${origin}/connect`)
  const connected = await alice.browser.submit(consent, { decision: 'allow' })
  if (!connected.text.startsWith('Connected.'))
    throw new Error(`connecting ended with ${connected.status} at ${connected.url}: ${connected.text}`)
  const resource = (await photos(wallet)).find(({ id }) => !known.has(id))
  if (resource === undefined) throw new Error('the shelf registered nothing')
  const guest = bob()
  const shareId = await share(wallet, resource.id, guest.address)
  return { origin, photo: `${origin}/photos/1`, guest, stop: () => stopSharing(wallet, shareId) }
}

const photos = async (wallet: WalletApi): Promise<{ id: string }[]> =>
  ((await wallet.call('/owner/resources')).json as unknown as { items: { id: string }[] }).items

/** Somebody opens the claims page, shows an address by mail, asks the owner if told to, and answers the address at which the browser ends. */
export const throughClaims = async (server: Server, guest: Bob, url: string, asks = false): Promise<string> => {
  const claimsRedirectUri = new URL(url).searchParams.get('claims_redirect_uri') ?? ''
  const shown = await showAddress(server, guest, await guest.browser.open(url))
  const page = asks ? await guest.browser.send(shown, '/ask', { note: 'It is me.' }) : shown
  return `${claimsRedirectUri}?${await goBack(guest, { claimsRedirectUri } as App, page)}`
}

/** Alice lets in who asked last. */
export const allowNewest = async ({ wallet }: People): Promise<void> => {
  const { items } = (await wallet.call('/owner/requests')).json as unknown as { items: { id: string }[] }
  const answer = await wallet.call(`/owner/requests/${items[0]?.id}`, { json: { decision: 'allow' } })
  if (answer.status >= 300) throw new Error(`allowing ended with ${answer.status}: ${answer.text}`)
}

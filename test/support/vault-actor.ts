// Alice at the vault, over HTTP: signs in through her own server, puts a file in, takes its link. And a UMA client that opens a link
// as any program in the world would: challenge, ticket, token, file.
import type { Alice, App } from './actors.ts'
import { type Answer, call, expectStatus } from './http.ts'
import type { Page } from './http-browser.ts'
import type { Both } from './story.ts'

export type VaultOwner = { alice: Alice; home: Page }

/** Signs Alice in at the vault; her server asks for her consent the first time. */
export const signInAtVault = async ({ as, vault }: Pick<Both, 'as' | 'vault'>, alice: Alice): Promise<VaultOwner> => {
  const { browser } = alice
  const going = await browser.submit(await browser.open(`${vault.origin}/`), { server: as.origin })
  let page = await browser.open(going.refresh ?? going.url)
  if (page.url.startsWith(as.origin)) page = await browser.submit(page, { decision: 'allow' })
  if (page.url.endsWith('/codes')) page = await browser.send(page, '/codes')
  if (page.status !== 200 || !page.url.startsWith(vault.origin))
    throw new Error(`signing in at the vault ended with ${page.status} at ${page.url}\n${page.text.slice(0, 400)}`)
  return { alice, home: page }
}

/** `registration` is `done` when Alice's server knows the file. */
export type Stored = { id: string; link: string; registration: string }

/** Puts a file in, in parts as the vault's own page does. */
export const putFile = async (owner: VaultOwner, file: { name: string; type: string; bytes: Uint8Array<ArrayBuffer> }): Promise<Stored> => {
  const { browser } = owner.alice
  const { origin } = new URL(owner.home.url)
  const begun = await browser.post(owner.home, '/api/uploads', {
    name: file.name,
    type: file.type,
    size: file.bytes.byteLength,
    fingerprint: `${file.name}-${file.bytes.byteLength}-fingerprint`,
  })
  if (begun.status !== 201) throw new Error(`the upload did not begin: ${begun.status} ${JSON.stringify(begun.json)}`)
  const { id, partSize: size } = begun.json as { id: string; partSize: number }
  for (let number = 1, at = 0; at < file.bytes.byteLength || number === 1; number++, at += size) {
    const answer = await fetch(`${origin}/api/uploads/${id}/parts/${number}`, {
      method: 'PUT',
      body: file.bytes.slice(at, at + size),
      headers: { origin, 'sec-fetch-site': 'same-origin', cookie: cookieText(owner, origin) },
    })
    if (answer.status !== 204) throw new Error(`part ${number} was not stored: ${answer.status} ${await answer.text()}`)
  }
  const done = await browser.post(owner.home, `/api/uploads/${id}/complete`, {})
  if (done.status !== 200) throw new Error(`the upload did not end: ${done.status} ${JSON.stringify(done.json)}`)
  return findFile(owner, (done.json as { id: string }).id)
}

const cookieText = (owner: VaultOwner, origin: string): string =>
  Object.entries(owner.alice.browser.cookies(origin))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')

const overview = async (owner: VaultOwner): Promise<{ files: (Stored & { path: string })[] }> => {
  const { origin } = new URL(owner.home.url)
  const answer = await call(`${origin}/api/overview`, { headers: { cookie: cookieText(owner, origin), 'sec-fetch-site': 'same-origin' } })
  return expectStatus(answer, 200, 'overview').json as unknown as { files: (Stored & { path: string })[] }
}

/** The file in Alice's list, with its link made absolute. */
export const findFile = async (owner: VaultOwner, id: string): Promise<Stored> => {
  const found = (await overview(owner)).files.find((file) => file.id === id)
  if (!found) throw new Error(`the vault does not list ${id}`)
  return { ...found, link: new URL(found.path, owner.home.url).href }
}

/** Parameters of `WWW-Authenticate: UMA ...` (UMA Grant 3.2.1). */
export const challengeOf = (answer: Pick<Answer, 'headers'>): { realm?: string; as_uri?: string; ticket?: string } => {
  const header = answer.headers.get('www-authenticate') ?? ''
  if (!/^UMA\s/i.test(header)) return {}
  return Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
}

/** A program opens the link, with or without its token. */
export const openLink = (link: string, app: App, rpt?: string): Promise<Answer> =>
  call(link, {
    headers: { accept: 'application/pdf, */*;q=0.1' },
    ...(rpt !== undefined && { bearer: rpt, ...(app.key && { dpop: app.key }) }),
  })

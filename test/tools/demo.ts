// `npm run demo`: the story of the design over HTTP, step by step, with each exchange in words. Runs both workers by itself, on free
// ports and in a folder that is thrown away; mail is read from the mailbox folder.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, bob, connectWallet, goBack, openClaims, registerApp, share, showAddress, signIn, UMA_TICKET } from '../support/actors.ts'
import type { Answer } from '../support/http.ts'
import { type Both, startBoth } from '../support/story.ts'
import { challengeOf, putFile, signInAtVault, type VaultOwner } from '../support/vault-actor.ts'
import { build } from './build.ts'
import { say, tellPage, title, told } from './demo-voice.ts'

const LETTER = new Uint8Array(new TextEncoder().encode('%PDF-1.7\n% Lisbon, three days in May. Bring good shoes.\n'))

const aliceArrives = async (
  both: Both,
): Promise<{ owner: VaultOwner; link: string; shareWith: (address: string) => Promise<string>; stop: (id: string) => Promise<void> }> => {
  const { as } = both
  title('Alice signs in to her own authorization server')
  const alice = await signIn(as, 'alice@example.org')
  tellPage('types her address, reads the code in her mail, types the code', alice.page)
  say('She has an account now. The server keeps a keyed hash of her address; nobody who reads its database learns the address.')

  title('Alice signs in to a vault that has never met her server')
  const owner = await signInAtVault(both, alice)
  tellPage(`types ${as.origin} as her server and agrees that the vault may ask there`, owner.home)
  say('The vault found the server by discovery, registered itself, and now holds a token of Alice, the PAT. That is all the two share.')

  title('Alice puts a file into the vault')
  const { link } = await putFile(owner, { name: 'Lisbon.pdf', type: 'application/pdf', bytes: LETTER })
  say(`The vault registered it at her server. Its link: ${link}`)

  title('Alice shares it with bob@example.net, from her wallet')
  const wallet = await connectWallet(as, alice)
  const { items } = (await told(`${as.origin}/owner/resources`, { bearer: String(wallet.tokens.access_token), dpop: wallet.key }))
    .json as unknown as { items: { id: string }[] }
  say('Names are encrypted to a key that only her devices have: not even her own server can read them.')
  const shareWith = async (address: string): Promise<string> => {
    const id = await share(wallet, items[0]?.id ?? '', address, { resource_scopes: ['view'] })
    say(`A rule is stored: ${address} may view it. In the rule the address is a keyed hash.`)
    return id
  }
  const stop = async (id: string): Promise<void> => {
    await told(`${as.origin}/owner/policies/${id}`, { method: 'DELETE', bearer: String(wallet.tokens.access_token), dpop: wallet.key })
  }
  return { owner, link, shareWith, stop }
}

/** The demo is also a test: what is said about an answer has to be so. */
const must = (answer: Answer, status: number): Answer => {
  if (answer.status !== status) throw new Error(`The story went wrong here: ${answer.status} instead of ${status}.`)
  return answer
}

const askForToken = (both: Both, app: App, ticket: string): Promise<Answer> =>
  told(`${both.as.origin}/token`, { form: { grant_type: UMA_TICKET, ticket, client_id: app.client.id }, ...(app.key && { dpop: app.key }) })

const bobOpens = async (both: Both, link: string): Promise<{ app: App; rpt: string }> => {
  title("Bob's app opens the link, without any token")
  const first = challengeOf(await told(link, { headers: { accept: 'application/pdf' } }))
  say(`"You need the owner's permission. Her server is ${first.as_uri}. This ticket says what you asked for."`)

  title('The app has never heard of that server: discovery and registration')
  await told(`${first.as_uri}/.well-known/uma2-configuration`, {}, [
    'issuer',
    'token_endpoint',
    'claims_interaction_endpoint',
    'registration_endpoint',
  ])
  const app = await registerApp(both.as)
  say(`The app registered itself: ${app.client.id}. It has no secret; it signs each request with a key of its own (DPoP).`)

  title('The app presents the ticket')
  const asked = must(await askForToken(both, app, first.ticket ?? ''), 403)
  say(
    'need_info: the server wants to know the address of whoever is asking. The app may push a proof, or send the person to redirect_user. The old ticket is spent; a new one came.',
  )

  title('Bob has no wallet, so his browser goes to the claims page')
  const guest = bob('bob@example.net')
  const { page } = await openClaims(both.as, guest, app, String(asked.json.ticket))
  tellPage(`${both.as.origin}/uma/claims?client_id=…&ticket=…&claims_redirect_uri=…&state=…`, page)
  say('The page says which app asks, and where the thing is kept. It does not say what it is or whose: anybody could have come here.')
  const done = await showAddress(both.as, guest, page)
  const mail = both.as.mailbox.to('bob@example.net').at(-1)
  tellPage(`types bob@example.net and the code from the mail "${mail?.subject ?? ''}"`, done)
  const params = await goBack(guest, app, done)
  say(
    'His browser goes back to the app with a new ticket and the state that the app sent. The app itself learns nothing about the address.',
  )

  title('The app presents the new ticket')
  const granted = must(await askForToken(both, app, params.get('ticket') ?? ''), 200)
  say(`That is the token (RPT). It is good for ${String(granted.json.resource_server)} only and bound to the key of the app.`)

  title('With the token the file comes')
  const rpt = String(granted.json.access_token)
  must(await told(link, { headers: { accept: 'application/pdf' }, bearer: rpt, ...(app.key && { dpop: app.key }) }), 200)
  say('Behind this the vault asked the server whether the token is good, at this very moment. It asks every time.')
  return { app, rpt }
}

const aliceStops = async (both: Both, link: string, app: App, rpt: string, stop: () => Promise<void>): Promise<void> => {
  title('Alice stops sharing')
  await stop()

  title("Bob's app tries again with the same token")
  const refused = must(await told(link, { headers: { accept: 'application/pdf' }, bearer: rpt, ...(app.key && { dpop: app.key }) }), 401)
  say('The token has not expired, but it no longer opens anything. The vault sends a new ticket.')
  must(await askForToken(both, app, challengeOf(refused).ticket ?? ''), 403)
  say('request_denied: no rule could ever let this through, so nobody is asked for anything.')
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-demo-'))
let both: Both | undefined
let code = 0
try {
  await build(['as', 'vault'])
  both = await startBoth({ folder })
  console.log(`Alice's authorization server: ${both.as.origin}   A vault: ${both.vault.origin}`)
  const { link, shareWith, stop } = await aliceArrives(both)
  const id = await shareWith('bob@example.net')
  const { app, rpt } = await bobOpens(both, link)
  await aliceStops(both, link, app, rpt, () => stop(id))
  console.log('')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  code = 1
} finally {
  await both?.stop()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(code)

// The story with both workers, which know of each other what any two servers in the world could know: Alice's vault, her server, a UMA
// client that has never heard of either.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alice,
  type App,
  bob,
  connectWallet,
  gatherByMail,
  registerApp,
  share,
  signIn,
  stopSharing,
  type WalletApi,
} from '../support/actors.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import { challengeOf, openLink, putFile, type Stored, signInAtVault, type VaultOwner } from '../support/vault-actor.ts'
import { verifyState } from '../support/verify-state.ts'

const BYTES = new Uint8Array(new TextEncoder().encode('%PDF-1.7\n% Lisbon\n'))

describe('DESIGN 1: the story with a vault', () => {
  let both: Both
  let alice: Alice
  let owner: VaultOwner
  let wallet: WalletApi
  let app: App
  let stored: Stored
  beforeAll(async () => {
    both = await ownBoth()
    alice = await signIn(both.as)
    owner = await signInAtVault(both, alice)
    wallet = await connectWallet(both.as, alice)
    app = await registerApp(both.as)
    stored = await putFile(owner, { name: 'Lisbon.pdf', type: 'application/pdf', bytes: BYTES })
  })
  afterAll(() => both.stop())

  const resource = async (): Promise<string> => {
    const { items } = (await wallet.call('/owner/resources')).json as unknown as { items: { id: string }[] }
    return items[0]?.id ?? ''
  }

  it('DESIGN 1.2-1.3: the vault registered itself and the file', async () => {
    expect(stored.registration).toBe('done')
    expect(await resource()).not.toBe('')
  })

  it("DESIGN 1.5: without a token the link is a challenge of the owner's server", async () => {
    const answer = await openLink(stored.link, app)
    expect(answer.status).toBe(401)
    expect(challengeOf(answer)).toMatchObject({ as_uri: both.as.origin })
  })

  it('DESIGN 1.6-1.9: the address is shown, the file comes, sharing stops, the next request is refused', async () => {
    const guest = bob()
    const id = await share(wallet, await resource(), guest.address, { resource_scopes: ['view'] })
    const first = challengeOf(await openLink(stored.link, app))
    const asked = await app.token(first.ticket ?? '')
    expect(asked.json.error).toBe('need_info')
    const granted = await app.token(await gatherByMail(both.as, guest, app, String(asked.json.ticket)))
    expect(granted.status).toBe(200)
    expect(granted.json.resource_server).toBe(both.vault.origin)
    const rpt = String(granted.json.access_token)
    const file = await openLink(stored.link, app, rpt)
    expect(file.status).toBe(200)
    expect(file.text).toBe(new TextDecoder().decode(BYTES))

    await stopSharing(wallet, id)
    const refused = await openLink(stored.link, app, rpt)
    expect(refused.status).toBe(401)
    const denied = await app.token(challengeOf(refused).ticket ?? '')
    expect(denied.json.error).toBe('request_denied')
  })

  it('DESIGN 3: object and record agree afterwards', () => {
    expect(verifyState(both.as.state).flatMap(({ differences }) => differences)).toEqual([])
  })
})

// DESIGN 1 step 10 in a real Chromium: Bob, with whom nothing is shared, asks; the page waits and goes on by itself when Alice has said yes.
// And what he lets his app skip, seen on "Your proofs".
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectWallet, share, signIn, someone, type WalletApi } from '../support/actors.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import { showAddress } from '../support/people.ts'
import { capture } from '../support/screens.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import { putFile, type Stored, signInAtVault } from '../support/vault-actor.ts'

const TEXT = 'Bring good shoes.'
let both: Both
let wallet: WalletApi
let stored: Stored
let guest: GuestBrowser
const bobAddress = someone('bob')

beforeAll(async () => {
  both = await ownBoth({ wrap: false })
  const alice = await signIn(both.as)
  const owner = await signInAtVault(both, alice)
  wallet = await connectWallet(both.as, alice)
  stored = await putFile(owner, { name: 'notes.txt', type: 'text/plain', bytes: new TextEncoder().encode(TEXT) })
  // What is shared with nobody is refused at once, without a question; this is shared with Carol.
  const { items } = (await wallet.call('/owner/resources')).json as { items: { id: string }[] }
  await share(wallet, items[0]?.id ?? '', someone('carol'))
  guest = await startGuestBrowser()
})
afterAll(async () => {
  await guest?.close()
  await both?.stop()
})

it('DESIGN 1.10: Bob asks, the page waits, Alice keeps it as a share, and it opens by itself', async () => {
  const page = await guest.context.newPage()
  await page.goto(stored.link)
  await page.waitForURL(`${both.as.origin}/uma/claims/**`)
  await showAddress(both, page, bobAddress)
  await capture(page, 'claims-ask')
  await page.getByLabel(/A line, so that the owner knows/).fill('Hi Alice, it is me.')
  await page.getByRole('button', { name: 'Ask the owner' }).click()
  await page.getByRole('heading', { name: 'We asked the owner' }).waitFor()
  await capture(page, 'claims-waiting')
  const proofs = await guest.context.newPage()
  await proofs.goto(`${both.as.origin}/proofs`)
  await showAddress(both, proofs, bobAddress)
  await proofs.getByRole('button', { name: 'Take it back' }).waitFor()
  await capture(proofs, 'proofs-asked')
  await proofs.getByRole('button', { name: 'Done, sign out' }).click()
  await proofs.close()
  const { items } = (await wallet.call('/owner/requests')).json as { items: { id: string }[] }
  expect(items).toHaveLength(1)
  const answered = await wallet.call(`/owner/requests/${items[0]?.id}`, { json: { decision: 'keep' } })
  expect(answered.status).toBe(200)
  await page.waitForURL(`${both.vault.origin}/f/**`)
  expect(await page.frameLocator('iframe.guest-frame').locator('body').innerText()).toContain(TEXT)
})

it('UX, your proofs: what is remembered, and how it is forgotten', async () => {
  const page = await guest.context.newPage()
  await page.goto(`${both.as.origin}/proofs`)
  await capture(page, 'proofs-start')
  await showAddress(both, page, bobAddress)
  await page.getByRole('heading', { name: 'Nothing is remembered' }).waitFor()
  await capture(page, 'proofs-none')
})

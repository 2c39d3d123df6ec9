// Backup and restore of D1, objects and files: a backup taken while everything runs is whole, and a server that is restored from it gives
// nothing that its owners may have taken back since (DESIGN 7 I4). They bring back what they still want.
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
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
import { checkBackup, type Restored, restoreBackup, takeBackup } from '../support/backup.ts'
import { ownBoth } from '../support/server.ts'
import { d1File, objectFiles, rowsOf, withCopy } from '../support/state-files.ts'
import { type Both, startBoth } from '../support/story.ts'
import { challengeOf, findFile, openLink, putFile, type Stored, signInAtVault, type VaultOwner } from '../support/vault-actor.ts'
import { verifyState } from '../support/verify-state.ts'

const BYTES = new Uint8Array(new TextEncoder().encode('%PDF-1.7\n% Lisbon\n'))
const NOW = Math.floor(Date.now() / 1000)

let both: Both
let alice: Alice
let owner: VaultOwner
let wallet: WalletApi
let app: App
let stored: Stored
let folder: string
let backup: string
beforeAll(async () => {
  both = await ownBoth()
  folder = dirname(both.as.state)
  backup = join(mkdtempSync(join(tmpdir(), 'latchkey-backup-')), 'one')
  alice = await signIn(both.as)
  owner = await signInAtVault(both, alice)
  wallet = await connectWallet(both.as, alice)
  app = await registerApp(both.as)
  stored = await putFile(owner, { name: 'Lisbon.pdf', type: 'application/pdf', bytes: BYTES })
})
afterAll(async () => {
  await both.stop()
  rmSync(dirname(backup), { recursive: true, force: true })
})

const resource = async (): Promise<string> => {
  const { items } = (await wallet.call('/owner/resources')).json as unknown as { items: { id: string }[] }
  return items[0]?.id ?? ''
}
const open = async (address: string): Promise<{ rpt: string; status: number }> => {
  const { ticket } = challengeOf(await openLink(stored.link, app))
  const granted = await app.token(await gatherByMail(both.as, bob(address), app, ticket ?? ''))
  const rpt = String(granted.json.access_token)
  return { rpt, status: (await openLink(stored.link, app, rpt)).status }
}
const [kept, withdrawn] = [bob().address, bob().address]
const rpts: string[] = []
let restored: Restored

it('DESIGN 3: a backup is taken while everything runs, and is whole', async () => {
  const id = await resource()
  await share(wallet, id, kept, { resource_scopes: ['view'] })
  const second = await share(wallet, id, withdrawn, { resource_scopes: ['view'] })
  for (const address of [kept, withdrawn]) {
    const opened = await open(address)
    expect(opened.status).toBe(200)
    rpts.push(opened.rpt)
  }
  expect(Object.keys(takeBackup(folder, backup, NOW).files).length).toBeGreaterThan(5)
  expect(checkBackup(backup).taken_at).toBe(NOW)
  expect(() => takeBackup(folder, backup, NOW)).toThrow('is there already')
  // She stops one share after the backup was taken.
  await stopSharing(wallet, second)
})

it('DESIGN 7 I5: a backup in which one byte is different is not restored', async () => {
  const file = Object.keys(checkBackup(backup).files).find((name) => name.includes('OwnerObject') && !name.includes('metadata')) ?? ''
  const copy = join(dirname(backup), 'damaged')
  takeBackup(folder, copy, NOW)
  appendFileSync(join(copy, file), 'x')
  expect(() => restoreBackup(copy, folder, NOW)).toThrow('not whole')
  expect(existsSync(`${folder}.before-${NOW}`)).toBe(false)
})

it('DESIGN 7 I4: after a restore no share is in force, neither the withdrawn one nor any other; tokens of before are dead', async () => {
  const ports = { asPort: both.as.port, vaultPort: both.vault.port }
  await both.stop()
  restored = restoreBackup(backup, folder, NOW + 60)
  expect(restored).toMatchObject({ owners: 1, held: 2, taken_at: NOW })
  both = await startBoth({ folder, wrap: true, ...ports })
  expect(verifyState(both.as.state).flatMap(({ differences }) => differences)).toEqual([])
  expect((await wallet.call('/owner/me')).status).toBe(401)
  alice = await signIn(both.as, alice.address)
  owner = await signInAtVault(both, alice)
  wallet = await connectWallet(both.as, alice)
  expect((await wallet.call('/owner/policies')).json.items).toEqual([])
  for (const rpt of rpts) expect((await openLink(stored.link, app, rpt)).status).toBe(401)
  for (const address of [withdrawn, kept]) await expect(open(address)).rejects.toThrow('has not been shared with it')
})

it('DESIGN 3: the file is there, and its owner shares it again', async () => {
  expect((await findFile(owner, stored.id)).registration).toBe('done')
  await share(wallet, await resource(), kept, { resource_scopes: ['view'] })
  expect((await open(kept)).status).toBe(200)
  // A guest's object is in no backup: it hears anew of an owner who relies on it.
  const relying = objectFiles(both.as.state, 'GuestObject').flatMap((file) =>
    withCopy(file, (database) => rowsOf(database, 'SELECT owner FROM reliance')),
  )
  expect(relying).toHaveLength(1)
  expect(verifyState(both.as.state).flatMap(({ differences }) => differences)).toEqual([])
})

it('DESIGN 3: what was there before the restore lies aside, and what was shared can be brought back', () => {
  expect(readdirSync(restored.aside ?? '')).toEqual(expect.arrayContaining(['as', 'vault']))
  const past = withCopy(d1File(both.as.state) ?? '', (database) =>
    rowsOf(database, "SELECT kind, row FROM rule_past WHERE kind = 'policy'"),
  )
  expect(past).toHaveLength(2)
  rmSync(restored.aside ?? '', { recursive: true, force: true })
})

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
  connectService,
  connectWallet,
  gatherByMail,
  registerApp,
  share,
  signIn,
  stopSharing,
  type WalletApi,
} from '../support/actors.ts'
import { checkBackup, type Restored, restoreBackup, takeBackup } from '../support/backup.ts'
import { call, expectStatus, type Json } from '../support/http.ts'
import { ownBoth } from '../support/server.ts'
import { d1File, objectFiles, rowsOf, withCopy } from '../support/state-files.ts'
import { type Both, startBoth } from '../support/story.ts'
import { until } from '../support/until.ts'
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
  return items.find(({ id }) => id !== made.chart)?.id ?? ''
}
const open = async (address: string): Promise<{ rpt: string; status: number }> => {
  const { ticket } = challengeOf(await openLink(stored.link, app))
  const granted = await app.token(await gatherByMail(both.as, bob(address), app, ticket ?? ''))
  const rpt = String(granted.json.access_token)
  return { rpt, status: (await openLink(stored.link, app, rpt)).status }
}
const [kept, withdrawn, friend, counted, nurse] = [bob().address, bob().address, bob().address, bob().address, bob().address]
const CHART = 'https://ehr.example/chart'
let clinic: Alice
let clinicsWallet: WalletApi
/** Ids of what was there when the backup was taken. */
const made = { chart: '', group: '', ofFriends: '', someTimes: '', issuer: '', ofClinic: '' }
const post = async (path: string, json: Json, by = wallet, status = 201): Promise<Json> =>
  expectStatus(await by.call(path, { json }), status, path).json
const permit = (when: Json, more: Json = {}): Json => ({ v: 1, effect: 'permit', scopes: ['view'], when, ...more })
/** What the owner's rules give to an address now. */
const opens = async (address: string, id: string): Promise<unknown> => {
  const json = { subject: { type: 'email', id: address }, action: { name: 'view' }, resource: { type: 'resource', id } }
  return (await post('/access/v1/evaluation', json, wallet, 200)).decision
}
const undo = async (path: string, rev: unknown, by = wallet): Promise<Json> =>
  expectStatus(await by.call(`${path}/undo`, { method: 'POST', headers: { 'if-match': `"${rev}"` } }), 200, path).json
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
  await makeRules(id)
  for (const [address, thing] of [
    [friend, id],
    [counted, id],
    [nurse, made.chart],
  ] as const)
    expect(await opens(address, thing), thing).toBe(true)
  expect((await open(counted)).status).toBe(200)
  expect(Object.keys(takeBackup(folder, backup, NOW).files).length).toBeGreaterThan(5)
  expect(checkBackup(backup).taken_at).toBe(NOW)
  expect(() => takeBackup(folder, backup, NOW)).toThrow('is there already')
  // After the backup was taken she stops one share, uses are used up, somebody leaves the group, an issuer is trusted no more, and she leaves
  // it to the clinic no longer alone.
  await stopSharing(wallet, second)
  expect((await open(counted)).status).toBe(200)
  expect(await opens(counted, id)).toBe(false)
  const { items } = (await wallet.call(`/owner/groups/${made.group}/members`)).json as { items: { id: string }[] }
  const [rev] = ((await wallet.call('/owner/groups')).json.items as Json[]).map((one) => one.rev)
  const gone = { method: 'DELETE', headers: { 'if-match': `"${rev}"` } }
  expectStatus(await wallet.call(`/owner/groups/${made.group}/members/${items[0]?.id}`, gone), 204, 'member')
  expectStatus(await wallet.call(`/owner/issuers/${made.issuer}`, { method: 'DELETE' }), 204, 'issuer')
  for (const address of [friend, counted]) expect(await opens(address, id)).toBe(false)
})

/** Rules of hers and of the clinic that she has joined: a group, a counted permit, an issuer, a kind of things that the clinic may open. */
async function makeRules(id: string): Promise<void> {
  const target = { resources: [id] }
  made.group = String((await post('/owner/groups', { name: 'Friends' })).id)
  expectStatus(await wallet.call(`/owner/groups/${made.group}/members`, { json: { people: [{ email: friend }] } }), 200, 'member')
  made.ofFriends = String((await post('/owner/rules', permit({ all: [{ claim: 'email', group: made.group }] }, { target }))).id)
  const twice = { all: [{ claim: 'email', eq: counted }, { uses: { max: 2, per: 'rqp' } }] }
  made.someTimes = String((await post('/owner/rules', permit(twice, { target }))).id)
  await post('/owner/rules', { v: 1, effect: 'forbid', scopes: '*', target, when: { client: ['https://bad.example/client.json'] } })
  const { keys } = (await call(`${both.as.origin}/jwks`)).json as { keys: Json[] }
  const issuer = { issuer: 'https://idp.example', jwks: { keys }, formats: ['urn:ietf:params:oauth:token-type:jwt'], claims: ['country'] }
  made.issuer = String((await post('/owner/issuers', issuer)).id)

  const shelf = await connectService(both.as, alice)
  made.chart = await shelf.register({ resource_scopes: ['view'], type: CHART })
  expectStatus(await wallet.call('/owner/types', { method: 'PUT', json: { type: CHART, implies: {}, authority: 'either' } }), 200, 'type')
  clinic = await signIn(both.as)
  clinicsWallet = await connectWallet(both.as, clinic)
  expectStatus(await clinicsWallet.call('/owner/organisation', { method: 'PUT', json: { name: 'Clinic' } }), 200, 'name')
  const { code } = await post('/owner/organisation/codes', {}, clinicsWallet)
  await post('/owner/memberships', { code, accept: true }, wallet, 200)
  const org = { tier: 'org', target: { types: [CHART] } }
  made.ofClinic = String((await post('/owner/rules', permit({ all: [{ claim: 'email', eq: nurse }] }, org), clinicsWallet)).id)
  const forbids = { v: 1, ...org, effect: 'forbid', scopes: '*', when: { client: ['https://bad.example/client.json'] } }
  await post('/owner/rules', forbids, clinicsWallet)
  await until(async () => ((await wallet.call('/owner/rules?kind=upper')).json.items as Json[]).length === 2)
}

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
  expect(restored).toMatchObject({ owners: 2, held: 5, groups: 1, issuers: 1, taken_at: NOW })
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

it('DESIGN 7 I4: nothing that was taken away comes back with what she brings back: members, uses, issuers, the organisation’s word', async () => {
  const id = await resource()
  for (const address of [friend, counted]) expect(await opens(address, id)).toBe(false)
  expect(await opens(nurse, made.chart)).toBe(false)
  expect((await wallet.call('/owner/issuers')).json.items).toEqual([])
  const { items } = (await wallet.call('/owner/rules')).json as { items: Json[] }
  expect(items.map(({ kind, effect }) => [kind, effect]).sort()).toEqual([
    ['rule', 'forbid'],
    ['upper', 'forbid'],
  ])
  for (const rule of [made.ofFriends, made.someTimes]) await undo(`/owner/rules/${rule}`, 2)
  for (const address of [friend, counted]) expect(await opens(address, id), address).toBe(false)
  const [group] = (await wallet.call('/owner/groups')).json.items as Json[]
  expect(group).toMatchObject({ id: made.group, member_count: 0 })
  await undo(`/owner/groups/${made.group}`, group?.rev)
  expect(await opens(friend, id)).toBe(true)

  // The clinic wants its permit again; Alice has to want it, too.
  clinicsWallet = await connectWallet(both.as, await signIn(both.as, clinic.address))
  await undo(`/owner/rules/${made.ofClinic}`, 2, clinicsWallet)
  await until(async () => ((await wallet.call('/owner/rules?kind=upper')).json.items as Json[]).length === 2)
  expect(await opens(nurse, made.chart)).toBe(false)
  await share(wallet, made.chart, nurse)
  expect(await opens(nurse, made.chart)).toBe(true)
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

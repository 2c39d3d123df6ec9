// Uploads in parts: what a browser that is interrupted, hurried or confused sends. And what is deleted.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alice, connectWallet, signIn, type WalletApi } from '../support/actors.ts'
import { call } from '../support/http.ts'
import { ownBoth } from '../support/server.ts'
import type { Both } from '../support/story.ts'
import { findFile, putFile, signInAtVault, type VaultOwner } from '../support/vault-actor.ts'

const MIB = 1024 * 1024
const PART = 8 * MIB

describe('DESIGN 4: uploads at the vault', () => {
  let both: Both
  let alice: Alice
  let owner: VaultOwner
  let wallet: WalletApi
  beforeAll(async () => {
    both = await ownBoth()
    alice = await signIn(both.as)
    owner = await signInAtVault(both, alice)
    wallet = await connectWallet(both.as, alice)
  })
  afterAll(() => both.stop())

  const headers = (): Record<string, string> => ({
    origin: both.vault.origin,
    'sec-fetch-site': 'same-origin',
    cookie: Object.entries(alice.browser.cookies(both.vault.origin))
      .map(([name, value]) => `${name}=${value}`)
      .join('; '),
  })
  const api = (method: string, path: string, json?: unknown) =>
    call(`${both.vault.origin}/api${path}`, { method, headers: headers(), ...(json !== undefined && { json }) })
  const sendPart = (id: string, number: number, size: number): Promise<number> =>
    fetch(`${both.vault.origin}/api/uploads/${id}/parts/${number}`, {
      method: 'PUT',
      headers: headers(),
      body: new Uint8Array(size).fill(number),
    }).then((answer) => answer.status)
  const begin = async (name: string, size: number) =>
    (await api('POST', '/uploads', { name, type: 'image/png', size, fingerprint: `${name} of this test` })).json as {
      id: string
      parts: number[]
    }

  it('DESIGN 4: an upload goes on where it stopped, when the same file is chosen again', async () => {
    const size = 2 * PART + 5
    const { id } = await begin('resumed.png', size)
    expect(await sendPart(id, 2, PART)).toBe(204)
    await both.vault.kill()
    expect(await begin('resumed.png', size)).toMatchObject({ id, parts: [2] })
    expect((await api('POST', `/uploads/${id}/complete`)).status).toBe(409)
    expect(await sendPart(id, 3, 5)).toBe(204)
    expect(await sendPart(id, 1, PART)).toBe(204)
    expect((await api('POST', `/uploads/${id}/complete`)).status).toBe(200)
    const content = await fetch(`${both.vault.origin}/api/files/${id}/content`, {
      headers: { ...headers(), range: `bytes=${PART - 1}-${PART}` },
    })
    expect([content.status, [...new Uint8Array(await content.arrayBuffer())]]).toEqual([206, [1, 2]])
  })

  it('DESIGN 4: another file with the same name begins anew', async () => {
    const first = await begin('twin.png', PART)
    expect((await begin('twin.png', PART - 1)).id).not.toBe(first.id)
  })

  it('DESIGN 4: completed twice at once it is one file', async () => {
    const { id } = await begin('hurried.png', 10)
    await sendPart(id, 1, 10)
    const answers = await Promise.all([1, 2, 3].map(() => api('POST', `/uploads/${id}/complete`)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await api('POST', `/uploads/${id}/complete`)).status).toBe(200)
    await findFile(owner, id)
  })

  it('DESIGN 4: given up while it is completed, it is there whole or not at all', async () => {
    const { id } = await begin('torn.png', 10)
    await sendPart(id, 1, 10)
    const [completed, given] = await Promise.all([api('POST', `/uploads/${id}/complete`), api('DELETE', `/uploads/${id}`)])
    expect([200, 404]).toContain(completed.status)
    expect(given.status).toBe(204)
    expect((await api('GET', `/files/${id}/content`)).status).toBe(completed.status)
  })

  it.each([
    ['a part too short', 1, PART - 1, 400],
    ['a part too long', 1, PART + 1, 400],
    ['a part that is not there', 3, 1, 404],
    ['part zero', 0, PART, 404],
    ['half a part', 1.5, PART, 404],
  ])('DESIGN 4: refused: %s', async (_what, number, size, status) => {
    const { id } = await begin('wrong.png', PART + 1)
    expect(await sendPart(id, number, size)).toBe(status)
  })

  it.each([
    ['no size', { name: 'a', type: 'b/c', fingerprint: 'x'.repeat(16) }, 400],
    ['a negative size', { name: 'a', type: 'b/c', size: -1, fingerprint: 'x'.repeat(16) }, 400],
    ['too big', { name: 'a', type: 'b/c', size: 1e12, fingerprint: 'x'.repeat(16) }, 413],
    ['no name', { name: '', type: 'b/c', size: 1, fingerprint: 'x'.repeat(16) }, 400],
    ['a list', [], 400],
  ])('DESIGN 4: refused: %s', async (_what, body, status) => {
    expect((await api('POST', '/uploads', body)).status).toBe(status)
  })

  it('DESIGN 4: an empty file is a file', async () => {
    const { id } = await begin('empty.png', 0)
    expect((await api('POST', `/uploads/${id}/complete`)).status).toBe(200)
    const content = await api('GET', `/files/${id}/content`)
    expect([content.status, content.text, content.headers.get('content-length')]).toEqual([200, '', '0'])
  })

  it('UMA FedAuthz 3.2.4: what is deleted is gone at once, can be undone for a while, and then its server forgets it', async () => {
    const file = await putFile(owner, { name: 'gone.png', type: 'image/png', bytes: new Uint8Array(3) })
    const known = async (): Promise<number> =>
      ((await wallet.call('/owner/resources')).json as unknown as { items: unknown[] }).items.length
    const before = await known()
    expect((await api('DELETE', `/files/${file.id}`)).status).toBe(204)
    expect((await call(file.link)).status).toBe(404)
    expect((await api('POST', `/files/${file.id}/restore`)).status).toBe(204)
    expect((await call(file.link)).status).toBe(401)
    expect((await api('DELETE', `/files/${file.id}`)).status).toBe(204)
    await both.vault.setClock(11)
    expect((await api('POST', `/files/${file.id}/restore`)).status).toBe(409)
    for (const id of await both.vault.objects('AccountObject')) await both.vault.runAlarm('ACCOUNTS', id)
    expect(await known()).toBe(before - 1)
    expect((await api('GET', `/files/${file.id}/content`)).status).toBe(404)
  })

  it('DESIGN I5: nobody else sees it: no session, no file', async () => {
    const file = await putFile(owner, { name: 'mine.png', type: 'image/png', bytes: new Uint8Array(3) })
    expect((await call(`${both.vault.origin}/api/files/${file.id}/content`)).status).toBe(401)
    const carol = await signInAtVault(both, await signIn(both.as))
    expect((await carol.alice.browser.open(`${both.vault.origin}/api/files/${file.id}/content`)).status).toBe(404)
  })
})

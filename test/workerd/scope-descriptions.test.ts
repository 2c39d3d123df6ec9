// Scopes that are addresses (UMA FedAuthz 3.1.1): the document there is words for people, read when somebody decides and needed for nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bob, connectService, connectWallet, openClaims, registerApp, type Service, signIn, type WalletApi } from '../support/actors.ts'
import { type Documents, startDocuments } from '../support/documents.ts'
import type { Json } from '../support/http.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

describe('UMA FedAuthz 3.1.1: scope descriptions', () => {
  let server: Running
  let documents: Documents
  let service: Service
  let wallet: WalletApi
  beforeAll(async () => {
    documents = await startDocuments()
    server = await ownAs({ asVars: { DEV_ORIGINS: documents.origin } })
    const alice = await signIn(server)
    service = await connectService(server, alice)
    wallet = await connectWallet(server, alice)
  })
  afterAll(async () => {
    await server.stop()
    await documents.stop()
  })
  const at = (path: string): string => `${documents.origin}${path}`
  const described = async (id: string): Promise<Json> => {
    const { items } = (await wallet.call('/owner/resources')).json as { items: Json[] }
    return (items.find((one) => one.id === id)?.scope_descriptions ?? {}) as Json
  }

  it('UMA FedAuthz 3.1.1: nothing is read to register, to ask for a ticket or to decide', async () => {
    documents.pages.set('/scopes/print', { name: 'Print at home', description: 'On paper.', icon_uri: 'https://x.example/i.png', other: 1 })
    const id = await service.register({ resource_scopes: [at('/scopes/print'), 'view'] })
    const app = await registerApp(server)
    await app.token(await service.ticket({ resource_id: id, resource_scopes: [at('/scopes/print')] }))
    expect(documents.asked).toEqual([])
    const host = new URL(documents.origin).host
    expect(await described(id)).toEqual({
      [at('/scopes/print')]: { name: 'Print at home', description: 'On paper.', icon_uri: 'https://x.example/i.png' },
    })
    const ticket = await service.ticket({ resource_id: id, resource_scopes: [at('/scopes/print')] })
    const { page } = await openClaims(server, bob(), app, ticket)
    expect(page.text).toContain(`“Print at home” (${host})`)
    // Once for all.
    expect(documents.asked).toEqual(['/scopes/print'])
  })

  it.each([
    ['is not there', undefined],
    ['is no description', { scopes: [] }],
    ['has a name that is none', { name: 7 }],
    ['is too long', { name: 'x', description: 'y'.repeat(5000) }],
    ['is an empty name', { name: ' \u202e ' }],
  ])('UMA FedAuthz 3.1.1: a document that %s: the address itself is shown, and it is let be for a while', async (what, body) => {
    const path = `/scopes/bad-${what.replaceAll(' ', '-')}`
    if (body !== undefined) documents.pages.set(path, body)
    const id = await service.register({ resource_scopes: [at(path)] })
    expect([await described(id), await described(id)]).toEqual([{}, {}])
    const { page } = await openClaims(
      server,
      bob(),
      await registerApp(server),
      await service.ticket({ resource_id: id, resource_scopes: [at(path)] }),
    )
    expect(page.status).toBe(200)
    expect(page.text).toContain(path.slice('/scopes/'.length))
    expect(documents.asked.filter((one) => one === path)).toHaveLength(1)
  })

  it('UMA FedAuthz 3.1.1: one that never answers makes nobody wait long; a name that turns or does not end is cut', async () => {
    documents.pages.set('/scopes/silent', () => undefined)
    documents.pages.set('/scopes/odd', { name: `a\u202eb\n${'c'.repeat(300)}` })
    const id = await service.register({ resource_scopes: [at('/scopes/silent'), at('/scopes/odd')] })
    const before = Date.now()
    expect(await described(id)).toEqual({ [at('/scopes/odd')]: { name: `a b ${'c'.repeat(56)}` } })
    expect(Date.now() - before).toBeLessThan(4000)
  })

  it('DESIGN 7 I8: an address that is not public, and one that is none, is not called', async () => {
    const scopes = ['http://10.0.0.1/scopes/x', 'https://localhost/x', 'ftp://a.example/x', `${at('/scopes/print')}#y`, 'urn:a:b', 'view']
    const asked = documents.asked.length
    const id = await service.register({ resource_scopes: scopes })
    expect(await described(id)).toEqual({})
    expect(documents.asked).toHaveLength(asked)
  })
})

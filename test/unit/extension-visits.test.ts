// A page's wish from beginning to end, with a worker that may die at any time. The browser and the server are fakes, our code is not.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Visitor } from '../../extension/background/router.ts'
import type { Credential } from '../../extension/wallet/credentials.ts'
import { fake, resetBrowser } from '../support/fake-browser.ts'
import { resetIndexedDB } from '../support/fake-indexeddb.ts'
import { type FakeIssuer, ISSUER, makeIssuer } from '../support/fake-issuer.ts'

const ID = '0123456789abcdef0123456789abcdef'
const VISITOR: Visitor = { origin: ISSUER, tab_id: 7, document_id: 'document-1' }

/** A worker that was just started: no module remembers anything. */
const newWorker = async () => {
  vi.resetModules()
  return {
    ...(await import('../../extension/background/visits.ts')),
    ...(await import('../../extension/background/present.ts')),
    ...(await import('../../extension/wallet/credentials.ts')),
    ...(await import('../../extension/wallet/database.ts')),
    ...(await import('../../extension/wallet/keys.ts')),
    ...(await import('../../extension/wallet/storage.ts')),
  }
}
type Worker = Awaited<ReturnType<typeof newWorker>>

let issuer: FakeIssuer
let worker: Worker

const now = (): number => Math.floor(Date.now() / 1000)

const hold = async (email: string, count = 2): Promise<void> => {
  const credentials: Credential[] = []
  for (let index = 0; index < count; index += 1) {
    const keys = await worker.makeSigningKeys()
    const sd_jwt = await issuer.issue(await worker.publicJwk(keys.publicKey), email)
    credentials.push({ id: crypto.randomUUID(), issuer: ISSUER, email, vct: `${ISSUER}/vct/email`, sd_jwt, keys, expires_at: now() + 1000 })
  }
  await worker.keepCredentials(credentials, now())
}

const asks = async (changes: Record<string, unknown> = {}, id = ID) => ({
  kind: 'page' as const,
  is_active: true,
  message: {
    latchkey: 'latchkey:1' as const,
    kind: 'present' as const,
    id,
    requests: [{ protocol: 'openid4vp-v1-signed' as const, data: { request: await issuer.request(changes) } }],
  },
})
const offers = (code = 'code-1', changes: object = {}) => ({
  kind: 'page' as const,
  is_active: true,
  message: { latchkey: 'latchkey:1' as const, kind: 'keep' as const, id: ID, credential_offer: issuer.offer(code, changes) },
})
const failed = (reason: string) => ({ kind: 'failed', id: ID, reason })
const told = () => fake.sentToTabs.map(({ message }) => (message as { message: unknown }).message)

beforeEach(async () => {
  resetBrowser()
  resetIndexedDB()
  issuer = await makeIssuer({ now: now() })
  vi.stubGlobal('fetch', issuer.fetch)
  worker = await newWorker()
})
afterEach(() => vi.unstubAllGlobals())

describe('DESIGN I10: showing a proof', () => {
  it('DESIGN I10: nothing leaves before the person said yes in the window', async () => {
    await hold('bob@example.net')
    expect(await worker.onPageRequest(await asks(), VISITOR)).toBeUndefined()
    expect([...fake.windows.values()]).toEqual([{ url: expect.stringContaining(`consent.html#${ID}`) }])
    expect(fake.badge).toBe('1')
    expect(fake.sentToTabs).toEqual([])
    expect(await worker.listProofs(now())).toMatchObject([{ left: 2 }])
  })

  it('DESIGN I10: the window names server, app, thing and address, all from the signed request', async () => {
    await hold('bob@example.net')
    await hold('bob.k@work.example')
    await worker.onPageRequest(await asks(), VISITOR)
    expect(await worker.consentOf(await worker.visitBy(ID))).toMatchObject({
      host: 'share.example',
      client_name: 'PhotoPrint',
      client_known: { by: 'document', host: 'photoprint.example' },
      client_host: 'photoprint.example',
      service_name: 'Vault',
      scopes: ['view'],
      tells: 'email',
      emails: ['bob.k@work.example', 'bob@example.net'],
      is_first_time: true,
    })
  })

  it('OpenID4VP 8.3: yes gives the page an answer that only the server can read', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, 'bob@example.net')
    const [result] = told() as { kind: string; response: string }[]
    expect(result).toMatchObject({ kind: 'presented', id: ID })
    expect(fake.sentToTabs[0]).toMatchObject({ tabId: 7, options: { documentId: 'document-1' } })
    const opened = await issuer.open(result?.response ?? '')
    expect(opened.header).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'enc-1' })
    expect(opened.disclosed.map(([, name, value]) => [name, value])).toEqual([['email', 'bob@example.net']])
    expect(opened.keyBindingHeader.typ).toBe('kb+jwt')
    expect(opened.keyBinding).toMatchObject({
      aud: `origin:${ISSUER}`,
      nonce: 'n'.repeat(43),
      sd_hash: opened.sd_hash,
      transaction_data_hashes_alg: 'sha-256',
    })
    expect(fake.windows.size).toBe(0)
    expect(fake.badge).toBe('')
    expect(await worker.listProofs(now())).toMatchObject([{ left: 1 }])
  })

  it('CLAIMS 6: the credential that was shown is destroyed, and its key with it', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, 'bob@example.net')
    const left = await worker.list<Credential>('credentials')
    expect(left.map(({ spent_for }) => spent_for)).toEqual([undefined])
  })

  it('CLAIMS 10: the second time is no longer the first time', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, 'bob@example.net')
    await worker.onPageRequest(await asks({}, `${ID}2`), VISITOR)
    expect((await worker.consentOf(await worker.visitBy(`${ID}2`))).is_first_time).toBe(false)
  })

  it('CLAIMS 10: the address that was shown here last is the first choice', async () => {
    for (const email of ['a@example.net', 'b@example.net', 'c@example.net']) await hold(email, 3)
    const choices = async (id: string): Promise<string[]> => {
      await worker.onPageRequest(await asks({}, id), VISITOR)
      return (await worker.consentOf(await worker.visitBy(id))).emails
    }
    expect(await choices(ID)).toEqual(['a@example.net', 'b@example.net', 'c@example.net'])
    await worker.answer(ID, 'c@example.net')
    expect(await choices(`${ID}2`)).toEqual(['c@example.net', 'a@example.net', 'b@example.net'])
    await worker.answer(`${ID}2`, 'b@example.net')
    expect(await choices(`${ID}3`)).toEqual(['b@example.net', 'c@example.net', 'a@example.net'])
  })

  it('DESIGN I10: no, and a closed window, spend nothing', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, undefined)
    expect(told()).toEqual([failed('declined')])
    await worker.onPageRequest(await asks({}, `${ID}2`), VISITOR)
    await worker.onWindowClosed(-7)
    expect(fake.windows.size).toBe(1)
    await worker.onWindowClosed([...fake.windows.keys()][0] ?? -1)
    expect(told()).toEqual([failed('declined'), { ...failed('declined'), id: `${ID}2` }])
    expect(await worker.listProofs(now())).toMatchObject([{ left: 2 }])
  })

  it('EX-06: a page in which nobody did anything is refused', async () => {
    await hold('bob@example.net')
    expect(await worker.onPageRequest({ ...(await asks()), is_active: false }, VISITOR)).toEqual(failed('refused'))
    expect(fake.windows.size).toBe(0)
  })

  it('OpenID4VP A.2: an unsound request opens no window', async () => {
    await hold('bob@example.net')
    expect(await worker.onPageRequest(await asks({ expected_origins: ['https://evil.example'] }), VISITOR)).toEqual(failed('refused'))
    expect(fake.windows.size).toBe(0)
  })

  it('OpenID4VP A.2: a request that another approved server’s page relays is refused', async () => {
    await hold('bob@example.net')
    expect(await worker.onPageRequest(await asks(), { ...VISITOR, origin: 'https://evil.example' })).toEqual(failed('error'))
    expect(fake.windows.size).toBe(0)
  })

  it('CLAIMS 6: without a fitting proof the page is told so, and no window opens', async () => {
    expect(await worker.onPageRequest(await asks(), VISITOR)).toEqual(failed('no_proof'))
    expect(fake.windows.size).toBe(0)
  })

  it('EX-05: an answer is given once', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, 'bob@example.net')
    await expect(worker.answer(ID, 'bob@example.net')).rejects.toThrow('expired')
    await worker.onPageRequest(await asks(), VISITOR)
    expect(fake.windows.size).toBe(0)
    expect(await worker.listProofs(now())).toMatchObject([{ left: 1 }])
  })

  it('EX-15: a second wish of the same page ends the first; another tab has a window of its own', async () => {
    await hold('bob@example.net', 3)
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.onPageRequest(await asks({}, `${ID}2`), VISITOR)
    expect(told()).toEqual([failed('declined')])
    await worker.onPageRequest(await asks({}, `${ID}3`), { ...VISITOR, tab_id: 9, document_id: 'document-9' })
    await worker.answer(`${ID}3`, 'bob@example.net')
    expect(fake.sentToTabs.at(-1)).toMatchObject({
      tabId: 9,
      options: { documentId: 'document-9' },
      message: { message: { kind: 'presented', id: `${ID}3` } },
    })
    expect(fake.windows.size).toBe(1)
  })

  it('EXTENSION 6: a page that gives up while its question is being checked opens no window later', async () => {
    await hold('bob@example.net')
    const real = issuer.routes['/.well-known/did.json']
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    issuer.routes['/.well-known/did.json'] = async (init) => {
      await held
      return real ? real(init) : new Response()
    }
    const asking = worker.onPageRequest(await asks(), VISITOR)
    await vi.waitFor(() => expect(issuer.calls).toContain('/.well-known/did.json'), { timeout: 5000 })
    await worker.onPageRequest({ kind: 'page', is_active: true, message: { latchkey: 'latchkey:1', kind: 'cancel', id: ID } }, VISITOR)
    release()
    expect(await asking).toEqual(failed('declined'))
    expect(fake.windows.size).toBe(0)
  })

  it('EX-15: nobody else can fetch the answer', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, 'bob@example.net')
    const same = await asks()
    expect(await worker.onPageRequest(same, { ...VISITOR, origin: 'https://evil.example' })).toEqual(failed('error'))
    expect(await worker.onPageRequest(same, { ...VISITOR, tab_id: 8 })).toEqual(failed('error'))
    expect(await worker.onPageRequest(same, VISITOR)).toMatchObject({ kind: 'presented' })
  })

  it('EXTENSION 6: a worker that dies while the person reads changes nothing', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    const next = await newWorker()
    await next.resume()
    expect(fake.windows.size).toBe(1)
    await next.answer(ID, 'bob@example.net')
    expect(told()).toMatchObject([{ kind: 'presented' }])
  })

  it('EXTENSION 6: a worker that dies after the yes is finished by the next one, with the same credential', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    const taken = await worker.takeCredential(ISSUER, 'bob@example.net', ID, now())
    await worker.update('visits', (all) => {
      const visit = all[ID]
      if (visit) all[ID] = { ...visit, step: 'show', email: 'bob@example.net' }
    })
    await (await newWorker()).resume()
    const [result] = told() as { response: string }[]
    const opened = await issuer.open(result?.response ?? '')
    expect(taken?.sd_jwt.split('~')).toContain(opened.jwt)
    expect(await worker.listProofs(now())).toMatchObject([{ left: 1 }])
  })

  it('EXTENSION 6: a page that missed the message gets the answer when it asks again', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    await worker.answer(ID, 'bob@example.net')
    const next = await newWorker()
    expect(await next.onPageRequest(await asks(), VISITOR)).toMatchObject({ kind: 'presented', id: ID })
  })

  it('EXTENSION 6: a wish that the dead worker never noted begins when it is asked for again', async () => {
    await hold('bob@example.net')
    const same = await asks()
    await worker.onPageRequest(same, VISITOR)
    await worker.onPageRequest(same, VISITOR)
    expect(fake.windows.size).toBe(1)
    fake.session.delete('visits')
    await (await newWorker()).onPageRequest(same, VISITOR)
    expect(fake.windows.size).toBe(2)
  })

  it('EXTENSION 2: hello says whether a proof for this server is here, and nothing about others', async () => {
    const hello = { kind: 'page' as const, is_active: false, message: { latchkey: 'latchkey:1' as const, kind: 'hello' as const, id: ID } }
    expect(await worker.onPageRequest(hello, VISITOR)).toEqual({ kind: 'here', id: ID, has_proofs: false })
    await hold('bob@example.net')
    expect(await worker.onPageRequest(hello, VISITOR)).toEqual({ kind: 'here', id: ID, has_proofs: true })
    expect(await worker.onPageRequest(hello, { ...VISITOR, origin: 'https://other.example' })).toEqual({
      kind: 'here',
      id: ID,
      has_proofs: false,
    })
  })

  it('EXTENSION 2: the page, and a closed tab, can give up; the window goes', async () => {
    await hold('bob@example.net')
    await worker.onPageRequest(await asks(), VISITOR)
    const cancel = { kind: 'page' as const, is_active: true, message: { latchkey: 'latchkey:1' as const, kind: 'cancel' as const, id: ID } }
    await worker.onPageRequest(cancel, { ...VISITOR, tab_id: 9 })
    expect(fake.windows.size).toBe(1)
    await worker.onPageRequest(cancel, VISITOR)
    expect(fake.windows.size).toBe(0)
    await worker.onPageRequest(await asks({}, `${ID}2`), VISITOR)
    await worker.onTabClosed(7)
    expect(fake.windows.size).toBe(0)
  })
})

describe('OpenID4VCI 1.0: keeping a proof', () => {
  it('OpenID4VCI 8: a batch is kept, each credential with a key of its own', async () => {
    expect(await worker.onPageRequest(offers(), VISITOR)).toEqual({ kind: 'kept', id: ID, count: 10 })
    expect(await worker.listProofs(now())).toMatchObject([{ issuer: ISSUER, email: 'bob@example.net', left: 10 }])
    const holders = new Set<string>()
    for (let visit = 0; visit < 10; visit += 1) {
      const credential = await worker.takeCredential(ISSUER, 'bob@example.net', `v${visit}`, now())
      if (credential) holders.add(JSON.stringify(await worker.publicJwk(credential.keys.publicKey)))
    }
    expect(holders.size).toBe(10)
  })

  it('OpenID4VCI 6: a code that is spent is an error for the page, and nothing is kept', async () => {
    await worker.onPageRequest(offers(), VISITOR)
    await worker.forgetProofs(ISSUER)
    const again = { ...offers(), message: { ...offers().message, id: `${ID}2` } }
    expect(await worker.onPageRequest(again, VISITOR)).toEqual({ kind: 'failed', id: `${ID}2`, reason: 'error' })
    expect(await worker.listProofs(now())).toEqual([])
  })

  it('EXTENSION 6: a worker that dies after the code is spent goes on with the token', async () => {
    const real = issuer.routes['/credential']
    issuer.routes['/credential'] = () => new Promise(() => undefined)
    void worker.onPageRequest(offers(), VISITOR)
    await vi.waitFor(() => expect(issuer.calls).toContain('/credential'), { timeout: 5000 })
    if (real) issuer.routes['/credential'] = real
    await (await newWorker()).resume()
    expect(told()).toEqual([{ kind: 'kept', id: ID, count: 10 }])
    expect(issuer.calls.filter((path) => path === '/token')).toHaveLength(1)
  })

  it('CLAIMS 10: the page may go on while its proof is kept', async () => {
    const real = issuer.routes['/credential']
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    issuer.routes['/credential'] = async (init) => {
      await held
      return real ? real(init) : new Response()
    }
    const keeping = worker.onPageRequest(offers(), VISITOR)
    await vi.waitFor(() => expect(issuer.calls).toContain('/credential'), { timeout: 5000 })
    await worker.onPageRequest({ kind: 'page', is_active: true, message: { latchkey: 'latchkey:1', kind: 'cancel', id: ID } }, VISITOR)
    await worker.onTabClosed(7)
    release()
    expect(await keeping).toEqual({ kind: 'kept', id: ID, count: 10 })
    expect(await worker.listProofs(now())).toMatchObject([{ left: 10 }])
  })

  it.each<[string, object]>([
    ['another server’s', { credential_issuer: 'https://evil.example' }],
    ['for another kind of credential', { credential_configuration_ids: ['passport'] }],
    [
      'with a second secret',
      { grants: { 'urn:ietf:params:oauth:grant-type:pre-authorized_code': { 'pre-authorized_code': 'c', tx_code: {} } } },
    ],
    ['without a code', { grants: {} }],
  ])('OpenID4VCI 4.1: an offer %s is refused before anything is sent', async (_what, changes) => {
    expect(await worker.onPageRequest(offers('code-1', changes), VISITOR)).toEqual(failed('refused'))
    expect(issuer.calls).toEqual([])
  })

  it.each<[string, Record<string, unknown>]>([
    ['for somebody else’s key', { cnf: { jwk: { kty: 'EC', crv: 'P-256', x: 'a'.repeat(43), y: 'b'.repeat(43) } } }],
    ['by another issuer', { iss: 'https://evil.example' }],
    ['of another type', { vct: 'https://share.example/vct/passport' }],
    ['that has run out', { exp: 1 }],
  ])('OpenID4VCI 8.3: a credential %s is not kept', async (_what, changes) => {
    issuer.routes['/credential'] = async (init) => {
      const { proofs } = JSON.parse(String(init.body)) as { proofs: { jwt: string[] } }
      const { jwk } = JSON.parse(Buffer.from(proofs.jwt[0]?.split('.')[0] ?? '', 'base64url').toString())
      return Response.json({ credentials: [{ credential: await issuer.issue(jwk, 'bob@example.net', changes) }] })
    }
    expect(await worker.onPageRequest(offers(), VISITOR)).toEqual(failed('error'))
    expect(await worker.listProofs(now())).toEqual([])
  })
})

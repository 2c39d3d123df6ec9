// People who ask, as the wallet's background sees them: opened labels, answers, the number on the toolbar. The server is a fake.
import { CompactEncrypt } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fake, resetBrowser } from '../support/fake-browser.ts'
import { resetIndexedDB } from '../support/fake-indexeddb.ts'

const ISSUER = 'https://share.example'
const OTHER = 'https://other.example'
const NOW = Math.floor(Date.now() / 1000)

type Call = { method: string; path: string; body: string }
type Route = (call: Call) => Response | Promise<Response>

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

const calls: Call[] = []
let routes: Record<string, Route>

const newWorker = async () => {
  vi.resetModules()
  return {
    ...(await import('../../extension/background/requests.ts')),
    ...(await import('../../extension/background/notify.ts')),
    ...(await import('../../extension/background/connect.ts')),
    ...(await import('../../extension/wallet/connections.ts')),
    ...(await import('../../extension/wallet/keys.ts')),
  }
}
let worker: Awaited<ReturnType<typeof newWorker>>
let seal: (plaintext: unknown) => Promise<string>

const connection = (issuer: string) => ({
  issuer,
  client_id: 'wallet-1',
  metadata: { issuer },
  access_token: 'at-1',
  access_expires_at: NOW + 3600,
  names: 'readable' as const,
  state: 'connected' as const,
  connected_at: NOW,
})

/** A request on the wire, with the label of Bob. */
const wire = async (id: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> => ({
  id,
  state: 'waiting',
  label: await seal({ email: 'bob@example.net' }),
  line: await seal({ line: 'Hi Alice, it is me.' }),
  permissions: [{ resource_id: 'r1', resource_scopes: ['view'] }],
  connection_id: 'c1',
  client_id: 'https://app.example/client',
  client_name: 'PhotoPrint',
  client_uri: 'https://photoprint.example/about',
  method: 'email-code',
  created_at: NOW - 60,
  expires_at: NOW + 600,
  ...more,
})

const list = (...items: unknown[]): Route => {
  return () => json({ items })
}

beforeEach(async () => {
  resetBrowser()
  resetIndexedDB()
  calls.length = 0
  worker = await newWorker()
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])
  seal = (plaintext) =>
    new CompactEncrypt(new TextEncoder().encode(JSON.stringify(plaintext)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(pair.publicKey)
  await worker.keepLabelKey(ISSUER, await crypto.subtle.exportKey('jwk', pair.privateKey))
  await worker.keepConnection(connection(ISSUER))
  const thing = {
    id: 'r1',
    connection_id: 'c1',
    service_name: 'Vault',
    label: await seal({ name: 'Lisbon.pdf' }),
    resource_scopes: ['view', 'download'],
    created_at: NOW - 900,
    share_count: 0,
  }
  routes = {
    [`GET ${ISSUER}/owner/resources`]: list(thing),
    [`GET ${ISSUER}/owner/requests`]: list(await wire('q1')),
    [`GET ${ISSUER}/owner/people`]: list(),
    [`GET ${ISSUER}/owner/connections`]: list(),
    [`GET ${ISSUER}/owner/activity`]: list(),
  }
  vi.stubGlobal('fetch', async (input: string | URL, init: RequestInit = {}) => {
    const { origin, pathname } = new URL(input)
    const call = { method: init.method ?? 'GET', path: pathname, body: String(init.body ?? '') }
    calls.push(call)
    const route = routes[`${call.method} ${origin}${pathname}`]
    if (!route) throw new TypeError('fetch failed')
    return route(call)
  })
})
afterEach(() => vi.unstubAllGlobals())

const body = (method: string, path: string): unknown =>
  JSON.parse(calls.findLast((one) => one.method === method && one.path === path)?.body ?? '')

describe('UX, requests: who asks', () => {
  it('owner API: address and line are opened here, the thing is named, the app is told as it calls itself', async () => {
    expect(await worker.requests()).toEqual({
      requests: [
        {
          issuer: ISSUER,
          id: 'q1',
          state: 'waiting',
          person: { issuer: ISSUER, id: '', email: 'bob@example.net', name: undefined, last_seen_at: undefined },
          is_known: false,
          line: 'Hi Alice, it is me.',
          things: [{ id: 'r1', is_there: true, name: 'Lisbon.pdf', service: 'Vault', scopes: ['view'] }],
          app: 'PhotoPrint',
          app_host: 'photoprint.example',
          method: 'email-code',
          created_at: NOW - 60,
          answered_at: undefined,
        },
      ],
      trouble: [],
    })
  })

  it('owner API: a label that is sealed to another key stays closed and hides nothing else', async () => {
    const stranger = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])
    await worker.keepLabelKey(ISSUER, await crypto.subtle.exportKey('jwk', stranger.privateKey))
    const [asked] = (await worker.requests()).requests
    expect(asked).toMatchObject({ id: 'q1', state: 'waiting', app: 'PhotoPrint' })
    expect([asked?.person.email, asked?.line, asked?.things[0]?.name]).toEqual([undefined, undefined, undefined])
  })

  it('EX-08: what is no address of the web is not shown as the app’s site', async () => {
    routes[`GET ${ISSUER}/owner/requests`] = list(
      await wire('q1', { client_uri: 'javascript:alert(1)' }),
      await wire('q2', { client_uri: 'nothing' }),
    )
    expect((await worker.requests()).requests.map(({ app_host }) => app_host)).toEqual([undefined, undefined])
  })

  it('owner API: newest first over all servers; a server that does not answer hides nothing of the others', async () => {
    await worker.keepConnection(connection(OTHER))
    const answered = await wire('q2', { state: 'denied', created_at: NOW - 10, answered_at: NOW, person_id: 'p1' })
    routes[`GET ${ISSUER}/owner/requests`] = list(await wire('q1'), answered)
    const { requests, trouble } = await worker.requests()
    expect(requests.map(({ id, state, is_known }) => [id, state, is_known])).toEqual([
      ['q2', 'denied', true],
      ['q1', 'waiting', false],
    ])
    expect(trouble).toEqual([{ issuer: OTHER, code: 'unreachable' }])
  })

  it('owner API: one whose time ran out waits no more, also when the list comes from the cache', async () => {
    routes[`GET ${ISSUER}/owner/requests`] = list(await wire('q1', { expires_at: NOW - 1 }))
    expect((await worker.requests()).requests.map(({ state }) => state)).toEqual(['over'])
    expect(fake.badge).toBe('')
  })
})

describe('UX, requests: the number on the toolbar', () => {
  it('EXTENSION 6: the alarm counts those that wait, and no others', async () => {
    routes[`GET ${ISSUER}/owner/requests`] = list(await wire('q1'), await wire('q2'), await wire('q3', { state: 'used' }))
    await worker.poll()
    expect(fake.badge).toBe('2')
  })

  it('EXTENSION 6: without a connected server nobody is asked', async () => {
    await worker.changeConnection(ISSUER, { state: 'ended' })
    await worker.poll()
    expect(calls).toEqual([])
  })

  it('EXTENSION 6: a server that is away for a moment keeps its part of the number', async () => {
    await worker.requests()
    delete routes[`GET ${ISSUER}/owner/requests`]
    worker = await newWorker()
    await worker.requests()
    expect(fake.badge).toBe('1')
  })

  it('EXTENSION 6: a server that takes this wallet no more is not counted, since nothing can be answered there', async () => {
    await worker.requests()
    await worker.changeConnection(ISSUER, { state: 'ended' })
    expect((await worker.requests()).trouble).toEqual([{ issuer: ISSUER, code: 'ended' }])
    expect(fake.badge).toBe('')
  })

  it('EXTENSION 6: what is kept for the number tells nothing about anybody', async () => {
    await worker.requests()
    expect(fake.session.get('asked')).toEqual({ [ISSUER]: [{ id: 'q1', expires_at: NOW + 600 }] })
  })

  it('RFC 7009 2.1: a server that is left is no longer counted', async () => {
    await worker.requests()
    await worker.leave(ISSUER)
    expect(fake.badge).toBe('')
  })
})

describe('owner API: the answer to a request', () => {
  it.each(['allow', 'keep', 'deny'] as const)('owner API: %s is said as it is, and the request waits no more', async (decision) => {
    await worker.requests()
    const said = decision === 'keep' ? { decision, until: NOW + 86_400, time_zone: 'Europe/Lisbon' } : { decision }
    routes[`POST ${ISSUER}/owner/requests/q1`] = async () => json(await wire('q1', { state: 'denied' }))
    await worker.decide(ISSUER, 'q1', said)
    expect(body('POST', '/owner/requests/q1')).toEqual(said)
    expect(fake.badge).toBe('')
  })

  it('owner API: what could not be given while something else was is told', async () => {
    const failed = [{ resource_id: 'r1', reason: 'no_resource' }]
    routes[`POST ${ISSUER}/owner/requests/q1`] = async () => json({ ...(await wire('q1', { state: 'kept' })), failed })
    expect(await worker.decide(ISSUER, 'q1', { decision: 'keep' })).toEqual({ failed: ['r1'] })
  })

  it.each<[number, string]>([
    [400, 'rejected'],
    [404, 'not_found'],
    [409, 'rejected'],
  ])('owner API: status %i is told as %s, and the request is still counted', async (status, code) => {
    await worker.requests()
    routes[`POST ${ISSUER}/owner/requests/q1`] = () => json({ error: 'x', error_description: 'y' }, status)
    await expect(worker.decide(ISSUER, 'q1', { decision: 'allow' })).rejects.toMatchObject({ code })
    expect(fake.badge).toBe('1')
  })
})

describe('owner API: may people ask', () => {
  it('owner API: each server is asked, and one that does not answer is named', async () => {
    await worker.keepConnection(connection(OTHER))
    routes[`GET ${ISSUER}/owner/settings`] = () => json({ lets_people_ask: true })
    expect(await worker.asking()).toEqual({
      servers: [{ issuer: ISSUER, host: 'share.example', lets_people_ask: true }],
      trouble: [{ issuer: OTHER, code: 'unreachable' }],
    })
  })

  it('owner API: the choice is put to the server', async () => {
    routes[`PUT ${ISSUER}/owner/settings`] = () => json({ lets_people_ask: false })
    await worker.letAsk(ISSUER, false)
    expect(body('PUT', '/owner/settings')).toEqual({ lets_people_ask: false })
  })
})

// Both kits over HTTP with a server that is not ours, and with two servers at once: waiting for an owner, giving up, and what happens when a
// server has forgotten clients or things.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RptResponse } from '../../shared/protocol/uma-grant.ts'
import { connectOwner, memoryStore, type OwnerConnection, protect, registerOnce, rememberProofs } from '../../shared/resource-server.ts'
import { createUmaFetch, type Fetch, makeDpopKey, type UmaFetch, type UmaFetchOptions, type UmaOutcome } from '../../shared/uma-client.ts'
import { type App, bob, codeIn, connectWallet, goBack, share, signIn } from '../support/actors.ts'
import { type Browser, openBrowser } from '../support/http-browser.ts'
import { type OtherServer, startOtherServer } from '../support/other-server.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'

const SHELF = 'https://shelf.example'
const PHOTO = { name: 'Lisbon', resource_scopes: ['view'] }
const back = 'http://127.0.0.1:4570/back'

/** The shelf is at no address; its owner's server is asked over HTTP. */
const openShelf = (asUri: string): { owner: OwnerConnection; answer: (request: Request) => Promise<Response> } => {
  const store = memoryStore()
  const client = { client_name: 'A shelf', client_uri: SHELF, redirect_uris: [`${SHELF}/connected`] }
  const identity = registerOnce({ ...client, grant_types: ['authorization_code', 'refresh_token'] }, { fetch }, store)
  const owner = connectOwner({ asUri, identity, store }, { fetch })
  return { owner, answer: protect({ protectionOf: () => owner.protect('1', PHOTO, ['view']) }, () => new Response('A tram on a hill.')) }
}

const connect = async (owner: OwnerConnection, browser: Browser): Promise<void> => {
  const asking = await owner.askOwner({ redirectUri: `${SHELF}/connected` })
  if (asking.kind !== 'ok') throw new Error(asking.kind)
  const isBack = (url: string): boolean => url.startsWith(SHELF)
  const page = await browser.open(asking.value.url, isBack)
  const end = isBack(page.url) ? page : await browser.submit(page, { decision: 'allow' }, isBack)
  expect(await owner.ownerAnswered(asking.value.pending, new URL(end.url).searchParams)).toEqual({ kind: 'connected' })
}

describe('Kits: with any server', () => {
  let server: OtherServer
  let as: Running
  let shelf: ReturnType<typeof openShelf>
  const outcomes: [string, UmaOutcome][] = []

  /** The network, with the shelf in it. */
  const networkWith =
    (answer: (request: Request) => Promise<Response>): Fetch =>
    (input, init) =>
      String(input).startsWith(SHELF) ? answer(new Request(input, init)) : fetch(input, init)

  const reader = (options: Partial<UmaFetchOptions> = {}, network = networkWith(shelf.answer)): UmaFetch => {
    const client = { client_name: 'A reader', claims_redirect_uris: [back] }
    const identity = registerOnce({ ...client, grant_types: ['urn:ietf:params:oauth:grant-type:uma-ticket'] }, { fetch })
    const onOutcome: UmaFetchOptions['onOutcome'] = (outcome, { asUri }) => outcomes.push([asUri, outcome])
    // That server says of no token whom it is for; this reader knows the shelf.
    return createUmaFetch({ approves: () => true, trustUnnamed: true, identity, onOutcome, ...options }, { fetch: network })
  }

  beforeAll(async () => {
    ;[server, as] = await Promise.all([startOtherServer(), sharedAs()])
    shelf = openShelf(server.issuer)
    await connect(shelf.owner, openBrowser())
  })
  beforeEach(() => {
    server.habits.decision = 'granted'
    outcomes.length = 0
  })
  afterAll(() => server.stop())

  it('UMA Grant 3.3.2, 3.3.3: the static claims endpoint, without iss', async () => {
    server.habits.decision = 'claims'
    const redirect = async (url: string): Promise<URLSearchParams> =>
      new URL((await openBrowser().open(url, (one) => one.startsWith(back))).url).searchParams
    const answer = await reader({ redirect, claimsRedirectUri: back })(`${SHELF}/photos/1`)
    expect([answer.status, await answer.text()]).toEqual([200, 'A tram on a hill.'])
  })

  it('UMA Grant 3.3.6: waits for the owner, and goes on when she has answered', async () => {
    server.habits.decision = 'submitted'
    const waits: number[] = []
    const onWaiting = (seconds: number): void => {
      waits.push(seconds)
      server.habits.decision = 'granted'
    }
    expect((await reader({ patience: 30, onWaiting })(`${SHELF}/photos/1`)).status).toBe(200)
    expect(waits).toEqual([1])
  })

  it('UMA Grant 3.3.6: a wait that is given up ends at once, and nothing more is asked', async () => {
    server.habits.decision = 'submitted'
    const cancel = new AbortController()
    const sent: string[] = []
    const network: Fetch = (input, init) => {
      sent.push(String(input))
      return networkWith(shelf.answer)(input, init)
    }
    const open = reader({ patience: 3600, onWaiting: () => cancel.abort() }, network)
    await expect(open(`${SHELF}/photos/1`, { signal: cancel.signal })).rejects.toMatchObject({ name: 'AbortError' })
    expect(sent.at(-1)).toBe(`${server.issuer}/token`)
    expect(sent.filter((url) => url === sent.at(-1))).toHaveLength(1)
  })

  it('UMA FedAuthz 4.3: things that the server has forgotten are registered again on the way', async () => {
    server.resources.clear()
    expect((await reader()(`${SHELF}/photos/1`)).status).toBe(200)
    expect([...server.resources.values()]).toEqual([PHOTO])
  })

  it('RFC 7591 3: a server that has forgotten everybody: the reader comes in again by itself, the shelf when its owner says yes', async () => {
    const open = reader()
    await open(`${SHELF}/photos/1`)
    server.clients.clear()
    // The PAT cannot be renewed any more, so nobody gets in, not even who was in (UMA Grant 3.2.2).
    expect((await open(`${SHELF}/photos/1`)).headers.get('warning')).toBe('199 - "UMA Authorization Server Unreachable"')
    await connect(shelf.owner, openBrowser())
    expect((await open(`${SHELF}/photos/2`)).status).toBe(200)
    expect(server.clients.size).toBe(2)
  })

  it('UMA Grant 3.2.1: a thing with two owners’ servers: the one that denies is left, the other grants', async () => {
    const ours = openShelf(as.origin)
    const alice = await signIn(as)
    await connect(ours.owner, alice.browser)
    const both = async (request: Request): Promise<Response> => {
      const answers = await Promise.all([ours.answer(request.clone()), shelf.answer(request)])
      const challenges = answers.map((answer) => answer.headers.get('www-authenticate')).join(', ')
      return answers.find(({ ok }) => ok) ?? new Response(null, { status: 401, headers: { 'www-authenticate': challenges } })
    }
    expect((await reader({}, networkWith(both))(`${SHELF}/photos/1`)).status).toBe(200)
    expect(outcomes.map(([asUri, outcome]) => [asUri, 'reason' in outcome ? outcome.reason : outcome.kind])).toEqual([
      [as.origin, 'denied'],
      [server.issuer, 'granted'],
    ])
  })

  it('UMA Grant 3.3.5, 3.3.5.1, 3.6: at our server Bob shows who he is once; his RPT is upgraded for the second photo, and refreshed', async () => {
    const ours = openShelf(as.origin)
    const alice = await signIn(as)
    const wallet = await connectWallet(as, alice)
    await connect(ours.owner, alice.browser)
    const guest = bob()
    for (const key of ['1', '2']) {
      const registered = await ours.owner.register(key, PHOTO)
      await share(wallet, registered.kind === 'ok' ? registered.value : '', guest.address)
    }
    let visits = 0
    const redirect = async (url: string): Promise<URLSearchParams> => {
      visits += 1
      const codePage = await guest.browser.submit(await guest.browser.open(url), { address: guest.address })
      const code = codeIn(await as.mailbox.next(guest.address, 0))
      const done = await guest.browser.submit(codePage, { code, skip: 'on' })
      return goBack(guest, { claimsRedirectUri: back } as App, done)
    }
    const client = { client_name: 'A page', claims_redirect_uris: [back], token_endpoint_auth_method: 'none' }
    const grant_types = ['urn:ietf:params:oauth:grant-type:uma-ticket', 'refresh_token']
    const identity = registerOnce({ ...client, grant_types }, { fetch })
    // The shelf takes bound tokens only with a memory for proofs.
    const isFresh = rememberProofs()
    const answer = protect(
      { protectionOf: ({ url }) => ours.owner.protect(url.slice(-1), PHOTO, ['view']), isFresh },
      () => new Response('A tram on a hill.'),
    )
    const store = memoryStore()
    const told = { redirect, claimsRedirectUri: back, identity, store, dpopKey: await makeDpopKey() }
    expect((await reader(told, networkWith(answer))(`${SHELF}/photos/1`)).status).toBe(200)
    const pct = await store.read(`pct ${as.origin}`)
    expect(pct).toBeTypeOf('string')
    await store.write(`rpt ${SHELF}/photos/1`, undefined)
    expect((await reader(told, networkWith(answer))(`${SHELF}/photos/1`)).status).toBe(200)
    expect(await store.read(`pct ${as.origin}`)).not.toBe(pct)

    const kept = async (photo: string) => JSON.parse((await store.read(`rpt ${SHELF}/photos/${photo}`)) ?? '{}') as { rpt: RptResponse }
    const alone = (await kept('1')).rpt.access_token
    expect((await reader(told, networkWith(answer))(`${SHELF}/photos/2`)).status).toBe(200)
    const [first, second] = [await kept('1'), await kept('2')]
    expect([first.rpt.access_token, second.rpt.upgraded]).toEqual([second.rpt.access_token, true])
    expect(first.rpt.access_token).not.toBe(alone)
    outcomes.length = 0
    for (const photo of ['1', '2']) await store.write(`rpt ${SHELF}/photos/${photo}`, JSON.stringify({ ...second, expires: 0 }))
    for (const photo of ['1', '2']) expect((await reader(told, networkWith(answer))(`${SHELF}/photos/${photo}`)).status).toBe(200)
    const renewed = (await kept('1')).rpt.access_token
    expect([(await kept('2')).rpt.access_token, renewed === second.rpt.access_token]).toEqual([renewed, false])
    // Neither a ticket nor Bob was needed for that.
    expect([outcomes, visits]).toEqual([[], 1])
  })

  it('UMA Grant 3.2.2, DESIGN 7.I5: while the server is away nobody gets in, and the answer says so', async () => {
    const open = reader()
    expect((await open(`${SHELF}/photos/3`)).status).toBe(200)
    await server.stop()
    const answer = await open(`${SHELF}/photos/3`)
    expect([answer.status, answer.headers.get('warning'), answer.headers.get('www-authenticate')]).toEqual([
      403,
      '199 - "UMA Authorization Server Unreachable"',
      null,
    ])
  })
})

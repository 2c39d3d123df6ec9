// The log, by client: each line says whose request it was wherever that is known, for every operation of the API document.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { operations } from '../../worker/openapi/document.ts'
import type { Operation } from '../../worker/openapi/operation.ts'
import { authorize, gatherByMail, registerApp, registerClient } from '../support/actors.ts'
import { type Stage, stage } from '../support/claims.ts'
import { type Answer, type Call, call, type Json } from '../support/http.ts'
import { openBrowser } from '../support/http-browser.ts'
import { obtainCredential } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { until } from '../support/until.ts'

describe('SPECS S0-2: a line names the client', () => {
  let as: Running
  let s: Stage
  /** Bodies that are read before the token is looked at, where the document has no example. */
  let bodies: Readonly<Record<string, Json>>
  beforeAll(async () => {
    as = await ownAs({ asVars: { LOG_LINES: '0' } })
  })
  beforeEach(async () => {
    s = await stage(as)
    bodies = { '/owner/rules/import': { bundle: (await s.wallet.call('/owner/rules/export')).text } }
  })
  afterAll(() => as.stop())
  const lines = (): Json[] => as.logs.map((line) => JSON.parse(line) as Json)
  const lineOf = async (answer: { headers: Headers }): Promise<Json> => {
    const id = answer.headers.get('x-request-id')
    await until(() => lines().some((line) => line.request_id === id))
    return lines().find((line) => line.request_id === id) ?? {}
  }

  /** The request of an operation, right as far as its caller is known by it. */
  const requestOf = (operation: Operation): [string, Call] => {
    const { path, method, body, parameters = [] } = operation
    const isThing = path.includes('/resource')
    // A revision is asked for before the token is looked at.
    const headers = Object.fromEntries(parameters.flatMap((one) => (one.name === 'If-Match' ? [[one.name, '"1"']] : [])))
    const query = parameters.filter((one) => one.in === 'query' && one.required === true).map(({ name }): [string, string] => [name, 'x'])
    const example = JSON.parse(JSON.stringify(body?.example ?? bodies[path] ?? {}).replaceAll('<id>', s.resource)) as Json
    const sent = body === undefined ? {} : body.type === 'form' ? { form: { token: 'x' } } : { json: example }
    const where = path.replace('{id}', isThing ? s.resource : 'x').replace(/\{\w+\}/g, 'x')
    return [query.length === 0 ? where : `${where}?${new URLSearchParams(query)}`, { method: method.toUpperCase(), headers, ...sent }]
  }

  it.each(['owner', 'protection'] as const)('SPECS S0-2: whose token was accepted, whatever comes of it: %s', async (access) => {
    const caller = access === 'owner' ? s.wallet : s.service
    const nameless: string[] = []
    const last = (one: Operation): number => Number(one.method === 'delete')
    const called = operations.filter((one) => one.access === access).toSorted((a, b) => last(a) - last(b))
    expect(called.length).toBeGreaterThan(8)
    for (const operation of called) {
      const answer = await caller.call(...requestOf(operation))
      const { client_id, status } = await lineOf(answer)
      if (client_id !== caller.client.id) nameless.push(`${operation.method} ${operation.path} ${status} ${answer.text}`)
    }
    expect(nameless).toEqual([])
  })

  it('SPECS S0-2: who has authenticated, and nobody who only says so', async () => {
    const { id, secret = '', metadata } = s.service.client
    const basic = { id, secret }
    const manage = { bearer: String(metadata.registration_access_token) }
    const own = String(metadata.registration_client_uri)
    const known: Answer[] = [
      await call(`${as.origin}/token`, { form: { grant_type: 'refresh_token', refresh_token: 'x' }, basic }),
      await call(`${as.origin}/revoke`, { form: { token: 'x' }, basic }),
      await call(`${as.origin}/par`, { form: { response_type: 'code' }, basic }),
      await call(own, manage),
      await call(own, { ...manage, method: 'PUT', json: {} }),
    ]
    for (const answer of known) expect((await lineOf(answer)).client_id).toBe(id)
    const registered = await call(`${as.origin}/register`, { json: { redirect_uris: ['https://new.example/cb'] } })
    expect((await lineOf(registered)).client_id).toBe(registered.json.client_id)
    const wrong: Answer[] = [
      await call(`${as.origin}/token`, { form: { grant_type: 'refresh_token' }, basic: { id, secret: 'x' } }),
      await call(`${as.origin}/authorize?client_id=${id}&redirect_uri=https://evil.example/`),
      await call(`${as.origin}/uma/claims?client_id=${s.app.client.id}&claims_redirect_uri=https://evil.example/`),
      await call(own, { bearer: 'x' }),
    ]
    for (const answer of wrong) expect(await lineOf(answer)).toEqual(expect.not.objectContaining({ client_id: expect.anything() }))
  })

  it('SPECS S0-2: who sends an owner here, from the first page to the code', async () => {
    const { id } = await registerClient(as, { redirect_uris: ['https://service.example/cb'] })
    const asked = { clientId: id, redirectUri: 'https://service.example/cb', scope: 'uma_protection' }
    await authorize(as, s.alice, asked)
    await authorize(as, s.alice, { ...asked, decision: 'deny' })
    await authorize(as, s.alice, { ...asked, more: { prompt: 'none' }, decision: 'none' }).catch(() => undefined)
    await openBrowser().open(`${as.origin}/authorize?client_id=${id}&redirect_uri=https://service.example/cb`, () => true)
    const last = await call(`${as.origin}/authorize?client_id=${id}`)
    expect(await lineOf(last)).toMatchObject({ client_id: id, status: 303 })
    const routes = lines().filter((line) => line.client_id === id)
    expect([...new Set(routes.map(({ method, route }) => `${method} ${route}`))].sort()).toEqual([
      'GET /authorize',
      'POST /authorize/consent',
      'POST /register',
    ])
  })

  it('SPECS S0-2: who sends a person to show something, on each page, and with the proof that the person keeps', async () => {
    const app = await registerApp(as, 'confidential')
    const begin = lines().length
    const guest = await s.guest()
    await obtainCredential(as, guest, app, await s.ticket())
    await app.token(await gatherByMail(as, await s.guest(), app, await s.ticket()))
    // Each form and script, also where it is refused.
    const { guest: other, page } = await s.arrive(undefined, app)
    const parts = operations.flatMap(({ method, path }) =>
      path.startsWith('/uma/claims/{sid}/') ? [{ method, name: path.slice(18) }] : [],
    )
    expect(parts.length).toBeGreaterThan(8)
    for (const { method, name } of parts) {
      const url = `${page.url.split('?')[0]}/${name}`
      if (method === 'get') await other.browser.open(url)
      else await other.browser.post(page, url, {})
    }
    await call(`${as.origin}/uma/claims?client_id=${app.client.id}&ticket=x`)
    await lineOf(await call(`${as.origin}/jwks`))
    const seen = lines().slice(begin)
    const ofInteraction = seen.filter(({ route }) => String(route).startsWith('/uma/claims') || route === '/credential')
    expect(ofInteraction.filter(({ client_id }) => client_id !== app.client.id)).toEqual([])
    const all = operations.flatMap(({ method, path }) =>
      path.startsWith('/uma/claims') || path === '/credential' ? [`${method.toUpperCase()} ${path.replace('{sid}', ':sid')}`] : [],
    )
    expect([...new Set(ofInteraction.map(({ method, route }) => `${method} ${route}`))].sort()).toEqual(all.sort())
    // The wallet that takes the proof is no client; the line has the app for which the address was shown.
    expect(seen.filter(({ route }) => route === '/token').map(({ client_id }) => client_id)).toEqual([app.client.id, app.client.id])
  })
})

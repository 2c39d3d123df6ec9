// keycloak-js (npm), unchanged, in a Chromium, from a page of another origin: its module for UMA reads a configuration, and posts the ticket
// with the person's own token as `Authorization: Bearer` and an RPT to be upgraded. This server knows no such tokens, so there is no grant:
// what is tested is that the browser lets the page ask, and lets it read why not (Fetch 3.2).
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectService, registerApp, signIn } from '../support/actors.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import { freePort, type Running } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { ROOT } from '../tools/build.ts'

const SCRIPT = `
import Keycloak from './keycloak.js'
import KeycloakAuthorization from './keycloak-authz.js'
const keycloak = new Keycloak({ url: location.origin, realm: 'latchkey', clientId: 'a-page' })
await keycloak.init({ checkLoginIframe: false })
keycloak.token = 'eyJhbGciOiJub25lIn0.e30.'
window.settled = (ask) => {
  const authorization = new KeycloakAuthorization(keycloak)
  authorization.rpt = 'an-old-rpt'
  return new Promise((resolve) => ask(authorization).then(() => resolve('grant'), () => resolve('deny'), (error) => resolve(error ? String(error) : 'error')))
}
document.title = 'ready'
`

type Settle = (
  ask: (authorization: { authorize: (asked: object) => unknown; entitlement: (id: string, asked?: object) => unknown }) => unknown,
) => Promise<string>

describe('Fetch 3.2: keycloak-js', () => {
  let as: Running
  let chromium: GuestBrowser
  let pages: Server
  let tab: Page
  let ticket: string
  const complaints: string[] = []
  const exchanges: [string, string, number][] = []

  beforeAll(async () => {
    as = await ownAs({ wrap: false })
    const service = await connectService(as, await signIn(as))
    const id = await service.register({ resource_scopes: ['view'] })
    ticket = await service.ticket({ resource_id: id, resource_scopes: ['view'] })
    pages = createServer((request, answer) => {
      const path = request.url ?? '/'
      // Where Keycloak keeps its configuration; this page's own server says where ours is.
      if (path === '/realms/latchkey/.well-known/uma2-configuration') {
        answer.writeHead(302, { location: `${as.origin}/.well-known/uma2-configuration` }).end()
      } else if (path === '/keycloak.js' || path === '/keycloak-authz.js') {
        answer.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(join(ROOT, 'node_modules/keycloak-js/lib', path)))
      } else if (path === '/app.js') answer.writeHead(200, { 'content-type': 'text/javascript' }).end(SCRIPT)
      else answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><script type="module" src="/app.js"></script>')
    })
    const port = await freePort()
    await new Promise<void>((done) => pages.listen(port, '127.0.0.1', done))
    chromium = await startGuestBrowser()
    tab = await chromium.context.newPage()
    tab.on('console', (message) => {
      if (/CORS|blocked/i.test(message.text())) complaints.push(message.text())
    })
    tab.on('pageerror', (error) => complaints.push(error.message))
    tab.on('response', (answer) => {
      if (answer.url().startsWith(as.origin)) exchanges.push([answer.request().method(), new URL(answer.url()).pathname, answer.status()])
    })
    await tab.goto(`http://127.0.0.1:${port}/`)
    await tab.waitForFunction("document.title === 'ready'")
  })
  afterAll(async () => {
    await chromium?.close()
    pages?.close()
    await as?.stop()
  })

  it('UMA Grant 2, 3.3.1: the configuration is read from another origin, the ticket is posted, the refusal reaches the page', async () => {
    const end = await tab.evaluate((given) => {
      const { settled } = window as unknown as { settled: Settle }
      return settled((authorization) => authorization.authorize({ ticket: given }))
    }, ticket)
    expect([end, complaints]).toEqual(['error', []])
    expect(exchanges.filter(([method]) => method !== 'OPTIONS')).toEqual([
      ['GET', '/.well-known/uma2-configuration', 200],
      ['POST', '/token', 401],
    ])
  })

  it('RFC 6749 5.2: without a ticket, as Keycloak alone allows it, it is refused in the same way', async () => {
    const end = await tab.evaluate(() => {
      const { settled } = window as unknown as { settled: Settle }
      return settled((authorization) => authorization.entitlement('shelf', { permissions: [{ id: 'a', scopes: ['view'] }] }))
    })
    expect([end, complaints]).toEqual(['error', []])
  })

  it('RFC 6749 5.2, Fetch 3.2.1: the page can read error, description, challenge and the number of the request; the ticket still does', async () => {
    const app = await registerApp(as, 'confidential')
    const basic = `Basic ${btoa(`${app.client.id}:${app.client.secret}`)}`
    const told = await tab.evaluate(
      async ({ endpoint, form, known }) => {
        const ask = async (headers: Record<string, string>) => {
          const answer = await fetch(endpoint, {
            method: 'POST',
            headers: { 'Content-type': 'application/x-www-form-urlencoded', ...headers },
            body: new URLSearchParams(form),
          })
          const { error, error_description } = (await answer.json()) as Record<string, string>
          const seen = ['www-authenticate', 'x-request-id'].map((name) => answer.headers.get(name) !== null)
          return { status: answer.status, error, isSaid: (error_description ?? '') !== '', seen }
        }
        return [await ask({ Authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }), await ask({}), await ask({ Authorization: known })]
      },
      { endpoint: `${as.origin}/token`, form: { grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket', ticket }, known: basic },
    )
    expect(told).toEqual([
      { status: 401, error: 'invalid_client', isSaid: true, seen: [true, true] },
      // RFC 6749 5.2: the challenge is for those who tried with a header.
      { status: 401, error: 'invalid_client', isSaid: true, seen: [false, true] },
      // From a client that is known here: nothing is shared.
      { status: 403, error: 'request_denied', isSaid: true, seen: [false, true] },
    ])
    expect(complaints).toEqual([])
  })
})

// The developers' page in a real Chromium: its forms send what they say, to this server only, under its strict policy.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectService, type Service, signIn } from '../support/actors.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import type { Running } from '../support/runtime.ts'
import { capture } from '../support/screens.ts'
import { ownAs } from '../support/server.ts'

describe('UX "Rosa": the API can be read and tried', () => {
  let as: Running
  let service: Service
  let browser: GuestBrowser
  let page: Page
  const violations: string[] = []

  beforeAll(async () => {
    as = await ownAs({ wrap: false })
    service = await connectService(as, await signIn(as))
    browser = await startGuestBrowser()
    page = await browser.context.newPage()
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) violations.push(message.text())
    })
    await page.goto(`${as.origin}/`)
    await page.getByRole('link', { name: 'For developers' }).click()
    await page.getByRole('heading', { level: 1, name: 'For developers' }).waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await as?.stop()
  })

  const form = (id: string) => page.locator(`#${id}`)

  it('UMA Grant 2: discovery, from the page', async () => {
    await form('try-discovery').getByRole('button', { name: 'Get the document' }).click()
    await form('try-discovery').getByText(/^200/).waitFor()
    expect(await form('try-discovery').locator('[data-answer]').innerText()).toContain(`"issuer": "${as.origin}"`)
  })

  it('RFC 7591 3.2.1: registration, from the page; a mistake is told with its code', async () => {
    const body = form('try-register').getByLabel('Metadata (JSON)')
    await form('try-register').getByRole('button', { name: 'Register' }).click()
    await form('try-register').getByText(/^201/).waitFor()
    await body.fill('{"redirect_uris": ["javascript:alert(1)"]}')
    await form('try-register').getByRole('button', { name: 'Register' }).click()
    await form('try-register').getByText(/^400/).waitFor()
    expect(await form('try-register').locator('[data-answer]').innerText()).toContain('"error": "invalid_redirect_uri"')
  })

  it('UMA FedAuthz 3.2: a protected call, from the page, without and with a PAT', async () => {
    const call = form('try-call')
    await call.getByRole('button', { name: 'Send' }).click()
    await call.getByText(/^401 · WWW-Authenticate: Bearer/).waitFor()
    await call.getByLabel('Access token').fill(service.pat)
    await call.getByLabel('Call').selectOption('POST /uma/resource')
    await call.getByLabel('Body').fill('{"name": "Lisbon.pdf", "resource_scopes": ["view"]}')
    await call.getByRole('button', { name: 'Send' }).click()
    await call.getByText(/^201/).waitFor()
    expect(await call.locator('[data-answer]').innerText()).toContain('"_id"')
    await page.locator('#requestPermission > summary').click()
    await page.locator('#requestPermission').getByRole('link', { name: 'permissionRequest' }).click()
    await page.locator('#schema-permissionRequest[open]').waitFor()
    await capture(page, 'server-developers')
    expect(violations).toEqual([])
  })
})

// The page of operators in a real Chromium: by keyboard and by mouse, looked at by axe in light and dark, and 360 px narrow.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectService, registerClient, signIn, someone } from '../support/actors.ts'
import { newestCode } from '../support/claims.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import type { Running } from '../support/runtime.ts'
import { capture } from '../support/screens.ts'
import { ownAs } from '../support/server.ts'

const OLAF = 'olaf@example.net'

describe('DESIGN 2: /admin in a browser', () => {
  let as: Running
  let browser: GuestBrowser
  let page: Page
  const notice = (): Promise<string> => page.locator('.notice').innerText()

  beforeAll(async () => {
    as = await ownAs({ wrap: false, asVars: { OPERATORS: OLAF, REGISTRATION: 'invited', INVITED: 'alice@example.net', OPERATOR: 'Olaf' } })
    const alice = await signIn(as, 'alice@example.net')
    await connectService(as, alice, 'Photo shelf', 'https://photos.example')
    await connectService(
      as,
      alice,
      'An app with a very long name that somebody thought was a good idea at the time',
      'https://long.example',
    )
    // Its page has nothing at which a line could end.
    const client_uri = `https://reader.example/${'about-us-'.repeat(12)}`
    await registerClient(as, { client_name: 'Reader', redirect_uris: ['https://reader.example/cb'], client_uri })
    browser = await startGuestBrowser()
    page = await browser.context.newPage()
  })
  afterAll(async () => {
    await browser?.close()
    await as?.stop()
  })

  it('DESIGN 2: an operator signs in and lands on the page', async () => {
    await page.goto(`${as.origin}/admin`)
    await page.locator('input[name=address]').fill(OLAF)
    await page.locator('form:has(input[name=address]) button[type=submit]').click()
    await page.locator('input[name=code]').waitFor()
    await page.locator('input[name=code]').fill(newestCode(as, OLAF))
    await page.locator('form:has(input[name=code]) button.btn-main').click()
    await page.getByRole('link', { name: /continue/i }).click()
    await page.waitForURL(`${as.origin}/admin`)
    await page.getByRole('heading', { name: 'Administration' }).waitFor()
    await capture(page, 'admin')
  })

  it('DESIGN 3: blocks a client, sees that it is in force, and unblocks it', async () => {
    await page.getByRole('button', { name: 'Block Photo shelf' }).click()
    expect(await notice()).toContain('Blocked')
    await page.getByRole('heading', { name: 'Blocked' }).waitFor()
    expect(await page.locator('ul[aria-labelledby=h-blocked] li').innerText()).toContain('It registered itself here on')
    expect(await page.getByText('In force with all owners concerned: 1').count()).toBe(1)
    await capture(page, 'admin-blocked')
    await page.getByRole('button', { name: 'Unblock Photo shelf' }).click()
    expect(await notice()).toContain('Unblocked')
  })

  it('DESIGN decision 10: invites by keyboard; what is no address is said, and nothing is lost by it', async () => {
    await page.getByLabel('E-mail address').focus()
    await page.keyboard.type(someone('guest'))
    await page.keyboard.press('Enter')
    await page.waitForURL(/notice=invited/)
    expect(await notice()).toContain('Invited')
    await page.locator('form[action="/admin/invite"]').evaluate((form) => form.setAttribute('novalidate', ''))
    await page.getByLabel('E-mail address').fill('nobody')
    await page.keyboard.press('Enter')
    await page.waitForURL(/notice=address_wrong/)
    expect(await page.getByRole('alert').innerText()).toContain('no e-mail address')
    await capture(page, 'admin-invitations')
  })

  it('SPECS S0-2: finds a client by its identifier, and says when there is none', async () => {
    const id = await page.locator('li:has-text("Reader") .one-line').first().innerText()
    await page.getByLabel('Identifier', { exact: true }).fill(id)
    await page.getByRole('button', { name: 'Find' }).click()
    await page.waitForURL(/client=/)
    expect(await page.getByRole('button', { name: 'Block Reader' }).count()).toBe(2)
    await page.getByLabel('Identifier', { exact: true }).fill('https://app.example/client.json')
    await page.getByRole('button', { name: 'Find' }).click()
    await page.getByText('Nothing is registered with this identifier').waitFor()
    await capture(page, 'admin-find')
  })

  it('TK-17: makes new keys', async () => {
    await page.getByRole('button', { name: 'Make new keys now' }).click()
    expect(await notice()).toContain('New keys are made')
    await page.getByText('come into use on').waitFor()
  })
})

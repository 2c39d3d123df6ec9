// What Alice and Bob do in a browser at the server and the vault: click by click, as the pages ask for it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { ROOT } from '../tools/build.ts'
import { codeIn } from './actors.ts'
import type { Both } from './story.ts'

export const LISBON = join(ROOT, 'test/vectors/files/Lisbon.pdf')
export const COFFEE = join(ROOT, 'test/vectors/files/coffee.jpg')

/** The newest code that was mailed to an address. */
export const codeFor = async (both: Both, address: string): Promise<string> => {
  // The page that asks for the code is shown after the mail was taken, so that the newest one is there.
  const newest = both.as.mailbox.to(address).at(-1)
  return codeIn(newest ?? (await both.as.mailbox.next(address)))
}

/** Types the address and then the mailed code, wherever the server asks for them. Ends on the page that follows. */
export const showAddress = async (
  both: Both,
  page: Page,
  address: string,
  see?: (screen: 'address' | 'code') => Promise<void>,
): Promise<void> => {
  const field = page.locator('input[name=address]')
  await field.waitFor()
  await see?.('address')
  await field.fill(address)
  await page.locator('form:has(input[name=address]) button[type=submit]').click()
  const code = page.locator('input[name=code]')
  await code.waitFor()
  await see?.('code')
  await code.fill(await codeFor(both, address))
  await page.locator('form:has(input[name=code]) button.btn-main').click()
}

/** Drops a file onto the vault's list with the mouse, as a person drags it in from a folder. */
export const dropFile = async (page: Page, path: string, name: string, type: string): Promise<void> => {
  const bytes = readFileSync(path).toString('base64')
  const transfer = await page.evaluateHandle(
    ([content, fileName, mediaType]) => {
      const data = new DataTransfer()
      data.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], fileName, { type: mediaType }))
      return data
    },
    [bytes, name, type] as const,
  )
  const zone = page.locator('.drop')
  await zone.dispatchEvent('dragover', { dataTransfer: transfer })
  await zone.dispatchEvent('drop', { dataTransfer: transfer })
}

/** The share link of a file, read from its page in the vault. */
export const linkOf = async (page: Page, name: string): Promise<string> => {
  await page.getByRole('link', { name }).first().click()
  return page.getByLabel(`Link to ${name}`).inputValue()
}

// A picture of every screen, as a person may meet it: light and dark, wide and 360 px narrow; and what can be judged by a program: nothing
// scrolls sideways, axe finds nothing. Pictures lie in test/report/screens.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe, { type AxeResults, type RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { ROOT } from '../tools/build.ts'

export const SCREENS = join(ROOT, 'test/report/screens')
/** Pictures that the README shows; `npm run pictures` renews them. */
const PICTURES = join(ROOT, 'test/pictures')
const SHOWN = ['vault-list.light', 'wallet-share-dialog.light', 'wallet-consent.light']

const WIDE = { width: 1120, height: 800 }
const NARROW = { width: 360, height: 740 }

const LOOKS = [
  { look: 'light', colorScheme: 'light', size: WIDE },
  { look: 'dark', colorScheme: 'dark', size: WIDE },
  { look: 'narrow', colorScheme: 'light', size: NARROW },
] as const

export type Captured = {
  /** A fixed size, for windows that have one. */
  size?: { width: number; height: number }
}

type WithAxe = { axe: { run: (options: RunOptions) => Promise<AxeResults> } }

/** What axe finds in the page itself. Frames are left out: in them lies what people keep, which no program of ours may enter. */
const violations = async (page: Page): Promise<string[]> => {
  await page.evaluate(axe.source)
  const found = await page.evaluate(() => (globalThis as unknown as WithAxe).axe.run({ iframes: false, resultTypes: ['violations'] }))
  return found.violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** Takes the pictures `<name>.light.png`, `.dark.png`, `.narrow.png`; fails if the page scrolls sideways or axe finds something. */
export const capture = async (page: Page, name: string, { size }: Captured = {}): Promise<void> => {
  mkdirSync(SCREENS, { recursive: true })
  for (const { look, colorScheme, size: usual } of LOOKS) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(size !== undefined && look !== 'narrow' ? size : usual)
    await page.screenshot({ path: join(SCREENS, `${name}.${look}.png`), fullPage: true, animations: 'disabled' })
    if (process.env.LATCHKEY_PICTURES !== undefined && SHOWN.includes(`${name}.${look}`)) {
      mkdirSync(PICTURES, { recursive: true })
      copyFileSync(join(SCREENS, `${name}.${look}.png`), join(PICTURES, `${name}.png`))
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(over, `${name}, ${look}: px that stand out sideways`).toBeLessThanOrEqual(0)
    if (look !== 'narrow') {
      expect((await violations(page)).map((found) => `${name}, ${look}: ${found}`)).toEqual([])
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(size ?? WIDE)
}

// An operator at a terminal: signs in like a person, with a code by mail, and uses the forms of /admin. No other way leads there.
import { openBrowser, type Page } from './http-browser.ts'

/** How the code gets from the mail to here: asked for after the server says that it was sent. */
export type ReadCode = () => Promise<string>

/** Opens /admin. Rejects with a sentence for whoever runs the command. */
export const openAdmin = async (origin: string, address: string, readCode: ReadCode) => {
  const browser = openBrowser({ 'accept-language': 'en' })
  const typed = await browser.submit(await browser.open(`${origin}/sign-in?next=/admin`), { address })
  if (!typed.forms.some(({ names }) => names.includes('code'))) throw new Error(`${origin} sends no code to ${address}.`)
  let page = await browser.submit(typed, { code: await readCode() })
  // The first time of all: an owner has come to be, and this is the only moment in which its recovery code can be read.
  const recoveryCode = /<output class="secret"[^>]*>([^<]+)</.exec(page.text)?.[1]
  if (recoveryCode !== undefined) page = await browser.open(`${origin}/admin`)
  if (page.forms.some(({ names }) => names.includes('code'))) throw new Error('That is not the code that was mailed.')
  if (page.status === 404) throw new Error(`${address} is not among the operators (OPERATORS) of ${origin}.`)
  if (page.status !== 200 || new URL(page.url).pathname !== '/admin') throw new Error(`${origin} answered ${page.status} at ${page.url}.`)
  return { browser, page, recoveryCode }
}

/** The sentence that the page shows about what was just done. */
export const noticeOf = (page: Page): string =>
  (/<div class="notice"[^>]*>[\s\S]*?<p>([\s\S]*?)<\/p>/.exec(page.text)?.[1] ?? '').replaceAll('&#39;', "'").trim()

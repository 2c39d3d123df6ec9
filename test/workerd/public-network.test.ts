// Where the promise that no inner address is contacted rests on the runtime: names that were judged good and turn out to be something else when
// they are connected to. The vault as it was built, in a workerd that reaches what the platform lets it reach, and in one that reaches all.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bare, startBareVault } from '../support/bare-workerd.ts'
import { type Documents, startDocuments } from '../support/documents.ts'
import { openBrowser } from '../support/http-browser.ts'
import { WRANGLER } from '../tools/build.ts'

describe('TESTS CR-10: names that turn private', () => {
  let inside: Documents
  /** A name that the vault takes for good; whoever looks it up finds this machine. */
  let name: string
  const vaults: Bare[] = []

  const signIn = async (reaches: readonly string[]): Promise<string> => {
    const vault = await startBareVault({ DEV_ORIGINS: name }, reaches)
    vaults.push(vault)
    const browser = openBrowser()
    return (await browser.submit(await browser.open(`${vault.origin}/`), { server: name })).text
  }

  beforeAll(async () => {
    inside = await startDocuments()
    name = inside.origin.replace('127.0.0.1', 'localhost')
  })
  afterAll(async () => {
    for (const vault of vaults) vault.stop()
    await inside.stop()
  })

  it('TESTS CR-10: the name is good when it is judged, and nobody inside is asked when it is connected to', async () => {
    expect(await signIn(['public'])).toContain('No answer from')
    expect(inside.asked).toEqual([])
    // The same where inner addresses can be reached: it was the runtime that kept away, after it had looked the name up.
    expect(await signIn(['public', 'private'])).toContain('No answer from')
    expect(inside.asked).toEqual(['/.well-known/uma2-configuration'])
  })

  it('TESTS CR-10: both workers ask the platform for the public internet and nothing else', () => {
    for (const config of Object.values(WRANGLER)) {
      const flags = /^compatibility_flags = \[(.*)\]$/m.exec(readFileSync(config, 'utf8'))?.[1] ?? ''
      expect(flags.split(', ')).toContain('"global_fetch_strictly_public"')
    }
  })
})

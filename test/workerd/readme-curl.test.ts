// The lines under "Try it with curl" in README.md, run as they stand by bash and sh; a browser opens the links that they print.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { type Alice, bob, codeIn, signIn } from '../support/actors.ts'
import type { Browser } from '../support/http-browser.ts'
import type { Running } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'
import { ROOT } from '../tools/build.ts'

const BACK = 'http://127.0.0.1:8799/back'
const isBack = (url: string): boolean => url.startsWith(BACK)

/** All fenced shell blocks of one section, as one script. */
const scriptUnder = (heading: string): string => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const section = readme.split(/^## /m).find((one) => one.startsWith(`${heading}\n`))
  const blocks = [...(section ?? '').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block)
  if (blocks.length === 0) throw new Error(`README.md has no shell block under "${heading}"`)
  return blocks.join('\n')
}

/** Runs a script; whenever it prints a link for somebody, types what `follow` answers. */
const run = async (
  shell: string,
  env: Record<string, string>,
  follow: (who: string, url: string) => Promise<string>,
): Promise<{ lines: string[]; errors: string }> => {
  const child = spawn(shell, ['-c', scriptUnder('Try it with curl')], { env: { ...process.env, ...env }, stdio: 'pipe' })
  const ended = new Promise<number | null>((done) => child.once('close', done))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    const [, who, url] = /^(Alice|Bob)\b.*?: (http\S+)$/.exec(line) ?? []
    if (who !== undefined && url !== undefined) child.stdin.write(`${await follow(who, url)}\n`)
  }
  expect(await ended).toBe(0)
  return { lines, errors }
}

const allow = async (browser: Browser, url: string): Promise<string> => {
  const page = await browser.open(url, isBack)
  return (await browser.submit(page, { decision: 'allow' }, isBack)).url
}

const showAddress = async (as: Running, address: string, browser: Browser, url: string): Promise<string> => {
  const mailed = await browser.submit(await browser.open(url), { address })
  const done = await browser.submit(mailed, { code: codeIn(await as.mailbox.next(address)) })
  const between = await browser.send(done, '/continue')
  return between.refresh ?? between.url
}

it.each(['bash', 'sh'])('UMA Grant 3: the README with curl, in %s: discovery, registration, need_info, success, stop', async (shell) => {
  const as = await sharedAs()
  const alice: Alice = await signIn(as)
  const guest = bob()
  const followed: string[] = []
  const { lines, errors } = await run(shell, { AS: as.origin, BOB: guest.address }, (who, url) => {
    followed.push(who)
    return who === 'Alice' ? allow(alice.browser, url) : showAddress(as, guest.address, guest.browser, url)
  })
  expect(followed).toEqual(['Alice', 'Alice', 'Bob'])
  expect(errors).toBe('')
  const answers = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(answers).toHaveLength(5)
  const [discovery, policy, needs, active, inactive] = answers
  expect(discovery).toMatchObject({
    issuer: as.origin,
    grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:uma-ticket']),
  })
  expect(policy).toMatchObject({ resource_scopes: ['view'] })
  expect(needs).toMatchObject({ error: 'need_info', redirect_user: `${as.origin}/uma/claims`, required_claims: [{ name: 'email' }] })
  expect(active).toMatchObject({ active: true, permissions: [{ resource_scopes: ['view'] }] })
  expect(inactive).toEqual({ active: false })
})

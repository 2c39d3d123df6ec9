// The packed kits outside the repository, with the code of the guides: the shelf in workerd, the reader on this machine's Node and in
// workerd, our authorization server between them. The same with every runtime and packages from the registry: test/long/kits.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from '../support/http-browser.ts'
import { connectShelf, people, type Shelf, throughClaims } from '../support/kit-story.ts'
import { blocksOf, GUIDES, type Program, start, systemNode, unpackKits, workerOf } from '../support/kits.ts'
import { freePort, type Running, startWorker } from '../support/runtime.ts'
import { sharedAs } from '../support/server.ts'
import { ROOT } from '../tools/build.ts'

describe('Kits: the guides as they are written', () => {
  let as: Running
  let folder: string
  let shelf: Shelf
  const running: Running[] = []

  const startApp = async (entry: string, vars: Record<string, string>): Promise<string> => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const source = await workerOf(folder, entry, { ...vars, ORIGIN: origin, AS: as.origin })
    running.push(await startWorker(source, { state: join(folder, 'state', entry), host: '127.0.0.1', port }))
    return origin
  }

  beforeAll(async () => {
    ;[as, folder] = await Promise.all([sharedAs(), unpackKits()])
    shelf = await connectShelf(await people(as), await startApp('worker.js', {}))
  })
  afterAll(async () => {
    await Promise.all(running.map((one) => one.stop()))
  })

  it('Kits: every block of the guides is run somewhere: by its file name, or as shell lines', () => {
    const files = GUIDES.flatMap((guide) => blocksOf(guide).map(({ file, language }) => file ?? language))
    const fences = GUIDES.map((guide) => readFileSync(join(ROOT, 'shared', guide), 'utf8').match(/^```\w/gm)?.length ?? 0)
    expect(files).toHaveLength(fences.reduce((sum, count) => sum + count))
    const shelf = [
      'sh',
      'photos.js',
      'owner.js',
      'connect.js',
      'metadata.js',
      'api.js',
      'plain.js',
      'file-store.js',
      'node.js',
      'deno.js',
      'bun.js',
      'worker.js',
      'sh',
    ]
    expect(files).toEqual([...shelf, 'open.js', 'sh', 'reader.js', 'reader-worker.js', 'page.html', 'page.js', 'back.html'])
  })

  it('Kits: a route is protected in at most ten lines, with Hono and without', () => {
    for (const file of ['api.js', 'plain.js']) {
      const text = blocksOf('protect-your-api.md').find((block) => block.file === file)?.text ?? ''
      const body = /makeApi = [^\n]*\n([\s\S]*?)\n\}/.exec(text)?.[1] ?? ''
      expect(body).toContain('rememberProofs()')
      expect(body.split('\n').length).toBeLessThanOrEqual(10)
    }
  })

  it('UMA Grant 3.2.1, 3.5: the shelf in workerd answers a stranger with a challenge that a page of any origin can read', async () => {
    const answer = await fetch(shelf.photo, { headers: { origin: 'https://app.example' } })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(new RegExp(`^UMA as_uri="${as.origin}", ticket="`))
    expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
    const [, place = ''] = /, Bearer resource_metadata="([^"]+)"$/.exec(answer.headers.get('www-authenticate') ?? '') ?? []
    expect(await (await fetch(place)).json()).toMatchObject({ resource: shelf.photo, authorization_servers: [as.origin] })
    expect(await (await fetch(`${shelf.origin}/photos/2`)).text()).toBe('There is no such photo.')
  })

  it('UMA Grant 3.3, RFC 9449 7: the few lines on this machine’s Node: challenge, claims page, key-bound token, photo', async () => {
    const node = systemNode()
    expect(node.major).toBeGreaterThanOrEqual(20)
    const program: Program = start(node.path, ['open.js', shelf.photo, as.origin], folder)
    const [url] = await program.says(/http:\S+\/uma\/claims\?\S+/)
    program.type(await throughClaims(as, shelf.guest, url))
    expect(await program.ended).toMatch(/200 A tram on a hill\.\s*$/)
  })

  it('UMA Grant 3.3.2, 3.3.3: a web app in workerd sends Bob away, gets him back, and goes on', async () => {
    const reader = await startApp('reader-worker.js', { SHELF: shelf.origin })
    const visitor = openBrowser()
    const leaving = await visitor.open(`${reader}/open?thing=/photos/1`, (url) => url.startsWith(`${as.origin}/uma/claims`))
    const back = await throughClaims(as, { ...shelf.guest, browser: openBrowser() }, leaving.url)
    expect(back.startsWith(`${reader}/back?`)).toBe(true)
    expect((await visitor.open(back)).text).toBe('A tram on a hill.')
    // RFC 6749 10.12: the address that came back is worth nothing in another browser, or twice.
    expect((await openBrowser().open(back)).status).toBe(404)
  })

  it('UMA Grant 3.5, DESIGN 7.I4: what Alice stops is stopped at the next request', async () => {
    const node = systemNode()
    await shelf.stop()
    const program = start(node.path, ['open.js', shelf.photo, as.origin], folder)
    program.type('http://127.0.0.1:4570/back?error=access_denied')
    expect(await program.ended).toMatch(/401 /)
  })
})

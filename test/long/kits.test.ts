// The packed kits installed from the tarball in an empty folder, their dependencies from the registry, and the code of the guides on every
// runtime that they promise: Node 20, Deno, Bun, workerd, Chromium. Each runtime keeps the shelf and reads from it, our server in between.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bob, codeIn, someone } from '../support/actors.ts'
import { type GuestBrowser, startGuestBrowser } from '../support/guest-browser.ts'
import { openBrowser } from '../support/http-browser.ts'
import { allowNewest, connectShelf, type People, people, type Shelf, throughClaims } from '../support/kit-story.ts'
import { answering, type Installed, installKits, type Program, shellOf, start, workerOf } from '../support/kits.ts'
import { freePort, type Running, startWorker } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'
import { runQuietly } from '../tools/build.ts'

type Runtime = 'node' | 'deno' | 'bun'

describe('Kits: installed from the tarball', () => {
  let as: Running
  let kits: Installed
  let everyone: People
  const programs: Program[] = []
  const workers: Running[] = []

  const command = (runtime: Runtime, file: string): [string, string[]] => [
    kits[runtime],
    runtime === 'deno' ? ['run', '-A', join(kits.folder, file)] : [join(kits.folder, file)],
  ]
  /** A folder of its own, since the shelf keeps its file where it is started. */
  const folderOf = (runtime: string): string => {
    const folder = join(kits.folder, `at-${runtime}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }
  const quietEnv = () => ({ DENO_DIR: join(kits.folder, 'deno-dir'), DENO_NO_UPDATE_CHECK: '1' })

  const startShelf = async (runtime: Runtime): Promise<string> => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const program = start(...command(runtime, `${runtime}.js`), folderOf(runtime), {
      ...quietEnv(),
      AS: as.origin,
      ORIGIN: origin,
      PORT: String(port),
    })
    programs.push(program)
    await answering(program, `${origin}/photos/2`)
    return origin
  }
  const startInWorkerd = async (entry: string, vars: Record<string, string> = {}): Promise<string> => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const source = await workerOf(kits.folder, entry, { ...vars, ORIGIN: origin, AS: as.origin })
    workers.push(await startWorker(source, { state: join(kits.folder, 'state', `${entry}-${port}`), host: '127.0.0.1', port }))
    return origin
  }
  const startReader = (runtime: Runtime, photo: string): Program => {
    const [binary, args] = command(runtime, 'open.js')
    const program = start(binary, [...args, photo, as.origin], folderOf(`${runtime}-reader`), quietEnv())
    programs.push(program)
    return program
  }
  /** Bob opens the photo with the few lines of the guide; answers what the program wrote at last. */
  const read = async (runtime: Runtime, { photo, guest }: Shelf): Promise<string> => {
    const program = startReader(runtime, photo)
    const [url] = await program.says(/http:\S+\/uma\/claims\?\S+/)
    program.type(await throughClaims(as, { ...guest, browser: openBrowser() }, url))
    return program.ended
  }

  beforeAll(async () => {
    ;[as, kits] = await Promise.all([ownAs({ wrap: false }), installKits()])
    everyone = await people(as)
  }, 300_000)
  afterAll(async () => {
    await Promise.all(programs.map((program) => program.stop()))
    await Promise.all(workers.map((worker) => worker.stop()))
    await as?.stop()
  })

  it('Kits: the tarball is small and brings two packages', () => {
    expect(statSync(kits.tarball).size).toBeLessThan(100_000)
    const { dependencies } = JSON.parse(readFileSync(join(kits.folder, 'node_modules/latchkey/package.json'), 'utf8')) as {
      dependencies: object
    }
    expect(Object.keys(dependencies)).toEqual(['jose', 'valibot'])
  })

  it('Kits: the runtimes are the ones that are promised', () => {
    const version = (runtime: Runtime): string => spawnSync(kits[runtime], ['--version'], { encoding: 'utf8' }).stdout
    expect([version('node'), version('deno'), version('bun')].map((text) => /\d+/.exec(text)?.[0])).toEqual(['20', '2', '1'])
  })

  it('Kits: the types of all three exports check without the repository, declarations included', async () => {
    const source = [
      "import { createUmaFetch, makeDpopKey, memoryStore, registerOnce, type UmaOutcome } from 'latchkey/client'",
      "import { connectOwner, openToBrowsers, protect, rememberProofs, resourceMetadataResponse, umaMiddleware } from 'latchkey/resource-server'",
      "import { type Permission, type ProtectedResourceMetadata, ownerApi, UMA_TICKET_GRANT } from 'latchkey/protocol'",
      "import { Hono } from 'hono'",
      'const identity = registerOnce({ client_name: UMA_TICKET_GRANT }, { fetch })',
      'const onOutcome = (outcome: UmaOutcome) => { if (outcome.kind === "failed") outcome.reason.trim() }',
      'export const open = createUmaFetch({ approves: () => true, identity, dpopKey: await makeDpopKey(), onOutcome }, { fetch })',
      'export const owner = connectOwner({ asUri: "https://as.example", identity, store: memoryStore() }, { fetch })',
      'const needs = (id: string) => owner.protect(id, { name: id, resource_scopes: ["view"] }, ["view"])',
      'const app = new Hono()',
      'app.use("/:id", umaMiddleware({ protectionOf: (_request, c: { req: { raw: Request; param: (name: "id") => string } }) => needs(c.req.param("id")) }))',
      'export const plain = protect({ protectionOf: () => needs("1"), isFresh: rememberProofs() }, (_request, rpt) => Response.json(rpt))',
      'export const served = openToBrowsers(app.fetch)',
      'export const permission: Permission = { resource_id: "1", resource_scopes: [] }',
      'const metadata: ProtectedResourceMetadata = { resource: "https://rs.example" }',
      'export const described: Response = resourceMetadataResponse(metadata)',
      'export const paths = Object.keys(ownerApi)',
    ]
    writeFileSync(join(kits.folder, 'consumer.ts'), source.join('\n'))
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      strict: true,
      noEmit: true,
      types: [],
    }
    writeFileSync(join(kits.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
    await runQuietly('tsc', ['-p', kits.folder, '--pretty', 'false'])
  })

  it.each(['node', 'deno', 'bun'] as const)(
    'UMA Grant 3, RFC 9449: shelf and reader on %s, from the first look to the last',
    async (runtime) => {
      const shelf = await connectShelf(everyone, await startShelf(runtime))
      const answer = await fetch(shelf.photo)
      expect([answer.status, answer.headers.get('www-authenticate')?.startsWith(`UMA as_uri="${as.origin}", ticket="`)]).toEqual([
        401,
        true,
      ])
      // RFC 9728 3: the form with Hono says what the thing is; the plain form of the guide, which Bun runs, leaves that out.
      const [, place] = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '') ?? []
      expect(place !== undefined).toBe(runtime !== 'bun')
      if (place !== undefined)
        expect(await (await fetch(place)).json()).toMatchObject({ resource: shelf.photo, authorization_servers: [as.origin] })
      expect(await read(runtime, shelf)).toMatch(/200 A tram on a hill\.\s*$/)
      // Somebody whom nobody let in asks, waits (UMA Grant 3.3.6), and gets in when Alice has answered.
      const waiting = startReader(runtime, shelf.photo)
      const [url] = await waiting.says(/http:\S+\/uma\/claims\?\S+/)
      waiting.type(await throughClaims(as, bob(), url, true))
      await waiting.says(/The owner was asked\. Next look in 5 s\./)
      await allowNewest(everyone)
      expect(await waiting.ended).toMatch(/200 A tram on a hill\.\s*$/)
      await shelf.stop()
      const program = startReader(runtime, shelf.photo)
      program.type('http://127.0.0.1:4570/back?error=access_denied')
      expect(await program.ended).toMatch(/401 /)
    },
  )

  it('Kits: the shell lines of both guides, on Node 20', async () => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const replaced = { 'http://localhost:8787': as.origin, 'http://127.0.0.1:3000': origin, 'PORT=3000': `PORT=${port}` }
    const [, serve = ''] = shellOf('protect-your-api.md', replaced)
    const [open = ''] = shellOf('open-a-shared-thing.md', replaced)
    const env = { PATH: `${join(kits.node, '..')}:/usr/bin:/bin` }
    const server = start('/bin/sh', ['-ec', `exec env ${serve}`], kits.folder, env)
    programs.push(server)
    await answering(server, `${origin}/photos/2`)
    const { guest } = await connectShelf(everyone, origin)
    const reader = start('/bin/sh', ['-ec', open], kits.folder, env)
    programs.push(reader)
    const [url] = await reader.says(/http:\S+\/uma\/claims\?\S+/)
    reader.type(await throughClaims(as, { ...guest, browser: openBrowser() }, url))
    expect(await reader.ended).toMatch(/200 A tram on a hill\.\s*$/)
  })

  it('UMA Grant 3.3.2, 3.3.3: shelf and web app in workerd, bundled from what the registry gave', async () => {
    const shelf = await connectShelf(everyone, await startInWorkerd('worker.js'))
    const reader = await startInWorkerd('reader-worker.js', { SHELF: shelf.origin })
    const visitor = openBrowser()
    const leaving = await visitor.open(`${reader}/open?thing=/photos/1`, (url) => url.startsWith(`${as.origin}/uma/claims`))
    const back = await throughClaims(as, { ...shelf.guest, browser: openBrowser() }, leaving.url)
    expect((await visitor.open(back)).text).toBe('A tram on a hill.')
  })

  describe('Chromium', () => {
    let pages: Server
    let page: string
    let chromium: GuestBrowser
    let shelf: Shelf
    const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' }

    beforeAll(async () => {
      // The folder as any file server would give it: no bundler, the browser's own modules.
      pages = createServer((request, answer) => {
        const { pathname } = new URL(request.url ?? '/', 'http://files.example')
        try {
          const bytes = readFileSync(join(kits.folder, pathname))
          answer.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'application/octet-stream' }).end(bytes)
        } catch {
          answer.writeHead(404).end()
        }
      })
      const port = await freePort()
      await new Promise<void>((done) => pages.listen(port, '127.0.0.1', done))
      page = `http://127.0.0.1:${port}/page.html`
      shelf = await connectShelf(everyone, await startInWorkerd('worker.js'))
      chromium = await startGuestBrowser()
    })
    afterAll(async () => {
      await chromium?.close()
      pages?.close()
    })

    it('UMA Grant 3.3, RFC 9449, Fetch 3.2: a page of another origin, the claims page in a window of its own', async () => {
      const tab = await chromium.context.newPage()
      const faults: string[] = []
      tab.on('pageerror', (error) => faults.push(error.message))
      await tab.goto(page)
      await tab.waitForFunction("document.title === 'Reader, ready'")
      await tab.fill('[name=thing]', shelf.photo)
      await tab.fill('[name=server]', as.origin)
      const [popup] = await Promise.all([chromium.context.waitForEvent('page'), tab.click('button')])
      await popup.locator('input[name=address]').fill(shelf.guest.address)
      const seen = as.mailbox.to(shelf.guest.address).length
      await popup.locator('form:has(input[name=address]) button[type=submit]').click()
      await popup.locator('input[name=code]').fill(codeIn(await as.mailbox.next(shelf.guest.address, seen)))
      await popup.locator('form:has(input[name=code]) button.btn-main').click()
      await popup.getByRole('button', { name: /Continue/ }).click()
      await tab.waitForFunction("document.querySelector('output').textContent !== ''")
      expect([await tab.textContent('output'), faults]).toEqual(['200 A tram on a hill.', []])
    })

    it('UMA Grant 3.2: a stranger’s page is told no and nothing more', async () => {
      const tab = await chromium.context.newPage()
      await tab.goto(page)
      await tab.waitForFunction("document.title === 'Reader, ready'")
      await tab.fill('[name=thing]', shelf.photo)
      await tab.fill('[name=server]', `https://${someone('elsewhere').split('@')[1]}`)
      await tab.click('button')
      await tab.waitForFunction("document.querySelector('output').textContent !== ''")
      expect(await tab.textContent('output')).toMatch(/^401 /)
    })
  })
})

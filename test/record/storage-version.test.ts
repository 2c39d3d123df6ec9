// State of the first storage version, as its last commit left it (test/vectors/state-v1, made by test/tools/make-state.ts), opened by
// today's server: the story goes on with the tokens of then. And what the server does about state that is too new for it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STORAGE_VERSION } from '../../worker/storage/version.ts'
import { type Answer, call, type DpopKey, dpopProof, expectStatus } from '../support/http.ts'
import { unpackState } from '../support/packed-state.ts'
import { presentFor } from '../support/proofs.ts'
import type { Running } from '../support/runtime.ts'
import { d1File, objectFiles } from '../support/state-files.ts'
import { startAs } from '../support/story.ts'
import { verifyState } from '../support/verify-state.ts'

/** The state of then in a folder of its own, its server at the hour of then: a moment after it was packed. */
const restored = (version: number) => {
  const folder = mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-'))
  const state = join(folder, 'as')
  const story = unpackState(version, state)
  const start = (): Promise<Running> =>
    startAs({ folder, wrap: true, clock: story.at + 5 - Math.floor(Date.now() / 1000), asVars: { ISSUER: story.origin } })
  return { story, state, start, drop: () => rmSync(folder, { recursive: true, force: true }) }
}

const metaOf = (file: string): Record<string, string> => {
  const database = new DatabaseSync(file)
  const rows = database.prepare("SELECT k, v FROM meta WHERE k LIKE 'version%'").all() as { k: string; v: string }[]
  database.close()
  return Object.fromEntries(rows.map(({ k, v }) => [k, v]))
}

describe('DESIGN 3: the state of storage version 1 goes on', () => {
  const { story, state, start, drop } = restored(1)
  let as: Running
  beforeAll(async () => {
    as = await start()
  })
  afterAll(async () => {
    await as.stop()
    drop()
  })
  const now = (): number => story.at + 10
  const at = (path: string): string => `${as.origin}${path}`
  const token = (form: Record<string, string>, { id, secret }: { id: string; secret: string }): Promise<Answer> =>
    call(at('/token'), { form, basic: { id, secret } })
  const introspect = async (rpt: string) => (await call(at('/introspect'), { form: { token: rpt }, bearer: story.service.pat })).json
  const push = async (ticket: string): Promise<Answer> => {
    const { sdJwt, key, jwk } = story.credential
    const proof = { sdJwt, jwk, privateKey: (await importJWK(key, 'ES256')) as CryptoKey, issuer: story.origin }
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:uma-ticket',
      ticket,
      claim_token: await presentFor(proof, ticket, { iat: now() }),
      claim_token_format: 'dc+sd-jwt',
    }
    return token(form, story.app)
  }
  const wallet = async (path: string, options: { method?: string } = {}): Promise<Answer> => {
    const { d: _, ...jwk } = story.wallet.key as JWK & { d?: string }
    const key: DpopKey = {
      privateKey: (await importJWK(story.wallet.key, 'ES256')) as CryptoKey,
      jwk,
      jkt: await calculateJwkThumbprint(jwk),
      now,
    }
    const method = options.method ?? 'GET'
    const dpop = await dpopProof(key, method, `${story.origin}${path}`, story.wallet.token)
    return call(at(path), { method, headers: { authorization: `DPoP ${story.wallet.token}`, dpop } })
  }
  const withCookies = (cookies: Record<string, string>, path: string, form?: Record<string, string>): Promise<Answer> =>
    call(at(path), {
      ...(form && { form }),
      headers: {
        accept: 'text/html',
        'sec-fetch-site': 'same-origin',
        cookie: Object.entries(cookies)
          .map(([name, value]) => `${name}=${value}`)
          .join('; '),
      },
    })

  it('DESIGN 3: tokens and tickets of then are what they were [LF-16]', async () => {
    expect(await introspect(story.rpt)).toMatchObject({
      active: true,
      client_id: story.app.id,
      permissions: [{ resource_id: story.resource, resource_scopes: ['view'] }],
    })
    expect(await introspect(story.stoppedRpt)).toEqual({ active: false })
    expect((await push(story.spentTicket)).json.error).toBe('invalid_grant')
    const granted = expectStatus(await push(story.ticket), 200, 'a ticket of then with a credential of then')
    expect(await introspect(String(granted.json.access_token))).toMatchObject({ active: true })
    expect((await push(story.ticket)).json.error).toBe('invalid_grant')
  })

  it('DESIGN 3: refresh tokens, codes and sessions of then work', async () => {
    const refreshed = await token({ grant_type: 'refresh_token', refresh_token: story.service.refresh }, story.service)
    expectStatus(refreshed, 200, 'refresh')
    const { code, verifier, redirectUri } = story.code
    const traded = await token({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }, story.code)
    expectStatus(traded, 200, 'code')
    const home = await withCookies(story.owner.cookies, '/')
    expect(home.text).toContain('Lisbon.pdf')
    expect(home.text).toContain(story.guest.address)
  })

  it('DESIGN 3: a claims interaction of then is finished with the code that was mailed then', async () => {
    const { path, code, cookies } = story.guest.claims
    const page = await withCookies(cookies, path)
    expect(page.text).toContain(story.guest.address)
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const typed = await withCookies(cookies, `${path}/code`, { csrf, code })
    expect([typed.status, typed.headers.get('location')]).toEqual([303, path])
    const kept = typed.headers.getSetCookie().map((line) => (line.split(';')[0] ?? '').split(/=(.*)/s) as [string, string])
    expect((await withCookies({ ...cookies, ...Object.fromEntries(kept) }, path)).text).toContain(`${path}/continue`)
  })

  it('DESIGN 3: the wallet of then lists, and stops what was shared', async () => {
    const listed = expectStatus(await wallet('/owner/policies'), 200, 'shares')
    expect((listed.json.items as { id: string }[]).map(({ id }) => id)).toEqual([story.share])
    expect((await wallet(`/owner/policies/${story.share}`, { method: 'DELETE' })).status).toBe(204)
    expect(await introspect(story.rpt)).toEqual({ active: false })
  })

  it('DESIGN 3: all of it carries its version now, and object and record agree', async () => {
    for (const id of await as.objects('OwnerObject')) await as.runAlarm('OWNER', id)
    expect(verifyState(state).flatMap(({ differences }) => differences)).toEqual([])
    await as.stop()
    const stamp = String(STORAGE_VERSION)
    for (const file of objectFiles(state, 'OwnerObject')) expect(metaOf(file)).toEqual({ version: stamp, version_last: stamp })
    expect(metaOf(d1File(state) ?? '')).toEqual({ version: stamp })
    as = await start()
  })
})

describe('DESIGN 3: the state of storage version 2 goes on', () => {
  const { story, state, start, drop } = restored(2)
  let as: Running
  beforeAll(async () => {
    as = await start()
  })
  afterAll(async () => {
    await as.stop()
    drop()
  })

  it('DESIGN 3: grants stand, things get a place and words, and object and record agree', async () => {
    const introspect = async () => (await call(`${as.origin}/introspect`, { form: { token: story.rpt }, bearer: story.service.pat })).json
    expect(await introspect()).toMatchObject({ active: true, permissions: [{ resource_id: story.resource, resource_scopes: ['view'] }] })
    const json = { resource_scopes: ['view', 'download'], parent: story.other, labels: ['R'] }
    const put = await call(`${as.origin}/uma/resource/${story.resource}`, { method: 'PUT', json, bearer: story.service.pat })
    expectStatus(put, 200, 'a description with what version 2 did not know')
    expect(await introspect()).toMatchObject({ active: true })
    expect(verifyState(state).flatMap(({ differences }) => differences)).toEqual([])
    const [file = ''] = objectFiles(state, 'OwnerObject')
    expect(metaOf(file)).toEqual({ version: String(STORAGE_VERSION), version_last: String(STORAGE_VERSION) })
  })
})

describe('DESIGN 3: state of a newer server', () => {
  const { story, state, start, drop } = restored(1)
  let as: Running
  const setVersion = (file: string, version: number): void => {
    const database = new DatabaseSync(file)
    const set = database.prepare('INSERT OR REPLACE INTO meta (k, v) VALUES (?, ?)')
    for (const key of ['version', 'version_last']) set.run(key, String(version))
    database.close()
  }
  const introspection = () => call(`${as.origin}/introspect`, { form: { token: story.rpt }, bearer: story.service.pat })
  const lines = (): string[] => as.logs.filter((line) => line.includes('storage_too_new'))
  const owner = (): string => objectFiles(state, 'OwnerObject')[0] ?? ''
  beforeAll(async () => {
    // Once forward, so that there is a version to write over.
    as = await start()
    await introspection()
    await as.stop()
  })
  afterAll(async () => {
    await as.stop()
    drop()
  })

  it('DESIGN 3: one step back still reads it, and leaves a mark that it has written [LF-16]', async () => {
    setVersion(owner(), STORAGE_VERSION + 1)
    setVersion(d1File(state) ?? '', STORAGE_VERSION + 1)
    as = await start()
    expect((await introspection()).json.active).toBe(true)
    expect(lines()).toEqual([])
    await as.stop()
    expect(metaOf(owner())).toEqual({ version: String(STORAGE_VERSION + 1), version_last: String(STORAGE_VERSION) })
  })

  it('DESIGN 3: an object of two steps ahead is not touched; the log says why', async () => {
    setVersion(owner(), STORAGE_VERSION + 2)
    as = await start()
    expect((await introspection()).status).toBe(500)
    expect(JSON.parse(lines()[0] ?? '{}')).toEqual({
      event: 'storage_too_new',
      what: 'owner',
      found: STORAGE_VERSION + 2,
      known: STORAGE_VERSION,
    })
    await as.stop()
    expect(metaOf(owner())).toEqual({ version: String(STORAGE_VERSION + 2), version_last: String(STORAGE_VERSION + 2) })
  })

  it('DESIGN 3: on a record of two steps ahead nothing is answered', async () => {
    setVersion(owner(), STORAGE_VERSION)
    setVersion(d1File(state) ?? '', STORAGE_VERSION + 2)
    as = await start()
    for (const path of ['/.well-known/uma2-configuration', '/sign-in']) expect((await call(`${as.origin}${path}`)).status).toBe(500)
    expect((await introspection()).status).toBe(500)
    expect(JSON.parse(lines()[0] ?? '{}')).toMatchObject({ what: 'record', found: STORAGE_VERSION + 2 })
  })
})

// The runtime that the other tests stand on: real workerd, state that survives kill -9, a clock and faults from outside, mail in a folder.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainWorker } from '../support/modules.ts'
import { freePort, PortTaken, type Running, startWorker } from '../support/runtime.ts'

const WORKER = `
import { DurableObject } from 'cloudflare:workers'
export class Thing extends DurableObject {
  async put(value) { this.ctx.storage.kv.put('value', value); return value }
  async get() { return this.ctx.storage.kv.get('value') ?? null }
  async rows() { return (await this.env.DB.prepare('SELECT 1 AS one').all()).results }
  async alarm() { this.ctx.storage.kv.put('value', 'alarm') }
}
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url)
    const thing = env.THING.get(env.THING.idFromName('a'))
    try {
      switch (pathname) {
        case '/put': return Response.json(await thing.put(searchParams.get('value')))
        case '/get': return Response.json({ value: await thing.get(), id: String(thing.id) })
        case '/now': return Response.json({ now: Date.now(), date: new Date().getTime(), past: new Date(0).toISOString() })
        case '/rows': return Response.json(await thing.rows())
        case '/add': await env.DB.prepare('INSERT INTO t (a) VALUES (?1)').bind(searchParams.get('a')).run(); return new Response('added')
        case '/make': await env.DB.batch([env.DB.prepare('CREATE TABLE t (a TEXT)')]); return new Response('made')
        case '/count': return Response.json(await env.DB.prepare('SELECT count(*) AS n FROM t').first())
        case '/mail': await env.MAIL.send({ from: 'a@example.org', to: { email: 'Bob@example.net', name: 'Bob' }, subject: 'Hello', text: 'text' }); return new Response('sent')
        default: return new Response(request.url)
      }
    } catch (error) { return new Response(String(error), { status: 503 }) }
  }
}`

const BINDINGS = {
  d1Databases: { DB: { id: 'test' } },
  durableObjects: { THING: { className: 'Thing', useSQLite: true } },
  email: { send_email: [{ name: 'MAIL' }] },
}

describe('RUNTIME: a worker in workerd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'))
  let worker: Running
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${worker.origin}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  beforeAll(async () => {
    worker = await startWorker(plainWorker({ name: 'thing', text: WORKER }, BINDINGS, true), { state: join(folder, 'state'), wrap: true })
  })
  afterAll(async () => {
    await worker.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('RUNTIME 2: the worker sees the origin that it was called by', async () => {
    expect((await get('/x')).text).toBe(`${worker.origin}/x`)
  })

  it('RUNTIME 5: what an object acknowledged is there after kill -9', async () => {
    await get('/put?value=kept')
    const before = worker.pid()
    await worker.kill()
    expect(worker.pid()).not.toBe(before)
    expect(JSON.parse((await get('/get')).text).value).toBe('kept')
  })

  it('TESTS C6: the clock moves, also for a date of now, and stays moved after kill -9', async () => {
    await worker.setClock(30 * 86_400)
    const expected = Date.now() + 30 * 86_400_000
    const read = async () => JSON.parse((await get('/now')).text) as { now: number; date: number; past: string }
    expect(Math.abs((await read()).now - expected)).toBeLessThan(5_000)
    await worker.kill()
    const after = await read()
    expect(Math.abs(after.date - expected)).toBeLessThan(15_000)
    expect(after.past).toBe('1970-01-01T00:00:00.000Z')
    await worker.setClock(0)
  })

  it('TESTS C2: the next statement fails, in the worker and in an object, and the one after it does not', async () => {
    await get('/make')
    await worker.setFault({ mode: 'fail', count: 1 })
    expect(await get('/add?a=1')).toEqual({ status: 503, text: 'Error: D1_ERROR: Network connection lost.' })
    expect((await get('/add?a=2')).status).toBe(200)
    await worker.setFault({ mode: 'fail', count: 1 })
    expect((await get('/rows')).status).toBe(503)
    expect((await get('/rows')).text).toBe('[{"one":1}]')
    expect((await get('/count')).text).toBe('{"n":1}')
  })

  it('TESTS C2: a lost answer is one where the statement was run', async () => {
    await worker.setFault({ mode: 'lost', count: 1, match: 'INSERT' })
    expect((await get('/add?a=3')).status).toBe(503)
    expect((await get('/count')).text).toBe('{"n":2}')
  })

  it('TESTS C3: an alarm can be run at once', async () => {
    const [id] = await worker.objects('Thing')
    await worker.runAlarm('THING', id ?? '')
    expect(JSON.parse((await get('/get')).text)).toEqual({ value: 'alarm', id })
  })

  it('RUNTIME 2: mail is in the folder when the worker knows that it was sent', async () => {
    await get('/mail')
    expect(worker.mailbox.to('bob@example.net')).toMatchObject([
      { from: 'a@example.org', to: ['Bob@example.net'], subject: 'Hello', text: 'text' },
    ])
    expect((await worker.mailbox.next('bob@example.net')).subject).toBe('Hello')
  })

  it('RUNTIME 2: a port that is taken is named', async () => {
    await expect(
      startWorker(plainWorker({ name: 'other', text: WORKER }, BINDINGS), { state: join(folder, 'other'), port: worker.port }),
    ).rejects.toThrow(new PortTaken(worker.port))
    expect(await freePort()).not.toBe(worker.port)
  })
})

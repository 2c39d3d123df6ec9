// /health: what works and what does not, by name, cheaply, and nothing else.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/http.ts'
import { builtWorker } from '../support/modules.ts'
import { type Running, startWorker } from '../support/runtime.ts'
import { ownAs } from '../support/server.ts'

const OK = { database: 'ok', migrations: 'ok', keys: 'ok', objects: 'ok', mail: 'ok' }

describe('DESIGN 4: /health', () => {
  let as: Running
  beforeAll(async () => {
    as = await ownAs()
  })
  afterAll(() => as.stop())
  const health = () => call(`${as.origin}/health`)

  it('DESIGN 4: 200 when all parts answer, readable from any origin, not stored', async () => {
    const answer = await health()
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok', checks: OK }])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect((await call(`${as.origin}/health`, { method: 'HEAD' })).status).toBe(200)
  })

  it('DESIGN 4: asked often it answers from memory, and after five seconds it looks again', async () => {
    await as.setFault({ mode: 'fail', count: 100 })
    expect((await health()).status).toBe(200)
    await as.setClock(6)
    const answer = await health()
    expect([answer.status, answer.json]).toEqual([
      503,
      { status: 'failing', checks: { ...OK, database: 'failing', migrations: 'failing' } },
    ])
    await as.setFault(undefined)
    expect((await health()).status).toBe(503)
    await as.setClock(12)
    expect((await health()).json).toEqual({ status: 'ok', checks: OK })
  })

  it('DESIGN 4: D1 that never answers is failing, after a while', async () => {
    await as.setFault({ mode: 'hang', count: 1 })
    await as.setClock(20)
    const asked = Date.now()
    expect((await health()).json).toMatchObject({ checks: { database: 'failing', keys: 'ok' } })
    expect(Date.now() - asked).toBeLessThan(4000)
    await as.setFault(undefined)
  })

  it('DESIGN 4: a migration that was not applied is told, though the version is right; the log says which', async () => {
    const database = await as.miniflare.getD1Database('DB', as.name)
    const name = '0006_upper_rules.sql'
    await database.prepare('DELETE FROM d1_migrations WHERE name = ?').bind(name).run()
    await as.setClock(40)
    const answer = await health()
    expect([answer.status, answer.json]).toEqual([503, { status: 'failing', checks: { ...OK, migrations: 'failing' } }])
    expect(as.logs.filter((line) => line.includes('migrations_missing'))).toEqual([
      JSON.stringify({ event: 'migrations_missing', missing: [name] }),
    ])
    await database.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name).run()
    await as.setClock(50)
    expect((await health()).status).toBe(200)
  })

  it('DESIGN 4: without the mail binding it says so, and all else works', async () => {
    const source = builtWorker('as', true)
    const { email: _, ...workerOptions } = source.config.workerOptions
    const config = { ...source.config, workerOptions }
    const state = join(mkdtempSync(join(process.env.LATCHKEY_TEST_FOLDER ?? tmpdir(), 'latchkey-')), 'as')
    const silent = await startWorker({ ...source, config }, { state, host: 'localhost' })
    const answer = await call(`${silent.origin}/health`)
    await silent.stop()
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok', checks: { ...OK, mail: 'absent' } }])
  })
})

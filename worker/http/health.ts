// GET /health: what works, for a load balancer or a watchman. Asks D1, the Keys object and one other object; tells no secret and nothing
// about anybody. Answers from memory for five seconds, so that asking often costs little. Needs no keyring: it says when there is none.
import { Hono } from 'hono'
import { within } from '../objects/record.ts'
import { judge, STORAGE_VERSION } from '../storage/version.ts'
import { missingMigrations, recordVersion } from '../store/version.ts'
import type { AppEnv } from './context.ts'

const FRESH_MS = 5000
/** Milliseconds that a part may take. */
const PATIENCE = 2000

type Verdict = 'ok' | 'failing'
type Health = {
  status: Verdict
  checks: {
    /** D1 answers a read. */
    database: Verdict
    /** The record has a form that this server knows, and all that it needs; `failing` also while D1 does not answer. */
    migrations: Verdict
    keys: Verdict
    /** A Durable Object answers. */
    objects: Verdict
    /** Without it nobody gets codes by mail; everything else works. */
    mail: 'ok' | 'absent'
  }
}

let last: { until: number; health: Health } | undefined

export const health = new Hono<AppEnv>().get('/', async (c) => {
  const now = Date.now()
  let known = last?.health
  if (known === undefined || last === undefined || now >= last.until || now < last.until - FRESH_MS) {
    // One request looks; the others of these moments hear what was there before.
    if (last !== undefined) last.until = now + FRESH_MS
    known = await examined(c.env)
    last = { until: now + FRESH_MS, health: known }
  }
  return c.json(known, known.status === 'ok' ? 200 : 503, { 'Cache-Control': 'no-store' })
})

async function examined(env: Env): Promise<Health> {
  const works = (probe: Promise<unknown>): Promise<Verdict> =>
    within(probe, PATIENCE).then(
      () => 'ok',
      () => 'failing',
    )
  const version = recordVersion(env.DB)
  const [database, migrations, keys, objects] = await Promise.all([
    works(version),
    works(version.then((found) => mustFit(env.DB, found))),
    works(env.KEYS.get(env.KEYS.idFromName('keys')).ages()),
    works(env.ONE_TIME.get(env.ONE_TIME.idFromName('health')).ping()),
  ])
  const checks = { database, migrations, keys, objects, mail: env.MAIL === undefined ? 'absent' : 'ok' } as const
  return { status: Object.values(checks).includes('failing') ? 'failing' : 'ok', checks }
}

/** Rejects for a record that is older than this server, too new for it, or lacks a migration; the log says which. */
async function mustFit(db: D1Database, found: number): Promise<void> {
  if (found < STORAGE_VERSION || judge({ newest: found, last: found }).kind === 'too_new') throw new Error('migrations')
  const missing = await missingMigrations(db)
  if (missing.length === 0) return
  console.error(JSON.stringify({ event: 'migrations_missing', missing }))
  throw new Error('migrations')
}

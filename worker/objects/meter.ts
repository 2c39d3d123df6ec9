// The meter: numbers for operators, by the hour and for two days, from all isolates; and which owners' objects could not yet tell D1
// everything. One object. Counts of an isolate that dies are lost: these are numbers to look at, nothing rests on them. Ids, no addresses.
import { DurableObject } from 'cloudflare:workers'

const NAMES = ['requests', 'failures', 'mails', 'mails_failed'] as const
/** `failures`: answers of 500 and more. */
export type Counts = Record<(typeof NAMES)[number], number>
export type Lag = { owners: number; since: number | undefined }
export type Reading = { day: Counts; mailFailedAt: number | undefined; lag: Lag }

const HOUR = 3600
const KEPT = 48 * HOUR

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS hour (at INTEGER PRIMARY KEY NOT NULL, requests INTEGER NOT NULL, failures INTEGER NOT NULL, mails INTEGER NOT NULL, mails_failed INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS behind (owner TEXT PRIMARY KEY NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

export class MeterObject extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(SCHEMA)
  }

  /** Adds what an isolate has counted since it last told. `now` in seconds. */
  add(input: { counts: Counts; now: number }): void {
    const { counts, now } = input
    const at = now - (now % HOUR)
    this.ctx.storage.sql.exec(
      `INSERT INTO hour (at, requests, failures, mails, mails_failed) VALUES (?, ?, ?, ?, ?) ON CONFLICT (at) DO UPDATE SET
         requests = requests + excluded.requests, failures = failures + excluded.failures, mails = mails + excluded.mails,
         mails_failed = mails_failed + excluded.mails_failed`,
      at,
      ...NAMES.map((name) => counts[name]),
    )
    this.ctx.storage.sql.exec('DELETE FROM hour WHERE at < ?', now - KEPT)
    if (counts.mails_failed > 0) this.ctx.storage.kv.put('mail_failed_at', now)
  }

  /** An owner's object could not tell D1 everything; until `caughtUp`. */
  behind(input: { owner: string; since: number }): void {
    this.ctx.storage.sql.exec('INSERT OR IGNORE INTO behind (owner, since) VALUES (?, ?)', input.owner, input.since)
  }

  caughtUp(input: { owner: string }): void {
    this.ctx.storage.sql.exec('DELETE FROM behind WHERE owner = ?', input.owner)
  }

  /** The last day (24 whole hours and the running one), and what lags. */
  read(input: { now: number }): Reading {
    const { sql, kv } = this.ctx.storage
    const sums = NAMES.map((name) => `COALESCE(SUM(${name}), 0) AS ${name}`).join(', ')
    const day = sql.exec<Counts>(`SELECT ${sums} FROM hour WHERE at >= ?`, input.now - 24 * HOUR).one()
    const lag = sql.exec<{ owners: number; since: number | null }>('SELECT COUNT(*) AS owners, MIN(since) AS since FROM behind').one()
    return { day: { ...day }, mailFailedAt: kv.get<number>('mail_failed_at'), lag: { owners: lag.owners, since: lag.since ?? undefined } }
  }
}

// Recovery codes by their hash: which account a code opens. A shard per first characters of the hash, so that no object grows without end.
import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'

export class RecoveryObject extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    // Who reads: the sign-in with a code. A row dies when its code is used or its account makes new ones.
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS code (hash TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID')
  }

  /** `account` is sealed. */
  keep(hash: string, account: string): void {
    this.ctx.storage.sql.exec('INSERT OR REPLACE INTO code (hash, account) VALUES (?1, ?2)', hash, account)
  }

  /** Takes a code: it opens its account once. */
  take(hash: string): string | undefined {
    const row = this.ctx.storage.sql.exec<{ account: string }>('DELETE FROM code WHERE hash = ?1 RETURNING account', hash).toArray()[0]
    return row?.account
  }
}

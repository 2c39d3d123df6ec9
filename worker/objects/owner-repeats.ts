// Creations of resources that a service may repeat (the header Idempotency-Key, draft-ietf-httpapi-idempotency-key-header): whoever heard no
// answer asks again with the same key and gets the resource that there is. A key is remembered for a day.

/** `key` and `print` are hashes: of the header, and of the description that came with it. */
export type Repeatable = { key: string; print: string }

const REMEMBERED = 86_400

export class OwnerRepeats {
  readonly #sql: SqlStorage

  constructor(ctx: DurableObjectState) {
    this.#sql = ctx.storage.sql
  }

  /** The id that was given out, or is on its way, for this key of this service. */
  find(connectionId: string, { key }: Repeatable, now: number): { resource_id: string; print: string } | undefined {
    return this.#sql
      .exec<{ resource_id: string; print: string }>(
        'SELECT resource_id, print FROM repeatable WHERE key = ? AND exp > ?',
        `${connectionId} ${key}`,
        now,
      )
      .toArray()[0]
  }

  /** Before the resource is written: should this object die in the middle, the next try is about the same one. */
  keep(connectionId: string, { key, print }: Repeatable, resourceId: string, now: number): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO repeatable (key, resource_id, print, exp) VALUES (?, ?, ?, ?)',
      `${connectionId} ${key}`,
      resourceId,
      print,
      now + REMEMBERED,
    )
  }

  /** The resource is gone, or never came to be: the key is free. */
  forget(resourceId: string): void {
    this.#sql.exec('DELETE FROM repeatable WHERE resource_id = ?', resourceId)
  }

  sweep(now: number): void {
    this.#sql.exec('DELETE FROM repeatable WHERE exp <= ?', now)
  }
}

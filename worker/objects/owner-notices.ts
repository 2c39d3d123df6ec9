// Tells what happened: an activity entry in the running turn, a notice to open wallets, and the alarm that carries the rest to D1.
import type { ActivityEntry, LiveNotice } from '../../shared/protocol/owner-api.ts'
import type { ActivityEvent, ActivityFields, OwnerActivity } from './owner-activity.ts'
import type { OwnerRecord } from './owner-record.ts'
import type { Put } from './record.ts'

/** Seconds until entries are copied to D1, and until it is told again what it has missed. */
const COPY_AFTER = 30
const FOLLOW_AFTER = 2

export class OwnerNotices {
  readonly #ctx: DurableObjectState
  readonly #record: OwnerRecord
  readonly #activity: OwnerActivity
  #alarmAt: number | null = null

  constructor(ctx: DurableObjectState, record: OwnerRecord, activity: OwnerActivity) {
    this.#ctx = ctx
    this.#record = record
    this.#activity = activity
  }

  /** At the start of the object: whether an alarm is set already. */
  async begin(): Promise<void> {
    this.#alarmAt = await this.#ctx.storage.getAlarm()
  }

  /** Writes an entry in the running turn and tells open wallets, unless it is a quiet one. `now` in seconds. */
  note(event: ActivityEvent, fields: ActivityFields, now: number, isQuiet = false): ActivityEntry {
    const entry = this.#activity.append(event, fields, now)
    this.wakeLater()
    if (!isQuiet) this.#tell({ kind: 'activity', revision: this.#record.revision, activity: entry })
    return entry
  }

  /** After a narrowing change: D1 is told without making the caller wait, by the alarm if this instance dies or D1 is away. */
  follow(): void {
    this.#ctx.waitUntil(this.wake(FOLLOW_AFTER))
    this.#ctx.waitUntil(this.#record.settle())
  }

  wakeLater(): void {
    // While the alarm is at work none is set, and it may not live to set the next one.
    const within = this.#alarmAt === null && this.#record.isPending ? FOLLOW_AFTER : COPY_AFTER
    if (!this.#willWake(within)) this.#ctx.waitUntil(this.wake(within))
  }

  /** Rows that count from now on although nobody was told when they were written (OwnerRecord.recovered). */
  recovered(rows: Put[]): void {
    for (const put of rows) {
      if (put.table === 'policy') {
        const { id: policy_id, resource_id, person_id, scopes, created_at } = put.row
        this.note('share_created', { policy_id, resource_id, person_id, resource_scopes: JSON.parse(scopes) as string[] }, created_at)
      } else if (put.table === 'rule') {
        this.note('rule_saved', { policy_id: put.row.id }, put.row.updated_at)
      } else if (put.table === 'resource') {
        this.note('resource_registered', { resource_id: put.row.id, connection_id: put.row.connection_id }, put.row.created_at)
      } else if (put.table === 'connection') {
        const { id: connection_id, client_id, kind, created_at } = put.row
        this.note(kind === 'service' ? 'service_connected' : 'wallet_connected', { connection_id, client_id }, created_at)
      }
    }
  }

  /** One alarm an object: the earliest wish wins. */
  async wake(inSeconds: number): Promise<void> {
    if (this.#willWake(inSeconds)) return
    const at = Date.now() + inSeconds * 1000
    this.#alarmAt = at
    await this.#ctx.storage.setAlarm(at)
  }

  #willWake(inSeconds: number): boolean {
    return this.#alarmAt !== null && this.#alarmAt <= Date.now() + inSeconds * 1000
  }

  /** The alarm has rung. */
  woken(): void {
    this.#alarmAt = null
  }

  #tell(notice: LiveNotice): void {
    const text = JSON.stringify(notice)
    for (const socket of this.#ctx.getWebSockets()) {
      try {
        socket.send(text)
      } catch {
        // The wallet has gone; it reads the list when it comes back.
      }
    }
  }
}

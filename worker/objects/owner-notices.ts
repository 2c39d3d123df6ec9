// Tells what happened: an activity entry in the running turn, a notice to open wallets, and the alarm that carries the rest to D1.
import type { ActivityEntry, LiveNotice } from '../../shared/protocol/owner-api.ts'
import type { ActivityEvent, ActivityFields, OwnerActivity } from './owner-activity.ts'
import type { OwnerRecord } from './owner-record.ts'

/** Seconds until entries are copied to D1. */
const COPY_AFTER = 30

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

  /** Writes an entry in the running turn and tells open wallets. `now` in seconds. */
  note(event: ActivityEvent, fields: ActivityFields, now: number): ActivityEntry {
    const entry = this.#activity.append(event, fields, now)
    this.wakeLater()
    this.#tell({ kind: 'activity', revision: this.#record.revision, activity: entry })
    return entry
  }

  /** After a narrowing change: D1 is told without making the caller wait. */
  follow(): void {
    this.#ctx.waitUntil(
      this.#record.settle().then(async (settled) => {
        if (!settled) await this.wake(1)
      }),
    )
  }

  wakeLater(): void {
    if (this.#alarmAt === null) this.#ctx.waitUntil(this.wake(COPY_AFTER))
  }

  /** One alarm an object: the earliest wish wins. */
  async wake(inSeconds: number): Promise<void> {
    const at = Date.now() + inSeconds * 1000
    if (this.#alarmAt !== null && this.#alarmAt <= at) return
    this.#alarmAt = at
    await this.#ctx.storage.setAlarm(at)
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

// A clock that tests can move. Imported before the bundle, so that nobody has taken the real one yet. Workerd runs a worker and its
// Durable Objects in one isolate, so one offset moves them all; alarms keep to the machine's clock (see `/__test/alarm`).
let offset = 0

const RealDate = Date

const now = (): number => RealDate.now() + offset

globalThis.Date = new Proxy(RealDate, {
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
  apply: () => new RealDate(now()).toString(),
})

/**
 * Alarms keep to the machine's clock. Where this one is behind, as with state of long ago, what an object sets for its own future would
 * be over at once: such alarms are set as far in the machine's future.
 */
export const alarmTime = (time: number | Date): number => Number(time) - Math.min(offset, 0)
export const alarmRead = (time: number | null): number | null => (time === null ? null : time + Math.min(offset, 0))

/** Moves the clock of this isolate to `milliseconds` before or after the machine's. */
export const setClockOffset = (milliseconds: number): void => {
  offset = milliseconds
}

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

/** Moves the clock of this isolate to `milliseconds` before or after the machine's. */
export const setClockOffset = (milliseconds: number): void => {
  offset = milliseconds
}

// Stands around a built bundle in tests: a clock that can be moved and a database that can fail. It is put beside the bundle when the
// runtime starts (test/support/runtime.ts) and is in nothing that is deployed; a test searches the bundle for its paths.
//
//  POST /__test/clock  {"offset": milliseconds}
//  POST /__test/faults {"mode": "fail"|"lost"|"hang"|"late"|"mute", "count": n, "skip"?: n, "match"?: "text"} or null
//  POST /__test/alarm  {"binding": "OWNER", "id": "<hex id>"}   runs that object's alarm now
//  POST /__test/call   {"binding": "OWNER", "name": "<owner>", "method": "policies", "args": [...]}   what the object answers, as JSON
import type { Fault } from '../fault.ts'
import { alarmRead, alarmTime, setClockOffset } from './clock.ts'
import { faultyEnv, setFault } from './faults.ts'

type ObjectClass = new (state: DurableObjectState, env: object) => { alarm?: () => unknown }
type Handler = ExportedHandler<Record<string, unknown>>
type TestStub = { runAlarmForTest: () => Promise<void> }

const shiftAlarms = (storage: DurableObjectStorage): void => {
  const [set, get] = [storage.setAlarm.bind(storage), storage.getAlarm.bind(storage)]
  Object.defineProperty(storage, 'setAlarm', { value: (time: number | Date) => set(alarmTime(time)) })
  Object.defineProperty(storage, 'getAlarm', { value: async () => alarmRead(await get()) })
}

/** A Durable Object class whose D1 bindings obey the faults, and whose alarm can be run. */
export const wrapObject = (Inner: ObjectClass): ObjectClass =>
  class extends Inner {
    constructor(state: DurableObjectState, env: object) {
      shiftAlarms(state.storage)
      super(state, faultyEnv(env))
    }

    async runAlarmForTest(): Promise<void> {
      await this.alarm?.()
    }
  }

const called = async (body: unknown, env: Record<string, unknown>): Promise<Response> => {
  const { binding, name, method, args } = body as { binding: string; name: string; method: string; args: unknown[] }
  const objects = env[binding] as DurableObjectNamespace
  const stub = objects.get(objects.idFromName(name)) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  return Response.json((await stub[method]?.(...args)) ?? null)
}

const control = async (path: string, body: unknown, env: Record<string, unknown>): Promise<Response> => {
  switch (path) {
    case '/__test/clock':
      setClockOffset((body as { offset: number }).offset)
      break
    case '/__test/faults':
      await setFault((body as Fault | null) ?? undefined)
      break
    case '/__test/call':
      return called(body, env)
    case '/__test/alarm': {
      const { binding, id } = body as { binding: string; id: string }
      const objects = env[binding] as DurableObjectNamespace
      await (objects.get(objects.idFromString(id)) as unknown as TestStub).runAlarmForTest()
      break
    }
    default:
      return new Response(null, { status: 404 })
  }
  return new Response(null, { status: 204 })
}

/** The bundle's default export with the test paths in front of it. */
export const wrapHandler = (inner: Handler): Handler => ({
  ...inner,
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/__test/')) return control(pathname, await request.json(), env)
    if (!inner.fetch) throw new Error('the bundle has no fetch handler')
    return inner.fetch(request, faultyEnv(env), context)
  },
  ...(inner.scheduled && { scheduled: (event, env, context) => inner.scheduled?.(event, faultyEnv(env), context) }),
})

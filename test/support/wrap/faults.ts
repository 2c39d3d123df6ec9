// A D1 binding, and calls of objects, that fail when a test says so. The real ones do the work in all other cases.

import type { Fault } from '../fault.ts'

let fault: Fault | undefined

/** Operations that are late: those that wait, and all that have not answered. */
let isHeld = false
let late = 0

const moment = (): Promise<void> => new Promise((next) => setTimeout(next, 5))

/** Sets or (with undefined) clears what happens to the next operations. When it has cleared, those that were late have been run. */
export const setFault = async (next: Fault | undefined): Promise<void> => {
  fault = next
  if (next) return
  isHeld = false
  while (late > 0) await moment()
}

/** Each object waits by itself: one cannot be woken by another's request. */
const runLate = async <T>(operation: () => Promise<T>): Promise<T> => {
  isHeld = true
  late += 1
  try {
    while (isHeld) await moment()
    return await operation()
  } finally {
    late -= 1
  }
}

const ERROR = 'D1_ERROR: Network connection lost.'

const hits = (sql: string): Fault['mode'] | undefined => {
  if (!fault || (fault.match !== undefined && !sql.includes(fault.match))) return undefined
  if (fault.skip) {
    fault = { ...fault, skip: fault.skip - 1 }
    return undefined
  }
  const { mode } = fault
  fault = fault.count > 1 ? { ...fault, count: fault.count - 1 } : undefined
  return mode
}

const run = async <T>(sql: string, operation: () => Promise<T>): Promise<T> => {
  const mode = hits(sql)
  if (mode === 'fail') throw new Error(ERROR)
  if (mode === 'hang') return new Promise<T>(() => {})
  if (mode === 'late') return runLate(operation)
  const answer = await operation()
  if (mode === 'mute') return new Promise<T>(() => {})
  if (mode === 'lost') throw new Error(ERROR)
  return answer
}

/** The statement that D1 made, for a batch; and its text, for `match`. */
const real = new WeakMap<object, { statement: D1PreparedStatement; sql: string }>()

const statementOf = (statement: D1PreparedStatement, sql: string): D1PreparedStatement => {
  const proxy = new Proxy(statement, {
    get: (target, key) => {
      if (key === 'bind') return (...values: unknown[]) => statementOf(target.bind(...values), sql)
      const member = Reflect.get(target, key)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => run<unknown>(sql, async () => Reflect.apply(member, target, args))
    },
  })
  real.set(proxy, { statement, sql })
  return proxy
}

/** Wraps a D1 binding (or a session of one). */
export const faulty = <T extends D1Database | D1DatabaseSession>(database: T): T =>
  new Proxy(database, {
    get: (target, key) => {
      if (key === 'prepare') return (sql: string) => statementOf(target.prepare(sql), sql)
      if (key === 'batch') {
        return (statements: D1PreparedStatement[]) => {
          const inner = statements.map((statement) => real.get(statement) ?? { statement, sql: '' })
          return run(inner.map(({ sql }) => sql).join('\n'), () => target.batch(inner.map(({ statement }) => statement)))
        }
      }
      const member = Reflect.get(target, key)
      if (typeof member !== 'function') return member
      if (key === 'withSession') return (...args: unknown[]) => faulty(Reflect.apply(member, target, args) as D1DatabaseSession)
      if (key === 'getBookmark') return member.bind(target)
      return (...args: unknown[]) => run<unknown>(String(args[0] ?? ''), async () => Reflect.apply(member, target, args))
    },
  })

const isDatabase = (value: unknown): value is D1Database =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as D1Database).prepare === 'function' &&
  typeof (value as D1Database).batch === 'function'

/** Objects whose calls can fail: only by a fault that names the binding and the method (`match`: `GUEST relied`). */
const OBJECTS: readonly PropertyKey[] = ['GUEST', 'OWNER']

const faultyObjects = (binding: string, objects: DurableObjectNamespace): DurableObjectNamespace =>
  new Proxy(objects, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key)
      if (typeof member !== 'function') return member
      if (key !== 'get') return member.bind(target)
      return (id: DurableObjectId) =>
        new Proxy(target.get(id), {
          get: (stub, method) => {
            // A stub is no promise, whatever it is asked.
            if (typeof method !== 'string' || method === 'then') return Reflect.get(stub, method)
            const methods = stub as unknown as Record<string, (...all: unknown[]) => Promise<unknown>>
            const call = async (...args: unknown[]): Promise<unknown> => methods[method]?.(...args)
            return fault?.match?.startsWith(`${binding} `) === true
              ? (...args: unknown[]) => run(`${binding} ${method}`, () => call(...args))
              : call
          },
        })
    },
  })

/** An environment whose D1 bindings and objects obey `setFault`. */
export const faultyEnv = <E extends object>(env: E): E => {
  const wrapped = new Map<PropertyKey, unknown>()
  return new Proxy(env, {
    get: (target, key) => {
      const value = Reflect.get(target, key)
      const isObjects = OBJECTS.includes(key) && value !== undefined
      if (!isObjects && !isDatabase(value)) return value
      if (!wrapped.has(key))
        wrapped.set(key, isObjects ? faultyObjects(String(key), value as DurableObjectNamespace) : faulty(value as D1Database))
      return wrapped.get(key)
    },
  })
}

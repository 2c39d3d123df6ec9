// As much of IndexedDB as the wallet uses, in memory: object stores with a keyPath, get, getAll, put, delete, transactions that run one
// after another. Values are cloned as in a browser; a CryptoKey survives the clone without becoming extractable.

type Listener = (() => void) | null
type Request = { result: unknown; error: null; onsuccess: Listener; onerror: Listener; onupgradeneeded?: Listener }
type Records = Map<string, { id: string }>

const databases = new Map<string, Map<string, Records>>()
let turn: Promise<unknown> = Promise.resolve()

const later = (work: () => unknown): Request => {
  const request: Request = { result: undefined, error: null, onsuccess: null, onerror: null }
  queueMicrotask(() => {
    request.result = work()
    request.onsuccess?.()
  })
  return request
}

const storeOf = (records: Records, note: () => void) => {
  const act = (work: () => unknown): Request => {
    note()
    return later(work)
  }
  return {
    get: (id: string) => act(() => structuredClone(records.get(id))),
    getAll: () => act(() => [...records.values()].map((record) => structuredClone(record))),
    put: (record: { id: string }) => {
      const copy = structuredClone(record)
      return act(() => void records.set(copy.id, copy))
    },
    delete: (id: string) => act(() => void records.delete(id)),
  }
}

/** A transaction is over when the microtasks that belong to it have run dry; the next one starts only then. */
const transactionOn = (stores: Map<string, Records>) => {
  let busy = 0
  let begin: () => void = () => undefined
  const started = new Promise<void>((resolve) => {
    begin = resolve
  })
  const transaction = {
    oncomplete: null as Listener,
    onabort: null as Listener,
    error: null,
    objectStore: (name: string) => {
      const direct = storeOf(stores.get(name) ?? new Map(), () => {
        busy += 1
      })
      const waiting =
        <A extends unknown[]>(method: (...args: A) => Request) =>
        (...args: A): Request => {
          const request: Request = { result: undefined, error: null, onsuccess: null, onerror: null }
          void started.then(() => {
            const inner = method(...args)
            inner.onsuccess = () => {
              request.result = inner.result
              request.onsuccess?.()
            }
          })
          return request
        }
      return { get: waiting(direct.get), getAll: waiting(direct.getAll), put: waiting(direct.put), delete: waiting(direct.delete) }
    },
  }
  turn = turn.then(
    () =>
      new Promise<void>((resolve) => {
        begin()
        const watch = (seen: number): void => {
          setImmediate(() => {
            if (busy !== seen) return watch(busy)
            transaction.oncomplete?.()
            resolve()
          })
        }
        watch(-1)
      }),
  )
  return transaction
}

const fakeIndexedDB = {
  open: (name: string): Request => {
    const isNew = !databases.has(name)
    const stores = databases.get(name) ?? new Map<string, Records>()
    databases.set(name, stores)
    const database = {
      createObjectStore: (store: string) => void stores.set(store, new Map()),
      transaction: () => transactionOn(stores),
      close: () => undefined,
    }
    const request: Request = { result: database, error: null, onsuccess: null, onerror: null, onupgradeneeded: null }
    queueMicrotask(() => {
      if (isNew) request.onupgradeneeded?.()
      request.onsuccess?.()
    })
    return request
  },
  deleteDatabase: (name: string): Request => later(() => void databases.delete(name)),
}

/** Puts the fake where the wallet looks for it, empty. */
export const resetIndexedDB = (): void => {
  databases.clear()
  Reflect.set(globalThis, 'indexedDB', fakeIndexedDB)
}

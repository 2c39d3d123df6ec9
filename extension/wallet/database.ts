// IndexedDB, where CryptoKey objects can live without ever being exportable. Two stores, each entry under its own `id`.
// One rule carries the one-time credentials: `rewrite` reads and writes in one transaction, so that two takers never get the same entry.

export type Store = 'keys' | 'credentials'
type Entry = { id: string }

const NAME = 'latchkey'
const VERSION = 1

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB request failed'))
  })

const open = (): Promise<IDBDatabase> => {
  const request = indexedDB.open(NAME, VERSION)
  request.onupgradeneeded = () => {
    for (const store of ['keys', 'credentials'] satisfies Store[]) request.result.createObjectStore(store, { keyPath: 'id' })
  }
  return done(request)
}

/** Runs `work` in one transaction and answers after it is committed. The database is closed again: a worker may die at any time. */
const inTransaction = async <R>(store: Store, mode: IDBTransactionMode, work: (entries: IDBObjectStore) => Promise<R>): Promise<R> => {
  const database = await open()
  try {
    const transaction = database.transaction(store, mode)
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB transaction aborted'))
    })
    const [result] = await Promise.all([work(transaction.objectStore(store)), committed])
    return result
  } finally {
    database.close()
  }
}

export const find = <T extends Entry>(store: Store, id: string): Promise<T | undefined> =>
  inTransaction(store, 'readonly', (entries) => done(entries.get(id) as IDBRequest<T | undefined>))

export const list = <T extends Entry>(store: Store): Promise<T[]> =>
  inTransaction(store, 'readonly', (entries) => done(entries.getAll() as IDBRequest<T[]>))

export const put = <T extends Entry>(store: Store, entry: T): Promise<void> =>
  inTransaction(store, 'readwrite', async (entries) => void (await done(entries.put(entry))))

/** Decides over all entries at once: `decide` must not await; what it puts and removes is written in the same transaction. */
export const rewrite = <T extends Entry, R>(store: Store, decide: (all: T[]) => { put?: T[]; remove?: string[]; result: R }): Promise<R> =>
  inTransaction(store, 'readwrite', async (entries) => {
    const decision = decide(await done(entries.getAll() as IDBRequest<T[]>))
    await Promise.all([
      ...(decision.put ?? []).map((entry) => done(entries.put(entry))),
      ...(decision.remove ?? []).map((id) => done(entries.delete(id))),
    ])
    return decision.result
  })

/** Deletes all keys and credentials. */
export const eraseDatabase = async (): Promise<void> => void (await done(indexedDB.deleteDatabase(NAME)))

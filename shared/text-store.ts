// Where a kit keeps what must outlive a request: text under a key, in whatever the program has (a table, sessionStorage, a Map).

/** Text by key; `write` with nothing forgets. What is kept are secrets: sealed at best, and one store for one person or owner. */
export type TextStore = {
  read: (key: string) => string | undefined | Promise<string | undefined>
  write: (key: string, text: string | undefined) => void | Promise<void>
}

/**
 * Keeps text as long as the program runs, no longer: for a try-out, or where a restart may ask again.
 * @returns a store of its own, empty, never shared (UMA Grant 5.2)
 */
export function memoryStore(): TextStore {
  const kept = new Map<string, string>()
  return {
    read: (key) => kept.get(key),
    write: (key, text) => {
      if (text === undefined) kept.delete(key)
      else kept.set(key, text)
    },
  }
}

/**
 * Reads what was written as JSON (RFC 8259 2). NOT checked: that it has the wanted form; it was written by the same program.
 * @returns nothing when nothing is kept, or when it is not JSON
 */
export async function readKept<T>(store: TextStore, key: string): Promise<T | undefined> {
  const text = await store.read(key)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    // Somebody else wrote there; it is made anew.
    return undefined
  }
}

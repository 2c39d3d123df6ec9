// When the server's keys begin, are in use, and go: the one place for these times, each with its reason. Pure; the Keys object stores
// what comes out of it, the keyring of an isolate reads it. Times are seconds since 1970. The root of keyed hashes is in no schedule:
// what is known by a hash would be known no more.

const DAY = 86_400

/** How long an isolate works with the keys that it read before it asks again. */
export const KEYRING_CACHE = 300
/** How long it goes on with them while the Keys object does not answer. */
export const KEYRING_STALE = 600
/** `Cache-Control` of the documents that publish our keys. */
export const JWKS_CACHE = 300
/** From publication to first use: until then the slowest isolate has read the key, and whoever cached /jwks from that isolate has let it go. */
export const LEAD = KEYRING_STALE + JWKS_CACHE
/** A key is followed by another one after this time. */
export const ROTATE_AFTER = 90 * DAY
/** The longest that anything signed counts: the e-mail credential, 30 days. A day more for clocks. */
export const SIGNED_FOR = 31 * DAY
/** The longest that anything sealed is carried around: the cookie with the owner's label key, 400 days. A day more for clocks. */
export const SEALED_FOR = 401 * DAY
/** The slot stands in one byte; 0 is left free. */
const SLOTS = 255

/** A P-256 private key. `from`: when it begins to sign; keys of the first storage version have none, they sign since ever. */
export type StoredSigningKey = { kid: string; jwk: JsonWebKey; from?: number }
/** An AES-256 key. `slot` stands in the first byte of what it sealed. */
export type StoredSealKey = { slot: number; raw: string; from?: number }

/** What the Keys object holds. */
export type StoredKeys = {
  /** Oldest first; each takes the place of the one before at its `from`. */
  signing: StoredSigningKey[]
  seal: StoredSealKey[]
  /** Root of all keyed hashes; never rotates. */
  root: string
}

type Begins = { from?: number }

const beginOf = (key: Begins): number => key.from ?? 0

/** The key in use: the last one that has begun, else the first (a clock that is behind must not stop anybody). */
export function inUse<K extends Begins>(keys: readonly K[], now: number): K | undefined {
  return keys.findLast((key) => beginOf(key) <= now) ?? keys[0]
}

/** Whether a key waits for its first use already. */
export const isOnItsWay = (keys: StoredKeys, now: number): boolean => [...keys.signing, ...keys.seal].some((key) => beginOf(key) > now)

/** When the next keys are to be made, so that they begin `ROTATE_AFTER` after the last ones did. */
export function rotationDue(keys: StoredKeys): number {
  const last = Math.min(beginOf(keys.signing.at(-1) ?? {}), beginOf(keys.seal.at(-1) ?? {}))
  return last + ROTATE_AFTER - LEAD
}

/** The first slot after the newest that no key has; undefined if all are taken. */
export function freeSlot(keys: StoredKeys): number | undefined {
  const taken = new Set(keys.seal.map(({ slot }) => slot))
  const last = keys.seal.at(-1)?.slot ?? 0
  for (let step = 0; step < SLOTS; step++) {
    const slot = ((last + step) % SLOTS) + 1
    if (!taken.has(slot)) return slot
  }
  return undefined
}

/** The keys with new ones at the end, in use from `LEAD` after now. */
export function withNew(keys: StoredKeys, made: { signing: StoredSigningKey; seal: StoredSealKey }, now: number): StoredKeys {
  const from = now + LEAD
  return { ...keys, signing: [...keys.signing, { ...made.signing, from }], seal: [...keys.seal, { ...made.seal, from }] }
}

/** When `keys[index]` is no longer needed: `kept` after its successor began; never while it has none. */
function endOf(keys: readonly Begins[], index: number, kept: number): number {
  const successor = keys[index + 1]
  return successor === undefined ? Number.POSITIVE_INFINITY : beginOf(successor) + kept
}

/** Slots whose time is over. Whether something permanent is still sealed with one of them is for the caller to look up. */
export const overdueSlots = (keys: StoredKeys, now: number): number[] =>
  keys.seal.filter((_, index) => endOf(keys.seal, index, SEALED_FOR) <= now).map(({ slot }) => slot)

/** The keys without signing keys whose time is over, and without the seal keys of these slots. */
export function withoutOld(keys: StoredKeys, now: number, slots: readonly number[]): StoredKeys {
  return {
    ...keys,
    signing: keys.signing.filter((_, index) => endOf(keys.signing, index, SIGNED_FOR) > now),
    seal: keys.seal.filter(({ slot }) => !slots.includes(slot)),
  }
}

/** When there is something to do next: make keys, or let some go. */
export function nextChange(keys: StoredKeys): number {
  const ends = [
    ...keys.signing.map((_, index) => endOf(keys.signing, index, SIGNED_FOR)),
    ...keys.seal.map((_, index) => endOf(keys.seal, index, SEALED_FOR)),
  ]
  return Math.min(rotationDue(keys), ...ends)
}

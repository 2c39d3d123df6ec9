// The schedule of keys, and how an isolate follows it: what is in use when, what is kept how long, and what it asks the Keys object for.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CREDENTIAL_LIFETIME } from '../../worker/claims/email-credential.ts'
import { REQUEST_LIFETIME } from '../../worker/claims/vp-request.ts'
import { NAMES_LIFETIME, SESSION_LIFETIME } from '../../worker/http/session.ts'
import * as schedule from '../../worker/keys/schedule.ts'
import { ACCESS_LIFETIME, REFRESH_LIFETIME } from '../../worker/oauth/authorization-code-grant.ts'
import { RPT_LIFETIME } from '../../worker/objects/owner-grants.ts'
import { keyringFrom, keyringOf } from '../../worker/tokens/keyring.ts'
import { TICKET_LIFETIME } from '../../worker/tokens/ticket.ts'
import { storedKeys } from '../support/keyring.ts'

const { LEAD, ROTATE_AFTER, SEALED_FOR, SIGNED_FOR } = schedule
const DAY = 86_400
const T0 = 1_800_000_000

describe('DESIGN 3: the schedule of keys', () => {
  it('DESIGN 3: a key is kept for the longest token that it sealed or signed', () => {
    for (const lifetime of [NAMES_LIFETIME, REFRESH_LIFETIME, SESSION_LIFETIME, ACCESS_LIFETIME, RPT_LIFETIME, TICKET_LIFETIME])
      expect(SEALED_FOR).toBeGreaterThan(lifetime)
    for (const lifetime of [CREDENTIAL_LIFETIME, REQUEST_LIFETIME, ACCESS_LIFETIME]) expect(SIGNED_FOR).toBeGreaterThan(lifetime)
  })

  it('DESIGN 3: a key is published one cache lifetime before its first use, whoever caches whom', () => {
    expect(LEAD).toBeGreaterThanOrEqual(schedule.KEYRING_STALE + schedule.JWKS_CACHE)
    expect(schedule.KEYRING_STALE).toBeGreaterThan(schedule.KEYRING_CACHE)
  })

  it('TK-17: the newest key that has begun is in use, the first one if none has', async () => {
    const keys = schedule.withNew(await storedKeys(), await material(2), T0)
    expect(schedule.inUse(keys.seal, T0 + LEAD - 1)?.slot).toBe(1)
    expect(schedule.inUse(keys.seal, T0 + LEAD)?.slot).toBe(2)
    expect(schedule.inUse([{ from: 10 }, { from: 20 }], 5)).toEqual({ from: 10 })
    expect(schedule.inUse([], 5)).toBeUndefined()
  })

  it('TK-17: rotation is due so early that the new keys begin when the old ones are old enough', async () => {
    const keys = schedule.withNew(await storedKeys(), await material(2), T0)
    expect(schedule.rotationDue(keys) + LEAD).toBe(T0 + LEAD + ROTATE_AFTER)
    // Keys of the first storage version have no age: they are followed at once.
    expect(schedule.rotationDue(await storedKeys())).toBeLessThan(T0)
  })

  it('TK-17: an old key goes when nothing that it made can be alive, the newest never', async () => {
    const keys = schedule.withNew(await storedKeys(), await material(2), T0)
    const begun = T0 + LEAD
    expect(schedule.overdueSlots(keys, begun + SEALED_FOR - 1)).toEqual([])
    expect(schedule.overdueSlots(keys, begun + SEALED_FOR)).toEqual([1])
    expect(schedule.withoutOld(keys, begun + SIGNED_FOR - 1, []).signing).toHaveLength(2)
    const later = schedule.withoutOld(keys, begun + SIGNED_FOR, [])
    expect(later.signing.map(({ kid }) => kid)).toEqual([keys.signing[1]?.kid])
    expect(later.seal).toHaveLength(2)
    const end = schedule.withoutOld(later, begun + 9999 * DAY, [1])
    expect([end.signing.length, end.seal.map(({ slot }) => slot), end.root]).toEqual([1, [2], keys.root])
  })

  it('TK-17: the next thing to do is the earliest of rotation and ends', async () => {
    const keys = schedule.withNew(await storedKeys(), await material(2), T0)
    expect(schedule.nextChange(keys)).toBe(T0 + LEAD + SIGNED_FOR)
    const later = schedule.withoutOld(keys, T0 + LEAD + SIGNED_FOR, [])
    expect(schedule.nextChange(later)).toBe(T0 + ROTATE_AFTER)
  })

  it('TK-17: slots go round in one byte and are never given twice', async () => {
    const { seal, ...rest } = await storedKeys()
    const raw = seal[0]?.raw ?? ''
    const of = (slots: number[]) => schedule.freeSlot({ ...rest, seal: slots.map((slot) => ({ slot, raw })) })
    expect(of([1])).toBe(2)
    expect(of([254, 255])).toBe(1)
    expect(of([255, 1, 2])).toBe(3)
    expect(of(Array.from({ length: 255 }, (_, index) => index + 1))).toBeUndefined()
  })
})

describe('DESIGN 3: the keyring of an isolate', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: T0 * 1000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const moveTo = (seconds: number): void => {
    vi.setSystemTime(seconds * 1000)
  }

  it('TK-17: what the old key sealed opens after the change, what is sealed then has the new slot', async () => {
    const keyring = await keyringFrom(schedule.withNew(await storedKeys(), await material(2), T0), '')
    const before = await keyring.seal('ticket', { n: 1 })
    const kid = keyring.signing.kid
    moveTo(T0 + LEAD)
    const after = await keyring.seal('ticket', { n: 2 })
    expect([keyring.isCurrent(before), keyring.isCurrent(after), keyring.isCurrent('')]).toEqual([false, true, false])
    expect(await keyring.open('ticket', before)).toEqual({ n: 1 })
    expect(await keyring.open('ticket', after)).toEqual({ n: 2 })
    expect(keyring.signing.kid).not.toBe(kid)
    expect(keyring.publicJwks.map((key) => key.kid)).toEqual([kid, keyring.signing.kid])
    expect(keyring.publicJwks.some((key) => 'd' in key)).toBe(false)
  })

  it('TK-17: keyed hashes stay the same under every rotation', async () => {
    const stored = await storedKeys()
    const [before, after] = [await keyringFrom(stored, 'p'), await keyringFrom(schedule.withNew(stored, await material(2), T0), 'p')]
    expect(await after.mac('policy', 'x')).toBe(await before.mac('policy', 'x'))
  })

  it('DESIGN 3: an unknown slot or kid makes one look at the Keys object, and no more for a while', async () => {
    const first = await storedKeys()
    const keys = { now: first, asked: 0 }
    const env = envOf(async () => {
      keys.asked++
      return keys.now
    })
    const keyring = await keyringOf(env)
    expect([keyring === (await keyringOf(env)), keys.asked]).toEqual([true, 1])
    keys.now = schedule.withNew(first, await material(2), T0 - LEAD)
    const foreign = await keyringFrom(keys.now, '')
    const sealed = await foreign.seal('ticket', 'new')
    moveTo(T0 + 20)
    expect(await keyring.open('ticket', sealed)).toBe('new')
    expect(keys.asked).toBe(2)
    const madeUp = Buffer.from(sealed, 'base64url').fill(9, 0, 1).toString('base64url')
    for (let times = 0; times < 5; times++) expect(await keyring.open('ticket', madeUp)).toBeUndefined()
    expect([await keyring.publicJwk('nobody'), keys.asked]).toEqual([undefined, 2])
    moveTo(T0 + 40)
    expect((await keyring.publicJwk(foreign.signing.kid))?.kid).toBe(foreign.signing.kid)
    expect(keys.asked).toBe(3)
    moveTo(T0 + 60)
    // What the newer keyring has read is what everybody gets from now on.
    expect((await (await keyringOf(env)).publicJwk(foreign.signing.kid))?.kid).toBe(foreign.signing.kid)
    expect(keys.asked).toBe(3)
  })

  it('DESIGN 3: it asks again after five minutes, and lives for ten while nobody answers', async () => {
    moveTo(T0 + 10_000)
    const stored = await storedKeys()
    const keys = { asked: 0, isAway: false }
    const env = envOf(async () => {
      keys.asked++
      if (keys.isAway) throw new Error('overloaded')
      return stored
    })
    await keyringOf(env)
    const at = Date.now() / 1000
    keys.asked = 0
    moveTo(at + schedule.KEYRING_CACHE - 1)
    await keyringOf(env)
    expect(keys.asked).toBe(0)
    keys.isAway = true
    moveTo(at + schedule.KEYRING_CACHE)
    const old = await keyringOf(env)
    expect([keys.asked, await old.open('ticket', await old.seal('ticket', 1))]).toEqual([1, 1])
    await keyringOf(env)
    expect(keys.asked).toBe(1)
    moveTo(at + schedule.KEYRING_STALE)
    await expect(keyringOf(env)).rejects.toThrow('overloaded')
    keys.isAway = false
    await keyringOf(env)
    expect(keys.asked).toBe(3)
  })
})

const material = async (slot: number) => {
  const { signing, seal } = await storedKeys()
  return { signing: signing[0] as schedule.StoredSigningKey, seal: { ...(seal[0] as schedule.StoredSealKey), slot } }
}

/** Bindings of which only the Keys object is there. */
const envOf = (all: () => Promise<schedule.StoredKeys>): Parameters<typeof keyringOf>[0] =>
  ({ KEYS: { idFromName: (name: string) => name, get: () => ({ all }) } }) as unknown as Parameters<typeof keyringOf>[0]

// The Keys object: signing, sealing and hashing keys, made on first use. The only place where private keys are stored.
// One object for the whole deployment; readers cache what it returns (tokens/keyring.ts). When keys follow each other and when old ones
// go is keys/schedule.ts; the root of the keyed hashes stays as it was made.
import { DurableObject } from 'cloudflare:workers'
import { base64url } from 'jose'
import {
  freeSlot,
  isOnItsWay,
  nextChange,
  overdueSlots,
  rotationDue,
  type StoredKeys,
  type StoredSealKey,
  type StoredSigningKey,
  withNew,
  withoutOld,
} from '../keys/schedule.ts'
import { type Versioned, WRITTEN_NOW } from '../storage/version.ts'
import { sealedWith, within } from './record.ts'
import { KEYS_STEPS, opened } from './versions.ts'

type Kept = StoredKeys & Versioned

/** `from`: when the new keys come into use, seconds. `pending`: some wait already; `full`: all slots are taken by keys that still count. */
export type Rotated = { kind: 'rotated' | 'pending'; from: number } | { kind: 'full' }

/** An alarm that found something it could not do yet comes again after this many seconds. */
const AGAIN = 86_400

export class KeysObject extends DurableObject<Env> {
  #keys: Kept | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.blockConcurrencyWhile(async () => {
      const stored = ctx.storage.kv.get<Kept>('keys')
      this.#keys = stored && opened('keys', stored, KEYS_STEPS, (keys) => ctx.storage.kv.put('keys', keys))
      // A state of before keys had an age.
      if (this.#keys !== undefined && (await ctx.storage.getAlarm()) === null) await this.#wake(this.#keys, seconds())
    })
  }

  /** All keys, made and stored durably before the first answer. Those that are old enough get successors on the way. */
  async all(): Promise<StoredKeys> {
    const keys = this.#keys
    if (keys !== undefined && rotationDue(keys) > seconds()) return keys
    return this.ctx.blockConcurrencyWhile(async () => {
      const now = seconds()
      if (this.#keys === undefined) return this.#store(await firstKeys(now), now)
      return this.#isDue(this.#keys, now) ? this.#follow(this.#keys, now) : this.#keys
    })
  }

  /** New keys by command: published now, in use after `LEAD`. Asked again before that, it changes nothing. */
  async rotate(): Promise<Rotated> {
    await this.all()
    return this.ctx.blockConcurrencyWhile(async () => {
      const now = seconds()
      const keys = this.#keys as StoredKeys
      const isPending = isOnItsWay(keys, now)
      if (!isPending && freeSlot(keys) === undefined) return { kind: 'full' }
      const next = isPending ? keys : await this.#follow(keys, now)
      return { kind: isPending ? 'pending' : 'rotated', from: next.seal.at(-1)?.from ?? now }
    })
  }

  /** For administration: how old the keys in use are, and how many are kept. No secret. */
  async ages(): Promise<{ signing: (number | undefined)[]; seal: (number | undefined)[] }> {
    const { signing, seal } = await this.all()
    return { signing: signing.map(({ from }) => from), seal: seal.map(({ from }) => from) }
  }

  /** Rotates by age, and lets go what nothing can need any more. */
  override async alarm(): Promise<void> {
    await this.all()
    const over = overdueSlots(this.#keys as StoredKeys, seconds())
    const unused: number[] = []
    // Owners' addresses are sealed for good. A key stays as long as one of them needs it; while D1 is away nobody knows, and it stays.
    for (const slot of over) if (!(await this.#isNeeded(slot))) unused.push(slot)
    const now = seconds()
    const before = this.#keys as StoredKeys
    const after = withoutOld(before, now, unused)
    if (after.seal.length < before.seal.length || after.signing.length < before.signing.length) await this.#store(after, now)
    else await this.#wake(after, now)
  }

  async #isNeeded(slot: number): Promise<boolean> {
    try {
      return await within(sealedWith(this.env.DB, slot))
    } catch {
      return true // D1 does not answer: ask again at the next alarm
    }
  }

  #isDue(keys: StoredKeys, now: number): boolean {
    return rotationDue(keys) <= now && !isOnItsWay(keys, now) && freeSlot(keys) !== undefined
  }

  async #follow(keys: StoredKeys, now: number): Promise<StoredKeys> {
    return this.#store(withNew(keys, { signing: await newSigningKey(), seal: newSealKey(freeSlot(keys) ?? 1) }, now), now)
  }

  async #store(keys: StoredKeys, now: number): Promise<StoredKeys> {
    this.ctx.storage.kv.put('keys', keys)
    await this.#wake(keys, now)
    await this.ctx.storage.sync()
    this.#keys = keys
    return keys
  }

  async #wake(keys: StoredKeys, now: number): Promise<void> {
    const at = nextChange(keys)
    await this.ctx.storage.setAlarm((at > now ? at : now + AGAIN) * 1000)
  }
}

/** This object alone decides about the age of keys, so that it asks its own clock. */
const seconds = (): number => Math.floor(Date.now() / 1000)

const random = (bytes: number): string => base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)))

async function newSigningKey(): Promise<StoredSigningKey> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])) as CryptoKeyPair
  return { kid: random(9), jwk: (await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey }
}

const newSealKey = (slot: number): StoredSealKey => ({ slot, raw: random(32) })

async function firstKeys(now: number): Promise<Kept> {
  return {
    version: WRITTEN_NOW,
    signing: [{ ...(await newSigningKey()), from: now }],
    seal: [{ ...newSealKey(1), from: now }],
    root: random(32),
  }
}

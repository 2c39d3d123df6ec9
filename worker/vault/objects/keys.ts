// The one object that holds the vault's root key. Made on first use, never changed: links and sealed rows depend on it.
import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'

export class KeysObject extends DurableObject<Env> {
  /** 32 bytes. The first call makes them; calls at the same time get the same ones. */
  root(): Uint8Array {
    const kept = this.ctx.storage.kv.get<Uint8Array>('root')
    if (kept !== undefined) return kept
    const made = crypto.getRandomValues(new Uint8Array(32))
    this.ctx.storage.kv.put('root', made)
    return made
  }
}

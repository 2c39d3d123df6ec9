// Things of a resource server and what the authorization server calls them (UMA FedAuthz 3.2): registered once, updated when their
// description changes, registered again when the server has forgotten them. Matched by the server's `_id`, never by an address.
import { sha256Base64url } from './base64url.ts'
import type { Answer, ProtectionApi } from './protection-api.ts'
import type { ResourceDescription } from './protocol/uma-federation.ts'
import { readKept, type TextStore } from './text-store.ts'

type Kept = { id: string; hash: string }

/** Things by the program's own names, and their registrations (UMA FedAuthz 3.2). */
export type ResourceRegistry = {
  /** The `_id` under which a thing is registered, registering or updating it if need be (UMA FedAuthz 3.2.1, 3.2.3). */
  ensure: (key: string, description: ResourceDescription) => Promise<Answer<string>>
  /** Registers anew, for a server that does not know the `_id` any more; `lost` is that `_id`: another call may have been faster. */
  again: (key: string, description: ResourceDescription, lost: string) => Promise<Answer<string>>
  /** Ends the registration (UMA FedAuthz 3.2.4), and with it every permission for the thing. Not registered counts as ended. */
  remove: (key: string) => Promise<Answer<undefined>>
}

const isForgotten = (answer: Answer<unknown>): boolean =>
  answer.kind === 'refused' && (answer.status === 404 || answer.error === 'not_found' || answer.error === 'invalid_resource_id')

/**
 * Registers things and keeps them registered (UMA FedAuthz 3.2). Keeps `_id` and a hash of the description under `resource <key>` in `store`. `key` is the program's own name of the thing.
 * Answers pass on what the server said (`refused`, `unreachable`, `disconnected`); nothing is thrown but what the store throws.
 */
export function createResourceRegistry(api: ProtectionApi, store: TextStore): ResourceRegistry {
  const running = new Map<string, Promise<Answer<string>>>()
  const keyOf = (key: string): string => `resource ${key}`

  const register = async (key: string, description: ResourceDescription, hash: string): Promise<Answer<string>> => {
    const answer = await api.registerResource(description)
    if (answer.kind !== 'ok') return answer
    await store.write(keyOf(key), JSON.stringify({ id: answer.value._id, hash } satisfies Kept))
    return { kind: 'ok', value: answer.value._id }
  }

  const ensureNow = async (key: string, description: ResourceDescription, lost?: string): Promise<Answer<string>> => {
    const hash = await sha256Base64url(JSON.stringify(description))
    const kept = await readKept<Kept>(store, keyOf(key))
    if (kept === undefined || kept.id === lost) return register(key, description, hash)
    if (kept.hash === hash) return { kind: 'ok', value: kept.id }
    const answer = await api.updateResource(kept.id, description)
    if (isForgotten(answer)) return register(key, description, hash)
    if (answer.kind !== 'ok') return answer
    await store.write(keyOf(key), JSON.stringify({ id: kept.id, hash } satisfies Kept))
    return { kind: 'ok', value: kept.id }
  }

  /** One at a time for one thing, else the first two requests register it twice. */
  const ensure = (key: string, description: ResourceDescription, lost?: string): Promise<Answer<string>> => {
    const before = running.get(key) ?? Promise.resolve()
    const mine: Promise<Answer<string>> = before
      .catch(() => undefined)
      .then(() => ensureNow(key, description, lost))
      .finally(() => {
        if (running.get(key) === mine) running.delete(key)
      })
    running.set(key, mine)
    return mine
  }

  return {
    ensure: (key, description) => ensure(key, description),
    again: ensure,
    remove: async (key) => {
      const kept = await readKept<Kept>(store, keyOf(key))
      const answer: Answer<undefined> = kept === undefined ? { kind: 'ok', value: undefined } : await api.deleteResource(kept.id)
      if (answer.kind === 'ok') await store.write(keyOf(key), undefined)
      return answer
    },
  }
}

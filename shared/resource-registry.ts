// Things of a resource server and what the authorization server calls them (UMA FedAuthz 3.2): registered once, updated when their
// description changes, registered again when the server has forgotten them. Matched by the server's `_id`, never by an address.
import { sha256Base64url } from './base64url.ts'
import type { Answer, ProtectionApi } from './protection-api.ts'
import type { RegisteredResource, ResourceDescription } from './protocol/uma-federation.ts'
import { readKept, type TextStore } from './text-store.ts'

/**
 * What is kept of a registered thing: the server's `_id`, a hash of the description that it has, and the page where the owner decides about
 * it, only if that is a web address (UMA FedAuthz 3.2.1).
 */
export type Registration = { id: string; hash: string; policyUri?: string }

/** Registrations by the program's own name of a thing, for a program with a table of its things; `write` with nothing forgets one. */
export type RegistrationStore = {
  read: (key: string) => Registration | undefined | Promise<Registration | undefined>
  write: (key: string, registration: Registration | undefined) => void | Promise<void>
}

/** Things by the program's own names, and their registrations (UMA FedAuthz 3.2). */
export type ResourceRegistry = {
  /** The `_id` under which a thing is registered, registering or updating it if need be (UMA FedAuthz 3.2.1, 3.2.3). */
  ensure: (key: string, description: ResourceDescription) => Promise<Answer<string>>
  /** Registers anew, for a server that does not know the `_id` any more; `lost` is that `_id`: another call may have been faster. */
  again: (key: string, description: ResourceDescription, lost: string) => Promise<Answer<string>>
  /** Ends the registration (UMA FedAuthz 3.2.4), and with it every permission for the thing. Not registered counts as ended. */
  remove: (key: string) => Promise<Answer<undefined>>
  /**
   * Compares with the server's own list (UMA FedAuthz 3.2.5) and forgets what the server does not know; `ensure` registers it again.
   * @param keys the things to look at
   * @returns those of them that are not registered any more
   */
  reconcile: (keys: readonly string[]) => Promise<Answer<string[]>>
}

const isForgotten = (answer: Answer<unknown>): boolean =>
  answer.kind === 'refused' && (answer.status === 404 || answer.error === 'not_found' || answer.error === 'invalid_resource_id')

/** UMA FedAuthz 3.2.1: the address becomes a link, so it must not be a script. */
const isWebAddress = (uri: string | undefined): uri is string => uri !== undefined && /^https?:\/\//i.test(uri)

const registrationOf = ({ _id, user_access_policy_uri: uri }: RegisteredResource, hash: string, before?: Registration): Registration => {
  const policyUri = isWebAddress(uri) ? uri : before?.policyUri
  return { id: _id, hash, ...(policyUri === undefined ? {} : { policyUri }) }
}

/**
 * Registrations as JSON under `resource <key>` (UMA FedAuthz 3.2).
 * @param store of texts; what it throws is thrown on
 * @returns a table of things. A text there that is no JSON counts as nothing.
 */
export function registrationsIn(store: TextStore): RegistrationStore {
  const keyOf = (key: string): string => `resource ${key}`
  return {
    read: (key) => readKept<Registration>(store, keyOf(key)),
    write: (key, registration) => store.write(keyOf(key), registration && JSON.stringify(registration)),
  }
}

/**
 * Registers things and keeps them registered (UMA FedAuthz 3.2). `key` is the program's own name of a thing.
 * Answers pass on what the server said (`refused`, `unreachable`, `disconnected`); nothing is thrown but what the store throws.
 * @param api of the owner whose things they are
 * @param store the program's table of things, or `registrationsIn(store)` over a store of texts
 * @returns what registers, updates and deregisters; what is asked for one key happens one after the other
 */
export function createResourceRegistry(api: ProtectionApi, store: RegistrationStore): ResourceRegistry {
  const running = new Map<string, Promise<unknown>>()

  const register = async (key: string, description: ResourceDescription, hash: string): Promise<Answer<string>> => {
    const answer = await api.registerResource(description)
    if (answer.kind !== 'ok') return answer
    await store.write(key, registrationOf(answer.value, hash))
    return { kind: 'ok', value: answer.value._id }
  }

  const ensureNow = async (key: string, description: ResourceDescription, lost?: string): Promise<Answer<string>> => {
    const hash = await sha256Base64url(JSON.stringify(description))
    const kept = await store.read(key)
    if (kept === undefined || kept.id === lost) return register(key, description, hash)
    if (kept.hash === hash) return { kind: 'ok', value: kept.id }
    const answer = await api.updateResource(kept.id, description)
    if (isForgotten(answer)) return register(key, description, hash)
    if (answer.kind !== 'ok') return answer
    await store.write(key, { ...registrationOf(answer.value, hash, kept), id: kept.id })
    return { kind: 'ok', value: kept.id }
  }

  const removeNow = async (key: string): Promise<Answer<undefined>> => {
    const kept = await store.read(key)
    const answer: Answer<undefined> = kept === undefined ? { kind: 'ok', value: undefined } : await api.deleteResource(kept.id)
    if (answer.kind === 'ok') await store.write(key, undefined)
    return answer
  }

  const forgetNow = async (key: string, id: string): Promise<string[]> => {
    if ((await store.read(key))?.id === id) await store.write(key, undefined)
    return (await store.read(key)) === undefined ? [key] : []
  }

  /** One at a time for one thing, else the first two requests register it twice, and what is removed comes back. */
  const inTurn = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = running.get(key) ?? Promise.resolve()
    const mine = before
      .catch(() => undefined)
      .then(work)
      .finally(() => {
        if (running.get(key) === mine) running.delete(key)
      })
    running.set(key, mine)
    return mine
  }

  return {
    ensure: (key, description) => inTurn(key, () => ensureNow(key, description)),
    again: (key, description, lost) => inTurn(key, () => ensureNow(key, description, lost)),
    remove: (key) => inTurn(key, () => removeNow(key)),
    reconcile: async (keys) => {
      // Read before the list: what is registered in the meantime is not on it, and not lost.
      const before = await Promise.all(keys.map(async (key) => [key, (await store.read(key))?.id] as const))
      const answer = await api.listResources()
      if (answer.kind !== 'ok') return answer
      const known = new Set(answer.value)
      const lost = before.map(([key, id]) => (id === undefined || known.has(id) ? [] : inTurn(key, () => forgetNow(key, id))))
      return { kind: 'ok', value: (await Promise.all(lost)).flat() }
    },
  }
}

/**
 * A description that tells the owner's server as little as can be (UMA FedAuthz 8): the scopes, and no name, type, picture or words.
 * Owners then know their things at their server by `alias` alone; show it beside the thing.
 * @param description the whole one
 * @param alias a name that says nothing to others, for instance a few letters of a hash; nothing = no name at all
 * @returns a new description; the one that was given stays as it is. Never fails.
 */
export function minimalDescription(description: ResourceDescription, alias?: string): ResourceDescription {
  return { resource_scopes: description.resource_scopes, ...(alias === undefined ? {} : { name: alias }) }
}

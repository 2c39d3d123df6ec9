// What scopes mean that are addresses (UMA FedAuthz 3.1.1): the document there, read when somebody is about to decide, never when a resource
// is registered or a decision is made. Only words for people: whatever fails, the address itself is shown and everything goes on.
import * as v from 'valibot'
import { type ScopeDescription, scopeDescription } from '../../shared/protocol/uma-federation.ts'
import { type AppContext, callOf, type Deps } from './context.ts'
import { callableUrl, guardedJson, rememberedJson } from './guarded-fetch.ts'
import { countNetwork } from './network-limits.ts'

/** Octets. */
const MAX_DOCUMENT = 4096
/** Documents that one page or list waits for, and how long, in milliseconds; others are there the next time. */
const [AT_ONCE, MOMENT] = [6, 1000]
/** Seconds for which an address that gave nothing is let be, and how many are remembered. */
const [LET_BE, REMEMBERED] = [300, 500]
const silent = new Map<string, number>()

/** Descriptions of those scopes that have one, by scope. Never throws. */
export async function scopeDescriptions(c: AppContext, scopes: readonly string[]): Promise<Record<string, ScopeDescription>> {
  const { deps } = c.var
  const now = deps.now() / 1000
  const addresses = [...new Set(scopes)].filter((scope) => /^https?:\/\//.test(scope) && callableUrl(deps, scope) !== undefined)
  const unread = addresses.filter((one) => rememberedJson(deps, one, MAX_DOCUMENT) === undefined && (silent.get(one) ?? 0) <= now)
  if (unread.length > 0) {
    const reading = Promise.all(unread.slice(0, AT_ONCE).map((one) => read(c, one)))
    // Who comes late is remembered for the next time.
    c.executionCtx.waitUntil(reading)
    await Promise.race([reading, scheduler.wait(MOMENT)])
  }
  return Object.fromEntries(
    addresses.flatMap((one) => {
      const described = descriptionIn(rememberedJson(deps, one, MAX_DOCUMENT))
      return described === undefined ? [] : [[one, described]]
    }),
  )
}

/** The same as names only, for sentences. */
export async function scopeNames(c: AppContext, scopes: readonly string[]): Promise<Record<string, string>> {
  const described = Object.entries(await scopeDescriptions(c, scopes))
  return Object.fromEntries(described.flatMap(([scope, { name }]) => (name === undefined ? [] : [[scope, name]])))
}

async function read(c: AppContext, address: string): Promise<void> {
  const { deps } = c.var
  try {
    // Each makes this server call another one: a network may only cause so many.
    await countNetwork(callOf(c), 'document')
    if ((await guardedJson(deps, address, { max: MAX_DOCUMENT, isGood: (value) => descriptionIn(value) !== undefined })) !== undefined)
      return
  } catch {
    // 429, or the object that counts does not answer: the address is shown
  }
  letBe(deps, address)
}

function letBe(deps: Pick<Deps, 'now'>, address: string): void {
  if (silent.size >= REMEMBERED) silent.clear()
  silent.set(address, deps.now() / 1000 + LET_BE)
}

/** One line without controls and marks that turn the direction of writing. */
const line = (text: string | undefined, max: number): string | undefined =>
  [...(text ?? '').replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()].slice(0, max).join('') || undefined

function descriptionIn(value: unknown): ScopeDescription | undefined {
  const parsed = v.safeParse(scopeDescription, value)
  if (!parsed.success) return undefined
  const [name, description] = [line(parsed.output.name, 60), line(parsed.output.description, 200)]
  const { icon_uri } = parsed.output
  if (name === undefined && description === undefined) return undefined
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(icon_uri === undefined ? {} : { icon_uri }),
  }
}

// The only file that touches browser.storage. `local` outlives the browser, `session` ends with it and is never written to disk.
// The background worker may die after any await: nothing is remembered between two calls here, except the order of writes.
// Keys (CryptoKey) cannot live here; see keys.ts. Only the background imports this file, so one writer orders all changes.
import type { AuthorizationServer } from 'oauth4webapi'
import * as v from 'valibot'
import browser from 'webextension-polyfill'
import { WalletError } from '../errors.ts'
import { language } from '../messages.ts'
import { migrate } from './migrations.ts'

/** Metadata as discovery checked it before it was stored. */
const metadata = v.custom<AuthorizationServer>((value) => v.is(v.looseObject({ issuer: v.string() }), value))

/** A server that the person connected as an owner. Token members as in RFC 6749; times in seconds. */
export const connection = v.object({
  issuer: v.string(),
  client_id: v.string(),
  metadata,
  access_token: v.string(),
  access_expires_at: v.number(),
  refresh_token: v.optional(v.string()),
  /** The owner's own address, sealed to the label key as it came. */
  owner_label: v.optional(v.string()),
  names: v.picklist(['readable', 'closed']),
  state: v.picklist(['connected', 'ended']),
  connected_at: v.number(),
})
export type Connection = v.InferOutput<typeof connection>

const shown = v.object({
  at: v.number(),
  issuer: v.string(),
  email: v.string(),
  client_name: v.string(),
  service_name: v.string(),
  thing: v.optional(v.string()),
})

/** Between "connect" and the return from the server. */
const connectFlow = v.object({
  issuer: v.string(),
  client_id: v.string(),
  metadata,
  verifier: v.string(),
  state: v.string(),
  nonce: v.string(),
  at: v.number(),
})
export type ConnectFlow = v.InferOutput<typeof connectFlow>

/** A page's wish in progress. `step` says what is to do next, so that a new worker can go on; `result` ends it. */
export const visit = v.object({
  id: v.string(),
  kind: v.picklist(['present', 'keep']),
  origin: v.string(),
  tab_id: v.number(),
  document_id: v.optional(v.string()),
  at: v.number(),
  step: v.picklist(['verify', 'open', 'ask', 'show', 'redeem', 'fetch', 'done']),
  /** present: the signed requests as the page handed them over, the server's keys; then the window and the chosen address. */
  requests: v.optional(v.array(v.string())),
  document: v.optional(v.record(v.string(), v.unknown())),
  window_id: v.optional(v.number()),
  email: v.optional(v.string()),
  /** keep: the offer, then the access token for the credential endpoint. */
  offer: v.optional(v.record(v.string(), v.unknown())),
  access_token: v.optional(v.string()),
  /** What the page is told in the end (a WalletMessage). */
  result: v.optional(v.record(v.string(), v.unknown())),
})
export type Visit = v.InferOutput<typeof visit>
/** What one step changes in a visit; the result is set by the end alone. */
export type NextStep = Omit<Partial<Visit>, 'result'>

const TABLES = {
  connections: { area: 'local', schema: v.record(v.string(), connection), initial: {} },
  /** Origins whose pages may ask for proofs, with the time of the person's yes. */
  approvals: { area: 'local', schema: v.record(v.string(), v.number()), initial: {} },
  shown: { area: 'local', schema: v.array(shown), initial: [] },
  settings: { area: 'local', schema: v.object({ language: v.optional(language) }), initial: {} },
  flows: { area: 'session', schema: v.record(v.string(), connectFlow), initial: {} },
  visits: { area: 'session', schema: v.record(v.string(), visit), initial: {} },
  /** What the person is just being asked by the browser: permission for this origin. */
  intent: { area: 'session', schema: v.object({ origin: v.optional(v.string()), tab_id: v.optional(v.number()) }), initial: {} },
  /** Requests that wait for the owner, by issuer: enough to count them on the toolbar. Nothing readable. */
  asked: { area: 'session', schema: v.record(v.string(), v.array(v.object({ id: v.string(), expires_at: v.number() }))), initial: {} },
  /** Answers of the owner API with their ETag, by issuer and path. Names in them are sealed. */
  answers: { area: 'session', schema: v.record(v.string(), v.object({ etag: v.string(), body: v.unknown() })), initial: {} },
} as const
type Tables = typeof TABLES
export type Table = keyof Tables
type Value<K extends Table> = v.InferOutput<Tables[K]['schema']>

let opened: Promise<void> | undefined

/** Runs the migrations once in a worker's life. Throws `failed` when a newer wallet wrote this storage. */
const open = (): Promise<void> => {
  opened ??= (async () => {
    const outcome = migrate(await browser.storage.local.get(null))
    if (outcome.kind === 'newer')
      throw new WalletError('failed', 'the wallet was updated and then set back: its storage is newer than it is')
    if (outcome.kind === 'changed') await browser.storage.local.set(outcome.stored)
  })()
  return opened
}

/** The value of one table. Damaged session data is dropped; damaged local data is an error, never silently overwritten. */
export const read = async <K extends Table>(table: K): Promise<Value<K>> => {
  await open()
  const { area, schema, initial } = TABLES[table]
  const stored = (await browser.storage[area].get(table))[table]
  if (stored === undefined) return structuredClone(initial) as Value<K>
  const parsed = v.safeParse(schema, stored)
  if (parsed.success) return parsed.output as Value<K>
  if (area === 'session') return structuredClone(initial) as Value<K>
  throw new WalletError('failed', `stored ${table} cannot be read: ${v.getDotPath(parsed.issues[0]) ?? ''}`)
}

const queues = new Map<Table, Promise<unknown>>()

/** Changes one table: `change` edits the value in place, what it returns is the answer. Changes of a table happen one after another. */
export const update = <K extends Table, R>(table: K, change: (value: Value<K>) => R): Promise<R> => {
  const turn = (queues.get(table) ?? Promise.resolve()).then(async () => {
    const value = await read(table)
    const answer = change(value)
    await browser.storage[TABLES[table].area].set({ [table]: value })
    return answer
  })
  queues.set(
    table,
    turn.catch(() => undefined),
  )
  return turn
}

/** Deletes everything in storage. */
export const eraseStorage = async (): Promise<void> => {
  await browser.storage.local.clear()
  await browser.storage.session.clear()
  opened = undefined
}

// The owner API (`/owner/*`, shared/protocol/owner-api.ts): what a wallet reads and decides. Each endpoint asks the owner's object once.
// Scope uma_owner, DPoP-bound. Each answer to a GET carries an ETag made of the owner's revision and of what is in it: a share ends and
// somebody is seen without a new revision.
import { Hono } from 'hono'
import {
  type ActivityEntry,
  type Connection,
  OWNER_SCOPE,
  type Page,
  type Person,
  type Policy,
  type Resource,
} from '../../shared/protocol/owner-api.ts'
import type { ScopeDescription } from '../../shared/protocol/uma-federation.ts'
import { noteClient, presentedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, callOf, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { type Params, paramsOf } from '../http/form.ts'
import { scopeDescriptions } from '../http/scope-descriptions.ts'
import { clientKnown } from '../oauth/client-known.ts'
import { clientsById } from '../oauth/clients.ts'
import type { OwnerObject } from '../objects/owner.ts'
import { entryOf } from '../objects/owner-activity.ts'
import { PAGE } from '../objects/owner-shares.ts'
import { dbFor, readActivity } from '../objects/record.ts'
import { clientName } from '../store/clients.ts'
import { ownerById } from '../store/owners.ts'
import { sealLabel } from '../tokens/label-key.ts'
import { sha256 } from '../tokens/opaque.ts'
import { policyView } from './policy-view.ts'

const NO_STORE = { 'Cache-Control': 'no-store' }

type What = Parameters<OwnerObject['list']>[2]
type Listed = Extract<Awaited<ReturnType<OwnerObject['list']>>, { kind: 'ok' }>

export const ownerApi = new Hono<AppEnv>()
  .get('/me', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const me = await ownerObject(c.env, owner).me(caller, seconds(c.var.deps))
    if (me.kind === 'unauthorized') throw refused(me)
    noteClient(c, me)
    const { label_public, wrapped_label_key } = me
    const label = await ownLabel(c, owner, label_public)
    const rest = {
      id: me.id,
      label_key: label_public,
      ...(wrapped_label_key === null ? {} : { wrapped_label_key }),
      revision: me.revision,
    }
    return fresh(c, me.revision, rest, label === undefined ? undefined : { label })
  })
  .get('/connections', async (c) => {
    const listed = await list(c, 'connections')
    const clients = await clientsById(
      callOf(c),
      (listed.connections ?? []).map((row) => row.client_id),
    )
    const items = (listed.connections ?? []).map((row): Connection => {
      const client = clients.get(row.client_id)
      const uri = client?.metadata.client_uri
      return {
        id: row.id,
        kind: row.kind,
        client_id: row.client_id,
        client_name: client === undefined ? row.client_id : clientName(client),
        ...(uri === undefined ? {} : { client_uri: uri }),
        ...(client === undefined ? {} : { client_known: clientKnown(c.env, client) }),
        created_at: row.created_at,
        ...(row.last_used_at === null ? {} : { last_used_at: row.last_used_at }),
        ...(row.id === listed.current ? { current: true } : {}),
        ...(row.standing === 1 ? { acts_by_itself: true } : {}),
      }
    })
    return fresh(c, listed.revision, { items })
  })
  .delete('/connections/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const done = await ownerObject(c.env, owner).disconnect(caller, { id: c.req.param('id'), now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind === 'not_found') throw new OAuthError('not_found', 'no such connection', { status: 404 })
    return c.body(null, 204, NO_STORE)
  })
  .get('/resources', async (c) => {
    const listed = await list(c, 'resources')
    const rows = listed.resources ?? []
    const clients = await clientsById(
      callOf(c),
      rows.map((row) => row.client_id),
    )
    const scopesOf = (row: (typeof rows)[number]) => JSON.parse(row.scopes) as string[]
    const described = await scopeDescriptions(c, rows.flatMap(scopesOf))
    const items = rows.map((row): Resource => {
      const client = clients.get(row.client_id)
      return {
        id: row.id,
        connection_id: row.connection_id,
        service_name: client === undefined ? row.client_id : clientName(client),
        ...(row.label === null ? {} : { label: row.label }),
        ...(row.type === null ? {} : { type: row.type }),
        resource_scopes: scopesOf(row),
        ...describing(scopesOf(row), described),
        created_at: row.created_at,
        share_count: row.share_count,
      }
    })
    return fresh(c, listed.revision, paged(items))
  })
  .delete('/resources/:id/policies', (c) => stop(c, { resource_id: c.req.param('id') }))
  .get('/people', async (c) => {
    const listed = await list(c, 'people')
    const items = (listed.people ?? []).map(
      (row): Person => ({
        id: row.id,
        label: row.label,
        share_count: row.share_count,
        created_at: row.created_at,
        ...(row.last_seen_at === null ? {} : { last_seen_at: row.last_seen_at }),
      }),
    )
    return fresh(c, listed.revision, paged(items))
  })
  .get('/policies', async (c) => {
    const listed = await list(c, 'policies')
    const now = seconds(c.var.deps)
    return fresh(c, listed.revision, paged((listed.policies ?? []).map((row): Policy => policyView(row, now, c.var.lang))))
  })
  .delete('/policies/:id', (c) => stop(c, { id: c.req.param('id') }))
  .get('/activity', async (c) => {
    const params = queryOf(c)
    // `next` comes back as `cursor` from those who page through every list alike.
    const before = count(params, 'before') ?? count(params, 'cursor') ?? Number.MAX_SAFE_INTEGER
    const limit = Math.min(count(params, 'limit') ?? 50, PAGE)
    const listed = await list(c, 'activity', { before, limit })
    const recent = listed.activity ?? []
    const oldest = recent.at(-1)?.seq ?? before
    // What has left the object is in the record.
    const older =
      recent.length < limit && oldest > 1
        ? (await readActivity(dbFor(c.env, listed.owner), listed.owner, oldest, limit - recent.length)).map(entryOf)
        : []
    const entries = [...recent, ...older]
    const clients = await clientsById(
      callOf(c),
      entries.map((entry) => entry.client_id).filter((id) => id !== undefined),
    )
    const items = entries.map((entry): ActivityEntry => {
      const client = entry.client_id === undefined ? undefined : clients.get(entry.client_id)
      return client === undefined ? entry : { ...entry, client_name: clientName(client) }
    })
    const last = items.at(-1)
    return fresh(c, listed.revision, { items, ...(last !== undefined && last.seq > 1 ? { next: String(last.seq) } : {}) })
  })

/** What the documents behind some of these scopes say, if anything. */
function describing(scopes: readonly string[], described: Record<string, ScopeDescription>): Pick<Resource, 'scope_descriptions'> {
  const own = scopes.flatMap((scope) => (described[scope] === undefined ? [] : [[scope, described[scope]] as const]))
  return own.length === 0 ? {} : { scope_descriptions: Object.fromEntries(own) }
}

/** The owner's own address, sealed to the owner's label key like any other name; left out if the record does not answer. */
async function ownLabel(c: AppContext, owner: string, labelPublic: JsonWebKey): Promise<string | undefined> {
  try {
    const row = await ownerById(c.env.DB, owner)
    const address = row === undefined ? undefined : await c.var.deps.keyring.open('address', row.address_sealed, row.id)
    return typeof address === 'string' ? await sealLabel(labelPublic, { email: address }) : undefined
  } catch {
    return undefined // D1 is away: the wallet shows the server's name instead
  }
}

async function list(c: AppContext, what: What, activity?: { before: number; limit: number }): Promise<Listed & { owner: string }> {
  const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
  const params = queryOf(c)
  const [cursor, resource_id, person_id] = [params.get('cursor'), params.get('resource_id'), params.get('person_id')]
  if (cursor !== undefined && !/^[\w-]{1,64}$/.test(cursor)) throw new OAuthError('invalid_request', 'cursor is none that this server gave')
  const answer = await ownerObject(c.env, owner).list(
    caller,
    {
      now: seconds(c.var.deps),
      ...activity,
      ...(cursor === undefined ? {} : { cursor }),
      ...(resource_id === undefined ? {} : { resource_id }),
      ...(person_id === undefined ? {} : { person_id }),
    },
    what,
  )
  if (answer.kind === 'unauthorized') throw refused(answer)
  noteClient(c, answer)
  return { ...answer, owner }
}

async function stop(c: AppContext, filter: { id: string } | { resource_id: string }): Promise<Response> {
  const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
  const done = await ownerObject(c.env, owner).stop(caller, { filter, now: seconds(c.var.deps) })
  if (done.kind === 'unauthorized') throw refused(done)
  noteClient(c, done)
  return c.body(null, 204, NO_STORE) // idempotent: what is stopped already is stopped
}

/**
 * A 200 with an ETag, or 304 if the wallet has it already (RFC 9110 13.1.2). `own`: a label that is sealed afresh for each answer and
 * therefore says nothing about whether anything changed; the tag is a weak one with it.
 */
export async function fresh(
  c: AppContext,
  revision: number,
  body: Record<string, unknown> | Page<unknown>,
  own?: { label: string },
): Promise<Response> {
  const text = JSON.stringify(own === undefined ? body : { ...body, ...own })
  const etag = `${own === undefined ? '' : 'W/'}"${revision}-${(await sha256(JSON.stringify(body))).slice(0, 16)}"`
  // Sentences are in the language of the request.
  const headers = { ETag: etag, 'Cache-Control': 'private, no-cache', Vary: 'Authorization, Accept-Language' }
  if (isNamed(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers)
  return c.body(text, 200, { ...headers, 'Content-Type': 'application/json' })
}

/** If-None-Match compares weakly, names several, or `*`. */
const isNamed = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header.trim() === '*' || header.split(',').some((one) => opaque(one) === opaque(etag)))
const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')

/** A full page names the last id as where to go on. */
function paged<T extends { id: string }>(items: T[]): Page<T> {
  const last = items.at(-1)
  return items.length === PAGE && last !== undefined ? { items, next: last.id } : { items }
}

const queryOf = (c: AppContext): Params => paramsOf(new URL(c.req.url).searchParams)

/** A whole number of one or more, if it is there. */
function count(params: Params, name: string): number | undefined {
  const text = params.get(name)
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new OAuthError('invalid_request', `${name} must be a whole number`)
  return Number(text)
}

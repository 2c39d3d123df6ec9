// People who ask for a thing that is not shared with them, at all connected servers: who and what, the owner's answer, and whether people
// may ask at all. What waits is counted on the toolbar button.
import {
  type AccessRequest,
  accessRequest,
  ownerSettings,
  type RequestDecision,
  resource as wireResource,
} from '../../shared/protocol/owner-api.ts'
import { type Labels, labelsOf } from '../as/labels.ts'
import { get, getAll, post, put } from '../as/owner-client.ts'
import type { Asked, Asking, AskingAt, Requests } from '../messages.ts'
import { hostOf } from '../origin.ts'
import { update } from '../wallet/storage.ts'
import { badge } from './badge.ts'
import { fromAll } from './sharing.ts'

type Things = Map<string, { name: string | undefined; service: string }>

const thingsAt = async (issuer: string, labels: Labels): Promise<Things> => {
  const all = await getAll(issuer, '/resources', wireResource)
  const named = all.map(
    async ({ id, label, service_name }) => [id, { name: (await labels.thing(label))?.name, service: service_name }] as const,
  )
  return new Map(await Promise.all(named))
}

/** An address of the web only: anything else that a client registered about itself is not shown as one. */
const webHost = (uri: string | undefined): string | undefined => {
  if (uri === undefined || !URL.canParse(uri)) return undefined
  const { protocol, host } = new URL(uri)
  return protocol === 'https:' || protocol === 'http:' ? host : undefined
}

const askedOf = async (issuer: string, wire: AccessRequest, labels: Labels, things: Things, now: number): Promise<Asked> => {
  const person = await labels.person(wire.label)
  return {
    issuer,
    id: wire.id,
    // The list may come from the cache: time runs out without a change at the server.
    state: wire.state === 'waiting' && wire.expires_at <= now ? 'over' : wire.state,
    person: { issuer, id: wire.person_id ?? '', email: person?.email, name: person?.name, last_seen_at: undefined },
    is_known: wire.person_id !== undefined,
    line: (await labels.line(wire.line))?.line,
    things: wire.permissions.map(({ resource_id, resource_scopes }) => {
      const thing = things.get(resource_id)
      return { id: resource_id, is_there: thing !== undefined, name: thing?.name, service: thing?.service, scopes: resource_scopes }
    }),
    app: wire.client_name,
    app_host: webHost(wire.client_uri),
    app_known: wire.client_known,
    method: wire.method,
    created_at: wire.created_at,
    answered_at: wire.answered_at,
  }
}

const requestsAt = async (issuer: string, now: number): Promise<Asked[]> => {
  const labels = await labelsOf(issuer)
  const [all, things] = await Promise.all([getAll(issuer, '/requests', accessRequest), thingsAt(issuer, labels)])
  const waiting = all.filter(({ state }) => state === 'waiting').map(({ id, expires_at }) => ({ id, expires_at }))
  await update('asked', (asked) => Object.assign(asked, { [issuer]: waiting }))
  return Promise.all(all.map((wire) => askedOf(issuer, wire, labels, things, now)))
}

/**
 * Who asks at all servers, newest first, answered ones too. A server that does not answer keeps its part of the number on the toolbar;
 * one that takes this wallet no more loses it, since nothing can be answered there.
 */
export const requests = async (): Promise<Requests> => {
  const now = Date.now() / 1000
  const { answers, trouble } = await fromAll(({ issuer }) => requestsAt(issuer, now))
  const ended = trouble.filter(({ code }) => code === 'ended')
  if (ended.length > 0)
    await update('asked', (all) => {
      for (const { issuer } of ended) delete all[issuer]
    })
  await badge()
  return { requests: answers.flat().sort((a, b) => b.created_at - a.created_at), trouble }
}

/**
 * The owner's answer to one request; in force when this returns. `failed`: ids of things that could not be given, while others were.
 * Throws `not_found` when it was taken back or its time is over, `rejected` when it was answered already or nothing is left to give.
 */
export const decide = async (issuer: string, id: string, decision: RequestDecision): Promise<{ failed: string[] }> => {
  const { failed = [] } = await post(issuer, `/requests/${encodeURIComponent(id)}`, decision, accessRequest)
  await update('asked', (all) => {
    all[issuer] = (all[issuer] ?? []).filter((waiting) => waiting.id !== id)
  })
  await badge()
  return { failed: failed.map((one) => one.resource_id) }
}

/** May people ask? One answer for each server. */
export const asking = async (): Promise<Asking> => {
  const { answers, trouble } = await fromAll(async ({ issuer }): Promise<AskingAt> => {
    const { lets_people_ask } = await get(issuer, '/settings', ownerSettings)
    return { issuer, host: hostOf(issuer), lets_people_ask }
  })
  return { servers: answers, trouble }
}

/** Lets people ask at this server, or no longer. */
export const letAsk = async (issuer: string, lets_people_ask: boolean): Promise<null> => {
  await put(issuer, '/settings', { lets_people_ask }, ownerSettings)
  return null
}

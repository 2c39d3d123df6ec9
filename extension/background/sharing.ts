// The owner's side: things, people, shares, activity, services of all connected servers at once. A server that does not answer is named
// in `trouble` and hides nothing of the others.
import * as v from 'valibot'
import {
  activityEntry,
  liveTicket,
  owner,
  type Policy,
  type PolicyRequest,
  type Resource,
  type Person as WirePerson,
  connection as wireConnection,
  person as wirePerson,
  policy as wirePolicy,
  resource as wireResource,
} from '../../shared/protocol/owner-api.ts'
import { type Labels, labelsOf, sealLabel } from '../as/labels.ts'
import { get, getAll, post, remove } from '../as/owner-client.ts'
import { WalletError } from '../errors.ts'
import type { Activity, Happening, Person, ServerTrouble, Service, Services, Share, Sharing, Thing } from '../messages.ts'
import { connections } from '../wallet/connections.ts'
import type { Connection } from '../wallet/storage.ts'

/** Asks every server and collects what came and who did not answer. */
export const fromAll = async <T>(ask: (connection: Connection) => Promise<T>): Promise<{ answers: T[]; trouble: ServerTrouble[] }> => {
  const all = await connections()
  const settled = await Promise.allSettled(all.map(ask))
  const trouble: ServerTrouble[] = []
  const answers: T[] = []
  for (const [index, outcome] of settled.entries()) {
    if (outcome.status === 'fulfilled') answers.push(outcome.value)
    else trouble.push({ issuer: all[index]?.issuer ?? '', code: outcome.reason instanceof WalletError ? outcome.reason.code : 'failed' })
  }
  return { answers, trouble }
}

const personOf = async (issuer: string, wire: WirePerson, labels: Labels): Promise<Person> => {
  const label = await labels.person(wire.label)
  return { issuer, id: wire.id, email: label?.email, name: label?.name, last_seen_at: wire.last_seen_at }
}

const namesIn = (described: Resource['scope_descriptions'] = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(described).flatMap(([scope, { name }]) => (name === undefined ? [] : [[scope, name]])))

const shareOf = (issuer: string, wire: Policy, people: Map<string, Person>): Share => ({
  issuer,
  id: wire.id,
  thing_id: wire.resource_id,
  person: people.get(wire.person_id) ?? { issuer, id: wire.person_id, email: undefined, name: undefined, last_seen_at: undefined },
  scopes: wire.resource_scopes,
  along: wire.along,
  from: wire.from,
  until: wire.until,
  time_zone: wire.time_zone,
  state: wire.state,
  sentence: wire.sentence,
  created_at: wire.created_at,
  last_used_at: wire.last_used_at,
})

const peopleOf = async (issuer: string, labels: Labels): Promise<Map<string, Person>> => {
  const people = await Promise.all((await getAll(issuer, '/people', wirePerson)).map((wire) => personOf(issuer, wire, labels)))
  return new Map(people.map((person) => [person.id, person]))
}

const sharingOf = async (issuer: string): Promise<{ things: Thing[]; people: Person[] }> => {
  const labels = await labelsOf(issuer)
  const [resources, people, policies] = await Promise.all([
    getAll(issuer, '/resources', wireResource),
    peopleOf(issuer, labels),
    getAll(issuer, '/policies', wirePolicy),
  ])
  const shares = Map.groupBy(
    policies.map((wire) => shareOf(issuer, wire, people)),
    ({ thing_id }) => thing_id,
  )
  const things = await Promise.all(
    resources.map(async (wire): Promise<Thing> => {
      const label = await labels.thing(wire.label)
      return {
        issuer,
        id: wire.id,
        name: label?.name,
        service: wire.service_name,
        service_id: wire.connection_id,
        type: wire.type,
        scopes: wire.resource_scopes,
        scope_names: namesIn(wire.scope_descriptions),
        created_at: wire.created_at,
        shares: (shares.get(wire.id) ?? []).sort((a, b) => b.created_at - a.created_at),
      }
    }),
  )
  return { things, people: [...people.values()] }
}

export const sharing = async (): Promise<Sharing> => {
  const { answers, trouble } = await fromAll(({ issuer }) => sharingOf(issuer))
  return {
    things: answers.flatMap(({ things }) => things).sort((a, b) => b.created_at - a.created_at),
    people: answers.flatMap(({ people }) => people),
    trouble,
  }
}

/** Makes a share. The address goes to the server once, which keeps a keyed hash; the label that people read is sealed here. */
export const share = async (issuer: string, request: PolicyRequest): Promise<Share> => {
  const { person } = request
  const me = await get(issuer, '/me', v.object(owner.entries))
  const labelled =
    'email' in person ? { ...request, person: { ...person, label: await sealLabel({ email: person.email }, me.label_key) } } : request
  const made = await post(issuer, '/policies', labelled, wirePolicy)
  return shareOf(issuer, made, await peopleOf(issuer, await labelsOf(issuer)))
}

/** "Stop sharing": in force when this answers. */
export const stop = async (issuer: string, policyId: string): Promise<null> => {
  await remove(issuer, `/policies/${encodeURIComponent(policyId)}`)
  return null
}

export const stopAll = async (issuer: string, resourceId: string): Promise<null> => {
  await remove(issuer, `/resources/${encodeURIComponent(resourceId)}/policies`)
  return null
}

const pageOfActivity = v.object({ items: v.array(activityEntry) })

export const activity = async (before: Record<string, number>, limit: number): Promise<Activity> => {
  const { answers, trouble } = await fromAll(async ({ issuer }) => {
    const labels = await labelsOf(issuer)
    const from = before[issuer] === undefined ? '' : `before=${before[issuer]}&`
    const [page, resources, people, services] = await Promise.all([
      get(issuer, `/activity?${from}limit=${limit}`, pageOfActivity),
      getAll(issuer, '/resources', wireResource),
      peopleOf(issuer, labels),
      getAll(issuer, '/connections', wireConnection),
    ])
    const things = new Map(resources.map((wire) => [wire.id, wire]))
    const named = new Map(services.map((wire) => [wire.id, wire.client_name]))
    const entries = await Promise.all(
      page.items.map(async (entry): Promise<Happening> => {
        const thing = entry.resource_id === undefined ? undefined : things.get(entry.resource_id)
        return {
          ...entry,
          issuer,
          thing: (await labels.thing(thing?.label))?.name,
          person: entry.person_id === undefined ? undefined : people.get(entry.person_id),
          service: (entry.connection_id === undefined ? undefined : named.get(entry.connection_id)) ?? thing?.service_name,
        }
      }),
    )
    return { issuer, entries, last: page.items.length < limit ? undefined : page.items.at(-1)?.seq }
  })
  return {
    entries: answers.flatMap(({ entries }) => entries).sort((a, b) => b.at - a.at || b.seq - a.seq),
    before: Object.fromEntries(answers.flatMap(({ issuer, last }) => (last === undefined ? [] : [[issuer, last]]))),
    trouble,
  }
}

export const services = async (): Promise<Services> => {
  const { answers, trouble } = await fromAll(async ({ issuer }) => {
    const [all, resources] = await Promise.all([getAll(issuer, '/connections', wireConnection), getAll(issuer, '/resources', wireResource)])
    return all.map(
      (wire): Service => ({
        issuer,
        id: wire.id,
        kind: wire.kind,
        name: wire.client_name,
        uri: wire.client_uri,
        known: wire.client_known,
        created_at: wire.created_at,
        last_used_at: wire.last_used_at,
        things: resources.filter(({ connection_id }) => connection_id === wire.id).length,
        is_current: wire.current === true,
      }),
    )
  })
  return { services: answers.flat().sort((a, b) => (b.last_used_at ?? b.created_at) - (a.last_used_at ?? a.created_at)), trouble }
}

export const disconnect = async (issuer: string, connectionId: string): Promise<null> => {
  await remove(issuer, `/connections/${encodeURIComponent(connectionId)}`)
  return null
}

/** Address of the socket that tells of news, with a code that is good once and for seconds. */
export const live = async (issuer: string): Promise<{ url: string }> => {
  const { code } = await post(issuer, '/live', {}, liveTicket)
  const url = new URL(`${issuer}/owner/live`)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.searchParams.set('code', code)
  return { url: url.href }
}

// The page `/`: what this is, for a stranger; for an owner who is signed in services, things and shares, each with its stop, without a
// wallet and without script. Names are opened with the label key that this browser keeps; without it they stay closed.
import { Hono } from 'hono'
import type { PersonLabel, ThingLabel } from '../../shared/protocol/owner-api.ts'
import { type AppContext, type AppEnv, callOf, type OwnerSession, ownerObject, seconds } from '../http/context.ts'
import { PageError } from '../http/errors.ts'
import { readForm, required } from '../http/form.ts'
import { pageContext } from '../http/page.ts'
import { checkCsrf, csrfToken, readNames, readSession, requireSession, sameOrigin } from '../http/session.ts'
import { clientKnown, knownHost } from '../oauth/client-known.ts'
import { clientsById } from '../oauth/clients.ts'
import type { OwnerObject } from '../objects/owner.ts'
import { within } from '../objects/record.ts'
import { HomePage } from '../pages/home.tsx'
import { render } from '../pages/layout.tsx'
import { type HomeShare, type HomeThing, OwnHomePage, type OwnHomeProps } from '../pages/own-home.tsx'
import { paths } from '../pages/paths.ts'
import { type Client, clientName } from '../store/clients.ts'
import { passkeysOf } from '../store/passkeys.ts'
import { openLabel } from '../tokens/label-key.ts'
import { alongOf, stateOf } from './policy-view.ts'

/** Milliseconds that the page waits for D1. */
const PAGE_PATIENCE = 1000
const NOTICES = ['disconnected', 'stopped', 'unlocked'] as const

export const home = new Hono<AppEnv>()
  .get('/', async (c) => {
    const session = await readSession(c)
    if (session === undefined) return c.html(render(HomePage, { page: pageContext(c) }))
    return c.html(render(OwnHomePage, await ownHome(c, session)))
  })
  .post(paths.stop, sameOrigin(), async (c) => {
    const { session, params, object } = await ownerForm(c)
    const done = await object.stop({ sid: session.sid }, { filter: { id: required(params, 'share') }, now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw new PageError('signed_out', 'no_session', 401)
    return c.redirect(`${paths.home}?notice=stopped`, 303)
  })
  .post(paths.disconnect, sameOrigin(), async (c) => {
    const { session, params, object } = await ownerForm(c)
    const done = await object.disconnect({ sid: session.sid }, { id: required(params, 'connection'), now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw new PageError('signed_out', 'no_session', 401)
    return c.redirect(`${paths.home}?notice=disconnected`, 303)
  })

async function ownerForm(c: AppContext) {
  const params = await readForm(c)
  const session = await requireSession(c)
  await checkCsrf(c.var.deps, session, params)
  return { session, params, object: ownerObject(c.env, session.owner) }
}

type Lists = Extract<Awaited<ReturnType<OwnerObject['list']>>, { kind: 'ok' }>

async function ownHome(c: AppContext, session: OwnerSession): Promise<OwnHomeProps> {
  const object = ownerObject(c.env, session.owner)
  const now = seconds(c.var.deps)
  const read = async (what: Parameters<OwnerObject['list']>[2]): Promise<Lists> => {
    const listed = await object.list({ sid: session.sid }, { now }, what)
    if (listed.kind === 'unauthorized') throw new PageError('signed_out', 'no_session', 401)
    return listed
  }
  const [connections, resources, people, policies, names, passkeys] = await Promise.all([
    read('connections'),
    read('resources'),
    read('people'),
    read('policies'),
    readNames(c, session.owner),
    // While D1 is away the owner still sees what there is to stop, with ids for names.
    within(passkeysOf(c.env.DB, session.owner), PAGE_PATIENCE).catch(() => undefined),
  ])
  const ids = (connections.connections ?? []).map((row) => row.client_id)
  const clients = await within(clientsById(callOf(c), ids), PAGE_PATIENCE).catch(() => new Map<string, Client>())
  const open = async <T extends PersonLabel | ThingLabel>(label: string | null) =>
    names === undefined || label === null ? undefined : openLabel<T>(names.private_jwk, label)
  const personName = new Map(
    await Promise.all((people.people ?? []).map(async (row) => [row.id, (await open<PersonLabel>(row.label))?.email] as const)),
  )
  const things = await Promise.all(
    (resources.resources ?? []).map(async (row): Promise<HomeThing> => {
      const client = clients.get(row.client_id)
      const name = (await open<ThingLabel>(row.label))?.name
      const shares = (policies.policies ?? [])
        .filter((policy) => policy.resource_id === row.id)
        .map((policy): HomeShare => {
          const zone = policy.time_zone ?? undefined
          return {
            id: policy.id,
            person: personName.get(policy.person_id),
            scopes: JSON.parse(policy.scopes) as string[],
            along: alongOf(policy),
            state: stateOf(policy, now),
            ...(policy.valid_from === null ? {} : { from: { at: policy.valid_from, timeZone: zone } }),
            ...(policy.valid_until === null ? {} : { until: { at: policy.valid_until, timeZone: zone } }),
          }
        })
      return { id: row.id, name, serviceName: client === undefined ? row.client_id : clientName(client), shares }
    }),
  )
  const notice = NOTICES.find((one) => one === c.req.query('notice'))
  return {
    page: pageContext(c),
    csrf: await csrfToken(c.var.deps, session),
    connections: (connections.connections ?? []).map((row) => {
      const client = clients.get(row.client_id)
      return {
        id: row.id,
        kind: row.kind,
        name: client === undefined ? row.client_id : clientName(client),
        host: client === undefined ? undefined : knownHost(client),
        ...(client === undefined ? {} : { known: clientKnown(c.env, client) }),
        actsByItself: row.standing === 1,
        connectedAt: row.created_at,
        ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
      }
    }),
    things,
    names: names !== undefined ? 'readable' : c.req.query('names') === 'wrong' ? 'wrong' : 'locked',
    ...(passkeys === undefined ? {} : { passkeys: passkeys.length }),
    ...(notice === undefined ? {} : { notice }),
    now,
  }
}

// Facts for the page of operators: from the record, the meter, the Keys object and the objects of blocked clients. Changes nothing.

import { ruleSentence } from '../../shared/rule-words.ts'
import type { AppContext, OwnerSession } from '../http/context.ts'
import { seconds } from '../http/context.ts'
import { tellCounts } from '../http/meter.ts'
import { pageContext } from '../http/page.ts'
import { csrfToken } from '../http/session.ts'
import { inUse, ROTATE_AFTER } from '../keys/schedule.ts'
import { clientKnown, knownHost } from '../oauth/client-known.ts'
import type { ClientObject } from '../objects/client.ts'
import { platformRuleRows } from '../objects/platform-rules.ts'
import { ADMIN_NOTICES, type AdminClient, type AdminProps } from '../pages/admin.tsx'
import type { AdminIssuer } from '../pages/admin-issuers.tsx'
import type { Policy } from '../policy/policy.ts'
import { blockedClients, type KnownClient, knownClient, newestClients, totals } from '../store/administration.ts'
import { type OperatorIssuer, operatorIssuers } from '../store/claim-issuers.ts'
import { listInvitations } from '../store/invitations.ts'

const NEWEST = 20
const BLOCKED = 50
const INVITATIONS = 50
const ISSUERS = 200

/** Carries a block to the owners; named by the client's id. */
export const clientObject = (env: Env, id: string): DurableObjectStub<ClientObject> => env.CLIENT.get(env.CLIENT.idFromName(id))

/** The same for an issuer; no id of a client has a blank in it. */
export const issuerObject = (env: Env, issuer: string): DurableObjectStub<ClientObject> =>
  env.CLIENT.get(env.CLIENT.idFromName(`issuer ${issuer}`))

export async function adminView(c: AppContext, session: OwnerSession): Promise<AdminProps> {
  const { deps } = c.var
  const db = c.env.DB
  const now = seconds(deps)
  const wanted = c.req.query('client')?.trim().slice(0, 2048)
  await tellCounts(c.env, deps.now())
  const isInviting = c.env.REGISTRATION === 'invited'
  const [sums, reading, ages, newest, blocked, found, invitations, issuers, rules] = await Promise.all([
    totals(db),
    c.env.METER.get(c.env.METER.idFromName('meter')).read({ now }),
    c.env.KEYS.get(c.env.KEYS.idFromName('keys')).ages(),
    newestClients(db, NEWEST),
    blockedClients(db, BLOCKED),
    wanted === undefined || wanted === '' ? undefined : knownClient(db, wanted),
    isInviting ? listInvitations(db, INVITATIONS) : [],
    operatorIssuers(db, ISSUERS),
    platformRuleRows(db),
  ])
  const begins = ages.seal.map((from) => (from === undefined ? {} : { from }))
  const current = inUse(begins, now)?.from ?? 0
  const coming = begins.find(({ from }) => from !== undefined && from > now)?.from
  const notice = ADMIN_NOTICES.find((one) => one === c.req.query('notice'))
  return {
    page: pageContext(c),
    csrf: await csrfToken(deps, session),
    now,
    totals: sums,
    day: reading.day,
    ...(reading.mailFailedAt === undefined ? {} : { mailFailedAt: reading.mailFailedAt }),
    lag: reading.lag,
    clients: newest.map((client) => clientOf(c.env, client)),
    blocked: await Promise.all(blocked.map((client) => blockedOf(c.env, client))),
    ...(wanted === undefined || wanted === '' ? {} : { wanted, ...(found === undefined ? {} : { found: clientOf(c.env, found) }) }),
    issuers: await Promise.all(issuers.map((row) => issuerOf(c.env, row))),
    rules: rules.map(({ id, doc, label, created_at }) => ({
      id,
      name: label,
      sentence: ruleSentence(JSON.parse(doc) as Policy, { lang: c.var.lang, now }).replaceAll('{thing}', '…'),
      at: created_at,
    })),
    ...(isInviting
      ? {
          invitations: invitations.map(({ id, created_at, exp, used_at }) => ({
            id,
            at: created_at,
            state: used_at !== null ? 'used' : exp > now ? 'waiting' : 'over',
          })),
        }
      : {}),
    keys: { since: current, next: coming ?? current + ROTATE_AFTER, isComing: coming !== undefined, kept: ages.seal.length },
    ...(notice === undefined ? {} : { notice }),
  }
}

function clientOf(env: Env, client: KnownClient): AdminClient {
  const { id, metadata, createdAt, blockedAt } = client
  const host = knownHost({ id, metadata, createdAt })
  return {
    id,
    name: metadata.client_name ?? host ?? id,
    ...(host === undefined ? {} : { host }),
    known: clientKnown(env, { id, metadata, createdAt }),
    at: createdAt,
    isBlocked: blockedAt !== null,
  }
}

async function blockedOf(env: Env, client: KnownClient): Promise<AdminClient> {
  const status = await clientObject(env, client.id).status()
  return {
    ...clientOf(env, client),
    ...(status === undefined ? {} : { progress: { owners: status.owners, acknowledged: status.acknowledged, done: status.done } }),
  }
}

async function issuerOf(env: Env, row: OperatorIssuer): Promise<AdminIssuer> {
  const isBlocked = row.disabled_at !== null
  const status = isBlocked ? await issuerObject(env, row.issuer).status() : undefined
  return {
    issuer: row.issuer,
    about: JSON.parse(row.claims) as string[],
    ...(row.email_domains === null ? {} : { domains: JSON.parse(row.email_domains) as string[] }),
    apps: Object.keys(JSON.parse(row.audiences) as object).length,
    at: row.created_at,
    isBlocked,
    ...(status === undefined ? {} : { progress: { owners: status.owners, acknowledged: status.acknowledged, done: status.done } }),
  }
}

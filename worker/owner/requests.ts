// Owner API: people who ask (GET /owner/requests, POST /owner/requests/{id}) and whether they may (GET and PUT /owner/settings).
import { Hono } from 'hono'
import {
  type AccessRequest,
  OWNER_SCOPE,
  type OwnerSettings,
  ownerSettingsChange,
  type RequestDecision,
  requestDecision,
} from '../../shared/protocol/owner-api.ts'
import type { PolicyDocument } from '../../shared/protocol/owner-policy.ts'
import { noteClient, presentedToken, recognizedToken, unavailable } from '../http/bearer.ts'
import { type AppContext, type AppEnv, callOf, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { isFull, quotaExceeded } from '../http/quota.ts'
import { clientKnown } from '../oauth/client-known.ts'
import { clientsById } from '../oauth/clients.ts'
import type { ListedRequest } from '../objects/owner-answers.ts'
import { compact } from '../objects/owner-tables.ts'
import type { Permission } from '../policy/scopes.ts'
import { clientName } from '../store/clients.ts'
import { fresh } from './api.ts'
import { isTimeZone } from './policies.ts'
import { compiled } from './rule-context.ts'

const NO_STORE = { 'Cache-Control': 'no-store' }

export const ownerRequests = new Hono<AppEnv>()
  .get('/requests', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).requests(caller, { now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    return fresh(c, listed.revision, { items: await views(c, listed.items) })
  })
  .post('/requests/:id', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
    const said = await readJson(c, requestDecision)
    const now = seconds(c.var.deps)
    checkDecision(said, now)
    const done = await ownerObject(c.env, owner).answer(caller, {
      id: c.req.param('id'),
      decision: said.decision,
      ...(said.resource_scopes === undefined ? {} : { resource_scopes: said.resource_scopes }),
      valid_until: said.until ?? null,
      time_zone: said.time_zone ?? null,
      ...(await offered(c, owner, said)),
      now,
    })
    if (done.kind !== 'unauthorized') noteClient(c, done)
    switch (done.kind) {
      case 'ok':
        return c.json(
          { ...(await views(c, [done.request]))[0], ...(done.failed === undefined ? {} : { failed: done.failed }) },
          200,
          NO_STORE,
        )
      case 'unauthorized':
        throw refused(done)
      case 'unavailable':
        throw unavailable()
      case 'not_found':
        throw new OAuthError('not_found', 'no such request, or it is over', { status: 404 })
      case 'refused':
        if (isFull(done.reason)) throw quotaExceeded(done.reason)
        if (done.reason === 'over') throw new OAuthError('invalid_request', 'this request was answered already', { status: 409 })
        throw refuse(
          done.reason === 'no_scope' ? 'nothing of what was asked for is left to give' : `this cannot be offered: ${done.reason}`,
        )
    }
  })
  .get('/settings', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const set = await ownerObject(c.env, owner).settings(caller, { now: seconds(c.var.deps) })
    if (set.kind === 'unauthorized') throw refused(set)
    noteClient(c, set)
    return fresh(c, set.revision, settingsOf(set))
  })
  .put('/settings', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const { lets_people_ask: lets_ask, revoke_on_replay } = await readJson(c, ownerSettingsChange)
    const change = { ...(lets_ask === undefined ? {} : { lets_ask }), ...(revoke_on_replay === undefined ? {} : { revoke_on_replay }) }
    const set = await ownerObject(c.env, owner).settings(caller, { now: seconds(c.var.deps), change })
    if (set.kind === 'unauthorized') throw refused(set)
    noteClient(c, set)
    return c.json(settingsOf(set), 200, NO_STORE)
  })

/** What does not go together. Throws OAuthError. */
function checkDecision(said: RequestDecision, now: number): void {
  if (said.until !== undefined && said.until <= now) throw refuse("'until' has passed already; choose a later time")
  const isLasting = said.decision === 'keep' || said.decision === 'offer'
  if (said.until !== undefined && !isLasting) throw refuse("'until' goes with 'keep' and 'offer' only")
  if ((said.when !== undefined || said.grant !== undefined) && said.decision !== 'offer')
    throw refuse("'when' and 'grant' go with 'offer' only")
  if (said.time_zone !== undefined && !isTimeZone(said.time_zone)) throw refuse("'time_zone' must be an IANA name, such as Europe/Lisbon")
}

/** What an offer wants besides the address, as the engine reads it: addresses and values become keyed hashes. */
async function offered(c: AppContext, owner: string, { when, grant, decision }: RequestDecision) {
  if (decision !== 'offer') return {}
  const terms = grant === undefined ? {} : { grant: compact(grant) }
  if (when === undefined) return terms
  const document: PolicyDocument = { v: 1, effect: 'permit', target: { all: true }, scopes: '*', when: { all: when } }
  // The rules that it is for have no id yet: an empty one stands for it (objects/owner-answers.ts).
  const { policy, label, problems } = await compiled(c, owner, document, '')
  const [problem] = problems
  if (problem !== undefined) throw refuse(`this cannot be offered: ${problem.code}`)
  return { ...terms, when: [policy.when], label }
}

const settingsOf = (set: { lets_ask: boolean; revoke_on_replay: boolean }): OwnerSettings => ({
  lets_people_ask: set.lets_ask,
  revoke_on_replay: set.revoke_on_replay,
})

const refuse = (description: string) => new OAuthError('invalid_request', description)

async function views(c: AppContext, rows: readonly ListedRequest[]): Promise<AccessRequest[]> {
  const clients = await clientsById(
    callOf(c),
    rows.map((row) => row.client_id),
  )
  return rows.map((row) => {
    const client = clients.get(row.client_id)
    const uri = client?.metadata.client_uri
    return {
      id: row.id,
      state: row.state as AccessRequest['state'],
      label: row.label,
      ...(row.line === null ? {} : { line: row.line }),
      ...(row.person_id === null ? {} : { person_id: row.person_id }),
      permissions: JSON.parse(row.permissions) as Permission[],
      connection_id: row.connection_id,
      client_id: row.client_id,
      client_name: client === undefined ? row.client_id : clientName(client),
      ...(uri === undefined ? {} : { client_uri: uri }),
      ...(client === undefined ? {} : { client_known: clientKnown(c.env, client) }),
      method: row.method,
      created_at: row.created_at,
      expires_at: row.exp,
      ...(row.answered_at === null ? {} : { answered_at: row.answered_at }),
    }
  })
}

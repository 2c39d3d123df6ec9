// Owner API: who may vouch for people (GET, POST /owner/issuers, POST /owner/issuers/refused, DELETE /owner/issuers/{id}). Through the owner's object: whom the owner takes
// out, nobody's access rests on from then on.
import { Hono } from 'hono'
import { claimIssuerRequest, OWNER_SCOPE, refusedIssuerRequest } from '../../shared/protocol/owner-api.ts'
import { noteClient, presentedToken, recognizedToken, unavailable } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { isFull, quotaExceeded } from '../http/quota.ts'
import { issuerColumns, issuerView } from '../oauth/claim-issuers.ts'
import type { Widened } from '../objects/owner-record.ts'
import type { ClaimIssuerRow } from '../objects/record.ts'
import { operatorIssuers } from '../store/claim-issuers.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { fresh } from './api.ts'

const NO_STORE = { 'Cache-Control': 'no-store' }
/** Of the operator's, so many are told. */
const OPERATORS = 200

export const issuers = new Hono<AppEnv>()
  .get('/', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).claimIssuers(caller, { now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const operators = await operatorIssuers(c.env.DB, OPERATORS).catch(() => {
      throw unavailable() // a list that hides who is believed would be worse than none
    })
    const own = listed.items.map((row) => issuerView(row, row.id))
    const all = operators.filter((row) => row.disabled_at === null).map((row) => issuerView(row))
    return fresh(c, listed.revision, { items: [...own, ...all] })
  })
  .post('/', async (c) => {
    const { deps } = c.var
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
    const columns = await issuerColumns(c, await readJson(c, claimIssuerRequest))
    const now = seconds(deps)
    const row = { id: randomSecret(12), ...columns, created_at: now }
    const done = await ownerObject(c.env, owner).trustIssuer(caller, { row, now })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return added(c, done)
  })
  .post('/refused', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const { issuer } = await readJson(c, refusedIssuerRequest)
    const asked = { id: randomSecret(12), issuer, now: seconds(c.var.deps) }
    const done = await ownerObject(c.env, owner).refuseIssuer(caller, asked)
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return added(c, done)
  })
  .delete('/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const done = await ownerObject(c.env, owner).dropIssuer(caller, { id: c.req.param('id'), now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind === 'unavailable') throw unavailable()
    if (done.kind === 'refused') throw new OAuthError('not_found', 'no such issuer', { status: 404 })
    return c.body(null, 204, NO_STORE)
  })

function added(c: AppContext, done: Widened<ClaimIssuerRow>): Response {
  if (done.kind === 'unavailable') throw unavailable()
  if (done.kind === 'done') return c.json(issuerView(done.value, done.value.id), 201, NO_STORE)
  if (isFull(done.reason)) throw quotaExceeded(done.reason)
  throw new OAuthError('invalid_request', 'this issuer is in the list already; take it out first', { status: 409 })
}

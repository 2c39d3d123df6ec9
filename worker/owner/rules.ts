// Owner API: everything that opens or closes something, in one list, and rules of any kind (GET, POST /owner/rules; GET, PUT, DELETE
// /owner/rules/{id}; its history, and undo). Changing takes If-Match with the revision that was read.
import { Hono } from 'hono'
import * as v from 'valibot'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { noteClient, presentedToken, recognizedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { paramsOf } from '../http/form.ts'
import { readJson } from '../http/json.ts'
import type { LedgerFilter } from '../objects/owner-ledger.ts'
import type { RuleSaved } from '../objects/owner-policies.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { fresh } from './api.ts'
import { demandedRevision, ifSeen } from './revisions.ts'
import { compiled, idOf, invalid, NO_STORE, refusal, shownRules } from './rule-context.ts'
import { readablePolicy } from './rule-document.ts'

const FILTERS = v.object({
  kind: v.optional(v.picklist(['share', 'rule', 'block', 'upper', 'once'])),
  effect: v.optional(v.picklist(['permit', 'forbid', 'require'])),
  tier: v.optional(v.picklist(['owner', 'org', 'platform'])),
})

export const rules = new Hono<AppEnv>()
  .get('/', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).policies(caller, { ...filterOf(c), now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const { items, people, next, revision } = listed
    return fresh(c, revision, { items: shownRules(c, items, people), ...(next === undefined ? {} : { next }) })
  })
  .post('/', (c) => save(c, randomSecret(12), 0, 201))
  .get('/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const id = idOf(c.req.param('id'), 'rule')
    const listed = await ownerObject(c.env, owner).policies(caller, { id, now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const [rule] = shownRules(c, listed.items, listed.people)
    if (rule === undefined) throw new OAuthError('not_found', 'no such rule', { status: 404 })
    return c.json(rule, 200, { ...NO_STORE, ETag: `"${rule.rev}"` })
  })
  .put('/:id', (c) => save(c, idOf(c.req.param('id'), 'rule'), demandedRevision(c), 200))
  .delete('/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const done = await ownerObject(c.env, owner).dropPolicy(caller, {
      id: idOf(c.req.param('id'), 'rule'),
      now: seconds(c.var.deps),
      ...ifSeen(c),
    })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.body(null, 204, NO_STORE) // idempotent: what is gone is gone
  })
  .get('/:id/history', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const id = idOf(c.req.param('id'), 'rule')
    const listed = await ownerObject(c.env, owner).policyHistory(caller, { id, now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const { items, people, revision } = listed
    const shown = shownRules(
      c,
      items.map(({ entry }) => entry),
      people,
    )
    return fresh(c, revision, { rev: listed.rev, items: shown.map((rule, at) => ({ ended_at: items[at]?.ended_at, rule })) })
  })
  .post('/:id/undo', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const input = { id: idOf(c.req.param('id'), 'rule'), now: seconds(c.var.deps), expected_rev: demandedRevision(c) }
    const done = await ownerObject(c.env, owner).undoPolicy(caller, input)
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return answered(c, done, 200)
  })

async function save(c: AppContext, id: string, expectedRev: number, status: 200 | 201): Promise<Response> {
  const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
  const document = await readJson(c, readablePolicy)
  const { policy, people, label } = await compiled(c, owner, document, id)
  const now = seconds(c.var.deps)
  const done = await ownerObject(c.env, owner).putPolicy(caller, { policy, people, label, expected_rev: expectedRev, now })
  if (done.kind === 'unauthorized') throw refused(done)
  noteClient(c, done)
  return answered(c, done, status)
}

function answered(c: AppContext, done: Exclude<RuleSaved, { kind: 'unauthorized' }>, status: 200 | 201): Response {
  if (done.kind === 'problems') {
    throw new OAuthError('invalid_request', done.problems.map(({ text }) => text).join(' '), { members: { problems: done.problems } })
  }
  if (done.kind !== 'done') throw refusal(done)
  const { people, ...entry } = done.value
  const [rule] = shownRules(c, [entry], people)
  return c.json(rule, status, { ...NO_STORE, ETag: `"${done.value.rev}"` })
}

function filterOf(c: AppContext): LedgerFilter {
  const params = paramsOf(new URL(c.req.url).searchParams)
  const said = Object.fromEntries(
    ['kind', 'effect', 'tier'].flatMap((name) => (params.get(name) === undefined ? [] : [[name, params.get(name)]])),
  )
  const parsed = v.safeParse(FILTERS, said)
  if (!parsed.success) throw invalid('kind, effect or tier is none that there is')
  const ids = ['cursor', 'resource_id', 'person_id'].flatMap((name) => {
    const text = params.get(name)
    if (text !== undefined && !/^[\w.:/-]{1,256}$/.test(text)) throw invalid(`${name} is none that this server gave`)
    return text === undefined ? [] : [[name, text]]
  })
  return { ...(parsed.output as LedgerFilter), ...Object.fromEntries(ids) }
}

// Owner API: types of things (/owner/types), which rules speak of: what a scope brings along, and whose permit counts.
import { Hono } from 'hono'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { type ThingTypeDocument, thingType } from '../../shared/protocol/owner-policy.ts'
import { noteClient, presentedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { readJson } from '../http/json.ts'
import type { ThingTypeRow } from '../objects/record.ts'
import type { ThingType } from '../policy/policy.ts'
import { fresh } from './api.ts'
import { demandedRevision, ifSeen, refusedUnseen, revised, seenOrNew } from './revisions.ts'
import { invalid, NO_STORE, refusal } from './rule-context.ts'

/** Types of one page (objects/owner-types.ts). */
const PAGE = 200

export const thingTypes = new Hono<AppEnv>()
  .get('/types', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const cursor = c.req.query('cursor')
    const from = cursor === undefined ? {} : { cursor: typeIn(cursor) }
    const listed = await ownerObject(c.env, owner).types(caller, { now: seconds(c.var.deps), ...from })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const last = listed.items.at(-1)?.id
    const next = listed.items.length === PAGE && last !== undefined ? { next: last } : {}
    return fresh(c, listed.revision, { items: listed.items.map(shown), ...next })
  })
  .put('/types', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const type: ThingType = await readJson(c, thingType)
    const done = await ownerObject(c.env, owner).putType(caller, { type, now: seconds(c.var.deps), ...seenOrNew(c) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusedUnseen(c, done)
    return c.json(shown(done.value), 200, revised(done.value.updated_at))
  })
  .delete('/types', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const done = await ownerObject(c.env, owner).dropType(caller, { type: asked(c), now: seconds(c.var.deps), ...ifSeen(c) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.body(null, 204, NO_STORE)
  })
  .get('/types/history', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).typeHistory(caller, { type: asked(c), now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const items = listed.items.map(({ ended_at, doc, rev }) => ({ ended_at, type: { ...(JSON.parse(doc) as ThingTypeDocument), rev } }))
    return fresh(c, listed.revision, { rev: listed.rev, items })
  })
  .post('/types/undo', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const input = { type: asked(c), now: seconds(c.var.deps), expected_rev: demandedRevision(c) }
    const done = await ownerObject(c.env, owner).undoType(caller, input)
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.json(shown(done.value), 200, revised(done.value.updated_at))
  })

const shown = ({ doc, updated_at }: ThingTypeRow) => ({ ...(JSON.parse(doc) as ThingTypeDocument), rev: updated_at })

const asked = (c: AppContext): string => typeIn(c.req.query('type'))

function typeIn(text: string | undefined): string {
  if (text === undefined || text === '' || text.length > 256) throw invalid('say which type: ?type=')
  return text
}

// Owner API: groups of people (/owner/groups, their members), which rules speak of. Each change has a revision and can be undone.
import { Hono } from 'hono'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { type Group, groupRequest, type Member, membersRequest } from '../../shared/protocol/owner-policy.ts'
import { canonicalAddress, claimValue, policyMac } from '../claims/address.ts'
import { noteClient, presentedToken, recognizedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { readJson } from '../http/json.ts'
import type { NewMember } from '../objects/owner-groups.ts'
import type { GroupRow } from '../objects/record.ts'
import { sealLabel } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'
import { fresh } from './api.ts'
import { demandedRevision, ifSeen, refusedUnseen, revised, seenOrNew } from './revisions.ts'
import { idOf, invalid, NO_STORE, refusal } from './rule-context.ts'

/** Groups, and members, of one page (objects/owner-groups.ts). */
const PAGE = 200

export const groups = new Hono<AppEnv>()
  .get('/groups', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).groups(caller, { now: seconds(c.var.deps), ...cursorOf(c) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    return fresh(
      c,
      listed.revision,
      paged(
        listed.items.map((row): Group => ({ ...row, rev: row.updated_at })),
        listed.items,
      ),
    )
  })
  .post('/groups', (c) => saveGroup(c, randomSecret(12), 0, 201))
  .put('/groups/:id', (c) => saveGroup(c, idOf(c.req.param('id'), 'group'), seenOrNew(c).expected_rev, 200))
  .delete('/groups/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const input = { id: idOf(c.req.param('id'), 'group'), now: seconds(c.var.deps), ...ifSeen(c) }
    const done = await ownerObject(c.env, owner).dropGroup(caller, input)
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done' && !(done.kind === 'refused' && done.reason === 'no_group')) throw refusal(done)
    return c.body(null, 204, NO_STORE)
  })
  .get('/groups/:id/history', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).groupHistory(caller, { id: idOf(c.req.param('id'), 'group'), now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    return fresh(c, listed.revision, { rev: listed.rev, items: listed.items })
  })
  .post('/groups/:id/undo', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const input = { id: idOf(c.req.param('id'), 'group'), now: seconds(c.var.deps), expected_rev: demandedRevision(c) }
    const done = await ownerObject(c.env, owner).undoGroup(caller, input)
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.json(shown(done.value), 200, revised(done.value.updated_at))
  })
  .get('/groups/:id/members', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const group_id = idOf(c.req.param('id'), 'group')
    const listed = await ownerObject(c.env, owner).members(caller, { group_id, now: seconds(c.var.deps), ...cursorOf(c) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    const items = listed.items.map(({ id, label, created_at }): Member => ({ id, label, created_at }))
    return fresh(c, listed.revision, paged(items, listed.items))
  })
  .post('/groups/:id/members', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
    const group_id = idOf(c.req.param('id'), 'group')
    const { people } = await readJson(c, membersRequest)
    const added = await Promise.all(people.map((one) => memberOf(c, owner, one)))
    const done = await ownerObject(c.env, owner).addMembers(caller, { group_id, people: added, now: seconds(c.var.deps), ...ifSeen(c) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.json(done.value, 200, revised(done.value.rev))
  })
  .delete('/groups/:id/members/:member', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const ids = { group_id: idOf(c.req.param('id'), 'group'), id: idOf(c.req.param('member'), 'member') }
    const done = await ownerObject(c.env, owner).removeMember(caller, { ...ids, now: seconds(c.var.deps), ...ifSeen(c) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.body(null, 204, NO_STORE)
  })

async function saveGroup(c: AppContext, id: string, expected_rev: number, status: 200 | 201): Promise<Response> {
  const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
  const { name } = await readJson(c, groupRequest)
  const object = ownerObject(c.env, owner)
  const label = await sealLabel(await object.labelPublic(), { name })
  const done = await object.putGroup(caller, { id, label, now: seconds(c.var.deps), expected_rev })
  if (done.kind === 'unauthorized') throw refused(done)
  noteClient(c, done)
  if (done.kind !== 'done') throw refusedUnseen(c, done)
  return c.json(shown(done.value), status, revised(done.value.updated_at))
}

const shown = (row: GroupRow) => ({ ...row, rev: row.updated_at })

/** A full page names the last id as where to go on. */
function paged<T>(items: T[], rows: readonly { id: string }[]): { items: T[]; next?: string } {
  const last = rows.at(-1)?.id
  return rows.length === PAGE && last !== undefined ? { items, next: last } : { items }
}

async function memberOf(c: AppContext, owner: string, one: { id: string } | { email: string }): Promise<NewMember> {
  if ('id' in one) return { person_id: one.id }
  const { keyring } = c.var.deps
  const address = canonicalAddress(one.email)
  if (address === undefined) throw invalid(`"${one.email.slice(0, 64)}" is no e-mail address`)
  return {
    mac: await policyMac(keyring, owner, await claimValue(keyring, address)),
    label: await sealLabel(await ownerObject(c.env, owner).labelPublic(), { email: address }),
  }
}

const cursorOf = (c: AppContext): { cursor?: string } => {
  const cursor = c.req.query('cursor')
  return cursor === undefined ? {} : { cursor: idOf(cursor, 'page') }
}

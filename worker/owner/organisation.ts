// Owner API: this owner as an organisation whose rules hold for those who join (/owner/organisation), and the organisations that this owner
// has joined (/owner/memberships). Joining takes a code, and a look at whose it is before (WG 2016-12-15).
import { Hono } from 'hono'
import { OWNER_SCOPE } from '../../shared/protocol/owner-api.ts'
import { joinCodeRequest, joinRequest, type Membership, organisationRequest } from '../../shared/protocol/owner-policy.ts'
import { noteClient, presentedToken, recognizedToken } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { randomSecret, sha256 } from '../tokens/opaque.ts'
import { fresh } from './api.ts'
import { idOf, invalid, NO_STORE, refusal } from './rule-context.ts'

/** Seconds that a code is good unless told. */
const CODE_LIFETIME = 7 * 86_400

export const organisation = new Hono<AppEnv>()
  .get('/organisation', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const told = await ownerObject(c.env, owner).organisation(caller, { now: seconds(c.var.deps) })
    if (told.kind === 'unauthorized') throw refused(told)
    noteClient(c, told)
    const { name, members, acknowledged, rules } = told
    return fresh(c, told.revision, { ...(name === null ? {} : { name }), members, acknowledged, rules })
  })
  .put('/organisation', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const { name } = await readJson(c, organisationRequest)
    const done = await ownerObject(c.env, owner).setOrganisation(caller, { name, now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return c.json({ name }, 200, NO_STORE)
  })
  .post('/organisation/codes', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const asked = await readJson(c, joinCodeRequest)
    const code = `${await c.var.deps.keyring.seal('ref', owner, 'join')}.${randomSecret(16)}`
    const now = seconds(c.var.deps)
    const exp = now + (asked.expires_in ?? CODE_LIFETIME)
    const done = await ownerObject(c.env, owner).addJoinCode(caller, { hash: await sha256(code), exp, uses: asked.uses ?? 1, now })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return c.json({ code, expires_at: exp }, 201, NO_STORE)
  })
  .delete('/organisation/codes', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const done = await ownerObject(c.env, owner).dropJoinCodes(caller, { now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return c.body(null, 204, NO_STORE)
  })
  .get('/organisation/members', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const cursor = c.req.query('cursor')
    const page = cursor === undefined ? {} : { cursor: idOf(cursor, 'page') }
    const listed = await ownerObject(c.env, owner).organisationMembers(caller, { now: seconds(c.var.deps), ...page })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    return fresh(c, listed.revision, { items: listed.items })
  })
  .delete('/organisation/members/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const done = await ownerObject(c.env, owner).expelMember(caller, { id: idOf(c.req.param('id'), 'member'), now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    return c.body(null, 204, NO_STORE)
  })
  .get('/memberships', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const listed = await ownerObject(c.env, owner).memberships(caller, { now: seconds(c.var.deps) })
    if (listed.kind === 'unauthorized') throw refused(listed)
    noteClient(c, listed)
    return fresh(c, listed.revision, { items: listed.items.map((row): Membership => ({ ...row })) })
  })
  .post('/memberships', async (c) => {
    const { owner, caller, refused } = await recognizedToken(c, OWNER_SCOPE, 'change')
    const { code, accept } = await readJson(c, joinRequest)
    const now = seconds(c.var.deps)
    const hash = await sha256(code)
    const organisation = await organisationOf(c, code)
    if (accept !== true) {
      const me = await ownerObject(c.env, owner).me(caller, now)
      if (me.kind === 'unauthorized') throw refused(me)
      noteClient(c, me)
      const invited = organisation === undefined ? undefined : await ownerObject(c.env, organisation).invites({ hash, now })
      if (invited === undefined) throw noCode()
      // Whose permits will count is to be known before.
      const types = invited.types.map(({ type, authority }) => ({ type, authority }))
      return c.json({ name: invited.name, joined: false, ...(types.length === 0 ? {} : { types }) }, 200, NO_STORE)
    }
    if (organisation === undefined) throw noCode()
    const done = await ownerObject(c.env, owner).joinOrganisation(caller, { organisation, hash, now })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.json({ ...done.value, joined: true }, 200, NO_STORE)
  })
  .delete('/memberships/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const id = idOf(c.req.param('id'), 'membership')
    const done = await ownerObject(c.env, owner).leaveOrganisation(caller, { organisation: id, now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind !== 'done') throw refusal(done)
    return c.body(null, 204, NO_STORE)
  })
  .post('/people/:id/block', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, OWNER_SCOPE)
    const person_id = idOf(c.req.param('id'), 'person')
    const done = await ownerObject(c.env, owner).blockPerson(caller, { person_id, now: seconds(c.var.deps) })
    if (done.kind === 'unauthorized') throw refused(done)
    noteClient(c, done)
    if (done.kind === 'not_found') throw new OAuthError('not_found', 'no such person', { status: 404 })
    if (done.kind !== 'done') throw refusal(done)
    return c.json({ id: done.value.id }, 201, NO_STORE)
  })

const noCode = () => invalid('this code is not good (any more); ask the organisation for another')

/** Whose code it is; undefined if this server never made it. */
async function organisationOf(c: AppContext, code: string): Promise<string | undefined> {
  const sealed = /^([\w-]{20,256})\.[\w-]{22}$/.exec(code)?.[1]
  const owner = sealed === undefined ? undefined : await c.var.deps.keyring.open('ref', sealed, 'join')
  return typeof owner === 'string' ? owner : undefined
}

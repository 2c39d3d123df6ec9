// The resource registration endpoint (UMA FedAuthz 3.2). A description is kept twice, both unreadable at rest: for the owner as a label,
// for the service sealed with its connection's key. Foreign ids answer like unknown ids.
import { Hono } from 'hono'
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { type ResourceDescription, resourceDescription } from '../../shared/protocol/uma-federation.ts'
import { invalidToken, noteClient, presentedToken, unavailable } from '../http/bearer.ts'
import { type AppContext, type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { readJson } from '../http/json.ts'
import { isFull, quotaExceeded } from '../http/quota.ts'
import type { Repeatable } from '../objects/owner-repeats.ts'
import { openWith, sealWith, unwrapKey } from '../tokens/connection-key.ts'
import { sealLabel } from '../tokens/label-key.ts'
import { randomSecret } from '../tokens/opaque.ts'

const NO_STORE = { 'Cache-Control': 'no-store' }

export const resourceRegistration = new Hono<AppEnv>()
  .post('/', async (c) => {
    const id = await write(c, randomSecret(16), true)
    const location = `${c.var.deps.issuer}/uma/resource/${id}`
    return c.json({ _id: id, user_access_policy_uri: policyUri(c, id) }, 201, { ...NO_STORE, Location: location })
  })
  .get('/', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, PROTECTION_SCOPE)
    const answer = await ownerObject(c.env, owner).listResources(caller, { now: seconds(c.var.deps) })
    if (answer.kind === 'unauthorized') throw refused(answer)
    c.set('client', answer.client_id)
    return c.json(answer.ids, 200, NO_STORE)
  })
  .get('/:id', async (c) => {
    const { owner, caller, token, refused } = await presentedToken(c, PROTECTION_SCOPE)
    const id = c.req.param('id')
    const answer = await ownerObject(c.env, owner).patView(caller, { id, now: seconds(c.var.deps) })
    if (answer.kind === 'unauthorized') throw refused(answer)
    noteClient(c, answer)
    if (answer.kind === 'not_found' || answer.resource === undefined) throw notFound()
    const key = answer.keep === null ? undefined : await unwrapKey(answer.keep, token)
    const described = (key === undefined ? undefined : await openWith(key, answer.resource.description)) as ResourceDescription | undefined
    const known = described ?? {
      resource_scopes: JSON.parse(answer.resource.scopes) as string[],
      ...(answer.resource.type === null ? {} : { type: answer.resource.type }),
    }
    return c.json({ ...known, _id: id, user_access_policy_uri: policyUri(c, id) }, 200, NO_STORE)
  })
  .put('/:id', async (c) => {
    await write(c, c.req.param('id'), false)
    return c.json({ _id: c.req.param('id'), user_access_policy_uri: policyUri(c, c.req.param('id')) }, 200, NO_STORE)
  })
  .delete('/:id', async (c) => {
    const { owner, caller, refused } = await presentedToken(c, PROTECTION_SCOPE)
    const answer = await ownerObject(c.env, owner).deleteResource(caller, { id: c.req.param('id'), now: seconds(c.var.deps) })
    if (answer.kind === 'unauthorized') throw refused(answer)
    noteClient(c, answer)
    if (answer.kind === 'not_found') throw notFound()
    return c.body(null, 204, NO_STORE)
  })

/** Answers the id: of a creation that came before with the same Idempotency-Key, the one of then. */
async function write(c: AppContext, id: string, create: boolean): Promise<string> {
  const { owner, caller, token, refused } = await presentedToken(c, PROTECTION_SCOPE)
  const description = await readJson(c, resourceDescription)
  const repeat = create ? await repeatOf(c, owner, description) : undefined
  const object = ownerObject(c.env, owner)
  const now = seconds(c.var.deps)
  const pat = await object.patView(caller, { now, isChange: true, ...(create ? {} : { id }) })
  if (pat.kind === 'unauthorized') throw refused(pat)
  noteClient(c, pat)
  if (pat.kind === 'not_found') throw notFound()
  const key = pat.keep === null ? undefined : await unwrapKey(pat.keep, token)
  if (key === undefined) throw invalidToken()
  const { name, description: text, icon_uri } = description
  const label = {
    ...(name === undefined ? {} : { name }),
    ...(text === undefined ? {} : { description: text }),
    ...(icon_uri === undefined ? {} : { icon_uri }),
  }
  const scopes = [...new Set(description.resource_scopes)]
  const labels = [...new Set(description.labels ?? [])].sort()
  // The proof was used by `patView`; the token alone speaks in this second step of the same request.
  const done = await object.putResource(
    { hash: caller.hash, checked: true },
    {
      id,
      create,
      now,
      ...(repeat === undefined ? {} : { repeat }),
      row: {
        label: Object.keys(label).length === 0 ? null : await sealLabel(pat.label_public, label),
        description: await sealWith(key, { ...description, resource_scopes: scopes }),
        type: description.type ?? null,
        scopes: JSON.stringify(scopes),
        parent: description.parent ?? null,
        labels: labels.length === 0 ? null : JSON.stringify(labels),
      },
    },
  )
  switch (done.kind) {
    case 'done':
      return done.value.id
    case 'unauthorized':
      throw refused(done)
    case 'unavailable':
      throw unavailable()
    case 'refused':
      if (done.reason === 'repeated_otherwise')
        throw new OAuthError('invalid_request', 'this Idempotency-Key came with another description before', { status: 422 })
      if (done.reason === 'bad_parent')
        throw new OAuthError('invalid_request', "'parent' must be another resource of this token, and nothing may lie in itself or 16 deep")
      throw isFull(done.reason) ? quotaExceeded(done.reason) : notFound()
    default:
      throw notFound()
  }
}

/** The header Idempotency-Key, if there is one; hashed, with what it came with: neither is readable at rest. */
async function repeatOf(c: AppContext, owner: string, description: ResourceDescription): Promise<Repeatable | undefined> {
  const header = c.req.header('idempotency-key')
  if (header === undefined) return undefined
  if (!/^[\x20-\x7e]{1,256}$/.test(header)) throw new OAuthError('invalid_request', 'an Idempotency-Key is 1 to 256 ASCII characters')
  const { keyring } = c.var.deps
  const of = (what: string, text: string) => keyring.mac('repeat', `${owner}\0${what}\0${text}`)
  return { key: await of('key', header), print: await of('description', JSON.stringify(description)) }
}

/** FedAuthz 3.2: where the service may send the owner to set policy. */
const policyUri = (c: AppContext, id: string): string => `${c.var.deps.issuer}/#thing-${id}`
const notFound = () => new OAuthError('not_found', 'no such resource is registered with this token', { status: 404 })

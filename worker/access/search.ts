// AuthZEN 8: who may do it, with which things, and what may be done (POST /access/v1/search/subject, resource, action). What is found would be
// granted now; people come by the ids of the owner API with labels that only the owner's devices can open.
import { Hono } from 'hono'
import { actionSearch, resourceSearch, type SearchPage, subjectSearch } from '../../shared/protocol/authzen.ts'
import { noteClient } from '../http/bearer.ts'
import { type AppEnv, ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { asked, respond, tooFast } from './answer.ts'
import { supposed } from './supposed.ts'

/** AuthZEN 8.2: where to go on, and the most results that are wanted. */
const pageIn = ({ token = '', limit }: SearchPage = {}): { cursor?: string; most?: number } => {
  if (token !== '' && !/^[\w.-]{1,128}$/.test(token)) throw new OAuthError('invalid_request', 'page.token is none that this server gave')
  return { ...(token === '' ? {} : { cursor: token }), ...(limit === undefined ? {} : { most: limit }) }
}
/** AuthZEN 8.2: an empty token says that there is no more. */
const pageOf = (next: string | undefined) => ({ page: { next_token: next ?? '' } })

export const search = new Hono<AppEnv>()
  .post('/subject', async (c) => {
    const { owner, caller, isService, refused, request } = await asked(c, subjectSearch)
    const { facts: _, ...by } = await supposed(c, { owner, isService }, { type: 'nobody', id: '' }, request.context)
    const answered = await ownerObject(c.env, owner).searchPeople(caller, {
      ...by,
      cell: { resource_id: request.resource.id, scope: request.action.name },
      issuer: c.var.deps.issuer,
      isService,
      ...pageIn(request.page),
    })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    // Only people are known here; a search for something else finds nothing.
    const people = request.subject.type === 'person' ? answered.items : []
    return respond(c, { results: people.map(({ id, label }) => ({ type: 'person', id, properties: { label } })), ...pageOf(answered.next) })
  })
  .post('/resource', async (c) => {
    const { owner, caller, isService, refused, request } = await asked(c, resourceSearch)
    const answered = await ownerObject(c.env, owner).searchResources(caller, {
      ...(await supposed(c, { owner, isService }, request.subject, request.context)),
      isService,
      scope: request.action.name,
      type: request.resource.type,
      ...pageIn(request.page),
    })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    const results = answered.items.map(({ resource_id: id }) => ({ type: request.resource.type, id }))
    return respond(c, { results, ...pageOf(answered.next) })
  })
  .post('/action', async (c) => {
    const { owner, caller, isService, refused, request } = await asked(c, actionSearch)
    const answered = await ownerObject(c.env, owner).searchActions(caller, {
      ...(await supposed(c, { owner, isService }, request.subject, request.context)),
      resource_id: request.resource.id,
      isService,
      now: seconds(c.var.deps),
    })
    if (answered.kind === 'unauthorized') throw refused(answered)
    noteClient(c, answered)
    if (answered.kind === 'too_fast') throw tooFast(answered.wait)
    return respond(c, { results: answered.items.map((name) => ({ name })), ...pageOf(undefined) })
  })

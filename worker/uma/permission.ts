// The permission endpoint (UMA FedAuthz 4): a service asks for a ticket. Checks ids and scopes, then seals; nothing is stored.
import { PROTECTION_SCOPE } from '../../shared/protocol/oauth.ts'
import { type AskedPermission, type Permission, permissionRequest } from '../../shared/protocol/uma-federation.ts'
import { presentedIn } from '../http/bearer.ts'
import { ownerObject, seconds } from '../http/context.ts'
import { OAuthError } from '../http/errors.ts'
import { jsonOf } from '../http/json.ts'
import { tooManyTickets } from '../http/quota.ts'
import { answerJson, type Endpoint } from '../http/straight.ts'
import { fromText, textOf } from '../objects/text.ts'
import { issueTicket, MAX_TICKET } from '../tokens/ticket.ts'

export const permission: Endpoint = async (call) => {
  const { request, deps } = call
  const { owner, caller, refused } = await presentedIn(call, PROTECTION_SCOPE)
  const asked = await jsonOf(request, permissionRequest)
  const permissions = merged(asked)
  const context = contextOf(asked)
  const now = seconds(deps)
  const answer = fromText(await ownerObject(deps.env, owner).permission(textOf({ caller, permissions, now })))
  if (answer.kind === 'unauthorized') throw refused(answer)
  call.client = answer.client_id
  switch (answer.kind) {
    case 'ok': {
      // FedAuthz 4.2: one ticket, whatever the number of permissions.
      const ticket = await issueTicket(
        deps.keyring,
        {
          owner,
          connection: answer.connection,
          service: answer.client_id,
          permissions,
          ...context,
          ...(answer.organisations === undefined ? {} : { organisations: answer.organisations }),
        },
        now,
      )
      if (ticket.length > MAX_TICKET)
        throw new OAuthError('invalid_request', 'too many permissions for one ticket; ask for those that this request needs')
      return answerJson({ ticket }, 201)
    }
    case 'too_many':
      throw tooManyTickets(answer.wait)
    case 'invalid_resource_id':
      throw new OAuthError('invalid_resource_id', 'a resource_id is not registered with this token; register the resource first')
    case 'invalid_scope':
      throw new OAuthError('invalid_scope', 'a scope is not registered for its resource; update the resource first')
  }
}

/**
 * The extension member `context`: what the resource server says of this access, for rules that speak of it (TESTS PO-11). It is sealed
 * into the ticket: nobody else can say it. One access, so that several permissions cannot say different things.
 */
function contextOf(asked: readonly AskedPermission[]): { context?: Record<string, string | number | boolean> } {
  const context: Record<string, string | number | boolean> = {}
  for (const [name, value] of asked.flatMap((one) => Object.entries(one.context ?? {}))) {
    if (Object.hasOwn(context, name) && context[name] !== value)
      throw new OAuthError('invalid_request', "the permissions of one request say different things in 'context'")
    context[name] = value
  }
  return Object.keys(context).length === 0 ? {} : { context }
}

/** FedAuthz 4.1: a resource that is named twice has the scopes of both entries (SPECS F-37). */
function merged(asked: readonly Permission[]): Permission[] {
  const byId = new Map<string, Set<string>>()
  for (const { resource_id, resource_scopes } of asked)
    byId.set(resource_id, new Set([...(byId.get(resource_id) ?? []), ...resource_scopes]))
  return [...byId].map(([resource_id, scopes]) => ({ resource_id, resource_scopes: [...scopes] }))
}

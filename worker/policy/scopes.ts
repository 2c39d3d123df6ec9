// The set mathematics of UMA Grant 3.3.4. Pure.

export type Permission = { resource_id: string; resource_scopes: string[] }

/**
 * RequestedScopes(r) = TicketScopes(r) joined with (RegisteredScopes and RequestedScopes), where a scope of the intersection
 * is added to r only if r's service registered it for r. Also says whether some asked-for scope is available nowhere in the
 * ticket (`invalid_scope`, UMA Grant 3.3.6).
 */
export function requestedScopes(
  ticket: readonly Permission[],
  available: (resourceId: string) => readonly string[],
  registeredByClient: readonly string[],
  requestedByClient: readonly string[],
): { cells: (Permission & { fromTicket: string[] })[]; unavailable: string[] } {
  const extra = requestedByClient.filter((scope) => registeredByClient.includes(scope))
  const cells = ticket.map(({ resource_id, resource_scopes }) => {
    const offered = available(resource_id)
    // A scope that was taken off the resource after the ticket was issued is no longer there to grant.
    const fromTicket = resource_scopes.filter((scope) => offered.includes(scope))
    const added = extra.filter((scope) => offered.includes(scope) && !fromTicket.includes(scope))
    return { resource_id, resource_scopes: [...fromTicket, ...added], fromTicket }
  })
  const anywhere = new Set(ticket.flatMap(({ resource_id }) => available(resource_id)))
  return { cells, unavailable: requestedByClient.filter((scope) => !anywhere.has(scope)) }
}

// The `permissions` of an active RPT (UMA FedAuthz 5.1.1), from what the owner's object says at this moment.
import type { Deps } from '../http/context.ts'
import type { ActiveToken } from '../oauth/introspect.ts'

/**
 * FedAuthz 5.1.1: `permissions` and never `scope`. Nothing about the requesting party is told: a service deals in permissions only.
 * A DPoP-bound RPT names its key (RFC 9449 6.2).
 */
export function describeRpt(active: ActiveToken, deps: Pick<Deps, 'issuer'>): Record<string, unknown> {
  return {
    active: true,
    token_type: active.jkt === null ? 'Bearer' : 'DPoP',
    client_id: active.client_id,
    iss: deps.issuer,
    iat: active.iat,
    exp: active.exp,
    permissions: active.permissions,
    ...(active.jkt === null ? {} : { cnf: { jkt: active.jkt } }),
  }
}

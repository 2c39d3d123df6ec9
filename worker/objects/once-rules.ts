// What the owner has allowed once, as entries of the list of everything that opens something (owner-ledger.ts): somebody with whom a thing is
// not shared, or a rule that asks. Each is good for one time, with one app, until it runs out. Pure.
import type { Policy } from '../policy/policy.ts'
import type { Permission } from '../policy/scopes.ts'

/** Ids of policies of this kind: those of requests that were allowed. */
export const ONCE = 'once:'

/** What is read of a request (owner-requests.ts). */
export type OnceRow = {
  id: string
  mac: string
  client_id: string
  permissions: string
  state: string
  created_at: number
  exp: number
  answered_at: number | null
  used_at: number | null
  asks: string | null
}
/** `answers`: rules that asked, all else that they want must hold too; none if somebody asked by herself. */
export type OnceEntry = { policy: Policy; request_id: string; answers: readonly string[] }

export const isOnce = (id: string): boolean => id.startsWith(ONCE)

/** The request that an id speaks of, and the thing if it is about one of several. */
export function readOnce(id: string): { request: string; resource?: string } {
  const [request = '', resource] = id.slice(ONCE.length).split(':')
  return { request, ...(resource === undefined ? {} : { resource }) }
}

/**
 * What a request gives at this moment, a rule for each thing: one time while it was not used, an hour for what came of it. `lifetime` of that
 * in seconds.
 */
export function onceEntries(row: OnceRow, now: number, lifetime: number): OnceEntry[] {
  const end = row.state === 'allowed' ? row.exp : row.state === 'used' ? (row.used_at ?? 0) + lifetime : 0
  if (end <= now) return []
  const { keys = [] } = JSON.parse(row.asks ?? '{}') as { keys?: string[] }
  const permissions = JSON.parse(row.permissions) as Permission[]
  return permissions.map(({ resource_id, resource_scopes }) => {
    const id = permissions.length === 1 ? `${ONCE}${row.id}` : `${ONCE}${row.id}:${resource_id}`
    return {
      request_id: row.id,
      answers: keys,
      policy: {
        v: 1,
        id,
        rev: 1,
        tier: 'owner',
        effect: 'permit',
        target: { resources: [resource_id] },
        scopes: resource_scopes,
        when: {
          all: [
            { claim: 'email', eq: row.mac },
            { before: end },
            { client: [row.client_id] },
            ...(row.state === 'allowed' ? [{ uses: { key: id, max: 1, per: 'rule' as const } }] : []),
          ],
        },
      },
    }
  })
}

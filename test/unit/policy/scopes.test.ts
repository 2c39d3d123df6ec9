// The set mathematics of UMA Grant 3.3.4, before any rule is looked at, and what is said of what is missing.
import { describe, expect, it } from 'vitest'
import { CLAIM_TOKEN_FORMATS } from '../../../worker/claims/formats.ts'
import { claimType } from '../../../worker/claims/types.ts'
import { requiredClaims } from '../../../worker/policy/required-claims.ts'
import { requestedScopes } from '../../../worker/policy/scopes.ts'

const offers: Readonly<Record<string, string[]>> = {
  photo1: ['view', 'resize', 'print', 'download'],
  photo2: ['view', 'resize', 'print', 'download'],
  album: ['view', 'edit', 'download'],
}
const available = (id: string) => offers[id] ?? []
const ticket = [
  { resource_id: 'album', resource_scopes: ['edit'] },
  { resource_id: 'photo1', resource_scopes: ['view'] },
  { resource_id: 'photo2', resource_scopes: ['view'] },
]

describe('UMA Grant 3.3.4: set mathematics', () => {
  it("UMA Grant 3.3.4: the specification's own example gives the specification's own sets", () => {
    const { cells, unavailable } = requestedScopes(ticket, available, ['download'], ['download'])
    expect(Object.fromEntries(cells.map((c) => [c.resource_id, c.resource_scopes]))).toEqual({
      album: ['edit', 'download'],
      photo1: ['view', 'download'],
      photo2: ['view', 'download'],
    })
    expect(unavailable).toEqual([])
  })

  it('UMA Grant 3.3.4: a scope that the client is not registered for is not added, one of the ticket needs no registration', () => {
    expect(requestedScopes(ticket, available, [], ['download']).cells.map((c) => c.resource_scopes)).toEqual([['edit'], ['view'], ['view']])
  })

  it('UMA Grant 3.3.4: a scope is added only where its service registered it', () => {
    const { cells } = requestedScopes(ticket, available, ['print'], ['print'])
    expect(cells.map((c) => c.resource_scopes)).toEqual([['edit'], ['view', 'print'], ['view', 'print']])
  })

  it('UMA Grant 3.3.4: a scope of the ticket that the client asks for, too, is there once, and known to be of the ticket', () => {
    expect(requestedScopes(ticket.slice(1, 2), available, ['view', 'print'], ['print', 'view']).cells).toEqual([
      { resource_id: 'photo1', resource_scopes: ['view', 'print'], fromTicket: ['view'] },
    ])
  })

  it('UMA Grant 3.3.6: a scope that is available nowhere in the ticket is reported', () => {
    expect(requestedScopes(ticket, available, ['fly'], ['fly']).unavailable).toEqual(['fly'])
  })

  it('UMA FedAuthz 3.2.3: a scope that was taken off the resource is not in the requested set any more', () => {
    expect(requestedScopes(ticket, () => ['view'], [], []).cells.map((c) => c.resource_scopes)).toEqual([[], ['view'], ['view']])
  })

  it('UMA Grant 3.3.6: of a claim that is missing only the type is said, once', () => {
    const email = { kind: 'claim', claim: 'email' } as const
    expect(requiredClaims([email, email], claimType)).toEqual([
      {
        name: 'email',
        friendly_name: 'E-mail address',
        claim_type: 'urn:oid:0.9.2342.19200300.100.1.3',
        claim_token_format: CLAIM_TOKEN_FORMATS,
      },
    ])
  })
})

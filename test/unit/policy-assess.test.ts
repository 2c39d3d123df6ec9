// The policy engine's decisions: three values, set mathematics, the deterministic outcome. Tables first, then properties.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLAIM_TOKEN_FORMATS } from '../../worker/claims/formats.ts'
import { claimType } from '../../worker/claims/types.ts'
import { assess, type Rule } from '../../worker/policy/assess.ts'
import { type Condition, type Fact, holds as holdsIn } from '../../worker/policy/condition.ts'
import { requiredClaims } from '../../worker/policy/required-claims.ts'
import { requestedScopes } from '../../worker/policy/scopes.ts'
import { and, or } from '../../worker/policy/value.ts'

const NOW = 1_000_000
const bob: Fact = { claim: 'email', mac: 'bob', exp: NOW + 100 }
const carol: Fact = { claim: 'email', mac: 'carol', exp: NOW + 100 }
const rule = (id: string, resource_id: string, scopes: string[], ...all: Condition[]): Rule => ({ id, resource_id, scopes, when: { all } })
/** A condition for these facts, where nothing else is known. */
const holds = (when: Condition, facts: Fact[], now: number) =>
  holdsIn(
    when,
    { resource_id: 'thing', scope: 'view' },
    {
      now,
      facts: facts.map((fact) => ({ ...fact, id: fact.mac, iss: 'us', iat: NOW })),
      client: { id: 'c', trust: [] },
      purpose: undefined,
      links: [],
      context: {},
      isMember: () => false,
      used: () => 0,
      approved: () => undefined,
    },
  )
const cell = (resource_id: string, ...scopes: string[]) => ({ resource_id, resource_scopes: scopes, fromTicket: scopes })
const rulesIn = (rules: Rule[]) => (id: string) => rules.filter((one) => one.resource_id === id)

describe('UMA Grant 3.3.4: set mathematics', () => {
  const available = (id: string) =>
    ({
      photo1: ['view', 'resize', 'print', 'download'],
      photo2: ['view', 'resize', 'print', 'download'],
      album: ['view', 'edit', 'download'],
    })[id] ?? []
  const ticket = [
    { resource_id: 'album', resource_scopes: ['edit'] },
    { resource_id: 'photo1', resource_scopes: ['view'] },
    { resource_id: 'photo2', resource_scopes: ['view'] },
  ]

  it("UMA Grant 3.3.4: the specification's own example gives the specification's own sets", () => {
    const { cells, unavailable } = requestedScopes(ticket, available, ['download'], ['download'])
    expect(Object.fromEntries(cells.map((c) => [c.resource_id, c.resource_scopes]))).toEqual({
      album: ['edit', 'download'],
      photo1: ['view', 'download'],
      photo2: ['view', 'download'],
    })
    expect(unavailable).toEqual([])
    const decided = assess(cells, rulesIn([rule('p', 'photo1', ['view'], { claim: 'email', eq: 'bob' })]), [bob], NOW)
    expect(decided).toMatchObject({ kind: 'granted', cells: [{ resource_id: 'photo1', resource_scopes: ['view'] }] })
  })

  it('UMA Grant 3.3.4: a scope that the client is not registered for is not added, one of the ticket needs no registration', () => {
    expect(requestedScopes(ticket, available, [], ['download']).cells.map((c) => c.resource_scopes)).toEqual([['edit'], ['view'], ['view']])
  })

  it('UMA Grant 3.3.4: a scope is added only where its service registered it', () => {
    const { cells } = requestedScopes(ticket, available, ['print'], ['print'])
    expect(cells.map((c) => c.resource_scopes)).toEqual([['edit'], ['view', 'print'], ['view', 'print']])
  })

  it('UMA Grant 3.3.6: a scope that is available nowhere in the ticket is reported', () => {
    expect(requestedScopes(ticket, available, ['fly'], ['fly']).unavailable).toEqual(['fly'])
  })

  it('UMA FedAuthz 3.2.3: a scope that was taken off the resource is not in the requested set any more', () => {
    expect(requestedScopes(ticket, () => ['view'], [], []).cells.map((c) => c.resource_scopes)).toEqual([[], ['view'], ['view']])
  })
})

describe('UMA Grant 3.3.4: assessment', () => {
  const shared = [rule('r', 'thing', ['view'], { claim: 'email', eq: 'bob' })]

  it('UMA Grant 5.6: no rule means denied, whatever was shown', () => {
    expect(assess([cell('thing', 'view')], () => [], [bob], NOW)).toEqual({ kind: 'denied' })
    expect(assess([cell('thing', 'view')], () => [], [], NOW)).toEqual({ kind: 'denied' })
  })

  it('UMA Grant 5.6: a rule whose condition is empty permits nothing', () => {
    expect(assess([cell('thing', 'view')], rulesIn([rule('r', 'thing', ['view'])]), [bob], NOW)).toEqual({ kind: 'denied' })
    expect(holds({ any: [] }, [bob], NOW)).toEqual({ kind: 'false' })
  })

  it('UMA Grant 5.6: a condition of a kind that is not known permits nothing', () => {
    const odd = { colour: 'green' } as unknown as Condition
    expect(assess([cell('thing', 'view')], rulesIn([rule('r', 'thing', ['view'], odd)]), [bob], NOW)).toEqual({ kind: 'denied' })
  })

  it('UMA Grant 3.3.6: nothing shown yet asks for the claim, and says only its type', () => {
    const decided = assess([cell('thing', 'view')], rulesIn(shared), [], NOW)
    expect(decided).toEqual({ kind: 'need_info', needs: [{ kind: 'claim', claim: 'email' }] })
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

  it('UMA Grant 3.3.6: an address that does not fit is denied and not asked for again', () => {
    expect(assess([cell('thing', 'view')], rulesIn(shared), [carol], NOW)).toEqual({ kind: 'denied' })
  })

  it('UMA Grant 3.3.4: an expired claim is as if it had not been shown', () => {
    expect(assess([cell('thing', 'view')], rulesIn(shared), [{ ...bob, exp: NOW }], NOW)).toMatchObject({ kind: 'need_info' })
  })

  it('UMA FedAuthz 4: a permission without scopes grants nothing by itself', () => {
    expect(assess([cell('thing')], rulesIn(shared), [bob], NOW)).toEqual({ kind: 'denied' })
  })

  it('UMA Grant 3.3.4: an extra scope of the client never blocks what the service asked for', () => {
    const cells = [{ resource_id: 'thing', resource_scopes: ['view', 'download'], fromTicket: ['view'] }]
    const rules = [...shared, rule('d', 'thing', ['download'], { claim: 'email', eq: 'bob' }, { after: NOW + 5 })]
    expect(assess(cells, rulesIn(rules), [bob], NOW)).toMatchObject({ kind: 'granted', cells: [{ resource_scopes: ['view'] }] })
  })

  it('UMA Grant 3.3.5: what is granted lasts as long as the shortest of rule and claim', () => {
    const until = (before: number) => {
      const decided = assess(
        [cell('thing', 'view')],
        rulesIn([rule('r', 'thing', ['view'], { claim: 'email', eq: 'bob' }, { before })]),
        [bob],
        NOW,
      )
      return decided.kind === 'granted' ? decided.cells[0]?.until : undefined
    }
    expect(until(NOW + 50)).toBe(NOW + 50)
    expect(until(NOW + 500)).toBe(NOW + 100)
  })

  it.each([
    ['before it begins', { after: NOW + 1 }, 'denied'],
    ['at the instant it begins', { after: NOW }, 'granted'],
    ['a second before it ends', { before: NOW + 1 }, 'granted'],
    ['at the instant it ends', { before: NOW }, 'denied'],
  ] as const)('POLICY 3: a share with times, %s', (_, when, expected) => {
    expect(
      assess([cell('thing', 'view')], rulesIn([rule('r', 'thing', ['view'], { claim: 'email', eq: 'bob' }, when)]), [bob], NOW).kind,
    ).toBe(expected)
  })
})

describe('POLICY 7: properties', () => {
  const condition = fc.letrec<{ c: Condition }>((tie) => ({
    c: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('bob', 'carol', 'dave').map((eq): Condition => ({ claim: 'email', eq })),
      fc.integer({ min: NOW - 2, max: NOW + 2 }).map((after): Condition => ({ after })),
      fc.integer({ min: NOW - 2, max: NOW + 2 }).map((before): Condition => ({ before })),
      fc.array(tie('c'), { maxLength: 3 }).map((all): Condition => ({ all })),
      fc.array(tie('c'), { maxLength: 3 }).map((any): Condition => ({ any })),
    ),
  })).c
  const rules = fc.array(
    fc.record({ id: fc.uuid(), resource_id: fc.constant('thing'), scopes: fc.subarray(['view', 'download']), when: condition }),
    { maxLength: 4 },
  )
  const cells = [cell('thing', 'view', 'download')]

  it('POLICY 7 P2: showing a claim never turns a granted scope into an ungranted one', () => {
    fc.assert(
      fc.property(rules, (some) => {
        const before = assess(cells, () => some, [bob], NOW)
        const after = assess(cells, () => some, [bob, carol], NOW)
        if (before.kind === 'granted')
          expect(after.kind === 'granted' && after.cells[0]?.resource_scopes).toEqual(
            expect.arrayContaining(before.cells[0]?.resource_scopes ?? []),
          )
      }),
      { numRuns: 2000 },
    )
  })

  it('POLICY 7 P11: the order of rules makes no difference', () => {
    fc.assert(
      fc.property(rules, (some) => {
        const strip = (decided: ReturnType<typeof assess>) =>
          decided.kind === 'granted' ? decided.cells.map((c) => ({ ...c, policies: [...c.policies].sort() })) : decided
        expect(strip(assess(cells, () => some, [bob], NOW))).toEqual(strip(assess(cells, () => [...some].reverse(), [bob], NOW)))
      }),
      { numRuns: 2000 },
    )
  })

  it('POLICY 7 P14: what is true now is true at every instant before its end', () => {
    fc.assert(
      fc.property(condition, fc.integer({ min: 0, max: 5 }), (when, later) => {
        const value = holds(when, [bob], NOW)
        if (value.kind === 'true' && NOW + later < value.until) expect(holds(when, [bob], NOW + later).kind).toBe('true')
      }),
      { numRuns: 2000 },
    )
  })

  it('POLICY 7 P5: and and or keep the smallest sets only', () => {
    const u = { kind: 'unknown' as const, needs: [[{ kind: 'claim' as const, claim: 'email' }]] }
    expect(and(u, u)).toEqual(u)
    expect(or(u, { kind: 'false' })).toEqual(u)
    expect(or(u, { kind: 'true', until: 5 })).toEqual({ kind: 'true', until: 5 })
    expect(and(u, { kind: 'false' })).toEqual({ kind: 'false' })
  })
})

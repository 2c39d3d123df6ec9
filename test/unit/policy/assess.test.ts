// The outcome for a whole ticket: the example of UMA Grant 3.3.4, what is asked for first, partial grants, continuing with what there is.
import { describe, expect, it } from 'vitest'
import { requestedScopes } from '../../../worker/policy/scopes.ts'
import { asked, assessed, bob, carol, isBob, isCarol, NOW, rule, thing, world } from './worlds.ts'

const view = asked('photo', ['view'])
const kindOf = (...args: Parameters<typeof assessed>) => assessed(...args).kind

describe('UMA Grant 3.3.4: photo1, photo2 and album', () => {
  const offers: Readonly<Record<string, string[]>> = {
    photo1: ['view', 'resize', 'print', 'download'],
    photo2: ['view', 'resize', 'print', 'download'],
    album: ['view', 'edit', 'download'],
  }
  const things = Object.entries(offers).map(([id, scopes]) => thing(id, { scopes }))
  const ticket = [
    { resource_id: 'album', resource_scopes: ['edit'] },
    { resource_id: 'photo1', resource_scopes: ['view'] },
    { resource_id: 'photo2', resource_scopes: ['view'] },
  ]
  const { cells } = requestedScopes(ticket, (id) => offers[id] ?? [], ['download'], ['download'])
  const rules = [rule('p', isBob, { target: { resources: ['photo1'] }, scopes: ['view'] })]

  it('UMA Grant 3.3.6: nothing shown, the address is asked for', () => {
    const email = { kind: 'claim', claim: 'email' }
    expect(assessed(cells, rules, {}, { things })).toEqual({ kind: 'need_info', needs: [email], alternatives: [[email]], granted: [] })
  })

  it('UMA Grant 3.3.4: Bob gets exactly what the rule gives', () => {
    expect(assessed(cells, rules, { facts: [bob] }, { things })).toEqual({
      kind: 'granted',
      cells: [{ resource_id: 'photo1', resource_scopes: ['view'], policies: ['p'], until: bob.exp }],
      terms: {},
      rests: [bob.id],
      uses: [],
    })
  })

  it('UMA Grant 3.3.4: a client that wants all or nothing gets nothing, and nobody is asked for anything', () => {
    expect(assessed(cells, rules, { facts: [bob] }, { things, partial: false })).toEqual({ kind: 'denied' })
    expect(assessed(cells, rules, {}, { things, partial: false })).toEqual({ kind: 'denied' })
  })

  it('UMA Grant 3.3.6: Carol hears what everybody hears who gets nothing', () => {
    expect(assessed(cells, rules, { facts: [carol] }, { things })).toEqual({ kind: 'denied' })
    expect(assessed(cells, [], { facts: [carol] }, { things })).toEqual({ kind: 'denied' })
  })
})

describe('POLICY 3: what is asked for', () => {
  it('UMA FedAuthz 4: a permission without scopes is never granted, even to everybody', () => {
    expect(kindOf([asked('photo', [])], [rule('p', { anyone: true })])).toBe('denied')
    expect(kindOf([asked('photo', []), view], [rule('p', { anyone: true })], {}, { partial: false })).toBe('denied')
  })

  it('SPECS G-52: without scopes in the ticket, those of the client count, and claims are asked for them', () => {
    expect(kindOf([asked('photo', [], ['edit'])], [rule('p', isBob)])).toBe('need_info')
    expect(assessed([asked('photo', [], ['edit'])], [rule('p', isBob)], { facts: [bob] })).toMatchObject({
      kind: 'granted',
      cells: [{ resource_scopes: ['edit'] }],
    })
  })

  it('POLICY 3: a scope that only the client asked for never blocks', () => {
    const rules = [rule('p', isBob, { scopes: ['view'] }), rule('q', { claim: 'acr', gte: 2 }, { scopes: ['edit'] })]
    expect(assessed([asked('photo', ['view'], ['edit'])], rules, { facts: [bob] })).toMatchObject({
      cells: [{ resource_scopes: ['view'] }],
    })
    expect(kindOf([asked('photo', ['view', 'edit'])], rules, { facts: [bob] })).toBe('need_info')
  })

  it('POLICY 3: the needs of all cells together, the cheapest way first', () => {
    const rules = [
      rule(
        'p',
        {
          any: [
            { claim: 'passport', eq: 'x' },
            { claim: 'npi', eq: 'y' },
          ],
        },
        { scopes: ['view'] },
      ),
      rule('q', { all: [isBob, { purpose: ['TREAT'] }] }, { scopes: ['edit'] }),
    ]
    const decided = assessed([asked('photo', ['view', 'edit'])], rules, {}, { costs: { passport: 50, npi: 5 } })
    const [email, npi] = ['email', 'npi'].map((claim) => ({ kind: 'claim', claim }))
    const treat = { kind: 'purpose', purposes: ['TREAT'] }
    expect(decided).toMatchObject({ kind: 'need_info', needs: [email, npi, treat] })
    expect(decided.kind === 'need_info' && decided.alternatives.map((set) => set.length)).toEqual([3, 3])
  })

  it('POLICY 3: an address is what people can show most easily', () => {
    const either = rule('p', { any: [{ claim: 'country', eq: 'x' }, isBob, { claim: 'acr', gte: 2 }] })
    expect(assessed([view], [either])).toMatchObject({
      needs: [{ claim: 'email' }],
      alternatives: [{}, [{ claim: 'country' }], [{ claim: 'acr' }]],
    })
  })

  it('POLICY 3: who is already in at one cell hears so, and may go on with that (DESIGN decision 6)', () => {
    const rules = [rule('p', isBob, { scopes: ['view'] }), rule('q', { claim: 'acr', gte: 2 }, { scopes: ['edit'] })]
    const both = [asked('photo', ['view', 'edit'])]
    expect(assessed(both, rules, { facts: [bob] })).toMatchObject({ kind: 'need_info', granted: [{ resource_scopes: ['view'] }] })
    expect(assessed(both, rules, { facts: [bob] }, { settle: true })).toMatchObject({
      kind: 'granted',
      cells: [{ resource_scopes: ['view'] }],
    })
    expect(kindOf(both, rules, {}, { settle: true })).toBe('need_info')
    expect(kindOf(both, rules, { facts: [bob] }, { settle: true, partial: false })).toBe('need_info')
  })

  it('POLICY 3: a purpose that two rules cannot share is no way; one that they can is narrowed', () => {
    const require = (id: string, ...purpose: string[]) => rule(id, { purpose }, { effect: 'require' })
    const open = rule('p', { anyone: true })
    expect(assessed([view], [open, require('a', 'A', 'B'), require('b', 'B', 'C')])).toMatchObject({ needs: [{ purposes: ['B'] }] })
    expect(kindOf([view], [open, require('a', 'A'), require('b', 'B')])).toBe('denied')
  })

  it('POLICY 3: the same claim is asked for once, from issuers that serve both, as fresh as the stricter rule wants it', () => {
    const rules = [
      rule('p', { claim: 'email', eq: 'bob', iss: ['a', 'b'], max_age: 600 }),
      rule('r', { claim: 'email', domain: 'clinic', iss: ['b', 'c'], max_age: 60 }, { effect: 'require' }),
    ]
    expect(assessed([view], rules)).toMatchObject({ needs: [{ claim: 'email', iss: ['b'], max_age: 60 }] })
  })

  it('POLICY 3: where no issuer serves both, two proofs are asked for, and who has them is let in', () => {
    const rules = [
      rule('p', { claim: 'email', eq: 'bob', iss: ['a'] }),
      rule('r', { claim: 'email', domain: 'clinic', iss: ['b'] }, { effect: 'require' }),
    ]
    expect(assessed([view], rules)).toMatchObject({ needs: [{ iss: ['a'] }, { iss: ['b'] }] })
    expect(assessed([view], rules, { facts: [{ ...bob, iss: 'a' }] })).toMatchObject({ needs: [{ iss: ['b'] }] })
    expect(kindOf([view], rules, { facts: ['a', 'b'].map((iss) => ({ ...bob, iss })) })).toBe('granted')
  })
})

describe('UMA Grant 3.3.6: the answer of the owner', () => {
  const rules = [rule('p', { all: [isBob, { ask: 'p' }] })]
  const given = (is: boolean) => ({ facts: [bob], approved: () => ({ given: is, until: NOW + 50 }) })

  it('POLICY 3: is asked for last, when it is known who asks', () => {
    expect(assessed([view], rules)).toMatchObject({ kind: 'need_info', needs: [{ claim: 'email' }] })
    expect(assessed([view], rules, { facts: [bob] })).toEqual({
      kind: 'ask',
      keys: ['p'],
      cells: [{ resource_id: 'photo', scope: 'view' }],
      granted: [],
    })
  })

  it('POLICY 3: yes grants until it runs out, no denies, and for whom it is not there is nothing to ask', () => {
    expect(assessed([view], rules, given(true))).toMatchObject({ kind: 'granted', cells: [{ until: NOW + 50 }] })
    expect(kindOf([view], rules, given(false))).toBe('denied')
    expect(kindOf([view], rules, { facts: [carol] })).toBe('denied')
    expect(kindOf([view], rules, { ...given(true), now: NOW + 50 })).toBe('ask')
  })

  it('POLICY 3: an answer counts for the cell for which it was given', () => {
    const approved = (_: string, cell: { scope: string }) => (cell.scope === 'view' ? { given: true, until: NOW + 50 } : undefined)
    expect(assessed([asked('photo', ['view', 'edit'])], rules, { facts: [bob], approved })).toMatchObject({
      kind: 'ask',
      cells: [{ scope: 'edit' }],
      granted: [{ resource_scopes: ['view'] }],
    })
  })

  it('POLICY 3: somebody who could show a proof instead is asked for that first', () => {
    expect(
      assessed([view], [...rules, rule('q', { claim: 'passport', eq: 'x' })], { facts: [bob] }, { costs: { passport: 900 } }),
    ).toMatchObject({
      kind: 'need_info',
      needs: [{ claim: 'passport' }],
    })
  })
})

describe('POLICY 2: what a grant may be', () => {
  it('POLICY 2: the shortest life, tokens only if nobody forbids them, told as often as one rule wants', () => {
    const rules = [
      rule('p', isBob, { grant: { rpt_ttl: 300, refresh: true, pct: true, notify: 'first' } }),
      rule('q', { anyone: true }, { grant: { rpt_ttl: 60, refresh: false, pct: true, notify: 'each' } }),
    ]
    expect(assessed([view], rules, { facts: [bob] })).toMatchObject({ terms: { rpt_ttl: 60, refresh: false, pct: true, notify: 'each' } })
  })

  it('POLICY 3: counters are named once, and only for permits that hold', () => {
    const uses = { key: 'p', max: 2, per: 'rqp' } as const
    const rules = [rule('p', { all: [isBob, { uses }] }), rule('q', { all: [isCarol, { uses: { ...uses, key: 'q' } }] })]
    expect(assessed([asked('photo', ['view', 'edit'])], rules, { facts: [bob] })).toMatchObject({ uses: [{ key: 'p', per: 'rqp' }] })
    expect(kindOf([view], rules, { facts: [bob], used: () => 2 })).toBe('denied')
  })

  it('POLICY 3: a look-up that fails denies', () => {
    const failing = {
      ...world({ facts: [bob] }),
      isMember: () => {
        throw new Error('away')
      },
    }
    expect(kindOf([view], [rule('p', { claim: 'email', group: 'family' })], failing)).toBe('denied')
    expect(kindOf([view], [rule('p', isBob), rule('f', { claim: 'email', group: 'family' }, { effect: 'forbid' })], failing)).toBe('denied')
  })
})

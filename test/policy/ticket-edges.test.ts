// A ticket at its edges, one example each: the same asked for twice, ways that are equally cheap, cells that cannot be settled together.
import { describe, expect, it } from 'vitest'
import { type AskedCell, assessCells } from '../../worker/policy/assess.ts'
import type { Condition, Policy } from '../../worker/policy/policy.ts'
import { aboutNeed, rule } from './engine.ts'
import { PLAIN, worldOf } from './people.ts'
import { bookOf, ticket } from './tickets.ts'

const anyone: Condition = { anyone: true }
const at = { ...PLAIN, purpose: undefined, answers: {} }
const outcome = (asked: AskedCell[], ...policies: Policy[]) => assessCells(asked, bookOf(policies), worldOf(at, []))
const claim = (name: string, more = {}): Condition => ({ claim: name, eq: 'x', ...more })

describe('POLICY 3: a ticket at its edges', () => {
  it('POLICY 3: what is asked for twice is given once, and a rule is named once', () => {
    const asked = [ticket('t0', 'view', 'edit', 'view'), ticket('t0', 'view')]
    expect(outcome(asked, rule('p', anyone))).toMatchObject({
      kind: 'granted',
      cells: [{ resource_id: 't0', resource_scopes: ['view', 'edit'], policies: ['p'] }],
    })
  })

  it('POLICY 3: terms and counters are those of what is given, not of what is refused', () => {
    const uses = (key: string): Condition => ({ uses: { key, max: 1, per: 'rqp' } })
    const told = outcome(
      [ticket('t0', 'view', 'edit', 'print')],
      rule('p', { all: [uses('a'), uses('b')] }, { scopes: ['view'], grant: { refresh: true } }),
      rule('q', { all: [uses('c'), { link: 'none' }] }, { scopes: ['edit'], grant: { refresh: false } }),
    )
    expect(told).toMatchObject({ kind: 'granted', terms: { refresh: true } })
    expect(told.kind === 'granted' && told.uses.map(({ key }) => key).sort()).toEqual(['a', 'b'])
  })

  it('POLICY 3: of ways that are equally cheap the first by name, in whatever order the rules come', () => {
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
      ['b', 'c', 'a'],
    ]) {
      const told = outcome([ticket('t0', 'view')], rule('p', { any: names.map((name) => claim(name)) }))
      expect(told.kind === 'need_info' && told.alternatives.map((set) => set.map(aboutNeed).join())).toEqual(['a', 'b', 'c'])
    }
  })

  it("POLICY 3: a way that needs the owner alone is no way of the guest's", () => {
    const told = outcome([ticket('t0', 'view')], rule('p', { any: [{ ask: 'q' }, claim('email')] }))
    expect(told.kind === 'need_info' && told.alternatives.map((set) => set.map(aboutNeed))).toEqual([['email']])
  })

  it('POLICY 3: issuers and purposes are told in one order', () => {
    const told = outcome(
      [ticket('t0', 'view')],
      rule('p', { all: [claim('email', { iss: ['z', 'a', 'm'] }), { purpose: ['T', 'B', 'K'] }] }),
    )
    expect(told.kind === 'need_info' && told.needs).toEqual([
      { kind: 'claim', claim: 'email', iss: ['a', 'm', 'z'] },
      { kind: 'purpose', purposes: ['B', 'K', 'T'] },
    ])
  })

  it('POLICY 3: cells that nobody can settle together are settled one after the other', () => {
    const apart = [rule('p', { purpose: ['A'] }, { scopes: ['view'] }), rule('q', { purpose: ['B'] }, { scopes: ['edit'] })]
    expect(outcome([ticket('t0', 'view', 'edit')], ...apart)).toMatchObject({ kind: 'need_info', needs: [{ purposes: ['A'] }] })
    expect(outcome([ticket('t0', 'edit', 'view')], ...apart)).toMatchObject({ kind: 'need_info', needs: [{ purposes: ['B'] }] })
  })

  it('POLICY 3: the owner is asked about those cells only that wait for this answer', () => {
    const asks = (count: number, name: string): Condition => ({ any: Array.from({ length: count }, (_, n) => ({ ask: `${name}${n}` })) })
    // Too many ways to settle both at once.
    const many = [rule('p', asks(8, 'a'), { scopes: ['view'] }), rule('q', asks(200, 'z'), { scopes: ['edit'] })]
    expect(outcome([ticket('t0', 'view', 'edit')], ...many)).toEqual({
      kind: 'ask',
      keys: ['a0'],
      cells: [{ resource_id: 't0', scope: 'view' }],
      granted: [],
    })
    const two = [rule('p', { ask: 'a' }, { scopes: ['view'] }), rule('q', { all: [{ ask: 'b' }, { ask: 'c' }] }, { scopes: ['edit'] })]
    expect(outcome([ticket('t0', 'view', 'edit')], ...two)).toMatchObject({ kind: 'ask', keys: ['a', 'b', 'c'], cells: [{}, {}] })
  })
})

// Which requests have a line of their own in the log when there are many, and what is told of the others.
import { describe, expect, it } from 'vitest'
import { type Kind, lineBudget } from '../../worker/http/line-budget.ts'

const kind = (client_id?: string): Kind => ({
  method: 'POST',
  route: '/introspect',
  status: 200,
  ...(client_id !== undefined && { client_id }),
})

describe('HT-13: lines a second', () => {
  it('HT-13: the first ones have their own, the others are counted by kind and told when the second is over', () => {
    const budget = lineBudget(2)
    expect([1, 2, 3, 4, 5].map((n) => budget.take(10_000 + n, () => kind(n === 5 ? 'b' : 'a')))).toEqual([true, true, false, false, false])
    expect(budget.overdue(10_900)).toEqual([])
    expect(budget.overdue(11_000)).toEqual([
      { ...kind('a'), count: 2 },
      { ...kind('b'), count: 1 },
    ])
    expect(budget.overdue(11_001)).toEqual([])
    expect(budget.take(11_002, () => kind())).toBe(true)
  })

  it('HT-13: very many kinds are told before the second is over', () => {
    const budget = lineBudget(1)
    for (let n = 0; n <= 500; n++) budget.take(0, () => kind(String(n)))
    expect(budget.overdue(1)).toHaveLength(500)
  })

  it('HT-13: without a limit nothing is counted', () => {
    const budget = lineBudget(0)
    expect(Array.from({ length: 1000 }, () => budget.take(0, () => kind())).every(Boolean)).toBe(true)
    expect(budget.overdue(5000)).toEqual([])
  })
})

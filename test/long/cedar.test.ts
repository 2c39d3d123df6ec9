// Cedar as judge over as many sets of rules as one does not wait for in `npm test` (POLICY 7, P18 and P19).
import { describe, expect, it } from 'vitest'
import { compared } from '../policy/compared.ts'

describe('POLICY 7: Cedar, twenty thousand sets of rules', () => {
  it.each(['partial', 'whole'] as const)('POLICY 7 P18, P19: no contradiction (%s)', (how) => {
    const { counts, contradictions } = compared(how, 20_000)
    console.log(how, counts)
    expect(contradictions).toEqual([])
    expect(counts['true allow']).toBeGreaterThan(1_000)
  })
})

// Whether a condition speaks of an emergency, wherever in it, and the terms of a grant that rests on one.
import { describe, expect, it } from 'vitest'
import { breaksGlass, canBeBroken, glassTerms } from '../../../worker/policy/break-glass.ts'
import type { Condition, ThingType } from '../../../worker/policy/policy.ts'
import { isBob } from './worlds.ts'

const emergency: Condition = { break_glass: true }
const nested = (depth: number): Condition => (depth === 0 ? emergency : { all: [nested(depth - 1)] })

describe('POLICY 3: an emergency', () => {
  it.each<[string, Condition]>([
    ['by itself', emergency],
    ['in all', { all: [isBob, emergency] }],
    ['in any', { any: [isBob, emergency] }],
    ['in stages', { seq: [isBob, emergency] }],
    ['as an opposite', { not: emergency }],
    ['as the condition of a fork', { if: emergency, then: isBob, else: isBob }],
    ['on one side of a fork', { if: isBob, then: emergency, else: isBob }],
    ['on the other side of a fork', { if: isBob, then: isBob, else: emergency }],
    ['far inside', nested(64)],
  ])('POLICY 3: is found %s', (_, when) => {
    expect(breaksGlass(when)).toBe(true)
    // And once more, from memory.
    expect(breaksGlass(when)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['a proof', isBob],
    ['a list', { all: [isBob, { any: [isBob] }] }],
    ['the opposite of something else', { not: isBob }],
    ['a fork', { if: isBob, then: isBob, else: isBob }],
    ['what is nested deeper than anything that has a meaning', nested(65)],
    ['a word', 'break_glass'],
    ['nothing at all', null],
    ['a list of what is no condition', { all: ['break_glass', null, 7] }],
    ['a list that is none', { all: 3 }],
  ])('POLICY 3: is not found in %s', (_, when) => {
    expect(breaksGlass(when as Condition)).toBe(false)
    expect(breaksGlass(when as Condition)).toBe(false)
  })

  it('POLICY 3: only what the type declares can be had so', () => {
    const type: ThingType = { type: 'x', implies: { edit: ['view'] }, authority: 'owner', break_glass: ['edit'] }
    expect([canBeBroken('edit', type), canBeBroken('view', type)]).toEqual([true, false])
    expect([canBeBroken('edit', { ...type, break_glass: undefined }), canBeBroken('edit', undefined)]).toEqual([false, false])
  })

  it('POLICY 8d: a quarter of an hour at most, not renewed, not remembered, told each time', () => {
    const terms = { refresh: false, pct: false, notify: 'each' }
    expect(glassTerms({})).toEqual({ ...terms, rpt_ttl: 900 })
    expect(glassTerms({ rpt_ttl: 60, refresh: true, pct: true, notify: 'never' })).toEqual({ ...terms, rpt_ttl: 60 })
    expect(glassTerms({ rpt_ttl: 3600 })).toEqual({ ...terms, rpt_ttl: 900 })
  })
})

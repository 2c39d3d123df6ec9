// Rules of before as they are decided by now: each place in which something that could be left unsaid can stand.
import { describe, expect, it } from 'vitest'
import type { Condition, Policy } from '../../../worker/policy/policy.ts'
import { readSafely } from '../../../worker/policy/read-safely.ts'
import { isBob, rule } from './worlds.ts'

const isMulti = (claim: string) => claim === 'email'
const read = (when: unknown, more: Partial<Policy> = {}) => readSafely(rule('p', when as Condition, more), isMulti).when
/** Nothing is changed, and nothing is copied. */
const stays = (when: unknown, more: Partial<Policy> = {}) => {
  const before = rule('p', when as Condition, more)
  expect(readSafely(before, isMulti)).toBe(before)
}
const country: Condition = { claim: 'country', eq: 'US' }
const never: Condition = { not: { anyone: true } }
const open: Condition = { anyone: true }
const FORBID = { effect: 'forbid' } as const

describe('POLICY 3: rules of before', () => {
  it('POLICY 3: a proof, or a link, that must not be there lets nobody in', () => {
    expect(read({ not: isBob })).toEqual(never)
    expect(read({ not: { link: 'l' } })).toEqual(never)
    expect(read({ not: isBob }, { effect: 'require' })).toEqual(never)
    expect(read(isBob, FORBID)).toEqual(open)
    expect(read({ not: { not: { not: isBob } } })).toEqual({ not: { not: never } })
  })

  it('POLICY 3: what is wanted, or of which people have one, stays as it is', () => {
    for (const when of [isBob, { link: 'l' }, country, { not: country }, { not: { not: isBob } }, { not: { client: ['c'] } }]) stays(when)
    for (const when of [{ not: isBob }, country, { client: ['c'] }]) stays(when, FORBID)
  })

  it.each(['all', 'any', 'seq'])('POLICY 3: one part of %s is changed, the others are not', (form) => {
    expect(read({ [form]: [country, { not: isBob }] })).toEqual({ [form]: [country, never] })
    expect(read({ [form]: [{ not: isBob }, country] })).toEqual({ [form]: [never, country] })
    stays({ [form]: [country, isBob] })
    stays({ [form]: [] })
  })

  it('POLICY 3: each side of a fork is changed by itself', () => {
    expect(read({ if: country, then: { not: isBob }, else: open })).toEqual({ if: country, then: never, else: open })
    expect(read({ if: country, then: open, else: { not: isBob } })).toEqual({ if: country, then: open, else: never })
    stays({ if: country, then: isBob, else: open })
  })

  it.each<[string, Condition]>([
    ['a proof', isBob],
    ['a link', { link: 'l' }],
    ['one of all', { all: [country, isBob] }],
    ['one of any', { any: [country, isBob] }],
    ['one of several stages', { seq: [country, isBob] }],
    ['an opposite', { not: isBob }],
    ['the condition of a fork', { if: isBob, then: country, else: country }],
    ['one side of a fork', { if: country, then: isBob, else: country }],
    ['the other side of a fork', { if: country, then: country, else: isBob }],
  ])('POLICY 3: where %s decides which side counts, both do', (_, when) => {
    expect(read({ if: when, then: open, else: country })).toEqual({ all: [open, country] })
    expect(read({ if: when, then: open, else: country }, FORBID)).toEqual({ any: [open, country] })
    expect(read({ if: when, then: open, else: { not: isBob } })).toEqual({ all: [open, never] })
  })

  it.each<[string, unknown]>([
    ['a country', country],
    ['a list of what is no condition', { all: ['x', null, country] }],
    ['a list that is none', { any: 3 }],
    ['nothing', null],
    ['a word', 'claim'],
    ['the opposite of nothing', { not: null }],
    ['a fork of nothing', { if: null, then: 'x', else: country }],
  ])('POLICY 3: %s leaves nothing unsaid', (_, when) => {
    stays(when)
    stays(when, FORBID)
    stays({ if: when, then: open, else: country })
  })
})

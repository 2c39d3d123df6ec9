// Ways in which conditions can hold: none that demands more than another, none that contradicts itself, and no more than can be listed.
import { describe, expect, it } from 'vitest'
import { type IsMulti, literal, type Way } from '../../../worker/policy/literals.ts'
import type { Condition } from '../../../worker/policy/policy.ts'
import { ALL_MULTI, allOf, anyOf, isPartOf, MOST_WAYS, waysOf } from '../../../worker/policy/ways.ts'

const isSingle: IsMulti = () => false
const claim = (name: string, value: string) => literal({ claim: name, eq: value }, false)
/** So many ways, each another value of one claim. */
const values = (count: number, name = 'c'): Way[] => Array.from({ length: count }, (_, at) => [claim(name, `v${at}`)])
const [a, b] = [claim('a', 'x'), claim('b', 'x')]
const all = (isMulti: IsMulti, ...parts: (readonly Way[] | undefined)[]) =>
  allOf(
    parts.map((part) => () => part),
    isMulti,
  )
const keys = (ways: readonly Way[] | undefined) => ways?.map((way) => way.map(({ key }) => key))

describe('POLICY 4: ways', () => {
  it.each<[string, Condition, boolean]>([
    ['all of nothing', { all: [] }, false],
    ['any of nothing', { any: [] }, true],
    ['the opposite of all of nothing', { all: [] }, true],
    ['the opposite of everybody', { anyone: true }, true],
  ])('POLICY 2: %s holds in no way', (_, when, not) => {
    expect(waysOf(when, not, ALL_MULTI)).toEqual([])
  })

  it('POLICY 4: a condition and its opposite are remembered apart', () => {
    const when: Condition = {
      any: [
        { claim: 'a', eq: 'x' },
        { claim: 'b', eq: 'x' },
      ],
    }
    expect(keys(waysOf(when, false, ALL_MULTI))).toEqual([[a.key], [b.key]])
    expect(keys(waysOf(when, true, ALL_MULTI))).toEqual([[a.opposite, b.opposite]])
    expect(waysOf(when, false, ALL_MULTI)).toBe(waysOf(when, false, ALL_MULTI))
    expect(waysOf(when, true, ALL_MULTI)).toBe(waysOf(when, true, ALL_MULTI))
  })

  it('POLICY 4: of ways only the smallest are kept, however they come', () => {
    expect(keys(anyOf([[[a, b]], [[a]]]))).toEqual([[a.key]])
    expect(keys(anyOf([[[a]], [[a, b]], [[b]]]))).toEqual([[a.key], [b.key]])
    expect(keys(all(ALL_MULTI, [[a, b], [a]], [[a], [b]]))).toEqual([[a.key]])
    expect(isPartOf([a], [a, b])).toBe(true)
    expect(isPartOf([claim('a', 'x')], [b, a])).toBe(true)
    expect(isPartOf([a, b], [a])).toBe(false)
  })

  it('POLICY 4: what has one part is that part', () => {
    const ways = values(2)
    expect(anyOf([ways])).toBe(ways)
    expect(all(ALL_MULTI, ways)).toBe(ways)
    expect(all(ALL_MULTI, [[]], ways)).toEqual(ways)
    const everybody = waysOf({ anyone: true }, false, ALL_MULTI)
    expect(all(ALL_MULTI, everybody, ways)).toBe(ways)
    expect(all(ALL_MULTI, ways, everybody)).toBe(ways)
    expect(all(ALL_MULTI, ways, [[]])).toEqual(ways)
  })

  it('POLICY 6: 256 ways are listed and no more', () => {
    expect(anyOf([values(200), values(56, 'd')])).toHaveLength(MOST_WAYS)
    expect(anyOf([values(200), values(57, 'd')])).toBeUndefined()
    expect(all(ALL_MULTI, values(16), values(16, 'd'))).toHaveLength(MOST_WAYS)
    expect(all(ALL_MULTI, values(17), values(16, 'd'))).toBeUndefined()
    expect(all(ALL_MULTI, values(257))).toBeUndefined()
    expect(all(ALL_MULTI, values(256))).toHaveLength(256)
  })

  it('POLICY 6: a product, or a sum, is counted before it is built', () => {
    // Of 32 by 32 values of a claim of which people have one, 32 are left.
    expect(all(isSingle, values(32), values(32))).toHaveLength(32)
    expect(all(isSingle, values(33), values(32))).toBeUndefined()
    const same = (count: number): Way[] => Array.from({ length: count }, () => [a])
    expect(anyOf([same(512), same(512)])).toHaveLength(1)
    expect(anyOf([same(512), same(513)])).toBeUndefined()
  })

  it('POLICY 6: what has too many ways in one part has too many', () => {
    expect(all(ALL_MULTI, undefined, [[a]])).toBeUndefined()
    expect(all(ALL_MULTI, [[a]], undefined)).toBeUndefined()
    expect(anyOf([undefined, [[a]]])).toBeUndefined()
    expect(anyOf([[[a]], undefined])).toBeUndefined()
  })

  it('POLICY 4: nothing that holds with something is nothing, and nothing more is looked at', () => {
    let looked = 0
    const part = () => {
      looked += 1
      return [[a]] as Way[]
    }
    expect(allOf([() => [], part], ALL_MULTI)).toEqual([])
    expect(looked).toBe(0)
  })
})

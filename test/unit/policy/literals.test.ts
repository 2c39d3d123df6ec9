// Atoms and their opposites: which are the same, which cannot hold together, and what one says for two.
import { describe, expect, it } from 'vitest'
import type { AtomCondition } from '../../../worker/policy/compile-atom.ts'
import { type IsMulti, keyOf, literal, together } from '../../../worker/policy/literals.ts'

const isMulti: IsMulti = (claim) => claim === 'email'
const yes = (atom: AtomCondition) => literal(atom, false)
const no = (atom: AtomCondition) => literal(atom, true)
type Some = readonly ReturnType<typeof literal>[]
const told = (way: Some | undefined) => way?.map(({ atom, not }) => (not ? { not: atom } : atom))
const both = (a: Some, b: Some) => told(together(a, b, isMulti))
/** Neither way round do they hold together. */
const never = (a: Some, b: Some) => together(a, b, isMulti) === undefined && together(b, a, isMulti) === undefined
const country = (...values: string[]): AtomCondition => ({ claim: 'country', in: values })

describe('POLICY 4: literals', () => {
  it('POLICY 4: a literal knows its opposite; instants have one form', () => {
    const link = { link: 'l' }
    expect(yes(link)).toEqual({ key: '{"link":"l"}', opposite: '!{"link":"l"}', topic: '{"link":"l"}', not: false, atom: link })
    expect(no(link)).toEqual({ key: '!{"link":"l"}', opposite: '{"link":"l"}', topic: '{"link":"l"}', not: true, atom: link })
    expect(no({ after: 5 })).toEqual(yes({ before: 5 }))
    expect(no({ before: 5 })).toEqual(yes({ after: 5 }))
  })

  it.each<[AtomCondition, string]>([
    [{ after: 5 }, 'time'],
    [{ before: 5 }, 'time'],
    [{ claim: 'email', eq: 'x' }, 'claim email'],
    [{ purpose: ['A'] }, 'purpose'],
    [{ client: ['a'] }, 'client'],
    [{ context: 'ward', eq: 'x' }, 'context ward'],
    [{ client_trust: ['pushed'] }, '{"client_trust":["pushed"]}'],
  ])('POLICY 4: %j is about %s', (atom, topic) => {
    expect(yes(atom).topic).toBe(topic)
  })

  it('POLICY 4: the same for the same meaning: the order of lists and members makes no difference, values do', () => {
    const same = (a: object, b: object) => keyOf([a as never]) === keyOf([b as never])
    expect(same({ claim: 'c', in: ['b', 'a', 'b'] }, { in: ['a', 'b'], claim: 'c' })).toBe(true)
    expect(same({ claim: 'c', eq: 'a' }, { claim: 'c', eq: 'a', iss: undefined })).toBe(true)
    expect(same({ claim: 'c', in: ['a'] }, { claim: 'c', in: ['a', 'b'] })).toBe(false)
    expect(same({ claim: 'c', eq: 'a' }, { claim: 'd', eq: 'a' })).toBe(false)
    expect(same({ context: 'c', eq: 1 }, { context: 'c', eq: '1' })).toBe(false)
    expect(same({ context: 'c', eq: null }, { context: 'c', eq: {} })).toBe(false)
    expect(keyOf([{ uses: { per: 'rqp', key: 'k', max: 2 } }])).toBe('[{"uses":{"key":"k","max":2,"per":"rqp"}}]')
    expect(keyOf([{ link: 'b' }, { link: 'a' }])).toBe(keyOf([{ link: 'a' }, { link: 'b' }]))
  })

  it('POLICY 4: what is told already is told once; an opposite never holds with it', () => {
    expect(both([yes({ link: 'l' })], [yes({ link: 'l' })])).toEqual([{ link: 'l' }])
    expect(both([yes({ link: 'l' })], [yes({ link: 'm' })])).toEqual([{ link: 'l' }, { link: 'm' }])
    expect(never([yes({ link: 'l' })], [no({ link: 'l' })])).toBe(true)
    expect(both([], [yes({ link: 'l' })])).toEqual([{ link: 'l' }])
    expect(both([yes({ link: 'l' })], [])).toEqual([{ link: 'l' }])
  })

  it('POLICY 4: of instants the stricter is told; a time without an instant is none', () => {
    const [since, until] = [(at: number) => yes({ after: at }), (at: number) => yes({ before: at })]
    expect(both([since(3)], [since(5)])).toEqual([{ after: 5 }])
    expect(both([since(5)], [since(3)])).toEqual([{ after: 5 }])
    expect(both([until(3)], [until(5)])).toEqual([{ before: 3 }])
    expect(both([until(5)], [until(3)])).toEqual([{ before: 3 }])
    expect(both([since(3)], [until(4)])).toEqual([{ after: 3 }, { before: 4 }])
    expect(both([until(4)], [since(3)])).toEqual([{ before: 4 }, { after: 3 }])
    expect(both([since(1), until(9)], [since(2)])).toEqual([{ after: 2 }, { before: 9 }])
    expect(both([since(1), until(9)], [until(8)])).toEqual([{ after: 1 }, { before: 8 }])
    expect(never([since(3)], [until(3)])).toBe(true)
    expect(never([since(4)], [until(3)])).toBe(true)
    expect(never([since(1), until(3)], [since(3)])).toBe(true)
    expect(never([until(9), since(5)], [until(5)])).toBe(true)
    expect(together([], [since(3), until(3)], isMulti)).toBeUndefined()
  })

  it.each<[string, (...values: string[]) => AtomCondition]>([
    ['purposes', (...values) => ({ purpose: values })],
    ['apps', (...values) => ({ client: values })],
    ['values of the context', (...values) => ({ context: 'ward', in: values })],
  ])('POLICY 4: of two lists of %s what is in both is left', (_, list) => {
    const single = (value: string): AtomCondition => ('context' in list('x') ? { context: 'ward', eq: value } : list(value))
    expect(both([yes(list('a', 'b', 'c'))], [yes(list('b', 'c', 'd'))])).toEqual([list('b', 'c')])
    expect(both([yes(list('a', 'b'))], [yes(list('b', 'd'))])).toEqual([single('b')])
    expect(never([yes(list('a'))], [yes(list('b'))])).toBe(true)
    expect(both([yes(list('a', 'b', 'c'))], [no(list('b'))])).toEqual([list('a', 'c')])
    expect(both([no(list('b'))], [yes(list('a', 'b', 'c'))])).toEqual([list('a', 'c')])
    expect(never([yes(list('a', 'b'))], [no(list('b', 'a'))])).toBe(true)
    expect(both([no(list('a'))], [no(list('b'))])).toEqual([{ not: list('a') }, { not: list('b') }])
    expect(both([yes(list('a', 'b')), yes({ link: 'l' })], [yes(list('b', 'c'))])).toEqual([{ link: 'l' }, single('b')])
  })

  it('POLICY 4: lists about different things are not put together', () => {
    const [ward, floor] = [yes({ context: 'ward', in: ['a', 'b'] }), yes({ context: 'floor', in: ['b', 'c'] })]
    expect(both([ward], [floor])).toEqual([ward.atom, floor.atom])
    expect(both([ward], [yes({ client: ['b'] })])).toEqual([ward.atom, { client: ['b'] }])
    const one: AtomCondition = { context: 'ward', in: ['a'] }
    expect(both([yes(one), yes({ client: ['a', 'b'] })], [yes({ client: ['b', 'c'] })])).toEqual([one, { client: ['b'] }])
    expect(both([yes({ context: 'n', eq: 1 })], [yes({ context: 'n', in: [1, 2] })])).toEqual([{ context: 'n', eq: 1 }])
  })

  it('POLICY 4: of a claim of which people have one, two values are nobody', () => {
    const eq = (value: string): AtomCondition => ({ claim: 'country', eq: value })
    expect(never([yes(eq('US'))], [yes(eq('DE'))])).toBe(true)
    expect(never([yes(country('US', 'FR'))], [yes(eq('DE'))])).toBe(true)
    expect(never([yes(country('US', 'FR'))], [no(country('FR', 'US', 'DE'))])).toBe(true)
    expect(both([yes(country('US', 'FR'))], [yes(eq('FR'))])).toEqual([country('US', 'FR'), eq('FR')])
    expect(both([yes(country('US', 'FR'))], [no(eq('FR'))])).toEqual([country('US', 'FR'), { not: eq('FR') }])
    expect(both([no(eq('US'))], [no(eq('DE'))])).toEqual([{ not: eq('US') }, { not: eq('DE') }])
    expect(both([yes({ claim: 'email', eq: 'a' })], [yes({ claim: 'email', eq: 'b' })])).toHaveLength(2)
    expect(both([yes(eq('US'))], [yes({ claim: 'acr', eq: 'DE' })])).toHaveLength(2)
    expect(both([yes(eq('US'))], [yes({ claim: 'country', domain: 'd' })])).toHaveLength(2)
    expect(both([yes({ claim: 'country', domain: 'd' })], [yes(eq('US'))])).toHaveLength(2)
  })

  it('POLICY 4: whose names they are makes a difference: organisations know a value by another MAC', () => {
    const mine: AtomCondition = { claim: 'country', eq: 'US' }
    const theirs: AtomCondition = { claim: 'country', eq: 'DE', names: 'org' }
    expect(both([yes(mine)], [yes(theirs)])).toEqual([mine, theirs])
    expect(never([yes(theirs)], [yes({ claim: 'country', in: ['US', 'FR'], names: 'org' })])).toBe(true)
  })

  it('POLICY 4: a level that is high enough and not high enough is nobody’s', () => {
    const level = (gte: number): AtomCondition => ({ claim: 'acr', gte })
    expect(never([yes(level(3))], [no(level(2))])).toBe(true)
    expect(never([yes(level(2)), yes(level(4))], [no(level(3))])).toBe(true)
    expect(never([yes({ claim: 'acr', gte: 3, iss: ['i'] })], [no(level(3))])).toBe(true)
    expect(both([yes(level(2))], [no(level(3))])).toEqual([level(2), { not: level(3) }])
    expect(both([no(level(2))], [no(level(3))])).toEqual([{ not: level(2) }, { not: level(3) }])
    expect(both([yes({ claim: 'email', gte: 3 })], [no({ claim: 'email', gte: 2 })])).toHaveLength(2)
  })
})

// How long decisions take (POLICY 1.2): 50 rules within 100 microseconds, 500 within a millisecond; the worst rule is refused in no time.
import { describe, expect, it } from 'vitest'
import { checkPolicy } from '../../../worker/policy/check.ts'
import { decide } from '../../../worker/policy/decide.ts'
import { who } from '../../../worker/policy/who.ts'
import { asked, assessed, BOMBS, fact, fastest, NOW, rule, thing, world } from './worlds.ts'

const cell = { resource_id: 'photo', scope: 'view' }
const photo = thing('photo')
const rules = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    at % 10 === 0
      ? rule(`f${at}`, { client: [`evil${at}`] }, { effect: 'forbid' })
      : rule(`p${at}`, { all: [{ claim: 'email', eq: `m${at}` }, { any: [{ claim: 'acr', gte: 2 }, { before: NOW - 1 }] }] }),
  )

describe('POLICY 1.2: speed', () => {
  it.each([
    [50, 'everything known', [fact('email', 'm7'), fact('acr', '2', { level: 2 })], 'true', 0.1],
    [50, 'nothing known', [], 'unknown', 0.1],
    [500, 'everything known', [fact('email', 'm7'), fact('acr', '2', { level: 2 })], 'true', 1],
    [500, 'nothing known', [], 'unknown', 1],
  ] as const)('POLICY 1.2: %d rules, %s', (count, _, facts, kind, most) => {
    const all = rules(count)
    const here = world({ facts })
    const once = () => decide(cell, photo, all, undefined, here).value.kind
    expect(once()).toBe(kind)
    expect(fastest(once, 1000)).toBeLessThan(most)
  })

  it('POLICY 1.2: a ticket for everything, a thousand cells with 500 rules each, takes no second', () => {
    const all = rules(500)
    const things = Array.from({ length: 50 }, (_, at) => thing(`t${at}`, { scopes: Array.from({ length: 20 }, (_, scope) => `s${scope}`) }))
    const cells = things.map(({ id, scopes }) => asked(id, [...scopes]))
    const once = () => assessed(cells, all, { facts: [fact('email', 'm7'), fact('acr', '2', { level: 2 })] }, { things }).kind
    expect(once()).toBe('granted')
    expect(fastest(once, 5)).toBeLessThan(500)
  })
})

describe('POLICY 6: speed of a refusal', () => {
  it('POLICY 6: sixty conditions that would take 18 seconds to work out are refused within 50 milliseconds', () => {
    const refused = () => BOMBS.map((when) => checkPolicy(rule('p', when)).length)
    expect(refused()).toEqual([1, 1, 1])
    expect(fastest(refused, 20)).toBeLessThan(50)
  })
})

describe('POLICY 4: speed of the reverse query', () => {
  it('POLICY 4: a thousand things with ten rules each', () => {
    const rules = Array.from({ length: 10 }, (_, at) => rule(`p${at}`, { all: [{ claim: 'email', eq: `m${at}` }, { before: NOW + at }] }))
    rules.push(rule('f', { any: [{ client: ['evil'] }, { after: NOW + 5 }] }, { effect: 'forbid' }))
    const things = Array.from({ length: 1000 }, (_, at) => thing(`t${at}`))
    const all = (few = things) => few.map((one) => who({ resource_id: one.id, scope: 'view' }, one, rules, undefined).ways.length)
    expect(new Set(all())).toEqual(new Set([10]))
    expect(fastest(() => all(things.slice(0, 20)))).toBeLessThan(50 / 50)
  })
})

// The state of a process of asking and showing: it grows, it ends, it never asks again for what is there.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterRound, BEGINNING, isOver, type Rounds, wantsWhatItHas } from '../../worker/negotiation/rounds.ts'
import { isProgress, MOST_SHOWN, type Shown, withShown } from '../../worker/negotiation/shown.ts'
import { MOST_CLAIMS } from '../../worker/policy/check.ts'

const shown = (value: string, more: Partial<Shown> = {}): Shown => ({
  claim: 'email',
  value,
  iss: 'us',
  presented_at: 100,
  exp: 200,
  ...more,
})
const [IDLE, NEW, POLL] = [
  { isNew: false, isPoll: false },
  { isNew: true, isPoll: false },
  { isNew: false, isPoll: true },
]
const roundsOf = (...rounds: { isNew: boolean; isPoll: boolean }[]): Rounds => rounds.reduce<Rounds>(afterRound, BEGINNING)

describe('DESIGN decision 6: rounds', () => {
  it('DESIGN decision 6: three rounds without progress are the end, and progress begins anew', () => {
    expect([roundsOf(), roundsOf(IDLE), roundsOf(IDLE, IDLE)].map(isOver)).toEqual([false, false, false])
    expect(isOver(roundsOf(IDLE, IDLE, IDLE))).toBe(true)
    expect(isOver(roundsOf(IDLE, IDLE, NEW, IDLE, IDLE))).toBe(false)
  })

  it('DESIGN decision 6: sixty-four rounds are the end, whatever they bring', () => {
    expect(isOver(roundsOf(...Array<typeof NEW>(63).fill(NEW)))).toBe(false)
    expect(isOver(roundsOf(...Array<typeof NEW>(64).fill(NEW)))).toBe(true)
  })

  it('UMA Grant 3.3.6: asking whether the owner has answered is no round', () => {
    expect(roundsOf(...Array<typeof POLL>(1000).fill(POLL))).toEqual(BEGINNING)
    expect(roundsOf(IDLE, { isNew: true, isPoll: true })).toEqual({ generation: 1, idle: 0 })
  })

  it('DESIGN decision 6: who was asked and comes back with nothing new gets what holds already; nobody does at the first time', () => {
    expect([wantsWhatItHas(BEGINNING, false), wantsWhatItHas(roundsOf(IDLE), true), wantsWhatItHas(roundsOf(IDLE), false)]).toEqual([
      false,
      false,
      true,
    ])
  })

  it('DESIGN decision 6: every process ends', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 64, maxLength: 80 }), (news) => {
        let rounds = BEGINNING
        for (const isNew of news) {
          const next = afterRound(rounds, { isNew, isPoll: false })
          expect(next.generation).toBe(rounds.generation + 1)
          rounds = next
        }
        expect(isOver(rounds)).toBe(true)
      }),
    )
  })
})

describe('WG 2011-02-24: what was shown', () => {
  it('WG 2011-02-24: stays, and what is shown anew takes the place of the old', () => {
    expect(withShown([shown('a'), shown('b')], [shown('a', { exp: 300 })])).toEqual([shown('b'), shown('a', { exp: 300 })])
    expect(withShown([shown('a')], [shown('b'), shown('a', { exp: 300 })])).toEqual([shown('b'), shown('a', { exp: 300 })])
    expect(withShown([shown('a')], [shown('a', { claim: 'sub' })])).toHaveLength(2)
  })

  it('CLAIMS 5.5: of what a registered issuer says of a claim the newest counts alone', () => {
    const [old, newer] = ['x', 'y'].map((value) => shown(value, { iss: 'idp', trust: 'operator' })) as [Shown, Shown]
    expect(withShown([old, shown('a')], [newer])).toEqual([shown('a'), newer])
    expect(withShown([shown('a')], [shown('b')])).toHaveLength(2)
  })

  it('POLICY 6: a ticket has room for as many facts as a rule may want, and the newest are kept', () => {
    expect(MOST_SHOWN).toBe(MOST_CLAIMS)
    const many = Array.from({ length: MOST_SHOWN + 2 }, (_, at) => shown(`v${at}`))
    expect(withShown(many.slice(0, 6), many.slice(6)).map(({ value }) => value)).toEqual(many.slice(2).map(({ value }) => value))
  })

  it.each([
    ['nothing', [], false],
    ['the same once more', [shown('a')], false],
    ['the same, but older', [shown('a', { presented_at: 50 })], false],
    ['the same, shown later', [shown('a', { presented_at: 101 })], true],
    ['the same, for longer', [shown('a', { exp: 201 })], true],
    ['another value', [shown('b')], true],
    ['another claim', [shown('a', { claim: 'sub' })], true],
    ['another issuer', [shown('a', { iss: 'idp' })], true],
    ['something old and something new', [shown('a'), shown('b')], true],
  ])('DESIGN decision 6: progress: %s', (_, now, expected) => {
    expect(isProgress([shown('a')], now)).toBe(expected)
    expect(isProgress([shown('z'), shown('a')], now)).toBe(expected)
  })
})

// Cedar as judge (POLICY 7, P18 and P19): the rules as Cedar text, decided by Cedar 4, must not be contradicted. The long ring tries
// forty thousand sets of rules (test/long/cedar.test.ts); here it is five thousand each way, as for every property.
import { describe, expect, it } from 'vitest'
import { cedarText, cedarValue } from '../../worker/policy/cedar.ts'
import type { Policy } from '../../worker/policy/policy.ts'
import { compared } from './compared.ts'
import { rule, THING } from './engine.ts'
import { wholeDecision } from './oracle.ts'
import { PLAIN } from './people.ts'
import { RUNS, times } from './runs.ts'

/** Cedar reads each set of rules anew: seconds of work, on a machine that may have other work, in milliseconds. */
const PATIENCE = 180_000

const asks = (...policies: Policy[]) => wholeDecision({ policies, thing: THING, scope: 'view', type: undefined }, PLAIN, [])

describe('POLICY 7: Cedar', () => {
  it(
    'POLICY 7 P18: what is unknown to both is decided alike, or Cedar leaves it open',
    () => {
      const { counts, contradictions } = compared('partial', RUNS)
      expect(contradictions).toEqual([])
      const agreed = ['true allow', 'false deny', 'unknown open'] as const
      if (times(RUNS) > 500) for (const pair of agreed) expect(counts[pair]).toBeGreaterThan(0)
    },
    PATIENCE,
  )

  it(
    'POLICY 7 P19: Cedar allows exactly where the engine says true',
    () => {
      const { counts, contradictions } = compared('whole', RUNS)
      expect(contradictions).toEqual([])
      if (times(RUNS) > 500) for (const pair of ['true allow', 'unknown deny'] as const) expect(counts[pair]).toBeGreaterThan(0)
    },
    PATIENCE,
  )

  it('POLICY 4: any text in a rule is a literal of Cedar, and numbers stay numbers', () => {
    for (const said of ['"', '\\', '\n\u0000"]', 'é€😀', "'", '\u202e', ' ~!#[]'])
      for (const [value, allowed] of [
        [said, 'allow'],
        [`${said}x`, 'deny'],
      ] as const) {
        const at = { ...PLAIN, context: { [said]: said } }
        const asked = { policies: [rule('p', { context: said, eq: value })], thing: THING, scope: 'view', type: undefined }
        expect(wholeDecision(asked, at, [])).toBe(allowed)
      }
    for (const number of [0, -7, 1.5, 1e300, Number.MAX_SAFE_INTEGER]) {
      const asked = { policies: [rule('p', { context: 'n', in: [number] })], thing: THING, scope: 'view', type: undefined }
      expect(wholeDecision(asked, { ...PLAIN, context: { n: number } }, [])).toBe('allow')
      expect(wholeDecision(asked, { ...PLAIN, context: { n: String(number) } }, [])).toBe('deny')
    }
    expect([cedarValue(1.5), cedarValue(2), cedarValue('x'), cedarValue(true)]).toEqual(['number 1.5', 2, 'x', true])
  })

  it('POLICY 4: what means nothing permits nothing and lifts no prohibition', () => {
    const odd = { colour: 'green' } as unknown as Policy['when']
    for (const when of [{ all: [] }, { any: [] }, { seq: [] }, odd] as Policy['when'][])
      for (const form of [when, { not: when }]) {
        expect(asks(rule('p', form))).toBe('deny')
        expect(asks(rule('p', { anyone: true }), rule('p', form, { effect: 'forbid' }))).toBe('deny')
        expect(asks(rule('p', { anyone: true }), rule('p', form, { effect: 'require' }))).toBe('deny')
      }
    expect(asks(rule('p', { anyone: true }))).toBe('allow')
    expect(asks(rule('p', { anyone: true }, { tier: 'platform' }))).toBe('deny')
  })

  it('POLICY 4: the text names the rule, and reads like what people wrote', () => {
    const text = cedarText(
      [rule('p', { claim: 'email', eq: 'mac' }, { target: { resources: ['labs'], descend: true }, scopes: ['view'] })],
      [],
    )
    expect(text).toBe(
      [
        '@id("p")',
        'permit (principal, action, resource)',
        'when { ["owner", "either"].contains(resource.authority) }',
        'when { resource in [Thing::"labs"] }',
        'when { [Action::"view"].contains(action) }',
        'when { ((context.claims has "email") && (context.now < context.claims["email"].exp) && (context.claims["email"].iat <= context.now + 60) && (!(context.claims["email"] has named && context.claims["email"].named))) && (context.claims["email"].mac == "mac") };',
        '',
      ].join('\n'),
    )
  })
})

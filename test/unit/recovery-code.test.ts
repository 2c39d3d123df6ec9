import { describe, expect, it } from 'vitest'
import { newRecoveryCode, readRecoveryCode, unwrapWithCode, wrapWithCode } from '../../worker/tokens/recovery-code.ts'

const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'secret' }

describe('recovery code (DESIGN decision 7)', () => {
  it('DESIGN 5.7: 140 bits in seven groups of letters that cannot be mistaken', () => {
    const codes = Array.from({ length: 200 }, newRecoveryCode)
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){6}$/)
    expect(new Set(codes).size).toBe(200)
  })

  it('DESIGN 5.7: what it wraps opens with it and with nothing else', async () => {
    const [code, other] = [newRecoveryCode(), newRecoveryCode()]
    const wrapped = await wrapWithCode(key, code, 'alice')
    expect(await unwrapWithCode(wrapped, code.toLowerCase(), 'alice')).toEqual(key)
    expect(await unwrapWithCode(wrapped, other, 'alice')).toBeUndefined()
    expect(await unwrapWithCode(wrapped, code, 'carol')).toBeUndefined()
    expect(await unwrapWithCode(wrapped, '', 'alice')).toBeUndefined()
    expect(wrapped).not.toContain('secret')
  })

  it('DESIGN 5.7: one key wrapped twice looks different', async () => {
    const code = newRecoveryCode()
    expect(await wrapWithCode(key, code, 'alice')).not.toBe(await wrapWithCode(key, code, 'alice'))
  })

  for (const [why, typed, read] of [
    ['in capitals', '0123-4567-89ab-cdef-ghjk-mnpq-rstv', '0123456789ABCDEFGHJKMNPQRSTV'],
    ['O for zero, I and L for one', 'OI23-4567-89ab-cdef-ghjk-mnpq-rstl', '0123456789ABCDEFGHJKMNPQRST1'],
    ['without dashes', ' 0123 4567 89ab cdef ghjk mnpq rstv ', '0123456789ABCDEFGHJKMNPQRSTV'],
    ['too short', '0123-4567', undefined],
    ['a letter that is in no code', 'U123-4567-89ab-cdef-ghjk-mnpq-rstv', undefined],
    ['a book', 'A'.repeat(100_000), undefined],
  ] as const) {
    it(`UX: read as a person types it: ${why}`, () => {
      expect(readRecoveryCode(typed)).toBe(read)
    })
  }
})

// PKCE: the vector of RFC 7636 and the form of a verifier.
import { describe, expect, it } from 'vitest'
import { fromBase64url, toBase64url } from '../../shared/base64url.ts'
import { codeChallengeOf, isCodeVerifier, makeCodeVerifier } from '../../shared/pkce.ts'

describe('RFC 7636: PKCE', () => {
  it('RFC 7636 appendix B: the printed verifier gives the printed challenge', async () => {
    expect(await codeChallengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  })

  it('RFC 7636 4.1: a verifier has 43 characters out of 32 random bytes', () => {
    const verifier = makeCodeVerifier((count) => new Uint8Array(count).fill(255))
    expect(verifier).toBe('__________________________________________8')
    expect(isCodeVerifier(verifier)).toBe(true)
  })

  it.each([['short'], ['x'.repeat(129)], [`${'x'.repeat(43)}=`], [`${'x'.repeat(43)} `]])('RFC 7636 4.1: %s is no verifier', (text) => {
    expect(isCodeVerifier(text)).toBe(false)
  })

  it('RFC 4648 5: base64url without padding, strictly', () => {
    expect(toBase64url(Uint8Array.from([251, 255, 0]))).toBe('-_8A')
    expect(fromBase64url('-_8A')).toEqual(Uint8Array.from([251, 255, 0]))
    for (const text of ['a', '+/8A', 'AA==', 'A A']) expect(fromBase64url(text)).toBeUndefined()
  })
})

// WWW-Authenticate as others write it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findUmaChallenges, formatChallenge, formatUmaChallenge, parseChallenges } from '../../shared/challenge.ts'

const UMA = 'UMA realm="r", as_uri="https://as.example.com", ticket="abc"'
const expected = { realm: 'r', asUri: 'https://as.example.com', ticket: 'abc' }

describe('UMA Grant 3.2.1: the challenge of a resource server', () => {
  it.each([
    ['alone', UMA],
    ['before another', `${UMA}, Bearer resource_metadata="https://rs.example/.well-known/oauth-protected-resource"`],
    ['behind another', `Bearer realm="x", error="invalid_token", ${UMA}`],
    ['behind one with a token68', `Negotiate YII=, ${UMA}`],
    ['behind one without parameters', `Negotiate, ${UMA}`],
    ['between two', `DPoP algs="ES256 EdDSA", ${UMA}, Basic realm="b"`],
    ['in another case', 'uma REALM="r", As_Uri="https://as.example.com", TICKET="abc"'],
    ['with token values', 'UMA realm=r, as_uri="https://as.example.com", ticket=abc'],
    ['with spaces around =', 'UMA realm = "r" ,as_uri= "https://as.example.com" , ticket ="abc"'],
    ['with empty list members', `, ,${UMA}, ,`],
    ['with parameters that nobody knows', `${UMA}, x="1"`],
  ])('UMA Grant 3.2.1: found %s', (_where, header) => {
    expect(findUmaChallenges(header)).toEqual([expected])
  })

  it.each([
    ['no header', null],
    ['an empty header', ''],
    ['another scheme', 'Bearer realm="r", as_uri="https://as.example.com", ticket="abc"'],
    ['no ticket', 'UMA realm="r", as_uri="https://as.example.com"'],
    ['no as_uri', 'UMA realm="r", ticket="abc"'],
    ['an empty ticket', 'UMA as_uri="https://as.example.com", ticket=""'],
    ['parameters without a scheme', 'as_uri="https://as.example.com", ticket="abc"'],
    ['garbage', '"""=,,;;'],
  ])('UMA Grant 3.2.2: nothing to go on with: %s', (_why, header) => {
    expect(findUmaChallenges(header)).toEqual([])
  })

  it('UMA Grant 3.2.1: one challenge for each authorization server', () => {
    const other = 'UMA as_uri="https://other.example", ticket="def"'
    expect(findUmaChallenges(`${UMA}, ${other}`)).toEqual([expected, { asUri: 'https://other.example', ticket: 'def' }])
  })

  it('RFC 9110 11.2: the first of a repeated parameter counts', () => {
    expect(findUmaChallenges(`${UMA}, ticket="evil"`)).toEqual([expected])
  })

  it('RFC 9110 5.6.4: a quoted string with commas, quotes and backslashes', () => {
    const realm = 'a, UMA ticket="x" \\ b'
    expect(findUmaChallenges(formatUmaChallenge({ ...expected, realm }))).toEqual([{ ...expected, realm }])
  })

  it('RFC 9110 11.2: printing then reading gives the same, whatever the text', () => {
    const ascii = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
    fc.assert(
      fc.property(ascii, ascii, (realm, ticket) => {
        const [found] = parseChallenges(`Bearer error="x", ${formatChallenge('UMA', { realm, ticket })}, Basic realm="b"`).slice(1)
        expect(found?.parameters.get('realm')).toBe(realm)
        expect(found?.parameters.get('ticket')).toBe(ticket)
      }),
    )
  })

  it('RFC 9110 5.5: no line break gets into a header', () => {
    expect(formatChallenge('UMA', { realm: 'a\r\nSet-Cookie: b' })).toBe('UMA realm="aSet-Cookie: b"')
  })

  it('RFC 9110 11.6.1: reading ends for any text', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(parseChallenges(header).every(({ scheme }) => scheme !== '')).toBe(true)
      }),
    )
  })
})

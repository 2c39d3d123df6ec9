import { describe, expect, it } from 'vitest'
import { networkOf } from '../../worker/http/limits.ts'
import { codeMail } from '../../worker/http/mail-texts.ts'
import { responseUri } from '../../worker/http/redirect.ts'

describe('networks that are counted as one (CLAIMS 7)', () => {
  for (const [why, address, network] of [
    ['/24 of an IPv4 address', '203.0.113.9', '203.0.113'],
    ['the same, written as IPv6', '::ffff:203.0.113.200', '203.0.113'],
    ['/64 of an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['the same, shortened', '2001:0DB8:0001:0002::1', '2001:db8:1:2'],
    ['zeros in front', '::1:2:3', '0:0:0:0'],
    ['zeros in the middle', '2001:db8::1', '2001:db8:0:0'],
    ['this machine', '127.0.0.1', undefined],
    ['this machine', '::1', undefined],
    ['no header', undefined, undefined],
    ['nonsense', 'x', undefined],
  ] as const) {
    it(`CLAIMS 7: ${why}: ${address} -> ${network}`, () => {
      expect(networkOf(address)).toBe(network)
    })
  }
})

describe('the way back to an app (UMA Grant 3.3.2)', () => {
  for (const [uri, expected] of [
    ['https://c.example/cb', 'https://c.example/cb?ticket=a.b&state=x%20%26%2B'],
    ['https://c.example/cb?', 'https://c.example/cb?ticket=a.b&state=x%20%26%2B'],
    ['https://c.example/cb?x=1', 'https://c.example/cb?x=1&ticket=a.b&state=x%20%26%2B'],
    ['https://c.example/cb?x=1&', 'https://c.example/cb?x=1&ticket=a.b&state=x%20%26%2B'],
    ['https://c.example/cb?x=a%20b+c', 'https://c.example/cb?x=a%20b+c&ticket=a.b&state=x%20%26%2B'],
    ['com.example.app:/cb', 'com.example.app:/cb?ticket=a.b&state=x%20%26%2B'],
  ] as const) {
    it(`UMA Grant 3.3.2: ${uri} keeps its own query to the letter`, () => {
      expect(responseUri(uri, { ticket: 'a.b', state: 'x &+', iss: undefined })).toBe(expected)
    })
  }
})

describe('the mail with a code (CLAIMS 7)', () => {
  for (const lang of ['en', 'de', 'pt'] as const) {
    it(`CLAIMS 7: says where it may be typed and for what, in ${lang}`, () => {
      const claims = codeMail(lang, {
        code: '483 920',
        origin: 'https://as.example',
        minutes: 10,
        use: { kind: 'claims', place: 'photoprint.example' },
      })
      expect(claims.text.startsWith('483 920\n')).toBe(true)
      for (const word of ['https://as.example', 'photoprint.example', '10']) expect(claims.text).toContain(word)
      expect(claims.subject).toContain('as.example')
      expect(claims.subject).not.toContain('483')
      const signIn = codeMail(lang, { code: '483 920', origin: 'https://as.example', minutes: 10, use: { kind: 'sign-in' } })
      expect(signIn.text).not.toBe(claims.text)
      expect(signIn.text).not.toContain('photoprint')
    })
  }
})

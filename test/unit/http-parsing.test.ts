// Strict reading of forms and media types, texts of refusals, and responses in a redirect URI.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describable, OAuthError } from '../../worker/http/errors.ts'
import { fieldsOf, mediaType, paramsOf, readBounded, readPlain, required, scopeOf } from '../../worker/http/form.ts'
import { responseUri } from '../../worker/http/redirect.ts'

const of = (text: string, repeatable?: string[]) => paramsOf(new URLSearchParams(text), repeatable)
const errorOf = (run: () => unknown): string => {
  try {
    run()
    return 'none'
  } catch (error) {
    return error instanceof OAuthError ? error.code : 'other'
  }
}

describe('RFC 6749 3.2: parameters', () => {
  it('RFC 6749 3.2: nothing twice, not even with the same or an empty value', () => {
    for (const text of ['a=1&a=2', 'a=1&a=1', 'a=&a=', 'a=1&b=2&a', 'a=1&%61=2'])
      expect(
        errorOf(() => of(text)),
        text,
      ).toBe('invalid_request')
    expect(errorOf(() => of('a=1&A=2'))).toBe('none')
  })

  it('RFC 8707 2: what may be repeated may be repeated', () => {
    expect(errorOf(() => of('resource=a&resource=b', ['resource']))).toBe('none')
  })

  it('RFC 6749 3.1: an empty value is none', () => {
    expect(errorOf(() => required(of('ticket='), 'ticket'))).toBe('invalid_request')
    expect(required(of('ticket=+'), 'ticket')).toBe(' ')
  })
})

describe('RFC 6749 appendix B: bodies', () => {
  it('RFC 6749 appendix B: a form is read as the URL standard reads it, with and without what is encoded', () => {
    const piece = fc.constantFrom('a', 'token', '=', '&', '%41', '%', '+', '?', ' ', 'ü', '\0', '%ZZ', '&&', '==', '.', '~', '#', '\ufffd')
    const form = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(fc.oneof(form, fc.string()), (text) => {
        expect([...fieldsOf(text)]).toEqual([...new URLSearchParams(text)])
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['plain', readPlain],
    ['bounded', readBounded],
  ])('RFC 3629 3: what is not UTF-8 is refused, a mark at the beginning is none of the text (%s)', async (_, read) => {
    const sent = (...bytes: number[]) =>
      read(
        new Request('https://as.example/', {
          method: 'POST',
          body: new Uint8Array(bytes),
          headers: { 'Content-Length': String(bytes.length) },
        }),
        64,
      )
    await expect(sent(0x61, 0xc3, 0xbc)).resolves.toBe('aü')
    await expect(sent(0xef, 0xbb, 0xbf, 0x61)).resolves.toBe('a')
    for (const wrong of [[0xc3], [0x61, 0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf0, 0x9f, 0x98]])
      await expect(sent(...wrong), String(wrong)).rejects.toMatchObject({ code: 'invalid_request', status: 400 })
  })

  it('RFC 9110 15.5.14: what is longer than it may be is refused, announced or not', async () => {
    const sent = (length: number, headers: Record<string, string>) =>
      readPlain(new Request('https://as.example/', { method: 'POST', body: 'x'.repeat(length), headers }), 64)
    await expect(sent(64, { 'Content-Length': '64' })).resolves.toHaveLength(64)
    await expect(sent(65, { 'Content-Length': '65' })).rejects.toMatchObject({ status: 413 })
    await expect(sent(65, {})).rejects.toMatchObject({ status: 413 })
  })
})

describe('RFC 6749 3.3: scope', () => {
  it.each([
    ['', []],
    ['scope=', []],
    ['scope=a', ['a']],
    ['scope=a+b+a', ['a', 'b']],
    ['scope=+a++b+', ['a', 'b']],
    ['scope=https%3A%2F%2Fx.example%2Fread', ['https://x.example/read']],
  ])('RFC 6749 3.3: %j is %j', (text, scopes) => {
    expect(scopeOf(of(text))).toEqual(scopes)
  })

  it('RFC 6749 3.3: quotation marks, backslashes, controls, other letters and endless lists are none', () => {
    for (const bad of ['"', '\\', 'a\u0000b', 'a\tb', 'a\nb', 'é', 'x'.repeat(4097), 'a '.repeat(2049)]) {
      expect(
        errorOf(() => scopeOf(paramsOf(new URLSearchParams({ scope: bad })))),
        bad.slice(0, 9),
      ).toBe('invalid_scope')
    }
  })
})

describe('RFC 9110 8.3: media types', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON ; Charset="UTF-8"', 'application/json'],
    ['application/json;charset=utf8', 'application/json'],
    ['application/json; profile=x', 'application/json'],
    ['application/json; charset=utf-16', ''],
    ['application/json; x=1; charset=iso-8859-1', ''],
    [undefined, ''],
    [';', ''],
  ])('RFC 9110 8.3: %j counts as %j', (header, type) => {
    expect(mediaType(header)).toBe(type)
  })
})

describe('RFC 6749 5.2: error_description', () => {
  it('RFC 6749 5.2: printable ASCII without quotation mark and backslash', () => {
    expect(describable('"ticket"\\ is\n missing – é')).toBe("'ticket'? is? missing ? ?")
    expect(new OAuthError('invalid_request', 'no "x"').description).toBe("no 'x'")
  })
})

describe('RFC 6749 4.1.2: responses in a redirect URI', () => {
  it.each([
    ['https://a.example/cb', 'https://a.example/cb?code=c%20d'],
    ['https://a.example/cb?', 'https://a.example/cb?code=c%20d'],
    ['https://a.example/cb?x=a%20b+c~%7E', 'https://a.example/cb?x=a%20b+c~%7E&code=c%20d'],
    ['https://a.example/cb?x&', 'https://a.example/cb?x&code=c%20d'],
    ['https://a.example', 'https://a.example?code=c%20d'],
    ['com.example.app:/cb', 'com.example.app:/cb?code=c%20d'],
  ])('RFC 6749 3.1.2: the query of %s is kept letter by letter', (uri, expected) => {
    expect(responseUri(uri, { code: 'c d', state: undefined })).toBe(expected)
  })

  it('RFC 6749 4.1.2: what comes back is what was sent, whatever is in it', () => {
    for (const state of ['&#%', 'a=b&c', '+ +', 'ü☃', '"<>\'', '\r\nX: y', '%0d%0a']) {
      const uri = responseUri('https://a.example/cb?x=1', { state })
      expect(uri).toMatch(/^[\x21-\x7e]+$/)
      expect(new URL(uri).searchParams.get('state')).toBe(state)
    }
    expect(responseUri('https://a.example/cb', { state: '\ud800' })).toBe('https://a.example/cb?state=%EF%BF%BD')
  })
})

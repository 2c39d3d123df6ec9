// Strict reading of forms and media types, texts of refusals, and responses in a redirect URI.
import { describe, expect, it } from 'vitest'
import { describable, OAuthError } from '../../worker/http/errors.ts'
import { mediaType, paramsOf, required, scopeOf } from '../../worker/http/form.ts'
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

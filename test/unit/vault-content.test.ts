// How the vault sends bytes: ranges, names, and what a browser may show in place.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentHeaders, dispositionOf, fileName, mediaType, shapeOf } from '../../worker/vault/media.ts'
import { rangeOf } from '../../worker/vault/range.ts'

const ETAG = '"abc"'

describe('RFC 9110 14: ranges', () => {
  it.each([
    [null, { kind: 'whole' }],
    ['bytes=0-0', { kind: 'part', offset: 0, length: 1 }],
    ['bytes=0-99', { kind: 'part', offset: 0, length: 100 }],
    ['bytes=10-', { kind: 'part', offset: 10, length: 90 }],
    ['bytes=90-1000', { kind: 'part', offset: 90, length: 10 }],
    ['bytes=-10', { kind: 'part', offset: 90, length: 10 }],
    ['bytes=-1000', { kind: 'part', offset: 0, length: 100 }],
    ['bytes=100-', { kind: 'unsatisfiable' }],
    ['bytes=100-200', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=5-4', { kind: 'whole' }],
    ['bytes=0-1,5-6', { kind: 'whole' }],
    ['bytes=', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['items=0-1', { kind: 'whole' }],
    ['bytes=0x0-1', { kind: 'whole' }],
    ['bytes=0-1e3', { kind: 'whole' }],
  ])('RFC 9110 14.1.2: %s of 100 bytes', (range, expected) => {
    expect(rangeOf(range, null, 100, ETAG)).toEqual(expected)
  })

  it.each([
    [ETAG, { kind: 'part', offset: 0, length: 1 }],
    ['"other"', { kind: 'whole' }],
    ['W/"abc"', { kind: 'whole' }],
    ['Wed, 21 Oct 2026 07:28:00 GMT', { kind: 'whole' }],
  ])('RFC 9110 13.1.5: If-Range %s', (ifRange, expected) => {
    expect(rangeOf('bytes=0-0', ifRange, 100, ETAG)).toEqual(expected)
  })

  it('RFC 9110 14.1.2: of an empty file no byte can be had', () => {
    expect(rangeOf('bytes=0-', null, 0, ETAG)).toEqual({ kind: 'unsatisfiable' })
    expect(rangeOf('bytes=-5', null, 0, ETAG)).toEqual({ kind: 'unsatisfiable' })
  })

  it('RFC 9110 14.1.2: a part lies inside the file, whatever was asked', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 1_000_000 }), (first, last, size) => {
        const answer = rangeOf(`bytes=${first}-${last}`, null, size, ETAG)
        if (answer.kind === 'part') expect(answer.length > 0 && answer.offset + answer.length <= size).toBe(true)
      }),
    )
  })
})

describe('RFC 6266: names', () => {
  it.each([
    ['plain', 'Lisbon.pdf', 'attachment; filename="Lisbon.pdf"'],
    ['with spaces and a comma', 'Azulejos, Museu.jpg', 'attachment; filename="Azulejos, Museu.jpg"'],
    ['with accents', 'Avó.m4a', 'attachment; filename="Avo.m4a"; filename*=UTF-8\'\'Av%C3%B3.m4a'],
    ['in another script', '旅行.txt', 'attachment; filename="__.txt"; filename*=UTF-8\'\'%E6%97%85%E8%A1%8C.txt'],
    ['with quotes', 'a"b.txt', 'attachment; filename="a_b.txt"; filename*=UTF-8\'\'a%22b.txt'],
    ['with a percent sign', '100%41.txt', 'attachment; filename="100_41.txt"; filename*=UTF-8\'\'100%2541.txt'],
    ["with ' ( ) *", "it's (1)*é", "attachment; filename=\"it's (1)*e\"; filename*=UTF-8''it%27s%20%281%29%2A%C3%A9"],
    ['with a path', '../../etc/passwd', 'attachment; filename="passwd"'],
    ['with a Windows path', 'C:\\x\\y.txt', 'attachment; filename="y.txt"'],
    ['with a line break', 'a\r\nSet-Cookie: b', 'attachment; filename="aSet-Cookie: b"'],
    ['turned around', 'photo\u202egpj.exe', 'attachment; filename="photogpj.exe"'],
    ['of dots', '..', 'attachment; filename="file"'],
    ['empty', ' ', 'attachment; filename="file"'],
    ['with half a character', 'a\ud800b', 'attachment; filename="a_b"; filename*=UTF-8\'\'a%EF%BF%BDb'],
  ])('RFC 6266 4.3, RFC 8187: %s', (_what, name, header) => {
    expect(dispositionOf('attachment', name)).toBe(header)
  })

  it('RFC 9110 5.5: whatever the name, the header is one line of ASCII with one quoted form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(dispositionOf('inline', name)).toMatch(
          /^inline; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
        )
        expect([...fileName(name)].length).toBeLessThanOrEqual(200)
      }),
    )
  })
})

describe('DESIGN I5: what a browser may show', () => {
  it.each([
    ['image/png', 'image', 'inline'],
    ['audio/mpeg', 'audio', 'inline'],
    ['video/mp4', 'video', 'inline'],
    ['text/plain', 'text', 'inline'],
    ['application/pdf', 'pdf', 'inline'],
    ['image/svg+xml', 'other', 'attachment'],
    ['text/html', 'other', 'attachment'],
    ['application/xhtml+xml', 'other', 'attachment'],
    ['text/xml', 'other', 'attachment'],
    ['application/json', 'other', 'attachment'],
    ['application/octet-stream', 'other', 'attachment'],
  ])('DESIGN I5: %s is %s and goes %s', (type, shape, kind) => {
    const headers = contentHeaders({ name: 'a', type }, false)
    expect(shapeOf(type)).toBe(shape)
    expect(headers['content-disposition']).toMatch(new RegExp(`^${kind};`))
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']?.includes('sandbox')).toBe(shape !== 'pdf')
  })

  it.each([['text/html'], ['image/svg+xml'], ['application/xml'], ['application/atom+xml'], ['text/javascript']])(
    'DESIGN I5: %s never goes out as itself',
    (type) => {
      expect(contentHeaders({ name: 'a', type }, true)['content-type']).toBe('application/octet-stream')
    },
  )

  it('DESIGN I5: a download is never shown in place', () => {
    expect(contentHeaders({ name: 'a.png', type: 'image/png' }, true)['content-disposition']).toBe('attachment; filename="a.png"')
  })

  it.each([
    ['Text/Plain; charset=latin1', 'text/plain'],
    ['', 'application/octet-stream'],
    [null, 'application/octet-stream'],
    ['text', 'application/octet-stream'],
    ['text/plain\r\nx: y', 'application/octet-stream'],
    ['a/b/c', 'application/octet-stream'],
    [`image/${'x'.repeat(100)}`, 'application/octet-stream'],
  ])('RFC 9110 8.3.1: %j is kept as %s', (claimed, type) => {
    expect(mediaType(claimed)).toBe(type)
  })
})

// Range requests (RFC 9110 14): one range of bytes of a file whose size and ETag are known. Pure.

export type RangeAnswer =
  | { kind: 'whole' }
  | { kind: 'part'; offset: number; length: number }
  /** 416, and `Content-Range` names the size. */
  | { kind: 'unsatisfiable' }

/**
 * What a request for a range gets.
 * RFC 9110 14.2: a range that is malformed, in another unit or one of several is ignored and the whole is sent.
 * RFC 9110 13.1.5: with If-Range that does not match strongly, the range is ignored; a weak tag never matches, dates are not given out.
 */
export function rangeOf(range: string | null, ifRange: string | null, size: number, etag: string): RangeAnswer {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(range?.trim() ?? '')
  if (match === null || (ifRange !== null && ifRange.trim() !== etag)) return { kind: 'whole' }
  const [, first, last, suffix] = match
  if (first === undefined) {
    const length = Math.min(Number(suffix), size)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', offset: size - length, length }
  }
  const offset = Number(first)
  if (last !== undefined && Number(last) < offset) return { kind: 'whole' }
  if (offset >= size) return { kind: 'unsatisfiable' }
  const end = last === undefined ? size - 1 : Math.min(Number(last), size - 1)
  return { kind: 'part', offset, length: end - offset + 1 }
}

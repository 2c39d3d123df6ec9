// Sends the bytes of a file: ranges, a strong ETag, never stored by anybody on the way (RFC 9110 13, 14; RFC 9111 5.2).
import type { StoredFile } from './domain.ts'
import type { VaultContext } from './http.ts'
import { contentHeaders } from './media.ts'
import { rangeOf } from './range.ts'

/**
 * The answer with the file, for GET and HEAD. Who may have it was decided before; nothing is checked here.
 * @param extra headers of the way by which it was asked for
 */
export async function sendFile(
  c: VaultContext,
  file: StoredFile,
  asDownload: boolean,
  extra: Record<string, string> = {},
): Promise<Response> {
  const headers = new Headers({
    ...contentHeaders(file, asDownload),
    'accept-ranges': 'bytes',
    etag: file.etag,
    'cache-control': 'no-store',
    vary: 'Authorization, Cookie',
    'referrer-policy': 'no-referrer',
    ...extra,
  })
  const answer = rangeOf(c.req.header('range') ?? null, c.req.header('if-range') ?? null, file.size, file.etag)
  if (answer.kind === 'unsatisfiable') {
    headers.set('content-range', `bytes */${file.size}`)
    for (const name of ['content-disposition', 'content-type', 'etag']) headers.delete(name)
    return new Response(null, { status: 416, headers })
  }
  const length = answer.kind === 'part' ? answer.length : file.size
  headers.set('content-length', String(length))
  if (answer.kind === 'part') headers.set('content-range', `bytes ${answer.offset}-${answer.offset + answer.length - 1}/${file.size}`)
  const status = answer.kind === 'part' ? 206 : 200
  if (c.req.method === 'HEAD') return new Response(null, { status, headers })
  const range = answer.kind === 'part' ? { range: { offset: answer.offset, length: answer.length } } : {}
  const object = file.size === 0 ? null : await c.env.FILES.get(file.key, range)
  if (object === null && file.size > 0) return c.text('The content of this file is gone.\n', 404)
  // Known length: without it the answer would be chunked and a player could not seek.
  const { readable, writable } = new FixedLengthStream(length)
  if (object === null) await writable.close()
  else c.executionCtx.waitUntil(object.body.pipeTo(writable).catch(() => undefined))
  return new Response(readable, { status, headers })
}

/** Does this request begin at the first byte? Later ranges of one showing are not visits of their own. */
export const isFirstLook = (range: string | undefined): boolean => range === undefined || /^bytes=0-/.test(range.trim())

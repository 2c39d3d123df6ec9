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
    for (const name of ['content-disposition', 'content-type', 'etag']) headers.delete(name)
    headers.set('content-range', `bytes */${file.size}`)
    return new Response(null, { status: 416, headers })
  }
  const part = answer.kind === 'part' ? answer : { offset: 0, length: file.size }
  headers.set('content-length', String(part.length))
  if (answer.kind === 'part') headers.set('content-range', `bytes ${part.offset}-${part.offset + part.length - 1}/${file.size}`)
  const status = answer.kind === 'part' ? 206 : 200
  if (c.req.method === 'HEAD') return new Response(null, { status, headers })
  const body = await bodyOf(c, file.key, part)
  return body === undefined ? c.text('The content of this file is gone.\n', 404) : new Response(body, { status, headers })
}

type Part = { offset: number; length: number }

/** The bytes of a part; nothing when the object is not there. */
async function bodyOf(c: VaultContext, key: string, { offset, length }: Part): Promise<ReadableStream | Uint8Array | undefined> {
  if (length === 0) return new Uint8Array()
  const first = await c.env.FILES.get(key, { range: { offset, length: Math.min(length, WINDOW) } })
  if (first === null) return undefined
  if (length <= WINDOW) return first.body
  // Known length: without it the answer would be chunked and a player could not seek.
  const { readable, writable } = new FixedLengthStream(length)
  c.executionCtx.waitUntil(pump(c.env.FILES, key, { offset, length }, first, writable))
  return readable
}

/** Bytes asked of R2 at a time: what a reader does not take stays there, so a slow one costs no memory here. */
const WINDOW = 8 * 1024 * 1024

/** Writes a range window by window; each is asked for when the one before was taken. */
async function pump(
  bucket: R2Bucket,
  key: string,
  { offset, length }: Part,
  first: R2ObjectBody,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  try {
    await first.body.pipeTo(writable, { preventClose: true })
    for (let done = WINDOW; done < length; done += WINDOW) {
      const next = await bucket.get(key, { range: { offset: offset + done, length: Math.min(WINDOW, length - done) } })
      if (next === null) throw new Error('the file was deleted')
      await next.body.pipeTo(writable, { preventClose: true })
    }
    await writable.close()
  } catch (error) {
    // The reader went away, or the file did: the answer ends short, which its Content-Length tells.
    await writable.abort(error).catch(() => undefined)
  }
}

/** Does this request begin at the first byte? Later ranges of one showing are not visits of their own. */
export const isFirstLook = (range: string | undefined): boolean => range === undefined || /^bytes=0-/.test(range.trim())

// Reading an answer of a party that we do not control: never more bytes than asked for, JSON or nothing.

/** The body (Fetch 5.3) as bytes, or nothing when it is longer than `limit` bytes. Rejects when the connection breaks. */
export async function readBytes(response: Response | Request, limit: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array()
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.byteLength
    if (size > limit) {
      await reader.cancel()
      return undefined
    }
    chunks.push(next.value)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

/** The body as JSON (RFC 8259 8.1); nothing when it is longer than `limit` bytes, not JSON, or not UTF-8. The media type is not looked at. */
export async function readJson(response: Response | Request, limit: number): Promise<unknown> {
  const bytes = await readBytes(response, limit)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    // Not JSON is an expected answer of a broken server; the caller's schema refuses `undefined`.
    return undefined
  }
}

/** Lets go of a body that nobody reads (Fetch 5.3), so that the connection is free again. Rejects when somebody is reading it. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel()
}

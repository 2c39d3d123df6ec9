// Strict form bodies: right content type, bounded size, no parameter twice (RFC 6749 3.2). Values stay strings; endpoints read by name.
import type { Context } from 'hono'
import { OAuthError } from './errors.ts'

/** Keeps nothing between two calls. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
const MAX_FORM = 64 * 1024
const FORM = 'application/x-www-form-urlencoded'

/** Parameters of a form body or query. Empty values count as absent (RFC 6749 3.1). */
export type Params = ReadonlyMap<string, string>

/** Names and values in the order in which they came. */
type Fields = Iterable<readonly [string, string]>

/** Reads `application/x-www-form-urlencoded`. Throws OAuthError invalid_request (400, 413). */
export const readForm = (c: Context): Promise<Params> => formOf(c.req.raw)

/** As `readForm`. */
export const formOf = async (request: Request): Promise<Params> => paramsOf(fieldsOf(await formText(request)))

/** As `readForm`, before it is checked that nothing is repeated: names and values in the order in which they came. */
export const fieldsIn = async (request: Request): Promise<[string, string][]> =>
  [...fieldsOf(await formText(request))].map(([name, value]) => [name, value])

/** The same for endpoints that have a router. */
export const readFields = async (c: Context): Promise<URLSearchParams> => new URLSearchParams(await formText(c.req.raw))

async function formText(request: Request): Promise<string> {
  if (mediaType(request.headers.get('content-type')) !== FORM) {
    throw new OAuthError('invalid_request', 'send the parameters as application/x-www-form-urlencoded')
  }
  return readPlain(request, MAX_FORM)
}

/** As URLSearchParams reads them. A form with nothing encoded in it, as most of those that introspect, only has to be taken apart. */
export function fieldsOf(text: string): Fields {
  if (/[%+]|^\?/.test(text)) return new URLSearchParams(text)
  const fields: [string, string][] = []
  for (const field of text.split('&')) {
    if (field === '') continue
    const equals = field.indexOf('=')
    fields.push(equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)])
  }
  return fields
}

/** The media type in lower case, without parameters; empty if there is none or if it names another charset than UTF-8. */
export function mediaType(header: string | null | undefined): string {
  if (header === 'application/json' || header === FORM) return header
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  const isUtf8 = parameters.every((parameter) => !/^\s*charset\s*=/.test(parameter) || /^\s*charset\s*=\s*"?utf-?8"?\s*$/.test(parameter))
  return isUtf8 ? type.trim() : ''
}

/** Checks that nothing is repeated but what may be, and drops empty values. Throws OAuthError invalid_request. */
export function paramsOf(fields: Fields, repeatable: readonly string[] = []): Params {
  const params = new Map<string, string>()
  const seen = new Set<string>()
  for (const [name, value] of fields) {
    // > Request and response parameters MUST NOT be included more than once. (RFC 6749 3.2)
    if (seen.has(name) && !repeatable.includes(name)) throw new OAuthError('invalid_request', `send "${printable(name)}" once only`)
    seen.add(name)
    if (value !== '') params.set(name, value)
  }
  return params
}

/** The named parameter, or OAuthError invalid_request. */
export function required(params: Params, name: string): string {
  const value = params.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `the parameter "${name}" is missing`)
  return value
}

const MAX_SCOPE = 4096

/** The words of the parameter `scope`, each once; none if it is absent. Throws OAuthError invalid_scope for what is no scope (RFC 6749 3.3). */
export function scopeOf(params: Params): string[] {
  const text = params.get('scope')
  if (text === undefined) return []
  if (text.length > MAX_SCOPE || !/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text))
    throw new OAuthError('invalid_scope', 'scope is too long or malformed')
  return [...new Set(text.split(' ').filter((one) => one !== ''))]
}

/** Bytes beyond the limit that are read and forgotten: who is cut off in the middle of sending does not hear why. */
const PATIENCE = 2 * 1024 * 1024

/** Body as text, at most `limit` bytes; OAuthError 413 beyond. */
export async function readBounded(request: Request, limit: number): Promise<string> {
  const bytes = isShort(request, limit) || request.body === null ? await request.arrayBuffer() : await readCounted(request.body, limit)
  try {
    return strict.decode(bytes)
  } catch {
    throw notUtf8()
  }
}

/**
 * As `readBounded`, at half the cost, for bodies that hold ids and parameters and nobody's own words: the runtime writes U+FFFD for what is
 * not UTF-8, and the character itself is refused together with it.
 */
export async function readPlain(request: Request, limit: number): Promise<string> {
  if (!isShort(request, limit)) return readBounded(request, limit)
  const text = await request.text()
  if (text.includes('\ufffd')) throw notUtf8()
  return text
}

/** The runtime lets no more through than was announced; only a body that may be too long has to be counted on its way. */
function isShort(request: Request, limit: number): boolean {
  const announced = request.headers.get('content-length')
  return announced !== null && Number(announced) <= limit
}

const notUtf8 = (): OAuthError => new OAuthError('invalid_request', 'the body is not valid UTF-8')

async function readCounted(body: ReadableStream, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    size += chunk.byteLength
    if (size <= limit) chunks.push(chunk)
    else if (size > limit + PATIENCE) break
  }
  if (size > limit) throw new OAuthError('invalid_request', `the body is larger than ${limit} bytes`, { status: 413 })
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]|["\\]/g, '?').slice(0, 64)

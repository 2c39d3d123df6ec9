// The one way to JSON documents of strangers (client metadata, keys): public addresses only, no redirect, five seconds and a few kilobytes at
// most, remembered for a day at most and never when it failed. What the document says is judged by who asked for it.
import type { Deps } from './context.ts'
import { mediaType } from './form.ts'
import { originsOf, publicUrl } from './public-url.ts'

/** Milliseconds from the first octet sent to the last one read. */
const PATIENCE = 5000
/** Octets of a key set, and of anything that does not say less. */
export const MAX_DOCUMENT = 64 * 1024
/** Seconds that a document is remembered: as it says itself, within these. */
const [SHORTEST, USUAL, LONGEST] = [60, 3600, 86_400]
/** Documents that an isolate remembers. */
const REMEMBERED = 200

type Known = { at: number; until: number; value: unknown }
const known = new Map<string, Known>()
const underWay = new Map<string, Promise<unknown>>()

export type GuardedOptions = {
  /** Octets. */
  max?: number
  /** What the document must be; anything else counts as a failure and is not remembered (CIMD 4.2). */
  isGood?: (value: unknown) => boolean
  /** What is remembered does not do (a key is missing in it): ask again, but not more than once a minute. */
  again?: boolean
}

/** What fetching needs of an endpoint's surroundings. */
type Outside = Pick<Deps, 'fetch' | 'now' | 'issuer'> & { env: Pick<Env, 'DEV_ORIGINS'> }

/** The URL if the server may call it (public-url.ts); its own origin is not for calling. */
export function callableUrl(deps: Outside, text: string): URL | undefined {
  const url = publicUrl(text, originsOf(deps.env.DEV_ORIGINS))
  return url === undefined || url.origin === deps.issuer ? undefined : url
}

/**
 * The JSON at `text`, or undefined: not callable, not there, not 200, a redirect (RFC 9700 4.11: a redirect could lead inside), another media
 * type, too long, too slow, no JSON, not good. Never throws. Two who ask at the same time share one request.
 */
export async function guardedJson(deps: Outside, text: string, options: GuardedOptions = {}): Promise<unknown> {
  const max = options.max ?? MAX_DOCUMENT
  const url = callableUrl(deps, text)
  if (url === undefined) return undefined
  const key = `${max} ${url.href}`
  const now = Math.floor(deps.now() / 1000)
  const one = known.get(key)
  if (one !== undefined && now >= one.at && now < one.until && !(options.again === true && now - one.at >= SHORTEST)) return one.value
  let asking = underWay.get(key)
  if (asking === undefined) {
    asking = load(deps, url, max, key, options.isGood).finally(() => underWay.delete(key))
    underWay.set(key, asking)
  }
  return asking
}

/** What is remembered of `guardedJson(deps, text, { max })`, without asking anybody. */
export function rememberedJson(deps: Outside, text: string, max: number): unknown {
  const url = callableUrl(deps, text)
  const one = url === undefined ? undefined : known.get(`${max} ${url.href}`)
  return one !== undefined && Math.floor(deps.now() / 1000) < one.until ? one.value : undefined
}

async function load(deps: Outside, url: URL, max: number, key: string, isGood?: GuardedOptions['isGood']): Promise<unknown> {
  try {
    const answer = await deps.fetch(url.href, {
      redirect: 'manual',
      headers: { Accept: 'application/json', 'User-Agent': 'Latchkey' },
      signal: AbortSignal.timeout(PATIENCE),
    })
    const type = mediaType(answer.headers.get('content-type') ?? undefined)
    if (answer.status !== 200 || !/^application\/([\w.-]+\+)?json$/.test(type)) {
      await answer.body?.cancel()
      return undefined
    }
    const value: unknown = JSON.parse(await readAtMost(answer, max))
    if (isGood?.(value) === false) throw new TypeError('not what was asked for')
    const at = Math.floor(deps.now() / 1000)
    if (known.size >= REMEMBERED) known.clear()
    known.set(key, { at, until: at + lifetimeOf(answer.headers.get('cache-control') ?? ''), value })
    return value
  } catch {
    known.delete(key)
    return undefined // unreachable, too slow, too long, not UTF-8, not JSON: all the same to the caller
  }
}

/** RFC 9111 5.2.2, within our bounds. */
function lifetimeOf(cacheControl: string): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return SHORTEST
  const age = /\bmax-age\s*=\s*"?(\d{1,9})/i.exec(cacheControl)?.[1]
  return age === undefined ? USUAL : Math.min(LONGEST, Math.max(SHORTEST, Number(age)))
}

/** The body as text; throws beyond `max` octets, counted after decompression. */
async function readAtMost(answer: Response, max: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let text = ''
  let size = 0
  for await (const chunk of (answer.body ?? new Blob().stream()) as ReadableStream<Uint8Array>) {
    size += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (size > max) throw new RangeError('the document is too long')
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

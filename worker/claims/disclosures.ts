// Selective disclosure (RFC 9901): puts disclosed claims back into a payload, or says why the set of disclosures is not sound.
// Knows digests and structure only; signatures are checked elsewhere.
import { bytesOf, isObject } from './jws.ts'
import { sha256 } from './keys.ts'

const MAX_DISCLOSURES = 64
const MAX_DEPTH = 12
// SD-JWT VC 3.2.2.2: what decides about the credential itself is never hidden. `_sd_alg` would change the rules while they are applied.
const NEVER_HIDDEN: ReadonlySet<string> = new Set(['iss', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'status', '_sd_alg'])

type Disclosure = { name?: string; value: unknown }
type Walk = { open: Map<string, Disclosure>; used: Set<string>; seen: Set<string> }

class Unsound extends Error {}

/**
 * RFC 9901 7.1, 3 to 5: the payload with every disclosed claim at its place and without `_sd`, `_sd_alg` and `...`.
 * A word that says what is wrong: duplicate, unreferenced or colliding disclosures, digests used twice, forbidden names.
 */
export async function withDisclosures(
  payload: Record<string, unknown>,
  disclosures: readonly string[],
): Promise<Record<string, unknown> | string> {
  if (payload._sd_alg !== undefined && payload._sd_alg !== 'sha-256') return '_sd_alg'
  if (disclosures.length > MAX_DISCLOSURES) return 'too_many'
  const walk: Walk = { open: new Map(), used: new Set(), seen: new Set() }
  try {
    for (const text of disclosures) {
      const digest = await sha256(text)
      if (walk.open.has(digest)) return 'duplicate'
      walk.open.set(digest, readDisclosure(text))
    }
    const { _sd_alg: _, ...rest } = payload
    const whole = openObject(rest, walk, 0)
    // > If any Disclosure was not referenced by digest value in the Issuer-signed JWT [...] the SD-JWT MUST be rejected. (RFC 9901 7.1)
    return walk.used.size === walk.open.size ? whole : 'unreferenced'
  } catch (error) {
    if (error instanceof Unsound) return error.message
    throw error
  }
}

function readDisclosure(text: string): Disclosure {
  let parts: unknown
  try {
    parts = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytesOf(text)))
  } catch {
    throw new Unsound('form') // no base64url, no UTF-8 or no JSON
  }
  if (!Array.isArray(parts) || typeof parts[0] !== 'string') throw new Unsound('form')
  if (parts.length === 2) return { value: parts[1] as unknown }
  if (parts.length !== 3 || typeof parts[1] !== 'string') throw new Unsound('form')
  return { name: parts[1], value: parts[2] as unknown }
}

function openValue(value: unknown, walk: Walk, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new Unsound('depth')
  if (Array.isArray(value)) return value.flatMap((item: unknown) => openElement(item, walk, depth))
  return isObject(value) ? openObject(value, walk, depth) : value
}

function openElement(item: unknown, walk: Walk, depth: number): unknown[] {
  if (!isObject(item) || !('...' in item)) return [openValue(item, walk, depth + 1)]
  if (Object.keys(item).length !== 1) throw new Unsound('digest')
  const disclosure = take(item['...'], walk)
  if (disclosure === undefined) return []
  if (disclosure.name !== undefined) throw new Unsound('place')
  return [openValue(disclosure.value, walk, depth + 1)]
}

function openObject(object: Record<string, unknown>, walk: Walk, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new Unsound('depth')
  const { _sd: digests = [], ...plain } = object
  if (!Array.isArray(digests)) throw new Unsound('_sd')
  if ('...' in plain) throw new Unsound('digest')
  const entries = new Map<string, unknown>()
  for (const [name, value] of Object.entries(plain)) entries.set(name, openValue(value, walk, depth + 1))
  for (const digest of digests as unknown[]) {
    const disclosure = take(digest, walk)
    if (disclosure === undefined) continue
    const name = hiddenName(disclosure, depth)
    if (entries.has(name)) throw new Unsound('collision')
    entries.set(name, openValue(disclosure.value, walk, depth + 1))
  }
  return Object.fromEntries(entries) // makes own members only, whatever they are called
}

function hiddenName({ name }: Disclosure, depth: number): string {
  if (name === undefined) throw new Unsound('place')
  if (name === '_sd' || name === '...' || (depth === 0 && NEVER_HIDDEN.has(name))) throw new Unsound('name')
  return name
}

// > If any digest value is encountered more than once in the Issuer-signed JWT payload [...] the SD-JWT MUST be rejected. (RFC 9901 7.1)
function take(digest: unknown, walk: Walk): Disclosure | undefined {
  if (typeof digest !== 'string') throw new Unsound('digest')
  if (walk.seen.has(digest)) throw new Unsound('digest_twice')
  walk.seen.add(digest)
  const disclosure = walk.open.get(digest)
  if (disclosure !== undefined) walk.used.add(digest)
  return disclosure
}

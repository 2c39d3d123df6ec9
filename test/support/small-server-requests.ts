// What is asked of the small server (small-server.ts), read and judged as the specifications say; anything else is refused.
import type { IncomingMessage } from 'node:http'

export type Fields = { readonly [name: string]: unknown }
export type Permission = { resource_id: string; resource_scopes: string[] }
export type Description = Fields & { resource_scopes: string[] }
export type Reply = { status: number; body?: unknown; headers?: Record<string, string> }

const MOST_BYTES = 65_536

export class Refused extends Error {
  readonly reply: Reply
  constructor(status: number, error: string, more: Fields = {}, headers: Record<string, string> = {}) {
    super(error)
    this.reply = { status, body: { error, ...more }, headers }
  }
}

export const now = (): number => Math.floor(Date.now() / 1000)
export const isText = (value: unknown): value is string => typeof value === 'string'
const areTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
/** Of an address the domain is the same in any case (RFC 5321 2.4). */
export const known = (person: string): string => person.replace(/@.*$/, (domain) => domain.toLowerCase())

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of request) if (text.length <= MOST_BYTES) text += String(chunk)
  if (text.length > MOST_BYTES) throw new Refused(413, 'invalid_request')
  return text
}

export const formOf = async (request: IncomingMessage): Promise<Map<string, string>> => {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) throw new Refused(400, 'invalid_request')
  const fields = [...new URLSearchParams(await bodyOf(request))].filter(([, value]) => value !== '')
  // RFC 6749 3.2: no parameter twice.
  if (new Set(fields.map(([name]) => name)).size < fields.length) throw new Refused(400, 'invalid_request')
  return new Map(fields)
}

export const jsonOf = async (request: IncomingMessage): Promise<unknown> => {
  const text = await bodyOf(request)
  if (!/^application\/json(;\s*charset="?utf-8"?)?$/i.test(request.headers['content-type'] ?? '')) throw new Refused(400, 'invalid_request')
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Refused(400, 'invalid_request')
  }
}

/** UMA FedAuthz 3.1 */
export const describedBy = (value: unknown): Description => {
  const texts = ['name', 'type', 'description', 'icon_uri'] as const
  if (!isObject(value) || !areTexts(value.resource_scopes)) throw new Refused(400, 'invalid_request')
  if (texts.some((name) => value[name] !== undefined && !isText(value[name]))) throw new Refused(400, 'invalid_request')
  // RFC 7591 2.2: and each of them in other languages.
  const kept = Object.entries(value).filter(
    ([name, one]) => isText(one) && texts.some((text) => name === text || name.startsWith(`${text}#`)),
  )
  return { resource_scopes: value.resource_scopes, ...Object.fromEntries(kept) }
}

/** UMA FedAuthz 4.1: one permission or several; one resource twice has the scopes of both. */
export const permissionsIn = (value: unknown): Permission[] => {
  const all = Array.isArray(value) ? value : [value]
  const found = new Map<string, Set<string>>()
  for (const one of all) {
    if (!isObject(one) || !isText(one.resource_id) || !areTexts(one.resource_scopes)) throw new Refused(400, 'invalid_request')
    found.set(one.resource_id, new Set([...(found.get(one.resource_id) ?? []), ...one.resource_scopes]))
  }
  if (found.size === 0) throw new Refused(400, 'invalid_request')
  return [...found].map(([resource_id, scopes]) => ({ resource_id, resource_scopes: [...scopes] }))
}

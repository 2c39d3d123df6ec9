// Forms as the vault takes them: url-encoded, small, every field once. Anything else is a 4xx with a sentence.
import { HTTPException } from 'hono/http-exception'
import { readBytes } from '../../shared/limited-body.ts'
import type { VaultContext } from './http.ts'

const FORM_LIMIT = 16_384

const refuse = (status: 400 | 413 | 415, message: string): never => {
  throw new HTTPException(status, { message })
}

/** The fields of a POST. Throws HTTPException 415, 413 or 400. */
export async function formOf(c: VaultContext): Promise<ReadonlyMap<string, string>> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return refuse(415, 'A form must be sent as application/x-www-form-urlencoded.')
  const bytes = await readBytes(c.req.raw, FORM_LIMIT)
  if (bytes === undefined) return refuse(413, 'This form is too big.')
  const fields = [...new URLSearchParams(new TextDecoder().decode(bytes))]
  const map = new Map(fields)
  return map.size === fields.length ? map : refuse(400, 'A field was sent more than once.')
}

/** A field as text; a missing one is empty. Throws HTTPException 400 when it is longer than a person would type. */
export function ensureText(form: ReadonlyMap<string, string>, name: string, limit: number): string {
  const value = form.get(name) ?? ''
  return value.length <= limit ? value : refuse(400, `The field ${name} is too long.`)
}

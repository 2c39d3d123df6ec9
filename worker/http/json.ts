// Strict JSON bodies: content type, bounded size, and a schema that lives beside its type in shared/protocol.
import type { Context } from 'hono'
import * as v from 'valibot'
import { OAuthError } from './errors.ts'
import { mediaType, readBounded, readPlain } from './form.ts'

const MAX_JSON = 64 * 1024

/** Parses and validates; OAuthError `invalid_request` (or `code`) names the first member that does not fit. `max`: bytes. */
export const readJson = <S extends v.GenericSchema>(
  c: Context,
  schema: S,
  code = 'invalid_request',
  max = MAX_JSON,
): Promise<v.InferOutput<S>> => read(c.req.raw, { schema, code, readText: (request) => readBounded(request, max) })

/** As `readJson`, for a body of ids and parameters (form.ts, `readPlain`). */
export const jsonOf = <S extends v.GenericSchema>(request: Request, schema: S): Promise<v.InferOutput<S>> =>
  read(request, { schema, code: 'invalid_request', readText: readPlain })

async function read<S extends v.GenericSchema>(
  request: Request,
  { schema, code, readText }: { schema: S; code: string; readText: typeof readBounded },
): Promise<v.InferOutput<S>> {
  const type = mediaType(request.headers.get('content-type'))
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) {
    throw new OAuthError(code, 'send the body as application/json')
  }
  let value: unknown
  try {
    value = JSON.parse(await readText(request, MAX_JSON))
  } catch (error) {
    if (error instanceof OAuthError) throw error
    throw new OAuthError(code, 'the body is not valid JSON')
  }
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) throw new OAuthError(code, describe(parsed.issues[0]))
  return parsed.output
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v
    .getDotPath(issue)
    ?.replace(/[^\x20-\x7e]|["\\]/g, '?')
    .slice(0, 64)
  const where = path === undefined ? 'the body' : `"${path}"`
  return `${where} is missing or has a wrong value`
}

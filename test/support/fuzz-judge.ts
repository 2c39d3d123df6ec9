// Whether an answer is one that the API document promises: status, schema, code, sentence, and what no refusal may lack.
import * as v from 'valibot'
import { oauthError } from '../../shared/protocol/oauth.ts'
import { operations } from '../../worker/openapi/document.ts'
import type { Sent } from './fuzz-requests.ts'
import type { Answer } from './http.ts'

/** JSON, or undefined for what is none. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a request for `path` may be meant for the operations at `template`: `/owner/rules/import` is also an `/owner/rules/{id}`. */
const covers = (template: string, path: string): boolean => new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path)

/** What is wrong with an answer; undefined if it is as the document says. */
export function problemOf({ operation, method, headers, url }: Sent, answer: Answer): string | undefined {
  const { status } = answer
  const isJson = /^application\/json/.test(answer.headers.get('content-type') ?? '')
  if (method === 'OPTIONS') return status === 204 && answer.headers.has('allow') ? undefined : 'OPTIONS names no methods'
  const here = operations.filter(({ path }) => path === operation.path || covers(path, operation.path))
  const known = here.map((one) => one.method.toUpperCase())
  const isPage = operation.tag === 'Pages' && (headers.accept ?? '').includes('text/html')
  if (!known.includes(method) && !(method === 'HEAD' && known.includes('GET'))) {
    if (status !== 405) return 'a method that is not there is not 405'
    const own = here.filter(({ path }) => path === operation.path).map((one) => one.method.toUpperCase())
    if (!own.every((one) => (answer.headers.get('allow') ?? '').includes(one))) return 'Allow names not every method'
    return isPage || method === 'HEAD' ? undefined : refusalProblem(answer, isJson, ['unsupported_method_type'])
  }
  const fitting = here.filter((one) => one.method.toUpperCase() === (method === 'HEAD' ? 'GET' : method))
  const asked = fitting.find(({ path }) => path === operation.path) ?? fitting[0] ?? operation
  const reply = asked.replies[status]
  const codes = asked.errors[status]
  if (reply === undefined && codes === undefined) return `the document does not know ${status}`
  if (method === 'HEAD') return undefined
  const value = isJson ? jsonOf(answer.text) : undefined
  if (reply !== undefined && codes === undefined) {
    if (status === 303) return answer.headers.has('location') ? undefined : 'a redirect to nowhere'
    return reply.schema === undefined || v.safeParse(reply.schema, value).success ? undefined : 'the answer does not fit its schema'
  }
  if (reply?.schema !== undefined && !v.safeParse(reply.schema, value).success) return 'the refusal does not fit its schema'
  if ([429, 503].includes(status) && !/^[1-9]\d*$/.test(answer.headers.get('retry-after') ?? '')) return `${status} without Retry-After`
  // 507: a quota is used up, which is no fault.
  if (status >= 500 && ![503, 507].includes(status)) return `${status}: ${url}`
  if (isPage && !isJson) return /^text\/html/.test(answer.headers.get('content-type') ?? '') ? undefined : 'neither page nor JSON'
  return refusalProblem(answer, isJson, codes ?? [])
}

function refusalProblem(answer: Answer, isJson: boolean, codes: readonly string[]): string | undefined {
  const value = isJson ? jsonOf(answer.text) : undefined
  const parsed = v.safeParse(oauthError, value)
  if (!parsed.success) return 'a refusal that is no error body'
  if (!codes.includes(parsed.output.error)) return `the document does not know the code ${parsed.output.error} here`
  // RFC 6749 5.2
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]{8,}$/.test(parsed.output.error_description ?? '')) return 'a refusal without a sentence'
  if (answer.headers.get('cache-control') !== 'no-store') return 'a refusal that may be stored'
  return undefined
}
